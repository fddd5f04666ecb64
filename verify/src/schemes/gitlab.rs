use crate::scheme::Scheme;
use crate::schemes::standard_webhooks::v1_only;

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
    v1_only("gitlab").event_type_header("x-gitlab-event").preset()
}
