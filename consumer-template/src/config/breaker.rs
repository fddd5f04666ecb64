//! `[breaker]` and `[sources.<name>.breaker]`: when a source pauses by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::breaker::{BreakerPolicy, MAX_LAST};
use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::config::sections::SourceConfig;

/// The longest window, in seconds: a day.
const MAX_WINDOW: u64 = 86_400;

/// The section, as it is written. What a source leaves out comes from `[breaker]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Whether the source pauses by itself at all.
    pub enabled: Option<bool>,
    /// How many of its last events count at most.
    pub last: Option<u32>,
    /// How old they may be.
    pub window_seconds: Option<u64>,
    /// Fewer dead ones than this never trip it.
    pub min_dead: Option<u32>,
    /// How many of them must be dead, in percent.
    pub dead_percent: Option<u32>,
}

/// The breakers of all sources that have one.
pub(super) fn build_breakers(
    default: &BreakerConfig,
    sections: &BTreeMap<String, SourceConfig>,
) -> Result<BTreeMap<Arc<str>, BreakerPolicy>, ConfigFileError> {
    let none = BreakerConfig::default();
    build(&none, default).map_err(|(at, problem)| field(&format!("breaker.{at}"), problem))?;
    let mut breakers = BTreeMap::new();
    for (name, section) in sections {
        let own = section.breaker.as_ref().unwrap_or(&none);
        let built = build(default, own)
            .map_err(|(at, problem)| field(&format!("sources.{name}.breaker.{at}"), problem))?;
        breakers.extend(built.map(|policy| (Arc::from(name.as_str()), policy)));
    }
    Ok(breakers)
}

/// A breaker, none where it is switched off, or the field that cannot be and why.
fn build(
    default: &BreakerConfig,
    own: &BreakerConfig,
) -> Result<Option<BreakerPolicy>, (&'static str, String)> {
    let preset = BreakerPolicy::default();
    let last = own.last.or(default.last).unwrap_or(preset.last);
    let window = own.window_seconds.or(default.window_seconds).unwrap_or(preset.window.as_secs());
    let dead_percent = own.dead_percent.or(default.dead_percent).unwrap_or(preset.dead_percent);
    let min_dead = own.min_dead.or(default.min_dead).unwrap_or(preset.min_dead);
    if !(1..=MAX_LAST).contains(&last) {
        return Err(("last", format!("{last}: choose between 1 and {MAX_LAST}")));
    }
    if !(1..=MAX_WINDOW).contains(&window) {
        return Err(("window_seconds", format!("{window} s: choose between 1 and {MAX_WINDOW}")));
    }
    if !(1..=100).contains(&dead_percent) {
        let problem =
            format!("{dead_percent}: choose between 1 and 100; to switch it off, say enabled = false");
        return Err(("dead_percent", problem));
    }
    if !(1..=last).contains(&min_dead) {
        let problem = format!(
            "{min_dead} of the last {last} events (last) cannot be dead: choose between 1 and {last}; to switch it off, \
             say enabled = false"
        );
        return Err(("min_dead", problem));
    }
    let enabled = own.enabled.or(default.enabled).unwrap_or(true);
    let policy = BreakerPolicy { last, window: Duration::from_secs(window), min_dead, dead_percent };
    Ok(enabled.then_some(policy))
}
