use crate::encoding::Encoding;
use crate::scheme::Scheme;

/// LINE: `x-line-signature`, base64.
///
/// Signed: the body alone, a batch of events with ids of their own.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key.
///
/// Source: line-bot-sdk-nodejs, `validate-signature.ts`.
#[must_use]
pub fn line() -> Scheme {
    Scheme::builder("line").signature_header("x-line-signature").encoding(Encoding::Base64).preset()
}
