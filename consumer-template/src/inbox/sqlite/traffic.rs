//! What happened in a time: one pass over the records of its deliveries, however many sources there are.

use std::collections::BTreeMap;

use hookproof::UnixTime;
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use super::rows::{count, from_sql, to_sql};
use crate::inbox::{KeyUse, RefusedInTime, Traffic};

type Add = fn(&mut Traffic, &Row<'_>) -> rusqlite::Result<()>;

/// Each looks for a part of what is told, and names the source first. `?1` is the only source that is wanted, if not NULL; `?2` and
/// `?3` are the beginning and the end.
const PARTS: [(&str, Add); 6] = [
    (
        "SELECT source, SUM(iif(state = 'dead', events, 0)) FROM tallies
         WHERE ?1 IS NULL OR source = ?1 GROUP BY source",
        |traffic, row| count(row, 1).map(|events| traffic.dead = events),
    ),
    (
        "SELECT source, COUNT(*) FROM events WHERE state = 'dead' AND (?1 IS NULL OR source = ?1)
             AND settled_at >= ?2 AND settled_at < ?3 GROUP BY source",
        |traffic, row| count(row, 1).map(|events| traffic.new_dead = events),
    ),
    (
        "SELECT source, answer, skew_ms, ack_us FROM deliveries
         WHERE (?1 IS NULL OR source = ?1) AND received_at >= ?2 AND received_at < ?3",
        delivery,
    ),
    // By whole minutes: the one in which the time begins counts, the one in which it ends counts, too. What is outside of it still
    // makes its source known.
    (
        "SELECT source, SUM(iif(minute BETWEEN ?2 / 60000 AND ?3 / 60000, deliveries, 0)) FROM not_stored
         WHERE ?1 IS NULL OR source = ?1 GROUP BY source",
        |traffic, row| count(row, 1).map(|deliveries| traffic.not_stored = deliveries),
    ),
    (
        "SELECT source, reason, SUM(requests) AS requests, MAX(last_at) FROM refused_by_minute
         WHERE (?1 IS NULL OR source = ?1) AND minute BETWEEN ?2 / 60000 AND ?3 / 60000
         GROUP BY source, reason ORDER BY source, requests DESC, reason",
        |traffic, row| {
            let (reason, requests, last) = (row.get(1)?, count(row, 2)?, from_sql(row.get(3)?));
            traffic.refused.push(RefusedInTime { reason, requests, last });
            Ok(())
        },
    ),
    (
        "SELECT source, key_id, MIN(first_at), MAX(last_at), SUM(deliveries) FROM (
             SELECT source, key_id, first_at, last_at, deliveries FROM key_uses
             UNION ALL SELECT source, key_id, MIN(received_at), MAX(received_at), COUNT(*) FROM deliveries
                 GROUP BY source, key_id)
         WHERE ?1 IS NULL OR source = ?1 GROUP BY source, key_id ORDER BY source, MAX(last_at) DESC, key_id",
        |traffic, row| {
            traffic.keys.push(KeyUse {
                source: row.get(0)?,
                key_id: row.get(1)?,
                first: from_sql(row.get(2)?),
                last: from_sql(row.get(3)?),
                deliveries: count(row, 4)?,
            });
            Ok(())
        },
    ),
];

/// By source: of the one that is wanted, or of all that anything is known of.
pub(super) fn traffic(
    conn: &Connection,
    wanted: Option<&str>,
    from: UnixTime,
    until: UnixTime,
) -> rusqlite::Result<BTreeMap<String, Traffic>> {
    let (from, until) = (to_sql(from), to_sql(until));
    let mut sources = BTreeMap::new();
    if let Some(source) = wanted {
        sources.insert(source.to_owned(), none()?);
    }
    for (sql, add) in PARTS {
        let mut statement = conn.prepare_cached(sql)?;
        let values: [&dyn ToSql; 3] = [&wanted, &from, &until];
        let used = statement.parameter_count();
        let mut rows = statement.query(params_from_iter(values.into_iter().take(used)))?;
        while let Some(row) = rows.next()? {
            let source = row.get_ref(0)?.as_str()?;
            if let Some(traffic) = sources.get_mut(source) {
                add(traffic, row)?;
            } else {
                let mut traffic = none()?;
                add(&mut traffic, row)?;
                sources.insert(source.to_owned(), traffic);
            }
        }
    }
    Ok(sources)
}

fn none() -> rusqlite::Result<Traffic> {
    Traffic::none().map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn delivery(traffic: &mut Traffic, row: &Row<'_>) -> rusqlite::Result<()> {
    match row.get_ref(1)?.as_str()? {
        "duplicate" | "revived" => traffic.duplicates += 1,
        "conflict" => {
            traffic.new += 1;
            traffic.conflicts += 1;
        }
        _ => traffic.new += 1,
    }
    if let Some(skew) = row.get::<_, Option<i64>>(2)? {
        traffic.skew.add(skew);
    }
    match row.get::<_, Option<i64>>(3)? {
        Some(micros) => {
            traffic.answered += 1;
            traffic.ack_us.saturating_record(u64::try_from(micros).unwrap_or(0));
        }
        None => traffic.unanswered += 1,
    }
    Ok(())
}
