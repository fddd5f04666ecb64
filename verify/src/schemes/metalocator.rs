use crate::encoding::Encoding;
use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// MetaLocator, as its sample code computes: 88 characters, base64 of the **hexadecimal** HMAC.
///
/// Headers: `X-METALOCATOR-WEBHOOK-SIGNATURE` and `X-METALOCATOR-WEBHOOK-SIGNATURE-TIMESTAMP`. Signed: the timestamp's
/// text and the body, with nothing between. The key is the "Shared Token" (in older editions of the page: the API key
/// of the webhook's user).
///
/// The page's prose, read literally, means the 44 characters of [`metalocator_raw`]; a look at the length of one
/// delivery's header tells which you receive.
///
/// Freshness: the timestamp is signed. Its unit is not published; this takes Unix seconds, which
/// `.to_builder().timestamp_format(..)` changes. No tolerance is published either; 300 s is our choice. Identity: the
/// digest of the body, since "a manual retry re-sends the original payload".
///
/// Source: support.metalocator.com, article 9768619, "Webhook Security".
#[must_use]
pub fn metalocator() -> Scheme {
    form("metalocator", Encoding::Base64OfHex)
}

/// MetaLocator, as its prose says: 44 characters, base64 of the HMAC's bytes. Otherwise like [`metalocator`].
#[must_use]
pub fn metalocator_raw() -> Scheme {
    form("metalocator-raw", Encoding::Base64)
}

fn form(name: &'static str, encoding: Encoding) -> Scheme {
    Scheme::builder(name)
        .signature_header("x-metalocator-webhook-signature")
        .encoding(encoding)
        .timestamp_header("x-metalocator-webhook-signature-timestamp", TimestampFormat::Seconds)
        .signed([Part::Timestamp, Part::Body])
        .identity(DigestScope::Body)
        .preset()
}
