//! The life of sources in the program as it is shipped: signals, commands beside the server, and what its log says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod breaker;
#[cfg(test)]
#[path = "../support/process/client.rs"]
mod client;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod service;
