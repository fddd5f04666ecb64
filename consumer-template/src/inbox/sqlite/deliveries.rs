//! The record of deliveries: written with each accept, read for people.

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::job::WorkError;
use super::rows::{self, from_sql, to_sql};
use super::select::Conditions;
use crate::event::{EventNo, State};
use crate::inbox::{Accepted, Delivery, DeliveryFilter, DeliveryNo, DeliveryRecord, Incoming, page_size};

/// Writes the record of a delivery. `found`: the state of the event that it belongs to, if there was one.
pub(super) fn record(
    conn: &Connection,
    incoming: &Incoming,
    accepted: Accepted,
    found: Option<State>,
) -> Result<DeliveryNo, WorkError> {
    let (event, received_at) = (accepted.event, to_sql(incoming.received_at));
    let nth = match found {
        None => 0,
        Some(_) => again(conn, event, received_at)?,
    };
    let answer = match accepted.outcome {
        Delivery::New => "new",
        Delivery::Duplicate { .. } => "duplicate",
        Delivery::Revived => "revived",
        Delivery::Conflict => "conflict",
    };
    conn.prepare_cached(
        "INSERT INTO deliveries (received_at, event, nth, source, key_id, answer, state, skew_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        received_at,
        event.0,
        nth,
        incoming.source,
        incoming.proof.key_id(),
        answer,
        found.map(State::as_str),
        incoming.skew_ms,
    ])?;
    Ok(DeliveryNo { received_at: incoming.received_at, event, nth })
}

/// Notes that a known event was delivered again; its number among the deliveries of this millisecond.
fn again(conn: &Connection, event: EventNo, received_at: i64) -> Result<i64, WorkError> {
    conn.prepare_cached(
        "UPDATE events SET delivered_at = max(?2, COALESCE(delivered_at, 0)) WHERE number = ?1",
    )?
    .execute([event.0, received_at])?;
    let nth = conn
        .prepare_cached(
            "SELECT COALESCE(MAX(nth) + 1, 0) FROM deliveries WHERE received_at = ?1 AND event = ?2",
        )?
        .query_row([received_at, event.0], |row| row.get(0))?;
    Ok(nth)
}

const COLUMNS: &str = "received_at, event, nth, source, key_id, answer, state, skew_ms, ack_us";

fn read(row: &Row<'_>) -> rusqlite::Result<DeliveryRecord> {
    let state: Option<String> = row.get(6)?;
    Ok(DeliveryRecord {
        number: DeliveryNo {
            received_at: from_sql(row.get(0)?),
            event: EventNo(row.get(1)?),
            nth: row.get(2)?,
        },
        source: row.get(3)?,
        key_id: row.get(4)?,
        answer: row.get(5)?,
        state: state.as_deref().and_then(State::parse),
        skew_ms: row.get(7)?,
        ack: row
            .get::<_, Option<i64>>(8)?
            .map(|us| std::time::Duration::from_micros(u64::try_from(us).unwrap_or(0))),
    })
}

/// Those of one event: the first one is found by the time at which its event arrived, the others by an index that the first ones are
/// not in.
const OF_EVENT: &str = "(SELECT * FROM deliveries WHERE received_at = :arrived AND event = :of AND nth = 0
     UNION SELECT * FROM deliveries WHERE event = :of AND answer IN ('duplicate', 'revived'))";

/// One page, the latest first. Those of one event are looked up; all others are a range of time.
pub(super) fn list(conn: &Connection, filter: &DeliveryFilter) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let mut which = Conditions::default();
    if let Some(event) = filter.event {
        which.name(":of", event.0);
        which.name(":arrived", arrived(conn, event)?);
    }
    which.and("source = :source", ":source", filter.source.clone());
    which.and("received_at >= :since", ":since", filter.since.map(to_sql));
    if let Some(before) = filter.before {
        which.and("(received_at, event, nth) < (:at, :event, :nth)", ":at", Some(to_sql(before.received_at)));
        which.name(":event", before.event.0);
        which.name(":nth", before.nth);
    }
    which.name(":limit", rows::limit(page_size(filter.limit, DeliveryFilter::MAX_LIMIT)));
    let from = if filter.event.is_some() { OF_EVENT } else { "deliveries" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {from} WHERE {} ORDER BY received_at DESC, event DESC, nth DESC LIMIT :limit",
        which.sql()
    ))?;
    let rows = statement.query_map(which.values().as_slice(), read)?;
    rows.collect()
}

/// When the event arrived; never, if there is none.
fn arrived(conn: &Connection, event: EventNo) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT received_at FROM events WHERE number = ?1")?
        .query_row([event.0], |row| row.get(0))
        .optional()
}

/// When the oldest delivery of which there is a record arrived.
pub(super) fn oldest(conn: &Connection) -> rusqlite::Result<Option<UnixTime>> {
    let at: Option<i64> =
        conn.prepare_cached("SELECT MIN(received_at) FROM deliveries")?.query_row([], |row| row.get(0))?;
    Ok(at.map(from_sql))
}

/// The records of one event, the oldest first.
pub(super) fn of(conn: &Connection, event: EventNo) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let filter = DeliveryFilter { event: Some(event), ..DeliveryFilter::default() };
    let mut records = list(conn, &filter)?;
    records.reverse();
    Ok(records)
}

/// Takes away the oldest records that came before `until`, about `rows` of them, and keeps what they say of keys. How many went, and whether
/// there are more.
pub(super) fn purge(conn: &Connection, until: UnixTime, rows: usize) -> Result<(u64, bool), WorkError> {
    let last: Option<i64> = conn
        .prepare_cached(
            "SELECT MAX(received_at) FROM
                 (SELECT received_at FROM deliveries WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
        )?
        .query_row(params![to_sql(until), rows::limit(rows)], |row| row.get(0))?;
    let Some(last) = last else {
        return Ok((0, false));
    };
    conn.prepare_cached(
        "INSERT INTO key_uses (source, key_id, first_at, last_at, deliveries)
             SELECT source, key_id, MIN(received_at), MAX(received_at), COUNT(*) FROM deliveries
             WHERE received_at <= ?1 GROUP BY source, key_id
         ON CONFLICT (source, key_id) DO UPDATE SET first_at = min(first_at, excluded.first_at),
             last_at = max(last_at, excluded.last_at), deliveries = deliveries + excluded.deliveries",
    )?
    .execute([last])?;
    let gone = conn.prepare_cached("DELETE FROM deliveries WHERE received_at <= ?1")?.execute([last])?;
    conn.prepare_cached("DELETE FROM not_stored WHERE minute <= ?1")?
        .execute([last / super::answers::MINUTE - 1])?;
    Ok((gone as u64, gone >= rows))
}
