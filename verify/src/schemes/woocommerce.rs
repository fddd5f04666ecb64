use crate::encoding::Encoding;
use crate::scheme::Scheme;

/// WooCommerce: `X-WC-Webhook-Signature`, base64.
///
/// Signed: the body alone. The key is the secret after HTML entities in it are decoded. **Not signed**:
/// `X-WC-Webhook-Delivery-ID` (which two deliveries of the same second share) and `X-WC-Webhook-Topic`. On creation it posts
/// an unsigned form, which is refused here; save the webhook once more if that disables it.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. It does not retry.
///
/// Source: woocommerce, `class-wc-webhook.php`.
#[must_use]
pub fn woocommerce() -> Scheme {
    Scheme::builder("woocommerce")
        .signature_header("x-wc-webhook-signature")
        .encoding(Encoding::Base64)
        .event_id_header("x-wc-webhook-delivery-id")
        .event_type_header("x-wc-webhook-topic")
        .preset()
}
