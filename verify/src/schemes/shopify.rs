use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::Scheme;

/// Shopify: `X-Shopify-Hmac-Sha256: <base64>`, and for its Events API `shopify-hmac-sha256`.
///
/// Signed: the body alone; not `X-Shopify-Topic`, `X-Shopify-Webhook-Id`, `X-Shopify-Triggered-At` or the shop's name.
/// The key is the app's client secret; during a rotation configure the old one too.
///
/// When any of the Events API's headers is present only those are read. Freshness: none, so remember replay keys.
/// Shopify has published retries over up to 48 hours.
///
/// Source: github.com/Shopify/shopify-api-js, the webhook validator.
#[must_use]
pub fn shopify() -> Scheme {
    Scheme::builder("shopify")
        .signature_header("x-shopify-hmac-sha256")
        .encoding(Encoding::Base64)
        .event_id_header("x-shopify-webhook-id")
        .event_type_header("x-shopify-topic")
        .preferred_family("shopify-", "x-shopify-")
        .retry_horizon(Duration::from_secs(48 * 3600))
        .preset()
}
