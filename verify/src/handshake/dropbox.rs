use bytes::Bytes;
use http::{Method, Response};

use crate::handshake::text::{echo, parameter};
use crate::refusal::Refusal;
use crate::request::RequestView;

/// Dropbox's verification of an endpoint: `GET` with `challenge`, which is sent back. Unsigned, and anyone can ask.
///
/// Source: dropbox/mdwebhook, which sets `nosniff` against a reflected script.
///
/// # Errors
///
/// [`Refusal::HandshakeRefused`] for a challenge that could be more than text.
pub fn dropbox(request: RequestView<'_>) -> Result<Option<Response<Bytes>>, Refusal> {
    if request.method != Method::GET {
        return Ok(None);
    }
    let Some(challenge) = parameter(request.path_and_query, "challenge")? else { return Ok(None) };
    echo(&challenge).map(Some)
}
