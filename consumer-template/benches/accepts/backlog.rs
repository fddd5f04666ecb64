//! Events that were done long ago: more of them are due than a turn can purge.

use std::path::Path;

use anyhow::ensure;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use rusqlite::Connection;

use crate::letters::SOURCE;

const EVENTS: u32 = 60_000;

/// As large as a lead with some fields.
const BODY_BYTES: u32 = 700;

pub(crate) fn fill(options: &SqliteOptions) -> anyhow::Result<()> {
    drop(SqliteInbox::open(options.clone())?);
    let conn = Connection::open(options.path())?;
    conn.execute_batch(&format!(
        "BEGIN;
         INSERT INTO events (source, scheme, key_id, replay_key, identity, received_at, state, settled_at)
             SELECT '{SOURCE}', '{SOURCE}', 'test', randomblob(32), 'digest', value, 'done', value
             FROM (WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {EVENTS})
                 SELECT value FROM n);
         INSERT INTO payloads (event, body_sha256, headers, body)
             SELECT number, randomblob(32), randomblob(80), randomblob({BODY_BYTES}) FROM events;
         INSERT INTO replay_keys (replay_key, body_sha256, event)
             SELECT replay_key, randomblob(32), number FROM events ORDER BY replay_key;
         INSERT INTO attempts (event, attempt, started_at, ended_at, outcome)
             SELECT number, 1, received_at, received_at, 'done' FROM events;
         INSERT INTO deliveries (received_at, event, nth, source, key_id, answer)
             SELECT received_at, number, 0, source, key_id, 'new' FROM events;
         COMMIT;"
    ))?;
    Ok(())
}

/// The turn has purged, and was not done before it ended.
pub(crate) fn check(path: &Path) -> anyhow::Result<()> {
    let left: u32 = Connection::open(path)?.query_row(
        "SELECT COUNT(*) FROM payloads JOIN events ON number = event WHERE received_at <= ?1",
        [EVENTS],
        |row| row.get(0),
    )?;
    ensure!(0 < left && left < EVENTS, "{left} of {EVENTS} payloads are left: the turn measured no purge");
    Ok(())
}
