//! The boundary to the cryptography: with what is in its folder, the only file that names `hmac`, `sha1`, `sha2` and `subtle`.
//!
//! A computed tag is a [`Tag`]. It has no `PartialEq`, no `Deref` and no accessor outside this file, so the only
//! thing that can be done with it is the constant-time comparison, and `==` on it does not compile.

mod hmac_sha256;

pub(crate) use hmac_sha256::{BLOCK, Blocks, Key as HmacSha256, Laid};

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
pub(crate) use subtle::Choice;
use subtle::ConstantTimeEq as _;

use crate::algorithm::Algorithm;

/// The longest tag: HMAC-SHA256's.
const MAX_TAG_BYTES: usize = 32;

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// HMAC with this hash.
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => Algorithm::HmacSha1,
            Self::Sha256 => Algorithm::HmacSha256,
        }
    }
}

/// HMAC with its key schedule computed. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub(crate) enum MacState {
    Sha1(Hmac<Sha1>),
    Sha256(HmacSha256),
}

impl MacState {
    #[inline]
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        // HMAC takes keys of any length: the error type exists for other MACs.
        match hash {
            Hash::Sha1 => Self::Sha1(Hmac::new_from_slice(key).expect("HMAC takes any key length")),
            Hash::Sha256 => Self::Sha256(HmacSha256::new(key)),
        }
    }

    #[inline]
    pub(crate) fn hash(&self) -> Hash {
        match self {
            Self::Sha1(_) => Hash::Sha1,
            Self::Sha256(_) => Hash::Sha256,
        }
    }

    /// The tag of one message.
    #[inline]
    pub(crate) fn tag_of(&self, text: &(impl Text + ?Sized)) -> Tag {
        match self {
            Self::Sha1(ready) => {
                let mut message = ready.clone();
                text.feed(|bytes| message.update(bytes));
                Tag::new(&message.finalize().into_bytes().into())
            }
            Self::Sha256(ready) => {
                let mut message = hmac_sha256::Message::new(ready);
                text.feed(|bytes| message.update(bytes));
                message.finish()
            }
        }
    }

    /// To be fed with whole blocks.
    #[inline]
    pub(crate) fn in_blocks(&self) -> Option<&HmacSha256> {
        match self {
            Self::Sha1(_) => None,
            Self::Sha256(ready) => Some(ready),
        }
    }

    /// Starts a message that arrives by and by.
    pub(crate) fn start(&self) -> RunningMac {
        match self {
            Self::Sha1(ready) => RunningMac::Sha1(ready.clone()),
            Self::Sha256(ready) => RunningMac::Sha256(hmac_sha256::Message::new(ready)),
        }
    }

    /// Whether two keys sign alike, which HMAC's padding and hashing can make true of different texts.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        if self.hash() != other.hash() {
            return false;
        }
        let tag = |key: &Self| key.tag_of(b"hookproof: are these the same key?".as_slice());
        tag(self).matches(tag(other).as_slice()).into()
    }
}

/// What is signed, in pieces.
pub(crate) trait Text {
    /// Hands the pieces to `sink`, in order.
    fn feed(&self, sink: impl FnMut(&[u8]));
}

impl Text for [u8] {
    fn feed(&self, mut sink: impl FnMut(&[u8])) {
        sink(self);
    }
}

/// The MAC of a message that is arriving.
pub(crate) enum RunningMac {
    Sha1(Hmac<Sha1>),
    Sha256(hmac_sha256::Message),
}

impl RunningMac {
    pub(crate) fn hash(&self) -> Hash {
        match self {
            Self::Sha1(_) => Hash::Sha1,
            Self::Sha256(_) => Hash::Sha256,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(message) => message.update(bytes),
            Self::Sha256(message) => message.update(bytes),
        }
    }

    pub(crate) fn finish(&mut self) -> Tag {
        match self {
            Self::Sha1(message) => Tag::new(&message.clone().finalize().into_bytes().into()),
            Self::Sha256(message) => message.finish(),
        }
    }
}

/// A MAC that we computed: secret, because whoever knows it can sign these bytes.
pub(crate) struct Tag {
    /// Zeros follow a shorter one.
    bytes: [u8; MAX_TAG_BYTES],
    len: usize,
}

impl Tag {
    fn new<const LEN: usize>(tag: &[u8; LEN]) -> Self {
        const { assert!(LEN <= MAX_TAG_BYTES) };
        let mut bytes = [0; MAX_TAG_BYTES];
        bytes.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
        Self { bytes, len: LEN }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares in constant time. Only the lengths, which are public, decide how long it takes.
    #[inline]
    pub(crate) fn matches(&self, presented: &[u8]) -> Choice {
        let ours = self.as_slice();
        if ours.len() != presented.len() {
            return no();
        }
        // All differences first, and then the one question.
        let differences = ours.iter().zip(presented).fold(0, |bits, (ours, theirs)| bits | (ours ^ theirs));
        differences.ct_eq(&0_u8)
    }

    /// The signing side: the tag becomes public by being sent.
    pub(crate) fn publish(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Whether two digests, one of them of a secret, are the same. In constant time.
pub(crate) fn equal_digests(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// Whether any of several comparisons held: 0 or 1. `subtle` hides a comparison from the optimiser when it is made, and
/// once more for every `|`; a list is folded without the latter, for nothing looks at a bit before all are in.
#[derive(Clone, Copy)]
pub(crate) struct Verdict(u8);

impl Verdict {
    pub(crate) const NO: Self = Self(0);

    #[inline]
    pub(crate) fn or(self, other: Choice) -> Self {
        Self(self.0 | other.unwrap_u8())
    }

    #[inline]
    pub(crate) fn bit(self) -> u64 {
        u64::from(self.0)
    }
}

/// "No", where there is nothing to compare.
pub(crate) fn no() -> Choice {
    Choice::from(0)
}

/// Whether any bit is set.
pub(crate) fn any_bit(bits: u64) -> Choice {
    !bits.ct_eq(&0)
}

/// From a verdict that was not computed in secret, such as a public-key signature's.
#[cfg(feature = "asymmetric")]
pub(crate) fn public_verdict(holds: bool) -> Choice {
    Choice::from(u8::from(holds))
}

/// A secret that is sent as it is, kept as its SHA-256. Comparing digests, neither the secret's length nor where a
/// presented one differs shows in the time that it takes.
#[derive(Clone)]
pub(crate) struct TokenDigest(Arc<Tag>);

impl TokenDigest {
    pub(crate) fn new(token: &[u8]) -> Self {
        Self(Arc::new(Tag::new(&sha256(token))))
    }

    /// Compares with the digest of a presented token, in constant time.
    pub(crate) fn matches(&self, presented: &[u8]) -> Choice {
        self.0.matches(presented)
    }

    pub(crate) fn same_token(&self, other: &Self) -> bool {
        self.matches(other.0.as_slice()).into()
    }
}

/// SHA-256. What it leaves in memory is not wiped.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-512 of public bytes.
pub(crate) fn sha512(bytes: &[u8]) -> [u8; 64] {
    Sha512::digest(bytes).into()
}

/// A running SHA-256 over public bytes, for identities.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new(domain: &str) -> Self {
        let mut digest = Self(Sha256::new());
        digest.field(domain.as_bytes());
        digest
    }

    /// Adds a field with its length before it, so that no two lists of fields hash alike.
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests;
