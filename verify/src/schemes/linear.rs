use std::time::Duration;

use crate::scheme::Scheme;
use crate::timestamp::{TimestampFormat, Window};

/// Linear: `Linear-Signature`, bare hex.
///
/// Signed: the body alone. **Not signed**: `Linear-Delivery`, and `Linear-Timestamp`, which this preset does not look at.
///
/// Freshness: `/webhookTimestamp` in the signed body, in milliseconds; 60 s on both sides, as in Linear's own library. It
/// retries three times within six hours; whether with a new time is not published. Identity: the digest of the body.
///
/// Source: linear/linear, `packages/sdk/src/webhooks`.
#[must_use]
pub fn linear() -> Scheme {
    Scheme::builder("linear")
        .signature_header("linear-signature")
        .event_time_at("/webhookTimestamp", TimestampFormat::Millis)
        .window(Window::symmetric(Duration::from_secs(60)))
        .event_id_header("linear-delivery")
        .event_type_at("/type")
        .preset()
}
