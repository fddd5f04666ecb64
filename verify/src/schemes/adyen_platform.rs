use crate::encoding::Encoding;
use crate::scheme::{KeyFormat, Scheme};

/// Adyen, platform and management webhooks: `HmacSignature`, base64.
///
/// Signed: the body alone. The key is **hexadecimal**.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key.
///
/// Source: adyen-node-api-library, `hmacValidator.ts`.
#[must_use]
pub fn adyen_platform() -> Scheme {
    Scheme::builder("adyen-platform")
        .signature_header("hmacsignature")
        .encoding(Encoding::Base64)
        .key_format(KeyFormat::Hex)
        .event_type_at("/type")
        .preset()
}
