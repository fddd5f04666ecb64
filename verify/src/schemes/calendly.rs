use std::time::Duration;

use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::Window;

/// Calendly: `Calendly-Webhook-Signature: t=<seconds>,v1=<hex>`.
///
/// Signed: `{t}.{body}`. Freshness: `t` is signed; 180 s, as in Calendly's sample, on both sides. There is no id; identity
/// is the digest of the body.
///
/// Source: developer.calendly.com, "Webhook signatures".
#[must_use]
pub fn calendly() -> Scheme {
    Scheme::builder("calendly")
        .signature_header("calendly-webhook-signature")
        .key_value("t", "v1")
        .signed([Part::Timestamp, Part::literal("."), Part::Body])
        .window(Window::symmetric(Duration::from_secs(180)))
        .event_type_at("/event")
        .identity(DigestScope::Body)
        .preset()
}
