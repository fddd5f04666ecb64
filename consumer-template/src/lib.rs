//! The reference webhook consumer: verify, commit, answer, then process everything once.
//!
//! Start with [`handler`]: the one file that you edit. [`inbox`] is the promise that an accepted event is never lost,
//! [`dispatch`] is what runs your handler on it.
#![forbid(unsafe_code)]

pub mod app;
pub mod breaker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dead_letters;
pub mod dispatch;
pub mod effect;
pub mod event;
pub mod export;
pub mod fingerprint;
pub mod forward;
pub mod handler;
mod handshake;
pub mod inbox;
pub mod ingress;
mod keys;
pub mod leads;
pub mod ordering;
pub mod preset;
mod published_keys;
pub mod refused;
pub mod report;
pub mod retry;
pub mod samples;
pub mod sender;
pub mod source;
mod strict_json;
pub mod telemetry;

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
