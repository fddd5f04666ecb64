//! How a signature is made, and how the text of its key becomes bytes.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The longest RSA signature that is looked at, in bytes: of a key of 4,096 bits.
pub(crate) const MAX_RSA_BYTES: usize = 512;

/// Several algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlgorithmSet(u16);

impl AlgorithmSet {
    pub(crate) fn new(algorithms: &[Algorithm]) -> Self {
        Self(algorithms.iter().fold(0, |set, algorithm| set | algorithm.bit()))
    }

    pub(crate) const fn one(algorithm: Algorithm) -> Self {
        Self(algorithm.bit())
    }

    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }
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
    /// ECDSA on P-256 with SHA-256, the signature in ASN.1 DER. Needs the feature `asymmetric`.
    EcdsaP256Der,
    /// ECDSA on P-256 with SHA-256, the signature as two numbers of 32 bytes. Needs the feature `asymmetric`.
    EcdsaP256Fixed,
    /// RSA PKCS#1 v1.5 with SHA-256 (RFC 8017), keys of 2,048 to 4,096 bits. Needs the feature `asymmetric`.
    RsaPkcs1Sha256,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes (RFC 8017), keys as above. Needs the feature `asymmetric`.
    RsaPssSha512,
    /// No signature: the header holds the shared secret itself. It proves that the sender knows it, and nothing of the
    /// body.
    SharedToken,
}

impl Algorithm {
    /// How many bytes a signature may have.
    pub(crate) const fn signature_len(self) -> RangeInclusive<usize> {
        match self {
            // A token is compared by its SHA-256, so that its length shows in no timing.
            Self::HmacSha256 | Self::SharedToken => 32..=32,
            Self::HmacSha1 => 20..=20,
            Self::Ed25519 | Self::EcdsaP256Fixed => 64..=64,
            Self::EcdsaP256Der => 8..=72,
            Self::RsaPkcs1Sha256 | Self::RsaPssSha512 => 1..=MAX_RSA_BYTES,
        }
    }

    /// The same if all have as many. For signatures in lists, where no token stands.
    #[inline]
    pub(crate) fn fixed_len(self) -> Option<usize> {
        let lengths = self.signature_len();
        (lengths.start() == lengths.end()).then_some(*lengths.end())
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// Whether verifying needs a public key.
    pub(crate) const fn is_public_key(self) -> bool {
        !matches!(self, Self::HmacSha256 | Self::HmacSha1 | Self::SharedToken)
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
    /// A public key or certificate in PEM, or the base64 of a public key in DER (`SubjectPublicKeyInfo`, RFC 5280).
    PublicKey,
    /// A JSON Web Key (RFC 7517) on P-256. Its `kid`, if it has one, is the name by which tokens choose it.
    JsonWebKey,
    /// A public key or certificate in PEM, or else a secret in standard base64 with padding.
    PublicKeyOrSecret,
}
