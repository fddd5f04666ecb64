//! Building a [`Scheme`], with every contradiction refused.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;

use crate::config_error::ConfigError;
use crate::encoding::Encoding;
use crate::message_components::Component;
use crate::part::Part;
use crate::plan::Plan;
use crate::pointer::Pointer;
use crate::scheme::{
    Algorithm, BoundKey, DigestScope, Family, Freshness, KeyFormat, Location, Scheme, Syntax, TimestampAt,
    Version,
};
use crate::scheme_rules::{check_window, contradictions};
use crate::timestamp::{TimestampFormat, Window};

/// The window of a signed timestamp unless said: 300 s on both sides, as nearly every provider's library has it.
const SIGNED_WINDOW: Window = Window::symmetric(Duration::from_secs(300));
/// How far a sender's clock may be ahead of an event time.
const EVENT_FUTURE: Duration = Duration::from_secs(300);
/// The longest retry horizon that a known provider publishes: 72 hours. Assumed where none is.
pub(crate) const LONGEST_HORIZON: Duration = Duration::from_secs(72 * 3600);

/// Collects the parts of a [`Scheme`]; see there for an example.
#[derive(Clone, Debug)]
#[must_use = "call build() to get the scheme"]
pub struct SchemeBuilder {
    scheme: Scheme,
    window: Option<Window>,
    problem: Option<(&'static str, String)>,
}

impl From<Scheme> for SchemeBuilder {
    fn from(scheme: Scheme) -> Self {
        Self { scheme, window: None, problem: None }
    }
}

impl SchemeBuilder {
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        Self::from(Scheme {
            name,
            signature_headers: Vec::new(),
            syntax: Syntax::Plain { prefix: "".into(), algorithm: Algorithm::HmacSha256 },
            encoding: Encoding::Hex,
            key_format: KeyFormat::Utf8,
            parts: vec![Part::Body],
            freshness: Freshness::None,
            event_id: None,
            event_types: Vec::new(),
            required_headers: Vec::new(),
            bound_key: None,
            preferred_family: None,
            identity: DigestScope::SignedBytes,
            retry_horizon: None,
            plan: Plan::default(),
        })
    }

    /// Renames the scheme.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.scheme.name = name.into();
        self
    }

    /// The header that holds the signature. Replaces those set before.
    pub fn signature_header(mut self, name: &str) -> Self {
        self.scheme.signature_headers = self.header("signature_header", name).into_iter().collect();
        self
    }

    /// Another header that may hold it too. The signatures of all that are present are candidates.
    pub fn alternative_signature_header(mut self, name: &str) -> Self {
        let header = self.header("alternative_signature_header", name);
        self.scheme.signature_headers.extend(header);
        self
    }

    /// The headers may also come with names that begin with `prefix` instead of `instead_of`. If any of those is present
    /// they alone are read: a delivery is never put together of both.
    pub fn preferred_family(mut self, prefix: &'static str, instead_of: &'static str) -> Self {
        let (prefix, instead_of) = (prefix.into(), instead_of.into());
        self.scheme.preferred_family = Some(Family { prefix, instead_of, scheme: None });
        self
    }

    /// This header must have exactly this value, such as the version of the signature.
    pub fn required_header(mut self, name: &str, value: impl Into<Cow<'static, str>>) -> Self {
        if let Some(name) = self.header("required_header", name) {
            self.scheme.required_headers.push((name, value.into()));
        }
        self
    }

    /// Of two signature headers, the key of this id goes with this one only, and every other key only with the other.
    pub fn bind_key(mut self, key_id: impl Into<Cow<'static, str>>, header: &str) -> Self {
        if let Some(header) = self.header("bind_key", header) {
            self.scheme.bound_key = Some(BoundKey { key_id: key_id.into(), header });
        }
        self
    }

    /// The header holds one HMAC-SHA256 signature after this prefix.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.scheme.syntax = Syntax::Plain { prefix: prefix.into(), algorithm: Algorithm::HmacSha256 };
        self
    }

    /// Like [`prefix`](Self::prefix), with HMAC-SHA1: for providers that offer nothing newer.
    pub fn prefix_sha1(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.scheme.syntax = Syntax::Plain { prefix: prefix.into(), algorithm: Algorithm::HmacSha1 };
        self
    }

    /// The header's syntax, where [`prefix`](Self::prefix) does not suffice.
    pub fn syntax(mut self, syntax: Syntax) -> Self {
        self.scheme.syntax = syntax;
        self
    }

    /// The header is a list such as `t=1700000000,v1=<hex>`: the timestamp stands under `timestamp`, and HMAC-SHA256
    /// signatures under `version`.
    pub fn key_value(mut self, timestamp: &'static str, version: &'static str) -> Self {
        let versions = vec![Version { name: version.into(), algorithm: Algorithm::HmacSha256 }];
        self.scheme.syntax = Syntax::KeyValue { versions, timestamp: Some(timestamp.into()), separator: ',' };
        self.scheme.freshness = Freshness::SignedTimestamp {
            at: TimestampAt::SignatureField,
            format: TimestampFormat::Seconds,
            window: SIGNED_WINDOW,
        };
        self
    }

    /// The header holds one signature of this algorithm, and nothing else.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.scheme.syntax = Syntax::Plain { prefix: "".into(), algorithm };
        self
    }

    /// HTTP message signatures (RFC 9421): what a signature must cover at least, such as `@method`, `content-digest` or
    /// `@query-param;name="id"`, and the only algorithm that counts, if it is not to be the key's.
    pub fn http_message<'c>(
        mut self,
        required: impl IntoIterator<Item = &'c str>,
        algorithm: Option<Algorithm>,
    ) -> Self {
        let mut components = Vec::new();
        for text in required {
            match Component::new(text) {
                Some(component) => components.push(component),
                None => self.fail("http_message", &format!("'{}' cannot be covered", text.escape_debug())),
            }
        }
        self.scheme.signature_headers = self.header("http_message", "signature").into_iter().collect();
        self.scheme.syntax = Syntax::HttpMessage { required: components, algorithm, uncovered_body: false };
        self.scheme.key_format = KeyFormat::PublicKeyOrSecret;
        self.scheme.parts = vec![Part::SignatureBase];
        self.scheme.freshness = Freshness::SignedTimestamp {
            at: TimestampAt::Created,
            format: TimestampFormat::Seconds,
            window: SIGNED_WINDOW,
        };
        self.scheme.identity = DigestScope::Body;
        self
    }

    /// Accepts message signatures that do not cover `content-digest`.
    ///
    /// # Security
    ///
    /// Then whoever sees one delivery can send any body with its signature. Only for requests whose body means nothing.
    pub fn danger_uncovered_body(mut self) -> Self {
        match &mut self.scheme.syntax {
            Syntax::HttpMessage { uncovered_body, .. } => *uncovered_body = true,
            _ => self.fail("danger_uncovered_body", "only http_message has it"),
        }
        self
    }

    /// How the signature is written. Hex unless said.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.scheme.encoding = encoding;
        self
    }

    /// How the key's text becomes bytes. The text's own bytes unless said.
    pub fn key_format(mut self, format: KeyFormat) -> Self {
        self.scheme.key_format = format;
        self
    }

    /// What is signed, in order. The raw body unless said.
    pub fn signed(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.scheme.parts = parts.into_iter().collect();
        self
    }

    /// The signed timestamp stands in this header.
    pub fn timestamp_header(mut self, name: &str, format: TimestampFormat) -> Self {
        if let Some(name) = self.header("timestamp_header", name) {
            let at = TimestampAt::Header(name);
            self.scheme.freshness = Freshness::SignedTimestamp { at, format, window: SIGNED_WINDOW };
        }
        self
    }

    /// The token's claim in which the time of issue is, as a JSON pointer.
    pub fn timestamp_claim(mut self, pointer: &str, format: TimestampFormat) -> Self {
        if let Some(pointer) = self.pointer("timestamp_claim", pointer) {
            let at = TimestampAt::Claim(pointer);
            self.scheme.freshness = Freshness::SignedTimestamp { at, format, window: SIGNED_WINDOW };
        }
        self
    }

    /// How the signed timestamp, or the event time, is written.
    pub fn timestamp_format(mut self, new: TimestampFormat) -> Self {
        match &mut self.scheme.freshness {
            Freshness::SignedTimestamp { format, .. } | Freshness::EventTime { format, .. } => *format = new,
            Freshness::None => self.fail("timestamp_format", "the scheme has no timestamp"),
        }
        self
    }

    /// The signed JSON body holds the time of the event at this pointer, and must. Its window is the retry horizon
    /// (72 hours where none is given) and five minutes, unless [`window`](Self::window) says otherwise.
    pub fn event_time_at(self, pointer: &str, format: TimestampFormat) -> Self {
        self.event_time(pointer, format, true)
    }

    /// Like [`event_time_at`](Self::event_time_at), for a provider that may leave it out. It is checked when present.
    pub fn optional_event_time_at(self, pointer: &str, format: TimestampFormat) -> Self {
        self.event_time(pointer, format, false)
    }

    fn event_time(mut self, pointer: &str, format: TimestampFormat, required: bool) -> Self {
        if let Some(pointer) = self.pointer("event_time_at", pointer) {
            let window = Window { past: Duration::ZERO, future: EVENT_FUTURE };
            self.scheme.freshness = Freshness::EventTime { pointer, format, window, required };
        }
        self
    }

    /// The window that a timestamp must lie in.
    pub fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The header with the provider's event id. It counts as signed only if [`Part::Id`] is among the signed parts.
    pub fn event_id_header(mut self, name: &str) -> Self {
        self.scheme.event_id = self.header("event_id_header", name).map(Location::Header);
        self
    }

    /// Where in the JSON body the provider's event id is.
    pub fn event_id_at(mut self, pointer: &str) -> Self {
        self.scheme.event_id = self.pointer("event_id_at", pointer).map(Location::Body);
        self
    }

    /// The header with the event type. Replaces those set before.
    pub fn event_type_header(mut self, name: &str) -> Self {
        self.scheme.event_types =
            self.header("event_type_header", name).map(Location::Header).into_iter().collect();
        self
    }

    /// Where in the JSON body the event type is. Called again, it adds a place to look when the first is empty.
    pub fn event_type_at(mut self, pointer: &str) -> Self {
        let location = self.pointer("event_type_at", pointer).map(Location::Body);
        self.scheme.event_types.extend(location);
        self
    }

    /// What identifies an event that has no signed id. All signed bytes unless said.
    pub fn identity(mut self, scope: DigestScope) -> Self {
        self.scheme.identity = scope;
        self
    }

    /// For how long the provider re-sends a failed delivery.
    pub fn retry_horizon(mut self, horizon: Duration) -> Self {
        // A window that followed the horizon of a preset follows the new one.
        let followed = self.scheme.retry_horizon.unwrap_or(LONGEST_HORIZON).saturating_add(EVENT_FUTURE);
        if let Freshness::EventTime { window, .. } = &mut self.scheme.freshness
            && window.past == followed
        {
            window.past = Duration::ZERO;
        }
        self.scheme.retry_horizon = Some(horizon);
        self
    }

    /// The scheme, if it makes sense.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Scheme`] names the builder method at fault and the remedy; [`ConfigError::Tolerance`] a window
    /// out of bounds; [`ConfigError::NoTimestamp`] a window without a timestamp.
    ///
    /// # Security
    ///
    /// A scheme that does not sign the body, or takes a timestamp or id into account that it does not sign, is
    /// refused. What this cannot know is whether the provider really signs as you wrote: test with a delivery of his.
    pub fn build(mut self) -> Result<Scheme, ConfigError> {
        if let Some((field, problem)) = self.problem.take() {
            return Err(self.error(field, problem));
        }
        self.settle_window()?;
        if let Some((field, problem)) = contradictions(&self.scheme) {
            return Err(self.error(field, problem.to_owned()));
        }
        self.settle_family()?;
        Ok(self.scheme)
    }

    /// For our own presets, each of which a test builds.
    pub(crate) fn preset(self) -> Scheme {
        self.build().expect("a preset is a valid scheme")
    }

    fn settle_window(&mut self) -> Result<(), ConfigError> {
        let horizon = self.scheme.retry_horizon.unwrap_or(LONGEST_HORIZON);
        let name = self.scheme.name.to_string();
        match (&mut self.scheme.freshness, self.window) {
            (Freshness::None, Some(_)) => return Err(ConfigError::NoTimestamp { scheme: name }),
            (Freshness::None, None) => return Ok(()),
            (
                Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. },
                Some(given),
            ) => {
                *window = given;
            }
            (Freshness::EventTime { window, .. }, None) if window.past.is_zero() => {
                window.past = horizon.saturating_add(EVENT_FUTURE);
            }
            (_, None) => {}
        }
        check_window(&self.scheme.freshness)
    }

    fn settle_family(&mut self) -> Result<(), ConfigError> {
        let Some(mut family) = self.scheme.preferred_family.take() else { return Ok(()) };
        // The headers of a message signature have their names from RFC 9421.
        let mut renamed = !matches!(self.scheme.syntax, Syntax::HttpMessage { .. });
        let mut scheme = self.scheme.clone();
        for name in scheme.headers_read_mut() {
            let new = name.as_str().strip_prefix(family.instead_of.as_ref());
            let new = new.and_then(|rest| HeaderName::try_from(format!("{}{rest}", family.prefix)).ok());
            renamed &= new.is_some();
            *name = new.unwrap_or_else(|| name.clone());
        }
        if !renamed {
            let problem = "every header of the scheme must begin with what the family's prefix stands for";
            return Err(self.error("preferred_family", problem.to_owned()));
        }
        family.scheme = Some(Box::new(scheme));
        self.scheme.preferred_family = Some(family);
        Ok(())
    }

    fn header(&mut self, field: &'static str, name: &str) -> Option<HeaderName> {
        let header = HeaderName::try_from(name).ok();
        if header.is_none() {
            self.fail(field, &format!("'{}' is not a header name", name.escape_debug()));
        }
        header
    }

    fn pointer(&mut self, field: &'static str, text: &str) -> Option<Pointer> {
        let pointer = Pointer::new(text);
        if pointer.is_none() {
            self.fail(field, &format!("'{}' is not a JSON pointer: start it with '/'", text.escape_debug()));
        }
        pointer
    }

    fn fail(&mut self, field: &'static str, problem: &str) {
        self.problem.get_or_insert_with(|| (field, problem.to_owned()));
    }

    fn error(&self, field: &'static str, problem: String) -> ConfigError {
        ConfigError::Scheme { scheme: self.scheme.name.to_string(), field, problem }
    }
}
