//! How a provider signs, as data.
//!
//! A [`Scheme`] says where the signature is, how it is written, which bytes are signed, and where time, id and type
//! are. One engine ([`Verifier`](crate::Verifier)) interprets it. What is trusted follows from the list of signed
//! [`Part`]s by construction: an id header counts as signed only if [`Part::Id`] is in the list, and nobody writes
//! that down by hand.
//!
//! ```
//! use hookproof::{Encoding, Part, Scheme, TimestampFormat};
//!
//! # fn main() -> Result<(), hookproof::ConfigError> {
//! let scheme = Scheme::builder("acme")
//!     .signature_header("x-acme-signature")
//!     .prefix("v1=")
//!     .encoding(Encoding::Hex)
//!     .timestamp_header("x-acme-time", TimestampFormat::Seconds)
//!     .signed([Part::Timestamp, Part::literal("."), Part::Body])
//!     .event_id_at("/id")
//!     .build()?;
//! assert_eq!(scheme.name(), "acme");
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

pub(crate) use crate::algorithm::{Algorithm, KeyFormat, Version};
use crate::encoding::Encoding;
use crate::http_message;
use crate::message_components::Component;
pub(crate) use crate::part::Part;
use crate::plan::Plan;
use crate::pointer::Pointer;
use crate::scheme_builder::SchemeBuilder;
use crate::timestamp::{TimestampFormat, Window};

/// How a provider signs. Made by a preset in [`schemes`](crate::schemes), or by [`Scheme::builder`].
#[derive(Clone, Debug)]
pub struct Scheme {
    pub(crate) name: Cow<'static, str>,
    pub(crate) signature_headers: Vec<HeaderName>,
    pub(crate) syntax: Syntax,
    pub(crate) encoding: Encoding,
    pub(crate) key_format: KeyFormat,
    pub(crate) parts: Vec<Part>,
    pub(crate) freshness: Freshness,
    pub(crate) event_id: Option<Location>,
    pub(crate) event_types: Vec<Location>,
    pub(crate) required_headers: Vec<(HeaderName, Cow<'static, str>)>,
    pub(crate) bound_key: Option<BoundKey>,
    pub(crate) preferred_family: Option<Family>,
    pub(crate) identity: DigestScope,
    pub(crate) retry_horizon: Option<Duration>,
    /// What follows from the rest; made when the scheme is built.
    pub(crate) plan: Plan,
}

impl Scheme {
    /// Starts a scheme of your own.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> SchemeBuilder {
        SchemeBuilder::new(name.into())
    }

    /// Starts from this scheme, to change a part of it: a header that your tenant names otherwise, say.
    pub fn to_builder(&self) -> SchemeBuilder {
        SchemeBuilder::from(self.clone())
    }

    /// The scheme's name, as in configuration files and test vectors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The headers in which a signature may stand.
    #[must_use]
    pub fn signature_headers(&self) -> &[HeaderName] {
        &self.signature_headers
    }

    /// How signatures are written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How the text of a key becomes bytes.
    #[must_use]
    pub fn key_format(&self) -> KeyFormat {
        self.key_format
    }

    /// What is signed, in order.
    #[must_use]
    pub fn signed_parts(&self) -> &[Part] {
        &self.parts
    }

    /// The syntax of the signature header.
    #[must_use]
    pub fn syntax(&self) -> &Syntax {
        &self.syntax
    }

    /// What identifies an event whose id is not signed.
    #[must_use]
    pub fn identity(&self) -> DigestScope {
        self.identity
    }

    /// What protects against replay, and what does not.
    #[must_use]
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// For how long the provider re-sends a delivery that failed, where that is known.
    ///
    /// Replay keys must be kept longer than this, or a late retry is taken for a new event.
    #[must_use]
    pub fn retry_horizon(&self) -> Option<Duration> {
        self.retry_horizon
    }

    /// Whether the URL is signed, so that the verifier needs to know its public URL.
    #[must_use]
    pub fn signs_url(&self) -> bool {
        self.parts.iter().any(|part| {
            matches!(part, Part::Url | Part::UrlVariants | Part::EncodedPath | Part::SignatureBase)
        })
    }

    /// Whether the id that the provider gave the endpoint is signed, so that the verifier needs to know it.
    #[must_use]
    pub fn signs_webhook_id(&self) -> bool {
        self.parts.contains(&Part::WebhookId)
    }

    /// Where the provider's event id is, if it sends one.
    #[must_use]
    pub fn event_id_location(&self) -> Option<&Location> {
        self.event_id.as_ref()
    }

    /// Where the event type is: the first of these that is present.
    #[must_use]
    pub fn event_type_locations(&self) -> &[Location] {
        &self.event_types
    }

    /// The headers, of either family, in which the event's id and type stand.
    pub fn metadata_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let preferred = self.preferred_family.as_ref().and_then(|family| family.scheme.as_deref());
        let locations = [Some(self), preferred].into_iter().flatten();
        let locations = locations.flat_map(|scheme| scheme.event_id.iter().chain(&scheme.event_types));
        locations.filter_map(|location| match location {
            Location::Header(name) => Some(name),
            Location::Body(_) => None,
        })
    }

    /// Whether what stands at `location` is covered by the signature.
    #[must_use]
    pub fn is_signed(&self, location: &Location) -> bool {
        match location {
            // A token holds the digest of the whole body.
            Location::Body(_) => {
                let by_digest = match self.syntax {
                    Syntax::JsonWebToken { .. } => true,
                    Syntax::HttpMessage { uncovered_body, .. } => !uncovered_body,
                    _ => false,
                };
                by_digest || self.parts.contains(&Part::Body)
            }
            Location::Header(_) => self.event_id.as_ref() == Some(location) && self.parts.contains(&Part::Id),
        }
    }

    /// Every header that this scheme reads; each may occur once.
    pub(crate) fn headers_read(&self) -> impl Iterator<Item = &HeaderName> {
        let timestamp = match &self.freshness {
            Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } => Some(name),
            _ => None,
        };
        let metadata = self.event_id.iter().chain(&self.event_types).filter_map(|location| match location {
            Location::Header(name) => Some(name),
            Location::Body(_) => None,
        });
        let listed = self.parts.iter().filter_map(|part| match part {
            Part::SignedHeaders(list) => Some(list),
            _ => None,
        });
        let required = self.required_headers.iter().map(|(name, _)| name);
        let of_message = match self.syntax {
            Syntax::HttpMessage { .. } => {
                [Some(&http_message::SIGNATURE_INPUT), Some(&http_message::CONTENT_DIGEST)]
            }
            _ => [None, None],
        };
        let of_message = of_message.into_iter().flatten();
        let by_signature = self.signature_headers.iter().chain(of_message).chain(listed).chain(required);
        by_signature.chain(timestamp).chain(metadata)
    }

    /// The headers that [`headers_read`](Self::headers_read) gives, and the one that a key is bound to, to rename them.
    pub(crate) fn headers_read_mut(&mut self) -> impl Iterator<Item = &mut HeaderName> {
        let timestamp = match &mut self.freshness {
            Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } => Some(name),
            _ => None,
        };
        let metadata = self.event_id.iter_mut().chain(&mut self.event_types);
        let metadata = metadata.filter_map(|location| match location {
            Location::Header(name) => Some(name),
            Location::Body(_) => None,
        });
        let listed = self.parts.iter_mut().filter_map(|part| match part {
            Part::SignedHeaders(list) => Some(list),
            _ => None,
        });
        let bound = self.bound_key.as_mut().map(|bound| &mut bound.header);
        let required = self.required_headers.iter_mut().map(|(name, _)| name);
        self.signature_headers
            .iter_mut()
            .chain(timestamp)
            .chain(metadata)
            .chain(listed)
            .chain(required)
            .chain(bound)
    }

    /// The headers' family that a request is read by: this scheme's, or the preferred one, if any header of that is
    /// present. The two are never mixed, or an attacker could splice one delivery of two.
    #[inline]
    pub(crate) fn family(&self, headers: &HeaderMap) -> &Self {
        match &self.preferred_family {
            Some(Family { scheme: Some(preferred), .. })
                if preferred.headers_read().any(|name| headers.contains_key(name)) =>
            {
                preferred
            }
            _ => self,
        }
    }

    /// The part that the body is needed for.
    pub(crate) fn body_part(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.is_of_body())
    }

    /// The parts before the body's and those after it.
    pub(crate) fn around_body(&self) -> (&[Part], &[Part]) {
        let mut halves = self.parts.splitn(2, Part::is_of_body);
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    }

    /// Every algorithm that a signature of this scheme may have.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        match &self.syntax {
            Syntax::Plain { algorithm, .. } => vec![*algorithm],
            Syntax::KeyValue { versions, .. } | Syntax::Versioned { versions } => {
                versions.iter().map(|version| version.algorithm).collect()
            }
            Syntax::HttpMessage { algorithm: Some(only), .. } => vec![*only],
            Syntax::HttpMessage { algorithm: None, .. } => http_message::ALGORITHMS.to_vec(),
            Syntax::JsonWebToken { .. } => vec![Algorithm::EcdsaP256Fixed],
            Syntax::AdyenItems => vec![Algorithm::HmacSha256],
        }
    }
}

/// The syntax of the signature header.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Syntax {
    /// One signature after a fixed prefix (which may be empty): `sha256=<hex>`.
    Plain {
        /// The prefix, compared as it is.
        prefix: Cow<'static, str>,
        /// How the signature is made.
        algorithm: Algorithm,
    },
    /// A list of `name=value`: `t=1700000000,v1=<hex>,v1=<hex>`.
    KeyValue {
        /// The names under which signatures stand, each with its algorithm. Others are ignored.
        versions: Vec<Version>,
        /// The name under which the timestamp stands.
        timestamp: Option<Cow<'static, str>>,
        /// What stands between elements: `,` or `;`.
        separator: char,
    },
    /// A space-separated list of `version,signature`: `v1,<base64> v1a,<base64>`.
    Versioned {
        /// The versions that count, each with its algorithm. Others are ignored.
        versions: Vec<Version>,
    },
    /// A JSON Web Token (RFC 7519), signed with ES256, in whose claims the time and the body's digest are.
    JsonWebToken {
        /// The claim that holds the lower-case hex of the body's SHA-256.
        body_sha256: Pointer,
    },
    /// HTTP message signatures (RFC 9421): `Signature-Input` and `Signature`, several under labels.
    HttpMessage {
        /// What a signature must cover at least.
        required: Vec<Component>,
        /// The only algorithm that counts. Unless given, the key's, which for RSA is RSASSA-PSS.
        algorithm: Option<Algorithm>,
        /// Whether the body need not be covered; see
        /// [`danger_uncovered_body`](SchemeBuilder::danger_uncovered_body).
        uncovered_body: bool,
    },
    /// No header: each item of Adyen's batch in the body has a signature of its own.
    AdyenItems,
}

/// Another set of headers in which a delivery may come: the same names with another beginning.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) prefix: Cow<'static, str>,
    pub(crate) instead_of: Cow<'static, str>,
    /// The scheme with its headers renamed; made when the scheme is built.
    pub(crate) scheme: Option<Box<Scheme>>,
}

/// A key that goes with one of several signature headers, and with no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoundKey {
    pub(crate) key_id: Cow<'static, str>,
    pub(crate) header: HeaderName,
}

/// Where a piece of metadata stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In a header.
    Header(HeaderName),
    /// In the JSON body.
    Body(Pointer),
}

/// What shows that a delivery is new.
///
/// Only [`SignedTimestamp`](Freshness::SignedTimestamp) bounds a replay by itself, to its window. The other two need
/// memory: an inbox or replay guard that keeps replay keys for longer than the provider re-sends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The provider signs the time of each attempt anew. A window of minutes suffices.
    SignedTimestamp {
        /// Where the timestamp is.
        at: TimestampAt,
        /// How it is written.
        format: TimestampFormat,
        /// The default window.
        window: Window,
    },
    /// The signed body holds the time of the event, which a retry repeats. The window must cover the retry horizon.
    EventTime {
        /// Where in the body.
        pointer: Pointer,
        /// How it is written.
        format: TimestampFormat,
        /// The default window.
        window: Window,
        /// Whether a body without it is refused.
        required: bool,
    },
    /// Nothing signed says when.
    None,
}

/// Where a signed timestamp stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampAt {
    /// In a header of its own.
    Header(HeaderName),
    /// In the signature header, under the name that [`Syntax::KeyValue`] gives.
    SignatureField,
    /// In this claim of [`Syntax::JsonWebToken`], as an integer.
    Claim(Pointer),
    /// In the parameter `created` of [`Syntax::HttpMessage`].
    Created,
}

/// What identifies an event whose id is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestScope {
    /// All that was signed, the timestamp too: two deliveries at different times are two events.
    SignedBytes,
    /// The body alone. For providers whose bodies tell events apart, and which stamp each retry anew: the retry is
    /// then the same event.
    Body,
}
