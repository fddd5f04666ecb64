//! Public-key signatures, by `ring`. Keys to verify with, messages and signatures are public; keys to sign with are not.

use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED,
    ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, AlgorithmSet, MAX_RSA_BYTES};

/// The shortest modulus of an RSA key, in bytes: 2,048 bits.
const MIN_RSA_BYTES: usize = 256;

/// The y of every Ed25519 point whose order divides 8, in each way to write
/// it; the sign of x is masked. For these anyone can make signatures (Chalkias and others, "Taming the many EdDSAs",
/// 2020, section 4).
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    edges(0x01, 0x00, 0x00),
    edges(0xec, 0xff, 0x7f),
    edges(0xed, 0xff, 0x7f),
    edges(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn edges(first: u8, within: u8, last: u8) -> [u8; 32] {
    let mut bytes = [within; 32];
    (bytes[0], bytes[31]) = (first, last);
    bytes
}

/// What a public key can verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Ed25519,
    P256,
    Rsa,
}

impl KeyKind {
    /// Whether keys of this kind make signatures of `algorithm`.
    pub(crate) fn makes(self, algorithm: Algorithm) -> bool {
        self == match algorithm {
            Algorithm::Ed25519 => Self::Ed25519,
            Algorithm::EcdsaP256Der | Algorithm::EcdsaP256Fixed => Self::P256,
            Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha512 => Self::Rsa,
            Algorithm::HmacSha256 | Algorithm::HmacSha1 | Algorithm::SharedToken => return false,
        }
    }
}

/// A key to verify with: 32 bytes for ed25519, the uncompressed point for P-256, `RSAPublicKey` in DER for RSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    pub(crate) kind: KeyKind,
    pub(crate) bytes: Vec<u8>,
}

impl PublicKey {
    /// What this should have been, if nothing could be verified with it, or anyone could sign for it.
    ///
    /// `ring` looks at a key when it verifies; then a bad one would make a mismatch of every delivery.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let (good, expected) = match self.kind {
            KeyKind::Ed25519 => {
                (!self.is_of_small_order(), "an Ed25519 key of full order: anyone can sign for it")
            }
            KeyKind::P256 => (self.is_on_curve(), "a point on the curve P-256"),
            KeyKind::Rsa => (
                self.is_usable_rsa().unwrap_or(false),
                "an RSA key of 2,048 to 4,096 bits with an odd exponent",
            ),
        };
        (!good).then_some(expected)
    }

    fn is_of_small_order(&self) -> bool {
        let mut y = self.bytes.clone();
        if let Some(last) = y.last_mut() {
            *last &= 0x7f;
        }
        SMALL_ORDER.iter().any(|point| point.as_slice() == y)
    }

    /// An agreement with it is possible if and only if it is a point of the curve.
    fn is_on_curve(&self) -> bool {
        let Ok(own) = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()) else { return true };
        let peer = agreement::UnparsedPublicKey::new(&ECDH_P256, &self.bytes);
        agreement::agree_ephemeral(own, &peer, |_| ()).is_ok()
    }

    /// `RSAPublicKey` (RFC 8017, appendix A.1.1), of the sizes that `ring` takes and signatures may have.
    fn is_usable_rsa(&self) -> Option<bool> {
        let mut reader = SliceReader::new(&self.bytes).ok()?;
        let (modulus, exponent) = reader
            .sequence(|numbers| {
                Ok::<_, x509_cert::der::Error>((UintRef::decode(numbers)?, UintRef::decode(numbers)?))
            })
            .ok()?;
        let (modulus, exponent) = (modulus.as_bytes(), exponent.as_bytes());
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        let sized = (MIN_RSA_BYTES..=MAX_RSA_BYTES).contains(&modulus.len()) && exponent.len() <= 4;
        Some(sized && is_odd(modulus) && is_odd(exponent) && exponent != [1] && reader.is_finished())
    }

    /// Whether `signature` is this key's over `message`, by one of the algorithms.
    pub(crate) fn verifies(&self, algorithms: AlgorithmSet, message: &[u8], signature: &[u8]) -> bool {
        VERIFIERS.into_iter().any(|(algorithm, verifier)| {
            algorithms.contains(algorithm)
                && self.kind.makes(algorithm)
                && UnparsedPublicKey::new(verifier, &self.bytes).verify(message, signature).is_ok()
        })
    }
}

const VERIFIERS: [(Algorithm, &dyn VerificationAlgorithm); 5] = [
    (Algorithm::Ed25519, &ED25519),
    (Algorithm::EcdsaP256Der, &ECDSA_P256_SHA256_ASN1),
    (Algorithm::EcdsaP256Fixed, &ECDSA_P256_SHA256_FIXED),
    (Algorithm::RsaPkcs1Sha256, &RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RsaPssSha512, &RSA_PSS_2048_8192_SHA512),
];

/// A key to sign with, as its owner keeps it.
pub(crate) enum PrivateKey {
    /// 32 bytes of seed and 32 of public key.
    Ed25519Pair(Zeroizing<Vec<u8>>),
    /// PKCS#8 in DER (RFC 5958), of whichever kind.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// A number on P-256 and its public point.
    P256 { private: Zeroizing<Vec<u8>>, public: Vec<u8> },
}

impl PrivateKey {
    /// From PKCS#8; `None` if it is none, or of a kind that signs nothing here.
    pub(crate) fn pkcs8(der: Zeroizing<Vec<u8>>) -> Option<Self> {
        let random = SystemRandom::new();
        let usable = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).is_ok()
            || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der, &random).is_ok()
            || RsaKeyPair::from_pkcs8(&der).is_ok();
        usable.then_some(Self::Pkcs8(der))
    }

    /// The signature over `message`; `None` if the key is none of `algorithm`, or its halves do not belong together.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Ed25519 => Some(self.ed25519()?.sign(message).as_ref().to_vec()),
            Algorithm::EcdsaP256Der | Algorithm::EcdsaP256Fixed => {
                let by = match algorithm {
                    Algorithm::EcdsaP256Der => &ECDSA_P256_SHA256_ASN1_SIGNING,
                    _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
                };
                let pair = match self {
                    Self::Pkcs8(der) => EcdsaKeyPair::from_pkcs8(by, der, &random),
                    Self::P256 { private, public } => {
                        EcdsaKeyPair::from_private_key_and_public_key(by, private, public, &random)
                    }
                    Self::Ed25519Pair(_) => return None,
                };
                Some(pair.ok()?.sign(&random, message).ok()?.as_ref().to_vec())
            }
            Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha512 => {
                let padding: &dyn RsaEncoding = match algorithm {
                    Algorithm::RsaPssSha512 => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let Self::Pkcs8(der) = self else { return None };
                let pair = RsaKeyPair::from_pkcs8(der).ok()?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Algorithm::HmacSha256 | Algorithm::HmacSha1 | Algorithm::SharedToken => None,
        }
    }

    fn ed25519(&self) -> Option<Ed25519KeyPair> {
        match self {
            Self::Ed25519Pair(bytes) => {
                let (seed, public) = bytes.split_at_checked(32)?;
                Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()
            }
            Self::Pkcs8(der) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok(),
            Self::P256 { .. } => None,
        }
    }
}
