//! The signing side of a scheme: for tests, for a sender, for forwarding.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use zeroize::Zeroizing;

use crate::config_error::ConfigError;
use crate::encoding::{Encoding, is_id_byte, to_base64_url, to_hex};
use crate::key::{Key, KeyBytes};
use crate::key_ring::{bound_header, mac_hash};
use crate::mac::{MacState, sha256};
use crate::message_components::{Component, Covered};
use crate::part::Part;
use crate::scheme::{Algorithm, Freshness, Location, Scheme, Syntax, TimestampAt, Version};
use crate::timestamp::UnixTime;
use crate::{adyen, canonical, http_message};

/// Signs deliveries as the provider would.
///
/// ```
/// use hookproof::{schemes, Key, Outgoing, Signer, UnixTime, Verifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = Key::new("test", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
/// let now = UnixTime::from_secs(1_700_000_000);
/// let outgoing = Outgoing::new(br#"{"type":"lead.created"}"#).id("msg_1").timestamp(now);
/// let headers = Signer::new(&schemes::standard_webhooks(), &key)?.sign(&outgoing)?;
///
/// let verifier = Verifier::builder(schemes::standard_webhooks()).key(key).build()?;
/// assert!(verifier.verify(&headers, outgoing.body, now).is_ok());
/// # Ok(())
/// # }
/// ```
pub struct Signer {
    scheme: Scheme,
    key: SigningKey,
    key_id: String,
    /// The name of the key in a token.
    token_key: String,
}

enum SigningKey {
    Mac(MacState),
    Token(Zeroizing<Vec<u8>>),
    #[cfg(feature = "asymmetric")]
    Private(crate::asymmetric::PrivateKey),
}

/// A delivery that is to be signed. `Debug` does not print its body.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The body, byte for byte as it will be sent.
    pub body: &'a [u8],
    /// The event id, for schemes that carry it in a header.
    pub id: Option<&'a str>,
    /// The event type, for schemes that carry it in a header.
    pub event_type: Option<&'a str>,
    /// The time to sign. The epoch unless given.
    pub timestamp: UnixTime,
    /// The method. `POST` unless given.
    pub method: &'a Method,
    /// The public URL, for schemes that sign it.
    pub url: &'a str,
    /// The id that the provider gave the endpoint, for schemes that sign it.
    pub webhook_id: &'a str,
}

impl<'a> Outgoing<'a> {
    /// A `POST` of `body`.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        let timestamp = UnixTime::from_secs(0);
        Self { body, id: None, event_type: None, timestamp, method: &Method::POST, url: "", webhook_id: "" }
    }

    /// Sets the event id.
    #[must_use]
    pub fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the event type.
    #[must_use]
    pub fn event_type(mut self, event_type: &'a str) -> Self {
        self.event_type = Some(event_type);
        self
    }

    /// Sets the time to sign.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<UnixTime>) -> Self {
        self.timestamp = timestamp.into();
        self
    }

    /// Sets the id of the endpoint.
    #[must_use]
    pub fn webhook_id(mut self, id: &'a str) -> Self {
        self.webhook_id = id;
        self
    }

    /// Sets the public URL to sign.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Self {
        self.url = url;
        self
    }
}

/// Why a delivery cannot be signed. Caused by the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The scheme signs the id, and there is none.
    #[error("scheme '{scheme}' signs the event id: set Outgoing::id")]
    IdMissing {
        /// The scheme's name.
        scheme: String,
    },
    /// The id has characters that a receiver would refuse.
    #[error("an id may have 1 to 256 characters of A-Z a-z 0-9 _ and -")]
    BadId,
    /// The event type cannot stand in a header.
    #[error("the event type cannot stand in a header: use printable ASCII")]
    BadEventType,
    /// The body has nothing in it that could be signed.
    #[error("the body has no notificationItems with a NotificationRequestItem each")]
    NoItems,
    /// The scheme covers something that the delivery does not have.
    #[error("the scheme covers a header or a query parameter that the delivery does not have")]
    Uncoverable,
    /// The private key does not fit its public half.
    #[error("the private key is none of the scheme's algorithm, or its two halves do not belong together")]
    BadKeyPair,
}

impl Signer {
    /// A signer with the secret that the receiver also has.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the key does not fit the scheme, or can only verify.
    pub fn new(scheme: &Scheme, key: &Key) -> Result<Self, ConfigError> {
        let key_id = key.id().to_owned();
        #[cfg_attr(
            not(feature = "asymmetric"),
            expect(unused_mut, reason = "only these have a name of their own")
        )]
        let mut token_key = key_id.clone();
        let signing = match key.decode(scheme)? {
            KeyBytes::Secret(bytes) if scheme.algorithms() == [Algorithm::SharedToken] => {
                SigningKey::Token(bytes)
            }
            KeyBytes::Secret(bytes) => SigningKey::Mac(MacState::new(mac_hash(scheme), &bytes)),
            #[cfg(feature = "asymmetric")]
            KeyBytes::Private { key: private, kid } => {
                token_key = kid.unwrap_or(token_key);
                SigningKey::Private(private)
            }
            #[cfg(feature = "asymmetric")]
            KeyBytes::Public { .. } => {
                let why = "it is a public key; sign with the private one that belongs to it";
                return Err(ConfigError::CannotSign { id: key_id, why });
            }
        };
        Ok(Self { scheme: scheme.clone(), key: signing, key_id, token_key })
    }

    /// The headers that prove `outgoing`: signature, timestamp, id, type, as far as the scheme has them.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the scheme needs an id that is missing, or something cannot stand in a header.
    pub fn sign(&self, outgoing: &Outgoing<'_>) -> Result<HeaderMap, SignError> {
        let mut headers = HeaderMap::new();
        self.add_metadata(outgoing, &mut headers)?;
        let timestamp = self.timestamp(outgoing);
        if let (Some(text), Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. }) =
            (&timestamp, &self.scheme.freshness)
        {
            insert(&mut headers, name, text);
        }
        self.add_fixed_headers(&mut headers);
        let timestamp = timestamp.unwrap_or_default();
        if self.scheme.syntax == Syntax::AdyenItems {
            return Ok(headers);
        }
        let message = match &self.scheme.syntax {
            Syntax::HttpMessage { required, .. } => self.cover(required, outgoing, &mut headers)?,
            _ => self.message(outgoing, &timestamp, &headers),
        };
        let (algorithm, signature) = self.signature(&message)?;
        let text = self.write(algorithm, &signature, &timestamp, &message);
        let bound = bound_header(&self.scheme, &self.key_id).unwrap_or_default();
        if let Some(name) = self.scheme.signature_headers.get(bound) {
            insert(&mut headers, name, &text);
        }
        Ok(headers)
    }

    /// Puts the digest and the list of what is covered into the headers, and gives the text to sign.
    fn cover(
        &self,
        required: &[Component],
        outgoing: &Outgoing<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Vec<u8>, SignError> {
        insert(headers, &http_message::CONTENT_DIGEST, &http_message::print_digest(outgoing.body));
        let request = Covered { method: outgoing.method.as_str(), url: outgoing.url, headers };
        let covered = http_message::to_sign(required, &request, outgoing.timestamp, &self.key_id);
        let (input, base) = covered.ok_or(SignError::Uncoverable)?;
        insert(headers, &http_message::SIGNATURE_INPUT, &input);
        Ok(base)
    }

    /// Those whose value the scheme demands, and the list of the headers that are signed.
    fn add_fixed_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.scheme.required_headers {
            insert(headers, name, value);
        }
        for part in &self.scheme.parts {
            if let Part::SignedHeaders(list) = part {
                let mut names: Vec<_> = headers.keys().chain([list]).map(HeaderName::as_str).collect();
                names.sort_unstable();
                let names = names.join(",");
                insert(headers, list, &names);
            }
        }
    }

    fn timestamp(&self, outgoing: &Outgoing<'_>) -> Option<String> {
        match &self.scheme.freshness {
            Freshness::SignedTimestamp { format, .. } => Some(format.print(outgoing.timestamp)),
            _ => None,
        }
    }

    fn add_metadata(&self, outgoing: &Outgoing<'_>, headers: &mut HeaderMap) -> Result<(), SignError> {
        if let Some(Location::Header(name)) = &self.scheme.event_id {
            match outgoing.id {
                Some(id) if !id.is_empty() && id.len() <= 256 && id.bytes().all(is_id_byte) => {
                    insert(headers, name, id)
                }
                Some(_) => return Err(SignError::BadId),
                None if self.scheme.parts.contains(&Part::Id) => {
                    return Err(SignError::IdMissing { scheme: self.scheme.name().to_owned() });
                }
                None => {}
            }
        }
        if let (Some(Location::Header(name)), Some(event_type)) =
            (self.scheme.event_types.first(), outgoing.event_type)
        {
            let value = HeaderValue::from_str(event_type).map_err(|_| SignError::BadEventType)?;
            headers.insert(name.clone(), value);
        }
        Ok(())
    }

    /// The text that is signed.
    fn message(&self, outgoing: &Outgoing<'_>, timestamp: &str, headers: &HeaderMap) -> Vec<u8> {
        let mut message = Vec::with_capacity(outgoing.body.len() + 64);
        let digest_in_query = self.scheme.parts.contains(&Part::UrlVariants)
            && canonical::digest_in_query(outgoing.url).is_some();
        for part in &self.scheme.parts {
            let bytes: Cow<'_, [u8]> = match part {
                Part::Literal(text) => text.as_bytes().into(),
                Part::Id => outgoing.id.unwrap_or_default().as_bytes().into(),
                Part::Timestamp => timestamp.as_bytes().into(),
                Part::Method => outgoing.method.as_str().as_bytes().into(),
                Part::Url | Part::UrlVariants => outgoing.url.as_bytes().into(),
                Part::EncodedPath => canonical::encoded_path(outgoing.url).into_bytes().into(),
                Part::SignedHeaders(list) => canonical::signed_headers(list, headers).into(),
                Part::WebhookId => outgoing.webhook_id.as_bytes().into(),
                Part::TokenContent => self.token_content(outgoing).into_bytes().into(),
                Part::Form(_) if digest_in_query => Cow::Borrowed(&[]),
                Part::Body | Part::BodyCrc32 | Part::Form(_) => part.of_body(outgoing.body),
                Part::SignatureBase => Cow::Borrowed(&[]),
            };
            message.extend_from_slice(&bytes);
        }
        message
    }

    fn signature(&self, message: &[u8]) -> Result<(Algorithm, Vec<u8>), SignError> {
        match &self.key {
            SigningKey::Mac(ready) => {
                let tag = ready.tag_of(message);
                Ok((ready.hash().algorithm(), tag.publish().to_vec()))
            }
            SigningKey::Token(secret) => Ok((Algorithm::SharedToken, secret.to_vec())),
            #[cfg(feature = "asymmetric")]
            SigningKey::Private(private) => {
                let algorithms = self.scheme.algorithms().into_iter();
                let mut signatures =
                    algorithms.filter_map(|algorithm| Some((algorithm, private.sign(algorithm, message)?)));
                signatures.next().ok_or(SignError::BadKeyPair)
            }
        }
    }

    /// The first two parts of a token about `outgoing`.
    fn token_content(&self, outgoing: &Outgoing<'_>) -> String {
        let header = serde_json::json!({ "alg": "ES256", "kid": self.token_key, "typ": "JWT" });
        let mut claims = serde_json::json!({});
        if let Syntax::JsonWebToken { body_sha256 } = &self.scheme.syntax {
            body_sha256.put(&mut claims, to_hex(&sha256(outgoing.body)).into());
        }
        if let Freshness::SignedTimestamp { at: TimestampAt::Claim(pointer), format, .. } =
            &self.scheme.freshness
        {
            // Whatever counts the time, it is an integer.
            let time: Option<u64> = format.print(outgoing.timestamp).parse().ok();
            pointer.put(&mut claims, time.into());
        }
        let [header, claims] = [header, claims].map(|json| to_base64_url(json.to_string().as_bytes()));
        format!("{header}.{claims}")
    }

    /// The body as it is to be sent: with the signatures in it, for a scheme that has them there (`adyen-payments`),
    /// else as it is.
    ///
    /// # Errors
    ///
    /// [`SignError::NoItems`] if there is nothing in it that could be signed.
    pub fn signed_body<'b>(&self, body: &'b [u8]) -> Result<Cow<'b, [u8]>, SignError> {
        if self.scheme.syntax != Syntax::AdyenItems {
            return Ok(Cow::Borrowed(body));
        }
        let sign = |message: &[u8]| {
            let (_, signature) = self.signature(message).ok()?;
            Some(Encoding::Base64.encode(&signature))
        };
        adyen::signed_body(body, sign).map(Cow::Owned).ok_or(SignError::NoItems)
    }

    fn write(&self, algorithm: Algorithm, signature: &[u8], timestamp: &str, message: &[u8]) -> String {
        let encoded = match algorithm {
            Algorithm::SharedToken => String::from_utf8_lossy(signature).into_owned(),
            _ => self.scheme.encoding.encode(signature),
        };
        let name = |versions: &[Version]| {
            versions.iter().find(|version| version.algorithm == algorithm).map(|version| version.name.clone())
        };
        let name = |versions| name(versions).unwrap_or_default();
        match &self.scheme.syntax {
            Syntax::Plain { prefix, .. } => format!("{prefix}{encoded}"),
            Syntax::KeyValue { versions, timestamp: Some(field), separator } => {
                format!("{field}={timestamp}{separator}{}={encoded}", name(versions))
            }
            Syntax::KeyValue { versions, timestamp: None, .. } => format!("{}={encoded}", name(versions)),
            Syntax::Versioned { versions } => format!("{},{encoded}", name(versions)),
            Syntax::JsonWebToken { .. } => {
                format!("{}.{}", String::from_utf8_lossy(message), to_base64_url(signature))
            }
            Syntax::HttpMessage { .. } => http_message::print_signature(signature),
            Syntax::AdyenItems => String::new(),
        }
    }
}

/// What we print ourselves is printable ASCII; a value that is not would be left out, and then not verify.
fn insert(headers: &mut HeaderMap, name: &HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name.clone(), value);
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme.name()).finish_non_exhaustive()
    }
}
