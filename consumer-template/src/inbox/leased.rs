//! What a worker holds.

use std::sync::Arc;

use hookproof::UnixTime;

use crate::effect::Context;
use crate::event::{DeadReason, Event, EventNo};
use crate::retry::{Failure, Outcome, RetryPolicy};

/// An event on which the caller holds a lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The event.
    pub event: Arc<Event>,
    /// The right to work on it.
    pub lease: Lease,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
    /// A later event of its key was applied already, and the source wants its handler to know.
    pub stale: bool,
    /// It was not ready, and its deadline has passed.
    pub overdue: bool,
}

impl Claimed {
    /// What the handler is told besides the event.
    #[must_use]
    pub fn context(&self) -> Context {
        let mut context = Context::new(&self.event, self.attempt);
        (context.stale, context.overdue) = (self.stale, self.overdue);
        context
    }

    /// What becomes of this attempt, which failed. `dice` is a random number in `0.0..1.0`.
    ///
    /// As [`RetryPolicy::after`], but what is still not ready after its deadline is a dead letter.
    #[must_use]
    pub fn outcome_of(&self, failure: &Failure, retry: &RetryPolicy, now: UnixTime, dice: f64) -> Outcome {
        match retry.after(self.attempt, failure, now, dice) {
            Outcome::NotReady { error } if self.overdue => {
                Outcome::Dead { reason: DeadReason::Deadline, error }
            }
            outcome => outcome,
        }
    }
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
