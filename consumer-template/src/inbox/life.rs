//! The life of a source: paused, resumed, gone from the configuration.

use std::sync::Arc;

use async_trait::async_trait;
use hookproof::UnixTime;
use thiserror::Error;

use crate::breaker::BreakerPolicy;
use crate::inbox::{By, InboxError};
use crate::ordering::OrderPolicy;

/// What a person may do to a source, also from another process while the server runs. See the [contract](super).
#[async_trait]
pub trait Life: Send + Sync {
    /// Stops claiming events of `source`. They are accepted all the same.
    ///
    /// # Errors
    ///
    /// [`LifeError::Unknown`], [`LifeError::Paused`], or the store's.
    async fn pause(&self, source: &str, by: By, now: UnixTime) -> Result<(), LifeError>;

    /// Lets events of `source` be claimed again, whoever paused it. What was the reason, and since when.
    ///
    /// # Errors
    ///
    /// [`LifeError::Unknown`], [`LifeError::NotPaused`], or the store's.
    async fn resume(&self, source: &str, by: By, now: UnixTime) -> Result<Pause, LifeError>;

    /// Every source that was configured once or has events, by name.
    ///
    /// # Errors
    ///
    /// When the store failed.
    async fn sources(&self) -> Result<Vec<SourceStatus>, InboxError>;
}

/// How events of a source are processed, as the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRules {
    /// Its name.
    pub source: Arc<str>,
    /// How its keys are kept in order.
    pub order: OrderPolicy,
    /// When it pauses by itself; `None`: never.
    pub breaker: Option<BreakerPolicy>,
}

/// Why a source is paused, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Its breaker tripped; otherwise a person paused it.
    pub tripped: bool,
    /// Since when.
    pub since: UnixTime,
    /// Who. `breaker` for a breaker.
    pub actor: String,
    /// Why.
    pub why: String,
}

/// How a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its name.
    pub source: String,
    /// If it is paused: why.
    pub pause: Option<Pause>,
    /// If it is not configured any more: since when. Its events stay pending until it is configured again.
    pub removed_since: Option<UnixTime>,
    /// Events that wait.
    pub pending: u64,
    /// Events that run.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// When the first one of those that wait arrived.
    pub oldest_pending: Option<UnixTime>,
}

impl SourceStatus {
    /// `active`, `paused`, `tripped` or `removed`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match &self.pause {
            _ if self.removed_since.is_some() => "removed",
            Some(Pause { tripped: true, .. }) => "tripped",
            Some(_) => "paused",
            None => "active",
        }
    }
}

/// Why a request about a source was not carried out.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum LifeError {
    /// Caused by the operator: a name that no source has.
    #[error("there is no source '{}'{}", name.escape_debug(), choose(known))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Caused by the operator, or by somebody who was quicker.
    #[error("source '{name}' is paused already, by {}: {}", by(pause), pause.why.escape_debug())]
    Paused {
        /// The source.
        name: String,
        /// By whom and why.
        pause: Pause,
    },
    /// Caused by the operator, or by somebody who was quicker.
    #[error("source '{0}' is not paused")]
    NotPaused(String),
    /// The store failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
}

fn choose(known: &[String]) -> String {
    if known.is_empty() {
        return ": start the server once, it stores which there are".to_owned();
    }
    format!(": choose one of {}", known.join(", "))
}

fn by(pause: &Pause) -> String {
    if pause.tripped { "its breaker".to_owned() } else { pause.actor.escape_debug().to_string() }
}
