//! Keys, and rings of them: decoded at start, wiped at the end, printable never.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config_error::ConfigError;
use crate::encoding::base64_key;
use crate::mac::{Hash, MacState};
use crate::scheme::{Algorithm, KeyFormat, Scheme, Syntax};

/// The most keys that a verifier tries per request.
pub const MAX_KEYS: usize = 8;

/// The least length of a secret, in bytes after decoding. Standard Webhooks asks for 24 to 64.
pub const MIN_KEY_BYTES: usize = 16;

/// A signing secret or public key as it is configured: an id that may be shown, and a text that may not.
///
/// `Debug` prints the id only. The text is wiped from memory when the key is dropped, and there is no way to read it
/// back or to compare two keys with `==`.
#[derive(Clone)]
pub struct Key {
    id: Arc<str>,
    text: Zeroizing<String>,
    short_allowed: bool,
}

impl Key {
    /// A key with an id for logs and proofs (`2026-11`) and its text as the provider shows it (`whsec_..`, hex, ...).
    /// How the text becomes bytes is the scheme's affair.
    pub fn new(id: impl Into<Arc<str>>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: Zeroizing::new(text.into()), short_allowed: false }
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

    fn check_text(&self) -> Result<(), ConfigError> {
        let good_id = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(good_id) {
            return Err(ConfigError::BadKeyId { id: self.id.escape_debug().to_string() });
        }
        if self.text.trim().is_empty() {
            return Err(ConfigError::EmptyKey { id: self.error_id() });
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
        self.check_text()?;
        let undecodable = |expected| ConfigError::UndecodableKey {
            id: self.error_id(),
            scheme: scheme.name().to_owned(),
            expected,
        };
        let text = self.text.as_str();
        let bytes = match scheme.key_format {
            KeyFormat::Utf8 => text.as_bytes().to_vec(),
            KeyFormat::Hex => hex::decode(text).map_err(|_| undecodable("hexadecimal"))?,
            KeyFormat::Base64 => {
                base64_key(text).ok_or_else(|| undecodable("standard base64 with padding"))?
            }
            KeyFormat::StandardWebhooks => {
                if let Some(public) = text.strip_prefix("whpk_") {
                    let bytes = base64_key(public).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                    let bytes = bytes.ok_or_else(|| undecodable("'whpk_' and base64 of 32 bytes"))?;
                    return Ok(KeyBytes::Ed25519Public(bytes));
                }
                if let Some(private) = text.strip_prefix("whsk_") {
                    let bytes = base64_key(private).filter(|bytes| bytes.len() == 64);
                    let bytes = bytes.ok_or_else(|| undecodable("'whsk_' and base64 of 64 bytes"))?;
                    return Ok(KeyBytes::Ed25519Private(Zeroizing::new(bytes)));
                }
                let secret = text.strip_prefix("whsec_").unwrap_or(text);
                base64_key(secret).ok_or_else(|| undecodable("'whsec_' and standard base64 with padding"))?
            }
        };
        self.check_secret(Zeroizing::new(bytes))
    }

    fn check_secret(&self, bytes: Zeroizing<Vec<u8>>) -> Result<KeyBytes, ConfigError> {
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
    #[cfg_attr(not(feature = "asymmetric"), expect(dead_code, reason = "only the feature verifies with it"))]
    Ed25519Public([u8; 32]),
    #[cfg_attr(not(feature = "asymmetric"), expect(dead_code, reason = "only the feature signs with it"))]
    Ed25519Private(Zeroizing<Vec<u8>>),
}

/// The keys of one verifier, decoded and ready.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<RingKey>,
}

#[derive(Clone)]
pub(crate) struct RingKey {
    pub(crate) id: Arc<str>,
    pub(crate) verifying: VerifyingKey,
}

#[derive(Clone)]
pub(crate) enum VerifyingKey {
    Mac(MacState),
    #[cfg(feature = "asymmetric")]
    Ed25519([u8; 32]),
}

impl KeyRing {
    /// Decodes `keys` for `scheme`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the key's id: none or too many keys, an empty, short or undecodable one, two with the
    /// same id or the same secret.
    pub fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, ConfigError> {
        if keys.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        if keys.len() > MAX_KEYS {
            return Err(ConfigError::TooManyKeys { count: keys.len(), max: MAX_KEYS });
        }
        let mut ring = Self { keys: Vec::with_capacity(keys.len()) };
        for key in keys {
            let decoded = RingKey { id: Arc::clone(&key.id), verifying: verifying_key(scheme, key)? };
            for other in &ring.keys {
                if other.id == decoded.id {
                    return Err(ConfigError::DuplicateKeyId { id: key.error_id() });
                }
                if other.same_as(&decoded) {
                    return Err(ConfigError::EqualKeys {
                        first: other.id.to_string(),
                        second: key.error_id(),
                    });
                }
            }
            ring.keys.push(decoded);
        }
        Ok(ring)
    }

    /// The keys' ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.id)
    }

    /// The ids of a key here and a key there that are the same secret, if there are such: two sources that share a
    /// secret accept each other's deliveries.
    #[must_use]
    pub fn shared_with<'a>(&'a self, other: &'a Self) -> Option<(&'a str, &'a str)> {
        let pairs = self.keys.iter().flat_map(|a| other.keys.iter().map(move |b| (a, b)));
        pairs.into_iter().find(|(a, b)| a.same_as(b)).map(|(a, b)| (&*a.id, &*b.id))
    }

    pub(crate) fn keys(&self) -> &[RingKey] {
        &self.keys
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl RingKey {
    fn same_as(&self, other: &Self) -> bool {
        match (&self.verifying, &other.verifying) {
            (VerifyingKey::Mac(a), VerifyingKey::Mac(b)) => a.same_key(b),
            #[cfg(feature = "asymmetric")]
            (VerifyingKey::Ed25519(a), VerifyingKey::Ed25519(b)) => a == b,
            #[cfg(feature = "asymmetric")]
            _ => false,
        }
    }
}

fn verifying_key(scheme: &Scheme, key: &Key) -> Result<VerifyingKey, ConfigError> {
    match key.decode(scheme)? {
        KeyBytes::Secret(bytes) => Ok(VerifyingKey::Mac(MacState::new(mac_hash(scheme), &bytes))),
        #[cfg(feature = "asymmetric")]
        KeyBytes::Ed25519Public(bytes) => Ok(VerifyingKey::Ed25519(bytes)),
        #[cfg(not(feature = "asymmetric"))]
        KeyBytes::Ed25519Public(_) => Err(ConfigError::FeatureNeeded { id: key.error_id() }),
        KeyBytes::Ed25519Private(_) => Err(ConfigError::UndecodableKey {
            id: key.error_id(),
            scheme: scheme.name().to_owned(),
            expected: "a key to verify with: 'whsk_' is the sender's private key, configure its 'whpk_'",
        }),
    }
}

/// The hash of the scheme's HMAC. A scheme has one, whatever else its signature list may hold.
pub(crate) fn mac_hash(scheme: &Scheme) -> Hash {
    let sha1 = match &scheme.syntax {
        Syntax::Plain { algorithm, .. } => *algorithm == Algorithm::HmacSha1,
        Syntax::KeyValue { versions, .. } | Syntax::Versioned { versions } => {
            versions.iter().any(|version| version.algorithm == Algorithm::HmacSha1)
        }
    };
    if sha1 { Hash::Sha1 } else { Hash::Sha256 }
}
