//! A receiver in axum: the handler runs for genuine deliveries only, and does each of them once.
//!
//! ```sh
//! WEBHOOK_SECRET='a secret of at least 16 bytes' cargo run --example axum --features axum
//!
//! # In another terminal, as GitHub would send it:
//! body='{"zen":"Design for failure."}'
//! mac=$(printf %s "$body" | openssl dgst -sha256 -hmac 'a secret of at least 16 bytes' -r | cut -d' ' -f1)
//! curl -i http://127.0.0.1:3000/hooks/github -H "X-Hub-Signature-256: sha256=$mac" -H 'X-GitHub-Event: ping' -d "$body"
//! ```
//!
//! The first time the handler answers, and its log line says `accepted`. The second time the layer answers, without the
//! handler, and the line says `replayed`. With another body curl sees a bare 401, and the line says `signature_mismatch`.

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use axum::{Router, routing::post};
use hookproof::middleware::{Observation, Source};
use hookproof::{ConfigError, Key, MemoryReplayGuard, VerifiedBytes, Verifier, VerifyLayer, schemes};

/// GitHub signs neither a time nor its delivery id, so only memory stops a replay: here for 30 days, or until a restart.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// About one delivery every three seconds, for all that time.
const CAPACITY: usize = 1_000_000;

async fn receive(VerifiedBytes(proof): VerifiedBytes) -> String {
    // 2xx says that it is done: answer anything else, and the delivery may come again.
    format!("{} bytes, signed with key {}\n", proof.body().len(), proof.key_id())
}

fn log(seen: &Observation<'_>) {
    let (source, code) = (seen.source.unwrap_or("-"), seen.outcome.code());
    // Path and method are a stranger's texts: Debug escapes them.
    let line = writeln!(std::io::stderr(), "{source} {code} {:?} {:?}", seen.method, seen.path);
    // A log that is gone is no reason to refuse a delivery.
    line.unwrap_or_default();
}

pub(crate) fn app(secret: String) -> Result<Router, ConfigError> {
    let verifier = Verifier::builder(schemes::github()).key(Key::new("2026-11", secret)).build()?;
    let layer = VerifyLayer::new(Source::new("github-main", verifier))
        .replay_guard(MemoryReplayGuard::new(RETENTION, CAPACITY)?)?
        .observer(log);
    Ok(Router::new().route("/hooks/github", post(receive)).layer(layer))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = std::env::var("WEBHOOK_SECRET").map_err(|e| format!("WEBHOOK_SECRET: {e}"))?;
    let app = app(secret)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    // axum::serve lets a connection idle for ever. Put a proxy before it, or serve as in `hyper.rs`.
    axum::serve(listener, app).await?;
    Ok(())
}
