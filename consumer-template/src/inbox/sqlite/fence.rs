//! The fence around handlers that run inside the writer's transaction.
//!
//! Other events' writes are in the same transaction, and their providers wait for its commit. So while a handler runs, the
//! connection reads anything and writes the handler's own tables, and nothing else: no transaction control, no schema, no
//! settings, no inbox tables. And it stops when its time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::clock::millis;

/// How many steps of SQLite's machine pass between two looks at the clock: well under a millisecond.
const STEPS: i32 = 10_000;

/// The inbox's own tables, as SQLite names them however the handler writes them.
const OWN: [&str; 28] = [
    "events",
    "payloads",
    "replay_keys",
    "old_replay_keys",
    "conflicts",
    "lanes",
    "queue",
    "attempts",
    "audit",
    "tallies",
    "policies",
    "applied",
    "blockers",
    "pauses",
    "breakers",
    "outcomes",
    "refusals",
    "refusal_totals",
    "refused_by_minute",
    "quarantine",
    "quarantine_totals",
    "retention",
    "purged_positions",
    "deliveries",
    "not_stored",
    "key_uses",
    "payload_sums",
    "sqlite_sequence",
];

/// One per writer; survives the reopening of its connection.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    closed: AtomicBool,
    /// Whether a statement was stopped since the fence was closed.
    interrupted: AtomicBool,
    /// In milliseconds since `start`.
    deadline: AtomicU64,
    start: Instant,
}

impl Fence {
    pub(super) fn new() -> Self {
        let state = State {
            closed: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            deadline: AtomicU64::new(0),
            start: Instant::now(),
        };
        Self { state: Arc::new(state) }
    }

    /// Puts the fence around `conn`, open for now. Installed once: a change of the authorizer expires all prepared statements.
    pub(super) fn install(&self, conn: &mut Connection) -> rusqlite::Result<()> {
        let state = Arc::clone(&self.state);
        conn.progress_handler(STEPS, Some(move || state.interrupts()))?;
        let state = Arc::clone(&self.state);
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            if !state.closed.load(Ordering::Relaxed) || permitted(&context.action) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }))
    }

    /// Closes the fence until the guard is dropped, also by a panic.
    pub(super) fn close(&self, limit: Duration) -> Closed<'_> {
        let deadline = millis(self.state.start.elapsed()).saturating_add(millis(limit));
        self.state.deadline.store(deadline, Ordering::Relaxed);
        self.state.interrupted.store(false, Ordering::Relaxed);
        self.state.closed.store(true, Ordering::Relaxed);
        Closed { state: &self.state }
    }
}

impl State {
    fn interrupts(&self) -> bool {
        let late = self.closed.load(Ordering::Relaxed)
            && millis(self.start.elapsed()) > self.deadline.load(Ordering::Relaxed);
        self.interrupted.fetch_or(late, Ordering::Relaxed);
        late
    }
}

/// While this lives, the fence is closed.
pub(super) struct Closed<'a> {
    state: &'a State,
}

impl Closed<'_> {
    /// Whether a statement was stopped. A handler that is late between its statements is not to blame twice.
    pub(super) fn has_interrupted(&self) -> bool {
        self.state.interrupted.load(Ordering::Relaxed)
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.state.closed.store(false, Ordering::Relaxed);
    }
}

/// What a handler may do. A list of what is allowed: what SQLite learns to do next is refused.
fn permitted(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => true,
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => {
            !OWN.contains(table_name) && !table_name.starts_with("sqlite_")
        }
        _ => false,
    }
}
