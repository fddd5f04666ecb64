//! `[retention]` and `[sources.<name>.retention]`: how long what is finished is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hookproof::{Freshness, Scheme, Window};
use serde::Deserialize;

use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::config::sections::SourceConfig;
use crate::inbox::{Keep, Retention};
use crate::source::{LONGEST_HORIZON, Source, window};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest that can be configured: ten years. Whoever wants more wants it for ever.
const MOST_DAYS: u32 = 3_653;

/// `[retention]`: what holds for all sources.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Headers and body, in days from when the event was done or discarded.
    pub payload_days: u32,
    /// Replay keys, in days from the last delivery. Sources whose deliveries do not become too old keep theirs for ever.
    pub replay_key_days: u32,
    /// The record of deliveries, in days from their arrival.
    pub delivery_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { payload_days: 30, replay_key_days: 30, delivery_days: 30 }
    }
}

/// `[sources.<name>.retention]`: what holds for one source instead.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceRetention {
    /// As in `[retention]`.
    pub payload_days: Option<u32>,
    /// As in `[retention]`, also where deliveries do not become too old: whoever captured one can then replay it after that time.
    pub replay_key_days: Option<u32>,
}

/// What is kept how long, checked.
pub(super) fn build(
    config: RetentionConfig,
    entries: &BTreeMap<String, SourceConfig>,
    sources: &[Source],
) -> Result<Retention, ConfigFileError> {
    check_range("retention.payload_days", 0, config.payload_days)?;
    check_range("retention.replay_key_days", 1, config.replay_key_days)?;
    check_range("retention.delivery_days", 1, config.delivery_days)?;
    let mut keeps = Vec::new();
    for source in sources {
        if let Some(entry) = entries.get(source.name.as_ref()) {
            keeps.push((Arc::clone(&source.name), keep(config, source, entry)?));
        }
    }
    // Nobody knows what they were: nothing that they sent may ever be taken for new.
    let (payload, position) = (days(config.payload_days), days(config.replay_key_days));
    let others = Keep { payload, replay_key: None, position: position.max(payload) };
    Ok(Retention { sources: keeps, others, deliveries: days(config.delivery_days) })
}

fn keep(config: RetentionConfig, source: &Source, entry: &SourceConfig) -> Result<Keep, ConfigFileError> {
    let (name, scheme) = (&source.name, source.verifier.scheme());
    let own = |field: &str| format!("sources.{name}.retention.{field}");
    let (payload_field, payload_days) = match entry.retention.payload_days {
        Some(days) => (own("payload_days"), days),
        None => ("retention.payload_days".to_owned(), config.payload_days),
    };
    let (key_field, key_days) = match entry.retention.replay_key_days {
        Some(days) => (own("replay_key_days"), days),
        None => ("retention.replay_key_days".to_owned(), config.replay_key_days),
    };
    check_range(&payload_field, 0, payload_days)?;
    check_range(&key_field, 1, key_days)?;
    let (payload, replay_key) = (days(payload_days), days(key_days));
    let (needed, because) = needed(entry, scheme);
    let is_forgotten = becomes_too_old(scheme) || entry.retention.replay_key_days.is_some();
    if is_forgotten && replay_key < needed {
        let least = needed.as_secs().div_ceil(DAY.as_secs());
        let problem = format!(
            "{key_days} days are less than {because} of source '{name}' and a day: what it sends again after that would be \
             taken for new and done twice; give at least {least}"
        );
        return Err(field(&key_field, problem));
    }
    // A request may be refused as late as the last retry of an event that is done, and be released when it is oldest.
    let held = source.quarantine.map_or(Duration::ZERO, |quarantine| quarantine.max_age);
    if is_forgotten && replay_key < needed.saturating_add(held) {
        let least = needed.saturating_add(held).as_secs().div_ceil(DAY.as_secs());
        let problem = format!(
            "{key_days} days are less than {because} of source '{name}', a day, and the {} days of its quarantine: what is \
             released from there after that would be taken for new and done twice; give at least {least}, or a shorter \
             quarantine.max_age_days",
            held.as_secs() / DAY.as_secs()
        );
        return Err(field(&key_field, problem));
    }
    if is_forgotten && payload > replay_key {
        let problem = format!(
            "{payload_days} days are more than the {key_days} after which the whole event goes ({key_field}) for source \
             '{name}': make one of them shorter or the other longer"
        );
        return Err(field(&payload_field, problem));
    }
    if is_forgotten && days(config.delivery_days) > replay_key {
        let problem = format!(
            "{} days are more than the {key_days} after which the events of source '{name}' go ({key_field}): the record \
             would name what is not there any more",
            config.delivery_days
        );
        return Err(field("retention.delivery_days", problem));
    }
    let position = replay_key.max(needed);
    Ok(Keep { payload, replay_key: is_forgotten.then_some(replay_key), position })
}

/// Whether a delivery is refused some day because of its age. One that is not is only known by its replay key.
fn becomes_too_old(scheme: &Scheme) -> bool {
    match scheme.freshness() {
        Freshness::SignedTimestamp { .. } => true,
        Freshness::EventTime { required, .. } => *required,
        _ => false,
    }
}

/// For how long another delivery of an event can come, and what makes it so. A day more than that, for clocks and for our own outages.
fn needed(entry: &SourceConfig, scheme: &Scheme) -> (Duration, String) {
    let horizon = scheme.retry_horizon().unwrap_or(LONGEST_HORIZON);
    let preset = match scheme.freshness() {
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => *window,
        _ => Window::symmetric(Duration::ZERO),
    };
    let given = entry.tolerance_seconds.map(Duration::from_secs);
    let accepted = given.and_then(|given| window(scheme, given).ok()).unwrap_or(preset);
    let accepted = accepted.past + accepted.future;
    let (longest, what) = if accepted > horizon {
        (accepted, "for which deliveries are accepted (tolerance_seconds)")
    } else {
        (horizon, "for which the provider may send again")
    };
    (longest + DAY, format!("the {} s {what}", longest.as_secs()))
}

fn check_range(name: &str, least: u32, days: u32) -> Result<(), ConfigFileError> {
    if (least..=MOST_DAYS).contains(&days) {
        return Ok(());
    }
    Err(field(name, format!("{days} days: choose between {least} and {MOST_DAYS}")))
}

fn days(days: u32) -> Duration {
    DAY * days
}
