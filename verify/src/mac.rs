//! The boundary to the cryptography: the only file that names `hmac`, `sha1`, `sha2` and `subtle`.
//!
//! A computed tag is a [`Tag`]. It has no `PartialEq`, no `Deref` and no accessor outside this file, so the only
//! thing that can be done with it is the constant-time comparison, and `==` on it does not compile.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
pub(crate) use subtle::Choice;
use subtle::ConstantTimeEq as _;

use crate::algorithm::Algorithm;
use crate::encoding::MAX_SIGNATURE_BYTES;

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

    pub(crate) const fn tag_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// A MAC with its key schedule computed. Cloning it starts a message; its memory is wiped when it is dropped.
#[derive(Clone)]
pub(crate) enum MacState {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl MacState {
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        // HMAC takes keys of any length: the error type exists for other MACs.
        match hash {
            Hash::Sha1 => Self::Sha1(Hmac::new_from_slice(key).expect("HMAC takes any key length")),
            Hash::Sha256 => Self::Sha256(Hmac::new_from_slice(key).expect("HMAC takes any key length")),
        }
    }

    pub(crate) fn hash(&self) -> Hash {
        match self {
            Self::Sha1(_) => Hash::Sha1,
            Self::Sha256(_) => Hash::Sha256,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(mac) => mac.update(bytes),
            Self::Sha256(mac) => mac.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Tag {
        let mut tag = Tag { bytes: [0; MAX_SIGNATURE_BYTES], len: self.hash().tag_len() };
        match self {
            Self::Sha1(mac) => tag.fill(&mac.finalize().into_bytes()),
            Self::Sha256(mac) => tag.fill(&mac.finalize().into_bytes()),
        }
        tag
    }

    /// Whether two keys sign alike, which HMAC's padding and hashing can make true of different texts.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        if self.hash() != other.hash() {
            return false;
        }
        let (mut a, mut b) = (self.clone(), other.clone());
        a.update(b"hookproof: are these the same key?");
        b.update(b"hookproof: are these the same key?");
        let b = b.finish();
        a.finish().matches(b.as_slice()).into()
    }
}

/// A MAC that we computed: secret, because whoever knows it can sign these bytes.
pub(crate) struct Tag {
    bytes: [u8; MAX_SIGNATURE_BYTES],
    len: usize,
}

impl Tag {
    fn fill(&mut self, bytes: &[u8]) {
        for (to, from) in self.bytes.iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares in constant time. Only the lengths, which are public, decide how long it takes.
    pub(crate) fn matches(&self, presented: &[u8]) -> Choice {
        self.as_slice().ct_eq(presented)
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

/// "No": the neutral element of folding comparisons with `|`.
pub(crate) fn no() -> Choice {
    Choice::from(0)
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
        let mut tag = Tag { bytes: [0; MAX_SIGNATURE_BYTES], len: 32 };
        tag.fill(&sha256(token));
        Self(Arc::new(tag))
    }

    /// Compares with the digest of a presented token, in constant time.
    pub(crate) fn matches(&self, presented: &[u8]) -> Choice {
        self.0.matches(presented)
    }

    pub(crate) fn same_token(&self, other: &Self) -> bool {
        self.matches(other.0.as_slice()).into()
    }
}

/// SHA-256 of public bytes.
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
