//! The signing side of a scheme: for tests, for a sender, for forwarding.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config_error::ConfigError;
use crate::encoding::is_id_byte;
use crate::key::{Key, KeyBytes, mac_hash};
use crate::mac::MacState;
use crate::scheme::{Algorithm, Freshness, Location, Part, Scheme, Syntax, TimestampAt, Version};
use crate::timestamp::UnixTime;

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
}

enum SigningKey {
    Mac(MacState),
    #[cfg(feature = "asymmetric")]
    Ed25519(zeroize::Zeroizing<Vec<u8>>),
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
}

impl<'a> Outgoing<'a> {
    /// A `POST` of `body`.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        let timestamp = UnixTime::from_secs(0);
        Self { body, id: None, event_type: None, timestamp, method: &Method::POST, url: "" }
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
    /// The private key does not fit its public half.
    #[error("the private key is not a pair of seed and public key")]
    BadKeyPair,
}

impl Signer {
    /// A signer with the secret that the receiver also has.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the key does not fit the scheme, or can only verify.
    pub fn new(scheme: &Scheme, key: &Key) -> Result<Self, ConfigError> {
        let signing = match key.decode(scheme)? {
            KeyBytes::Secret(bytes) => SigningKey::Mac(MacState::new(mac_hash(scheme), &bytes)),
            #[cfg(feature = "asymmetric")]
            KeyBytes::Ed25519Private(bytes) => SigningKey::Ed25519(bytes),
            #[cfg(not(feature = "asymmetric"))]
            KeyBytes::Ed25519Private(_) => {
                return Err(ConfigError::FeatureNeeded { id: key.id().to_owned() });
            }
            KeyBytes::Ed25519Public(_) => {
                return Err(ConfigError::CannotSign {
                    id: key.id().to_owned(),
                    why: "it is a public key; sign with its 'whsk_' private key",
                });
            }
        };
        Ok(Self { scheme: scheme.clone(), key: signing })
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
        let (algorithm, signature) = self.signature(outgoing, timestamp.as_deref().unwrap_or_default())?;
        let text = self.write(algorithm, &signature, timestamp.as_deref().unwrap_or_default());
        if let Some(name) = self.scheme.signature_headers.first() {
            insert(&mut headers, name, &text);
        }
        Ok(headers)
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

    fn signature(&self, outgoing: &Outgoing<'_>, timestamp: &str) -> Result<(Algorithm, Vec<u8>), SignError> {
        let mut message = Vec::with_capacity(outgoing.body.len() + 64);
        for part in &self.scheme.parts {
            message.extend_from_slice(match part {
                Part::Literal(text) => text.as_bytes(),
                Part::Id => outgoing.id.unwrap_or_default().as_bytes(),
                Part::Timestamp => timestamp.as_bytes(),
                Part::Method => outgoing.method.as_str().as_bytes(),
                Part::Url => outgoing.url.as_bytes(),
                Part::Body => outgoing.body,
            });
        }
        match &self.key {
            SigningKey::Mac(ready) => {
                let mut mac = ready.clone();
                mac.update(&message);
                let algorithm = match mac.hash() {
                    crate::mac::Hash::Sha1 => Algorithm::HmacSha1,
                    crate::mac::Hash::Sha256 => Algorithm::HmacSha256,
                };
                Ok((algorithm, mac.finish().publish().to_vec()))
            }
            #[cfg(feature = "asymmetric")]
            SigningKey::Ed25519(private) => {
                let signature =
                    crate::asymmetric::ed25519_sign(private, &message).ok_or(SignError::BadKeyPair)?;
                Ok((Algorithm::Ed25519, signature))
            }
        }
    }

    fn write(&self, algorithm: Algorithm, signature: &[u8], timestamp: &str) -> String {
        let encoded = self.scheme.encoding.encode(signature);
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
