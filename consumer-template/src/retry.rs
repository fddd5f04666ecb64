//! When to try again, and when to give up. Pure: the attempt, the failure and a random number go in, an outcome comes out.
//!
//! Delays grow exponentially with full jitter: a uniformly random part of `first * 2^(attempt - 1)`, capped. Full jitter
//! spreads the retries of events that failed together, which is what an outage makes of them.

use std::time::Duration;

use hookproof::UnixTime;

use crate::clock::later;
use crate::event::DeadReason;

/// How a handler says that it did not succeed. The text is stored and shown to operators: no secrets, no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may work next time: the other side was down, a lock was taken.
    Transient(String),
    /// It may work after this long: the other side said so.
    RetryAfter(Duration, String),
    /// It will never work: the event is not what it should be.
    Permanent(String),
    /// It has to wait for another event of its key: the note came before its lead. Costs no attempt.
    NotReady(String),
}

impl Failure {
    /// It may work next time.
    pub fn transient(why: impl std::fmt::Display) -> Self {
        Self::Transient(why.to_string())
    }

    /// It may work after `wait`.
    pub fn retry_after(wait: Duration, why: impl std::fmt::Display) -> Self {
        Self::RetryAfter(wait, why.to_string())
    }

    /// It will never work.
    pub fn permanent(why: impl std::fmt::Display) -> Self {
        Self::Permanent(why.to_string())
    }

    /// It has to wait for another event of its key.
    pub fn not_ready(why: impl std::fmt::Display) -> Self {
        Self::NotReady(why.to_string())
    }

    /// What to tell the operator.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Transient(text)
            | Self::RetryAfter(_, text)
            | Self::Permanent(text)
            | Self::NotReady(text) => text,
        }
    }
}

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handler succeeded.
    Done,
    /// Another attempt at `at`.
    Retry {
        /// The earliest time of the next attempt.
        at: UnixTime,
        /// What went wrong.
        error: String,
    },
    /// Another attempt when another event of its key is done, at the latest at its deadline. This one does not count.
    NotReady {
        /// What it waits for, in the handler's words.
        error: String,
    },
    /// No other attempt.
    Dead {
        /// Why not.
        reason: DeadReason,
        /// What went wrong.
        error: String,
    },
}

/// How often and how soon to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included. At least 1.
    pub max_attempts: u32,
    /// The longest wait before the second attempt.
    pub first: Duration,
    /// The longest wait before any attempt.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, from one second, at most 15 minutes apart.
    fn default() -> Self {
        Self { max_attempts: 5, first: Duration::from_secs(1), cap: Duration::from_secs(15 * 60) }
    }
}

impl RetryPolicy {
    /// The longest wait after `attempt` (counted from 1).
    #[must_use]
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.first.saturating_mul(1_u32 << doublings).min(self.cap)
    }

    /// What becomes of an event whose `attempt` failed. `dice` is a random number in `0.0..1.0`.
    ///
    /// A wait that the handler asked for is taken as a minimum, up to the cap: a peer that says "in a year" does not decide
    /// how long the events behind this one wait.
    #[must_use]
    pub fn after(&self, attempt: u32, failure: &Failure, now: UnixTime, dice: f64) -> Outcome {
        let error = failure.text().to_owned();
        let asked = match failure {
            Failure::Permanent(_) => return Outcome::Dead { reason: DeadReason::Permanent, error },
            Failure::NotReady(_) => return Outcome::NotReady { error },
            Failure::Transient(_) => Duration::ZERO,
            Failure::RetryAfter(wait, _) => (*wait).min(self.cap),
        };
        if self.used_up(attempt) {
            return Outcome::Dead { reason: DeadReason::AttemptsExhausted, error };
        }
        let wait = self.ceiling(attempt).mul_f64(dice.clamp(0.0, 1.0)).max(asked);
        Outcome::Retry { at: later(now, wait), error }
    }

    /// Whether no attempt is left after `attempt`.
    #[must_use]
    pub const fn used_up(&self, attempt: u32) -> bool {
        attempt >= self.max_attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_000_000);

    fn wait(policy: RetryPolicy, attempt: u32, failure: &Failure, dice: f64) -> u64 {
        match policy.after(attempt, failure, NOW, dice) {
            Outcome::Retry { at, .. } => at.as_millis() - NOW.as_millis(),
            other => panic!("expected a retry, got {other:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_are_jittered_over_their_whole_range() {
        let policy = RetryPolicy { max_attempts: u32::MAX, ..RetryPolicy::default() };
        let down = Failure::transient("down");
        assert_eq!(
            [1, 2, 3, 10, 11, 12, 4_000_000].map(|n| wait(policy, n, &down, 1.0)),
            [1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000]
        );
        assert_eq!(wait(policy, 3, &down, 0.0), 0);
        assert_eq!(wait(policy, 3, &down, 0.25), 1_000);
    }

    #[test]
    fn the_fourth_failure_is_retried_and_the_fifth_is_not() {
        let policy = RetryPolicy::default();
        let down = Failure::transient("down");
        assert!(matches!(policy.after(4, &down, NOW, 0.5), Outcome::Retry { .. }));
        let dead = Outcome::Dead { reason: DeadReason::AttemptsExhausted, error: "down".to_owned() };
        assert_eq!(policy.after(5, &down, NOW, 0.5), dead);
    }

    #[test]
    fn a_permanent_failure_is_dead_at_once() {
        let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
        assert_eq!(RetryPolicy::default().after(1, &Failure::permanent("no"), NOW, 0.5), dead);
    }

    #[test]
    fn waiting_for_others_uses_up_no_attempt() {
        let wait = Outcome::NotReady { error: "no lead yet".to_owned() };
        assert_eq!(RetryPolicy::default().after(5, &Failure::not_ready("no lead yet"), NOW, 0.5), wait);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_but_not_beyond_the_cap() {
        let policy = RetryPolicy::default();
        let asked = |secs| Failure::retry_after(Duration::from_secs(secs), "busy");
        assert_eq!(wait(policy, 1, &asked(60), 0.0), 60_000);
        assert_eq!(wait(policy, 1, &asked(901), 1.0), 900_000);
        assert_eq!(wait(policy, 4, &asked(1), 1.0), 8_000);
    }
}
