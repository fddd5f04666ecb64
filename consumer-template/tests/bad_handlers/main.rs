//! Handlers that do the worst: whatever it is, their event is dead after its attempts, and the events of other keys are done.
//!
//! What a handler does stands in the ordering key of its event: see [`script`].
#![cfg(unix)]

#[cfg(test)]
mod blocked;
#[cfg(test)]
mod crashing;
#[cfg(test)]
#[path = "../support/process/mod.rs"]
mod process;
#[cfg(test)]
mod script;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
