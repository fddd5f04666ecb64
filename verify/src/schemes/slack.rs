use std::time::Duration;

use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Slack: `X-Slack-Signature: v0=<hex>` with `X-Slack-Request-Timestamp`.
///
/// Signed: `v0:{timestamp}:{body}`. Commands and interactions are forms, not JSON; their raw bytes are signed.
///
/// Freshness: the timestamp is signed; 300 s on both sides. Identity: `/event_id` of the Events API, which its retries
/// repeat (three within about an hour); for forms, the digest of the body, which has a `trigger_id` of its own.
///
/// Source: docs.slack.dev, "Verifying requests from Slack".
#[must_use]
pub fn slack() -> Scheme {
    Scheme::builder("slack")
        .signature_header("x-slack-signature")
        .prefix("v0=")
        .timestamp_header("x-slack-request-timestamp", TimestampFormat::Seconds)
        .signed([Part::literal("v0:"), Part::Timestamp, Part::literal(":"), Part::Body])
        .event_id_at("/event_id")
        .event_type_at("/event/type")
        .event_type_at("/type")
        .identity(DigestScope::Body)
        .retry_horizon(Duration::from_secs(2 * 3600))
        .preset()
}
