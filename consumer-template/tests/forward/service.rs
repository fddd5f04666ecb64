//! The whole way: a provider posts, the target gets it once.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::{Key, Outgoing, Signer, Verifier, schemes};
use hookproof_consumer::app::App;
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::config::Config;
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::{DeadReason, Event, State};
use hookproof_consumer::inbox::sqlite::{SqliteOperator, SqliteOptions};
use hookproof_consumer::inbox::{By, Filter, IfStale, Operator as _};
use hookproof_consumer::sender::{Sender, Signed};
use tempfile::TempDir;
use tokio::time::timeout;

use super::peer::{Peer, answer, with_header};
use super::rig::{KEY, KEYS};
use super::server::Server;

const PATIENCE: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"type":"lead.created","timestamp":1800000000,"data":{"id":"L-1"}}"#;

/// The line of a source that forwards to `peer`.
fn to(peer: &Peer) -> String {
    let keys = KEYS.trim();
    format!("forward = {{ url = \"http://{}/\", {keys}, allow_networks = [\"loopback\"] }}\n", peer.address)
}

#[tokio::test]
async fn what_a_provider_posts_reaches_the_target_once() {
    let peer = Peer::saying(204).await;
    let server = Server::start(&to(&peer)).await;
    let request = server.signed("devsphere", BODY, &["content-type: application/json"]);
    for _ in 0..3 {
        assert_eq!(server.exchange(&request).await.status, 200);
    }
    let forged = String::from_utf8(request).unwrap().replace("L-1", "L-2");
    assert_eq!(server.exchange(forged.as_bytes()).await.status, 401);
    server.settled().await;
    let seen = peer.one();
    assert_eq!(seen.body, BODY);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("hookproof-source"), "devsphere");
    assert_eq!(seen.header("hookproof-event-type"), "lead.created");
    let key = Key::new("theirs", KEY);
    let verifier = Verifier::builder(schemes::standard_webhooks()).key(key).build().unwrap();
    verifier.verify(&seen.headers, seen.body.clone(), SystemClock.now()).unwrap();
    assert_eq!(server.operator().counts().await.unwrap().of(State::Done), 1);
}

/// One key per event, on every attempt, after a person's replay as well: the target can tell that it has it already.
#[tokio::test]
async fn attempts_and_replays_have_one_id_and_one_body() {
    let peer = Peer::start(|n| match n {
        0 => with_header(503, "retry-after", "1"),
        1 => answer(422, "unknown lead"),
        _ => answer(200, ""),
    })
    .await;
    let server = Server::start(&to(&peer)).await;
    assert_eq!(server.exchange(&server.signed("devsphere", BODY, &[])).await.status, 200);
    server.settled().await;
    let operator = server.operator();
    let dead = operator.list(Filter::dead()).await.unwrap().remove(0);
    assert_eq!(dead.reason, Some(DeadReason::Permanent));
    assert_eq!(dead.last_error.as_deref(), Some("127.0.0.1 answered 422: unknown lead"));
    operator
        .replay(dead.number, IfStale::FollowRule, By::new("ada", "the lead is there now"), SystemClock.now())
        .await
        .unwrap();
    server.settled().await;

    let seen = peer.seen();
    assert_eq!(seen.iter().map(|seen| seen.header("hookproof-attempt")).collect::<Vec<_>>(), ["1", "2", "1"]);
    assert_eq!(seen[0].header("webhook-id").len(), 64);
    for again in &seen[1..] {
        assert_eq!(again.header("webhook-id"), seen[0].header("webhook-id"));
        assert_eq!(again.body, seen[0].body);
    }
    let waited = seen[1].at - seen[0].at;
    assert!(waited.as_millis() >= 1000, "Retry-After was not kept: {waited:?}");
    assert_eq!(operator.counts().await.unwrap().of(State::Done), 1);
}

/// Counts, and succeeds.
#[derive(Clone, Default)]
struct Compiled(Arc<AtomicUsize>);

#[async_trait]
impl Handler for Compiled {
    async fn handle(&self, _: &Event, _: &Context) -> Result<(), Failure> {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// A source forwards all of its events, whatever is compiled in for one of their types; the others keep their handlers.
#[tokio::test]
async fn a_target_replaces_every_handler_of_its_source_and_none_of_another() {
    const SECRETS: [(&str, &str); 2] =
        [("shop", "5d1f0e8a7c3b49d2a6e4f1b09c8d7e6f"), ("shop2", "e2c4a6081b3d5f7090a1b2c3d4e5f607")];
    let peer = Peer::saying(200).await;
    let folder = tempfile::tempdir().unwrap();
    let mut text = "[server]\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for (name, secret) in SECRETS {
        text += &format!(
            "[sources.{name}]\npath = \"/{name}\"\nscheme = \"devsphere\"\n\
             keys = [{{ id = \"k\", value = \"{secret}\" }}]\n{}",
            if name == "shop" { to(&peer) } else { String::new() }
        );
    }
    let config = Config::parse(&text, &folder.path().join("hookproof.toml")).unwrap();
    let operator = SqliteOptions::new(&config.store.path);
    let (compiled, typed) = (Compiled::default(), Compiled::default());
    let handlers = Handlers::new(Effect::outside(compiled.clone()))
        .on_source("shop", Effect::outside(compiled.clone()))
        .on_event("shop", "lead.created", Effect::outside(typed.clone()));
    let app = App::start(config, handlers).await.unwrap();
    for (name, secret) in SECRETS {
        let signer = Signer::new(&schemes::devsphere(), &Key::new("k", secret)).unwrap();
        for event_type in ["lead.created", "lead.updated"] {
            let body = BODY.replace("lead.created", event_type).into_bytes();
            let headers = signer.sign(&Outgoing::new(&body)).unwrap();
            let sender = Sender::new(format!("http://{}/{name}", app.address()), PATIENCE).unwrap();
            assert_eq!(sender.post(&Signed { headers, body }).await.unwrap().status, 200);
        }
    }
    let operator = SqliteOperator::open(operator).unwrap();
    let done = async {
        while operator.counts().await.unwrap().of(State::Done) < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, done).await.unwrap();
    app.stop().await;
    let sources: Vec<_> = peer.seen().iter().map(|seen| seen.header("hookproof-source").to_owned()).collect();
    assert_eq!(sources, ["shop"; 2]);
    assert_eq!((compiled.0.load(SeqCst), typed.0.load(SeqCst)), (2, 0));
}

/// The binary in a process of its own, which ends with the test, also with one that fails.
struct Service {
    child: Child,
    address: String,
    log: JoinHandle<String>,
    _folder: TempDir,
}

/// The secret that its provider signs with.
const PROVIDERS: &str = "canary-provider-7f3a9c2e";

impl Service {
    /// With one source, `shop`, and this section for its target.
    fn start(forward: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("hookproof.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[dispatch]\nretry_first_seconds = 0.01\n\
             [sources.shop]\npath = \"/hooks/shop\"\nscheme = \"devsphere\"\n\
             keys = [{{ id = \"k\", value = \"{PROVIDERS}\" }}]\n[sources.shop.forward]\n{KEYS}{forward}"
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookproof"))
            .args(["serve", "--config", config.to_str().unwrap()])
            .envs(environment.iter().copied())
            .env("HOOKPROOF_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = String::new();
        let address = loop {
            assert_ne!(log.read_line(&mut lines).unwrap(), 0, "{lines}");
            if let Some((_, rest)) = lines.split_once("listening address=") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        let log = std::thread::spawn(move || {
            log.read_to_string(&mut lines).unwrap();
            lines
        });
        Self { child, address, log, _folder: folder }
    }

    /// As the provider does.
    fn post(&self, body: &str) {
        let signer = Signer::new(&schemes::devsphere(), &Key::new("k", PROVIDERS)).unwrap();
        let signature = signer.sign(&Outgoing::new(body.as_bytes())).unwrap()["x-signature"].clone();
        let signature = signature.to_str().unwrap();
        let head = format!("POST /hooks/shop HTTP/1.1\r\nhost: x\r\nx-signature: {signature}\r\n");
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        stream.read_exact(&mut [0; 12]).unwrap();
    }

    /// Stops it as an operator does. What it logged.
    fn stop(mut self) -> String {
        Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status().unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::replace(&mut self.log, std::thread::spawn(String::new)).join().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn until(so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
}

/// The binary itself, at its most talkative, in an environment that names a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn the_binary_forwards_without_a_proxy_and_logs_no_secret() {
    let peer = Peer::start(|n| if n == 0 { answer(500, "canary-answer") } else { answer(200, "") }).await;
    let proxy = Peer::saying(200).await;
    let forward = format!(
        "url = \"http://{}/in?token=canary-query\"\nallow_networks = [\"loopback\"]\n\
         headers = {{ authorization = {{ env = \"FORWARD_AUTHORIZATION\" }} }}\n",
        peer.address
    );
    let url = format!("http://{}", proxy.address);
    let mut environment =
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, url.as_str())).to_vec();
    environment.push(("FORWARD_AUTHORIZATION", "Bearer canary-header"));
    let service = Service::start(&forward, &environment);
    service.post(&BODY.replace("L-1", "canary-body"));
    until(|| peer.seen().len() >= 2 || proxy.connections() > 0).await;
    assert_eq!(proxy.connections(), 0, "a proxy was used");
    let log = service.stop();

    let seen = peer.seen();
    assert_eq!(seen[1].line, "POST /in?token=canary-query");
    assert_eq!(seen[1].header("authorization"), "Bearer canary-header");
    assert!(
        log.contains("forwards") && log.contains("failed, will be tried again"),
        "the log is not there: {log}"
    );
    let sent = seen[1].header("webhook-signature").trim_start_matches("v1,").to_owned();
    for secret in ["canary", "x2bVh0nJm1", sent.as_str()] {
        assert!(!log.contains(secret), "in the log: {secret}\n{log}");
    }
}

/// Without `ca_file`, the system's authorities count: here those that the environment names in their place.
#[tokio::test(flavor = "multi_thread")]
async fn the_systems_authorities_are_trusted() {
    let peer = Peer::start_at("127.0.0.1:0", Some(super::peer::tls()), |_| answer(200, "")).await;
    let forward = format!("url = \"https://{}/\"\nallow_networks = [\"loopback\"]\n", peer.address);
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/forward/tls/ca.pem");
    let service = Service::start(&forward, &[("SSL_CERT_FILE", authority)]);
    service.post(BODY);
    until(|| !peer.seen().is_empty()).await;
    assert_eq!(peer.one().body, BODY);
    service.stop();
}
