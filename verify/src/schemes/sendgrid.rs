use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{Algorithm, DigestScope, KeyFormat, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Twilio SendGrid's event webhook: `X-Twilio-Email-Event-Webhook-Signature: <base64>` and `-Timestamp`.
///
/// Signed: timestamp and body, with ECDSA on P-256. The body ends with CR LF, which belongs to it. The key is the
/// verification key that SendGrid shows: base64 of a public key in DER. Needs the feature `asymmetric`.
///
/// Freshness: the timestamp is signed; 300 s on both sides is our choice, SendGrid's library checks none. One delivery
/// holds many events, each with its `sg_event_id`. SendGrid re-sends for up to 24 hours.
///
/// Source: github.com/sendgrid/sendgrid-python, `sendgrid/helpers/eventwebhook`.
#[must_use]
pub fn sendgrid() -> Scheme {
    Scheme::builder("sendgrid")
        .signature_header("x-twilio-email-event-webhook-signature")
        .algorithm(Algorithm::EcdsaP256Der)
        .encoding(Encoding::Base64)
        .key_format(KeyFormat::PublicKey)
        .timestamp_header("x-twilio-email-event-webhook-timestamp", TimestampFormat::Seconds)
        .signed([Part::Timestamp, Part::Body])
        .identity(DigestScope::Body)
        .retry_horizon(Duration::from_secs(24 * 3600))
        .preset()
}
