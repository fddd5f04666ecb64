use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::{TimestampFormat, Window};

/// Box: `box-signature-primary` and `box-signature-secondary: <base64>`, and `box-delivery-timestamp`.
///
/// Signed: body and timestamp, in this order, with nothing between; not `box-delivery-id`. Give the secondary key the
/// id `secondary`: it goes with its own header only, and every other key only with the primary one.
/// `box-signature-version` must be `1` and `box-signature-algorithm` `HmacSHA256`.
///
/// Freshness: the timestamp is signed; 600 s on both sides, as Box's library has it for the past.
///
/// Source: github.com/box/box-node-sdk, `src/managers/webhooks.ts`.
#[must_use]
pub fn box_() -> Scheme {
    Scheme::builder("box")
        .signature_header("box-signature-primary")
        .alternative_signature_header("box-signature-secondary")
        .bind_key("secondary", "box-signature-secondary")
        .required_header("box-signature-version", "1")
        .required_header("box-signature-algorithm", "HmacSHA256")
        .encoding(Encoding::Base64)
        .timestamp_header("box-delivery-timestamp", TimestampFormat::Rfc3339)
        .window(Window::symmetric(Duration::from_secs(600)))
        .signed([Part::Body, Part::Timestamp])
        .event_id_header("box-delivery-id")
        .event_type_at("/trigger")
        .identity(DigestScope::Body)
        .preset()
}
