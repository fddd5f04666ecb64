//! The table of leads: whatever order and however often, the same events make the same table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod command;
#[cfg(test)]
mod converge;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod migrating;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod shapes;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod tables;
