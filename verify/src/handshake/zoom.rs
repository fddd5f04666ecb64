use bytes::Bytes;
use http::Response;

use crate::handshake::text::{is_plain, is_plain_byte, json, text_at};
use crate::refusal::Refusal;
use crate::scheme::Part;
use crate::verified::Verified;
use crate::verifier::Verifier;

/// Zoom's validation of an endpoint, at the beginning and every 72 hours: a signed event `endpoint.url_validation`. The
/// answer is its `plainToken`, and the hexadecimal HMAC-SHA256 of it with the key that signed.
///
/// Source: zoom/webhook-sample.
///
/// # Errors
///
/// [`Refusal::HandshakeRefused`] if the token is not plain text, or the verifier's scheme is none for which that MAC is
/// safe to give away.
///
/// # Security
///
/// The answer is a signature over a text that came from outside. It can never pass for that of a delivery: Zoom signs
/// `v0:{timestamp}:{body}`, and a token with a colon is refused. A scheme that signs no such fixed text is refused too.
pub fn zoom<B: AsRef<[u8]>>(
    verifier: &Verifier,
    proof: &Verified<B>,
) -> Result<Option<Response<Bytes>>, Refusal> {
    let body = proof.as_ref();
    if text_at(body, "/event").as_deref() != Some("endpoint.url_validation") {
        return Ok(None);
    }
    let token = text_at(body, "/payload/plainToken").filter(|token| is_plain(token));
    let token = token.filter(|_| signs_what_no_token_can_be(verifier)).ok_or(Refusal::HandshakeRefused)?;
    let mac = verifier.mac_with(proof.key_id(), token.as_bytes()).ok_or(Refusal::HandshakeRefused)?;
    let answer = serde_json::json!({ "plainToken": token, "encryptedToken": hex::encode(mac.publish()) });
    Ok(Some(json(&answer)))
}

fn signs_what_no_token_can_be(verifier: &Verifier) -> bool {
    verifier.scheme().parts.iter().any(|part| match part {
        Part::Literal(text) => !text.bytes().all(is_plain_byte),
        _ => false,
    })
}
