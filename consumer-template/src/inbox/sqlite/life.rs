//! Which sources there are, and which of them are paused: the table `pauses`.

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{self, About};
use super::breaker;
use super::job::WorkError;
use super::order;
use super::rows::{count, from_sql, to_sql};
use crate::inbox::{By, LifeError, Pause, SourceRules, SourceStatus};

/// Whether nothing of `source` may be claimed, for any cause.
pub(super) fn is_paused(conn: &Connection, source: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM pauses WHERE source = ?1)")?
        .query_row([source], |row| row.get(0))
}

pub(super) fn pause(
    conn: &Connection,
    source: &str,
    by: &By,
    now: UnixTime,
) -> Result<Result<(), LifeError>, WorkError> {
    if let Some(error) = unknown(conn, source)? {
        return Ok(Err(error));
    }
    if let Some(pause) = paused(conn, source)? {
        return Ok(Err(LifeError::Paused { name: source.to_owned(), pause }));
    }
    begin(conn, source, "person", by, now)?;
    audit::note(conn, About::Source(source), "pause", by, now)?;
    Ok(Ok(()))
}

/// Opens a pause, if `source` has none with that cause.
pub(super) fn begin(
    conn: &Connection,
    source: &str,
    cause: &str,
    by: &By,
    now: UnixTime,
) -> Result<(), WorkError> {
    conn.prepare_cached(
        "INSERT INTO pauses (source, cause, since, actor, why) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![source, cause, to_sql(now), by.actor, by.why])?;
    Ok(())
}

pub(super) fn resume(
    conn: &Connection,
    source: &str,
    by: &By,
    now: UnixTime,
) -> Result<Result<Pause, LifeError>, WorkError> {
    if let Some(error) = unknown(conn, source)? {
        return Ok(Err(error));
    }
    let Some(pause) = paused(conn, source)? else {
        return Ok(Err(LifeError::NotPaused(source.to_owned())));
    };
    conn.prepare_cached("DELETE FROM pauses WHERE source = ?1 AND cause <> 'removed'")?.execute([source])?;
    breaker::start_over(conn, source)?;
    audit::note(conn, About::Source(source), "resume", by, now)?;
    Ok(Ok(pause))
}

/// Who paused `source` and why, if somebody did.
fn paused(conn: &Connection, source: &str) -> rusqlite::Result<Option<Pause>> {
    conn.prepare_cached(
        "SELECT cause = 'breaker', since, actor, why FROM pauses WHERE source = ?1 AND cause <> 'removed'",
    )?
    .query_row([source], |row| {
        let since = from_sql(row.get(1)?);
        Ok(Pause { tripped: row.get(0)?, since, actor: row.get(2)?, why: row.get(3)? })
    })
    .optional()
}

fn unknown(conn: &Connection, source: &str) -> rusqlite::Result<Option<LifeError>> {
    let known = names(conn)?;
    let is_known = known.iter().any(|name| name == source);
    Ok((!is_known).then(|| LifeError::Unknown { name: source.to_owned(), known }))
}

/// Every source that was configured once or has had events, sorted.
fn names(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT source FROM policies UNION SELECT source FROM tallies ORDER BY source")?
        .query_map([], |row| row.get(0))?
        .collect()
}

pub(super) fn sources(conn: &Connection) -> rusqlite::Result<Vec<SourceStatus>> {
    names(conn)?.into_iter().map(|source| status(conn, source)).collect()
}

fn status(conn: &Connection, source: String) -> rusqlite::Result<SourceStatus> {
    let mut tally =
        conn.prepare_cached("SELECT COALESCE(SUM(events), 0) FROM tallies WHERE source = ?1 AND state = ?2")?;
    let mut events = |state: &str| tally.query_row([&source, state], |row| count(row, 0));
    let (pending, running, dead) = (events("pending")?, events("running")?, events("dead")?);
    // Numbers are given in the order of arrival, and the index is in theirs.
    let oldest_pending: Option<i64> = conn
        .prepare_cached(
            "SELECT received_at FROM events WHERE source = ?1 AND state = 'pending' ORDER BY number LIMIT 1",
        )?
        .query_row([&source], |row| row.get(0))
        .optional()?;
    let removed_since: Option<i64> = conn
        .prepare_cached("SELECT since FROM pauses WHERE source = ?1 AND cause = 'removed'")?
        .query_row([&source], |row| row.get(0))
        .optional()?;
    Ok(SourceStatus {
        pause: paused(conn, &source)?,
        removed_since: removed_since.map(from_sql),
        pending,
        running,
        dead,
        oldest_pending: oldest_pending.map(from_sql),
        source,
    })
}

/// Sets which sources there are and how their events are processed. Of the others, those with events that are not finished.
pub(super) fn configure(
    conn: &Connection,
    rules: &[SourceRules],
    now: UnixTime,
) -> Result<Vec<SourceStatus>, WorkError> {
    let policies: Vec<_> = rules.iter().map(|rules| (rules.source.clone(), rules.order)).collect();
    order::set(conn, &policies)?;
    breaker::set(conn, rules)?;
    let mut left = Vec::new();
    for source in names(conn)? {
        if rules.iter().any(|rules| *rules.source == *source) {
            conn.prepare_cached("DELETE FROM pauses WHERE source = ?1 AND cause = 'removed'")?
                .execute([&source])?;
        } else {
            begin(conn, &source, "removed", &By::new("configuration", "not configured any more"), now)?;
            left.push(status(conn, source)?);
        }
    }
    left.retain(|status| status.pending + status.running > 0);
    Ok(left)
}
