//! The log of refusals. A flood costs what its samples cost: a few rows per second and reason, and one counter.

use std::sync::Arc;

use async_trait::async_trait;
use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::access::Access;
use super::answers::MINUTE;
use super::backend::SqliteInbox;
use super::job::WorkError;
use super::mailbox::Slot;
use super::quarantine;
use super::rows::{self, from_sql, to_sql};
use super::select::Conditions;
use crate::inbox::{
    InboxError, KeepRefused, QuarantineLimits, RefusalBatch, RefusalFilter, RefusalLog, RefusalRecord,
    RefusalTotal, RefusalsOfSource, RefusedDelivery, page_size,
};

#[async_trait]
impl KeepRefused for SqliteInbox {
    async fn note_refusals(&self, batch: RefusalBatch, max_rows: u32) -> Result<(), InboxError> {
        let work = move |conn: &Connection, _: Option<&str>| {
            batch.iter().try_for_each(|source| note(conn, source, max_rows))
        };
        self.write(Slot::Control, "note refusals", work).await
    }

    async fn quarantine(
        &self,
        source: Arc<str>,
        limits: QuarantineLimits,
        deliveries: Vec<RefusedDelivery>,
        dropped: u64,
    ) -> Result<(), InboxError> {
        let work = move |conn: &Connection, _: Option<&str>| {
            quarantine::take_in(conn, &source, limits, &deliveries, dropped)
        };
        self.write(Slot::Control, "quarantine requests", work).await
    }

    async fn expire_quarantine(
        &self,
        limits: Vec<(Arc<str>, QuarantineLimits)>,
        now: UnixTime,
    ) -> Result<(), InboxError> {
        for (source, limits) in limits {
            let expire = move |conn: &Connection, _: Option<&str>| {
                quarantine::expire(conn, &source, limits.max_age, now)
            };
            while self.write(Slot::Control, "empty the quarantine of what is too old", expire.clone()).await?
                == quarantine::EXPIRED_AT_ONCE
            {}
        }
        Ok(())
    }
}

#[async_trait]
impl<A: Access> RefusalLog for A {
    async fn refusal_totals(&self) -> Result<Vec<RefusalTotal>, InboxError> {
        self.readers().read("count refusals", totals).await
    }

    async fn refusals(&self, filter: RefusalFilter) -> Result<Vec<RefusalRecord>, InboxError> {
        self.readers().read("list refusals", move |conn| list(conn, &filter)).await
    }
}

fn note(conn: &Connection, batch: &RefusalsOfSource, max_rows: u32) -> Result<(), WorkError> {
    let RefusalsOfSource { source, until, counts, samples } = batch;
    for (refusal, count) in counts {
        let times =
            || samples.iter().filter(|sample| sample.refusal == *refusal).map(|sample| to_sql(sample.at));
        let (first, last) =
            (times().min().unwrap_or(to_sql(*until)), times().max().unwrap_or(to_sql(*until)));
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        conn.prepare_cached(
            "INSERT INTO refusal_totals (source, reason, total, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (source, reason) DO UPDATE SET total = total + excluded.total,
                 last_at = MAX(last_at, excluded.last_at)",
        )?
        .execute(params![source, refusal.code(), count, first, last])?;
        conn.prepare_cached(
            "INSERT INTO refused_by_minute (minute, source, reason, requests, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (minute, source, reason) DO UPDATE SET requests = requests + excluded.requests,
                 last_at = MAX(last_at, excluded.last_at)",
        )?
        .execute(params![to_sql(*until) / MINUTE, source, refusal.code(), count, last])?;
    }
    for sample in samples {
        conn.prepare_cached(
            "INSERT INTO refusals (source, reason, at, skew_seconds, peer, method) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            source,
            sample.refusal.code(),
            to_sql(sample.at),
            sample.skew_seconds,
            sample.peer.map(|peer| peer.to_string()),
            sample.method.as_str(),
        ])?;
    }
    make_room(conn, source, max_rows)
}

/// What there is most of goes first, the oldest of it: a flood of one reason does not drive out what is rare.
fn make_room(conn: &Connection, source: &str, max_rows: u32) -> Result<(), WorkError> {
    loop {
        let mut kept: Vec<(i64, String)> = conn
            .prepare_cached("SELECT kept, reason FROM refusal_totals WHERE source = ?1 AND kept > 0 ORDER BY kept, reason")?
            .query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let excess = kept.iter().map(|(kept, _)| kept).sum::<i64>() - i64::from(max_rows);
        let Some((most, reason)) = kept.pop().filter(|_| excess > 0) else { return Ok(()) };
        let next = kept.last().map_or(0, |(next, _)| *next);
        conn.prepare_cached(
            "DELETE FROM refusals WHERE id IN (
                 SELECT id FROM refusals WHERE source = ?1 AND reason = ?2 ORDER BY id LIMIT ?3)",
        )?
        .execute(params![source, reason, excess.min((most - next).max(1))])?;
    }
}

/// Takes away the counts of the oldest minutes that had ended before `until`, at most `rows` of them. Whether there are more.
pub(super) fn purge(conn: &Connection, until: UnixTime, rows: usize) -> Result<bool, WorkError> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM refused_by_minute WHERE (minute, source, reason) IN (
                 SELECT minute, source, reason FROM refused_by_minute WHERE minute < ?1
                 ORDER BY minute, source, reason LIMIT ?2)",
        )?
        .execute(params![to_sql(until) / MINUTE, rows::limit(rows)])?;
    Ok(gone >= rows)
}

fn totals(conn: &Connection) -> rusqlite::Result<Vec<RefusalTotal>> {
    conn.prepare_cached(
        "SELECT source, reason, total, kept, first_at, last_at FROM refusal_totals ORDER BY source, reason",
    )?
    .query_map([], |row| {
        Ok(RefusalTotal {
            source: row.get(0)?,
            reason: row.get(1)?,
            total: rows::count(row, 2)?,
            kept: rows::count(row, 3)?,
            first_at: from_sql(row.get(4)?),
            last_at: from_sql(row.get(5)?),
        })
    })?
    .collect()
}

fn list(conn: &Connection, filter: &RefusalFilter) -> rusqlite::Result<Vec<RefusalRecord>> {
    let mut which = Conditions::default();
    which.and("id < :before", ":before", filter.before);
    which.and("source = :source", ":source", filter.source.clone());
    which.and("reason = :reason", ":reason", filter.reason.map(hookproof::Refusal::code));
    which.and("at >= :since", ":since", filter.since.map(to_sql));
    which.name(":limit", rows::limit(page_size(filter.limit, RefusalFilter::MAX_LIMIT)));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT id, source, reason, at, skew_seconds, peer, method FROM refusals
         WHERE {} ORDER BY id DESC LIMIT :limit",
        which.sql()
    ))?;
    let rows = statement.query_map(which.values().as_slice(), |row| {
        Ok(RefusalRecord {
            id: row.get(0)?,
            source: row.get(1)?,
            reason: row.get(2)?,
            at: from_sql(row.get(3)?),
            skew_seconds: row.get(4)?,
            peer: row.get(5)?,
            method: row.get(6)?,
        })
    })?;
    rows.collect()
}
