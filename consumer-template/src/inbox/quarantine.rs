//! The quarantine: refused requests as they came, until they are verified again, too old, or in the way.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookproof::{Refusal, UnixTime};
use http::request::Parts;

use crate::inbox::{Accepted, By, InboxError, Incoming};

/// What a person may do to what is in quarantine, also from another process while the server runs. See the [contract](super).
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// What is and was in quarantine, by source.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn quarantine_totals(&self) -> Result<Vec<QuarantineTotal>, InboxError>;

    /// One page of what is in quarantine, the oldest first, without bodies and headers.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn quarantined(&self, filter: QuarantineFilter) -> Result<Vec<QuarantinedSummary>, InboxError>;

    /// One request, whole; `None` if there is none of that number.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn quarantined_request(&self, number: QuarantineNo) -> Result<Option<Quarantined>, InboxError>;

    /// Accepts what the request of this number has been proven to be, as [`Inbox::accept`](super::Inbox::accept) does, and takes the
    /// request out of quarantine. `None`: it is not there any more, and nothing was changed.
    ///
    /// # Errors
    ///
    /// When the store failed. May be called again.
    async fn release(
        &self,
        number: QuarantineNo,
        incoming: Incoming,
        by: By,
        now: UnixTime,
    ) -> Result<Option<Accepted>, InboxError>;

    /// Deletes what `filter` selects, at most a page. How many there were.
    ///
    /// # Errors
    ///
    /// When the store failed: nothing was deleted.
    async fn purge_quarantine(
        &self,
        filter: QuarantineFilter,
        by: By,
        now: UnixTime,
    ) -> Result<u64, InboxError>;
}

/// The number of a request in quarantine. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuarantineNo(pub i64);

impl fmt::Display for QuarantineNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for QuarantineNo {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// How much of a source is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuarantineLimits {
    /// Requests.
    pub max_rows: u64,
    /// Bytes of their targets, headers and bodies together.
    pub max_bytes: u64,
    /// From their receipt. Must not be longer than replay keys are kept, or a request could be released when its event, which came
    /// another way, is forgotten: then it would be processed a second time.
    pub max_age: Duration,
}

impl Default for QuarantineLimits {
    fn default() -> Self {
        Self { max_rows: 1_000, max_bytes: 64 << 20, max_age: Duration::from_secs(7 * 86_400) }
    }
}

/// A refused request as it was received.
#[derive(Clone)]
pub struct RefusedDelivery {
    /// Why it was refused.
    pub refusal: Refusal,
    /// The clock at receipt.
    pub received_at: UnixTime,
    /// Who sent it, as the connection says.
    pub peer: Option<IpAddr>,
    /// Method, path and query.
    pub head: Head,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// A request's head, as the verifier reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: String,
    /// Path and query, exactly as received.
    pub target: String,
    /// All headers, duplicates included; those of one name in their order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl From<&Parts> for Head {
    fn from(parts: &Parts) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        Self {
            method: parts.method.as_str().to_owned(),
            target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: parts.headers.iter().map(header).collect(),
        }
    }
}

impl RefusedDelivery {
    /// What it counts for, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let headers: usize = self.head.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        (self.head.method.len() + self.head.target.len() + headers + self.body.len()) as u64
    }
}

/// Without target, headers and body.
impl fmt::Debug for RefusedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedDelivery")
            .field("refusal", &self.refusal)
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}

/// Without the target, which may hold a secret, and the headers' values.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Which requests of the quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineFilter {
    /// Only of this source.
    pub source: Option<String>,
    /// Only this one.
    pub number: Option<QuarantineNo>,
    /// Only those received before.
    pub before: Option<UnixTime>,
    /// Only those after this one: the last number of the page before.
    pub after: Option<QuarantineNo>,
    /// At most this many; 0 and everything above [`QuarantineFilter::MAX_LIMIT`] mean [`QuarantineFilter::MAX_LIMIT`].
    pub limit: usize,
}

impl QuarantineFilter {
    /// The largest page.
    pub const MAX_LIMIT: usize = 100;
}

/// A line in a list of what is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedSummary {
    /// Its number.
    pub number: QuarantineNo,
    /// The source.
    pub source: String,
    /// When it was received.
    pub received_at: UnixTime,
    /// The code of the refusal.
    pub reason: String,
    /// Who sent it.
    pub peer: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The body's length.
    pub body_bytes: u64,
}

/// A request in quarantine, whole.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// What is known of it.
    pub summary: QuarantinedSummary,
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Bytes,
}

/// What is and was in quarantine of a source. All but `held` and `bytes` count since ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineTotal {
    /// The source.
    pub source: String,
    /// Requests that are there.
    pub held: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests that were taken in.
    pub total: u64,
    /// Requests that were proven and accepted.
    pub released: u64,
    /// Requests that a person deleted.
    pub purged: u64,
    /// Requests that made room for newer ones.
    pub evicted: u64,
    /// Requests that became too old.
    pub expired: u64,
    /// Requests that were not taken in: too large, or too many at once.
    pub dropped: u64,
}
