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
//! time of occurrence (of arrival where the provider gives none), then sequence, then number. The attempt is counted in the claim's
//! transaction, so a handler that kills the process still uses up its attempts. Sources with events that are due take turns, also
//! from one claim to the next: the flood of one does not starve another, and a claim costs the same however deep the flood is.
//!
//! **Order.** Each source has rules ([`OrderPolicy`], [`Inbox::set_order`]), durable like the events. A source for which none were set has
//! the default ones. An event without an ordering key has no others to wait for, and is never stale.
//! - *Settle window.* A new event is not due before its window has passed, so that an earlier one that is late overtakes it. It waits
//!   for its window at most: an earlier one is due no later than the one that it overtakes. Without a key it does not wait.
//! - *Not ready.* An event whose handler says so is parked, and its attempt does not count. It blocks nobody meanwhile. It takes its place
//!   in line again when a handler has done another event of its key, or at its deadline, counted from the first time; also
//!   after a restart. At the deadline it runs and is told ([`Claimed::overdue`]), or is a dead letter, as the source says. If
//!   it is not ready after its deadline, it is a dead letter.
//! - *Stale.* The latest position of each key that was applied is stored with the settle. An event before it is applied, applied with
//!   its handler told ([`Claimed::stale`]), or done without being applied and marked as superseded, as the source says. Equal
//!   positions are not stale. A superseded event wakes nobody.
//! - *Failure.* Under `block`, an event waits while an earlier one of its key waits for its retry; an earlier one that arrives meanwhile does
//!   not; when the failing one dies, the others go on. Under `park`, they then wait for a person, those that arrive later included, until
//!   every dead letter that blocks them is replayed or discarded, or revived by the provider. Under `skip`, they go on at once, and
//!   the failing one takes its place again when its retry is due. What was dead on arrival blocks nobody.
//!
//! **Settle.** Fenced by the lease's token: a worker whose lease was lost (expired and rescued) changes nothing, and is told so.
//!
//! **Rescue.** An expired lease sends its event back to pending, where it is before all that became due after it, or to the dead letters
//! when its attempts are used up. At start the same happens to every running event ([`Inbox::recover_orphans`]).
//!
//! **Transactions.** [`Inbox::run_in_transaction`] commits a handler's writes together with "done", or neither. A failing, panicking or
//! slow handler is rolled back alone, and settled as a failure.
//!
//! **Operators.** [`Operator::replay`] and [`Operator::discard`] take dead letters only, and write who, what and why to an append-only audit
//! log in the same transaction. A replayed event takes its place in its key's order. If a later one was applied already, the answer
//! says so and the source's stale rule decides, unless the person wants it applied all the same. Lists and counts show who is blocked.
//!
//! **Pause.** Events of a source that a person paused ([`Life::pause`]) are accepted and not claimed, also after a restart, until one
//! resumes it ([`Life::resume`]). Others go on, [`Inbox::next_due`] does not count it, and a claim costs the same however much waits
//! in it. What is leased is finished: it is extended, settled and rescued as ever. A dead letter can be replayed, and then waits. What
//! is not ready does not die at its deadline, because what it waits for cannot run: it takes its place in line again, and runs after
//! the resume. Only a source that there is can be paused, and only once; who and why is in the audit log.
//!
//! **Breaker.** A source that has one ([`BreakerPolicy`](crate::breaker::BreakerPolicy)) pauses by itself when too many of its last
//! events died of their handler, in the transaction in which the last one of them did; what led to it survives a restart. What was dead
//! on arrival does not count, nor does a failure that is tried again. A resume is a person's acknowledgement: the count starts over, and
//! what died or was done meanwhile is not in it.
//!
//! **Configuration.** [`Inbox::configure`] sets at once which sources there are, their rules and their breakers. Events of a source that
//! is not among them stay pending, because what was to become of them is not known any more; when it is configured again, they go on. A
//! pause outlives both.
//!
//! **Dead letters.** Each attempt is kept with its times, its outcome, its error, and the version of its handler. The version is noted with
//! the claim, so that it is known also of a handler that took the process along.
//! - When an event dies, the [fingerprint](crate::fingerprint) of its failure is stored with it. Dead letters of one failure are a group,
//!   which is found by the beginning of its fingerprint. An event that is replayed, revived or discarded leaves its group; if it dies
//!   again, it is in that of its last failure. What expires while it waits dies of what it waited for.
//! - A [`Selection`] selects the same ([`DeadLetters`]) for lists, groups, previews and pages with bodies. A preview counts by source and reason, and says
//!   how many were overtaken. A page with bodies ends before it is large.
//! - The audit log ([`AuditLog`]) is listed from the newest line, by event, source, actor, action and time.
//!
//! **Refusals.** [`KeepRefused::note_refusals`] counts every refusal, by source and reason. Of each source at most so many are kept as it is
//! told; the oldest of the most frequent reason make room, so that a flood of one reason does not drive out the others. How many there
//! were of each reason is also known by minute, for as long as deliveries are recorded ([`Records::traffic`]). Nothing of what a
//! request held is kept.
//!
//! **Quarantine.** [`KeepRefused::quarantine`] keeps requests byte for byte, within the rows and bytes of their source; the oldest make
//! room, and are counted. One that is larger than all the room is not kept. What is too old goes ([`KeepRefused::expire_quarantine`]).
//! [`Quarantine::release`] accepts what a request was proven to be, and takes the request out, in one transaction: of any number of
//! concurrent ones exactly one does. The event is what it would have been as a delivery: new, or a duplicate of what came another way.
//! Release and [`Quarantine::purge_quarantine`] are in the audit log with who and why.
//!
//! **Records.** Every delivery that is stored is recorded with its answer, in the same transaction ([`Records::deliveries`]). How soon it
//! was answered, and how many could not be stored, is written by [`Inbox::note_answers`] and by a stop; a killed process loses what it had
//! not written. Records go after their retention; when a key was first and last used stays known.
//!
//! **Purge.** What is done or discarded is forgotten in two steps, each after a retention of its source ([`Purge::set_retention`], durable).
//! - The payload goes first, counted from when the event was settled. The event is still shown, and says since when it has none; its
//!   deliveries are duplicates.
//! - The replay key goes with the event and its attempts, counted from its last delivery or from when it was settled, whichever was
//!   later. A delivery after that is a new event, with a number that no other had. While another body is known under a replay key, the
//!   event that has it stays.
//! - What is pending, running or dead is never purged. The audit log is not, either.
//! - The position of a key goes when the time that it stands for is past the retention and nothing of the key is unfinished or dead: what is
//!   earlier cannot come any more.
//! - A source without a retention keeps its replay keys for ever. Before any is set nothing is purged.
//! - One call ([`Purge::purge`]) takes away what its budget allows, in one transaction; the calls come to an end. An interrupted one has done
//!   nothing. What would go is told without doing it ([`Purge::purgeable`]).

mod audit;
mod dead;
mod deliveries;
mod error;
mod incoming;
mod leased;
mod life;
mod purge;
mod quarantine;
mod records;
mod refusals;
pub mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::UnixTime;
use tokio::sync::Notify;

use crate::effect::{SqliteHandler, Versions};
use crate::event::{EventNo, State};
use crate::ordering::{OrderPolicy, StaleRule};
use crate::retry::{Outcome, RetryPolicy};

pub use audit::{AuditEntry, AuditFilter, AuditLog};
pub use dead::{DeadLetters, Group, Groups, PAGE_BYTES, Preview, PreviewEntry, Selection};
pub use deliveries::{
    DeliveryFilter, DeliveryNo, DeliveryRecord, KeyUse, Records, RefusedInTime, Skews, Storage, Traffic,
};
pub use error::{InboxError, OperatorError, StoreError};
pub use incoming::{Facts, Incoming};
pub use leased::{Claimed, Lease};
pub use life::{Life, LifeError, Pause, SourceRules, SourceStatus};
pub use purge::{Budget, Keep, Purge, Purged, Retention};
pub use quarantine::{
    Head, Quarantine, QuarantineFilter, QuarantineLimits, QuarantineNo, QuarantineTotal, Quarantined,
    QuarantinedSummary, RefusedDelivery,
};
pub(crate) use records::page_size;
pub use records::{AttemptRecord, Blocked, Count, Counts, EventDetail, EventSummary, Filter};
pub use refusals::{
    KeepRefused, RefusalBatch, RefusalFilter, RefusalLog, RefusalRecord, RefusalSample, RefusalTotal,
    RefusalsOfSource, SampledMethod,
};

/// What workers and the HTTP edge need of a store. See the [module](self) for the contract.
#[async_trait]
pub trait Inbox: Operator + KeepRefused + Purge {
    /// Stores an event, durably.
    ///
    /// # Errors
    ///
    /// [`InboxError::Full`] when too many are waiting to be stored; [`InboxError::Store`] when the store failed, [`InboxError::Closed`]
    /// when it has ended. The event may be stored all the same (the disk failed after the write): answer 503, and the provider's
    /// retry is a duplicate.
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

    /// As [`Inbox::claim`], and notes with each attempt which version of its handler will run. At the claim, because a handler that
    /// kills the process has no other time to say it.
    ///
    /// # Errors
    ///
    /// As [`Inbox::claim`].
    async fn claim_for(
        &self,
        versions: Arc<dyn Versions>,
        max: usize,
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<Claimed>, InboxError> {
        // A store that keeps no history has nothing to note.
        drop(versions);
        self.claim(max, lease, now).await
    }

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

    /// Sets the rules of these sources, in place of those that they had. Others keep theirs. Who waits for a person in a source
    /// that does not park any more goes on.
    ///
    /// # Errors
    ///
    /// When the store failed: nothing was set.
    async fn set_order(&self, policies: Vec<(Arc<str>, OrderPolicy)>) -> Result<(), InboxError>;

    /// Sets which sources there are, their rules and their breakers, in place of what was set before. Events of other sources are
    /// not claimed from now on. Which of those have any that are not finished.
    ///
    /// # Errors
    ///
    /// When the store failed: nothing was set.
    async fn configure(
        &self,
        sources: Vec<SourceRules>,
        now: UnixTime,
    ) -> Result<Vec<SourceStatus>, InboxError>;

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

    /// Writes down how soon deliveries were answered, and how many could not be stored, since this was called last.
    ///
    /// # Errors
    ///
    /// When the store failed: it is written the next time.
    async fn note_answers(&self) -> Result<(), InboxError>;

    /// When there is next something to claim or to rescue; in the past if there is now.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn next_due(&self) -> Result<Option<UnixTime>, InboxError>;
}

/// What a person may ask of a store, also from another process while the server runs.
#[async_trait]
pub trait Operator: Life + Records {
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
    async fn replay(
        &self,
        event: EventNo,
        if_stale: IfStale,
        by: By,
        now: UnixTime,
    ) -> Result<Replayed, OperatorError>;

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

/// What a person wants if an event is older than what was applied of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfStale {
    /// What the source's rule says.
    FollowRule,
    /// It is applied. Its handler is told that it is stale, except where the rule is not to tell.
    Apply,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// The event is in line, in its place.
    InOrder,
    /// It is in line, but later events of its key were applied before: this rule decides about it.
    Stale(StaleRule),
    /// The same, and it will be applied because the person wants it.
    StaleConfirmed,
}

/// Who did something, and why: for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// A person's or a machine's name. `provider` and `breaker` are taken.
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
