use crate::scheme::{Algorithm, Scheme, Syntax, Version};

/// PagerDuty, version 3: `X-PagerDuty-Signature: v1=<hex>[,v1=<hex>]`, one for each active secret.
///
/// Signed: the body alone.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/event/id` in
/// the signed body.
///
/// Source: developer.pagerduty.com, "Verifying signatures".
#[must_use]
pub fn pagerduty() -> Scheme {
    Scheme::builder("pagerduty")
        .signature_header("x-pagerduty-signature")
        .syntax(Syntax::KeyValue {
            versions: vec![Version { name: "v1".into(), algorithm: Algorithm::HmacSha256 }],
            timestamp: None,
            separator: ',',
        })
        .event_id_at("/event/id")
        .event_type_at("/event/event_type")
        .preset()
}
