//! A unit of work for the writer, and the reply it owes.

use rusqlite::Connection;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::inbox::{InboxError, StoreError};

/// Why a job failed.
#[derive(Debug, Error)]
pub(super) enum WorkError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// A handler has cost everybody the transaction. The job has noted why, and will not do it again.
    #[error("{0}")]
    Again(String),
    /// The database is as large as it may become.
    #[error("it has reached store.max_bytes ({most}): shorten [retention] or allow more")]
    NoRoom { most: u64 },
    /// A bug, or a database that somebody else has edited.
    #[error("{0}")]
    Broken(&'static str),
}

/// What the writer thread knows of a job. It may run more than once, each time in a new transaction.
pub(super) trait Job: Send {
    /// Does the work. `refused`: why the commit of this very job was refused when it ran alone before.
    fn run(&mut self, conn: &Connection, refused: Option<&str>) -> Result<(), WorkError>;
    /// Replaces the result.
    fn fail(&mut self, reason: &str);
    /// Sends the result. Only after the commit, or when there will be none.
    fn reply(self: Box<Self>);
}

/// A closure, and where its result goes.
pub(super) struct Task<T, F> {
    doing: &'static str,
    work: F,
    /// Whether it is not to be done when nobody waits for it any more.
    only_while_wanted: bool,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, InboxError>>,
}

impl<T, F> Task<T, F>
where
    F: FnMut(&Connection, Option<&str>) -> Result<T, WorkError> + Send,
    T: Send,
{
    /// `doing` completes "could not ..." in the error.
    pub(super) fn new(doing: &'static str, work: F) -> (Self, oneshot::Receiver<Result<T, InboxError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { doing, work, only_while_wanted: false, result: None, reply }, answer)
    }

    /// Unless whoever asked has gone by then.
    pub(super) fn while_wanted(self) -> Self {
        Self { only_while_wanted: true, ..self }
    }
}

impl<T, F> Job for Task<T, F>
where
    F: FnMut(&Connection, Option<&str>) -> Result<T, WorkError> + Send,
    T: Send,
{
    fn run(&mut self, conn: &Connection, refused: Option<&str>) -> Result<(), WorkError> {
        self.result = None;
        if self.only_while_wanted && self.reply.is_closed() {
            return Err(WorkError::Broken("nobody waits for it any more"));
        }
        self.result = Some(Ok((self.work)(conn, refused)?));
        Ok(())
    }

    fn fail(&mut self, reason: &str) {
        self.result = Some(Err(StoreError::new(self.doing, reason)));
    }

    fn reply(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(StoreError::new(self.doing, "it was not run")));
        // A caller that has gone away does not undo what is committed.
        let _ = self.reply.send(result.map_err(InboxError::Store));
    }
}
