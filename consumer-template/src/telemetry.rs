//! What the log says and how. Every field name of a log line is here or in plain sight beside its event.
//!
//! A log line never holds a key, a signature or a body. What a stranger sent (a path, an id) is escaped by the formatter
//! and cut to [`MAX_FIELD`] bytes first.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The environment variable with the log filter, such as `info` or `hookproof_consumer=debug`.
pub const FILTER_VARIABLE: &str = "HOOKPROOF_LOG";

/// The most bytes of a foreign text in a log line.
pub const MAX_FIELD: usize = 256;

/// Sends log lines to standard error. Does nothing if that was done before.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
}
