use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{Algorithm, KeyFormat, Part, Scheme, Syntax, Version};
use crate::scheme_builder::SchemeBuilder;
use crate::timestamp::TimestampFormat;

/// Standard Webhooks 1.0.0: `webhook-signature: v1,<base64>`, a space-separated list.
///
/// Signed: `{webhook-id}.{webhook-timestamp}.{body}`. The id may have no `.`, or the three could be cut elsewhere.
/// Key: `whsec_` and base64 for `v1` (HMAC-SHA256); `whpk_` and base64 for `v1a` (ed25519, feature `asymmetric`).
/// The event type, `/type`, is in the signed body.
///
/// Freshness: the timestamp is signed and made anew for each attempt; 300 s on both sides, as in all official
/// libraries. Identity: `webhook-id`, which is signed and stays the same for all attempts.
///
/// Source: the specification, `spec/standard-webhooks.md` of github.com/standard-webhooks/standard-webhooks.
#[must_use]
pub fn standard_webhooks() -> Scheme {
    let version = |name: &'static str, algorithm| Version { name: name.into(), algorithm };
    Scheme::builder("standard-webhooks")
        .signature_header("webhook-signature")
        .syntax(Syntax::Versioned {
            versions: vec![version("v1", Algorithm::HmacSha256), version("v1a", Algorithm::Ed25519)],
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

/// What providers send that follow the specification with `v1` alone.
pub(super) fn v1_only(name: &'static str) -> SchemeBuilder {
    let v1 = Version { name: "v1".into(), algorithm: Algorithm::HmacSha256 };
    let full = standard_webhooks().to_builder().name(name);
    full.syntax(Syntax::Versioned { versions: vec![v1] })
}
