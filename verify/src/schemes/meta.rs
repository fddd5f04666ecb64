use std::time::Duration;

use crate::scheme::Scheme;

/// Meta (WhatsApp, Messenger, Lead Ads): `X-Hub-Signature-256: sha256=<hex>`.
///
/// Signed: the body alone, in Meta's own escaping; a body that is parsed and printed again will not verify. The key is
/// the app secret.
///
/// Freshness: none, so remember replay keys. One delivery may hold many changes. Meta re-sends for up to 36 hours; the
/// registration challenge (`GET` with `hub.challenge`) is not signed.
///
/// Source: developers.facebook.com, "Webhooks: Getting Started".
#[must_use]
pub fn meta() -> Scheme {
    Scheme::builder("meta")
        .signature_header("x-hub-signature-256")
        .prefix("sha256=")
        .event_type_at("/object")
        .retry_horizon(Duration::from_secs(36 * 3600))
        .preset()
}
