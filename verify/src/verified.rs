//! The proof that a delivery is genuine, and what is known about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::encoding::copy_short;
use crate::key_ring::Used;
use crate::pointer::Pointer;
use crate::replay::{Identity, ReplayKey};
use crate::scheme::{Location, Scheme};
use crate::timestamp::UnixTime;

/// The longest event id, in bytes. A longer one is not an identity.
pub const MAX_ID_BYTES: usize = 256;

/// A body whose signature holds. Only a [`Verifier`](crate::Verifier) can make one.
///
/// Take this type, and not bytes, wherever only genuine deliveries may go: then the compiler keeps the others out.
///
/// ```compile_fail,E0451
/// let forged = hookproof::Verified { body: "not signed", facts: todo!() };
/// ```
#[derive(Clone)]
pub struct Verified<B> {
    body: B,
    facts: Facts,
}

/// What was learnt from the request beside its body. In place, so that proving allocates nothing.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) signed_by: Arc<SignedBy>,
    pub(crate) observed: Observed,
}

/// A key, the scheme that it signs with, and how it is used. One thing to share for every proof, because counting its
/// users costs, and more so where another core has just counted.
pub(crate) struct SignedBy {
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) key_id: Arc<str>,
    pub(crate) used: Used,
}

/// What the headers (and, for an event time, the body) told. Large, so it is filled where it is.
#[derive(Clone, Default)]
pub(crate) struct Observed {
    pub(crate) timestamp: Option<UnixTime>,
    pub(crate) header_id: ShortText,
    pub(crate) header_type: ShortText,
    /// SHA-256 over the signed parts beside the body, where they belong to the identity.
    pub(crate) context: Option<[u8; 32]>,
    /// SHA-256 over what was signed of the body, where that is not the body as it is.
    pub(crate) signed_text: Option<[u8; 32]>,
}

/// Whether a piece of metadata was inside the signed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// The provider vouches for it.
    Signed,
    /// Anyone on the way, or who replays, can have changed it. Information, never identity.
    Unsigned,
}

/// A piece of metadata, and whether it may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The text; an integer in a JSON body keeps its digits.
    pub value: Cow<'a, str>,
    /// Where it came from.
    pub provenance: Provenance,
}

impl Metadata<'_> {
    /// Whether the signature covers it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.provenance == Provenance::Signed
    }
}

impl<B> Verified<B> {
    #[inline(always)]
    pub(crate) fn new(body: B, facts: Facts) -> Self {
        Self { body, facts }
    }

    fn of_scheme(&self) -> &Scheme {
        &self.facts.signed_by.scheme
    }

    /// The body, byte for byte as it was signed.
    pub fn body(&self) -> &B {
        &self.body
    }

    /// The body, giving up the proof.
    pub fn into_body(self) -> B {
        self.body
    }

    /// The scheme's name.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.of_scheme().name()
    }

    /// The id of the key that verified.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.facts.signed_by.key_id
    }

    /// The time that the provider vouches for: of the attempt, or of the event, as the scheme's
    /// [`freshness`](Scheme::freshness) says. `None` if nothing signed says when.
    #[must_use]
    pub fn timestamp(&self) -> Option<UnixTime> {
        self.facts.observed.timestamp
    }
}

impl<B: AsRef<[u8]>> Verified<B> {
    /// The provider's event id. Read from the body on demand where it stands there.
    #[must_use]
    pub fn event_id(&self) -> Option<Metadata<'_>> {
        let location = self.of_scheme().event_id.as_ref()?;
        self.metadata(location, &self.facts.observed.header_id)
    }

    /// The event type, from the first place that has one.
    #[must_use]
    pub fn event_type(&self) -> Option<Metadata<'_>> {
        let locations = self.of_scheme().event_types.iter();
        locations.into_iter().find_map(|location| self.metadata(location, &self.facts.observed.header_type))
    }

    /// What identifies this event among those of `source`, from signed bytes only.
    ///
    /// The same event from the same source always has the same key; a replayer who changes unsigned headers does not
    /// get another. `source` is the name of the endpoint: the same delivery at two endpoints is two events.
    ///
    /// Where nothing vouches for the body ([`Algorithm::SharedToken`](crate::Algorithm::SharedToken),
    /// [`danger_uncovered_body`](crate::SchemeBuilder::danger_uncovered_body)) it is the digest of whatever body came: good
    /// against retries, and not against replays.
    #[must_use]
    pub fn replay_key(&self, source: &str) -> ReplayKey {
        match self.event_id() {
            Some(id) if id.is_signed() => {
                ReplayKey::new(source, Identity::SignedId, id.value.as_bytes(), None)
            }
            _ => {
                // What is not signed tells no events apart: a replayer can change it.
                let text =
                    self.facts.observed.signed_text.as_ref().map_or(self.body.as_ref(), |digest| digest);
                ReplayKey::new(source, Identity::Digest, text, self.facts.observed.context.as_ref())
            }
        }
    }

    fn metadata<'a>(&'a self, location: &Location, header: &'a ShortText) -> Option<Metadata<'a>> {
        let value = match location {
            Location::Header(_) => Some(header.as_str()).filter(|text| !text.is_empty())?.into(),
            Location::Body(pointer) => self.body_id(pointer)?,
        };
        let signed = self.of_scheme().is_signed(location);
        Some(Metadata { value, provenance: if signed { Provenance::Signed } else { Provenance::Unsigned } })
    }

    fn body_id(&self, pointer: &Pointer) -> Option<Cow<'_, str>> {
        let id = pointer.find(self.body.as_ref()).ok()??.into_id()?;
        (id.len() <= MAX_ID_BYTES).then_some(id)
    }
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Verified<B> {
    fn as_ref(&self) -> &[u8] {
        self.body.as_ref()
    }
}

/// Prints what may be logged: never the body.
impl<B> fmt::Debug for Verified<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("scheme", &self.scheme())
            .field("key_id", &self.key_id())
            .field("timestamp", &self.facts.observed.timestamp)
            .finish_non_exhaustive()
    }
}

/// How long a text of ASCII may be, in bytes, to be kept in place. No provider's id is longer; each byte of room is copied
/// with the proof.
const IN_PLACE: usize = 62;

/// Up to [`MAX_ID_BYTES`] bytes of ASCII. Empty if there is none.
#[derive(Clone)]
pub(crate) enum ShortText {
    InPlace { len: u8, bytes: [u8; IN_PLACE] },
    Long(Box<[u8]>),
}

impl Default for ShortText {
    fn default() -> Self {
        Self::InPlace { len: 0, bytes: [0; IN_PLACE] }
    }
}

impl ShortText {
    #[inline]
    pub(crate) fn fill(&mut self, text: &[u8]) {
        if let Self::InPlace { len, bytes } = self
            && let Some(room) = bytes.get_mut(..text.len())
        {
            copy_short(room, text);
            *len = text.len() as u8;
        } else {
            *self = Self::Long(text.into());
        }
    }

    fn as_str(&self) -> &str {
        let text = match self {
            Self::InPlace { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(text) => text,
        };
        str::from_utf8(text).unwrap_or_default()
    }
}
