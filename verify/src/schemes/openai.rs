use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{Algorithm, KeyFormat, Part, Scheme, Syntax, Version};
use crate::timestamp::TimestampFormat;

/// OpenAI: Standard Webhooks, `v1` only.
///
/// Signed: `{webhook-id}.{webhook-timestamp}.{body}`. Key: `whsec_` and base64.
///
/// Freshness: the timestamp is signed, 300 s. Identity: `webhook-id`, signed; retries for up to 72 hours repeat it.
///
/// Source: openai-python, `resources/webhooks.py`.
#[must_use]
pub fn openai() -> Scheme {
    Scheme::builder("openai")
        .signature_header("webhook-signature")
        .syntax(Syntax::Versioned {
            versions: vec![Version { name: "v1".into(), algorithm: Algorithm::HmacSha256 }],
        })
        .encoding(Encoding::Base64)
        .key_format(KeyFormat::StandardWebhooks)
        .event_id_header("webhook-id")
        .timestamp_header("webhook-timestamp", TimestampFormat::Seconds)
        .signed([Part::Id, Part::literal("."), Part::Timestamp, Part::literal("."), Part::Body])
        .event_type_at("/type")
        .retry_horizon(Duration::from_secs(72 * 3600))
        .preset()
}
