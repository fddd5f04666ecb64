//! Breakers: the tables `breakers` and `outcomes`. What is decided is in [`crate::breaker`].

use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{self, About};
use super::job::WorkError;
use super::life;
use super::rows::{count, from_sql, to_sql};
use crate::breaker::{BreakerPolicy, Ended};
use crate::clock::millis;
use crate::inbox::{By, SourceRules};

/// The actor of a breaker's pauses.
const ACTOR: &str = "breaker";

/// Sets the breakers of these sources, and no others.
pub(super) fn set(conn: &Connection, rules: &[SourceRules]) -> Result<(), WorkError> {
    conn.prepare_cached("DELETE FROM breakers")?.execute([])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO breakers (source, last, window_ms, min_dead, dead_percent) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for SourceRules { source, breaker, .. } in rules {
        let Some(BreakerPolicy { last, window, min_dead, dead_percent }) = breaker else { continue };
        let window = i64::try_from(millis(*window)).unwrap_or(i64::MAX);
        insert.execute(params![source, last, window, min_dead, dead_percent])?;
    }
    Ok(())
}

/// Notes that an event of `source` is done, or died of its handler, and pauses the source if that was one death too many.
///
/// While it is paused nothing is noted: what still ran then is no news, and a resume starts over.
pub(super) fn note(conn: &Connection, source: &str, died: bool, now: UnixTime) -> Result<(), WorkError> {
    let Some(policy) = armed(conn, source)? else {
        return Ok(());
    };
    let id: i64 = conn
        .prepare_cached(
            "INSERT INTO outcomes (source, id, at, died)
                 SELECT ?1, COALESCE(MAX(id), 0) + 1, ?2, ?3 FROM outcomes WHERE source = ?1 RETURNING id",
        )?
        .query_row(params![source, to_sql(now), died], |row| row.get(0))?;
    conn.prepare_cached("DELETE FROM outcomes WHERE source = ?1 AND id <= ?2")?
        .execute(params![source, id - i64::from(policy.last)])?;
    // Only a death trips: what is done never makes things worse.
    if died && let Some(tripped) = policy.verdict(last(conn, source)?, now) {
        let by = By::new(ACTOR, tripped.to_string());
        life::begin(conn, source, "breaker", &by, now)?;
        start_over(conn, source)?;
        audit::note(conn, About::Source(source), "trip", &by, now)?;
        tracing::error!(
            source,
            dead = tripped.dead,
            of = tripped.of,
            "the breaker tripped: nothing of this source is processed until `hookproof source resume {source} --why ..`; \
             what died is in `hookproof dlq list --source {source}`"
        );
    }
    Ok(())
}

/// Forgets what became of the last events.
pub(super) fn start_over(conn: &Connection, source: &str) -> Result<(), WorkError> {
    conn.prepare_cached("DELETE FROM outcomes WHERE source = ?1")?.execute([source])?;
    Ok(())
}

/// The breaker of a source that has one and is not paused.
fn armed(conn: &Connection, source: &str) -> rusqlite::Result<Option<BreakerPolicy>> {
    conn.prepare_cached(
        "SELECT last, window_ms, min_dead, dead_percent FROM breakers
         WHERE source = ?1 AND NOT EXISTS (SELECT 1 FROM pauses WHERE pauses.source = ?1)",
    )?
    .query_row([source], |row| {
        Ok(BreakerPolicy {
            last: row.get(0)?,
            window: Duration::from_millis(count(row, 1)?),
            min_dead: row.get(2)?,
            dead_percent: row.get(3)?,
        })
    })
    .optional()
}

/// What became of the last events, the newest first.
fn last(conn: &Connection, source: &str) -> rusqlite::Result<Vec<Ended>> {
    conn.prepare_cached("SELECT at, died FROM outcomes WHERE source = ?1 ORDER BY id DESC")?
        .query_map([source], |row| Ok(Ended { at: from_sql(row.get(0)?), died: row.get(1)? }))?
        .collect()
}
