//! With nothing but `openssl` and `curl`: what a person signs by hand is accepted, and its replay is processed once.
//!
//! Ignored by `cargo test`, which needs no program beside Rust; `.ci/run` runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

use std::process::Command;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs openssl and curl"]
fn a_request_signed_by_hand_is_accepted_and_its_replay_processed_once() {
}
