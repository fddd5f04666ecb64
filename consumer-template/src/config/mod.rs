//! The configuration file: one tree, unknown fields refused, every mistake named with its remedy.
//!
//! Parsing says what is not TOML or not a field; [`Config::load`] then builds every source, so that a key that does not
//! decode or a path that is used twice stops the program before it opens a port.

mod breaker;
mod check;
mod error;
mod explained;
mod fingerprint;
mod forward;
mod load;
pub(crate) mod order;
pub(crate) mod refused;
mod reload;
mod retention;
mod sections;

pub use breaker::BreakerConfig;
pub use error::ConfigFileError;
pub use explained::Explained;
pub use forward::{Forward, ForwardConfig};
pub use load::{Config, Outline, Target};
pub use order::OrderConfig;
pub use refused::{QuarantineConfig, RefusalsConfig};
pub use reload::Changes;
pub use retention::{RetentionConfig, SourceRetention};
pub use sections::{
    BodyKind, HandshakeConfig, HandshakeKind, KeyConfig, LogConfig, LogFormat, Overrides, SecretPlace,
    ServerConfig, SourceConfig, StoreConfig, TimestampName,
};
