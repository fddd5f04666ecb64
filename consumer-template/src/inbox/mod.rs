//! The inbox: the durable store of events. What it is handed is on disk before it answers, and stays until it is done.
//!
//! # The contract
//!
//! Every sentence here has a test in `tests/inbox_contract.rs`, which every backend must pass.
//!
//! **Accept.** An event is durable (committed and fsynced) before [`Inbox::accept`] returns. Deliveries of one event are told apart
//! by the replay key, in the same transaction that stores the event: of any number of concurrent ones exactly one is
//! [`Delivery::New`]. An error is never a duplicate: it means "not known to be stored, send it again".
//! - A duplicate changes nothing and says which state the event is in.
//! - A duplicate of a dead letter whose handler failed revives it: somebody asked the provider to resend. The attempts start over,
//!   their history is kept, and the audit log names the provider. Malformed and conflicting dead letters stay dead.
//! - The same replay key with another body is a conflict: both are kept, the second as a dead letter. Another delivery of either
//!   body is a duplicate of that one.
//! - An event whose body cannot be processed is stored as a dead letter: malformed is not lost.
//!
//! **Claim.** At most one live lease exists per event, and per (source, ordering key). Within a key the earliest event comes first: by
//! time of occurrence (of arrival where the provider gives none), then sequence, then number. An event waits while an earlier
//! one of its key waits for its retry; when the earlier one dies, it goes on. The attempt is counted in the claim's transaction, so
//! a handler that kills the process still uses up its attempts.
//!
//! **Settle.** Fenced by the lease's token: a worker whose lease was lost (expired and rescued) changes nothing, and is told so.
//!
//! **Rescue.** An expired lease sends its event back to pending, or to the dead letters when its attempts are used up. At start the same
//! happens to every running event ([`Inbox::recover_orphans`]).
//!
//! **Transactions.** [`Inbox::run_in_transaction`] commits a handler's writes together with "done", or neither. A failing, panicking or
//! slow handler is rolled back alone, and settled as a failure.
//!
//! **Operators.** [`Operator::replay`] and [`Operator::discard`] take dead letters only, and write who, what and why to an append-only audit
//! log in the same transaction.

mod error;
mod incoming;
mod records;
pub mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::UnixTime;
use tokio::sync::Notify;

use crate::effect::SqliteHandler;
use crate::event::{Event, EventNo, State};
use crate::retry::{Outcome, RetryPolicy};

pub use error::{InboxError, OperatorError, StoreError};
pub use incoming::{Facts, Incoming};
pub use records::{AttemptRecord, AuditRecord, Count, Counts, EventDetail, EventSummary, Filter};

/// What workers and the HTTP edge need of a store. See the [module](self) for the contract.
#[async_trait]
pub trait Inbox: Operator {
    /// Stores an event, durably.
    ///
    /// # Errors
    ///
    /// [`InboxError::Full`] when too many are waiting to be stored; [`InboxError::Store`] when the store failed. The event may be stored
    /// all the same (the disk failed after the write): answer 503, and the provider's retry is a duplicate.
    async fn accept(&self, incoming: Incoming) -> Result<Accepted, InboxError>;

    /// Notified whenever an event became pending in this process. A worker that waits on it needs to poll only for what other
    /// processes did.
    fn arrivals(&self) -> Arc<Notify>;

    /// Leases up to `max` events that are due at `now` to the caller, until `now + lease`.
    ///
    /// # Errors
    ///
    /// When the store failed. Then nothing is leased, or it is rescued when the lease expires.
    async fn claim(&self, max: usize, lease: Duration, now: UnixTime) -> Result<Vec<Claimed>, InboxError>;

    /// Moves the end of a lease to `until`. `false`: the lease is lost, stop working.
    ///
    /// # Errors
    ///
    /// When the store failed. The lease holds until its old end.
    async fn extend(&self, lease: &Lease, until: UnixTime) -> Result<bool, InboxError>;

    /// Records what became of an attempt, and gives the lease back.
    ///
    /// # Errors
    ///
    /// When the store failed. May be called again with the same lease.
    async fn settle(&self, lease: &Lease, outcome: Outcome, now: UnixTime) -> Result<Settled, InboxError>;

    /// Runs a handler inside the transaction that settles its event.
    ///
    /// # Errors
    ///
    /// When the store failed: nothing was written. May be called again with the same lease.
    async fn run_in_transaction(
        &self,
        claimed: &Claimed,
        handler: Arc<dyn SqliteHandler>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<(Settled, Outcome), InboxError>;

    /// Takes events back whose lease ended before `now`.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn rescue(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError>;

    /// Takes every running event back. Call it once at start, before the first claim: the caller owns the store alone.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn recover_orphans(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError>;

    /// When there is next something to claim or to rescue; in the past if there is now.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn next_due(&self) -> Result<Option<UnixTime>, InboxError>;
}

/// What a person may ask of a store, also from another process while the server runs.
#[async_trait]
pub trait Operator: Send + Sync {
    /// How many events there are, by source and state.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn counts(&self) -> Result<Counts, InboxError>;

    /// One page of events.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn list(&self, filter: Filter) -> Result<Vec<EventSummary>, InboxError>;

    /// One event with its body, attempts and audit log; `None` if there is no such number.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn show(&self, event: EventNo) -> Result<Option<EventDetail>, InboxError>;

    /// Gives a dead letter new attempts.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotFound`], [`OperatorError::NotDead`], or the store's.
    async fn replay(&self, event: EventNo, by: By, now: UnixTime) -> Result<(), OperatorError>;

    /// Marks a dead letter as not to be processed. It is kept.
    ///
    /// # Errors
    ///
    /// [`OperatorError::NotFound`], [`OperatorError::NotDead`], or the store's.
    async fn discard(&self, event: EventNo, by: By, now: UnixTime) -> Result<(), OperatorError>;
}

/// The answer to a delivery that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The event that the delivery belongs to.
    pub event: EventNo,
    /// What the delivery was.
    pub outcome: Delivery,
}

/// What a delivery was, to the inbox. All of these are answered with 200: the event is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The first one of its event.
    New,
    /// Another one of an event that is known.
    Duplicate {
        /// Where that event stands.
        state: State,
    },
    /// Another one of a dead letter, which is pending again now.
    Revived,
    /// The replay key of a known event with another body: kept as a dead letter of its own. Alarm somebody.
    Conflict,
}

/// An event on which the caller holds a lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The event.
    pub event: Arc<Event>,
    /// The right to work on it.
    pub lease: Lease,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
}

/// The right to work on an event until a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The event.
    pub event: EventNo,
    /// The fencing token: grows with every lease, so that a late worker cannot settle its successor's attempt.
    pub token: i64,
    /// The deadline.
    pub until: UnixTime,
}

/// Whether a settle took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It did.
    Applied,
    /// The lease was no longer held: nothing changed.
    LeaseLost,
}

/// The terms on which a handler runs inside a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What becomes of a failure.
    pub retry: RetryPolicy,
    /// A random number in `0.0..1.0`, for the jitter.
    pub dice: f64,
    /// How long its statements may take together. The store accepts nothing else meanwhile.
    pub timeout: Duration,
}

/// What a rescue did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Events that are pending again.
    pub retried: usize,
    /// Events whose attempts were used up.
    pub dead: usize,
}

/// Who did something, and why: for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// A person's or a machine's name. `provider` is taken.
    pub actor: String,
    /// The reason, in the person's words.
    pub why: String,
}

impl By {
    /// Who and why.
    pub fn new(actor: impl Into<String>, why: impl Into<String>) -> Self {
        Self { actor: actor.into(), why: why.into() }
    }
}
