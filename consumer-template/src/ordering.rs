//! How a source wants the events of a key kept in order: four rules, and their defaults for each preset.
//!
//! Deliveries come late, twice and in any order. Within a key the inbox runs one event at a time, the earliest first, among those
//! that are there. The rules say what happens around that:
//!
//! | rule | question |
//! |---|---|
//! | [`settle`](OrderPolicy::settle) | How long does a new event wait, so that an earlier one that is late can overtake it? |
//! | [`not_ready_deadline`](OrderPolicy::not_ready_deadline), [`at_deadline`](OrderPolicy::at_deadline) | How long does an event wait whose handler said [`NotReady`](crate::effect::Failure::NotReady), and what then? |
//! | [`stale`](OrderPolicy::stale) | What becomes of an event that is older than what was applied? |
//! | [`on_failure`](OrderPolicy::on_failure) | Do the others wait for one that fails? |
//!
//! An event without an ordering key has no others: it waits for nothing but its own retries and its own deadline.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// The longest settle window. Whoever needs more wants [`Failure::NotReady`](crate::effect::Failure::NotReady).
pub const MAX_SETTLE: Duration = Duration::from_secs(60);

/// The longest wait of an event that is not ready.
pub const MAX_NOT_READY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The rules of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderPolicy {
    /// How long a new event waits at most, from its arrival. Up to [`MAX_SETTLE`]; zero: not at all.
    pub settle: Duration,
    /// What becomes of an event that is older than the latest one of its key that was applied.
    pub stale: StaleRule,
    /// What becomes of the events of a key while one of them fails.
    pub on_failure: OnFailure,
    /// How long an event that is not ready waits at most, from the first time that it said so. Up to [`MAX_NOT_READY`].
    pub not_ready_deadline: Duration,
    /// What becomes of it then.
    pub at_deadline: AtDeadline,
}

impl Default for OrderPolicy {
    /// Nothing waits for what may never come; a handler is told what it should know; and one bad event stops its key for the time of
    /// its retries, not for ever.
    fn default() -> Self {
        Self {
            settle: Duration::ZERO,
            stale: StaleRule::Flag,
            on_failure: OnFailure::Block,
            not_ready_deadline: Duration::from_secs(3600),
            at_deadline: AtDeadline::Process,
        }
    }
}

/// An enumeration whose names stand in the configuration, in the database and on the screen.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name that is configured, stored and printed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// What becomes of an event that is older, by time and then sequence, than the latest one of its key that was applied.
    StaleRule {
        /// It is applied like any other. For handlers that merge, so that the order does not matter.
        Apply = "apply",
        /// It is done without having been applied, and recorded as superseded. For events that hold the whole state of their entity.
        Skip = "skip",
        /// It is applied, and its handler is told: [`Context::stale`](crate::effect::Context::stale).
        Flag = "flag",
    }
}

named! {
    /// What the other events of a key do when one of them fails.
    OnFailure {
        /// They wait while it is tried again, and go on when it is a dead letter.
        Block = "block",
        /// They wait while it is tried again, and when it is a dead letter they wait for a person.
        Park = "park",
        /// They go on at once.
        Skip = "skip",
    }
}

named! {
    /// What becomes of an event that was not ready until its deadline.
    AtDeadline {
        /// Its handler runs once more and is told: [`Context::overdue`](crate::effect::Context::overdue). If it says
        /// "not ready" again, the event is a dead letter.
        Process = "process",
        /// It is a dead letter.
        Dead = "dead",
    }
}

/// Where an event stands in its key's order: time, then the provider's counter. Equal ones are in no order that the provider knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When it occurred, else when it arrived; Unix milliseconds.
    pub at: i64,
    /// The provider's counter, else 0.
    pub sequence: i64,
}

impl Position {
    /// Whether an event that stands here is older than what was `applied` last.
    #[must_use]
    pub fn is_stale(self, applied: Option<Self>) -> bool {
        applied.is_some_and(|applied| self < applied)
    }
}

/// When a new event is due: its window after its arrival, but no later than the event behind it, which has waited longer.
///
/// So an event waits for its window at most, however many earlier ones come meanwhile.
#[must_use]
pub fn settled_at(received: i64, window: i64, due_behind: Option<i64>) -> i64 {
    let due = received.saturating_add(window);
    due_behind.map_or(due, |behind| due.min(behind)).max(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_what_they_were() {
        assert!(StaleRule::ALL.iter().all(|rule| StaleRule::parse(rule.as_str()) == Some(*rule)));
        assert!(OnFailure::ALL.iter().all(|rule| OnFailure::parse(rule.as_str()) == Some(*rule)));
        assert!(AtDeadline::ALL.iter().all(|rule| AtDeadline::parse(rule.as_str()) == Some(*rule)));
        assert_eq!(StaleRule::parse("Skip"), None);
    }

    #[test]
    fn only_what_is_strictly_older_is_stale() {
        let position = |at, sequence| Position { at, sequence };
        let applied = Some(position(5, 2));
        assert!(position(4, 9).is_stale(applied) && position(5, 1).is_stale(applied));
        assert!(!position(5, 2).is_stale(applied) && !position(5, 3).is_stale(applied));
        assert!(!position(6, 0).is_stale(applied) && !position(i64::MIN, 0).is_stale(None));
    }

    #[test]
    fn a_window_ends_with_that_of_the_event_behind() {
        assert_eq!(settled_at(50, 100, None), 150);
        assert_eq!(settled_at(50, 100, Some(100)), 100, "the one behind has waited since 0");
        assert_eq!(settled_at(50, 100, Some(900)), 150, "the one behind waits for its retry");
        assert_eq!(settled_at(50, 100, Some(20)), 50, "never before it arrived");
        assert_eq!(settled_at(i64::MAX, 100, None), i64::MAX);
    }
}
