//! The record of deliveries: what came, when, and how it was answered.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use hdrhistogram::Histogram;
use hookproof::UnixTime;

use super::InboxError;
use crate::event::{EventNo, State};

/// What is known of deliveries, of keys and of the store's size.
#[async_trait]
pub trait Records: Send + Sync {
    /// Deliveries, the latest first.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<DeliveryRecord>, InboxError>;

    /// What happened from `from` until before `until`, by source: of one, also if nothing is known of it, or of all that anything
    /// is known of. What could not be stored or was refused is counted by whole minutes.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn traffic(
        &self,
        source: Option<String>,
        from: UnixTime,
        until: UnixTime,
    ) -> Result<BTreeMap<String, Traffic>, InboxError>;

    /// How large the store is.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn storage(&self) -> Result<Storage, InboxError>;
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this event.
    pub event: Option<EventNo>,
    /// Only from then on.
    pub since: Option<UnixTime>,
    /// Only those before this one in the list's order: the last one of the page before.
    pub before: Option<DeliveryNo>,
    /// At most this many; 0 and everything above [`DeliveryFilter::MAX_LIMIT`] mean [`DeliveryFilter::MAX_LIMIT`].
    pub limit: usize,
}

impl DeliveryFilter {
    /// The largest page.
    pub const MAX_LIMIT: usize = 1_000;
}

/// What identifies a delivery: its event, and which one of those of the same millisecond it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryNo {
    /// When it arrived.
    pub received_at: UnixTime,
    /// The event that it belongs to.
    pub event: EventNo,
    /// Counted from 0.
    pub nth: i64,
}

/// One delivery that was verified and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// When it came and what for.
    pub number: DeliveryNo,
    /// The source.
    pub source: String,
    /// The key that it was verified with.
    pub key_id: String,
    /// `new`, `duplicate`, `revived` or `conflict`.
    pub answer: String,
    /// The state in which it found its event; `None` if it was the first.
    pub state: Option<State>,
    /// By how much the sender's clock is ahead of ours, in milliseconds; `None` if nothing signed says when it was sent.
    pub skew_ms: Option<i64>,
    /// From the request's head to the answer. `None` if it was not answered: the sender had gone, or the process ended.
    pub ack: Option<Duration>,
}

/// What happened to a source in a time.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Deliveries that were answered with success.
    pub answered: u64,
    /// Deliveries that were stored, and whose sender got no answer as far as is known.
    pub unanswered: u64,
    /// Deliveries that could not be stored and were answered 503.
    pub not_stored: u64,
    /// Of those that were stored, how many were another delivery of a known event.
    pub duplicates: u64,
    /// How many were an event's first, also those with another body under a known replay key.
    pub new: u64,
    /// How many of those had another body under a known replay key.
    pub conflicts: u64,
    /// From the request's head to the answer, in microseconds.
    pub ack_us: Histogram<u64>,
    /// By how much the senders' clocks are ahead or behind.
    pub skew: Skews,
    /// Events that became dead letters then and still are.
    pub new_dead: u64,
    /// Dead letters now.
    pub dead: u64,
    /// Requests that were refused then, by reason, the most frequent first.
    pub refused: Vec<RefusedInTime>,
    /// Each key, as far back as is known.
    pub keys: Vec<KeyUse>,
}

impl Traffic {
    /// Nothing happened.
    ///
    /// # Errors
    ///
    /// Never: the bounds are right.
    pub fn none() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            answered: 0,
            unanswered: 0,
            not_stored: 0,
            duplicates: 0,
            new: 0,
            conflicts: 0,
            ack_us: histogram()?,
            skew: Skews::new()?,
            new_dead: 0,
            dead: 0,
            refused: Vec::new(),
            keys: Vec::new(),
        })
    }
}

/// Requests that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedInTime {
    /// The reason's code.
    pub reason: String,
    /// How many.
    pub requests: u64,
    /// The last of them.
    pub last: UnixTime,
}

/// By how much clocks differ from ours, in milliseconds.
#[derive(Clone, Debug)]
pub struct Skews {
    ahead: Histogram<u64>,
    behind: Histogram<u64>,
    size: Histogram<u64>,
}

impl Skews {
    /// None yet.
    ///
    /// # Errors
    ///
    /// Never: the bounds are right.
    pub fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self { ahead: histogram()?, behind: histogram()?, size: histogram()? })
    }

    /// Adds one; positive if their clock is ahead.
    pub fn add(&mut self, skew_ms: i64) {
        let side = if skew_ms < 0 { &mut self.behind } else { &mut self.ahead };
        side.saturating_record(skew_ms.unsigned_abs());
        self.size.saturating_record(skew_ms.unsigned_abs());
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.size.len()
    }

    /// The one in the middle; positive if their clock is ahead.
    #[must_use]
    pub fn median(&self) -> Option<i64> {
        let (behind, ahead) = (self.behind.len(), self.ahead.len());
        let middle = (behind + ahead).div_ceil(2);
        let at = |side: &Histogram<u64>, rank: u64| {
            i64::try_from(side.value_at_quantile(rank as f64 / side.len() as f64)).unwrap_or(i64::MAX)
        };
        match middle {
            0 => None,
            // Who is furthest behind comes first.
            _ if middle <= behind => Some(-at(&self.behind, behind - middle + 1)),
            _ => Some(at(&self.ahead, middle - behind)),
        }
    }

    /// What 99 of 100 do not exceed, whichever way.
    #[must_use]
    pub fn p99(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.size.value_at_quantile(0.99))
    }
}

/// From 1 to an hour of microseconds or a month of milliseconds, to three digits; more is that.
pub(crate) fn histogram() -> Result<Histogram<u64>, hdrhistogram::CreationError> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3)
}

/// When a key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The source.
    pub source: String,
    /// The key's id.
    pub key_id: String,
    /// Its first delivery that is known.
    pub first: UnixTime,
    /// Its last delivery.
    pub last: UnixTime,
    /// How many there were.
    pub deliveries: u64,
}

/// How large a store is, and how far back it reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The database's file.
    pub database_bytes: u64,
    /// The write-ahead log beside it.
    pub log_bytes: u64,
    /// Of the database, what is free for what comes next.
    pub free_bytes: u64,
    /// Payloads that are kept.
    pub payloads: u64,
    /// Headers and bodies in them.
    pub payload_bytes: u64,
    /// Records of deliveries reach back to here.
    pub oldest_delivery: Option<UnixTime>,
    /// The oldest event of each state that has one: when it arrived.
    pub oldest: Vec<(State, UnixTime)>,
    /// The oldest event whose replay key is remembered: when it arrived.
    pub oldest_replay_key: Option<UnixTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_clocks_that_are_behind_and_ahead_has_a_sign() {
        let of = |skews: &[i64]| {
            let mut all = Skews::new().unwrap();
            skews.iter().for_each(|skew| all.add(*skew));
            (all.median(), all.p99())
        };
        assert_eq!(of(&[]), (None, None));
        assert_eq!(of(&[-300]), (Some(-300), Some(300)));
        assert_eq!(of(&[0]), (Some(0), Some(0)));
        assert_eq!(of(&[-900, -5, 7]), (Some(-5), Some(900)));
        assert_eq!(of(&[-900, -800, -5, 7]), (Some(-800), Some(900)));
        assert_eq!(of(&[-5, 7, 9]), (Some(7), Some(9)));
    }
}
