use crate::scheme::Scheme;

/// DevSphere OS: `X-Signature: sha256=<hex>`.
///
/// Signed: the body alone. The documentation calls this a concept: hexadecimal is implied by it, not stated, and no
/// timestamp, id or event header is named. The event type is read from `/type`, else `/event`.
///
/// Freshness: none, so remember replay keys; it promises to deliver once per endpoint and event, at best.
///
/// Source: docs.devsphereos.com/developers/webhooks.
#[must_use]
pub fn devsphere() -> Scheme {
    Scheme::builder("devsphere")
        .signature_header("x-signature")
        .prefix("sha256=")
        .event_type_at("/type")
        .event_type_at("/event")
        .preset()
}
