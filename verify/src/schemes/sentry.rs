use crate::scheme::Scheme;

/// Sentry: `Sentry-Hook-Signature`, bare hex.
///
/// Signed: the body alone; the documentation's sample signs a re-serialised one. **Not signed**: `Request-ID`,
/// `Sentry-Hook-Resource`, and `Sentry-Hook-Timestamp`, which this preset therefore does not look at.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key.
///
/// Source: docs.sentry.io, "Webhooks" of the integration platform.
#[must_use]
pub fn sentry() -> Scheme {
    Scheme::builder("sentry")
        .signature_header("sentry-hook-signature")
        .event_id_header("request-id")
        .event_type_header("sentry-hook-resource")
        .preset()
}
