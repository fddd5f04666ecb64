//! From a proof to the inbox.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hookproof::VerifiedBytes;

use crate::clock::Clock;
use crate::inbox::{Delivery, Inbox, Incoming};
use crate::ingress::answer::answer;
use crate::source::Source;

/// What one source's route knows.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) source: Source,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// When the head of a request had arrived: how soon it is answered counts from there.
#[derive(Clone, Copy)]
pub(crate) struct Begun(pub(crate) Instant);

/// Stores a verified delivery, and answers when it is on disk.
pub(crate) async fn accept(
    State(endpoint): State<Endpoint>,
    Extension(Begun(begun)): Extension<Begun>,
    headers: HeaderMap,
    VerifiedBytes(proof): VerifiedBytes,
) -> Response {
    let Endpoint { source, inbox, clock } = endpoint;
    let facts = source.facts(&proof, &headers);
    let now = clock.now();
    let skew = source.skew_ms(&proof, now);
    let incoming = Incoming::new(Arc::clone(&source.name), proof, facts, now).begun_at(begun).with_skew(skew);
    let outcome = inbox.accept(incoming).await;
    match &outcome {
        Ok(accepted) => match accepted.outcome {
            Delivery::New => tracing::debug!(source = %source.name, event = %accepted.event, "accepted"),
            Delivery::Duplicate { state } => {
                tracing::info!(source = %source.name, event = %accepted.event, %state, "duplicate");
            }
            Delivery::Revived => tracing::info!(source = %source.name, event = %accepted.event, "revived"),
            Delivery::Conflict => {
                tracing::warn!(source = %source.name, event = %accepted.event, "conflict: signed id with another body");
            }
        },
        Err(error) => tracing::error!(source = %source.name, %error, "not stored, answered 503"),
    }
    answer(&outcome)
}
