//! Reading public keys, and the private ones that belong to them, from the texts in which they are configured.

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, pem};
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use zeroize::Zeroizing;

use crate::asymmetric::{KeyKind, PrivateKey, PublicKey};
use crate::encoding::{base64_key, base64_url, hex_key};

/// RFC 8410, section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 5480, section 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// RFC 8017, appendix A.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What a configured text turned out to be.
pub(crate) struct Material {
    pub(crate) key: Either,
    /// The name that a JSON Web Key brings along.
    pub(crate) kid: Option<String>,
}

pub(crate) enum Either {
    Public(PublicKey),
    Private(PrivateKey),
}

impl From<PublicKey> for Material {
    fn from(key: PublicKey) -> Self {
        Self { key: Either::Public(key), kid: None }
    }
}

impl From<PrivateKey> for Material {
    fn from(key: PrivateKey) -> Self {
        Self { key: Either::Private(key), kid: None }
    }
}

/// PEM of a public key, certificate or private key (PKCS#8), or the base64 of the DER of a public or private key.
pub(crate) fn read(text: &str) -> Option<Material> {
    if !text.contains("-----BEGIN ") {
        let der = Zeroizing::new(base64_key(text)?);
        return match SubjectPublicKeyInfoOwned::from_der(&der) {
            Ok(info) => of_info(&info).map(Material::from),
            Err(_) => PrivateKey::pkcs8(der).map(Material::from),
        };
    }
    let (label, der) = pem::decode_vec(text.as_bytes()).ok()?;
    let der = Zeroizing::new(der);
    match label {
        "PUBLIC KEY" => of_info(&SubjectPublicKeyInfoOwned::from_der(&der).ok()?).map(Material::from),
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(&der).ok()?;
            of_info(certificate.tbs_certificate().subject_public_key_info()).map(Material::from)
        }
        "PRIVATE KEY" => PrivateKey::pkcs8(der).map(Material::from),
        _ => None,
    }
}

fn of_info(info: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    let bytes = info.subject_public_key.as_bytes()?.to_vec();
    let curve = info.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let kind = match info.algorithm.oid {
        ED25519 if bytes.len() == 32 => KeyKind::Ed25519,
        EC_PUBLIC_KEY if curve == Some(P256) && is_point(&bytes) => KeyKind::P256,
        RSA => KeyKind::Rsa,
        _ => return None,
    };
    Some(PublicKey { kind, bytes })
}

/// An uncompressed point (SEC 1, section 2.3.3).
fn is_point(bytes: &[u8]) -> bool {
    bytes.len() == 65 && bytes.first() == Some(&4)
}

/// `whpk_` and base64 of 32 bytes, or `whsk_` and base64 of 64 (Standard Webhooks 1.0.0, "signature scheme").
pub(crate) fn read_standard_webhooks(text: &str) -> Option<Material> {
    match text.split_at_checked(5)? {
        ("whpk_", public) => ed25519(base64_key(public)?).filter(|material| material.is_public()),
        ("whsk_", private) => ed25519(base64_key(private)?).filter(|material| !material.is_public()),
        _ => None,
    }
}

/// Hexadecimal of an Ed25519 public key, or of seed and public key.
pub(crate) fn read_hex(text: &str) -> Option<Material> {
    ed25519(hex_key(text)?)
}

fn ed25519(bytes: Vec<u8>) -> Option<Material> {
    match bytes.len() {
        32 => Some(PublicKey { kind: KeyKind::Ed25519, bytes }.into()),
        64 => Some(PrivateKey::Ed25519Pair(Zeroizing::new(bytes)).into()),
        _ => None,
    }
}

impl Material {
    fn is_public(&self) -> bool {
        matches!(self.key, Either::Public(_))
    }
}

#[derive(serde::Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    d: Option<String>,
    kid: Option<String>,
}

/// A JSON Web Key on P-256 (RFC 7518, section 6.2).
pub(crate) fn read_jwk(text: &str) -> Option<Material> {
    let jwk: Jwk = serde_json::from_str(text).ok()?;
    if jwk.kty != "EC" || jwk.crv != "P-256" {
        return None;
    }
    let bytes = [vec![4], base64_url(&jwk.x)?, base64_url(&jwk.y)?].concat();
    if !is_point(&bytes) {
        return None;
    }
    let key = match jwk.d.map(Zeroizing::new) {
        None => Either::Public(PublicKey { kind: KeyKind::P256, bytes }),
        Some(d) => {
            let private = Zeroizing::new(base64_url(&d)?);
            Either::Private(PrivateKey::P256 { private, public: bytes })
        }
    };
    Some(Material { key, kid: jwk.kid })
}
