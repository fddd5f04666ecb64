//! Handlers that do what their event's ordering key says, and note each run in a file that outlives the process.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::Event;
use hookproof_consumer::inbox::sqlite::SqliteInbox;
use rusqlite::Connection;

use crate::process::planted;

/// Names the file of notes.
pub(crate) const NOTES: &str = "HOOKPROOF_TEST_NOTES";

/// Long enough to be cut off by whatever else runs.
const A_WHILE: Duration = Duration::from_millis(400);

struct Scripted;

#[async_trait]
impl Handler for Scripted {
    async fn handle(&self, event: &Event, _: &Context) -> Result<(), Failure> {
        let key = event.ordering_key.clone().unwrap_or_default();
        let path = std::env::var_os(NOTES).unwrap();
        let mut notes = OpenOptions::new().append(true).create(true).open(path).unwrap();
        notes.write_all(format!("{key}\n").as_bytes()).unwrap();
        match key.split('-').next().unwrap() {
            "error" => Err(Failure::transient("down")),
            "panic" => panic!("as scripted"),
            "abort" => std::process::abort(),
            "hang" => std::future::pending().await,
            // Holds its thread, and does not await.
            "block" => loop {
                std::thread::park();
            },
            "eat" => {
                let mut eaten = Vec::new();
                loop {
                    eaten.push(vec![0_u8; 64 << 20]);
                }
            }
            "slow" => {
                tokio::time::sleep(A_WHILE).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[test]
#[ignore = "a server with bad handlers, which other tests start"]
fn server() {
    let handlers = Handlers::new(Effect::outside(Scripted));
    planted::serve_with(|options| Arc::new(SqliteInbox::open(options).unwrap()), handlers);
}

/// How often each key's handler was started.
pub(crate) fn runs(notes: &Path) -> BTreeMap<String, usize> {
    let mut runs = BTreeMap::new();
    for line in std::fs::read_to_string(notes).unwrap_or_default().lines() {
        *runs.entry(line.to_owned()).or_default() += 1;
    }
    runs
}

/// Each key, with the state of its event, why it is dead, its attempts, and how they ended.
pub(crate) fn ends(database: &Connection) -> BTreeMap<String, String> {
    let mut statement = database
        .prepare(
            "SELECT ordering_key, concat_ws(' ', state, iif(state = 'dead', reason, NULL), attempts,
                 (SELECT group_concat(outcome ORDER BY id) FROM attempts WHERE event = number)) FROM events",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

pub(crate) fn unfinished(database: &Connection) -> i64 {
    database.query_row("SELECT COUNT(*) FROM queue", [], |row| row.get(0)).unwrap()
}
