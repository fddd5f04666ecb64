//! Verify webhooks: believe nothing unproven.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "asymmetric")]
mod asymmetric;
mod claims;
mod config_error;
mod encoding;
#[cfg(feature = "axum")]
mod extract;
mod key;
mod mac;
#[cfg(feature = "tower")]
pub mod middleware;
mod pending;
mod pointer;
mod refusal;
mod replay;
mod request;
mod scheme;
mod scheme_builder;
mod scheme_rules;
pub mod schemes;
mod sign;
mod signature_list;
mod timestamp;
mod verified;
mod verifier;

pub use config_error::ConfigError;
pub use encoding::Encoding;
#[cfg(feature = "axum")]
pub use extract::{ExtractRejection, VerifiedBytes, VerifiedJson};
pub use key::{Key, KeyRing, MAX_KEYS, MIN_KEY_BYTES};
#[cfg(feature = "tower")]
pub use middleware::VerifyLayer;
pub use pending::Pending;
pub use pointer::{BodyError, Pointer, Scalar};
pub use refusal::Refusal;
pub use replay::{Identity, ReplayKey};
pub use request::RequestView;
pub use scheme::{
    Algorithm, DigestScope, Freshness, KeyFormat, Location, Part, Scheme, Syntax, TimestampAt, Version,
};
pub use scheme_builder::SchemeBuilder;
pub use sign::{Outgoing, SignError, Signer};
pub use signature_list::MAX_SIGNATURES;
pub use timestamp::{TimestampFormat, UnixTime, Window};
pub use verified::{MAX_ID_BYTES, Metadata, Provenance, Verified};
pub use verifier::{DEFAULT_BODY_LIMIT, Verifier, VerifierBuilder};
