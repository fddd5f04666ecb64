//! A receiver in plain hyper, with the limits that a public door needs and `axum::serve` does not set: on the time for a
//! head, on its size, and on the number of connections. The layer limits the body.
//!
//! ```sh
//! WEBHOOK_SECRET='a secret of at least 16 bytes' cargo run --example hyper --features tower
//!
//! # In another terminal, as Slack would send it:
//! body='{"type":"event_callback","event_id":"Ev1"}'
//! now=$(date +%s)
//! mac=$(printf %s "v0:$now:$body" | openssl dgst -sha256 -hmac 'a secret of at least 16 bytes' -r | cut -d' ' -f1)
//! curl -i http://127.0.0.1:3000/ -H "X-Slack-Signature: v0=$mac" -H "X-Slack-Request-Timestamp: $now" -d "$body"
//!
//! # And a peer who never ends his head (in bash); after five seconds he is gone:
//! exec 3<>/dev/tcp/127.0.0.1/3000; printf 'POST / HTTP/1.1\r\n' >&3; time cat <&3
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookproof::middleware::Handshake;
use hookproof::{ConfigError, Key, Verified, Verifier, VerifyLayer, schemes};
use http::{Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::{Layer as _, service_fn};

const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const HEAD_BYTES: usize = 16 * 1024;
const CONNECTIONS: usize = 1024;

async fn receive(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let proof: Option<&Verified<Bytes>> = request.extensions().get();
    let length = proof.map_or(0, |proof| proof.body().len());
    Ok(Response::new(Full::from(format!("{length} bytes\n"))))
}

pub(crate) fn layer(secret: String) -> Result<VerifyLayer, ConfigError> {
    let verifier = Verifier::builder(schemes::slack())
        .key(Key::new("2026-11", secret))
        .body_limit(256 * 1024)
        .build()?;
    // Slack asks who owns the URL when it is entered there.
    Ok(VerifyLayer::new(verifier).body_timeout(Duration::from_secs(5)).handshake(Handshake::slack()))
}

pub(crate) async fn serve(
    listener: TcpListener,
    layer: VerifyLayer,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let service = layer.layer(service_fn(receive));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES);
            // What goes wrong on one connection is its peer's affair.
            server.serve_connection(TokioIo::new(stream), service).await.unwrap_or_default();
            drop(place);
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let secret = std::env::var("WEBHOOK_SECRET").map_err(|e| format!("WEBHOOK_SECRET: {e}"))?;
    let layer = layer(secret)?;
    serve(TcpListener::bind("127.0.0.1:3000").await?, layer).await
}
