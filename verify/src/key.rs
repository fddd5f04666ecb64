//! Keys as they are configured: wiped at the end, printable never.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config_error::ConfigError;
use crate::encoding::{base64_key, hex_key};
use crate::scheme::{Algorithm, KeyFormat, Scheme};
use crate::signature_list::MAX_TOKEN_BYTES;
use crate::timestamp::UnixTime;

/// The least length of a secret, in bytes after decoding. Standard Webhooks asks for 24 to 64.
pub const MIN_KEY_BYTES: usize = 16;

/// How a key in PEM begins (RFC 7468).
const PEM: &str = "-----BEGIN ";

/// Whether these bytes begin as a public key in DER does: a sequence, and in it the sequence of an algorithm that begins
/// with its name (RFC 5280, section 4.1.2.7).
fn is_public_key(bytes: &[u8]) -> bool {
    fn content(der: &[u8], tag: u8) -> Option<&[u8]> {
        match der {
            [first, length, rest @ ..] if *first == tag => {
                // In the long form the length of the length follows.
                let more = if length & 0x80 == 0 { 0 } else { usize::from(length & 0x7f) };
                rest.get(more..)
            }
            _ => None,
        }
    }
    let algorithm = content(bytes, 0x30).and_then(|key| content(key, 0x30));
    algorithm.and_then(|algorithm| content(algorithm, 0x06)).is_some()
}

/// What a key of a scheme without public-key signatures may not be.
const NO_PUBLIC_KEYS: &str = "a secret: the scheme has no public-key signatures";

/// A signing secret or public key as it is configured: an id that may be shown, and a text that may not.
///
/// `Debug` prints the id only. The text is wiped from memory when the key is dropped, and there is no way to read it
/// back or to compare two keys with `==`.
#[derive(Clone)]
pub struct Key {
    id: Arc<str>,
    text: Zeroizing<String>,
    short_allowed: bool,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
}

impl Key {
    /// A key with an id for logs and proofs (`2026-11`) and its text as the provider shows it (`whsec_..`, hex, ...).
    /// How the text becomes bytes is the scheme's affair.
    pub fn new(id: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self { id: id.into(), text, short_allowed: false, not_before: None, not_after: None }
    }

    /// Nothing that is received before this moment verifies with the key.
    #[must_use]
    pub fn not_before(mut self, moment: impl Into<UnixTime>) -> Self {
        self.not_before = Some(moment.into());
        self
    }

    /// Nothing that is received after this moment verifies with the key: the end of the grace in which the old key of
    /// a rotation still counts.
    #[must_use]
    pub fn not_after(mut self, moment: impl Into<UnixTime>) -> Self {
        self.not_after = Some(moment.into());
        self
    }

    /// Allows a secret of fewer than [`MIN_KEY_BYTES`] bytes. An empty one stays an error.
    ///
    /// # Security
    ///
    /// A short secret can be found by trying, offline, by anyone who has seen one delivery. Use this only for a
    /// provider that offers nothing longer, and then you must treat his deliveries as forgeable.
    #[must_use]
    pub fn danger_allow_short_key(mut self) -> Self {
        self.short_allowed = true;
        self
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text, for trying how else it could have been meant. Never to be printed.
    #[cfg(feature = "explain")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn error_id(&self) -> String {
        self.id.to_string()
    }

    /// The first and the last moment at which it counts.
    pub(crate) fn validity(&self) -> Result<(Option<UnixTime>, Option<UnixTime>), ConfigError> {
        match (self.not_before, self.not_after) {
            (Some(first), Some(last)) if last < first => {
                Err(ConfigError::KeyValidity { id: self.error_id() })
            }
            validity => Ok(validity),
        }
    }

    fn check_text(&self, format: KeyFormat) -> Result<(), ConfigError> {
        let good_id = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(good_id) {
            return Err(ConfigError::BadKeyId { id: self.id.escape_debug().to_string() });
        }
        if self.text.trim().is_empty() {
            return Err(ConfigError::EmptyKey { id: self.error_id() });
        }
        // White space means nothing around PEM and JSON, and a file of them ends with a newline.
        let pem = format == KeyFormat::PublicKeyOrSecret && self.text.contains(PEM);
        if pem || matches!(format, KeyFormat::PublicKey | KeyFormat::JsonWebKey) {
            return Ok(());
        }
        // A secret with a newline at its end signs otherwise than the one without. Trimming it silently would guess.
        for (place, at_edge) in [
            ("start", self.text.starts_with(char::is_whitespace)),
            ("end", self.text.ends_with(|c: char| c.is_whitespace() || c == '\0')),
        ] {
            if at_edge {
                return Err(ConfigError::KeyWhitespace { id: self.error_id(), place });
            }
        }
        Ok(())
    }

    /// Decodes the text as `scheme` says.
    pub(crate) fn decode(&self, scheme: &Scheme) -> Result<KeyBytes, ConfigError> {
        self.check_text(scheme.key_format)?;
        let text = self.text.as_str();
        let bytes = match scheme.key_format {
            KeyFormat::Utf8 => Ok(text.as_bytes().to_vec()),
            KeyFormat::Hex => hex_key(text).ok_or("hexadecimal"),
            KeyFormat::Base64 => base64_key(text).ok_or("standard base64 with padding"),
            KeyFormat::StandardWebhooks => match text.split_at_checked(5) {
                Some(("whpk_" | "whsk_", _)) => return self.decode_public(scheme),
                _ => base64_key(text.strip_prefix("whsec_").unwrap_or(text))
                    .ok_or("'whsec_' and standard base64 with padding"),
            },
            KeyFormat::PublicKeyOrSecret if !text.contains(PEM) => match base64_key(text) {
                // Whoever knows the public key could sign with it as with a secret.
                Some(bytes) if is_public_key(&bytes) => {
                    Err("PEM for a public key, not the base64 of its DER")
                }
                bytes => bytes.ok_or("a public key in PEM, or standard base64 with padding"),
            },
            KeyFormat::PublicKey | KeyFormat::PublicKeyOrSecret | KeyFormat::JsonWebKey => {
                return self.decode_public(scheme);
            }
        };
        let bytes = Zeroizing::new(bytes.map_err(|expected| self.undecodable(scheme, expected))?);
        match scheme.algorithms().iter().all(|algorithm| algorithm.is_public_key()) {
            // Hexadecimal of a public key, or nothing that this scheme can use.
            true => self.decode_public(scheme),
            false => self.check_secret(scheme, bytes),
        }
    }

    pub(crate) fn undecodable(&self, scheme: &Scheme, expected: &'static str) -> ConfigError {
        ConfigError::UndecodableKey { id: self.error_id(), scheme: scheme.name().to_owned(), expected }
    }

    #[cfg(not(feature = "asymmetric"))]
    fn decode_public(&self, scheme: &Scheme) -> Result<KeyBytes, ConfigError> {
        if scheme.algorithms().iter().any(|algorithm| algorithm.is_public_key()) {
            return Err(ConfigError::FeatureNeeded { id: self.error_id() });
        }
        Err(self.undecodable(scheme, NO_PUBLIC_KEYS))
    }

    #[cfg(feature = "asymmetric")]
    fn decode_public(&self, scheme: &Scheme) -> Result<KeyBytes, ConfigError> {
        use crate::public_key::{self, Material};

        let algorithms = scheme.algorithms();
        if !algorithms.iter().any(|algorithm| algorithm.is_public_key()) {
            return Err(self.undecodable(scheme, NO_PUBLIC_KEYS));
        }
        let text = self.text.trim();
        let read = match scheme.key_format {
            KeyFormat::Hex => {
                public_key::read_hex(text).ok_or("64 hexadecimal digits of an Ed25519 public key")
            }
            KeyFormat::JsonWebKey => {
                public_key::read_jwk(text).ok_or("a JSON Web Key with kty EC, crv P-256, x and y")
            }
            KeyFormat::PublicKey | KeyFormat::PublicKeyOrSecret => public_key::read(text)
                .ok_or("a public key or certificate in PEM, or base64 of a public key in DER"),
            _ => public_key::read_standard_webhooks(text).ok_or(match text.starts_with("whsk_") {
                true => "'whsk_' and base64 of 64 bytes",
                false => "'whpk_' and base64 of 32 bytes",
            }),
        };
        match read.map_err(|expected| self.undecodable(scheme, expected))? {
            Material { key: public_key::Either::Public(key), kid } => {
                if !algorithms.iter().any(|algorithm| key.kind.makes(*algorithm)) {
                    return Err(
                        self.undecodable(scheme, "a public key of the kind that the scheme signs with")
                    );
                }
                match key.fault() {
                    Some(expected) => Err(self.undecodable(scheme, expected)),
                    None => Ok(KeyBytes::Public { key, kid }),
                }
            }
            Material { key: public_key::Either::Private(key), kid } => Ok(KeyBytes::Private { key, kid }),
        }
    }

    fn check_secret(&self, scheme: &Scheme, bytes: Zeroizing<Vec<u8>>) -> Result<KeyBytes, ConfigError> {
        if bytes.iter().all(|byte| *byte == 0) {
            // HMAC pads with zeros, so a key of zeros is the empty key.
            return Err(ConfigError::EmptyKey { id: self.error_id() });
        }
        if bytes.len() < MIN_KEY_BYTES && !self.short_allowed {
            return Err(ConfigError::ShortKey {
                id: self.error_id(),
                bytes: bytes.len(),
                min: MIN_KEY_BYTES,
            });
        }
        let fits_a_header =
            bytes.len() <= MAX_TOKEN_BYTES && bytes.iter().all(|byte| (0x20..=0x7e).contains(byte));
        if scheme.algorithms() == [Algorithm::SharedToken] && !fits_a_header {
            let expected = "at most 1,024 characters of printable ASCII, as a header holds them";
            return Err(self.undecodable(scheme, expected));
        }
        Ok(KeyBytes::Secret(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Decoded key material.
pub(crate) enum KeyBytes {
    Secret(Zeroizing<Vec<u8>>),
    #[cfg(feature = "asymmetric")]
    Public {
        key: crate::asymmetric::PublicKey,
        /// The name that a JSON Web Key brings along.
        kid: Option<String>,
    },
    #[cfg(feature = "asymmetric")]
    Private {
        key: crate::asymmetric::PrivateKey,
        kid: Option<String>,
    },
}
