use bytes::Bytes;
use http::Response;

use crate::handshake::text::{echo, text_at};
use crate::refusal::Refusal;
use crate::verified::Verified;

/// Slack's verification of an endpoint: a signed `{"type":"url_verification","challenge":".."}`, whose challenge is sent
/// back.
///
/// Source: docs.slack.dev, events API, URL verification.
///
/// # Errors
///
/// [`Refusal::HandshakeRefused`] for a challenge that could be more than text.
pub fn slack<B: AsRef<[u8]>>(proof: &Verified<B>) -> Result<Option<Response<Bytes>>, Refusal> {
    let body = proof.as_ref();
    if text_at(body, "/type").as_deref() != Some("url_verification") {
        return Ok(None);
    }
    echo(&text_at(body, "/challenge").unwrap_or_default()).map(Some)
}
