//! `[sources.<name>.order]`: how the events of a key are kept in order.

use std::time::Duration;

use serde::Deserialize;

use crate::config::sections::SourceConfig;
use crate::ordering::{AtDeadline, MAX_NOT_READY, MAX_SETTLE, OnFailure, OrderPolicy, StaleRule};
use crate::preset;
use crate::source::{SourceError, wrong};

/// The section, as it is written. What is not given is the preset's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderConfig {
    /// How long a new event waits at most, so that an earlier one that is late can overtake it.
    pub settle_ms: Option<u64>,
    /// What becomes of an event that is older than the latest one of its key that was applied.
    pub stale: Option<StaleRule>,
    /// What the other events of a key do when one of them fails.
    pub on_failure: Option<OnFailure>,
    /// How long an event waits at most whose handler says that it is not ready.
    pub not_ready_deadline_seconds: Option<u64>,
    /// What becomes of it then.
    pub at_deadline: Option<AtDeadline>,
}

/// What of an order can be told from the events of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Which entity an event is about.
    pub(crate) key: bool,
    /// When it happened, in the provider's words.
    pub(crate) time: bool,
}

/// The rules of a source.
pub(crate) fn build(config: &SourceConfig, known: Known) -> Result<OrderPolicy, SourceError> {
    let given = &config.order;
    let (mut default, _) = preset::order(&config.scheme);
    if config.forward.is_some() {
        // What is known of our own handlers is not known of whoever gets the events instead.
        default.stale = OrderPolicy::default().stale;
    }
    check_use(given, known)?;
    let mut policy = OrderPolicy {
        settle: given.settle_ms.map_or(default.settle, Duration::from_millis),
        stale: given.stale.unwrap_or(default.stale),
        on_failure: given.on_failure.unwrap_or(default.on_failure),
        not_ready_deadline: given
            .not_ready_deadline_seconds
            .map_or(default.not_ready_deadline, Duration::from_secs),
        at_deadline: given.at_deadline.unwrap_or(default.at_deadline),
    };
    if policy.settle > MAX_SETTLE {
        let problem = format!(
            "{} ms: choose between 0 and {}; to wait for longer, return Failure::NotReady from the handler",
            policy.settle.as_millis(),
            MAX_SETTLE.as_millis()
        );
        return Err(wrong("order.settle_ms", problem));
    }
    if policy.not_ready_deadline.is_zero() || policy.not_ready_deadline > MAX_NOT_READY {
        let problem = format!(
            "{} s: choose between 1 and {}",
            policy.not_ready_deadline.as_secs(),
            MAX_NOT_READY.as_secs()
        );
        return Err(wrong("order.not_ready_deadline_seconds", problem));
    }
    // A preset's window is of no use where this source's configuration took the time away.
    if !(known.key && known.time) {
        policy.settle = Duration::ZERO;
    }
    Ok(policy)
}

/// Whether what is asked for can mean anything.
fn check_use(given: &OrderConfig, known: Known) -> Result<(), SourceError> {
    let settles = given.settle_ms.is_some_and(|window| window > 0);
    let skips = given.stale == Some(StaleRule::Skip);
    if !known.key {
        let about_siblings = [
            ("order.settle_ms", settles),
            ("order.stale", given.stale.is_some()),
            ("order.on_failure", given.on_failure.is_some()),
        ];
        if let Some((field, _)) = about_siblings.into_iter().find(|(_, is_given)| *is_given) {
            let problem = "this source has no ordering key, so no event has others that it could wait for or be older \
                           than: say with ordering_key where the entity is, or leave this out";
            return Err(wrong(field, problem));
        }
    }
    if !known.time {
        for (field, given) in [("order.settle_ms", settles), ("order.stale", skips)] {
            if given {
                let problem = "this source does not say when an event happened, and by the time of arrival none is late: \
                               say with occurred_at where the time is, or leave this out";
                return Err(wrong(field, problem));
            }
        }
    }
    Ok(())
}
