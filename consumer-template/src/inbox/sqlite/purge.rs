//! Forgetting what is finished: payloads, then replay keys with their events; records of deliveries; positions of keys.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::deliveries;
use super::job::WorkError;
use super::old_keys::OldKeys;
use super::refusals;
use super::rows::{self, limit, to_sql};
use crate::clock::{later, millis};
use crate::event::EventNo;
use crate::inbox::{Budget, Keep, Purged, Retention};

/// The row of `retention` for sources that were never named. No source has that name.
const OTHERS: &str = "";

/// From the end of one look at all positions to the next. They are many, and hardly any is due.
const BETWEEN_WALKS: Duration = Duration::from_secs(3600);

/// When an event was last touched by its handler, a person or a delivery.
const IDLE_SINCE: &str = "max(settled_at, coalesce(delivered_at, 0))";

pub(super) fn set(conn: &Connection, retention: &Retention) -> Result<(), WorkError> {
    let number = |time| i64::try_from(millis(time)).unwrap_or(i64::MAX);
    let named = retention.sources.iter().map(|(source, keep)| (source.as_ref(), keep));
    for (source, keep) in named.chain([(OTHERS, &retention.others)]) {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO retention (source, payload_ms, replay_key_ms, position_ms, delivery_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            source,
            number(keep.payload),
            keep.replay_key.map(number),
            number(keep.position),
            number(retention.deliveries),
        ])?;
    }
    Ok(())
}

pub(super) fn get(conn: &Connection) -> rusqlite::Result<Option<Retention>> {
    let time = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let mut statement = conn.prepare_cached(
        "SELECT source, payload_ms, replay_key_ms, position_ms, delivery_ms FROM retention",
    )?;
    let rows = statement.query_map([], |row| {
        let keep = Keep {
            payload: time(row.get(1)?),
            replay_key: row.get::<_, Option<i64>>(2)?.map(time),
            position: time(row.get(3)?),
        };
        Ok((row.get::<_, String>(0)?, keep, time(row.get(4)?)))
    })?;
    let (mut sources, mut others) = (Vec::new(), None);
    for row in rows {
        match row? {
            (source, keep, deliveries) if source == OTHERS => others = Some((keep, deliveries)),
            (source, keep, _) => sources.push((Arc::from(source), keep)),
        }
    }
    Ok(others.map(|(others, deliveries)| Retention { sources, others, deliveries }))
}

/// What was kept until before this moment is due.
fn due(now: UnixTime, kept: Duration) -> i64 {
    to_sql(now).saturating_sub(i64::try_from(millis(kept)).unwrap_or(i64::MAX))
}

/// What holds for each source that has events.
fn keeps(conn: &Connection, retention: &Retention) -> rusqlite::Result<BTreeMap<String, Keep>> {
    let mut statement = conn.prepare_cached("SELECT DISTINCT source FROM tallies ORDER BY source")?;
    let sources = statement.query_map([], |row| row.get::<_, String>(0))?;
    sources.map(|source| source.map(|source| (source.clone(), keep(retention, &source)))).collect()
}

fn keep(retention: &Retention, source: &str) -> Keep {
    let named = retention.sources.iter().find(|(name, _)| name.as_ref() == source);
    named.map_or(retention.others, |(_, keep)| *keep)
}

/// How far the look at all positions has come. In memory only: after a restart it begins anew.
#[derive(Debug, Default)]
pub(super) struct Walk(Mutex<Place>);

#[derive(Clone, Debug, Default)]
struct Place {
    after: (String, String),
    rests_until: Option<UnixTime>,
}

pub(super) fn purge(
    conn: &Connection,
    budget: Budget,
    walk: &Walk,
    old: Option<&OldKeys>,
    now: UnixTime,
) -> Result<Purged, WorkError> {
    let begun = Instant::now();
    let end = begun + budget.time;
    let piece = Piece { conn, end, rows: budget.rows.max(1), now, has_begun: Cell::new(false) };
    let mut purged = Purged::default();
    // Neither waits for the end of the other.
    let half = begun + budget.time / 2;
    if let Some(old) = old {
        purged.more = old.move_on(conn, piece.rows, || Instant::now() >= half)?;
    }
    let Some(retention) = get(conn)? else {
        return Ok(purged);
    };
    let until = UnixTime::from_millis(u64::try_from(due(now, retention.deliveries)).unwrap_or(0));
    let more;
    (purged.deliveries, more) = deliveries::purge(conn, until, budget.rows)?;
    purged.more |= more | refusals::purge(conn, until, piece.rows)?;
    for (source, keep) in keeps(conn, &retention)? {
        piece.payloads(&source, keep, &mut purged)?;
        piece.events(&source, keep, &mut purged)?;
    }
    let mut place = walk.0.lock().unwrap_or_else(PoisonError::into_inner);
    if place.rests_until.is_none_or(|until| until <= now) && !piece.is_over() {
        *place = piece.positions(&retention, &place.after, &mut purged)?;
    }
    purged.more |= place.rests_until.is_none_or(|until| until <= now);
    Ok(purged)
}

/// One transaction's worth.
struct Piece<'a> {
    conn: &'a Connection,
    end: Instant,
    rows: usize,
    now: UnixTime,
    has_begun: Cell<bool>,
}

impl Piece<'_> {
    /// Not before one row was looked at: the pieces get on however slow the machine is.
    fn is_over(&self) -> bool {
        self.has_begun.get() && Instant::now() >= self.end
    }

    /// What `sql` finds of a source up to a time, in turn, until the piece is over.
    fn each(
        &self,
        sql: &str,
        source: &str,
        until: i64,
        purged: &mut Purged,
        mut take: impl FnMut(EventNo, &mut Purged) -> Result<(), WorkError>,
    ) -> Result<(), WorkError> {
        if self.is_over() {
            purged.more = true;
            return Ok(());
        }
        let mut statement = self.conn.prepare_cached(sql)?;
        let found =
            statement.query_map(params![source, until, limit(self.rows)], |row| row.get(0).map(EventNo))?;
        let found: Vec<_> = found.collect::<Result<_, _>>()?;
        purged.more |= found.len() >= self.rows;
        for event in found {
            self.has_begun.set(true);
            take(event, purged)?;
            if self.is_over() {
                purged.more = true;
                break;
            }
        }
        Ok(())
    }

    fn payloads(&self, source: &str, keep: Keep, purged: &mut Purged) -> Result<(), WorkError> {
        let sql = "SELECT number FROM events WHERE source = ?1 AND purged_at IS NULL AND state IN ('done', 'discarded')
                 AND settled_at < ?2 ORDER BY settled_at LIMIT ?3";
        self.each(sql, source, due(self.now, keep.payload), purged, |event, purged| {
            // The table's CHECK says once more that it must be finished.
            self.conn
                .prepare_cached("UPDATE events SET purged_at = ?2 WHERE number = ?1")?
                .execute(params![event.0, to_sql(self.now)])?;
            let bytes: Option<i64> = self
                .conn
                .prepare_cached(
                    "DELETE FROM payloads WHERE event = ?1 RETURNING length(headers) + length(body)",
                )?
                .query_row([event.0], |row| row.get(0))
                .optional()?;
            purged.payloads += u64::from(bytes.is_some());
            purged.payload_bytes += u64::try_from(bytes.unwrap_or(0)).unwrap_or(0);
            Ok(())
        })
    }

    fn events(&self, source: &str, keep: Keep, purged: &mut Purged) -> Result<(), WorkError> {
        let Some(kept) = keep.replay_key else {
            return Ok(());
        };
        // Who has the key stays while another body is known under it: that would be taken for the first one.
        let sql = format!(
            "SELECT number FROM events WHERE source = ?1 AND purged_at IS NOT NULL
                 AND {IDLE_SINCE} < ?2
                 AND NOT EXISTS (SELECT 1 FROM conflicts WHERE conflicts.replay_key = events.replay_key
                     AND conflicts.event <> events.number)
             ORDER BY {IDLE_SINCE} LIMIT ?3"
        );
        self.each(&sql, source, due(self.now, kept), purged, |event, purged| {
            // It may be that another one stayed only because of this one.
            purged.more |= forget(self.conn, event)?;
            purged.events += 1;
            Ok(())
        })
    }

    /// Looks at the next positions, and lets go those that nothing can be late for any more.
    fn positions(
        &self,
        retention: &Retention,
        after: &(String, String),
        purged: &mut Purged,
    ) -> Result<Place, WorkError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT source, ordering_key, at FROM applied WHERE (source, ordering_key) > (?1, ?2)
             ORDER BY source, ordering_key LIMIT ?3",
        )?;
        let found = statement.query_map(params![after.0, after.1, limit(self.rows)], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
        })?;
        let found: Vec<((String, String), i64)> = found.collect::<Result<_, _>>()?;
        if found.is_empty() {
            return Ok(Place { rests_until: Some(later(self.now, BETWEEN_WALKS)), ..Place::default() });
        }
        let mut last = after.clone();
        for (key, at) in found {
            let until = due(self.now, keep(retention, &key.0).position);
            if at < until && let_go(self.conn, &key.0, &key.1)? {
                purged.positions += 1;
                note_until(self.conn, &key.0, until)?;
            }
            last = key;
            self.has_begun.set(true);
            if self.is_over() {
                break;
            }
        }
        Ok(Place { after: last, rests_until: None })
    }
}

/// Takes away all that is known of an event, except what the audit log says of it. Whether it was another body under a known replay key.
fn forget(conn: &Connection, event: EventNo) -> Result<bool, WorkError> {
    let delete = |sql: &str| conn.prepare_cached(sql)?.execute([event.0]);
    for table in ["replay_keys", "old_replay_keys"] {
        delete(&format!(
            "DELETE FROM {table} WHERE replay_key = (SELECT replay_key FROM events WHERE number = ?1) AND event = ?1",
        ))?;
    }
    let was_conflict = delete(
        "DELETE FROM conflicts WHERE replay_key = (SELECT replay_key FROM events WHERE number = ?1) AND event = ?1",
    )?;
    delete("DELETE FROM attempts WHERE event = ?1")?;
    delete("DELETE FROM events WHERE number = ?1")?;
    Ok(was_conflict > 0)
}

/// Lets the position of a key go, unless something of the key may still be run.
fn let_go(conn: &Connection, source: &str, key: &str) -> Result<bool, WorkError> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM applied WHERE source = ?1 AND ordering_key = ?2
                 AND NOT EXISTS (SELECT 1 FROM lanes WHERE source = ?1 AND ordering_key = ?2)
                 AND NOT EXISTS (SELECT 1 FROM events WHERE source = ?1 AND ordering_key = ?2 AND state = 'dead')",
        )?
        .execute([source, key])?;
    Ok(gone == 1)
}

fn note_until(conn: &Connection, source: &str, until: i64) -> Result<(), WorkError> {
    conn.prepare_cached(
        "INSERT INTO purged_positions (source, until) VALUES (?1, ?2)
         ON CONFLICT (source) DO UPDATE SET until = max(until, excluded.until)",
    )?
    .execute(params![source, until])?;
    Ok(())
}

/// What is due, without positions. The events of payloads that are due now are counted when they are due themselves.
pub(super) fn purgeable(conn: &Connection, now: UnixTime) -> rusqlite::Result<Purged> {
    let mut purged = Purged::default();
    let Some(retention) = get(conn)? else {
        return Ok(purged);
    };
    let finished = format!(
        "SELECT COUNT(*) FROM events WHERE source = ?1 AND state IN ('done', 'discarded')
             AND settled_at < ?3 AND {IDLE_SINCE} < ?2
             AND NOT EXISTS (SELECT 1 FROM conflicts WHERE conflicts.replay_key = events.replay_key
                 AND conflicts.event <> events.number)"
    );
    for (source, keep) in keeps(conn, &retention)? {
        let payloads = conn
            .prepare_cached(
                "SELECT COUNT(*), COALESCE(SUM(length(headers) + length(body)), 0)
                 FROM events JOIN payloads ON event = number
                 WHERE source = ?1 AND purged_at IS NULL AND state IN ('done', 'discarded') AND settled_at < ?2",
            )?
            .query_row(params![source, due(now, keep.payload)], |row| {
                Ok((rows::count(row, 0)?, rows::count(row, 1)?))
            })?;
        purged.payloads += payloads.0;
        purged.payload_bytes += payloads.1;
        if let Some(kept) = keep.replay_key {
            purged.events += conn
                .prepare_cached(&finished)?
                .query_row(params![source, due(now, kept), due(now, keep.payload)], |row| {
                    rows::count(row, 0)
                })?;
        }
    }
    purged.deliveries = conn
        .prepare_cached("SELECT COUNT(*) FROM deliveries WHERE received_at < ?1")?
        .query_row([due(now, retention.deliveries)], |row| rows::count(row, 0))?;
    purged.more = purged.is_something();
    Ok(purged)
}
