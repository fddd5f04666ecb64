use crate::scheme::Scheme;

/// Coinbase Commerce: `X-CC-Webhook-Signature`, bare hex.
///
/// Signed: the body alone.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/event/id` in
/// the signed body, the same for all attempts.
///
/// Source: coinbase-commerce-node, `lib/Webhook.js`.
#[must_use]
pub fn coinbase_commerce() -> Scheme {
    Scheme::builder("coinbase-commerce")
        .signature_header("x-cc-webhook-signature")
        .event_id_at("/event/id")
        .event_type_at("/event/type")
        .preset()
}
