//! Targets: a real HTTP server that answers as it is told, and a socket that does what no server should.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Request};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;

/// A request as the target saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When it was read to its end.
    pub at: std::time::Instant,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

type Script = dyn Fn(usize) -> Response + Send + Sync;

/// An HTTP server on this machine. Stops when it is dropped.
pub struct Peer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Answers request number n (from 0) with `script(n)`.
    pub async fn start(script: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", None, script).await
    }

    /// Answers every request with this status and no body.
    pub async fn saying(status: u16) -> Self {
        Self::start(move |_| answer(status, "")).await
    }

    pub async fn start_at(
        address: &str,
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize) -> Response + Send + Sync + 'static,
    ) -> Self {
        let socket = TcpListener::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (connections, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let script: Arc<Script> = Arc::new(script);
        let (counted, noted) = (Arc::clone(&connections), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = socket.accept().await.unwrap();
                counted.fetch_add(1, SeqCst);
                let (noted, script, tls) = (Arc::clone(&noted), Arc::clone(&script), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, noted, script).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, noted, script).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, connections, seen, task }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request that came.
    #[track_caller]
    pub fn one(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen.remove(0)
    }
}

async fn serve<S>(stream: S, seen: Arc<Mutex<Vec<Seen>>>, script: Arc<Script>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let headers = request.headers().clone();
            let body = to_bytes(Body::new(request.into_body()), usize::MAX).await?;
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(Seen { line, headers, body, at: std::time::Instant::now() });
                seen.len() - 1
            };
            Ok::<_, axum::Error>(script(number))
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An answer with a text.
pub fn answer(status: u16, text: &str) -> Response {
    Response::builder().status(status).body(Body::from(text.to_owned())).unwrap()
}

/// An answer with a header.
pub fn with_header(status: u16, name: &str, value: &str) -> Response {
    Response::builder().status(status).header(name, value).body(Body::empty()).unwrap()
}

/// The certificate of `crm.test` and 127.0.0.1, which `ca.pem` vouches for.
pub fn tls() -> TlsAcceptor {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What a socket does after it has read a request and written the beginning of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Nothing, for ever.
    Hold,
    /// It closes.
    Close,
    /// A byte now and then.
    Drip,
    /// As much as is taken.
    Flood,
}

/// A socket that answers each connection's first request with `head`. Returns how many bytes it got rid of after that.
pub async fn socket(head: &'static str, then: Then) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(misbehave(stream, head, then, Arc::clone(&count)));
        }
    });
    (address, written)
}

async fn misbehave(mut stream: TcpStream, head: &str, then: Then, written: Arc<AtomicUsize>) {
    let mut chunk = vec![0; 64 * 1024];
    let mut read = Vec::new();
    // The events of these tests are small and end their JSON with two braces.
    while !read.ends_with(b"}}") {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => read.extend_from_slice(&chunk[..n]),
        }
    }
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece: &[u8] = if matches!(then, Then::Flood) { &[b'x'; 4096] } else { b"x" };
    match then {
        Then::Close => {}
        Then::Hold => {
            let _ = stream.read(&mut chunk).await;
        }
        Then::Drip | Then::Flood => {
            while stream.write_all(piece).await.is_ok() {
                written.fetch_add(piece.len(), SeqCst);
                if matches!(then, Then::Drip) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}
