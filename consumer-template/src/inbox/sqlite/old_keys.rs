//! Replay keys of events that came a while ago, kept apart from the last ones.
//!
//! A replay key is a hash: a new one falls anywhere among all that there are, and with ten million of them on a page that is read from
//! the disk while everybody waits. So the last ones are in a table that is small enough to stay in memory, and are moved on
//! in the order of keys, a few at a time, between accepts. That a key is not among the old ones is known from a filter in
//! memory, without a look. It is filled when the inbox is opened, beside the accepts; until then each new key is looked for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};

use super::filter::Filter;
use super::job::WorkError;
use super::open::{self, OpenError};
use super::options::SqliteOptions;
use super::rows;
use super::thread::Worker;

/// Keys that are read at once, and by which it is estimated how many there are.
const PAGE: usize = 10_000;

/// What the filter has room for beyond what is there. More are no mistake: they are looked for more often.
const ROOM: u64 = 2_000_000;

/// No more room than this: a gigabyte.
const MOST: u64 = 1 << 29;

/// What the owner of a database knows about its old keys.
#[derive(Debug)]
pub(super) struct OldKeys {
    filter: Filter,
    /// Whether every old key is in the filter.
    filled: AtomicBool,
    stop: AtomicBool,
    /// Keys that came last, about.
    young: AtomicU64,
    /// So many may come last.
    most_young: u64,
    /// Where the move goes on; `None` between two of them.
    after: Mutex<Option<[u8; 32]>>,
}

impl OldKeys {
    /// Before the first key is moved. Fills the filter at once if there are few, else on a thread.
    pub(super) fn open(options: &SqliteOptions) -> Result<(Arc<Self>, Filling), OpenError> {
        let failed = |error: rusqlite::Error| OpenError::Database {
            doing: "read replay keys",
            reason: error.to_string(),
        };
        let conn = open::reader(options)?;
        let young = conn
            .query_row("SELECT COUNT(*) FROM replay_keys", [], |row| rows::count(row, 0))
            .map_err(failed)?;
        let first = page(&conn, &[]).map_err(failed)?;
        let old = Arc::new(Self {
            filter: Filter::with_room((estimate(&first) + ROOM).min(MOST)),
            filled: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            young: AtomicU64::new(young),
            most_young: options.young_keys,
            after: Mutex::default(),
        });
        let mut filling = Filling { old: Arc::clone(&old), worker: None };
        if old.take_in(&first) {
            let filled = Arc::clone(&old);
            let fill = move || {
                if let Err(error) = filled.fill(&conn, first) {
                    tracing::warn!(%error, "each new replay key is looked for: the old ones could not be read");
                }
            };
            filling.worker = Worker::start("inbox-keys", fill).ok();
        }
        Ok((old, filling))
    }

    fn fill(&self, conn: &Connection, mut last: Vec<[u8; 32]>) -> rusqlite::Result<()> {
        while !self.stop.load(Ordering::Relaxed) {
            last = page(conn, last.last().map_or(&[], |key| key))?;
            if !self.take_in(&last) {
                break;
            }
        }
        Ok(())
    }

    /// Whether there are more.
    fn take_in(&self, page: &[[u8; 32]]) -> bool {
        page.iter().for_each(|key| self.filter.add(key));
        let more = page.len() >= PAGE;
        if !more {
            self.filled.store(true, Ordering::Release);
        }
        more
    }

    pub(super) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// `false`: it is not an old one, for sure.
    pub(super) fn may_have(&self, key: &[u8; 32]) -> bool {
        !self.is_filled() || self.filter.may_have(key)
    }

    /// One more has come.
    pub(super) fn count_young(&self) {
        self.young.fetch_add(1, Ordering::Relaxed);
    }

    /// When too many have come, moves the next `rows` of them at most, until `is_over`. Whether there are more to move.
    pub(super) fn move_on(
        &self,
        conn: &Connection,
        rows: usize,
        mut is_over: impl FnMut() -> bool,
    ) -> Result<bool, WorkError> {
        let mut place = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        let mut after = match *place {
            None if self.young.load(Ordering::Relaxed) <= self.most_young => return Ok(false),
            None => [0; 32],
            Some(after) => after,
        };
        let keys = conn
            .prepare_cached(
                "SELECT replay_key FROM replay_keys WHERE replay_key > ?1 ORDER BY replay_key LIMIT ?2",
            )?
            .query_map(params![after, rows::limit(rows)], |row| row.get(0))?
            .collect::<Result<Vec<[u8; 32]>, _>>()?;
        let mut copy = conn.prepare_cached(
            "INSERT INTO old_replay_keys (replay_key, body_sha256, event)
             SELECT replay_key, body_sha256, event FROM replay_keys WHERE replay_key = ?1
             ON CONFLICT DO NOTHING",
        )?;
        let mut delete = conn.prepare_cached("DELETE FROM replay_keys WHERE replay_key = ?1")?;
        let found = keys.len();
        for key in keys {
            // First, and for ever: if the transaction is lost, the filter knows one key too many.
            self.filter.add(&key);
            // One that is in both, which is a fault, stays in both for whoever looks for faults.
            if copy.execute([key])? == 1 {
                delete.execute([key])?;
                let _ = self.young.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            }
            after = key;
            if is_over() {
                break;
            }
        }
        *place = (found > 0).then_some(after);
        Ok(found > 0)
    }
}

/// The keys after one, in their order. Each page is a moment of its own: a long one would keep the log from being folded in.
fn page(conn: &Connection, after: &[u8]) -> rusqlite::Result<Vec<[u8; 32]>> {
    conn.prepare_cached(
        "SELECT replay_key FROM old_replay_keys WHERE replay_key > ?1 ORDER BY replay_key LIMIT ?2",
    )?
    .query_map(params![after, rows::limit(PAGE)], |row| row.get(0))?
    .collect()
}

/// How many keys there are, if these are the first ones: hashes are spread evenly.
fn estimate(first: &[[u8; 32]]) -> u64 {
    let found = first.len() as u64;
    let last = first.last().and_then(|key| key.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes));
    if first.len() < PAGE {
        return found;
    }
    let all = u128::from(found) * u128::from(u64::MAX) / u128::from(last.max(1));
    u64::try_from(all).unwrap_or(u64::MAX).min(MOST)
}

/// The thread that fills the filter. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Filling {
    old: Arc<OldKeys>,
    worker: Option<Worker>,
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.old.stop.store(true, Ordering::Relaxed);
        if let Some(worker) = &mut self.worker {
            worker.wait();
        }
    }
}

#[cfg(test)]
mod tests;
