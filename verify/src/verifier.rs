//! The engine: a scheme, its keys and its limits in; a proof or a refusal out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};

use crate::config_error::ConfigError;
use crate::key::{Key, KeyRing, RingKey, VerifyingKey};
use crate::mac::{Choice, Digest, MacState, no};
use crate::pending::Pending;
use crate::pointer::BodyError;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{Algorithm, DigestScope, Freshness, Location, Part, Scheme, TimestampAt};
use crate::scheme_builder::check_window;
use crate::signature_list::{self, Candidates, header_text};
use crate::timestamp::{TimestampFormat, UnixTime, Window};
use crate::verified::{Facts, MAX_ID_BYTES, Observed, ShortText, Verified};

/// The default limit of a body that is received incrementally: 1 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 1 << 20;

/// Verifies the deliveries of one source. Cheap to clone; shared by all requests.
///
/// ```
/// use hookproof::{schemes, Key, Signer, Outgoing, UnixTime, Verifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = Key::new("2026-11", "a secret of at least 16 bytes");
/// let verifier = Verifier::builder(schemes::github()).key(key.clone()).build()?;
///
/// let headers = Signer::new(&schemes::github(), &key)?.sign(&Outgoing::new(b"{}"))?;
/// let proof = verifier.verify(&headers, b"{}", UnixTime::from_secs(1_700_000_000))?;
/// assert_eq!(proof.key_id(), "2026-11");
///
/// let refusal = verifier.verify(&headers, b"{ }", UnixTime::from_secs(1_700_000_000)).unwrap_err();
/// assert_eq!(refusal.code(), "signature_mismatch");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    scheme: Arc<Scheme>,
    keys: KeyRing,
    public_url: Option<String>,
    body_limit: usize,
    undated_accepted: bool,
}

/// Collects what a [`Verifier`] needs.
#[derive(Clone, Debug)]
#[must_use = "call build() to get the verifier"]
pub struct VerifierBuilder {
    scheme: Scheme,
    keys: Vec<Key>,
    window: Option<Window>,
    public_url: Option<String>,
    body_limit: usize,
    undated_accepted: bool,
}

impl VerifierBuilder {
    /// Adds a key. During a rotation a verifier has the old and the new one; whichever verifies is in the proof.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds keys.
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// How far the timestamp may lie from the clock, on both sides. The scheme's own window unless given.
    pub fn tolerance(self, tolerance: Duration) -> Self {
        self.window(Window::symmetric(tolerance))
    }

    /// How far the timestamp may lie from the clock, each side by itself.
    pub fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The URL under which the provider reaches this service: scheme, host, port if it shows in the provider's
    /// settings, and the path prefix that a proxy takes away. The request's path and query are put behind it.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// The longest body in bytes that the incremental form and the layer take. [`DEFAULT_BODY_LIMIT`] unless given.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Accepts a genuine body from which the scheme's required event time cannot be read.
    ///
    /// # Security
    ///
    /// Such a delivery can be replayed at any later time. You must remember its [`replay_key`](Verified::replay_key)
    /// for ever, or set it aside for a person (its [`timestamp`](Verified::timestamp) is `None`). What is gained: a
    /// delivery that the provider sent broken is not lost.
    pub fn danger_accept_undated(mut self) -> Self {
        self.undated_accepted = true;
        self
    }

    /// The verifier, with its keys decoded.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the value at fault and the remedy.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        let mut scheme = self.scheme;
        if let Some(given) = self.window {
            match &mut scheme.freshness {
                Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => {
                    *window = given
                }
                Freshness::None => return Err(ConfigError::NoTimestamp { scheme: scheme.name.to_string() }),
            }
            check_window(&scheme.freshness)?;
        }
        if self.body_limit == 0 {
            return Err(ConfigError::BodyLimit);
        }
        if scheme.signs_url() && self.public_url.is_none() {
            return Err(ConfigError::PublicUrlMissing { scheme: scheme.name.to_string() });
        }
        let public_url = self.public_url.map(checked_public_url).transpose()?;
        let keys = KeyRing::new(&scheme, &self.keys)?;
        Ok(Verifier(Arc::new(Inner {
            scheme: Arc::new(scheme),
            keys,
            public_url,
            body_limit: self.body_limit,
            undated_accepted: self.undated_accepted,
        })))
    }
}

fn checked_public_url(url: String) -> Result<String, ConfigError> {
    let parsed: Option<http::Uri> = url.parse().ok();
    let good = parsed.as_ref().is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if !good || url.contains('#') {
        return Err(ConfigError::PublicUrl { url });
    }
    Ok(url.trim_end_matches('/').to_owned())
}

impl Verifier {
    /// Starts a verifier of `scheme`.
    pub fn builder(scheme: Scheme) -> VerifierBuilder {
        VerifierBuilder {
            scheme,
            keys: Vec::new(),
            window: None,
            public_url: None,
            body_limit: DEFAULT_BODY_LIMIT,
            undated_accepted: false,
        }
    }

    /// The scheme, with the window that applies.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// The longest body, in bytes, of the incremental form and the layer.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// Verifies a body that is already in memory.
    ///
    /// Every key is tried with every presented signature, each comparison in constant time. For HMAC schemes nothing
    /// is allocated, but for an event time: there the JSON parser keeps a byte per level of the nested values that it
    /// passes over, and unescapes. The body may be any bytes; it is not looked into before its signature holds.
    ///
    /// # Errors
    ///
    /// The [`Refusal`]. Show the caller its [`status`](Refusal::status) only.
    ///
    /// # Security
    ///
    /// `body` must be the bytes as received: not parsed and printed again, not trimmed, not decompressed. `now` is
    /// the clock at receipt; do not verify again later with a later clock. A proof says that the provider sent this
    /// once, not that it is the first time: see [`Freshness`].
    pub fn verify<'a, B: AsRef<[u8]>>(
        &self,
        request: impl Into<RequestView<'a>>,
        body: B,
        now: impl Into<UnixTime>,
    ) -> Result<Verified<B>, Refusal> {
        let now = now.into();
        let claims = Claims::read(self, request.into(), now)?;
        let (before, after) = split_at_body(&self.0.scheme.parts);
        let mut verdicts = Verdicts::new();
        for key in self.0.keys.keys() {
            verdicts.push(match &key.verifying {
                VerifyingKey::Mac(ready) => {
                    let mut mac = ready.clone();
                    claims.feed(before, &mut |bytes| mac.update(bytes));
                    mac.update(body.as_ref());
                    claims.feed(after, &mut |bytes| mac.update(bytes));
                    mac_matches(mac, &claims.candidates)
                }
                #[cfg(feature = "asymmetric")]
                VerifyingKey::Ed25519(public) => {
                    let mut message = Vec::new();
                    claims.feed(before, &mut |bytes| message.extend_from_slice(bytes));
                    message.extend_from_slice(body.as_ref());
                    claims.feed(after, &mut |bytes| message.extend_from_slice(bytes));
                    crate::asymmetric::ed25519_matches(public, &message, &claims.candidates)
                }
            });
        }
        let observed = claims.observed;
        self.conclude(&verdicts, body, observed, now)
    }

    /// Starts the incremental form: reads the headers, and refuses before any of the body is read if they suffice
    /// to refuse. Then [`update`](Pending::update) with each piece of the body, then [`finish`](Pending::finish).
    ///
    /// # Errors
    ///
    /// The [`Refusal`], if the headers are missing, malformed or stale.
    pub fn begin<'a>(
        &self,
        request: impl Into<RequestView<'a>>,
        now: impl Into<UnixTime>,
    ) -> Result<Pending, Refusal> {
        let now = now.into();
        Ok(Pending::new(self.clone(), &Claims::read(self, request.into(), now)?, now))
    }

    /// The last steps, common to all doors: which key it was, and when the event was.
    pub(crate) fn conclude<B: AsRef<[u8]>>(
        &self,
        verdicts: &Verdicts,
        body: B,
        mut observed: Observed,
        now: UnixTime,
    ) -> Result<Verified<B>, Refusal> {
        let key = verdicts.winner(self.0.keys.keys()).ok_or(Refusal::SignatureMismatch)?;
        if let Freshness::EventTime { .. } = self.0.scheme.freshness {
            observed.timestamp = self.event_time(body.as_ref(), now)?;
        }
        let facts = Facts { scheme: Arc::clone(&self.0.scheme), key_id: Arc::clone(&key.id), observed };
        Ok(Verified::new(body, facts))
    }

    fn event_time(&self, body: &[u8], now: UnixTime) -> Result<Option<UnixTime>, Refusal> {
        let Freshness::EventTime { pointer, format, window, required } = &self.0.scheme.freshness else {
            return Ok(None);
        };
        let undated = |refusal| if self.0.undated_accepted { Ok(None) } else { Err(refusal) };
        let text = match pointer.find(body) {
            Err(BodyError::NotJson | BodyError::DuplicateKey) => return undated(Refusal::MalformedBody),
            Ok(None) if *required => return undated(Refusal::MissingTimestamp),
            Ok(None) => return Ok(None),
            Ok(Some(value)) => value.into_id(),
        };
        match text.and_then(|text| format.parse(text.as_bytes())) {
            None => undated(Refusal::MalformedTimestamp),
            Some(time) => window.check(time, now, *format).map(|()| Some(time)),
        }
    }

    pub(crate) fn scheme_arc(&self) -> &Arc<Scheme> {
        &self.0.scheme
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.0.scheme.name()).field("keys", &self.0.keys).finish()
    }
}

/// What the headers claim. Believed only when a signature over it holds.
pub(crate) struct Claims<'a> {
    pub(crate) candidates: Candidates,
    pub(crate) observed: Observed,
    id: &'a str,
    timestamp: &'a str,
    method: &'a Method,
    public_url: &'a str,
    path_and_query: &'a str,
}

impl<'a> Claims<'a> {
    /// Everything that can be refused without the body, in the order that the test vectors fix.
    fn read(verifier: &'a Verifier, request: RequestView<'a>, now: UnixTime) -> Result<Self, Refusal> {
        let scheme = &*verifier.0.scheme;
        refuse_content_encoding(request.headers)?;
        refuse_duplicates(scheme, request.headers)?;
        let presented = signature_list::read(scheme, request.headers)?;
        let id = signed_id(scheme, request.headers)?;
        let timestamp = signed_timestamp(scheme, request.headers, presented.timestamp)?;
        let mut claims = Self {
            candidates: presented.candidates,
            observed: Observed {
                timestamp: timestamp.map(|(_, time, _)| time),
                header_id: metadata_header(request.headers, scheme.event_id.as_ref(), is_id_byte),
                header_type: scheme
                    .event_types
                    .iter()
                    .find_map(|at| metadata_header(request.headers, Some(at), |_| true)),
                context: None,
            },
            id,
            timestamp: timestamp.map_or("", |(text, ..)| text),
            method: request.method,
            public_url: verifier.0.public_url.as_deref().unwrap_or_default(),
            path_and_query: request.path_and_query,
        };
        if let (Some((_, time, format)), Freshness::SignedTimestamp { window, .. }) =
            (timestamp, &scheme.freshness)
        {
            window.check(time, now, format)?;
        }
        claims.observed.context = claims.context(scheme);
        Ok(claims)
    }

    /// Hands the signed parts to `sink`, byte for byte as presented.
    pub(crate) fn feed(&self, parts: &[Part], sink: &mut impl FnMut(&[u8])) {
        for part in parts {
            match part {
                Part::Literal(text) => sink(text.as_bytes()),
                Part::Id => sink(self.id.as_bytes()),
                Part::Timestamp => sink(self.timestamp.as_bytes()),
                Part::Method => sink(self.method.as_str().as_bytes()),
                Part::Url => {
                    sink(self.public_url.as_bytes());
                    sink(self.path_and_query.as_bytes());
                }
                Part::Body => {}
            }
        }
    }

    fn context(&self, scheme: &Scheme) -> Option<[u8; 32]> {
        let beside_body = |part: &&Part| matches!(part, Part::Timestamp | Part::Method | Part::Url);
        if scheme.identity == DigestScope::Body || scheme.parts.contains(&Part::Id) {
            return None;
        }
        scheme.parts.iter().find(beside_body)?;
        let mut digest = Digest::new("hookproof/signed-context/1");
        for part in scheme.parts.iter().filter(beside_body) {
            self.feed(std::slice::from_ref(part), &mut |bytes| digest.field(bytes));
        }
        Some(digest.finish())
    }
}

/// The parts before the body and those after it.
pub(crate) fn split_at_body(parts: &[Part]) -> (&[Part], &[Part]) {
    let at = parts.iter().position(|part| *part == Part::Body).unwrap_or(parts.len());
    parts.split_at_checked(at).unwrap_or((parts, &[]))
}

/// Whether any HMAC candidate is this key's tag. Every candidate is compared; none ends the loop early.
pub(crate) fn mac_matches(mac: MacState, candidates: &Candidates) -> Choice {
    let algorithm = match mac.hash() {
        crate::mac::Hash::Sha1 => Algorithm::HmacSha1,
        crate::mac::Hash::Sha256 => Algorithm::HmacSha256,
    };
    let tag = mac.finish();
    candidates.of(algorithm).fold(no(), |any, presented| any | tag.matches(presented))
}

/// One verdict per key of the ring, in its order.
pub(crate) struct Verdicts {
    each: [Choice; crate::key::MAX_KEYS],
    len: usize,
}

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self { each: [no(); crate::key::MAX_KEYS], len: 0 }
    }

    pub(crate) fn push(&mut self, verdict: Choice) {
        if let Some(slot) = self.each.get_mut(self.len) {
            *slot = verdict;
            self.len += 1;
        }
    }

    /// All verdicts are in before the first is looked at.
    fn winner<'k>(&self, keys: &'k [RingKey]) -> Option<&'k RingKey> {
        let any = self.each.iter().fold(no(), |any, verdict| any | *verdict);
        if !bool::from(any) {
            return None;
        }
        keys.iter().zip(&self.each).find(|(_, verdict)| bool::from(**verdict)).map(|(key, _)| key)
    }
}

fn refuse_content_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let identity = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(http::header::CONTENT_ENCODING).iter().all(identity) {
        Ok(())
    } else {
        Err(Refusal::UnsupportedContentEncoding)
    }
}

fn refuse_duplicates(scheme: &Scheme, headers: &HeaderMap) -> Result<(), Refusal> {
    let twice = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if scheme.headers_read().any(twice) { Err(Refusal::DuplicateHeader) } else { Ok(()) }
}

/// A byte that a signed id may have. No `.`: it separates the signed parts, so an id with one could be cut elsewhere
/// (Standard Webhooks 1.0.0, "signature scheme").
pub(crate) fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The id header's text, or nothing if the scheme does not sign one.
fn signed_id<'a>(scheme: &Scheme, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
    let (Some(Location::Header(name)), true) = (&scheme.event_id, scheme.parts.contains(&Part::Id)) else {
        return Ok("");
    };
    let value = headers.get(name).ok_or(Refusal::MissingHeader)?.as_bytes();
    if value.is_empty() || value.len() > MAX_ID_BYTES || !value.iter().all(|byte| is_id_byte(*byte)) {
        return Err(Refusal::MalformedId);
    }
    str::from_utf8(value).map_err(|_| Refusal::MalformedId)
}

type Stamp<'a> = (&'a str, UnixTime, TimestampFormat);

/// The signed timestamp as text, as a moment, and its format; `None` if the scheme signs none.
fn signed_timestamp<'a>(
    scheme: &Scheme,
    headers: &'a HeaderMap,
    in_signature: Option<&'a str>,
) -> Result<Option<Stamp<'a>>, Refusal> {
    let Freshness::SignedTimestamp { at, format, .. } = &scheme.freshness else { return Ok(None) };
    let text = match at {
        TimestampAt::SignatureField => in_signature,
        TimestampAt::Header(name) => header_text(headers, name).map_err(|_| Refusal::MalformedTimestamp)?,
    };
    let text = text.ok_or(Refusal::MissingTimestamp)?;
    let time = format.parse(text.as_bytes()).ok_or(Refusal::MalformedTimestamp)?;
    Ok(Some((text, time, *format)))
}

/// A metadata header's text; what does not fit is no metadata.
fn metadata_header(
    headers: &HeaderMap,
    location: Option<&Location>,
    fits: fn(u8) -> bool,
) -> Option<ShortText> {
    let Some(Location::Header(name)) = location else { return None };
    let text = header_text(headers, name).ok()??;
    if text.bytes().all(fits) { ShortText::new(text) } else { None }
}
