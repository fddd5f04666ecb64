//! Forgetting what is finished: what a store is asked, and what it says it did.

use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::UnixTime;

use super::InboxError;

/// How a store forgets what is finished. See the [contract](super).
#[async_trait]
pub trait Purge: Send + Sync {
    /// Sets how long things are kept, durably. A source that is not among them keeps what was set for it before.
    ///
    /// # Errors
    ///
    /// When the store failed: nothing was set.
    async fn set_retention(&self, retention: Retention) -> Result<(), InboxError>;

    /// What is set; `None` if nothing ever was. Then nothing is purged.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn retention(&self) -> Result<Option<Retention>, InboxError>;

    /// Forgets some of what is due at `now`: what `budget` allows, in one transaction.
    ///
    /// # Errors
    ///
    /// When the store failed: this piece is not purged.
    async fn purge(&self, budget: Budget, now: UnixTime) -> Result<Purged, InboxError>;

    /// What [`purge`](Self::purge) would take away by and by if it were asked at `now`. Changes nothing. The positions of keys are not
    /// counted: that would be to look at each.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn purgeable(&self, now: UnixTime) -> Result<Purged, InboxError>;
}

/// How long what is finished is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// By source.
    pub sources: Vec<(Arc<str>, Keep)>,
    /// For sources that were never named.
    pub others: Keep,
    /// How long the record of a delivery is kept, from its arrival.
    pub deliveries: Duration,
}

/// How long a source keeps what is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Headers and body, from when the event was done or discarded.
    pub payload: Duration,
    /// The replay key and the event with it, from its last delivery or from when it was done or discarded, whichever was later.
    /// `None`: for ever. Not less than `payload`.
    pub replay_key: Option<Duration>,
    /// The position of a key, from the time that it stands for.
    pub position: Duration,
}

/// How much one transaction may take away. It ends with whichever is used up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Rows of each kind that are looked at.
    pub rows: usize,
    /// For how long; what was begun is finished.
    pub time: Duration,
}

/// What was taken away, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Records of deliveries.
    pub deliveries: u64,
    /// Payloads.
    pub payloads: u64,
    /// Bytes of headers and bodies in them.
    pub payload_bytes: u64,
    /// Events, with their replay keys and attempts.
    pub events: u64,
    /// Positions of keys.
    pub positions: u64,
    /// Whether there is more to do now.
    pub more: bool,
}

impl Purged {
    /// Whether anything was taken away.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.deliveries + self.payloads + self.events + self.positions > 0
    }
}

impl AddAssign for Purged {
    /// The sum; `more` is that of the later one.
    fn add_assign(&mut self, later: Self) {
        self.deliveries += later.deliveries;
        self.payloads += later.payloads;
        self.payload_bytes += later.payload_bytes;
        self.events += later.events;
        self.positions += later.positions;
        self.more = later.more;
    }
}
