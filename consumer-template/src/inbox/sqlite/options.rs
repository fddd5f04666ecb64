//! Where the database is, and its limits.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to open an SQLite inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) accept_queue: usize,
    pub(super) max_batch: usize,
    pub(super) busy_timeout: Duration,
    pub(super) synchronous: Synchronous,
    pub(super) max_bytes: Option<u64>,
    pub(super) young_keys: u64,
}

/// What SQLite's `synchronous` is set to and asserted to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synchronous {
    Normal = 1,
    Full = 2,
}

impl SqliteOptions {
    /// The database at `path` and the default limits.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            accept_queue: 1_024,
            max_batch: 256,
            busy_timeout: Duration::from_secs(2),
            synchronous: Synchronous::Full,
            max_bytes: None,
            young_keys: 100_000,
        }
    }

    /// The path of the database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many events may wait to be stored before [`InboxError::Full`](crate::inbox::InboxError::Full). At least 1.
    #[must_use]
    pub fn with_accept_queue(mut self, events: usize) -> Self {
        self.accept_queue = events.max(1);
        self
    }

    /// How many writes may share one transaction. At least 1.
    #[must_use]
    pub fn with_max_batch(mut self, jobs: usize) -> Self {
        self.max_batch = jobs.max(1);
        self
    }

    /// How long to wait for another process that holds the database. Short: everything that is to be stored waits with us.
    #[must_use]
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How large the database may become before new events are refused. No limit unless set.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: Option<u64>) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many replay keys may have come last, before [`Purge::purge`](crate::inbox::Purge::purge) moves them to the old ones.
    #[must_use]
    pub fn with_young_keys(mut self, keys: u64) -> Self {
        self.young_keys = keys;
        self
    }

    /// Does not sync at commit. Acknowledged events are lost when the power fails.
    ///
    /// For the negative control of the durability check, which must be able to see the loss. No configuration reaches it.
    #[must_use]
    pub fn danger_synchronous_normal(mut self) -> Self {
        self.synchronous = Synchronous::Normal;
        self
    }

    /// Commits every write alone. Correct, and slow: for the benchmark that shows what sharing a sync is worth.
    #[must_use]
    pub fn danger_one_transaction_per_job(self) -> Self {
        self.with_max_batch(1)
    }
}
