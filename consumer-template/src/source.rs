//! A configured source: its verifier, and how to read an event from what it verified.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookproof::middleware::Handshake;
use hookproof::{
    ConfigError, Freshness, Pointer, Scheme, Signer, TimestampFormat, UnixTime, Verified, Verifier, Window,
};
use http::{HeaderMap, HeaderName, header};

use crate::config::order::{self, Known};
use crate::config::refused;
use crate::config::{BodyKind, Overrides, SourceConfig, TimestampName};
use crate::handshake;
use crate::inbox::{Facts, QuarantineLimits};
use crate::keys;
use crate::ordering::OrderPolicy;
use crate::preset::PresetPolicy;
use crate::strict_json;

/// The longest time for which a provider is known to re-send a failed delivery.
pub(crate) const LONGEST_HORIZON: Duration = Duration::from_secs(72 * 3600);

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in configuration, logs and the database.
    pub name: Arc<str>,
    /// The path that the provider posts to.
    pub path: String,
    /// What proves its deliveries.
    pub verifier: Verifier,
    /// Answers the provider's question who owns the endpoint.
    pub handshake: Option<Handshake>,
    /// How its keys are kept in order.
    pub order: OrderPolicy,
    /// How much is kept of what is refused because no key made its signature; `None`: nothing.
    pub quarantine: Option<QuarantineLimits>,
    policy: Arc<Policy>,
}

/// How an event is read from a verified body.
#[derive(Debug)]
struct Policy {
    body: BodyKind,
    ordering_key: Vec<Pointer>,
    occurred_at: Option<Pointer>,
    sequence: Option<Pointer>,
    kept_headers: Vec<HeaderName>,
}

/// What is wrong with a source. The text starts with the field's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A field's value cannot work.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The library refused.
    #[error("{field}: {error}")]
    Library {
        /// The field.
        field: &'static str,
        /// Why.
        error: ConfigError,
    },
}

impl SourceError {
    /// The field, and what is wrong with it.
    pub(crate) fn into_parts(self) -> (&'static str, String) {
        match self {
            Self::Field { field, problem } => (field, problem),
            Self::Library { field, error } => (field, error.to_string()),
        }
    }
}

pub(crate) fn wrong(field: &'static str, problem: impl Into<String>) -> SourceError {
    SourceError::Field { field, problem: problem.into() }
}

impl Source {
    /// Builds the source `name` from its section.
    ///
    /// # Errors
    ///
    /// [`SourceError`], naming the field and the remedy.
    pub fn build(name: &str, config: &SourceConfig, folder: &Path) -> Result<Self, SourceError> {
        check_name(name)?;
        check_path(&config.path)?;
        let scheme = scheme(config)?;
        let keys = keys::read(&config.keys, config.danger_allow_short_key, folder)?;
        let policy = Arc::new(Policy::build(config, &scheme)?);
        let order = order::build(config, policy.knows(&scheme))?;
        let mut builder = Verifier::builder(scheme.clone()).keys(keys).danger_accept_undated();
        if let Some(seconds) = config.tolerance_seconds {
            builder = builder.window(window(&scheme, Duration::from_secs(seconds))?);
        }
        if let Some(bytes) = config.body_limit_bytes {
            builder = builder.body_limit(bytes);
        }
        if let Some(url) = &config.public_url {
            builder = builder.public_url(url);
        }
        if let Some(id) = &config.webhook_id {
            builder = builder.webhook_id(id);
        }
        let verifier =
            builder.build().map_err(|error| SourceError::Library { field: field_of(&error), error })?;
        let handshake = handshake::of(config, folder)?;
        let quarantine = refused::quarantine(config.quarantine, &scheme, &verifier)?;
        Ok(Self {
            name: name.into(),
            path: config.path.clone(),
            verifier,
            handshake,
            order,
            quarantine,
            policy,
        })
    }

    /// The preset's name, and a signer with the first key: for test deliveries.
    pub(crate) fn signer(config: &SourceConfig, folder: &Path) -> Result<(String, Signer), SourceError> {
        let scheme = scheme(config)?;
        let keys = keys::read(&config.keys, config.danger_allow_short_key, folder)?;
        let key = keys.first().ok_or_else(|| wrong("keys", "there is none"))?;
        let signer =
            Signer::new(&scheme, key).map_err(|error| SourceError::Library { field: "keys", error })?;
        Ok((scheme.name().to_owned(), signer))
    }

    /// By how much the sender's clock is ahead of `now`, in milliseconds. `None` where nothing signed says when it was sent: the time of
    /// an event is older with each retry, and tells nothing of a clock.
    #[must_use]
    pub fn skew_ms(&self, proof: &Verified<Bytes>, now: UnixTime) -> Option<i64> {
        let Freshness::SignedTimestamp { .. } = self.verifier.scheme().freshness() else {
            return None;
        };
        let millis = |time: UnixTime| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Some(millis(proof.timestamp()?).saturating_sub(millis(now)))
    }

    /// What the inbox wants to know of a verified delivery.
    #[must_use]
    pub fn facts(&self, proof: &Verified<Bytes>, headers: &HeaderMap) -> Facts {
        let policy = &self.policy;
        let mut facts = Facts { headers: policy.keep(headers), ..Facts::default() };
        if policy.body == BodyKind::Json
            && let Err(problem) = strict_json::check(proof.body())
        {
            facts.malformed = Some(problem.to_owned());
            return facts;
        }
        let find = |pointer: &Pointer| {
            pointer.find(proof.body()).ok().flatten().and_then(hookproof::Scalar::into_id)
        };
        facts.ordering_key = policy.ordering_key.iter().find_map(find).map(std::borrow::Cow::into_owned);
        facts.sequence = policy.sequence.as_ref().and_then(find).and_then(|text| text.parse().ok());
        let stated = || find(policy.occurred_at.as_ref()?).and_then(|text| stated_time(&text));
        match self.verifier.scheme().freshness() {
            Freshness::EventTime { pointer, required, .. } => {
                facts.occurred_at = proof.timestamp();
                if *required && facts.occurred_at.is_none() {
                    facts.malformed = Some(format!("no readable event time at {pointer}"));
                }
            }
            Freshness::SignedTimestamp { .. } => facts.occurred_at = stated().or(proof.timestamp()),
            _ => facts.occurred_at = stated(),
        }
        facts
    }
}

/// A time that a provider states in its body without saying in which form. It orders events; nothing is believed for it.
fn stated_time(text: &str) -> Option<UnixTime> {
    let formats = [TimestampFormat::SecondsOrRfc3339, TimestampFormat::Millis];
    formats.into_iter().find_map(|format| format.parse(text.as_bytes()))
}

fn check_name(name: &str) -> Result<(), SourceError> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(good) {
        return Err(wrong("name", "use 1 to 64 characters of a-z 0-9 - _"));
    }
    Ok(())
}

/// A path has one spelling: no doubled or trailing slash, no dots, no escapes. What is not that path is a 404.
fn check_path(path: &str) -> Result<(), SourceError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let segments = path.strip_prefix('/').unwrap_or_default();
    let bad_segment = |segment: &str| segment.is_empty() || segment == "." || segment == "..";
    if !path.bytes().all(good) || segments.split('/').any(bad_segment) {
        let problem = format!(
            "'{}': write it as /hooks/name, with A-Z a-z 0-9 - _ . ~ between slashes",
            path.escape_debug()
        );
        return Err(wrong("path", problem));
    }
    Ok(())
}

/// How alike two names must be (Jaro-Winkler) for one to be a slip of the other.
const ALIKE: f64 = 0.85;

fn no_preset(name: &str) -> String {
    let mut names: Vec<_> = Scheme::all().map(|scheme| scheme.name().to_owned()).collect();
    names.sort();
    let alike = |known: &String| strsim::jaro_winkler(known, name);
    let meant = names.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)));
    let hint = meant.filter(|known| alike(known) >= ALIKE);
    let hint = hint.map(|known| format!(" (did you mean '{known}'?)")).unwrap_or_default();
    format!("there is no preset '{}'{hint}: choose one of {}", name.escape_debug(), names.join(", "))
}

pub(crate) fn scheme(config: &SourceConfig) -> Result<Scheme, SourceError> {
    if config.scheme == "dropbox" {
        let problem = "Dropbox sends equal bodies for different changes, and signs no id: the inbox would take the second for a \
                       replay; use the library in a service of your own";
        return Err(wrong("scheme", problem));
    }
    let Some(preset) = Scheme::by_name(&config.scheme) else {
        return Err(wrong("scheme", no_preset(&config.scheme)));
    };
    if config.scheme == "gitlab-token" && !config.danger_accept_unsigned_body {
        let problem = "X-Gitlab-Token proves that the sender knows the secret and nothing of the body: whoever sees one delivery can \
                       send any other; use the scheme 'gitlab' with a signing token, or set danger_accept_unsigned_body = true";
        return Err(wrong("scheme", problem));
    }
    let Overrides {
        signature_header,
        signature_prefix,
        event_id_header,
        event_type_header,
        event_time,
        timestamp_format,
    } = &config.overrides;
    let mut builder = preset.to_builder();
    if let Some(name) = signature_header {
        builder = builder.signature_header(name);
    }
    if let Some(prefix) = signature_prefix {
        builder = builder.prefix(prefix.clone());
    }
    if let Some(name) = event_id_header {
        builder = builder.event_id_header(name);
    }
    if let Some(name) = event_type_header {
        builder = builder.event_type_header(name);
    }
    if let Some(pointer) = event_time {
        builder = builder.event_time_at(pointer, TimestampFormat::SecondsOrRfc3339);
    }
    if let Some(format) = timestamp_format {
        builder = builder.timestamp_format(match format {
            TimestampName::Seconds => TimestampFormat::Seconds,
            TimestampName::Millis => TimestampFormat::Millis,
            TimestampName::Rfc3339 => TimestampFormat::Rfc3339,
        });
    }
    builder.build().map_err(|error| SourceError::Library { field: "override", error })
}

/// A tolerance replaces both sides of a signed timestamp's window, and the past of an event time's.
pub(crate) fn window(scheme: &Scheme, tolerance: Duration) -> Result<Window, SourceError> {
    match scheme.freshness() {
        Freshness::EventTime { window, .. } => {
            let (horizon, published) = match scheme.retry_horizon() {
                Some(horizon) => (horizon, "re-sends"),
                None => {
                    (LONGEST_HORIZON, "may re-send (it does not say how long; the longest known is assumed)")
                }
            };
            if tolerance < horizon {
                let problem = format!(
                    "{} s is less than the {} s for which '{}' {published} an event with its old time: those retries \
                     would be refused and lost",
                    tolerance.as_secs(),
                    horizon.as_secs(),
                    scheme.name()
                );
                return Err(wrong("tolerance_seconds", problem));
            }
            Ok(Window { past: tolerance, future: window.future })
        }
        _ => Ok(Window::symmetric(tolerance)),
    }
}

fn field_of(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::Tolerance { .. } | ConfigError::NoTimestamp { .. } => "tolerance_seconds",
        ConfigError::PublicUrl { .. } | ConfigError::PublicUrlMissing { .. } => "public_url",
        ConfigError::WebhookId { .. } | ConfigError::WebhookIdMissing { .. } => "webhook_id",
        ConfigError::BodyLimit => "body_limit_bytes",
        ConfigError::Scheme { .. } => "scheme",
        _ => "keys",
    }
}

impl Policy {
    fn build(config: &SourceConfig, scheme: &Scheme) -> Result<Self, SourceError> {
        let pointer = |field: &'static str, text: &str| {
            Pointer::new(text).ok_or_else(|| {
                wrong(field, format!("'{}' is not a JSON pointer: start it with '/'", text.escape_debug()))
            })
        };
        let preset = PresetPolicy::of(&config.scheme);
        let ordering_key = match &config.ordering_key {
            Some(given) => {
                given.iter().map(|text| pointer("ordering_key", text)).collect::<Result<_, _>>()?
            }
            None => preset
                .ordering_key
                .iter()
                .map(|text| pointer("ordering_key", text))
                .collect::<Result<_, _>>()?,
        };
        let occurred_at = config.occurred_at.as_deref().or(preset.occurred_at);
        let metadata = scheme.metadata_headers().cloned();
        Ok(Self {
            body: config.body.unwrap_or(preset.body),
            ordering_key,
            occurred_at: occurred_at.map(|text| pointer("occurred_at", text)).transpose()?,
            sequence: config.sequence.as_deref().map(|text| pointer("sequence", text)).transpose()?,
            kept_headers: [header::CONTENT_TYPE, header::USER_AGENT].into_iter().chain(metadata).collect(),
        })
    }

    /// What of an order can be told from its events.
    fn knows(&self, scheme: &Scheme) -> Known {
        let event_time = matches!(scheme.freshness(), Freshness::EventTime { .. });
        Known { key: !self.ordering_key.is_empty(), time: event_time || self.occurred_at.is_some() }
    }

    /// A list of what is kept, and not of what is left out: a header that nobody thought of may be a secret.
    fn keep(&self, headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
        let kept = self.kept_headers.iter().filter_map(|name| Some((name, headers.get(name)?)));
        kept.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
    }
}
