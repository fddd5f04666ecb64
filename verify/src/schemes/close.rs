use std::time::Duration;

use crate::scheme::{DigestScope, KeyFormat, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Close: `close-sig-hash`, bare hex, with `close-sig-timestamp`.
///
/// Signed: timestamp and body, with nothing between. The key is **hexadecimal**.
///
/// Freshness: the timestamp is signed, in seconds; no tolerance is published, 300 s is our choice. Identity: `/event/id` in
/// the signed body; it retries for up to 72 hours.
///
/// Source: developer.close.com, "Webhooks".
#[must_use]
pub fn close() -> Scheme {
    Scheme::builder("close")
        .signature_header("close-sig-hash")
        .key_format(KeyFormat::Hex)
        .timestamp_header("close-sig-timestamp", TimestampFormat::Seconds)
        .signed([Part::Timestamp, Part::Body])
        .event_id_at("/event/id")
        .event_type_at("/event/action")
        .identity(DigestScope::Body)
        .retry_horizon(Duration::from_secs(72 * 3600))
        .preset()
}
