//! The audit log, read: who did what, when and why.

use async_trait::async_trait;
use hookproof::UnixTime;

use super::InboxError;
use crate::event::EventNo;

/// The audit log of a store. Lines are only ever added, each in the transaction of what it tells of.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// One page of the log, the newest line first.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, InboxError>;
}

/// Which lines of the log. What is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only about this event.
    pub event: Option<EventNo>,
    /// Only about this source and its events.
    pub source: Option<String>,
    /// Only what this person or machine did. `provider` for redeliveries.
    pub actor: Option<String>,
    /// Only what was done: `replay`, `discard`, `revive`.
    pub action: Option<String>,
    /// Only what was done at this time or later.
    pub since: Option<UnixTime>,
    /// Only what was done before this time.
    pub until: Option<UnixTime>,
    /// Only lines older than this one: the last one of the page before.
    pub before: Option<i64>,
    /// At most this many; 0 and everything above [`AuditFilter::MAX_LIMIT`] mean [`AuditFilter::MAX_LIMIT`].
    pub limit: usize,
}

impl AuditFilter {
    /// The largest page.
    pub const MAX_LIMIT: usize = 100;
}

/// One line of the audit log, as the log lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number. Grows with every line.
    pub id: i64,
    /// When.
    pub at: UnixTime,
    /// What it was done to, if it was an event.
    pub event: Option<EventNo>,
    /// The source, or that of the event.
    pub source: Option<String>,
    /// Who. `provider` for a redelivery.
    pub actor: String,
    /// `replay`, `discard` or `revive`; of a source `pause`, `resume` or `trip`.
    pub action: String,
    /// Why.
    pub why: String,
}
