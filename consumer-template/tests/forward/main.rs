//! Forwarding: what reaches the target, what its answers do, and where it may be. All targets are on this machine.
#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod content;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod rig;
#[cfg(test)]
#[path = "../support/server.rs"]
mod server;
#[cfg(test)]
mod service;
#[cfg(test)]
mod settings;
