//! The configuration file: one tree, unknown fields refused, every mistake named with its remedy.
//!
//! Parsing says what is not TOML or not a field; [`Config::load`] then builds every source, so that a key that does not
//! decode or a path that is used twice stops the program before it opens a port.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookproof::Signer;
use serde::Deserialize;

use crate::dispatch::DispatchConfig;
use crate::retry::RetryPolicy;
use crate::source::{Source, SourceError};

/// The file, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: ServerConfig,
    #[serde(default)]
    store: StoreConfig,
    #[serde(default)]
    dispatch: DispatchSection,
    #[serde(default)]
    log: LogConfig,
    #[serde(default)]
    sources: BTreeMap<String, SourceConfig>,
}

/// `[server]`: the listener and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How long a connection may take to send a request's headers, or idle between requests.
    pub header_timeout_seconds: u64,
    /// How long a body may take to arrive.
    pub body_timeout_seconds: u64,
    /// Connections that are served at the same time; more wait to be accepted.
    pub max_connections: usize,
    /// The most headers of a request.
    pub max_headers: usize,
    /// The most bytes of a request's head.
    pub max_header_bytes: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            header_timeout_seconds: 5,
            body_timeout_seconds: 10,
            max_connections: 4096,
            max_headers: 64,
            max_header_bytes: 16 * 1024,
        }
    }
}

/// `[store]`: where events are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The SQLite file. Relative paths start at the configuration file's folder.
    pub path: PathBuf,
    /// Deliveries that may wait for the disk; more are answered 503.
    pub accept_queue: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("hookproof.db"), accept_queue: 4096 }
    }
}

/// `[dispatch]`: how handlers are run.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DispatchSection {
    concurrency: usize,
    lease_seconds: u64,
    handler_timeout_seconds: u64,
    max_attempts: u32,
    retry_first_seconds: f64,
    retry_cap_seconds: f64,
}

impl Default for DispatchSection {
    fn default() -> Self {
        let default = DispatchConfig::default();
        Self {
            concurrency: default.concurrency,
            lease_seconds: default.lease.as_secs(),
            handler_timeout_seconds: default.handler_timeout.as_secs(),
            max_attempts: default.retry.max_attempts,
            retry_first_seconds: default.retry.first.as_secs_f64(),
            retry_cap_seconds: default.retry.cap.as_secs_f64(),
        }
    }
}

/// `[log]`: what goes to standard error.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For log collectors.
    Json,
}

/// `[sources.<name>]`: one endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// The path that the provider posts to.
    pub path: String,
    /// The preset, such as `klozeo`.
    pub scheme: String,
    /// The keys, the newest first.
    pub keys: Vec<KeyConfig>,
    /// How far the timestamp may lie from the clock, on both sides. The preset's own unless given.
    pub tolerance_seconds: Option<u64>,
    /// The longest body.
    pub body_limit_bytes: Option<usize>,
    /// The URL that the provider calls, up to the path; for presets that sign it.
    pub public_url: Option<String>,
    /// Whether a body that is not JSON is a dead letter (`json`) or goes to the handler (`any`).
    pub body: Option<BodyKind>,
    /// Where the entity is whose events are applied in order: JSON pointers, the first that finds something.
    pub ordering_key: Option<Vec<String>>,
    /// Where the time of the event is, for presets that do not sign one.
    pub occurred_at: Option<String>,
    /// Where the provider's own counter is.
    pub sequence: Option<String>,
    /// What this tenant's deliveries do otherwise than the preset says.
    #[serde(default, rename = "override")]
    pub overrides: Overrides,
    /// Allows keys of fewer than 16 bytes.
    #[serde(default)]
    pub danger_allow_short_key: bool,
}

/// What a body has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// One JSON document without doubled keys.
    Json,
    /// Any bytes.
    Any,
}

/// `[sources.<name>.override]`: for presets whose names the provider does not publish.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// The header with the signature.
    pub signature_header: Option<String>,
    /// The text before the signature.
    pub signature_prefix: Option<String>,
    /// The header with the delivery id.
    pub event_id_header: Option<String>,
    /// The header with the event type.
    pub event_type_header: Option<String>,
    /// Where in the body the event's time is.
    pub event_time: Option<String>,
    /// How the timestamp or event time is written.
    pub timestamp_format: Option<TimestampName>,
}

/// The names of timestamp formats in configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimestampName {
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Millis,
    /// RFC 3339.
    Rfc3339,
}

/// Where a key's text is. Exactly one of the three.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// The id that logs show.
    pub id: String,
    /// The name of an environment variable.
    pub env: Option<String>,
    /// A file. Relative paths start at the configuration file's folder.
    pub file: Option<PathBuf>,
    /// The text itself. Mind who can read the configuration.
    pub value: Option<String>,
}

/// Never the text.
impl std::fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyConfig").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A configuration that holds: every source is built, every check passed.
#[derive(Debug)]
pub struct Config {
    /// The listener.
    pub server: ServerConfig,
    /// The store; its path is absolute or relative to the working folder.
    pub store: StoreConfig,
    /// The workers.
    pub dispatch: DispatchConfig,
    /// The log.
    pub log: LogConfig,
    /// The endpoints.
    pub sources: Vec<Source>,
}

/// What is wrong with a configuration. Caused by whoever wrote it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: create it, or name another with --config")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or has a field that does not exist.
    #[error("{path}:{line}: {problem}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 if it concerns the whole file.
        line: usize,
        /// What is wrong; never a value, which may be a key.
        problem: String,
    },
    /// A field's value cannot work.
    #[error("{field}: {problem}")]
    Field {
        /// The field, as it is written in the file.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A source cannot be built.
    #[error("sources.{name}.{error}")]
    Source {
        /// The source.
        name: String,
        /// What is wrong.
        error: SourceError,
    },
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`], naming the first field that is wrong and the remedy.
    pub fn load(path: &Path) -> Result<Self, ConfigFileError> {
        Self::build(File::load(path)?, path.parent().unwrap_or(Path::new("")))
    }

    /// Checks a configuration that is in memory.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        Self::build(File::parse(text, path)?, path.parent().unwrap_or(Path::new("")))
    }

    fn build(file: File, folder: &Path) -> Result<Self, ConfigFileError> {
        let mut store = file.store;
        store.path = folder.join(store.path);
        check_server(&file.server)?;
        at_least_one("store.accept_queue", store.accept_queue)?;
        let dispatch = dispatch_config(&file.dispatch)?;
        let sources = build_sources(file.sources, folder)?;
        Ok(Self { server: file.server, store, dispatch, log: file.log, sources })
    }
}

/// What `hookproof send` needs to post to a source of a configuration.
#[derive(Debug)]
pub struct Target {
    /// Signs as the source's provider, with its first key.
    pub signer: Signer,
    /// The preset's name.
    pub scheme: String,
    /// The URL of the source, as `serve` would listen.
    pub url: String,
}

impl Target {
    /// Reads what concerns the source `name`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read, has no such source, or its first key cannot sign.
    pub fn load(path: &Path, name: &str) -> Result<Self, ConfigFileError> {
        let file = File::load(path)?;
        let Some(source) = file.sources.get(name) else {
            let names: Vec<_> = file.sources.keys().map(String::as_str).collect();
            return Err(field(
                "--source",
                format!("there is no source '{name}': choose one of {}", names.join(", ")),
            ));
        };
        let error = |error| ConfigFileError::Source { name: name.to_owned(), error };
        let folder = path.parent().unwrap_or(Path::new(""));
        let (scheme, signer) = Source::signer(source, folder).map_err(error)?;
        let mut listen = file.server.listen;
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Ok(Self { signer, scheme, url: format!("http://{listen}{}", source.path) })
    }
}

impl File {
    fn load(path: &Path) -> Result<Self, ConfigFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigFileError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        toml::from_str(text).map_err(|e| parse_error(path, text, &e))
    }
}

impl StoreConfig {
    /// Reads `[store]` alone: whoever looks after dead letters need not hold the keys.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read or has a field that does not exist.
    pub fn load(path: &Path) -> Result<Self, ConfigFileError> {
        let mut store = File::load(path)?.store;
        store.path = path.parent().unwrap_or(Path::new("")).join(store.path);
        Ok(store)
    }
}

fn parse_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigFileError {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.split('\n').count());
    ConfigFileError::Parse { path: path.to_owned(), line, problem: error.message().to_owned() }
}

fn field(field: &str, problem: impl Into<String>) -> ConfigFileError {
    ConfigFileError::Field { field: field.to_owned(), problem: problem.into() }
}

fn at_least_one(name: &str, value: usize) -> Result<(), ConfigFileError> {
    if value == 0 { Err(field(name, "0 would stop everything: give at least 1")) } else { Ok(()) }
}

fn check_server(server: &ServerConfig) -> Result<(), ConfigFileError> {
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

fn dispatch_config(section: &DispatchSection) -> Result<DispatchConfig, ConfigFileError> {
    at_least_one("dispatch.concurrency", section.concurrency)?;
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

fn build_sources(
    entries: BTreeMap<String, SourceConfig>,
    folder: &Path,
) -> Result<Vec<Source>, ConfigFileError> {
    if entries.is_empty() {
        return Err(field("sources", "there is none: add a [sources.<name>] with path, scheme and keys"));
    }
    let mut sources: Vec<Source> = Vec::with_capacity(entries.len());
    let mut paths = HashSet::new();
    for (name, entry) in entries {
        let error = |error| ConfigFileError::Source { name: name.clone(), error };
        let source = Source::build(&name, &entry, folder).map_err(error)?;
        if !paths.insert(source.path.clone()) {
            let problem = format!("'{}' is the path of another source: give each its own", source.path);
            return Err(field(&format!("sources.{name}.path"), problem));
        }
        for other in &sources {
            if let Some((theirs, ours)) = other.verifier.keys().shared_with(source.verifier.keys()) {
                let problem = format!(
                    "key '{ours}' is the same secret as key '{theirs}' of source '{}': whoever can send to one could \
                     replay it to the other; create a secret of its own at the provider",
                    other.name
                );
                return Err(field(&format!("sources.{name}.keys"), problem));
            }
        }
        sources.push(source);
    }
    Ok(sources)
}
