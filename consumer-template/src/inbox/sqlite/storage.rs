//! How large the database is, and how far back it reaches.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::deliveries;
use super::rows::{count, from_sql};
use crate::event::State;
use crate::inbox::Storage;

pub(super) fn storage(conn: &Connection, path: &Path) -> rusqlite::Result<Storage> {
    let number = |sql: &str| conn.prepare_cached(sql)?.query_row([], |row| count(row, 0));
    let page = number("PRAGMA page_size")?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let (payloads, payload_bytes) = conn
        .prepare_cached("SELECT payloads, bytes FROM payload_sums")?
        .query_row([], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
    let mut oldest = Vec::new();
    for state in State::ALL {
        let at: Option<i64> = conn
            .prepare_cached("SELECT received_at FROM events WHERE state = ?1 ORDER BY number LIMIT 1")?
            .query_row([state.as_str()], |row| row.get(0))
            .optional()?;
        oldest.extend(at.map(|at| (state, from_sql(at))));
    }
    let remembered: Option<i64> = conn
        .prepare_cached("SELECT received_at FROM events ORDER BY number LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(Storage {
        database_bytes: number("PRAGMA page_count")? * page,
        log_bytes: std::fs::metadata(Path::new(&log)).map_or(0, |file| file.len()),
        free_bytes: number("PRAGMA freelist_count")? * page,
        payloads,
        payload_bytes,
        oldest_delivery: deliveries::oldest(conn)?,
        oldest,
        oldest_replay_key: remembered.map(from_sql),
    })
}
