use bytes::Bytes;
use http::{Response, StatusCode};

use crate::handshake::text::{at, json};
use crate::pointer::Scalar;
use crate::verified::Verified;

/// Discord's ping of an interactions endpoint: a signed `{"type":1}`, answered with the same.
///
/// Discord also sends wrong signatures on purpose, and takes the URL away from who does not answer 401.
///
/// Source: discord-api-docs, interactions/overview.
///
/// # Security
///
/// Not for an endpoint of webhook events: there type 1 is an event, and this would swallow it.
pub fn discord_interactions<B: AsRef<[u8]>>(proof: &Verified<B>) -> Option<Response<Bytes>> {
    is_type(proof, "1").then(|| json(&serde_json::json!({ "type": 1 })))
}

/// Discord's ping of a webhook events endpoint: a signed `{"type":0}`, answered with 204.
///
/// Source: discord-api-docs, events/webhook-events.
pub fn discord_events<B: AsRef<[u8]>>(proof: &Verified<B>) -> Option<Response<Bytes>> {
    is_type(proof, "0").then(|| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    })
}

fn is_type<B: AsRef<[u8]>>(proof: &Verified<B>, number: &str) -> bool {
    at(proof.as_ref(), "/type") == Some(Scalar::Number(number))
}
