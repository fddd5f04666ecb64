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

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::{Router, routing::post};
use hookproof::{Key, ReplayKey, VerifiedBytes, Verifier, VerifyLayer, schemes};

/// What was done already. A real receiver keeps this in a database, under a unique index.
type Done = Arc<Mutex<HashSet<ReplayKey>>>;

async fn receive(State(done): State<Done>, VerifiedBytes(proof): VerifiedBytes) -> &'static str {
    // GitHub signs neither a time nor its delivery id, so only memory stops a replay.
    let is_new = done.lock().unwrap_or_else(PoisonError::into_inner).insert(proof.replay_key("github-main"));
    if is_new { "received\n" } else { "received before\n" }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = std::env::var("WEBHOOK_SECRET").map_err(|e| format!("WEBHOOK_SECRET: {e}"))?;
    let verifier = Verifier::builder(schemes::github()).key(Key::new("2026-11", secret)).build()?;
    let app = Router::new()
        .route("/hooks/github", post(receive))
        .layer(VerifyLayer::new(verifier))
        .with_state(Done::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
