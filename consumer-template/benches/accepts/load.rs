//! The load: many connections that are kept alive, each with one request at a time, on one thread that does little else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub(crate) const CONNECTIONS: usize = 64;

/// What was measured.
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Posts `requests`, each once, for `time` or until there are no more. Every answer must be 200.
pub(crate) fn run(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    time: Duration,
) -> anyhow::Result<Measured> {
    let requests = Arc::clone(requests);
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(post_all(address, requests, time))
    });
    thread.join().ok().context("the load broke off")?
}

async fn post_all(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    time: Duration,
) -> anyhow::Result<Measured> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for stream in streams {
        connections.spawn(post(stream, Arc::clone(&requests), Arc::clone(&next), start + time));
    }
    let mut latencies = Vec::new();
    while let Some(ended) = connections.join_next().await {
        latencies.extend(ended??);
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied();
    Ok(Measured {
        per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        p50: at(0.50).context("nothing was answered")?,
        p99: at(0.99).context("nothing was answered")?,
    })
}

async fn post(
    mut stream: TcpStream,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut answer = [0; 1024];
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        stream.write_all(request).await?;
        let mut length = 0;
        while !answer.get(..length).is_some_and(|answer| answer.ends_with(b"\r\n\r\nok\n")) {
            let read = stream.read(answer.get_mut(length..).unwrap_or_default()).await?;
            ensure!(read > 0, "not an answer of success: {}", String::from_utf8_lossy(&answer));
            length += read;
        }
        ensure!(answer.starts_with(b"HTTP/1.1 200 "), "not answered 200");
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}
