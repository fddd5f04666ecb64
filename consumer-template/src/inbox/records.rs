//! What an operator gets to see.

use hookproof::UnixTime;

use super::{AuditEntry, DeliveryRecord, Selection};
use crate::event::{DeadReason, Event, EventNo, State};
use crate::fingerprint::Fingerprint;

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what is selected. A reason or a failure selects among the dead, unless a state is given.
    pub select: Selection,
    /// Only in this state.
    pub state: Option<State>,
    /// Only what is superseded.
    pub superseded: bool,
    /// Only what comes after this event in the order of the list: the last number of the page before.
    pub after: Option<EventNo>,
    /// Only up to this number.
    pub up_to: Option<EventNo>,
    /// The newest first instead of the oldest.
    pub newest_first: bool,
    /// At most this many; 0 and everything above [`Filter::MAX_LIMIT`] mean [`Filter::MAX_LIMIT`].
    pub limit: usize,
}

impl Filter {
    /// The largest page.
    pub const MAX_LIMIT: usize = 100;

    /// What was done without being applied, because later events of its key were.
    #[must_use]
    pub fn superseded() -> Self {
        Self { superseded: true, ..Self::default() }
    }

    /// All dead letters.
    #[must_use]
    pub fn dead() -> Self {
        Self { state: Some(State::Dead), ..Self::default() }
    }

    /// Of these, the selected ones.
    #[must_use]
    pub fn selecting(self, select: Selection) -> Self {
        Self { select, ..self }
    }
}

/// How long a page is, of which `limit` lines were asked for: 0 is for as many as there may be.
pub(crate) fn page_size(limit: usize, most: usize) -> usize {
    if limit == 0 { most } else { limit.min(most) }
}

/// A line in a list of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSummary {
    /// Its number.
    pub number: EventNo,
    /// The configured source.
    pub source: String,
    /// The provider's id.
    pub event_id: Option<String>,
    /// The provider's type.
    pub event_type: Option<String>,
    /// The entity.
    pub ordering_key: Option<String>,
    /// When the first delivery arrived.
    pub received_at: UnixTime,
    /// Where it stands.
    pub state: State,
    /// Why it is dead, if it is or was.
    pub reason: Option<DeadReason>,
    /// Of which failure it is dead, if it is or was.
    pub fingerprint: Option<Fingerprint>,
    /// Done without having been applied, because later events of its key were.
    pub superseded: bool,
    /// Whether a later event of its key was applied.
    pub overtaken: bool,
    /// How many events of its key wait until a person replays or discards it; `None` if it blocks none, now and later.
    pub blocks: Option<u64>,
    /// Attempts since it was stored or last replayed.
    pub attempts: u32,
    /// The error of the last attempt that failed, what it waits for, or why it is malformed.
    pub last_error: Option<String>,
    /// When it became done, dead or discarded.
    pub settled_at: Option<UnixTime>,
}

/// Everything about one event.
#[derive(Clone, Debug)]
pub struct EventDetail {
    /// Where it stands.
    pub summary: EventSummary,
    /// What a handler sees, body and headers included.
    pub event: Event,
    /// All attempts, also those before a replay, the oldest first.
    pub attempts: Vec<AttemptRecord>,
    /// What people and the provider did to it, the oldest first.
    pub audit: Vec<AuditEntry>,
    /// Its deliveries, the oldest first, as far as their records are kept; of very many, the latest.
    pub deliveries: Vec<DeliveryRecord>,
    /// When its headers and body went, after their retention. `event` is shown without them then.
    pub purged_at: Option<UnixTime>,
}

/// One run of the handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Counted from 1, and from 1 again after a replay.
    pub attempt: u32,
    /// The version of the handler that ran, in its own words; `None` if the worker did not say.
    pub handler: Option<String>,
    /// When it was claimed.
    pub started_at: UnixTime,
    /// When it was settled or rescued.
    pub ended_at: Option<UnixTime>,
    /// `done`, `retry`, `dead`, `lost` or `not_ready` (of several of these in a row, the last one is kept); nothing while it runs.
    pub outcome: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

impl AttemptRecord {
    /// How long it took, from its claim to its end, in milliseconds.
    #[must_use]
    pub fn took_ms(&self) -> Option<u64> {
        self.ended_at.map(|end| end.as_millis().saturating_sub(self.started_at.as_millis()))
    }
}

/// How many events there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// One entry for each source and state with any events, by source.
    pub entries: Vec<Count>,
    /// One entry for each source with keys that wait for a person, by source.
    pub blocked: Vec<Blocked>,
}

/// What of a source waits until a person replays or discards a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The source.
    pub source: String,
    /// How many ordering keys.
    pub keys: u64,
    /// How many events of those keys.
    pub events: u64,
}

/// How many events of a source are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The source.
    pub source: String,
    /// The state.
    pub state: State,
    /// How many.
    pub events: u64,
}

impl Counts {
    /// How many events are in `state`, over all sources.
    #[must_use]
    pub fn of(&self, state: State) -> u64 {
        self.entries.iter().filter(|count| count.state == state).map(|count| count.events).sum()
    }

    /// How many events there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.entries.iter().map(|count| count.events).sum()
    }
}
