use std::time::Duration;

use crate::scheme::Scheme;
use crate::timestamp::TimestampFormat;

/// MegatronLead: an HMAC-SHA256 of the body.
///
/// **The names are our choice.** MegatronLead publishes that a header carries "an HMAC-SHA256 of the request body",
/// that others carry the event type and a delivery id, and that a timestamp is in the signed payload; it names none of
/// them. This preset takes `X-MegatronLead-Signature: sha256=<hex>`, `X-MegatronLead-Event`,
/// `X-MegatronLead-Delivery` and `/timestamp` in the body. Compare with a delivery of yours and change what differs:
///
/// ```
/// use hookproof::{schemes, TimestampFormat};
///
/// let scheme = schemes::megatronlead()
///     .to_builder()
///     .signature_header("x-signature")
///     .prefix("")
///     .event_id_header("x-delivery-id")
///     .event_time_at("/sent_at", TimestampFormat::Rfc3339)
///     .build()?;
/// # Ok::<(), hookproof::ConfigError>(())
/// ```
///
/// Signed: the body alone. **Not signed**: the delivery id and event type headers; the published advice to dedup by
/// delivery id would let a replayer in with a fresh id, and let him suppress the next delivery with an expected one.
///
/// Freshness: event time, in Unix seconds or RFC 3339. It retries after 30 s, 2 min, 15 min, then longer, for up to
/// 24 h, and a retry repeats the body; hence 24 h and 5 min. Remember replay keys for longer than that.
///
/// Source: megatronlead.com, "How outbound webhooks work in MegatronLead".
#[must_use]
pub fn megatronlead() -> Scheme {
    Scheme::builder("megatronlead")
        .signature_header("x-megatronlead-signature")
        .prefix("sha256=")
        .event_id_header("x-megatronlead-delivery")
        .event_type_header("x-megatronlead-event")
        .event_time_at("/timestamp", TimestampFormat::SecondsOrRfc3339)
        .retry_horizon(Duration::from_secs(24 * 3600))
        .preset()
}
