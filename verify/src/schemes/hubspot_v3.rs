use crate::encoding::Encoding;
use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// HubSpot, version 3: `X-HubSpot-Signature-v3`, base64, with `X-HubSpot-Request-Timestamp` in milliseconds.
///
/// Signed: method, URL, body, timestamp, with nothing between. The verifier needs its public URL. HubSpot's documents ask to
/// decode some percent-escapes of the URL before signing; its libraries leave that to the caller, and so does this: use an
/// endpoint whose URL has none. Versions 1 and 2 are plain hashes and not supported.
///
/// Freshness: the timestamp is signed; 300 s on both sides (HubSpot's libraries let the future pass). Identity: the digest of
/// the body, which is a batch of events with ids of their own.
///
/// Source: hubspot-api-python, `utils/signature.py`.
#[must_use]
pub fn hubspot_v3() -> Scheme {
    Scheme::builder("hubspot-v3")
        .signature_header("x-hubspot-signature-v3")
        .encoding(Encoding::Base64)
        .timestamp_header("x-hubspot-request-timestamp", TimestampFormat::Millis)
        .signed([Part::Method, Part::Url, Part::Body, Part::Timestamp])
        .identity(DigestScope::Body)
        .preset()
}
