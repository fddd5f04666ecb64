//! The quarantine: rows come and go with their totals, by triggers.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::accept;
use super::access::Access;
use super::audit::{self, About};
use super::job::WorkError;
use super::room::Room;
use super::rows::{self, decode_headers, encode_headers, from_sql, to_sql};
use super::select::Conditions;
use crate::clock::millis;
use crate::inbox::{
    Accepted, By, Head, InboxError, Incoming, Quarantine, QuarantineFilter, QuarantineLimits, QuarantineNo,
    QuarantineTotal, Quarantined, QuarantinedSummary, RefusedDelivery, page_size,
};

#[async_trait]
impl<A: Access> Quarantine for A {
    async fn quarantine_totals(&self) -> Result<Vec<QuarantineTotal>, InboxError> {
        self.readers().read("count the quarantine", totals).await
    }

    async fn quarantined(&self, filter: QuarantineFilter) -> Result<Vec<QuarantinedSummary>, InboxError> {
        self.readers().read("list the quarantine", move |conn| list(conn, &filter)).await
    }

    async fn quarantined_request(&self, number: QuarantineNo) -> Result<Option<Quarantined>, InboxError> {
        self.readers().read("show a request of the quarantine", move |conn| show(conn, number)).await
    }

    async fn release(
        &self,
        number: QuarantineNo,
        incoming: Incoming,
        by: By,
        now: UnixTime,
    ) -> Result<Option<Accepted>, InboxError> {
        let work = move |conn: &Connection| release(conn, number, &incoming, &by, now);
        let released = self.perform("release a request from the quarantine", work).await?;
        self.may_be_due();
        Ok(released)
    }

    async fn purge_quarantine(
        &self,
        filter: QuarantineFilter,
        by: By,
        now: UnixTime,
    ) -> Result<u64, InboxError> {
        self.perform("purge the quarantine", move |conn| purge(conn, &filter, &by, now)).await
    }
}

pub(super) fn take_in(
    conn: &Connection,
    source: &str,
    limits: QuarantineLimits,
    deliveries: &[RefusedDelivery],
    dropped: u64,
) -> Result<(), WorkError> {
    // One that is larger than all the room would only drive the others out.
    let fits = |delivery: &&RefusedDelivery| delivery.bytes() <= limits.max_bytes;
    let fitting: Vec<_> = deliveries.iter().filter(fits).collect();
    let dropped = dropped.saturating_add((deliveries.len() - fitting.len()) as u64);
    conn.prepare_cached(
        "INSERT INTO quarantine_totals (source, dropped) VALUES (?1, ?2)
         ON CONFLICT (source) DO UPDATE SET dropped = dropped + excluded.dropped",
    )?
    .execute(params![source, sql_count(dropped)])?;
    for delivery in fitting {
        let RefusedDelivery { refusal, received_at, peer, head, body } = delivery;
        conn.prepare_cached(
            "INSERT INTO quarantine (source, received_at, reason, peer, method, target, bytes, headers, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            source,
            to_sql(*received_at),
            refusal.code(),
            peer.map(|peer| peer.to_string()),
            head.method,
            head.target,
            sql_count(delivery.bytes()),
            encode_headers(&head.headers),
            body.as_ref(),
        ])?;
    }
    make_room(conn, source, limits)
}

/// The oldest go, as many as have to.
fn make_room(conn: &Connection, source: &str, limits: QuarantineLimits) -> Result<(), WorkError> {
    loop {
        let (held, bytes): (i64, i64) = conn
            .prepare_cached("SELECT held, bytes FROM quarantine_totals WHERE source = ?1")?
            .query_row([source], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let too_many = held - sql_count(limits.max_rows);
        let too_large = bytes > sql_count(limits.max_bytes);
        if too_many <= 0 && !too_large {
            return Ok(());
        }
        let gone = conn
            .prepare_cached(
                "DELETE FROM quarantine WHERE number IN (
                     SELECT number FROM quarantine WHERE source = ?1 ORDER BY number LIMIT ?2)",
            )?
            .execute(params![source, too_many.max(1)])?;
        if gone == 0 {
            return Err(WorkError::Broken("the quarantine does not hold what its totals say"));
        }
        conn.prepare_cached("UPDATE quarantine_totals SET evicted = evicted + ?2 WHERE source = ?1")?
            .execute(params![source, sql_count(gone as u64)])?;
    }
}

/// Requests that one transaction takes away: the writer has other things to do, and a body may be large.
pub(super) const EXPIRED_AT_ONCE: usize = 200;

/// Takes away what is too old, as much as one transaction may; how many requests that were.
pub(super) fn expire(
    conn: &Connection,
    source: &str,
    max_age: Duration,
    now: UnixTime,
) -> Result<usize, WorkError> {
    let oldest = to_sql(UnixTime::from_millis(now.as_millis().saturating_sub(millis(max_age))));
    let gone = conn
        .prepare_cached(
            "DELETE FROM quarantine WHERE number IN
                 (SELECT number FROM quarantine WHERE source = ?1 AND received_at < ?2 LIMIT ?3)",
        )?
        .execute(params![source, oldest, rows::limit(EXPIRED_AT_ONCE)])?;
    if gone > 0 {
        conn.prepare_cached("UPDATE quarantine_totals SET expired = expired + ?2 WHERE source = ?1")?
            .execute(params![source, sql_count(gone as u64)])?;
    }
    Ok(gone)
}

/// The request goes, and its event comes, in one transaction: of two who release it one finds it.
fn release(
    conn: &Connection,
    number: QuarantineNo,
    incoming: &Incoming,
    by: &By,
    now: UnixTime,
) -> Result<Option<Accepted>, WorkError> {
    let gone = conn
        .prepare_cached("DELETE FROM quarantine WHERE number = ?1 AND source = ?2 AND received_at = ?3")?
        .execute(params![number.0, incoming.source, to_sql(incoming.received_at)])?;
    if gone == 0 {
        return Ok(None);
    }
    conn.prepare_cached("UPDATE quarantine_totals SET released = released + 1 WHERE source = ?1")?
        .execute([&incoming.source])?;
    // It had its room before: `store.max_bytes` is for what comes from outside.
    let (accepted, _) = accept::accept(conn, incoming, &Room::default(), None)?;
    audit::note(conn, About::Event(accepted.event), "release", by, now)?;
    Ok(Some(accepted))
}

fn purge(conn: &Connection, filter: &QuarantineFilter, by: &By, now: UnixTime) -> Result<u64, WorkError> {
    let mut purged = BTreeMap::new();
    for QuarantinedSummary { number, source, .. } in list(conn, filter)? {
        conn.prepare_cached("DELETE FROM quarantine WHERE number = ?1")?.execute([number.0])?;
        *purged.entry(source).or_insert(0) += 1;
    }
    for (source, requests) in &purged {
        conn.prepare_cached("UPDATE quarantine_totals SET purged = purged + ?2 WHERE source = ?1")?
            .execute(params![source, sql_count(*requests)])?;
        let by = By::new(&by.actor, format!("{requests} requests: {}", by.why));
        audit::note(conn, About::Source(source), "purge", &by, now)?;
    }
    Ok(purged.values().sum())
}

fn totals(conn: &Connection) -> rusqlite::Result<Vec<QuarantineTotal>> {
    conn.prepare_cached(
        "SELECT source, held, bytes, total, released, purged, evicted, expired, dropped FROM quarantine_totals
         ORDER BY source",
    )?
    .query_map([], |row| {
        Ok(QuarantineTotal {
            source: row.get(0)?,
            held: rows::count(row, 1)?,
            bytes: rows::count(row, 2)?,
            total: rows::count(row, 3)?,
            released: rows::count(row, 4)?,
            purged: rows::count(row, 5)?,
            evicted: rows::count(row, 6)?,
            expired: rows::count(row, 7)?,
            dropped: rows::count(row, 8)?,
        })
    })?
    .collect()
}

fn list(conn: &Connection, filter: &QuarantineFilter) -> rusqlite::Result<Vec<QuarantinedSummary>> {
    let mut which = Conditions::default();
    which.and("number > :after", ":after", filter.after.map(|after| after.0));
    which.and("number = :number", ":number", filter.number.map(|number| number.0));
    which.and("source = :source", ":source", filter.source.clone());
    which.and("received_at < :before", ":before", filter.before.map(to_sql));
    which.name(":limit", rows::limit(page_size(filter.limit, QuarantineFilter::MAX_LIMIT)));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT number, source, received_at, reason, peer, method, target, length(body) FROM quarantine
         WHERE {} ORDER BY number LIMIT :limit",
        which.sql()
    ))?;
    let rows = statement.query_map(which.values().as_slice(), summary)?;
    rows.collect()
}

fn show(conn: &Connection, number: QuarantineNo) -> rusqlite::Result<Option<Quarantined>> {
    conn.prepare_cached(
        "SELECT number, source, received_at, reason, peer, method, target, length(body), headers, body
         FROM quarantine WHERE number = ?1",
    )?
    .query_row([number.0], |row| {
        let summary = summary(row)?;
        let head = Head {
            method: summary.method.clone(),
            target: summary.target.clone(),
            headers: decode_headers(row.get_ref(8)?.as_blob()?),
        };
        Ok(Quarantined { summary, head, body: Bytes::from(row.get::<_, Vec<u8>>(9)?) })
    })
    .optional()
}

fn summary(row: &Row<'_>) -> rusqlite::Result<QuarantinedSummary> {
    Ok(QuarantinedSummary {
        number: QuarantineNo(row.get(0)?),
        source: row.get(1)?,
        received_at: from_sql(row.get(2)?),
        reason: row.get(3)?,
        peer: row.get(4)?,
        method: row.get(5)?,
        target: row.get(6)?,
        body_bytes: rows::count(row, 7)?,
    })
}

fn sql_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
