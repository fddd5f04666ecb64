//! Events: their numbers, their states, and the one function that says which change of state is legal.
//!
//! ```text
//!            Claim              Complete
//! (new) ─► Pending ───► Running ───► Done
//!             ▲  ▲  Retry, │ │
//!             │  └─ Wait ──┘ │ Bury
//!             │              ▼
//!             └─ Revive ─── Dead ───► Discarded
//!                                Discard
//! ```
//!
//! Two ways lead past a run of the handler: what others of its key have overtaken goes from pending to done (Supersede), and what
//! waited for others in vain from pending to dead (Expire).

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hookproof::UnixTime;

/// The number of an event: its place in the order of arrival, and what people type on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventNo(pub i64);

impl fmt::Display for EventNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for EventNo {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Where an event stands. Every accepted event is in exactly one of these, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waiting for its turn, its retry time, or a free worker.
    Pending,
    /// Claimed: a worker holds a lease on it.
    Running,
    /// The handler succeeded, or was not needed: see [`StaleRule::Skip`](crate::ordering::StaleRule::Skip).
    Done,
    /// A dead letter: kept until a person acts, or the provider sends it again.
    Dead,
    /// A dead letter that a person decided not to process.
    Discarded,
}

impl State {
    /// All states, in the order in which an event meets them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Done, Self::Dead, Self::Discarded];

    /// The name that is stored, logged and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an event is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadReason {
    /// The body cannot be read as what the source says it is.
    Malformed,
    /// The signed id had come before, with another body.
    Conflict,
    /// Every attempt failed, or did not come back.
    AttemptsExhausted,
    /// The handler said that trying again cannot help.
    Permanent,
    /// The handler said that the event is not ready, until its deadline.
    Deadline,
}

impl DeadReason {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Malformed, Self::Conflict, Self::AttemptsExhausted, Self::Permanent, Self::Deadline];

    /// The name that is stored, logged and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Conflict => "conflict",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::Permanent => "permanent",
            Self::Deadline => "deadline",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether a handler had it and could not do it: what a breaker counts. The others were dead on arrival.
    #[must_use]
    pub const fn is_of_its_handler(self) -> bool {
        matches!(self, Self::AttemptsExhausted | Self::Permanent | Self::Deadline)
    }

    /// Whether another delivery of the same event is reason enough to try again.
    ///
    /// A handler's failure may be over by now, and somebody asked the provider to resend. A body that could not be
    /// read is the same body, and a conflict is for a person to judge.
    #[must_use]
    pub const fn revived_by_redelivery(self) -> bool {
        matches!(self, Self::AttemptsExhausted | Self::Permanent | Self::Deadline)
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can happen to an event after it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A worker takes it; this counts an attempt.
    Claim,
    /// The handler succeeded.
    Complete,
    /// The attempt failed or was lost, and there is another one.
    Retry,
    /// The handler said that the event is not ready. The attempt does not count.
    Wait,
    /// No attempt will follow.
    Bury,
    /// Later events of its key were applied, and the source wants no older ones then.
    Supersede,
    /// It was not ready until its deadline.
    Expire,
    /// A person or a redelivery gives a dead letter new attempts.
    Revive,
    /// A person decides that a dead letter is not to be processed.
    Discard,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 9] = [
        Self::Claim,
        Self::Complete,
        Self::Retry,
        Self::Wait,
        Self::Bury,
        Self::Supersede,
        Self::Expire,
        Self::Revive,
        Self::Discard,
    ];
}

/// The state after `step`, or `None` if that cannot happen to an event in state `from`.
///
/// The only place that knows. Whoever changes a state asks here, and guards its write with the state that it asked about.
#[must_use]
pub const fn transition(from: State, step: Step) -> Option<State> {
    match (from, step) {
        (State::Pending, Step::Claim) => Some(State::Running),
        (State::Running, Step::Complete) | (State::Pending, Step::Supersede) => Some(State::Done),
        (State::Running, Step::Retry | Step::Wait) | (State::Dead, Step::Revive) => Some(State::Pending),
        (State::Running, Step::Bury) | (State::Pending, Step::Expire) => Some(State::Dead),
        (State::Dead, Step::Discard) => Some(State::Discarded),
        _ => None,
    }
}

/// A piece of metadata and whether the signature covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The value as the provider sent it.
    pub value: String,
    /// Whether it was inside the signed bytes. If not, anybody who captured a delivery could have changed it.
    pub signed: bool,
}

/// An event as a handler sees it.
#[derive(Clone)]
pub struct Event {
    /// Its number.
    pub number: EventNo,
    /// The configured source that received it.
    pub source: Arc<str>,
    /// The scheme that verified it: `klozeo`.
    pub scheme: String,
    /// The id of the key that verified it: `2026-11`.
    pub key_id: String,
    /// Its identity. The same on every attempt, replay and redelivery.
    pub replay_key: [u8; 32],
    /// The provider's id of the event, if it sends one.
    pub event_id: Option<Named>,
    /// The provider's type of the event, if it names one: `lead.created`.
    pub event_type: Option<Named>,
    /// The entity whose events are applied in order.
    pub ordering_key: Option<String>,
    /// When it happened, if the provider says so.
    pub occurred_at: Option<UnixTime>,
    /// The provider's own counter, if it has one.
    pub sequence: Option<i64>,
    /// When the first delivery of it arrived.
    pub received_at: UnixTime,
    /// The kept request headers. Never the signature.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, byte for byte as it was signed.
    pub body: Bytes,
}

impl Event {
    /// The event's type, or nothing.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.event_type.as_ref().map(|named| named.value.as_str())
    }

    /// When it happened: the provider's word for it, else when it arrived.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.occurred_at.unwrap_or(self.received_at)
    }

    /// A key for outside systems that drop repeated calls: hexadecimal, the same on every attempt and replay.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        use fmt::Write as _;
        self.replay_key.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Without the body and the headers: events reach logs.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("number", &self.number)
            .field("source", &self.source)
            .field("event_type", &self.event_type)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_legal_changes_is_exactly_this() {
        let legal: Vec<_> = State::ALL
            .into_iter()
            .flat_map(|from| Step::ALL.into_iter().map(move |step| (from, step)))
            .filter_map(|(from, step)| transition(from, step).map(|to| (from, step, to)))
            .collect();
        assert_eq!(
            legal,
            [
                (State::Pending, Step::Claim, State::Running),
                (State::Pending, Step::Supersede, State::Done),
                (State::Pending, Step::Expire, State::Dead),
                (State::Running, Step::Complete, State::Done),
                (State::Running, Step::Retry, State::Pending),
                (State::Running, Step::Wait, State::Pending),
                (State::Running, Step::Bury, State::Dead),
                (State::Dead, Step::Revive, State::Pending),
                (State::Dead, Step::Discard, State::Discarded),
            ]
        );
    }

    #[test]
    fn names_are_read_back_as_what_they_were() {
        assert!(State::ALL.into_iter().all(|state| State::parse(state.as_str()) == Some(state)));
        assert!(DeadReason::ALL.into_iter().all(|reason| DeadReason::parse(reason.as_str()) == Some(reason)));
        assert_eq!(State::parse("Done"), None);
    }
}
