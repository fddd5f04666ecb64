//! What is wrong with a configuration, found when a scheme, key or verifier is built.

use std::time::Duration;

/// A mistake in the set-up. Caused by whoever configures the program, never by a request.
///
/// The text names the value that is wrong and the remedy. It never contains key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The verifier has no key.
    #[error("no key: a verifier needs at least one, or everything would be refused")]
    NoKeys,
    /// More keys than [`MAX_KEYS`](crate::MAX_KEYS).
    #[error(
        "{count} keys: at most {max} can be tried per request; remove the ones that are no longer in use"
    )]
    TooManyKeys {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The key is empty. Anyone can sign with an empty key.
    #[error("key '{id}' is empty: anyone could sign with it; set the secret that the provider shows")]
    EmptyKey {
        /// The key's id.
        id: String,
    },
    /// The key is too short to be a secret.
    #[error(
        "key '{id}' has {bytes} bytes after decoding, fewer than {min}: it could be guessed; \
         create a longer secret at the provider"
    )]
    ShortKey {
        /// The key's id.
        id: String,
        /// Its length in bytes after decoding.
        bytes: usize,
        /// The least length in bytes.
        min: usize,
    },
    /// The key text starts or ends with white space, typically the newline of a secret file.
    #[error("key '{id}' has white space at its {place}: remove it (a secret file often ends in a newline)")]
    KeyWhitespace {
        /// The key's id.
        id: String,
        /// `start` or `end`.
        place: &'static str,
    },
    /// The key text cannot be decoded as the scheme says.
    #[error("key '{id}' is not {expected}, as scheme '{scheme}' needs it")]
    UndecodableKey {
        /// The key's id.
        id: String,
        /// The scheme's name.
        scheme: String,
        /// What the text should have been.
        expected: &'static str,
    },
    /// Two keys of one ring have the same id.
    #[error("two keys have the id '{id}': give each its own, it is what logs and proofs show")]
    DuplicateKeyId {
        /// The id.
        id: String,
    },
    /// Two keys of one ring are the same secret (also when HMAC pads or hashes them to the same block).
    #[error("keys '{first}' and '{second}' are the same secret: remove one of them")]
    EqualKeys {
        /// The first key's id.
        first: String,
        /// The second key's id.
        second: String,
    },
    /// A key id that is empty, too long, or not printable.
    #[error("key id '{id}': use 1 to 64 characters of A-Z a-z 0-9 . _ -")]
    BadKeyId {
        /// The id, escaped.
        id: String,
    },
    /// A key whose validity ends before it begins.
    #[error("key '{id}' is valid at no time: its not_after lies before its not_before")]
    KeyValidity {
        /// The key's id.
        id: String,
    },
    /// The key needs a cargo feature that is not enabled.
    #[error("key '{id}' is a public key: enable the feature 'asymmetric' of the crate 'hookproof'")]
    FeatureNeeded {
        /// The key's id.
        id: String,
    },
    /// This kind of key can verify but not sign.
    #[error("key '{id}' cannot sign: {why}")]
    CannotSign {
        /// The key's id.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// A tolerance that is zero or absurd.
    #[error(
        "a tolerance of {given:?} {side}: choose between {min:?} and {max:?} (providers use seconds to minutes; \
         an event time needs the retry horizon)"
    )]
    Tolerance {
        /// What was given.
        given: Duration,
        /// `in the past` or `in the future`.
        side: &'static str,
        /// The least.
        min: Duration,
        /// The most.
        max: Duration,
    },
    /// A tolerance for a scheme that has no time to check.
    #[error("scheme '{scheme}' has no timestamp: remove the tolerance, and use a replay guard or an inbox")]
    NoTimestamp {
        /// The scheme's name.
        scheme: String,
    },
    /// A scheme that signs the URL, without the public URL.
    #[error("scheme '{scheme}' signs the URL: set public_url to the URL that the provider calls")]
    PublicUrlMissing {
        /// The scheme's name.
        scheme: String,
    },
    /// A public URL that is not `https://host[:port][/prefix]`.
    #[error("public_url '{url}': give the scheme, host and path prefix, such as https://hooks.example.com")]
    PublicUrl {
        /// What was given.
        url: String,
    },
    /// A scheme that signs the id of the webhook, without it.
    #[error(
        "scheme '{scheme}' signs the webhook's id: set webhook_id to the id that the provider shows for it"
    )]
    WebhookIdMissing {
        /// The scheme's name.
        scheme: String,
    },
    /// A webhook id that no request could have, or one for a scheme that signs none.
    #[error("webhook_id '{id}': {problem}")]
    WebhookId {
        /// What was given.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A body limit of zero.
    #[error("a body limit of 0 bytes would refuse everything: give the largest body in bytes")]
    BodyLimit,
    /// A scheme that contradicts itself.
    #[error("scheme '{scheme}', {field}: {problem}")]
    Scheme {
        /// The scheme's name.
        scheme: String,
        /// The builder method or field at fault.
        field: &'static str,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// A replay guard that could remember nothing.
    #[error("a replay guard with a {field} of 0 remembers nothing: {remedy}")]
    EmptyGuard {
        /// `retention` or `capacity`.
        field: &'static str,
        /// What to give instead.
        remedy: &'static str,
    },
    /// A replay guard that forgets before the last retry or replay can come.
    #[error(
        "source '{name}': a replay guard with a retention of {given:?} forgets too early: a delivery can come again \
         for {required:?}; raise the retention to at least that"
    )]
    GuardRetention {
        /// The source's name.
        name: String,
        /// The guard's retention.
        given: Duration,
        /// The least for this scheme and its window.
        required: Duration,
    },
    /// A challenge that could not be answered safely.
    #[error("handshake, {field}: {problem}")]
    Handshake {
        /// What of it.
        field: &'static str,
        /// What is wrong with it, and the remedy.
        problem: &'static str,
    },
    /// A replay guard for a source without a name: two of them would take each other's deliveries for replays.
    #[error(
        "a replay guard needs the source's name: give Source::new(name, verifier), with another name for each endpoint"
    )]
    SourceUnnamed,
    /// A replay guard for a scheme whose deliveries cannot be told apart.
    #[error(
        "scheme '{scheme}' sends equal bodies for different events: remove the replay guard, it would drop genuine ones"
    )]
    NoIdentity {
        /// The scheme's name.
        scheme: String,
    },
}
