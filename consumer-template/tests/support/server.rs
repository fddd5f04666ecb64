//! A consumer in this process, and raw HTTP to it: what is on the wire is what a test wrote.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::path::PathBuf;
use std::time::Duration;

use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime};
use hookproof_consumer::app::App;
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::config::Config;
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::{Event, State};
use hookproof_consumer::inbox::Operator as _;
use hookproof_consumer::inbox::sqlite::{SqliteOperator, SqliteOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// The sources of every test server, each with a key of its own, and lines of its configuration.
const SOURCES: [(&str, &str, &str); 4] = [
    ("devsphere", "5d1f0e8a7c3b49d2a6e4f1b09c8d7e6f", ""),
    ("klozeo", "e2c4a6081b3d5f7090a1b2c3d4e5f607", ""),
    ("slack", "0b1c2d3e4f5061728394a5b6c7d8e9fa", ""),
    ("meta", "f0e1d2c3b4a5968778695a4b3c2d1e0f", META_HANDSHAKE),
];

const META_HANDSHAKE: &str =
    "handshake = { kind = \"meta\", verify_token = { value = \"the token of this test\" } }";

pub struct Server {
    app: App,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

/// An answer as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn without_date(&self) -> String {
        self.text
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

struct Nothing;

#[async_trait::async_trait]
impl Handler for Nothing {
    async fn handle(&self, _: &Event, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl Server {
    /// A server whose sources have `more` lines of configuration.
    pub async fn start(more: &str) -> Self {
        Self::start_with("", more).await
    }

    pub async fn start_with(server: &str, source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nheader_timeout_seconds = 2\nbody_timeout_seconds = 2\n{server}"
        );
        for (name, secret, lines) in SOURCES {
            text += &format!(
                "[sources.{name}]\npath = \"/hooks/{name}\"\nscheme = \"{name}\"\n\
                 keys = [{{ id = \"k\", value = \"{secret}\" }}]\n{lines}\n{source}\n"
            );
        }
        let config = Config::parse(&text, &folder.path().join("hookproof.toml")).unwrap();
        let path = config.store.path.clone();
        let app = App::start(config, Handlers::new(Effect::outside(Nothing))).await.unwrap();
        Self { app, path, _folder: folder }
    }

    pub fn operator(&self) -> SqliteOperator {
        SqliteOperator::open(SqliteOptions::new(&self.path)).unwrap()
    }

    /// The database, for who wants to break it.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }

    /// A whole request with a right signature and `extra` header lines.
    pub fn signed(&self, source: &str, body: &str, extra: &[&str]) -> Vec<u8> {
        Self::signed_at(SystemClock.now(), source, body, extra)
    }

    pub fn signed_at(now: UnixTime, source: &str, body: &str, extra: &[&str]) -> Vec<u8> {
        let (name, secret, _) = SOURCES.into_iter().find(|(name, ..)| *name == source).unwrap();
        let signer = Signer::new(&Scheme::by_name(name).unwrap(), &Key::new("k", secret)).unwrap();
        let headers = signer.sign(&Outgoing::new(body.as_bytes()).timestamp(now)).unwrap();
        let mut text = format!("POST /hooks/{name} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        for line in extra {
            text += &format!("{line}\r\n");
        }
        for (name, value) in &headers {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        text.into_bytes()
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.app.address()).await.unwrap()
    }

    pub async fn exchange(&self, request: &[u8]) -> Answer {
        reply(self, request, PATIENCE).await.expect("in time").expect("an answer")
    }

    /// Waits until nothing is pending or running.
    pub async fn settled(&self) {
        let operator = self.operator();
        let quiet = async {
            loop {
                let counts = operator.counts().await.unwrap();
                if counts.of(State::Pending) + counts.of(State::Running) == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, quiet).await.expect("settled in time");
    }
}

/// What comes back until the server closes: `None` if it does not within `patience`, `Some(None)` if it says nothing.
pub async fn reply(server: &Server, sent: &[u8], patience: Duration) -> Option<Option<Answer>> {
    let exchange = async {
        let mut stream = server.connect().await;
        // A server that refuses early closes while we still write; what it said is what counts.
        let _ = stream.write_all(sent).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.map(|status| Answer { status, text })
    };
    timeout(patience, exchange).await.ok()
}
