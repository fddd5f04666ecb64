//! The keys of one verifier, decoded at start, and how each is used.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config_error::ConfigError;
use crate::key::{Key, KeyBytes};
use crate::mac::{Hash, MacState, TokenDigest};
use crate::scheme::{Algorithm, Scheme};
use crate::timestamp::UnixTime;
use crate::verified::SignedBy;

/// The most keys that a verifier tries per request.
pub const MAX_KEYS: usize = 8;

/// The keys of one verifier, decoded and ready.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<RingKey>,
}

#[derive(Clone)]
pub(crate) struct RingKey {
    pub(crate) id: Arc<str>,
    /// What its proofs say of it.
    pub(crate) signed_by: Arc<SignedBy>,
    pub(crate) verifying: VerifyingKey,
    /// The only signature header that it goes with, as an index into the scheme's.
    pub(crate) header: Option<usize>,
    /// The name by which a token chooses it.
    pub(crate) kid: Arc<str>,
    first: UnixTime,
    last: UnixTime,
}

#[derive(Clone)]
pub(crate) enum VerifyingKey {
    Mac(MacState),
    Token(TokenDigest),
    #[cfg(feature = "asymmetric")]
    Public(crate::asymmetric::PublicKey),
}

/// How often a key has verified a delivery, and when. An old key whose `last` lies well back can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id.
    pub key_id: String,
    /// How many deliveries it has verified since the program started.
    pub count: u64,
    /// When the first of them was received.
    pub first: Option<UnixTime>,
    /// When the last of them was received.
    pub last: Option<UnixTime>,
}

/// Counted without a lock: `verify` must not wait for another.
#[derive(Debug)]
pub(crate) struct Used {
    count: AtomicU64,
    first: AtomicU64,
    last: AtomicU64,
}

/// No moment yet.
const NEVER: u64 = u64::MAX;

impl Used {
    fn new() -> Self {
        Self { count: AtomicU64::new(0), first: AtomicU64::new(NEVER), last: AtomicU64::new(0) }
    }

    #[inline]
    fn record(&self, now: UnixTime) {
        let now = now.as_millis();
        self.count.fetch_add(1, Ordering::Relaxed);
        // Read first: a clock seldom runs back, and a write makes the other cores fetch the line again.
        if self.first.load(Ordering::Relaxed) > now {
            self.first.fetch_min(now, Ordering::Relaxed);
        }
        if self.last.load(Ordering::Relaxed) < now {
            self.last.fetch_max(now, Ordering::Relaxed);
        }
    }
}

impl KeyRing {
    /// Decodes `keys` for `scheme`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the key's id: none or too many keys, an empty, short or undecodable one, one that ends
    /// before it begins, two with the same id or the same secret.
    pub fn new(scheme: &Scheme, keys: &[Key]) -> Result<Self, ConfigError> {
        Self::of(&Arc::new(scheme.clone()), keys)
    }

    pub(crate) fn of(scheme: &Arc<Scheme>, keys: &[Key]) -> Result<Self, ConfigError> {
        if keys.is_empty() {
            return Err(ConfigError::NoKeys);
        }
        if keys.len() > MAX_KEYS {
            return Err(ConfigError::TooManyKeys { count: keys.len(), max: MAX_KEYS });
        }
        let mut ring = Self { keys: Vec::with_capacity(keys.len()) };
        for key in keys {
            let decoded = RingKey::new(scheme, key)?;
            for other in &ring.keys {
                if other.id == decoded.id {
                    return Err(ConfigError::DuplicateKeyId { id: decoded.id.to_string() });
                }
                // Bound to different headers, one secret is two keys.
                if other.same_as(&decoded) && other.header == decoded.header {
                    return Err(ConfigError::EqualKeys {
                        first: other.id.to_string(),
                        second: decoded.id.to_string(),
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

    /// How each key has been used, in order. Keys that a swap kept go on counting.
    #[must_use]
    pub fn uses(&self) -> Vec<KeyUse> {
        let moment = |millis: u64| (millis != NEVER).then(|| UnixTime::from_millis(millis));
        let each = |key: &RingKey| {
            let used = &key.signed_by.used;
            let (count, first) = (used.count.load(Ordering::Relaxed), used.first.load(Ordering::Relaxed));
            let last = if first == NEVER { NEVER } else { used.last.load(Ordering::Relaxed) };
            KeyUse { key_id: key.id.to_string(), count, first: moment(first), last: moment(last) }
        };
        self.keys.iter().map(each).collect()
    }

    /// The ids of a key here and a key there that are the same secret, if there are such: two sources that share a
    /// secret accept each other's deliveries.
    #[must_use]
    pub fn shared_with<'a>(&'a self, other: &'a Self) -> Option<(&'a str, &'a str)> {
        let pairs = self.keys.iter().flat_map(|a| other.keys.iter().map(move |b| (a, b)));
        pairs.into_iter().find(|(a, b)| a.same_as(b)).map(|(a, b)| (&*a.id, &*b.id))
    }

    #[inline]
    pub(crate) fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// Lets the keys that were in `old` already go on counting where they were.
    pub(crate) fn counting_on(mut self, old: &Self) -> Self {
        for key in &mut self.keys {
            if let Some(before) = old.keys.iter().find(|before| before.id == key.id && before.same_as(key)) {
                key.signed_by = Arc::clone(&before.signed_by);
            }
        }
        self
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl RingKey {
    fn new(scheme: &Arc<Scheme>, key: &Key) -> Result<Self, ConfigError> {
        let (not_before, not_after) = key.validity()?;
        let id: Arc<str> = key.id().into();
        let (verifying, kid) = verifying_key(scheme, key)?;
        Ok(Self {
            header: bound_header(scheme, key.id()),
            signed_by: Arc::new(SignedBy {
                scheme: Arc::clone(scheme),
                key_id: Arc::clone(&id),
                used: Used::new(),
            }),
            kid: kid.map_or_else(|| Arc::clone(&id), Arc::from),
            id,
            verifying,
            first: not_before.unwrap_or(UnixTime::from_millis(0)),
            last: not_after.unwrap_or(UnixTime::from_millis(u64::MAX)),
        })
    }

    /// Whether it makes signatures of this algorithm.
    pub(crate) fn makes(&self, algorithm: Algorithm) -> bool {
        match &self.verifying {
            VerifyingKey::Mac(mac) => algorithm == mac.hash().algorithm(),
            // It is shown, and signs nothing.
            VerifyingKey::Token(_) => false,
            #[cfg(feature = "asymmetric")]
            VerifyingKey::Public(public) => public.kind.makes(algorithm),
        }
    }

    /// Whether it counts at this moment.
    #[inline]
    pub(crate) fn is_valid_at(&self, now: UnixTime) -> bool {
        self.first <= now && now <= self.last
    }

    #[inline]
    pub(crate) fn record_use(&self, now: UnixTime) {
        self.signed_by.used.record(now);
    }

    fn same_as(&self, other: &Self) -> bool {
        match (&self.verifying, &other.verifying) {
            (VerifyingKey::Mac(a), VerifyingKey::Mac(b)) => a.same_key(b),
            (VerifyingKey::Token(a), VerifyingKey::Token(b)) => a.same_token(b),
            #[cfg(feature = "asymmetric")]
            (VerifyingKey::Public(a), VerifyingKey::Public(b)) => a == b,
            _ => false,
        }
    }
}

/// Where one key is bound to one of several headers, the others go with the others.
pub(crate) fn bound_header(scheme: &Scheme, key_id: &str) -> Option<usize> {
    let bound = scheme.bound_key.as_ref()?;
    let is_bound = bound.key_id == key_id;
    scheme.signature_headers.iter().position(|name| (*name == bound.header) == is_bound)
}

fn verifying_key(scheme: &Scheme, key: &Key) -> Result<(VerifyingKey, Option<String>), ConfigError> {
    match key.decode(scheme)? {
        KeyBytes::Secret(bytes) if scheme.algorithms().contains(&Algorithm::SharedToken) => {
            Ok((VerifyingKey::Token(TokenDigest::new(&bytes)), None))
        }
        KeyBytes::Secret(bytes) => Ok((VerifyingKey::Mac(MacState::new(mac_hash(scheme), &bytes)), None)),
        #[cfg(feature = "asymmetric")]
        KeyBytes::Public { key, kid } => Ok((VerifyingKey::Public(key), kid)),
        #[cfg(feature = "asymmetric")]
        KeyBytes::Private { .. } => Err(key.undecodable(
            scheme,
            "a key to verify with: this is the sender's private key, configure the public one that belongs to it",
        )),
    }
}

/// The hash of the scheme's HMAC. A scheme has one, whatever else its signature list may hold.
pub(crate) fn mac_hash(scheme: &Scheme) -> Hash {
    if scheme.algorithms().contains(&Algorithm::HmacSha1) { Hash::Sha1 } else { Hash::Sha256 }
}
