//! The sections of the file, with their defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::config::breaker::BreakerConfig;
use crate::config::forward::ForwardConfig;
use crate::config::order::OrderConfig;
use crate::config::refused::{QuarantineConfig, RefusalsConfig};
use crate::config::retention::{RetentionConfig, SourceRetention};
use crate::dispatch::DispatchConfig;

/// The file, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) server: ServerConfig,
    #[serde(default)]
    pub(super) store: StoreConfig,
    #[serde(default)]
    pub(super) retention: RetentionConfig,
    #[serde(default)]
    pub(super) dispatch: DispatchSection,
    #[serde(default)]
    pub(super) log: LogConfig,
    #[serde(default)]
    pub(super) refusals: RefusalsConfig,
    #[serde(default)]
    pub(super) forward: ForwardConfig,
    #[serde(default)]
    pub(super) breaker: BreakerConfig,
    #[serde(default)]
    pub(super) sources: BTreeMap<String, SourceConfig>,
}

/// `[server]`: the listener and its limits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
    /// How large the database may become before deliveries are answered 503. No limit unless given.
    pub max_bytes: Option<u64>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: PathBuf::from("hookproof.db"), accept_queue: 4096, max_bytes: None }
    }
}

/// `[dispatch]`: how handlers are run.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DispatchSection {
    pub(super) concurrency: usize,
    pub(super) lease_seconds: u64,
    pub(super) handler_timeout_seconds: u64,
    pub(super) max_attempts: u32,
    pub(super) retry_first_seconds: f64,
    pub(super) retry_cap_seconds: f64,
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
    /// The id that the provider gave this endpoint; for presets that sign it (PayPal).
    pub webhook_id: Option<String>,
    /// Whether a body that is not JSON is a dead letter (`json`) or goes to the handler (`any`).
    pub body: Option<BodyKind>,
    /// Where the entity is whose events are applied in order: JSON pointers, the first that finds something.
    pub ordering_key: Option<Vec<String>>,
    /// Where the time of the event is, for presets that do not sign one.
    pub occurred_at: Option<String>,
    /// Where the provider's own counter is.
    pub sequence: Option<String>,
    /// How the events of a key are kept in order.
    #[serde(default)]
    pub order: OrderConfig,
    /// How long what is finished is kept.
    #[serde(default)]
    pub retention: SourceRetention,
    /// What this tenant's deliveries do otherwise than the preset says.
    #[serde(default, rename = "override")]
    pub overrides: Overrides,
    /// How the provider's question who owns this endpoint is answered. Slack's and Zoom's are answered without.
    pub handshake: Option<HandshakeConfig>,
    /// Where its events are forwarded to, instead of to the handler that is compiled in.
    pub forward: Option<ForwardConfig>,
    /// When it pauses by itself, where that is another time than `[breaker]` says.
    pub breaker: Option<BreakerConfig>,
    /// How much is kept of what is refused because no key made its signature. Nothing unless given.
    pub quarantine: Option<QuarantineConfig>,
    /// Allows keys of fewer than 16 bytes.
    #[serde(default)]
    pub danger_allow_short_key: bool,
    /// Accepts bodies that nothing vouches for, of a preset whose signature covers none (`gitlab-token`).
    #[serde(default)]
    pub danger_accept_unsigned_body: bool,
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

/// `[sources.<name>.handshake]`: the answer to a challenge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandshakeConfig {
    /// Whose challenge it is.
    pub kind: HandshakeKind,
    /// The token that you typed into Meta's settings.
    pub verify_token: Option<SecretPlace>,
    /// Who may deliver, by DNS name (`cloud-events`).
    #[serde(default)]
    pub origins: Vec<String>,
}

/// The challenges that need to be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeKind {
    /// Meta, WhatsApp, Lead Ads: `GET` with `hub.challenge`.
    Meta,
    /// Discord's ping at an interactions endpoint.
    DiscordInteractions,
    /// Discord's ping at an endpoint of webhook events.
    DiscordEvents,
    /// CloudEvents over HTTP: `OPTIONS` with `WebHook-Request-Origin`.
    CloudEvents,
}

/// Where a secret text is. Exactly one of the three.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretPlace {
    /// The name of an environment variable.
    pub env: Option<String>,
    /// A file. Relative paths start at the configuration file's folder.
    pub file: Option<PathBuf>,
    /// The text itself. Mind who can read the configuration.
    pub value: Option<String>,
}

/// Never the text.
impl std::fmt::Debug for SecretPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretPlace").finish_non_exhaustive()
    }
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
    /// Nothing received before this moment verifies with it (RFC 3339).
    pub not_before: Option<String>,
    /// Nothing received after this moment verifies with it (RFC 3339).
    pub not_after: Option<String>,
}

/// Never the text.
impl std::fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyConfig").field("id", &self.id).finish_non_exhaustive()
    }
}
