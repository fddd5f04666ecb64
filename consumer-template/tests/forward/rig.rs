//! Targets and events for these tests.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use hookproof::UnixTime;
use hookproof_consumer::clock::ManualClock;
use hookproof_consumer::config::ForwardConfig;
use hookproof_consumer::effect::{Context, Failure, Handler as _};
use hookproof_consumer::event::{Event, EventNo, Named};
use hookproof_consumer::forward::{Forwarder, Names, SystemNames, Target};

pub const KEY: &str = "whsec_x2bVh0nJm1sQkq7Yz8Cw3rTt5uLp9aEe4dGg6iKk0oM=";
pub const KEYS: &str =
    "keys = [{ id = \"2026-11\", value = \"whsec_x2bVh0nJm1sQkq7Yz8Cw3rTt5uLp9aEe4dGg6iKk0oM=\" }]\n";
/// When these tests take place.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// The target of this section of a configuration.
pub fn target(section: &str) -> Result<Target, String> {
    let config: ForwardConfig = toml::from_str(section).unwrap();
    Target::build(&config, Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/forward/tls")))
        .map_err(|error| error.to_string())
}

/// A forwarder to `url`, with a second of patience and `more` lines of configuration.
pub fn forwarder_with(url: &str, more: &str, names: Arc<dyn Names>) -> Forwarder {
    let timeout = if more.contains("timeout_seconds") { "" } else { "timeout_seconds = 1\n" };
    let target = target(&format!("url = \"{url}\"\n{KEYS}{timeout}{more}")).unwrap();
    Forwarder::new(target, names, Arc::new(ManualClock::at(NOW))).unwrap()
}

/// The usual one: to a target on this machine, by its address.
pub fn forwarder(address: SocketAddr) -> Forwarder {
    let url = format!("http://{address}/hooks?tenant=7");
    forwarder_with(&url, "allow_networks = [\"loopback\"]", Arc::new(SystemNames))
}

pub fn event() -> Event {
    Event {
        number: EventNo(17),
        source: Arc::from("shop"),
        scheme: "standard-webhooks".to_owned(),
        key_id: "2026-05".to_owned(),
        replay_key: [0xab; 32],
        event_id: Some(Named { value: "msg_1".to_owned(), signed: true }),
        event_type: Some(Named { value: "order.created".to_owned(), signed: true }),
        ordering_key: Some("O-1".to_owned()),
        occurred_at: Some(UnixTime::from_millis(1_799_999_990_250)),
        sequence: None,
        received_at: UnixTime::from_secs(1_799_999_999),
        headers: vec![("content-type".to_owned(), b"application/json; charset=utf-8".to_vec())],
        body: Bytes::from_static(br#"{"type":"order.created","data":{"id":"O-1"}}"#),
    }
}

/// Forwards `event` as its first attempt.
pub async fn forward(forwarder: &Forwarder, event: &Event) -> Result<(), Failure> {
    forwarder.handle(event, &Context::new(event, 1)).await
}

/// Forwards the usual event, which must fail for a while.
pub async fn transient(forwarder: &Forwarder) -> String {
    match forward(forwarder, &event()).await {
        Err(Failure::Transient(text)) => text,
        other => panic!("expected a transient failure, got {other:?}"),
    }
}

/// Forwards the usual event, which must fail for good.
pub async fn permanent(forwarder: &Forwarder) -> String {
    match forward(forwarder, &event()).await {
        Err(Failure::Permanent(text)) => text,
        other => panic!("expected a permanent failure, got {other:?}"),
    }
}

/// A name whose addresses change with each question. The last answer stays.
pub struct Book {
    answers: Mutex<VecDeque<Vec<SocketAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Book {
    pub fn of(answers: &[&[&str]]) -> Arc<Self> {
        let parse =
            |answer: &&[&str]| answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: Mutex::default() })
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Names for Book {
    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(answer.unwrap())
    }
}
