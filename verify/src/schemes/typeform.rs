use crate::encoding::Encoding;
use crate::scheme::Scheme;

/// Typeform: `Typeform-Signature: sha256=<base64>`. Base64, unlike every other `sha256=`.
///
/// Signed: the body alone.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/event_id` in the
/// signed body.
///
/// Source: typeform.com/developers, "Secure your webhooks".
#[must_use]
pub fn typeform() -> Scheme {
    Scheme::builder("typeform")
        .signature_header("typeform-signature")
        .prefix("sha256=")
        .encoding(Encoding::Base64)
        .event_id_at("/event_id")
        .event_type_at("/event_type")
        .preset()
}
