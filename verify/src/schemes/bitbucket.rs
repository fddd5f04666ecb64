use crate::scheme::Scheme;

/// Bitbucket and Jira: `X-Hub-Signature: sha256=<hex>`.
///
/// Signed: the body alone. **Not signed**: `X-Request-UUID` and `X-Event-Key`. The header's name is that of other
/// providers' SHA-1: the preset decides, never the name.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. The retry horizon is
/// not published.
///
/// Source: support.atlassian.com, "Manage webhooks".
#[must_use]
pub fn bitbucket() -> Scheme {
    Scheme::builder("bitbucket")
        .signature_header("x-hub-signature")
        .prefix("sha256=")
        .event_id_header("x-request-uuid")
        .event_type_header("x-event-key")
        .preset()
}
