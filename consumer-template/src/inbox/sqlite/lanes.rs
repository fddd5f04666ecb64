//! What is to be done, and who is doing it: the tables `lanes`, `queue` and `blockers`.

use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::job::WorkError;
use super::life;
use super::rows::{self, from_sql, to_sql};
use crate::clock::{later, millis};
use crate::event::EventNo;
use crate::inbox::Lease;
use crate::ordering::{Position, settled_at};

/// Where an event stands in line.
pub(super) struct Place<'a> {
    pub(super) source: &'a str,
    pub(super) ordering_key: Option<&'a str>,
    /// When it occurred, else when it arrived.
    pub(super) at: UnixTime,
    pub(super) sequence: Option<i64>,
    /// How long it waits for earlier ones at most.
    pub(super) window: Duration,
    /// Whether a person wants it applied whatever was applied before.
    pub(super) even_if_stale: bool,
}

/// Puts an event in line, due when its window has passed after `arrived`.
pub(super) fn enqueue(
    conn: &Connection,
    event: EventNo,
    place: &Place<'_>,
    arrived: UnixTime,
) -> Result<(), WorkError> {
    let arrived = to_sql(arrived);
    let lane: i64 = conn
        .prepare_cached(
            "INSERT INTO lanes (source, ordering_key, due_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (source, ordering_key) WHERE ordering_key IS NOT NULL DO UPDATE SET due_at = due_at
             RETURNING id",
        )?
        .query_row(params![place.source, place.ordering_key, arrived], |row| row.get(0))?;
    let (at, sequence) = (to_sql(place.at), place.sequence.unwrap_or(0));
    let due = if place.window.is_zero() {
        arrived
    } else {
        let window = i64::try_from(millis(place.window)).unwrap_or(i64::MAX);
        settled_at(arrived, window, due_behind(conn, lane, at, sequence, event)?)
    };
    conn.prepare_cached(
        "INSERT INTO queue (lane, at, sequence, event, due_at, even_if_stale) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![lane, at, sequence, event.0, due, place.even_if_stale])?;
    set_due(conn, lane)
}

/// When the event that will be next behind this one in line is due.
fn due_behind(
    conn: &Connection,
    lane: i64,
    at: i64,
    sequence: i64,
    event: EventNo,
) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT due_at FROM queue WHERE lane = ?1 AND standing = 0 AND (at, sequence, event) > (?2, ?3, ?4)
         ORDER BY at, sequence, event LIMIT 1",
    )?
    .query_row(params![lane, at, sequence, event.0], |row| row.get(0))
    .optional()
}

/// A lane is due when its first event in line is. The others wait for that one, also when it waits for a retry.
fn set_due(conn: &Connection, lane: i64) -> Result<(), WorkError> {
    conn.prepare_cached(
        "UPDATE lanes SET due_at =
             (SELECT due_at FROM queue WHERE lane = ?1 AND standing = 0 ORDER BY at, sequence, event LIMIT 1)
         WHERE id = ?1",
    )?
    .execute([lane])?;
    Ok(())
}

/// The sources that are not paused and have lanes which are neither leased nor blocked, sorted. As many look-ups as there are.
pub(super) fn sources(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut sources: Vec<String> = Vec::new();
    let mut next = conn.prepare_cached(
        "SELECT MIN(source) FROM lanes
         WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL AND source > ?1",
    )?;
    let mut source: Option<String> = conn
        .prepare_cached(
            "SELECT MIN(source) FROM lanes WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL",
        )?
        .query_row([], |row| row.get(0))?;
    while let Some(found) = source {
        source = next.query_row([&found], |row| row.get(0))?;
        // Asked for each source, and not in the statement above: that would read all that a paused one has.
        if !life::is_paused(conn, &found)? {
            sources.push(found);
        }
    }
    Ok(sources)
}

/// The lane of `source` that has been due for longest.
pub(super) fn due(conn: &Connection, source: &str, now: UnixTime) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT id FROM lanes WHERE running IS NULL AND blocked = 0 AND source = ?1 AND due_at <= ?2
         ORDER BY due_at LIMIT 1",
    )?
    .query_row(params![source, to_sql(now)], |row| row.get(0))
    .optional()
}

/// The first event of a lane.
pub(super) struct First {
    pub(super) event: EventNo,
    /// Whether a later one of its key was applied.
    pub(super) stale: bool,
    pub(super) even_if_stale: bool,
    /// Its deadline, if it was not ready once.
    pub(super) ready_by: Option<UnixTime>,
}

pub(super) fn first(conn: &Connection, lane: i64) -> Result<First, WorkError> {
    let first = conn
        .prepare_cached(
            "SELECT queue.event, queue.at, queue.sequence, queue.even_if_stale, queue.ready_by, applied.at, applied.sequence
             FROM lanes JOIN queue ON queue.lane = lanes.id AND queue.standing = 0
             LEFT JOIN applied ON applied.source = lanes.source AND applied.ordering_key = lanes.ordering_key
             WHERE lanes.id = ?1 ORDER BY queue.at, queue.sequence, queue.event LIMIT 1",
        )?
        .query_row([lane], |row| {
            let position = Position { at: row.get(1)?, sequence: row.get(2)? };
            let applied = match row.get::<_, Option<i64>>(5)? {
                Some(at) => Some(Position { at, sequence: row.get(6)? }),
                None => None,
            };
            Ok(First {
                event: EventNo(row.get(0)?),
                stale: position.is_stale(applied),
                even_if_stale: row.get(3)?,
                ready_by: row.get::<_, Option<i64>>(4)?.map(from_sql),
            })
        })?;
    Ok(first)
}

/// Leases a lane for one of its events.
pub(super) fn lease(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    token: i64,
    lease: Duration,
    now: UnixTime,
) -> Result<Lease, WorkError> {
    let until = later(now, lease);
    let leased = conn
        .prepare_cached(
            "UPDATE lanes SET running = ?2, token = ?3, lease_until = ?4 WHERE id = ?1 AND running IS NULL",
        )?
        .execute(params![lane, event.0, token, to_sql(until)])?;
    if leased == 1 {
        Ok(Lease { event, token, until })
    } else {
        Err(WorkError::Broken("a lane was leased twice"))
    }
}

/// The lane that `lease` holds, if it still does.
pub(super) fn held(conn: &Connection, lease: &Lease) -> Result<Option<i64>, WorkError> {
    let lane = conn
        .prepare_cached("SELECT id FROM lanes WHERE running = ?1 AND token = ?2")?
        .query_row(params![lease.event.0, lease.token], |row| row.get(0))
        .optional()?;
    Ok(lane)
}

/// Moves the end of a lease. `false` if it is not held any more.
pub(super) fn extend(conn: &Connection, lease: &Lease, until: UnixTime) -> Result<bool, WorkError> {
    let extended = conn
        .prepare_cached("UPDATE lanes SET lease_until = ?3 WHERE running = ?1 AND token = ?2")?
        .execute(params![lease.event.0, lease.token, to_sql(until)])?;
    Ok(extended == 1)
}

/// Leases that ended at or before `now`, or all of them, the oldest first, up to `max`.
pub(super) fn expired(conn: &Connection, now: Option<UnixTime>, max: usize) -> Result<Vec<Lease>, WorkError> {
    let mut statement = conn.prepare_cached(
        "SELECT running, token, lease_until FROM lanes WHERE running IS NOT NULL AND lease_until <= ?1
         ORDER BY lease_until LIMIT ?2",
    )?;
    let until = now.map_or(i64::MAX, to_sql);
    let rows = statement.query_map(params![until, rows::limit(max)], |row| {
        Ok(Lease { event: EventNo(row.get(0)?), token: row.get(1)?, until: from_sql(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The source of a lane, and whether it is the lane of an ordering key.
pub(super) fn source(conn: &Connection, lane: i64) -> rusqlite::Result<(String, bool)> {
    conn.prepare_cached("SELECT source, ordering_key IS NOT NULL FROM lanes WHERE id = ?1")?
        .query_row([lane], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Where an event waits for its next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In line: the others of its key wait behind it.
    InLine = 0,
    /// Beside the line: the others pass.
    Beside = 1,
}

/// Ends a lease whose event is to be tried again at `at`.
pub(super) fn give_back(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    standing: Standing,
    at: UnixTime,
) -> Result<(), WorkError> {
    conn.prepare_cached("UPDATE queue SET standing = ?2, due_at = ?3 WHERE event = ?1")?.execute(params![
        event.0,
        standing as i64,
        to_sql(at)
    ])?;
    unlease(conn, lane)?;
    set_due(conn, lane)
}

/// Ends a lease whose event is due again at once. It keeps the time at which it was due: it is none the less the one that has waited
/// for longest.
pub(super) fn take_back(conn: &Connection, lane: i64) -> Result<(), WorkError> {
    unlease(conn, lane)?;
    set_due(conn, lane)
}

/// Ends a lease whose event has to wait for another one of its key. Its deadline is the one that it has, else `deadline`.
pub(super) fn park(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    deadline: UnixTime,
) -> Result<(), WorkError> {
    conn.prepare_cached(
        "UPDATE queue SET standing = 2, ready_by = COALESCE(ready_by, ?2), due_at = COALESCE(ready_by, ?2) WHERE event = ?1",
    )?
    .execute(params![event.0, to_sql(deadline)])?;
    unlease(conn, lane)?;
    set_due(conn, lane)
}

/// An event that has stood beside its line for long enough.
pub(super) struct Beside {
    pub(super) lane: i64,
    pub(super) event: EventNo,
    pub(super) source: String,
    /// It was not ready; otherwise it let others pass until its retry.
    pub(super) parked: bool,
}

/// What stands beside its line until `now` at most, the longest due first, up to `max`.
pub(super) fn beside(conn: &Connection, max: usize, now: UnixTime) -> rusqlite::Result<Vec<Beside>> {
    let mut statement = conn.prepare_cached(
        "SELECT queue.lane, queue.event, lanes.source, queue.standing = 2 FROM queue JOIN lanes ON lanes.id = queue.lane
         WHERE queue.standing > 0 AND queue.due_at <= ?1 ORDER BY queue.due_at LIMIT ?2",
    )?;
    let rows = statement.query_map(params![to_sql(now), rows::limit(max)], |row| {
        let event = EventNo(row.get(1)?);
        Ok(Beside { lane: row.get(0)?, event, source: row.get(2)?, parked: row.get(3)? })
    })?;
    rows.collect()
}

/// Puts an event in line again, in its place.
pub(super) fn back_in_line(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    conn.prepare_cached("UPDATE queue SET standing = 0 WHERE event = ?1")?.execute([event.0])?;
    set_due(conn, lane)
}

/// Ends a lease whose event is finished. The next one of the lane comes first now; a lane that is not needed goes.
pub(super) fn take_out(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    remove(conn, lane, event, unlease)
}

/// As [`take_out`], for an event that is done. What waited for that is in line again.
pub(super) fn take_out_done(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    now: UnixTime,
) -> Result<(), WorkError> {
    remove(conn, lane, event, |conn, lane| {
        conn.prepare_cached("UPDATE queue SET standing = 0, due_at = ?2 WHERE lane = ?1 AND standing = 2")?
            .execute(params![lane, to_sql(now)])?;
        unlease(conn, lane)
    })
}

/// As [`take_out`], for an event that is not leased. Another one of its lane may be.
pub(super) fn take_away(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    remove(conn, lane, event, |_, _| Ok(()))
}

fn remove(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    if_it_stays: impl FnOnce(&Connection, i64) -> Result<(), WorkError>,
) -> Result<(), WorkError> {
    conn.prepare_cached("DELETE FROM queue WHERE event = ?1")?.execute([event.0])?;
    if delete_if_empty(conn, lane)? {
        return Ok(());
    }
    if_it_stays(conn, lane)?;
    set_due(conn, lane)
}

fn delete_if_empty(conn: &Connection, lane: i64) -> Result<bool, WorkError> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM lanes WHERE id = ?1 AND blocked = 0 AND NOT EXISTS (SELECT 1 FROM queue WHERE lane = ?1)",
        )?
        .execute([lane])?;
    Ok(deleted == 1)
}

fn unlease(conn: &Connection, lane: i64) -> Result<(), WorkError> {
    conn.prepare_cached("UPDATE lanes SET running = NULL, token = NULL, lease_until = NULL WHERE id = ?1")?
        .execute([lane])?;
    Ok(())
}

/// Makes a lane wait for a person to do something about `event`, which is in it and is dead.
pub(super) fn block(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    conn.prepare_cached("INSERT INTO blockers (lane, event) VALUES (?1, ?2)")?
        .execute(params![lane, event.0])?;
    conn.prepare_cached("UPDATE lanes SET blocked = 1 WHERE id = ?1")?.execute([lane])?;
    Ok(())
}

/// Somebody did something about `event`: if nothing else blocks its lane, it goes on.
pub(super) fn unblock(conn: &Connection, event: EventNo) -> Result<(), WorkError> {
    let lane: Option<i64> = conn
        .prepare_cached("DELETE FROM blockers WHERE event = ?1 RETURNING lane")?
        .query_row([event.0], |row| row.get(0))
        .optional()?;
    let Some(lane) = lane else {
        return Ok(());
    };
    conn.prepare_cached(
        "UPDATE lanes SET blocked = EXISTS (SELECT 1 FROM blockers WHERE lane = ?1) WHERE id = ?1",
    )?
    .execute([lane])?;
    delete_if_empty(conn, lane).map(|_| ())
}

/// Nothing blocks the lanes of `source` any more.
pub(super) fn unblock_all(conn: &Connection, source: &str) -> Result<(), WorkError> {
    let mut blocked = conn.prepare_cached(
        "SELECT event FROM blockers JOIN lanes ON lanes.id = lane WHERE lanes.blocked = 1 AND lanes.source = ?1",
    )?;
    let events = blocked.query_map([source], |row| row.get(0).map(EventNo))?;
    for event in events.collect::<Result<Vec<_>, _>>()? {
        unblock(conn, event)?;
    }
    Ok(())
}

/// When there is next something to claim, to take back into line or to rescue.
pub(super) fn next(conn: &Connection) -> Result<Option<UnixTime>, rusqlite::Error> {
    let mut next: Option<i64> = conn
        .prepare_cached(
            "SELECT MIN(at) FROM (
                 SELECT MIN(due_at) AS at FROM queue WHERE standing > 0
                 UNION ALL SELECT MIN(lease_until) FROM lanes WHERE running IS NOT NULL)",
        )?
        .query_row([], |row| row.get(0))?;
    let mut due = conn.prepare_cached(
        "SELECT MIN(due_at) FROM lanes WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL AND source = ?1",
    )?;
    for source in sources(conn)? {
        let due: Option<i64> = due.query_row([source], |row| row.get(0))?;
        next = next.into_iter().chain(due).min();
    }
    Ok(next.map(from_sql))
}
