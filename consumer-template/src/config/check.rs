//! The checks across fields, each of which names the field and the remedy.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::config::error::ConfigFileError;
use crate::config::sections::{DispatchSection, ServerConfig, SourceConfig, StoreConfig};
use crate::dispatch::DispatchConfig;
use crate::retry::RetryPolicy;
use crate::source::Source;

/// Each handler has a thread while it runs.
const MOST_HANDLERS: usize = 1_000;

pub(super) fn parse_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigFileError {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.split('\n').count());
    ConfigFileError::Parse { path: path.to_owned(), line, problem: without_values(error.message()) }
}

/// The parser's message without what it found: that may be a key in a place where none belongs.
fn without_values(message: &str) -> String {
    let secret_fields = ["`id`, `env`, `file`, `value`", "`env`, `file`, `value`"];
    if message.starts_with("unknown field")
        && let Some(fields) = secret_fields.iter().find(|fields| message.contains(**fields))
    {
        return format!("unknown field of a key, expected one of {fields}");
    }
    for kind in ["invalid type: ", "invalid value: "] {
        let Some(rest) = message.strip_prefix(kind) else { continue };
        // "string \"..\", expected ..": what was found is quoted, and may hold anything.
        let found = rest.split([' ', ',']).next().unwrap_or_default();
        let expected = rest.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
        let expected = expected.replace("struct KeyConfig", "{ id = \"..\", env = \"..\" }");
        let expected = expected.replace("struct SecretPlace", "{ env = \"..\" }");
        return format!("{kind}{found}, expected {expected}");
    }
    message.to_owned()
}

pub(super) fn field(field: &str, problem: impl Into<String>) -> ConfigFileError {
    ConfigFileError::Field { field: field.to_owned(), problem: problem.into() }
}

pub(super) fn at_least_one(name: &str, value: usize) -> Result<(), ConfigFileError> {
    if value == 0 { Err(field(name, "0 would stop everything: give at least 1")) } else { Ok(()) }
}

pub(super) fn check_server(server: &ServerConfig) -> Result<(), ConfigFileError> {
    at_least_one("server.max_connections", server.max_connections)?;
    for (name, seconds) in [
        ("server.header_timeout_seconds", server.header_timeout_seconds),
        ("server.body_timeout_seconds", server.body_timeout_seconds),
    ] {
        if !(1..=300).contains(&seconds) {
            return Err(field(name, format!("{seconds} s: choose between 1 and 300")));
        }
    }
    if !(8..=1024).contains(&server.max_headers) {
        return Err(field("server.max_headers", "choose between 8 and 1024"));
    }
    // hyper asks for at least 8 KiB.
    if !(8 * 1024..=1024 * 1024).contains(&server.max_header_bytes) {
        return Err(field("server.max_header_bytes", "choose between 8192 and 1048576"));
    }
    Ok(())
}

/// Less than this is hardly an empty database and its log.
const LEAST_STORE: u64 = 16 * 1024 * 1024;

pub(super) fn check_store(store: &StoreConfig) -> Result<(), ConfigFileError> {
    at_least_one("store.accept_queue", store.accept_queue)?;
    match store.max_bytes {
        Some(bytes) if bytes < LEAST_STORE => {
            let problem = format!("{bytes}: give at least {LEAST_STORE}, or leave it out for no limit");
            Err(field("store.max_bytes", problem))
        }
        _ => Ok(()),
    }
}

pub(super) fn dispatch_config(section: &DispatchSection) -> Result<DispatchConfig, ConfigFileError> {
    at_least_one("dispatch.concurrency", section.concurrency)?;
    if section.concurrency > MOST_HANDLERS {
        return Err(field(
            "dispatch.concurrency",
            "each handler has a thread while it runs: give at most 1000",
        ));
    }
    if section.max_attempts == 0 {
        return Err(field("dispatch.max_attempts", "0 would never run a handler: give at least 1"));
    }
    if section.handler_timeout_seconds == 0 {
        return Err(field("dispatch.handler_timeout_seconds", "0 would stop every handler: give at least 1"));
    }
    if section.lease_seconds <= section.handler_timeout_seconds {
        return Err(field(
            "dispatch.lease_seconds",
            format!(
                "{} s is not longer than dispatch.handler_timeout_seconds ({} s): an event would be given to a second \
                 worker while the first still runs",
                section.lease_seconds, section.handler_timeout_seconds
            ),
        ));
    }
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value)
            .ok()
            .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(7 * 86_400))
            .ok_or_else(|| field(name, "give a number of seconds above 0 and up to 604800"))
    };
    let first = seconds("dispatch.retry_first_seconds", section.retry_first_seconds)?;
    let cap = seconds("dispatch.retry_cap_seconds", section.retry_cap_seconds)?;
    if cap < first {
        return Err(field(
            "dispatch.retry_cap_seconds",
            "must not be less than dispatch.retry_first_seconds",
        ));
    }
    Ok(DispatchConfig {
        concurrency: section.concurrency,
        lease: Duration::from_secs(section.lease_seconds),
        handler_timeout: Duration::from_secs(section.handler_timeout_seconds),
        retry: RetryPolicy { max_attempts: section.max_attempts, first, cap },
        ..DispatchConfig::default()
    })
}

pub(super) fn build_sources(
    entries: &BTreeMap<String, SourceConfig>,
    folder: &Path,
) -> Result<Vec<Source>, ConfigFileError> {
    if entries.is_empty() {
        return Err(field("sources", "there is none: add a [sources.<name>] with path, scheme and keys"));
    }
    let (mut sources, mut errors) = (Vec::with_capacity(entries.len()), Vec::new());
    for (name, entry) in entries {
        let source = Source::build(name, entry, folder)
            .map_err(|error| ConfigFileError::Source { name: name.clone(), error });
        match source.and_then(|source| apart_from(&sources, &source).map(|()| source)) {
            Ok(source) => sources.push(source),
            Err(error) => errors.push(error),
        }
    }
    match errors.len() {
        0 => Ok(sources),
        1 => Err(errors.remove(0)),
        _ => Err(ConfigFileError::Several(errors)),
    }
}

/// Whether `source` shares neither its path nor a key with the others.
fn apart_from(others: &[Source], source: &Source) -> Result<(), ConfigFileError> {
    let name = &source.name;
    for other in others {
        if other.path == source.path {
            let problem = format!("'{}' is the path of another source: give each its own", source.path);
            return Err(field(&format!("sources.{name}.path"), problem));
        }
        if let Some((theirs, ours)) = other.verifier.keys().shared_with(&source.verifier.keys()) {
            let problem = format!(
                "key '{ours}' is the same secret as key '{theirs}' of source '{}': whoever can send to one could replay \
                 it to the other; create a secret of its own at the provider",
                other.name
            );
            return Err(field(&format!("sources.{name}.keys"), problem));
        }
    }
    Ok(())
}
