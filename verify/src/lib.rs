//! Verify webhooks: believe nothing unproven.
//!
//! A webhook receiver is a public door. This crate decides who may come in: it checks the signature in constant time
//! over the raw bytes, checks the time in a two-sided window, and returns a proof, [`Verified`], that says which key it
//! was, what the provider vouches for, and by which [`ReplayKey`] to know the event again.
//!
//! # A delivery that is accepted
//!
//! ```
//! use hookproof::{Key, Outgoing, Signer, UnixTime, Verifier, schemes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The secret as the provider shows it, with a name for your logs.
//! let key = Key::new("2026-11", "whsec_a secret of at least 16 bytes");
//! let verifier = Verifier::builder(schemes::stripe()).key(key.clone()).build()?;
//!
//! // What the provider does; in production the headers and the body come from the request.
//! let now = UnixTime::from_secs(1_700_000_000);
//! let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
//! let headers = Signer::new(&schemes::stripe(), &key)?.sign(&Outgoing::new(body).timestamp(now))?;
//!
//! let proof = verifier.verify(&headers, body, now)?;
//! assert_eq!(proof.key_id(), "2026-11");
//! let id = proof.event_id().expect("Stripe sends one");
//! assert_eq!(id.value, "evt_1");
//! assert!(id.is_signed());
//!
//! // Store this under a unique index: the second insert is a retry or a replay.
//! let replay_key = proof.replay_key("stripe-main");
//! assert_eq!(replay_key.to_string().len(), 64);
//! # Ok(())
//! # }
//! ```
//!
//! # A delivery that is refused
//!
//! ```
//! # use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verifier, schemes};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let key = Key::new("2026-11", "whsec_a secret of at least 16 bytes");
//! # let verifier = Verifier::builder(schemes::stripe()).key(key.clone()).build()?;
//! # let now = UnixTime::from_secs(1_700_000_000);
//! # let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
//! # let headers = Signer::new(&schemes::stripe(), &key)?.sign(&Outgoing::new(body).timestamp(now))?;
//! // One byte more than was signed.
//! let refusal = verifier.verify(&headers, b"{ \"id\":\"evt_1\"}", now).unwrap_err();
//! assert_eq!(refusal, Refusal::SignatureMismatch);
//!
//! // Six minutes late: Stripe signs the time of each attempt, and five minutes are its tolerance.
//! let refusal = verifier.verify(&headers, body, UnixTime::from_secs(1_700_000_360)).unwrap_err();
//! assert_eq!(refusal.code(), "timestamp_too_old");
//!
//! // The code is for your log. The caller sees the status, and not why.
//! assert_eq!(refusal.status(), 401);
//! # Ok(())
//! # }
//! ```
//!
//! # In a server
//!
//! With the feature `tower`, [`VerifyLayer`] does this for every request, and limits the body in length and time while
//! it is received. With `axum` there are the extractors [`VerifiedBytes`] and [`VerifiedJson`]: a handler that takes one
//! cannot run without a proof. [`middleware`] is their manual; `examples/axum.rs` is a whole program. Elsewhere
//! [`Verifier::begin`] takes a body in pieces.
//!
//! # What a provider signs decides what you must do
//!
//! A signature says that the provider sent these bytes once. That this is the first time, only a signed time and your
//! memory can say. [`Freshness`] tells which of the three it is, [`schemes`] has a preset for each provider:
//!
//! | freshness | who, for example | what stops a replay |
//! |---|---|---|
//! | [`SignedTimestamp`](Freshness::SignedTimestamp) | Standard Webhooks, Stripe, Slack | the window, to some minutes; replay keys within it |
//! | [`EventTime`](Freshness::EventTime) | MegatronLead, Klozeo, LeadHub | replay keys, kept longer than the provider re-sends |
//! | [`None`](Freshness::None) | GitHub, Meta | replay keys, kept as long as a replay would do harm |
//!
//! # Pitfalls
//!
//! - **Parsing first.** A body that was parsed and printed again has other bytes. Verify what arrived: before any
//!   extractor, decompression or trimming.
//! - **Delivery ids in headers.** Often they are not signed, and whoever replays can change them. Deduplicate by
//!   [`Verified::replay_key`], never by a header; [`Metadata::is_signed`] says what may be believed.
//! - **Keys.** A newline at the end of a secret file, an empty variable or a key in the wrong encoding is a
//!   [`ConfigError`] when the verifier is built, not a mismatch at night. Two sources with one secret accept each
//!   other's deliveries: [`KeyRing::shared_with`] finds them.
//! - **The clock.** It is an argument. Pass the time of receipt, and do not verify a stored delivery again later.
//! - **Signed URLs.** They are what the provider calls, and behind a proxy not what you see: set
//!   [`public_url`](VerifierBuilder::public_url). Where the body follows the URL without a separator, whoever replays can
//!   move the body's first bytes into the path or query; so route such a source by its exact path and query.
//! - **A provider without a preset.** Write it down as a [`Scheme`], and test it with a delivery of his.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | none (default) | [`Verifier`], [`Signer`], the presets: HMAC, no runtime |
//! | `tower` | [`VerifyLayer`]; needs tokio's time |
//! | `axum` | `tower`, and the extractors |
//! | `asymmetric` | public keys, by `ring`: Ed25519, ECDSA on P-256, RSA |
//! | `explain` | [`explain`]: why a delivery was refused, for operators |
//!
//! A feature adds; it changes nothing that was there.
//!
//! # Where to find what
//!
//! | to | see |
//! |---|---|
//! | choose a provider | [`schemes`] |
//! | be taught at length | [`guide`] |
//! | describe one | [`Scheme::builder`], [`Part`], [`Syntax`], [`Encoding`], [`KeyFormat`] |
//! | configure | [`Key`], [`KeyRing`], [`VerifierBuilder`], [`ConfigError`] |
//! | rotate keys | [`Key::not_after`], [`Verifier::replace_keys`], [`KeyRing::uses`] |
//! | verify | [`Verifier::verify`], [`Verifier::begin`] and [`Pending`], [`RequestView`] |
//! | use the result | [`Verified`], [`Metadata`], [`ReplayKey`], [`Pointer`] |
//! | count and log refusals | [`Refusal`] |
//! | find out why one was refused | [`explain`] |
//! | sign, in tests or to forward | [`Signer`], [`Outgoing`] |
//! | serve | [`middleware`] |
//! | answer a provider's challenge | [`handshake`] |
//! | do each delivery once, without an inbox | [`ReplayGuard`], [`MemoryReplayGuard`] |
//!
//! The crate forbids unsafe code, reads no clock outside [`VerifyLayer`], and does not look into a body before its
//! signature holds.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adyen;
mod ahead;
mod algorithm;
#[cfg(feature = "asymmetric")]
mod asymmetric;
mod base64_exact;
#[cfg(any(test, doctest))]
mod cannot;
mod canonical;
mod claims;
mod config_error;
mod encoding;
#[cfg(feature = "explain")]
pub mod explain;
#[cfg(feature = "axum")]
mod extract;
pub mod guide;
pub mod handshake;
mod head;
mod headers_read;
mod http_message;
mod judge;
mod key;
mod key_ring;
mod mac;
mod memory_guard;
mod message_components;
#[cfg(feature = "tower")]
pub mod middleware;
mod part;
mod pending;
mod plan;
mod pointer;
#[cfg(feature = "asymmetric")]
mod public_key;
mod refusal;
mod replay;
mod replay_guard;
mod request;
mod scheme;
mod scheme_builder;
mod scheme_rules;
pub mod schemes;
mod sign;
mod signature_list;
mod timestamp;
mod token;
mod url;
mod verified;
mod verifier;

pub use algorithm::{Algorithm, KeyFormat, Version};
pub use config_error::ConfigError;
pub use encoding::Encoding;
#[cfg(feature = "axum")]
pub use extract::{ExtractRejection, VerifiedBytes, VerifiedJson};
pub use key::{Key, MIN_KEY_BYTES};
pub use key_ring::{KeyRing, KeyUse, MAX_KEYS};
pub use memory_guard::MemoryReplayGuard;
pub use message_components::Component;
#[cfg(feature = "tower")]
pub use middleware::VerifyLayer;
pub use part::{FormOrder, Part};
pub use pending::Pending;
pub use pointer::{BodyError, Pointer, Scalar};
pub use refusal::Refusal;
pub use replay::{Identity, ReplayKey};
pub use replay_guard::{
    Claim, ClaimToken, GuardError, GuardFuture, ReplayGuard, check_retention, required_retention,
};
pub use request::RequestView;
pub use scheme::{DigestScope, Freshness, Location, Scheme, Syntax, TimestampAt};
pub use scheme_builder::SchemeBuilder;
pub use sign::{Outgoing, SignError, Signer};
pub use signature_list::MAX_SIGNATURES;
pub use timestamp::{TimestampFormat, UnixTime, Window};
pub use verified::{MAX_ID_BYTES, Metadata, Provenance, Verified};
pub use verifier::{DEFAULT_BODY_LIMIT, Verifier, VerifierBuilder};

/// The example of the README compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
