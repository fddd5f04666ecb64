//! `[refusals]`, and the quarantine of a source.

use std::time::Duration;

use hookproof::{Scheme, Verifier};
use serde::Deserialize;

use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::inbox::QuarantineLimits;
use crate::source::{SourceError, wrong};

/// The most refusals of a source that are kept.
const MOST_REFUSALS: u32 = 100_000;

/// The most that the quarantine of a source holds.
const MOST_ROWS: u64 = 100_000;
const MOST_BYTES: u64 = 64 << 30;
const MOST_DAYS: u64 = 30;

/// What a request's head may take beside its body: more than `server.max_header_bytes` may be.
const HEAD_BYTES: u64 = 1 << 20;

const DAY: Duration = Duration::from_secs(86_400);

/// `[refusals]`: what is kept of requests that were refused.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefusalsConfig {
    /// How many of each source; the oldest of the most frequent reason go first. 0 keeps the counts only.
    pub max_rows: u32,
}

impl Default for RefusalsConfig {
    fn default() -> Self {
        Self { max_rows: 1_000 }
    }
}

/// `[sources.<name>.quarantine]`: refused requests that are kept whole. A source without it keeps none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuarantineConfig {
    /// How many requests.
    pub max_rows: Option<u64>,
    /// How many bytes, heads and bodies together.
    pub max_bytes: Option<u64>,
    /// For how many days after their receipt.
    pub max_age_days: Option<u64>,
}

pub(super) fn check_refusals(config: RefusalsConfig) -> Result<RefusalsConfig, ConfigFileError> {
    if config.max_rows > MOST_REFUSALS {
        return Err(field("refusals.max_rows", format!("choose between 0 and {MOST_REFUSALS}")));
    }
    Ok(config)
}

/// The limits of a source's quarantine, if it has one.
pub(crate) fn quarantine(
    given: Option<QuarantineConfig>,
    scheme: &Scheme,
    verifier: &Verifier,
) -> Result<Option<QuarantineLimits>, SourceError> {
    let Some(given) = given else { return Ok(None) };
    if scheme.name() == "gitlab-token" {
        let problem = format!(
            "'{}' sends the secret itself with each delivery, and the quarantine would store it: leave this out",
            scheme.name()
        );
        return Err(wrong("quarantine", problem));
    }
    let default = QuarantineLimits::default();
    let least = verifier.body_limit() as u64 + HEAD_BYTES;
    let limits = QuarantineLimits {
        max_rows: given.max_rows.unwrap_or(default.max_rows),
        max_bytes: given.max_bytes.unwrap_or(default.max_bytes.max(least)),
        max_age: given
            .max_age_days
            .map_or(default.max_age, |days| DAY.saturating_mul(u32::try_from(days).unwrap_or(u32::MAX))),
    };
    if !(1..=MOST_ROWS).contains(&limits.max_rows) {
        return Err(wrong(
            "quarantine.max_rows",
            format!("choose between 1 and {MOST_ROWS}; without `quarantine`, none is kept"),
        ));
    }
    if !(least..=MOST_BYTES).contains(&limits.max_bytes) {
        let problem = format!(
            "{}: choose between {least}, which is one delivery as large as body_limit_bytes allows, and {MOST_BYTES}",
            limits.max_bytes
        );
        return Err(wrong("quarantine.max_bytes", problem));
    }
    if !(DAY..=DAY * MOST_DAYS as u32).contains(&limits.max_age) {
        return Err(wrong("quarantine.max_age_days", format!("choose between 1 and {MOST_DAYS}")));
    }
    Ok(Some(limits))
}
