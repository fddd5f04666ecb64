//! What is to be done, and who is doing it: the tables `lanes` and `queue`.

use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, params};

use super::job::WorkError;
use super::rows::{from_sql, to_sql};
use crate::clock::later;
use crate::event::EventNo;
use crate::inbox::Lease;

/// Where an event stands in line.
pub(super) struct Place<'a> {
    pub(super) source: &'a str,
    pub(super) ordering_key: Option<&'a str>,
    /// When it occurred, else when it arrived.
    pub(super) at: UnixTime,
    pub(super) sequence: Option<i64>,
}

/// Puts an event in line, due at `due`.
pub(super) fn enqueue(
    conn: &Connection,
    event: EventNo,
    place: &Place<'_>,
    due: UnixTime,
) -> Result<(), WorkError> {
    let lane: i64 = conn
        .prepare_cached(
            "INSERT INTO lanes (source, ordering_key, due_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (source, ordering_key) WHERE ordering_key IS NOT NULL DO UPDATE SET due_at = due_at
             RETURNING id",
        )?
        .query_row(params![place.source, place.ordering_key, to_sql(due)], |row| row.get(0))?;
    conn.prepare_cached("INSERT INTO queue (lane, at, sequence, event, due_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![lane, to_sql(place.at), place.sequence.unwrap_or(0), event.0, to_sql(due)])?;
    set_due(conn, lane)
}

/// A lane is due when its first event is. The others wait for that one, also when it waits for a retry.
fn set_due(conn: &Connection, lane: i64) -> Result<(), WorkError> {
    conn.prepare_cached(
        "UPDATE lanes SET due_at =
             (SELECT due_at FROM queue WHERE lane = ?1 ORDER BY at, sequence, event LIMIT 1)
         WHERE id = ?1",
    )?
    .execute([lane])?;
    Ok(())
}

/// The first events of up to `max` lanes that are due and not leased, the longest due first.
pub(super) fn due(conn: &Connection, max: usize, now: UnixTime) -> Result<Vec<(i64, EventNo)>, WorkError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, (SELECT event FROM queue WHERE lane = lanes.id ORDER BY at, sequence, event LIMIT 1)
         FROM lanes WHERE running IS NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2",
    )?;
    let rows = statement.query_map(params![to_sql(now), i64::try_from(max).unwrap_or(i64::MAX)], |row| {
        Ok((row.get(0)?, EventNo(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
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
    let rows = statement.query_map(params![until, i64::try_from(max).unwrap_or(i64::MAX)], |row| {
        Ok(Lease { event: EventNo(row.get(0)?), token: row.get(1)?, until: from_sql(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends a lease whose event is to be tried again at `at`.
pub(super) fn give_back(conn: &Connection, lane: i64, event: EventNo, at: UnixTime) -> Result<(), WorkError> {
    conn.prepare_cached("UPDATE queue SET due_at = ?2 WHERE event = ?1")?
        .execute(params![event.0, to_sql(at)])?;
    unlease(conn, lane)?;
    set_due(conn, lane)
}

/// Ends a lease whose event is finished. The next one of the lane comes first now; a lane without events goes.
pub(super) fn take_out(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    conn.prepare_cached("DELETE FROM queue WHERE event = ?1")?.execute([event.0])?;
    let empty = conn
        .prepare_cached(
            "DELETE FROM lanes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM queue WHERE lane = ?1)",
        )?
        .execute([lane])?;
    if empty == 1 {
        return Ok(());
    }
    unlease(conn, lane)?;
    set_due(conn, lane)
}

fn unlease(conn: &Connection, lane: i64) -> Result<(), WorkError> {
    conn.prepare_cached("UPDATE lanes SET running = NULL, token = NULL, lease_until = NULL WHERE id = ?1")?
        .execute([lane])?;
    Ok(())
}

/// When the next lane is due or the next lease ends.
pub(super) fn next(conn: &Connection) -> Result<Option<UnixTime>, rusqlite::Error> {
    let next: Option<i64> = conn
        .prepare_cached(
            "SELECT MIN(at) FROM (
                 SELECT MIN(due_at) AS at FROM lanes WHERE running IS NULL
                 UNION ALL SELECT MIN(lease_until) FROM lanes WHERE running IS NOT NULL)",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(next.map(from_sql))
}
