use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{Algorithm, KeyFormat, Part, Scheme, Syntax, Version};
use crate::timestamp::TimestampFormat;

/// GitLab with a signing token: Standard Webhooks, `v1` only.
///
/// Signed: `{webhook-id}.{webhook-timestamp}.{body}`. Key: `whsec_` and base64 of 32 bytes. **Not signed**:
/// `X-Gitlab-Event`. A hook may also send `X-Gitlab-Token`, which this preset does not look at.
///
/// Freshness: the timestamp is signed, 300 s. Identity: `webhook-id`, signed.
///
/// Source: merge requests 230944 and 231325 of gitlab-org/gitlab.
#[must_use]
pub fn gitlab() -> Scheme {
    Scheme::builder("gitlab")
        .signature_header("webhook-signature")
        .syntax(Syntax::Versioned {
            versions: vec![Version { name: "v1".into(), algorithm: Algorithm::HmacSha256 }],
        })
        .encoding(Encoding::Base64)
        .key_format(KeyFormat::StandardWebhooks)
        .event_id_header("webhook-id")
        .timestamp_header("webhook-timestamp", TimestampFormat::Seconds)
        .signed([Part::Id, Part::literal("."), Part::Timestamp, Part::literal("."), Part::Body])
        .event_type_header("x-gitlab-event")
        .retry_horizon(Duration::from_secs(72 * 3600))
        .preset()
}
