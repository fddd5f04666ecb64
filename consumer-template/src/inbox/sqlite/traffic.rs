//! What happened in a time: one pass over the records of its deliveries.

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::answers::MINUTE;
use super::rows::{count, from_sql, to_sql};
use crate::inbox::{KeyUse, Skews, Traffic, histogram};

pub(super) fn traffic(
    conn: &Connection,
    source: Option<&str>,
    from: UnixTime,
    until: UnixTime,
) -> rusqlite::Result<Traffic> {
    let wrong = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let (from, until) = (to_sql(from), to_sql(until));
    let mut traffic = Traffic {
        answered: 0,
        unanswered: 0,
        not_stored: not_stored(conn, source, from, until)?,
        duplicates: 0,
        new: 0,
        conflicts: 0,
        ack_us: histogram().map_err(wrong)?,
        skew: Skews::new().map_err(wrong)?,
        new_dead: dead(conn, source, from, until)?,
        dead: dead(conn, source, i64::MIN, i64::MAX)?,
        keys: keys(conn, source)?,
    };
    let mut statement = conn.prepare_cached(
        "SELECT answer, skew_ms, ack_us FROM deliveries
         WHERE received_at >= ?1 AND received_at < ?2 AND (?3 IS NULL OR source = ?3)",
    )?;
    let mut rows = statement.query(params![from, until, source])?;
    while let Some(row) = rows.next()? {
        match row.get_ref(0)?.as_str()? {
            "duplicate" | "revived" => traffic.duplicates += 1,
            "conflict" => {
                traffic.new += 1;
                traffic.conflicts += 1;
            }
            _ => traffic.new += 1,
        }
        if let Some(skew) = row.get::<_, Option<i64>>(1)? {
            traffic.skew.add(skew);
        }
        match row.get::<_, Option<i64>>(2)? {
            Some(micros) => {
                traffic.answered += 1;
                traffic.ack_us.saturating_record(u64::try_from(micros).unwrap_or(0));
            }
            None => traffic.unanswered += 1,
        }
    }
    Ok(traffic)
}

/// By whole minutes: the one in which the time begins counts, the one in which it ends counts, too.
fn not_stored(conn: &Connection, source: Option<&str>, from: i64, until: i64) -> rusqlite::Result<u64> {
    conn.prepare_cached(
        "SELECT COALESCE(SUM(deliveries), 0) FROM not_stored
         WHERE minute BETWEEN ?1 AND ?2 AND (?3 IS NULL OR source = ?3)",
    )?
    .query_row(params![from / MINUTE, until / MINUTE, source], |row| count(row, 0))
}

pub(super) fn unstored_sources(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare_cached("SELECT DISTINCT source FROM not_stored ORDER BY source")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Dead letters that died in a time.
fn dead(conn: &Connection, source: Option<&str>, from: i64, until: i64) -> rusqlite::Result<u64> {
    conn.prepare_cached(
        "SELECT COUNT(*) FROM events WHERE state = 'dead' AND settled_at >= ?1 AND settled_at < ?2
             AND (?3 IS NULL OR source = ?3)",
    )?
    .query_row(params![from, until, source], |row| count(row, 0))
}

fn keys(conn: &Connection, source: Option<&str>) -> rusqlite::Result<Vec<KeyUse>> {
    let mut statement = conn.prepare_cached(
        "SELECT source, key_id, MIN(first_at), MAX(last_at), SUM(deliveries) FROM (
             SELECT source, key_id, first_at, last_at, deliveries FROM key_uses
             UNION ALL SELECT source, key_id, MIN(received_at), MAX(received_at), COUNT(*) FROM deliveries
                 GROUP BY source, key_id)
         WHERE ?1 IS NULL OR source = ?1 GROUP BY source, key_id ORDER BY source, MAX(last_at) DESC, key_id",
    )?;
    let rows = statement.query_map([source], |row| {
        Ok(KeyUse {
            source: row.get(0)?,
            key_id: row.get(1)?,
            first: from_sql(row.get(2)?),
            last: from_sql(row.get(3)?),
            deliveries: count(row, 4)?,
        })
    })?;
    rows.collect()
}
