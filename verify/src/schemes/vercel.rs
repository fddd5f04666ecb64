use crate::scheme::Scheme;

/// Vercel: `x-vercel-signature`, bare hex of an HMAC-**SHA1**.
///
/// Signed: the body alone.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/id` in the
/// signed body.
///
/// Source: vercel.com/docs/webhooks.
#[must_use]
pub fn vercel() -> Scheme {
    Scheme::builder("vercel")
        .signature_header("x-vercel-signature")
        .prefix_sha1("")
        .event_id_at("/id")
        .event_type_at("/type")
        .preset()
}
