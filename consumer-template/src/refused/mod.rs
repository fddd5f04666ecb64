//! What was refused, on its way from the edge to the store.
//!
//! A stranger may be refused as often as he likes. So a request that is refused waits for nothing and is only counted; of each source
//! and reason a few per second are kept as samples ([`Collector`]). Once a second the [`Recorder`] writes what there is, in short
//! transactions between those of deliveries. Where a source has a quarantine, requests that no key has made are collected whole,
//! within limits of their own: by number, by bytes, over all sources.
//!
//! What was collected since the last second is lost if the process is killed. Nothing was promised for it: it was refused.

mod collector;
mod recorder;
pub mod summary;

use std::net::IpAddr;

pub use collector::{Collector, Desk, MAX_HELD_BYTES, MAX_HELD_ROWS, MAX_SAMPLES};
pub use recorder::{Recorded, Recorder};

/// Who sent a request, as the connection says: the proxy, if one stands between. In the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);
