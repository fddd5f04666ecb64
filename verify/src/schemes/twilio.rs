use crate::encoding::Encoding;
use crate::part::FormOrder;
use crate::scheme::{Algorithm, Part, Scheme};

/// Twilio: `X-Twilio-Signature: <base64>`, HMAC-SHA1.
///
/// Signed: the public URL, and of a form the names and values: sorted, each distinct value once, without separators.
/// So `ab=c` and `a=bc` have one signature, and a parameter can be repeated without breaking it: take no decision on how
/// the pairs are cut. Of a body that is no form the URL holds the SHA-256, as `bodySHA256`. The URL counts with and
/// without its port. The key is the account's auth token.
///
/// Freshness: none, so remember replay keys. `I-Twilio-Idempotency-Token` is not signed. Twilio retries only as the
/// number's settings say.
///
/// Source: github.com/twilio/twilio-node, `src/webhooks/webhooks.ts`; its tests for ports, apostrophes and repeats.
#[must_use]
pub fn twilio() -> Scheme {
    Scheme::builder("twilio")
        .signature_header("x-twilio-signature")
        .algorithm(Algorithm::HmacSha1)
        .encoding(Encoding::Base64)
        .signed([Part::UrlVariants, Part::Form(FormOrder::Distinct)])
        .event_id_header("i-twilio-idempotency-token")
        .preset()
}
