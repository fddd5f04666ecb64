//! The layer behind hyper, on a real connection: what a peer sees byte for byte, and what happens when he leaves.

#![cfg(test)]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hookproof::middleware::Source;
use hookproof::{Key, MemoryReplayGuard, Outgoing, Signer, UnixTime, Verifier, VerifyLayer, schemes};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower::{Layer as _, service_fn};

const BODY: &str = r#"{"id":"evt_1"}"#;
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const DEADLINE: Duration = Duration::from_secs(20);

fn verifier() -> Verifier {
    Verifier::builder(schemes::stripe()).key(key()).body_limit(1000).build().unwrap()
}

fn key() -> Key {
    Key::new("k1", "a secret of more than sixteen bytes")
}

/// What the service behind does, and how often it began.
#[derive(Clone)]
struct Work {
    begun: Arc<AtomicUsize>,
    /// The first call waits for this, if it is set.
    finish: Option<Arc<Notify>>,
    guard: Arc<MemoryReplayGuard>,
}

impl Work {
    fn new(finish: Option<Arc<Notify>>) -> Self {
        let month = Duration::from_secs(30 * 24 * 3600);
        let guard = Arc::new(MemoryReplayGuard::new(month, 100).unwrap());
        Self { begun: Arc::default(), finish, guard }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    async fn run(self) -> Result<Response<Full<Bytes>>, Infallible> {
        let first = self.begun.fetch_add(1, Ordering::SeqCst) == 0;
        if let (true, Some(finish)) = (first, self.finish) {
            finish.notified().await;
        }
        Ok(Response::new(Full::from("done\n")))
    }

    /// Waits until the guard holds so many keys.
    async fn until_held(&self, keys: usize) {
        let wait = async {
            while self.guard.len() != keys {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("{} keys", self.guard.len()));
    }
}

/// Serves `/known` on a port of its own.
async fn serve(work: &Work) -> std::net::SocketAddr {
    let choose = |parts: &http::request::Parts| {
        (parts.uri.path() == "/known").then(|| Source::new("known", verifier()))
    };
    let layer = VerifyLayer::choosing(verifier(), choose)
        .clock(|| NOW)
        .replay_guard(Arc::clone(&work.guard))
        .unwrap();
    let work = work.clone();
    let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| work.clone().run()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(5));
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn signed() -> HeaderMap {
    let outgoing = Outgoing::new(BODY.as_bytes()).timestamp(NOW);
    Signer::new(&schemes::stripe(), &key()).unwrap().sign(&outgoing).unwrap()
}

fn signature() -> String {
    signed()["stripe-signature"].to_str().unwrap().to_owned()
}

/// The head of a request to `path` with this signature, if any, up to the blank line.
fn head(method: &str, path: &str, signature: &str) -> String {
    let header =
        if signature.is_empty() { String::new() } else { format!("Stripe-Signature: {signature}\r\n") };
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}")
}

fn whole(method: &str, path: &str, signature: &str) -> String {
    format!("{}Content-Length: {}\r\n\r\n{BODY}", head(method, path, signature), BODY.len())
}

/// All that came back but the line that tells the time.
async fn answer(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(DEADLINE, read).await.expect("an answer").unwrap();
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date:")).collect()
}

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain; charset=utf-8\r\n\
                            connection: close\r\ncontent-length: 13\r\n\r\nunauthorized\n";

#[tokio::test]
async fn every_refusal_is_the_same_bytes_on_the_wire() {
    let work = Work::new(None);
    let address = serve(&work).await;
    let (good, bad) = (signature(), "t=1700000000,v1=".to_owned() + &"0".repeat(64));
    for (method, path, signature) in [
        ("POST", "/known", ""),
        ("POST", "/known", &*bad),
        ("POST", "/known", "t=1,v1=x"),
        ("POST", "/known", "undefined"),
        ("POST", "/unknown", ""),
        ("POST", "/unknown", &*bad),
        ("POST", "/unknown", &*good),
        ("POST", "/known/", &*good),
        ("OPTIONS", "/known", &*good),
        ("PURGE", "/known", &*good),
        ("GET", "/known", ""),
    ] {
        let got = answer(address, &whole(method, path, signature)).await;
        assert_eq!(got, UNAUTHORIZED, "{method} {path} {signature}");
    }
    assert_eq!(work.begun(), 0);
    let got = answer(address, &whole("POST", "/known", &good)).await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\ndone\n"), "{got}");
    let got = answer(address, &whole("POST", "/known", &good)).await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\nreceived\n"), "{got}");
    assert_eq!(work.begun(), 1, "the control: what is genuine is done, once");
}

fn chunked(signature: &str, trailer: &str) -> String {
    let head = head("POST", "/known", signature);
    let length = BODY.len();
    format!(
        "{head}Trailer: Stripe-Signature\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BODY}\r\n0\r\n{trailer}\r\n"
    )
}

#[tokio::test]
async fn a_signature_in_a_trailer_is_none() {
    let work = Work::new(None);
    let address = serve(&work).await;
    let trailer = format!("Stripe-Signature: {}\r\n", signature());
    assert_eq!(answer(address, &chunked("", &trailer)).await, UNAUTHORIZED);
    assert_eq!(work.begun(), 0);
    let got = answer(address, &chunked(&signature(), &trailer)).await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "a second one there does not matter: {got}");
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_at_once() {
    let work = Work::new(None);
    let address = serve(&work).await;
    let text = format!("{}Content-Length: 1001\r\n\r\n", head("POST", "/known", &signature()));
    let got = answer(address, &text).await;
    assert!(got.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{got}");
}

#[tokio::test]
async fn a_peer_who_leaves_in_the_middle_of_the_body_has_done_nothing() {
    let work = Work::new(None);
    let address = serve(&work).await;
    for cut in [0, 1, BODY.len() - 1] {
        let text = whole("POST", "/known", &signature());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&text.as_bytes()[..text.len() - BODY.len() + cut]).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = String::new();
        // Whether the refusal still reaches him or the connection is reset: he is gone.
        let _ = tokio::time::timeout(DEADLINE, stream.read_to_string(&mut rest)).await.expect("an end");
        assert!(!rest.contains("200 OK"), "{cut}: {rest}");
    }
    assert_eq!((work.begun(), work.guard.len()), (0, 0));
    let got = answer(address, &whole("POST", "/known", &signature())).await;
    assert!(got.ends_with("done\n"), "{got}");
}

/// He hangs up while the service is at work; hyper drops the request, and the claim is given back: his retry is received.
#[tokio::test]
async fn a_peer_who_leaves_during_the_work_may_come_again() {
    let finish = Arc::new(Notify::new());
    let work = Work::new(Some(Arc::clone(&finish)));
    let address = serve(&work).await;
    let text = whole("POST", "/known", &signature());
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(text.as_bytes()).await.unwrap();
    work.until_held(1).await;
    let second = answer(address, &text).await;
    assert!(second.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{second}");
    assert!(second.contains("\r\nretry-after: 10\r\n"), "{second}");
    drop(first);
    work.until_held(0).await;
    let third = answer(address, &text).await;
    assert!(third.ends_with("done\n"), "{third}");
    assert_eq!((work.begun(), work.guard.len()), (2, 1));
}
