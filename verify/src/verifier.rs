//! The engine: a scheme, its keys and its limits in; a proof or a refusal out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use crate::claims::Then;
use crate::config_error::ConfigError;
use crate::encoding::{is_id_byte, to_hex};
use crate::head::Head;
use crate::http_message;
use crate::judge::Verdicts;
use crate::key::Key;
use crate::key_ring::{KeyRing, VerifyingKey};
use crate::mac::{Tag, sha256};
use crate::pending::Pending;
use crate::pointer::BodyError;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{Freshness, Scheme, Syntax};
use crate::scheme_rules::check_window;
use crate::timestamp::{UnixTime, Window};
use crate::verified::{Facts, Observed, SignedBy, Verified};
use crate::{adyen, token};

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
    keys: ArcSwap<KeyRing>,
    public_url: Option<String>,
    webhook_id: Option<String>,
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
    webhook_id: Option<String>,
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

    /// The id that the provider gave the endpoint, for the schemes that sign it (PayPal).
    pub fn webhook_id(mut self, id: impl Into<String>) -> Self {
        self.webhook_id = Some(id.into());
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
        scheme.plan_again();
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
        match &self.webhook_id {
            None if scheme.signs_webhook_id() => {
                return Err(ConfigError::WebhookIdMissing { scheme: scheme.name.to_string() });
            }
            Some(id) => check_webhook_id(&scheme, id)?,
            None => {}
        }
        let public_url = self.public_url.map(checked_public_url).transpose()?;
        let scheme = Arc::new(scheme);
        let keys = KeyRing::of(&scheme, &self.keys)?;
        Ok(Verifier(Arc::new(Inner {
            scheme,
            keys: ArcSwap::from_pointee(keys),
            public_url,
            webhook_id: self.webhook_id,
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

fn check_webhook_id(scheme: &Scheme, id: &str) -> Result<(), ConfigError> {
    let problem = if !scheme.signs_webhook_id() {
        "the scheme signs no webhook id: remove it"
    } else if id.is_empty() || !id.bytes().all(is_id_byte) {
        "copy the id that the provider shows, of A-Z a-z 0-9 _ and -"
    } else {
        return Ok(());
    };
    Err(ConfigError::WebhookId { id: id.escape_debug().to_string(), problem })
}

/// What is left to say when everything has been compared.
pub(crate) struct Conclusion<'a> {
    pub(crate) ring: &'a KeyRing,
    pub(crate) verdicts: Verdicts,
    pub(crate) then: &'a Then,
    /// What the body contributed to the signed text.
    pub(crate) of_body: &'a [u8],
    pub(crate) now: UnixTime,
}

impl Verifier {
    /// Starts a verifier of `scheme`.
    pub fn builder(scheme: Scheme) -> VerifierBuilder {
        VerifierBuilder {
            scheme,
            keys: Vec::new(),
            window: None,
            public_url: None,
            webhook_id: None,
            body_limit: DEFAULT_BODY_LIMIT,
            undated_accepted: false,
        }
    }

    /// The scheme, with the window that applies.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.0.scheme
    }

    /// The keys, as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        self.0.keys.load_full()
    }

    /// The same, for as long as one delivery is looked at: nothing is counted.
    #[inline]
    pub(crate) fn ring(&self) -> Guard<Arc<KeyRing>> {
        self.0.keys.load()
    }

    /// Puts other keys in the place of those in use, for this verifier and all its clones, without a restart. A
    /// request that has begun keeps the keys with which it began; readers never wait.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`build`](VerifierBuilder::build) has it. Then the old keys stay.
    pub fn replace_keys(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), ConfigError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let ring = KeyRing::of(&self.0.scheme, &keys)?;
        self.0.keys.rcu(|old| ring.clone().counting_on(old));
        Ok(())
    }

    /// The longest body, in bytes, of the incremental form and the layer.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// The length that a body is said to have, in bytes, if it may be so long.
    pub(crate) fn check_length(&self, bytes: u64) -> Result<usize, Refusal> {
        let fits = usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.body_limit());
        fits.ok_or(Refusal::BodyTooLarge)
    }

    /// Verifies a body that is already in memory.
    ///
    /// Every key is tried with every presented signature, each comparison in constant time. For HMAC nothing is allocated,
    /// but once per thread for swapping keys; for an id or event type of more than 62 bytes, which no provider has; and
    /// for an event time: the JSON parser keeps a byte per level of nested values that it passes over, and unescapes. The
    /// body may be any bytes; it is not looked into before its signature holds.
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
        let mut observed = Observed::default();
        let signed_by = self.prove(&request.into(), body.as_ref(), now.into(), &mut observed)?;
        Ok(Verified::new(body, Facts { signed_by, observed }))
    }

    /// Who signed, and what was `observed`. One function for all types of bodies, so that it is compiled together with
    /// what it calls.
    fn prove(
        &self,
        request: &RequestView<'_>,
        body: &[u8],
        now: UnixTime,
        observed: &mut Observed,
    ) -> Result<Arc<SignedBy>, Refusal> {
        let mut head = Head::new(self, request, now);
        head.read_and_prove(body, observed)
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
        let request = request.into();
        let (mut head, mut observed) = (Head::new(self, &request, now.into()), Observed::default());
        head.read(&mut observed)?;
        Ok(head.into_pending(observed))
    }

    /// The last steps, common to all doors: which key it was, what was signed beside the body, and when the event was.
    #[inline]
    pub(crate) fn settle<'a>(
        &self,
        conclusion: &Conclusion<'a>,
        body: &[u8],
        observed: &mut Observed,
    ) -> Result<&'a Arc<SignedBy>, Refusal> {
        let Conclusion { ring, mut verdicts, then, of_body, now } = *conclusion;
        let scheme = &self.0.scheme;
        let as_it_is = scheme.plan.plain_body;
        let in_items = !as_it_is && matches!(scheme.syntax, Syntax::AdyenItems);
        if in_items {
            let (of_items, digest) = adyen::judge(ring, body, now)?;
            (verdicts, observed.signed_text) = (of_items, Some(digest));
        }
        let (message, key) = verdicts.winner(ring.keys()).ok_or(Refusal::SignatureMismatch)?;
        match then {
            Then::Nothing if as_it_is || in_items => {}
            // A form, or a checksum: what was signed is not the body as it is.
            Then::Nothing => observed.signed_text = Some(sha256(of_body)),
            Then::BodyDigest(wanted) if *wanted == to_hex(&sha256(body)) => {}
            Then::BodyDigest(_) => return Err(Refusal::DigestMismatch),
            Then::Message { created, digest } => {
                if let Some(stated) = digest {
                    http_message::check_digest(stated, body)?;
                }
                observed.timestamp = created.get(message).copied();
            }
            Then::TokenClaims(claims) => {
                observed.timestamp = token::check_claims(scheme, claims, body, now)?;
            }
        }
        if let Freshness::EventTime { .. } = scheme.freshness {
            observed.timestamp = self.event_time(body, now)?;
        }
        key.record_use(now);
        Ok(&key.signed_by)
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

    /// The MAC of a short text with the key of that id, for a challenge that asks for it. `None` if that is a public key.
    pub(crate) fn mac_with(&self, key_id: &str, text: &[u8]) -> Option<Tag> {
        let ring = self.ring();
        let key = ring.keys().iter().find(|key| *key.id == *key_id)?;
        let VerifyingKey::Mac(ready) = &key.verifying else { return None };
        Some(ready.tag_of(text))
    }

    /// Empty if there is none; then the scheme does not sign it.
    pub(crate) fn public_url(&self) -> &str {
        self.0.public_url.as_deref().unwrap_or_default()
    }

    /// Empty if there is none; then the scheme does not sign it.
    pub(crate) fn webhook_id(&self) -> &str {
        self.0.webhook_id.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.0.scheme.name()).field("keys", &self.keys()).finish()
    }
}
