use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Zoom: `x-zm-signature: v0=<hex>` with `x-zm-request-timestamp`.
///
/// Signed: `v0:{timestamp}:{body}`, the raw body; Zoom's own sample signs a re-serialised one, which works by luck. The key
/// is the secret token. **Not signed**: `x-zm-trackingid`.
///
/// Freshness: the timestamp is signed; Zoom names no tolerance, 300 s is our choice. Identity: the digest of the body, whose
/// `event_ts` tells events apart.
///
/// Source: github.com/zoom/webhook-sample.
#[must_use]
pub fn zoom() -> Scheme {
    Scheme::builder("zoom")
        .signature_header("x-zm-signature")
        .prefix("v0=")
        .timestamp_header("x-zm-request-timestamp", TimestampFormat::Seconds)
        .signed([Part::literal("v0:"), Part::Timestamp, Part::literal(":"), Part::Body])
        .event_id_header("x-zm-trackingid")
        .event_type_at("/event")
        .identity(DigestScope::Body)
        .preset()
}
