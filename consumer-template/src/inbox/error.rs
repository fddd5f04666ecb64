//! What can go wrong with a store, as seen by its callers.

use thiserror::Error;

use crate::event::{EventNo, State};

/// Why the inbox did not do what it was asked.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum InboxError {
    /// Too many events wait to be stored. Caused by load or a slow disk; the caller answers 503 and the provider retries.
    #[error("the accept queue is full")]
    Full,
    /// The store failed. Caused by the disk, its space, or another process that holds the database for too long.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What writes has ended, and does not come back. Caused by a bug; only a new process helps.
    #[error("the inbox is closed")]
    Closed,
}

/// A failure of the store. Never holds a body, an id or a key.
#[derive(Clone, Debug, Error)]
#[error("could not {doing}: {reason}")]
pub struct StoreError {
    doing: &'static str,
    reason: String,
}

impl StoreError {
    /// `doing` completes "could not ...".
    pub(crate) fn new(doing: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { doing, reason: reason.to_string() }
    }
}

/// Why an operator's request was not carried out.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// Caused by the operator: a number that no event has.
    #[error("there is no event {0}")]
    NotFound(EventNo),
    /// Caused by the operator, or by somebody who was quicker.
    #[error("event {event} is {state}: only dead letters can be replayed or discarded")]
    NotDead {
        /// The event.
        event: EventNo,
        /// Where it stands.
        state: State,
    },
    /// The store failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
}
