//! Large databases, written with SQL in large transactions: what a million deliveries would have left behind.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use rusqlite::Connection;

/// Rows of one transaction: what it changes stays within the memory of one process.
const ROWS: u64 = 100_000;

/// A new, empty inbox at `path`, opened by nobody.
pub(crate) fn create(path: &Path) -> anyhow::Result<()> {
    drop(Arc::new(SqliteInbox::open(SqliteOptions::new(path))?));
    Ok(())
}

/// Runs `statements` for the numbers `?1` to `?2`, slice by slice, up to `rows`.
pub(crate) fn fill(path: &Path, rows: u64, statements: &[&str]) -> anyhow::Result<()> {
    let mut conn = Connection::open(path)?;
    // What is lost with the power is filled again.
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -65536")?;
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + ROWS - 1);
        let tx = conn.transaction()?;
        for sql in statements {
            tx.execute(sql, [i64::try_from(first)?, i64::try_from(last)?])
                .with_context(|| sql.trim().to_owned())?;
        }
        tx.commit()?;
        first = last + 1;
    }
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
