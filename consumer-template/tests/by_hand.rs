//! With nothing but `openssl`, `curl` and `python3`: what a person signs by hand is accepted, and its replay is processed once;
//! what is forwarded, a service in another language can verify.
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

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use process::client::Client;
use process::letters::{KEY, SOURCE, Writer};
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

/// The key that the service shares with the consumer. Not the provider's.
const FORWARD_KEY: &str = "whsec_3q2+78r+ur7erb7vyv66vt6tvu/K/rq+3q2+78r+ur4=";

/// The service that the README shows, in a process of its own.
struct Service(std::process::Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Service {
    fn start(site: &Site, port: u16, secret: &str) -> Self {
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
        let code = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
        let code = code.replace("9000", &port.to_string());
        let file = site.file("events.py");
        std::fs::write(&file, code).unwrap();
        let output = std::fs::File::create(site.file("events.log")).unwrap();
        let mut command = Command::new("python3");
        let service = Self(
            command
                .arg(file)
                .env("FORWARD_SECRET", secret)
                .stdout(output)
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        wait_until("the service listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        service
    }
}

/// Posts one event to a consumer that forwards to the README's service, which knows `secret`. What the service printed.
fn forwarded(secret: &str, state: &str) -> String {
    let site = Site::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let forward = format!(
        "[sources.{SOURCE}.forward]\nurl = \"http://127.0.0.1:{port}/events\"\nallow_networks = [\"loopback\"]\n\
         keys = [{{ id = \"k\", value = \"{FORWARD_KEY}\" }}]\n"
    );
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config + &forward).unwrap();
    let _service = Service::start(&site, port, secret);
    let server = Server::start(site.serve());
    let letter = Writer::new().unwrap().about("L-1", 1).unwrap();
    assert_eq!(Client::connect(server.address).unwrap().post(&letter.request).unwrap(), 200);
    let database = site.database();
    let database = database.to_str().unwrap();
    wait_until(state, || events(database, state) == 1);
    assert_eq!(server.stop().code(), Some(0));
    std::fs::read_to_string(site.file("events.log")).unwrap()
}

#[test]
#[ignore = "needs python3 with standardwebhooks"]
fn the_service_of_the_readme_verifies_what_is_forwarded() {
    let printed = forwarded(FORWARD_KEY, "done");
    let words: Vec<_> = printed.split_whitespace().collect();
    assert_eq!((words[0].len(), &words[1..]), (64, &[SOURCE, "lead.updated"][..]), "{printed}");
    let other = "whsec_3q2+78r+ur7erb7vyv66vt6tvu/K/rq+3q2+78r+ur8=";
    assert_eq!(forwarded(other, "dead"), "", "a service with another secret believed it");
}
