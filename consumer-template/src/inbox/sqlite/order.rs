//! The rules of each source, and how far each key has come: the tables `policies` and `applied`.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};

use super::job::WorkError;
use super::lanes;
use super::rows;
use crate::clock::millis;
use crate::event::EventNo;
use crate::ordering::{AtDeadline, OnFailure, OrderPolicy, StaleRule};

/// Whether a later one than this row of `events` was applied, as a condition: what [`Position::is_stale`] says of an event in line.
///
/// [`Position::is_stale`]: crate::ordering::Position::is_stale
pub(super) const OVERTAKEN: &str = "EXISTS (SELECT 1 FROM applied
    WHERE applied.source = events.source AND applied.ordering_key = events.ordering_key
        AND (applied.at, applied.sequence) >
            (COALESCE(events.occurred_at, events.received_at), COALESCE(events.sequence, 0)))";

/// The rules of `source`; the default ones if none were set.
pub(super) fn policy(conn: &Connection, source: &str) -> rusqlite::Result<OrderPolicy> {
    let found = conn
        .prepare_cached(
            "SELECT settle_ms, stale, on_failure, not_ready_ms, at_deadline FROM policies WHERE source = ?1",
        )?
        .query_row([source], |row| {
            let unknown = |column, what: &str| {
                let text = format!("an unknown {what} in policies");
                rusqlite::Error::FromSqlConversionFailure(column, Type::Text, text.into())
            };
            let name = |column| row.get::<_, String>(column);
            Ok(OrderPolicy {
                settle: Duration::from_millis(rows::count(row, 0)?),
                stale: StaleRule::parse(&name(1)?).ok_or_else(|| unknown(1, "stale rule"))?,
                on_failure: OnFailure::parse(&name(2)?).ok_or_else(|| unknown(2, "failure rule"))?,
                not_ready_deadline: Duration::from_millis(rows::count(row, 3)?),
                at_deadline: AtDeadline::parse(&name(4)?).ok_or_else(|| unknown(4, "deadline rule"))?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Sets rules, and lets go whom the new ones do not hold.
pub(super) fn set(conn: &Connection, policies: &[(Arc<str>, OrderPolicy)]) -> Result<(), WorkError> {
    let number = |time| i64::try_from(millis(time)).unwrap_or(i64::MAX);
    for (source, policy) in policies {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO policies (source, settle_ms, stale, on_failure, not_ready_ms, at_deadline)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            source,
            number(policy.settle),
            policy.stale.as_str(),
            policy.on_failure.as_str(),
            number(policy.not_ready_deadline),
            policy.at_deadline.as_str(),
        ])?;
        if policy.on_failure != OnFailure::Park {
            lanes::unblock_all(conn, source)?;
        }
    }
    Ok(())
}

/// Notes that `event`, which is still in line, was applied. The latest position of its key stays; an older one changes nothing.
pub(super) fn note_applied(conn: &Connection, event: EventNo) -> Result<(), WorkError> {
    conn.prepare_cached(
        "INSERT INTO applied (source, ordering_key, at, sequence)
             SELECT lanes.source, lanes.ordering_key, queue.at, queue.sequence
             FROM queue JOIN lanes ON lanes.id = queue.lane
             WHERE queue.event = ?1 AND lanes.ordering_key IS NOT NULL
         ON CONFLICT (source, ordering_key) DO UPDATE SET at = excluded.at, sequence = excluded.sequence
             WHERE (excluded.at, excluded.sequence) > (applied.at, applied.sequence)",
    )?
    .execute([event.0])?;
    Ok(())
}

/// The source of `event`, if a later one of its key was applied.
pub(super) fn overtaken(conn: &Connection, event: EventNo) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached(&format!("SELECT source FROM events WHERE number = ?1 AND {OVERTAKEN}"))?
        .query_row([event.0], |row| row.get(0))
        .optional()
}
