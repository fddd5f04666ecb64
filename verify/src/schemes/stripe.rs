use std::time::Duration;

use crate::scheme::{DigestScope, Part, Scheme};

/// Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>`, with several `v1` during a rotation.
///
/// Signed: `{t}.{body}`. The key is the whole text **including** `whsec_`; decoding it as Standard Webhooks does gives
/// a wrong key that looks plausible. `v0`, of test mode, does not count.
///
/// Freshness: `t` is signed; 300 s. Unlike some official libraries this refuses the future too. Identity: `/id` in the
/// signed body, the same for all attempts; Stripe re-sends for three days.
///
/// Source: docs.stripe.com/webhooks and stripe-python's `_webhook.py`.
#[must_use]
pub fn stripe() -> Scheme {
    Scheme::builder("stripe")
        .signature_header("stripe-signature")
        .key_value("t", "v1")
        .signed([Part::Timestamp, Part::literal("."), Part::Body])
        .event_id_at("/id")
        .event_type_at("/type")
        .identity(DigestScope::Body)
        .retry_horizon(Duration::from_secs(72 * 3600))
        .preset()
}
