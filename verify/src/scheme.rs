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

use http::HeaderName;

use crate::encoding::Encoding;
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
    pub(crate) identity: DigestScope,
    pub(crate) retry_horizon: Option<Duration>,
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
        self.parts.contains(&Part::Url)
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

    /// Whether what stands at `location` is covered by the signature.
    #[must_use]
    pub fn is_signed(&self, location: &Location) -> bool {
        match location {
            Location::Body(_) => self.parts.contains(&Part::Body),
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
        self.signature_headers.iter().chain(timestamp).chain(metadata)
    }
}

/// The syntax of the signature header.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// A version name in a signature list, and the algorithm that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The name, such as `v1`.
    pub name: Cow<'static, str>,
    /// What it means. The configuration decides this, never the request.
    pub algorithm: Algorithm,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104).
    HmacSha256,
    /// HMAC with SHA-1; unbroken as a MAC, but only for providers that offer nothing newer.
    HmacSha1,
    /// Ed25519 (RFC 8032). Needs the feature `asymmetric`.
    Ed25519,
}

impl Algorithm {
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha1 => 20,
            Self::Ed25519 => 64,
        }
    }
}

/// How the text of a configured key becomes the key's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFormat {
    /// The text's own bytes, whatever it looks like.
    Utf8,
    /// Standard base64 with padding.
    Base64,
    /// Hexadecimal.
    Hex,
    /// `whsec_` and base64, or base64 alone, for HMAC; `whpk_` and base64 for an ed25519 public key.
    StandardWebhooks,
}

/// A piece of the text that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Fixed text.
    Literal(Cow<'static, str>),
    /// The event id, as presented in its header.
    Id,
    /// The timestamp, as presented, byte for byte.
    Timestamp,
    /// The request method.
    Method,
    /// The public URL: the verifier's `public_url` and the request's path and query.
    Url,
    /// The raw body.
    Body,
}

impl Part {
    /// Fixed text.
    #[must_use]
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }
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
