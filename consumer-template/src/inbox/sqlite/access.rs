//! Two ways to a database: the inbox that owns it, and an operator beside it. What both can do is written once, for either.

use std::future::Future;
use std::sync::Arc;

use rusqlite::Connection;

use super::backend::SqliteInbox;
use super::job::WorkError;
use super::mailbox::Slot;
use super::old_keys::OldKeys;
use super::operator::SqliteOperator;
use super::purge::Walk;
use super::read::Readers;
use crate::inbox::InboxError;

/// Reading, and acting in a transaction of its own.
pub(super) trait Access: Send + Sync {
    /// Connections to read with.
    fn readers(&self) -> &Readers;

    /// How far the walk of purges has come.
    fn walk(&self) -> &Arc<Walk>;

    /// What is known of old replay keys. Only the owner moves any.
    fn old_keys(&self) -> Option<&Arc<OldKeys>>;

    /// Runs `work` in a transaction, again in another one if that failed for reasons that are not its own. An inner error is
    /// a refusal: `work` has written nothing.
    fn act<T: Send + 'static, E: From<InboxError> + Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnMut(&Connection) -> Result<Result<T, E>, WorkError> + Send + 'static,
    ) -> impl Future<Output = Result<T, E>> + Send;

    /// The same for work that refuses nothing.
    fn perform<T: Send + 'static>(
        &self,
        doing: &'static str,
        mut work: impl FnMut(&Connection) -> Result<T, WorkError> + Send + 'static,
    ) -> impl Future<Output = Result<T, InboxError>> + Send {
        self.act(doing, move |conn| work(conn).map(Ok))
    }

    /// Something may be due that was not: tells those who wait for it, if they can be told.
    fn may_be_due(&self);
}

impl Access for SqliteInbox {
    fn readers(&self) -> &Readers {
        &self.readers
    }

    fn walk(&self) -> &Arc<Walk> {
        &self.walk
    }

    fn old_keys(&self) -> Option<&Arc<OldKeys>> {
        Some(&self.old_keys)
    }

    async fn act<T: Send + 'static, E: From<InboxError> + Send + 'static>(
        &self,
        doing: &'static str,
        mut work: impl FnMut(&Connection) -> Result<Result<T, E>, WorkError> + Send + 'static,
    ) -> Result<T, E> {
        self.write(Slot::Control, doing, move |conn, _| work(conn)).await?
    }

    fn may_be_due(&self) {
        self.arrivals.notify_one();
    }
}

impl Access for SqliteOperator {
    fn readers(&self) -> &Readers {
        &self.readers
    }

    fn walk(&self) -> &Arc<Walk> {
        &self.walk
    }

    fn old_keys(&self) -> Option<&Arc<OldKeys>> {
        None
    }

    async fn act<T: Send + 'static, E: From<InboxError> + Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnMut(&Connection) -> Result<Result<T, E>, WorkError> + Send + 'static,
    ) -> Result<T, E> {
        self.transaction(doing, work).await
    }

    /// The server notices at its next poll.
    fn may_be_due(&self) {}
}
