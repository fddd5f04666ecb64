use crate::scheme::Scheme;

/// GitHub: `X-Hub-Signature-256: sha256=<hex>`.
///
/// Signed: the body alone. **Not signed**: `X-GitHub-Delivery` and `X-GitHub-Event`; a replayer can change both, so
/// the delivery id is information and never identity.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. GitHub does not
/// retry by itself; a person may redeliver for three days.
///
/// Source: docs.github.com, "Validating webhook deliveries".
#[must_use]
pub fn github() -> Scheme {
    Scheme::builder("github")
        .signature_header("x-hub-signature-256")
        .prefix("sha256=")
        .event_id_header("x-github-delivery")
        .event_type_header("x-github-event")
        .preset()
}
