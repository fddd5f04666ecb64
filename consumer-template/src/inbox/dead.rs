//! Many dead letters: which ones, what they have in common, and all that is known about each.

use async_trait::async_trait;
use hookproof::UnixTime;

use super::{EventDetail, EventSummary, Filter, InboxError, Operator};
use crate::event::{DeadReason, EventNo};
use crate::fingerprint::{Fingerprint, FingerprintPrefix};

/// What lists, previews, exports, replays and discards ask of an event. What is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only of this source.
    pub source: Option<String>,
    /// Only dead for this reason.
    pub reason: Option<DeadReason>,
    /// Only dead of this failure.
    pub group: Option<Fingerprint>,
    /// Only of this type.
    pub event_type: Option<String>,
    /// Only of this entity.
    pub ordering_key: Option<String>,
    /// Only what arrived at this time or later.
    pub received_after: Option<UnixTime>,
    /// Only what arrived before this time.
    pub received_before: Option<UnixTime>,
}

/// What a store knows about many dead letters. See the [module](super) for the contract.
#[async_trait]
pub trait DeadLetters: Operator {
    /// How many dead letters are selected, by source and reason.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn preview(&self, selection: Selection) -> Result<Preview, InboxError>;

    /// The failures of the selected dead letters, those with the most dead letters first, up to `max` of them.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn groups(&self, selection: Selection, max: usize) -> Result<Groups, InboxError>;

    /// The failures of dead letters whose fingerprints begin like this, up to `max` of them.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn groups_named(
        &self,
        prefix: FingerprintPrefix,
        max: usize,
    ) -> Result<Vec<Fingerprint>, InboxError>;

    /// One page of events with their bodies, attempts and audit logs: as [`Operator::list`], but it also ends before its bodies have
    /// more than [`PAGE_BYTES`]. It has one event at least, if there is one.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn details(&self, filter: Filter) -> Result<Vec<EventDetail>, InboxError>;

    /// One event without its body; `None` if there is no such number.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn summary(&self, event: EventNo) -> Result<Option<EventSummary>, InboxError>;
}

/// The bodies of a page of details have at most this many bytes together, unless it is a single one.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// What is selected, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// One entry for each source and reason, by source.
    pub entries: Vec<PreviewEntry>,
    /// The highest number among them.
    pub last: Option<EventNo>,
}

/// What is selected of one source, dead for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewEntry {
    /// The source.
    pub source: String,
    /// The reason.
    pub reason: DeadReason,
    /// How many dead letters.
    pub events: u64,
    /// Of those, how many are older than what was applied of their keys.
    pub overtaken: u64,
}

impl Preview {
    /// How many dead letters are selected.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.entries.iter().map(|entry| entry.events).sum()
    }

    /// How many of them are older than what was applied of their keys.
    #[must_use]
    pub fn overtaken(&self) -> u64 {
        self.entries.iter().map(|entry| entry.overtaken).sum()
    }
}

/// The failures of which events died.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The first ones.
    pub groups: Vec<Group>,
    /// How many there are.
    pub total: u64,
}

/// The dead letters of one failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub fingerprint: Fingerprint,
    /// Their source.
    pub source: String,
    /// Why they are dead.
    pub reason: DeadReason,
    /// How many.
    pub events: u64,
    /// When the first of them died.
    pub first_seen: UnixTime,
    /// When the last of them died.
    pub last_seen: UnixTime,
    /// When the one that waits for longest arrived.
    pub oldest_received: UnixTime,
    /// The error of the one with the highest number, in its own words.
    pub sample: Option<String>,
}
