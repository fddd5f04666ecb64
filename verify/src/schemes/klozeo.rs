use crate::scheme::Scheme;
use crate::timestamp::TimestampFormat;

/// Klozeo, as its API reference says: `X-Klozeo-Signature: <hex>`, without a prefix.
///
/// Signed: the body alone, `{event, timestamp, data}`. There is no event id and no delivery id.
///
/// Freshness: event time, `/timestamp` in Unix seconds. How long Klozeo re-sends is not published, so the window is
/// that of the longest known provider, 72 h. It says that "the same event may be delivered more than once": remember
/// replay keys. The header is only there if a secret was set; without it everything is refused.
///
/// Source: docs.klozeo.com/api/webhooks. Klozeo's guide says otherwise: [`klozeo_guide`].
#[must_use]
pub fn klozeo() -> Scheme {
    Scheme::builder("klozeo")
        .signature_header("x-klozeo-signature")
        .event_time_at("/timestamp", TimestampFormat::Seconds)
        .event_type_at("/event")
        .preset()
}

/// Klozeo, as its guide says: `X-Webhook-Signature: sha256=<hex>`, or the same in `X-Hub-Signature-256`.
///
/// Signed: the body alone, which here has an `event_id`. If both headers are present, either may verify: both are over
/// the same bytes.
///
/// Freshness: the guide names no timestamp, so `/timestamp` is checked where it is sent and not asked for where it is
/// not. Identity: `/event_id`. Remember replay keys.
///
/// Source: Klozeo's guide "Webhooks and Real-Time Lead Notifications". The API reference says otherwise: [`klozeo`].
#[must_use]
pub fn klozeo_guide() -> Scheme {
    Scheme::builder("klozeo-guide")
        .signature_header("x-webhook-signature")
        .alternative_signature_header("x-hub-signature-256")
        .prefix("sha256=")
        .optional_event_time_at("/timestamp", TimestampFormat::Seconds)
        .event_id_at("/event_id")
        .event_type_at("/event")
        .preset()
}
