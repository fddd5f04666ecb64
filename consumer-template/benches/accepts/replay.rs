//! Dead letters that a person replays, all of them, while others are accepted: more of them than a turn can move.

use std::thread::JoinHandle;

use anyhow::{Context as _, ensure};
use hookproof_consumer::clock::SystemClock;
use hookproof_consumer::dead_letters::{Action, Moved, Task, Which};
use hookproof_consumer::event::DeadReason;
use hookproof_consumer::fingerprint::Fingerprint;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOperator, SqliteOptions};
use hookproof_consumer::inbox::{By, IfStale, Selection};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::letters::{SOURCE, Writer};

const EVENTS: u64 = 60_000;
const ERROR: &str = "the handler could not do it";

/// Leads that the events of the load are not about, so that none of these is overtaken.
pub(crate) fn fill(options: &SqliteOptions) -> anyhow::Result<()> {
    drop(SqliteInbox::open(options.clone())?);
    let body = String::from_utf8(Writer::new()?.about("lead-of-before", 0)?.body)?;
    let failure = Fingerprint::of(SOURCE, DeadReason::Permanent, ERROR);
    let mut conn = Connection::open(options.path())?;
    let tx = conn.transaction()?;
    let mut event = tx.prepare(
        "INSERT INTO events (source, scheme, key_id, replay_key, identity, ordering_key, received_at, state, reason, last_error,
             settled_at, attempts, fingerprint)
         VALUES (?1, ?1, 'test', randomblob(32), 'digest', ?2, ?3, 'dead', 'permanent', ?4, ?3, 5, ?5) RETURNING number",
    )?;
    let mut payload = tx.prepare(
        "INSERT INTO payloads (event, body_sha256, headers, body) VALUES (?1, randomblob(32), x'', CAST(?2 AS BLOB))",
    )?;
    for n in 0..EVENTS {
        let lead = format!("before-{n}");
        let values = (SOURCE, &lead, i64::try_from(n)?, ERROR, failure.as_str());
        let number: i64 = event.query_row(values, |row| row.get(0))?;
        payload.execute((number, body.replace("lead-of-before", &lead)))?;
    }
    tx.execute_batch(
        "INSERT INTO replay_keys (replay_key, body_sha256, event)
             SELECT replay_key, randomblob(32), number FROM events ORDER BY replay_key;",
    )?;
    drop((event, payload));
    tx.commit()?;
    Ok(())
}

/// A replay of everything, from another process as far as the store can tell.
pub(crate) struct Errand {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<Moved>>,
}

impl Errand {
    pub(crate) fn start(options: &SqliteOptions) -> anyhow::Result<Self> {
        let operator = SqliteOperator::open(options.clone())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let task = Task {
                action: Action::Replay(IfStale::FollowRule),
                which: Which::Selected(Selection::default()),
                by: By::new("ann", "it works again"),
                rate: None,
            };
            let stopped = async {
                let _ = stopped.await;
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(task.run(&operator, &SystemClock, stopped, &mut ()))?)
        });
        Ok(Self { stop, thread })
    }

    /// It was not done before the turn ended.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        let moved = self.thread.join().ok().context("the replay broke off")??;
        ensure!(moved.moved < EVENTS, "{moved:?}: the turn measured no replay");
        Ok(())
    }
}
