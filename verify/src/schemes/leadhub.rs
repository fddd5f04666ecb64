use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// LeadHub, as its documentation says: `X-LeadHub-Signature: sha256=<hex>`.
///
/// Signed: the body alone. There is no event id.
///
/// Freshness: event time, `/occurred_at` in RFC 3339 with a resolution of one second, so two events of a lead can
/// carry the same time. Up to three retries, at intervals that are not published; the window is 72 h. Remember replay
/// keys. LeadHub calls the secret optional: without it nothing is signed, and everything is refused here.
///
/// Source: docs.themesic.com, "LeadHub SaaS: Outbound". Another form is in the field: [`leadhub_timestamped`].
#[must_use]
pub fn leadhub() -> Scheme {
    Scheme::builder("leadhub")
        .signature_header("x-leadhub-signature")
        .prefix("sha256=")
        .event_time_at("/occurred_at", TimestampFormat::Rfc3339)
        .event_type_at("/event")
        .preset()
}

/// LeadHub, as a sender that calls itself `LeadHub-Webhooks/1.0` does: `X-LeadHub-Signature: t=<seconds>,v1=<hex>`.
///
/// Signed: `{t}.{body}`. **Not signed**: `X-LeadHub-Delivery`, `X-LeadHub-Event` and `X-LeadHub-Timestamp`.
///
/// Freshness: `t` is signed, 300 s. Identity: the digest of the body alone, whose envelope has a time of its own;
/// `t` is made anew for each of five tries, and a retry is the same event.
///
/// The same header name occurs with three syntaxes in the field. Configure the one that you receive.
#[must_use]
pub fn leadhub_timestamped() -> Scheme {
    Scheme::builder("leadhub-timestamped")
        .signature_header("x-leadhub-signature")
        .key_value("t", "v1")
        .signed([Part::Timestamp, Part::literal("."), Part::Body])
        .event_id_header("x-leadhub-delivery")
        .event_type_at("/event")
        .identity(DigestScope::Body)
        .preset()
}
