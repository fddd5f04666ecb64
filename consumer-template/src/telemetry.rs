//! What the log says and how. Every field name of a log line is here or in plain sight beside its event.
//!
//! A log line never holds a key, a signature or a body. What a stranger sent (a path, an id) is escaped by the formatter
//! first; what a handler says of a failure, which may repeat a body, is in the store alone.

use std::env::VarError;

use anyhow::{Context as _, bail};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::LogFormat;

/// The environment variable with the log filter, such as `info` or `hookproof_consumer=debug`.
pub const FILTER_VARIABLE: &str = "HOOKPROOF_LOG";

const DEFAULT: &str = "info";

/// Whether a terminal shows this character, and nothing else happens: no control, no change of direction, nothing invisible.
pub(crate) fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Sends log lines to standard error. Does nothing if that was done before.
///
/// # Errors
///
/// What is wrong with the filter in the environment. A log that is silent by mistake is missed when it is needed.
pub fn start(format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) => filter(&text).with_context(|| format!("{FILTER_VARIABLE} is no filter for the log"))?,
        Err(VarError::NotPresent) => EnvFilter::new(DEFAULT),
        Err(error) => return Err(error).context(FILTER_VARIABLE),
    };
    // A line that cannot be written is lost, and says so to nobody: to complain where nobody reads is to panic, in whatever
    // thread had something to say.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
    Ok(())
}

/// A word alone would be taken for a target, and silence all others.
fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    for word in words.clone() {
        if !word.contains(['=', '[']) && word.parse::<LevelFilter>().is_err() {
            bail!(
                "'{}' is no level: choose error, warn, info, debug, trace or off, or say TARGET=LEVEL as in \
                 hookproof_consumer=debug",
                word.escape_debug()
            );
        }
    }
    let text = words.collect::<Vec<_>>().join(",");
    EnvFilter::try_new(if text.is_empty() { DEFAULT } else { &text }).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_filter_that_would_silence_the_log_by_mistake_is_an_error() {
        for good in
            ["info", "DEBUG", "", "warn, hookproof_consumer=debug", "off", "hookproof_consumer[x]=trace"]
        {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (bad, named) in
            [("verbose", "'verbose'"), ("waring", "'waring'"), ("info,hookproof", "'hookproof'")]
        {
            let error = filter(bad).map(|filter| filter.to_string()).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("debug"), "{bad}: {error}");
        }
        assert!(filter("nonsense=[").is_err() && filter("hookproof=loud").is_err());
    }
}
