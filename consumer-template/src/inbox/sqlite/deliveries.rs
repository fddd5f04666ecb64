//! The record of deliveries: written with each accept, read for people.

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::job::WorkError;
use super::rows::{self, from_sql, to_sql};
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

/// One page, the latest first. Those of one event are looked up; all others are a range of time.
pub(super) fn list(conn: &Connection, filter: &DeliveryFilter) -> rusqlite::Result<Vec<DeliveryRecord>> {
    let mut sql = match filter.event {
        Some(event) => of_event(conn, event)?,
        None => format!("SELECT {COLUMNS} FROM deliveries WHERE 1"),
    };
    let mut values: Vec<(&str, Box<dyn rusqlite::ToSql>)> = Vec::new();
    if let Some(source) = &filter.source {
        sql += " AND source = :source";
        values.push((":source", Box::new(source.clone())));
    }
    if let Some(since) = filter.since {
        sql += " AND received_at >= :since";
        values.push((":since", Box::new(to_sql(since))));
    }
    if let Some(before) = filter.before {
        sql += " AND (received_at, event, nth) < (:at, :event, :nth)";
        values.push((":at", Box::new(to_sql(before.received_at))));
        values.push((":event", Box::new(before.event.0)));
        values.push((":nth", Box::new(before.nth)));
    }
    sql += &format!(
        " ORDER BY received_at DESC, event DESC, nth DESC LIMIT {}",
        page_size(filter.limit, DeliveryFilter::MAX_LIMIT)
    );
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), read)?;
    rows.collect()
}

/// The first one is found by the time at which its event arrived, the others by an index that the first ones are not in.
fn of_event(conn: &Connection, event: EventNo) -> rusqlite::Result<String> {
    let arrived: Option<i64> = conn
        .prepare_cached("SELECT received_at FROM events WHERE number = ?1")?
        .query_row([event.0], |row| row.get(0))
        .optional()?;
    let (number, arrived) = (event.0, arrived.unwrap_or(-1));
    Ok(format!(
        "SELECT * FROM (
             SELECT {COLUMNS} FROM deliveries WHERE received_at = {arrived} AND event = {number} AND nth = 0
             UNION SELECT {COLUMNS} FROM deliveries WHERE event = {number} AND answer IN ('duplicate', 'revived'))
         WHERE 1"
    ))
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
