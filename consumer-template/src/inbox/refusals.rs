//! The log of refusals: how often each source refused for which reason, and the last requests of each.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use hookproof::{Refusal, UnixTime};

use crate::inbox::{InboxError, QuarantineLimits, RefusedDelivery};

/// What the HTTP edge asks of a store about requests that it refused. See the [contract](super).
#[async_trait]
pub trait KeepRefused: Send + Sync {
    /// Adds to the counts, and keeps the samples: of each source at most `max_rows`.
    ///
    /// # Errors
    ///
    /// When the store failed. What it was given may be counted all the same.
    async fn note_refusals(&self, batch: RefusalBatch, max_rows: u32) -> Result<(), InboxError>;

    /// Keeps refused deliveries of `source` within its limits; the oldest make room. `dropped`: how many were not kept, for want
    /// of room, before they got here.
    ///
    /// # Errors
    ///
    /// When the store failed. They may be kept all the same.
    async fn quarantine(
        &self,
        source: Arc<str>,
        limits: QuarantineLimits,
        deliveries: Vec<RefusedDelivery>,
        dropped: u64,
    ) -> Result<(), InboxError>;

    /// Lets go what is in quarantine for longer than its source's limits say, at `now`.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn expire_quarantine(
        &self,
        limits: Vec<(Arc<str>, QuarantineLimits)>,
        now: UnixTime,
    ) -> Result<(), InboxError>;
}

/// What a person may ask about refusals, also from another process while the server runs.
#[async_trait]
pub trait RefusalLog: Send + Sync {
    /// How often each source has refused for each reason since ever, by source and reason.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn refusal_totals(&self) -> Result<Vec<RefusalTotal>, InboxError>;

    /// One page of the refusals that are kept, the newest first.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn refusals(&self, filter: RefusalFilter) -> Result<Vec<RefusalRecord>, InboxError>;
}

/// Refusals of several sources.
pub type RefusalBatch = Vec<RefusalsOfSource>;

/// Refusals of one source.
#[derive(Clone, Debug)]
pub struct RefusalsOfSource {
    /// The source.
    pub source: Arc<str>,
    /// When they were collected. None was received later.
    pub until: UnixTime,
    /// How many there were of each reason, at least one.
    pub counts: Vec<(Refusal, u64)>,
    /// Some of them, as they came.
    pub samples: Vec<RefusalSample>,
}

/// A refused request, without anything that it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalSample {
    /// Why.
    pub refusal: Refusal,
    /// When it was received.
    pub at: UnixTime,
    /// The time that it states minus the clock at receipt, in seconds; `None` where none could be read.
    pub skew_seconds: Option<i64>,
    /// Who sent it, as the connection says: the proxy, if one stands between.
    pub peer: Option<IpAddr>,
    /// Its method.
    pub method: SampledMethod,
}

/// The methods by which a source is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampledMethod {
    /// A delivery.
    Post,
    /// A challenge.
    Get,
    /// A challenge.
    Options,
    /// Any other.
    Other,
}

impl SampledMethod {
    /// The name that is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
            Self::Options => "OPTIONS",
            Self::Other => "other",
        }
    }
}

impl From<&http::Method> for SampledMethod {
    fn from(method: &http::Method) -> Self {
        match *method {
            http::Method::POST => Self::Post,
            http::Method::GET => Self::Get,
            http::Method::OPTIONS => Self::Options,
            _ => Self::Other,
        }
    }
}

/// Which refusals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusalFilter {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this reason.
    pub reason: Option<Refusal>,
    /// Only those received then or later.
    pub since: Option<UnixTime>,
    /// Only those before this one: the last [`RefusalRecord::id`] of the page before.
    pub before: Option<i64>,
    /// At most this many; 0 and everything above [`RefusalFilter::MAX_LIMIT`] mean [`RefusalFilter::MAX_LIMIT`].
    pub limit: usize,
}

impl RefusalFilter {
    /// The largest page.
    pub const MAX_LIMIT: usize = 100;
}

/// A refusal that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalRecord {
    /// Its place in the log.
    pub id: i64,
    /// The source.
    pub source: String,
    /// The reason's code.
    pub reason: String,
    /// When.
    pub at: UnixTime,
    /// As [`RefusalSample::skew_seconds`].
    pub skew_seconds: Option<i64>,
    /// As [`RefusalSample::peer`].
    pub peer: Option<String>,
    /// The method.
    pub method: String,
}

/// How often a source has refused for a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalTotal {
    /// The source.
    pub source: String,
    /// The reason's code.
    pub reason: String,
    /// How often, since ever.
    pub total: u64,
    /// How many of them are kept.
    pub kept: u64,
    /// The first time.
    pub first_at: UnixTime,
    /// The last time.
    pub last_at: UnixTime,
}
