//! Reading: counts, lists, one event. On connections of its own, so that nobody who looks delays anybody who stores.

use std::sync::{Arc, Mutex, PoisonError};

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Semaphore;

use super::audit_log;
use super::deliveries;
use super::open;
use super::options::SqliteOptions;
use super::order::OVERTAKEN;
use super::rows::{self, from_sql};
use super::select::Conditions;
use crate::event::EventNo;
use crate::inbox::{
    AttemptRecord, Blocked, Count, Counts, EventDetail, EventSummary, Filter, InboxError, StoreError,
    page_size,
};

/// Reading connections. More readers wait.
const READERS: usize = 4;

/// The connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteOptions,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(options: SqliteOptions) -> Self {
        Self { options, idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// The database's file.
    pub(super) fn path(&self) -> &std::path::Path {
        self.options.path()
    }

    /// Runs `query` in a read transaction: all its statements see the same moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|error| StoreError::new(doing, error))?;
        let (idle, options) = (Arc::clone(&self.idle), self.options.clone());
        let read = move || {
            let _permit = permit;
            let warm = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let conn = match warm {
                Some(conn) => conn,
                None => open::reader(&options).map_err(|error| StoreError::new(doing, error))?,
            };
            let answer = conn.unchecked_transaction().and_then(|snapshot| query(&snapshot));
            // A connection that failed is not kept.
            let answer = answer.map_err(|error| StoreError::new(doing, error))?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            Ok(answer)
        };
        let joined = tokio::task::spawn_blocking(read).await;
        joined.unwrap_or_else(|error| Err(StoreError::new(doing, error))).map_err(InboxError::Store)
    }
}

pub(super) fn counts(conn: &Connection) -> rusqlite::Result<Counts> {
    let mut statement = conn.prepare_cached(
        "SELECT source, state, events FROM tallies WHERE events > 0 ORDER BY source, state",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Count { source: row.get(0)?, state: rows::state(row, 1)?, events: rows::count(row, 2)? })
    })?;
    Ok(Counts { entries: rows.collect::<Result<_, _>>()?, blocked: blocked(conn)? })
}

fn blocked(conn: &Connection) -> rusqlite::Result<Vec<Blocked>> {
    let mut statement = conn.prepare_cached(
        "SELECT source, COUNT(*), SUM((SELECT COUNT(*) FROM queue WHERE queue.lane = lanes.id))
         FROM lanes WHERE blocked = 1 GROUP BY source ORDER BY source",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Blocked { source: row.get(0)?, keys: rows::count(row, 1)?, events: rows::count(row, 2)? })
    })?;
    rows.collect()
}

fn summary_sql() -> String {
    // Blockers are few, and are looked up by their event.
    let blocks = "(SELECT (SELECT COUNT(*) FROM queue WHERE queue.lane = blockers.lane)
        FROM blockers WHERE blockers.event = events.number)";
    format!(
        "SELECT number, source, event_id, event_type, ordering_key, received_at, state, reason, attempts, last_error,
         settled_at, superseded, fingerprint, {OVERTAKEN}, {blocks} FROM events"
    )
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<EventSummary> {
    Ok(EventSummary {
        number: EventNo(row.get(0)?),
        source: row.get(1)?,
        event_id: row.get(2)?,
        event_type: row.get(3)?,
        ordering_key: row.get(4)?,
        received_at: from_sql(row.get(5)?),
        state: rows::state(row, 6)?,
        reason: rows::reason(row, 7)?,
        attempts: row.get(8)?,
        last_error: row.get(9)?,
        settled_at: row.get::<_, Option<i64>>(10)?.map(from_sql),
        superseded: row.get(11)?,
        fingerprint: rows::fingerprint(row, 12)?,
        overtaken: row.get(13)?,
        blocks: row.get::<_, Option<i64>>(14)?.map(|waiting| u64::try_from(waiting).unwrap_or(0)),
    })
}

pub(super) fn list(conn: &Connection, filter: &Filter) -> rusqlite::Result<Vec<EventSummary>> {
    let mut which = Conditions::page(filter);
    which.name(":limit", rows::limit(page_size(filter.limit, Filter::MAX_LIMIT)));
    let order = if filter.newest_first { "number DESC" } else { "number" };
    let sql = format!("{} WHERE {} ORDER BY {order} LIMIT :limit", summary_sql(), which.sql());
    conn.prepare_cached(&sql)?.query_map(which.values().as_slice(), summary_of)?.collect()
}

pub(super) fn summary(conn: &Connection, event: EventNo) -> rusqlite::Result<Option<EventSummary>> {
    conn.prepare_cached(&format!("{} WHERE number = ?1", summary_sql()))?
        .query_row([event.0], summary_of)
        .optional()
}

pub(super) fn show(conn: &Connection, event: EventNo) -> rusqlite::Result<Option<EventDetail>> {
    summary(conn, event)?.map(|summary| detail(conn, summary)).transpose()
}

/// What else is known about an event.
pub(super) fn detail(conn: &Connection, summary: EventSummary) -> rusqlite::Result<EventDetail> {
    let event = summary.number;
    Ok(EventDetail {
        summary,
        event: rows::load_to_show(conn, event)?,
        attempts: attempts(conn, event)?,
        audit: audit_log::of_event(conn, event)?,
        deliveries: deliveries::of(conn, event)?,
        purged_at: purged_at(conn, event)?,
    })
}

fn purged_at(conn: &Connection, event: EventNo) -> rusqlite::Result<Option<UnixTime>> {
    let at: Option<i64> = conn
        .prepare_cached("SELECT purged_at FROM events WHERE number = ?1")?
        .query_row([event.0], |row| row.get(0))?;
    Ok(at.map(from_sql))
}

fn attempts(conn: &Connection, event: EventNo) -> rusqlite::Result<Vec<AttemptRecord>> {
    conn.prepare_cached(
        "SELECT attempt, started_at, ended_at, outcome, error, handler FROM attempts WHERE event = ?1 ORDER BY id",
    )?
    .query_map(params![event.0], |row| {
        Ok(AttemptRecord {
            attempt: row.get(0)?,
            started_at: from_sql(row.get(1)?),
            ended_at: row.get::<_, Option<i64>>(2)?.map(from_sql),
            outcome: row.get(3)?,
            error: row.get(4)?,
            handler: row.get(5)?,
        })
    })?
    .collect()
}
