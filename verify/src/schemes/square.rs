use crate::encoding::Encoding;
use crate::scheme::{DigestScope, Part, Scheme};

/// Square: `x-square-hmacsha256-signature`, base64.
///
/// Signed: the notification URL and the body, with nothing between. The URL is the one registered, not one rebuilt from
/// `Host`: the verifier needs its public URL.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/event_id` in
/// the signed body.
///
/// Source: square-python-sdk, `webhooks_helper.py`.
#[must_use]
pub fn square() -> Scheme {
    Scheme::builder("square")
        .signature_header("x-square-hmacsha256-signature")
        .encoding(Encoding::Base64)
        .signed([Part::Url, Part::Body])
        .event_id_at("/event_id")
        .event_type_at("/type")
        .identity(DigestScope::Body)
        .preset()
}
