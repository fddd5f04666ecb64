//! Public-key signatures, by `ring`. Keys to verify with, messages and signatures are public; keys to sign with are not.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED,
    ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, AlgorithmSet};

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
