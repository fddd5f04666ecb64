//! The listener: HTTP/1.1 only, every wait bounded.
//!
//! `axum::serve` lets a connection that sends nothing stay open for ever. Here a connection has
//! `header_timeout_seconds` for each request's head and between requests, the body its own timeout in the verify layer,
//! and no more than `max_connections` are served at a time. Malformed framing is answered 400 by hyper.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::ServerConfig;
use crate::ingress::serving::Serving;
use crate::refused::Peer;

/// How long open connections may take to finish their request when the service stops.
const DRAIN: Duration = Duration::from_secs(10);

/// After an accept error (typically: no more file descriptors), how long to wait before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    max_connections: usize,
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound: it is in use, or not ours.
    pub async fn bind(config: &ServerConfig) -> std::io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(config.listen).await?, max_connections: config.max_connections })
    }

    /// The address that was bound; its port is the real one if 0 was asked for.
    ///
    /// # Errors
    ///
    /// When the operating system does not say.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves with `serving` until `stop` turns true, then lets open requests finish, for at most ten seconds.
    pub async fn serve(self, serving: Serving, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.max_connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = next_connection(&self.socket, &slots) => accepted,
            };
            let Some((stream, peer, slot)) = accepted else { continue };
            let connection = serve_connection(stream, peer, serving.clone(), stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(slot);
            });
            while connections.try_join_next().is_some() {}
        }
        drop(self.socket);
        let all_done = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all_done).await.is_err() {
            tracing::warn!("some connections did not finish in time");
        }
    }
}

/// Waits for a free slot first: a connection that cannot be served stays in the kernel's queue.
async fn next_connection(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, peer)) => Some((stream, Peer(peer.ip().to_canonical()), slot)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: Peer, serving: Serving, mut stop: watch::Receiver<bool>) {
    // Answers are one small write each; waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let limits = serving.limits();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        serving.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_timeout_seconds))
        .max_buf_size(limits.max_header_bytes)
        .max_headers(limits.max_headers)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let finished = tokio::select! {
        finished = connection.as_mut() => finished,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = finished {
        tracing::debug!(%error, "connection ended");
    }
}

/// Waits until somebody says stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could say "stop" is gone: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}
