//! What a body of 32 MiB costs behind hyper, on a real connection: memory if it is genuine, and nothing if its headers
//! already condemn it. Server and client share a thread, so that all that either allocates is counted.

#![cfg(test)]

#[path = "support/counting.rs"]
mod counting;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hookproof::{
    Key, Outgoing, Pending, RequestView, Signer, UnixTime, Verified, Verifier, VerifyLayer, schemes,
};
use http::{Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, service_fn};

use counting::{Counting, cost, peak_of};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MIB: usize = 1 << 20;
const LENGTH: usize = 32 * MIB;
const PIECE: usize = 16 * 1024;
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const DEADLINE: Duration = Duration::from_secs(60);

fn key() -> Key {
    Key::new("k1", "a secret of more than sixteen bytes")
}

/// A stream that counts what is read from it.
struct Counted {
    stream: TcpStream,
    read: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::SeqCst);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Serves one connection. What is read of it is counted in the second value.
async fn serve() -> (SocketAddr, Arc<AtomicU64>) {
    let verifier = Verifier::builder(schemes::github()).key(key()).body_limit(LENGTH).build().unwrap();
    let service = VerifyLayer::new(verifier).clock(|| NOW).layer(service_fn(
        |request: Request<Full<Bytes>>| async move {
            let proof = request.extensions().get::<Verified<Bytes>>().expect("a proof is in the extensions");
            let text = format!("{} bytes\n", proof.body().len());
            Ok::<_, Infallible>(Response::new(Full::from(text)))
        },
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, read) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let counter = Arc::clone(&read);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = TokioIo::new(Counted { stream, read: counter });
        // That the peer went away is for the test to say.
        let _ = http1::Builder::new().serve_connection(stream, TowerToHyperService::new(service)).await;
    });
    (address, read)
}

fn signature() -> String {
    // Signed in one piece, before anything is counted.
    let body = vec![b'x'; LENGTH];
    let headers = Signer::new(&schemes::github(), &key()).unwrap().sign(&Outgoing::new(&body)).unwrap();
    headers["x-hub-signature-256"].to_str().unwrap().to_owned()
}

/// Every answer here ends with a line of its body; lines of a head end otherwise.
fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(b"\n") && !answer.ends_with(b"\r\n")
}

/// Sends a request with this signature and as much of the body as the server takes, and gives what came back.
async fn post(address: SocketAddr, signature: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Hub-Signature-256: {signature}\r\n\
         Content-Length: {LENGTH}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut answers, mut requests) = stream.split();
    let piece = [b'x'; PIECE];
    let send = async {
        for _ in 0..length / PIECE {
            // A server that has answered may close before it has read everything.
            if requests.write_all(&piece).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let receive = async {
        let mut buffer = [0; 1024];
        while !is_whole(&answer) {
            match answers.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
        }
    };
    tokio::select! {
        () = send => {}
        () = receive => {}
        () = tokio::time::sleep(DEADLINE) => panic!("no answer"),
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_large_body_costs_no_more_than_itself_and_a_mebibyte() {
    let signature = signature();
    let (address, read) = serve().await;
    let (peak, answer) = peak_of(post(address, &signature, LENGTH)).await;
    assert!(answer.ends_with(&format!("\r\n\r\n{LENGTH} bytes\n")), "{answer}");
    assert!(read.load(Ordering::SeqCst) > LENGTH as u64, "all of it was read");
    assert!(peak >= LENGTH, "the control: the body was counted");
    assert!(peak <= LENGTH + MIB, "{peak} bytes at the peak, {} beside the body", peak - LENGTH);
    println!("32 MiB: {} KiB beside the body", (peak - LENGTH) / 1024);
}

#[tokio::test]
async fn a_bad_header_is_refused_before_the_body_is_read() {
    for (signature, why) in [("sha256=00", "a short signature"), ("", "an empty one")] {
        let (address, read) = serve().await;
        // The answer comes although not a byte of the body does.
        let (peak, answer) = peak_of(post(address, signature, 0)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{why}: {answer}");
        assert!(peak < 128 * 1024, "{why}: {peak} bytes");
        assert!(read.load(Ordering::SeqCst) < 512, "{why}: the head alone was read");

        // Where the body comes too, no more of it is read than was on its way with the head.
        let (address, read) = serve().await;
        let (peak, answer) = peak_of(post(address, signature, LENGTH)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{why}: {answer}");
        let read = read.load(Ordering::SeqCst);
        assert!(read < 1024 * 1024, "{why}: {read} bytes of 32 MiB were read");
        assert!(peak < 1024 * 1024, "{why}: {peak} bytes of memory");
        println!("{why}: {read} bytes read of a request of 32 MiB, {peak} bytes of memory");
    }
}

/// A delivery of `body` of which the headers have arrived.
fn begun(body: &[u8], limit: usize) -> Pending {
    let headers = Signer::new(&schemes::github(), &key()).unwrap().sign(&Outgoing::new(body)).unwrap();
    let verifier = Verifier::builder(schemes::github()).key(key()).body_limit(limit).build().unwrap();
    verifier.begin(RequestView::from(&headers), NOW).unwrap()
}

/// A declared length costs memory as its bytes arrive: 64 KiB at first, then room for twice of what is there, and never
/// more than was declared. What was not declared, or was a lie, is bounded by the limit.
#[test]
fn memory_follows_what_has_arrived() {
    const LIMIT: usize = 1_100_000;
    let body = vec![b'x'; 1_000_000];
    let first = [65_536, 163_840, 360_448, 753_664];
    for (declared, last) in [(Some(1_000_000), 1_000_000), (None, LIMIT), (Some(10), LIMIT)] {
        let mut pending = begun(&body, LIMIT);
        if let Some(bytes) = declared {
            let (_, peak, expected) = cost(|| pending.expect_length(bytes));
            assert_eq!((peak, expected), (0, Ok(())), "a number is no body");
        }
        let (mut room, mut steps) = (0, Vec::new());
        for piece in body.chunks(PIECE) {
            let (calls, more, taken) = cost(|| pending.update(piece));
            taken.unwrap();
            room += more;
            steps.extend((calls > 0).then_some(room));
        }
        assert_eq!(steps, [&first[..], &[last]].concat(), "{declared:?}");
        assert_eq!(pending.finish().unwrap().body().len(), body.len());
    }
    let mut pending = begun(b"small", LIMIT);
    pending.expect_length(5).unwrap();
    assert_eq!(cost(|| pending.update(b"small")).1, 5, "a small body has no room beside it");
}

/// Or an answer would wait for the hash of the whole body after its last byte. The two differ by orders of magnitude; the
/// least of several times is what nothing else held up.
#[test]
fn a_body_is_hashed_while_it_arrives() {
    let body = vec![b'x'; MIB];
    let (mut arriving, mut finishing) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let mut pending = begun(&body, MIB);
        let start = Instant::now();
        body.chunks(PIECE).for_each(|piece| pending.update(piece).unwrap());
        arriving = arriving.min(start.elapsed());
        let start = Instant::now();
        pending.finish().unwrap();
        finishing = finishing.min(start.elapsed());
    }
    assert!(finishing < arriving / 2, "{finishing:?} after {arriving:?}");
}
