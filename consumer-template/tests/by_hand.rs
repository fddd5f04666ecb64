//! With nothing but `openssl` and `curl`: what a person signs by hand is accepted, and its replay is processed once.
//!
//! Ignored by the plain test command, which needs no program beside Rust; `.ci/run` runs it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
#[path = "support/process/mod.rs"]
mod process;

use std::process::Command;

use process::letters::{KEY, SOURCE};
use process::server::{Server, Site, wait_until};

const BODY: &str = r#"{"type":"lead.created","data":{"id":"L-1","name":"Ada Example"}}"#;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What `hookproof status` counts in this state.
fn events(database: &str, state: &str) -> u64 {
    let lines = run(env!("CARGO_BIN_EXE_hookproof"), &["status", "--db", database, "--json"]);
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["state"] == state).map(|line| line["events"].as_u64().unwrap()).sum()
}

#[test]
#[ignore = "needs openssl and curl"]
fn a_request_signed_by_hand_is_accepted_and_its_replay_processed_once() {
    let site = Site::new();
    let server = Server::start(site.serve());
    let url = format!("http://{}/hooks/{SOURCE}", server.address);
    let body = site.file("body.json");
    std::fs::write(&body, BODY).unwrap();
    let body = body.to_str().unwrap();

    let digest = run("openssl", &["dgst", "-sha256", "-hmac", KEY, body]);
    let signature = digest.trim().rsplit(' ').next().unwrap();
    let header = format!("X-Signature: sha256={signature}");
    let data = format!("@{body}");
    let post = |header: &str| {
        let quiet = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
        run("curl", &[&quiet[..], &["-H", header, "--data-binary", &data, &url]].concat())
    };
    assert_eq!(post(&header), "200");
    assert_eq!(post(&header), "200", "the replay");
    assert_eq!(post("X-Signature: sha256=00"), "401");

    let database = site.database();
    let database = database.to_str().unwrap();
    wait_until("the event is done", || events(database, "done") == 1);
    assert_eq!(events(database, "pending") + events(database, "running") + events(database, "dead"), 0);
    assert_eq!(server.stop().code(), Some(0));
}
