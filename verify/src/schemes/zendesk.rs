use crate::encoding::Encoding;
use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Zendesk: `X-Zendesk-Webhook-Signature`, base64, with `X-Zendesk-Webhook-Signature-Timestamp` in RFC 3339.
///
/// Signed: timestamp and body, with nothing between. The key looks like base64 and is **not** decoded. **Not signed**:
/// `X-Zendesk-Webhook-Invocation-Id`. A public secret signs Zendesk's "Test webhook" before a webhook exists; never
/// configure it. An older edition of the page has body and timestamp the other way round.
///
/// Freshness: the timestamp is signed; no tolerance is published, 300 s is our choice. Identity: the digest of the body.
///
/// Source: developer.zendesk.com, "Verifying webhooks".
#[must_use]
pub fn zendesk() -> Scheme {
    Scheme::builder("zendesk")
        .signature_header("x-zendesk-webhook-signature")
        .encoding(Encoding::Base64)
        .timestamp_header("x-zendesk-webhook-signature-timestamp", TimestampFormat::Rfc3339)
        .signed([Part::Timestamp, Part::Body])
        .event_id_header("x-zendesk-webhook-invocation-id")
        .event_type_at("/type")
        .identity(DigestScope::Body)
        .preset()
}
