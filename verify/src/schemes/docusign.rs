use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::Scheme;

/// The most keys that an account can have active.
const HEADERS: u8 = 100;

/// DocuSign Connect: `X-DocuSign-Signature-1: <base64>`, `-2`, ..., one header for each active key.
///
/// Signed: the body alone. Any key may stand in any of the headers; of more than eight present, none is looked at. The
/// key looks like base64 and is not decoded; DocuSign's copy button drops its last `=`.
///
/// Freshness: none, so remember replay keys. DocuSign re-sends for up to 15 days.
///
/// Source: docusign.com, "Manually authenticating HMAC signatures"; github.com/docusign/connect-node-listener-aws.
#[must_use]
pub fn docusign() -> Scheme {
    let first = Scheme::builder("docusign").signature_header("x-docusign-signature-1");
    let others = (2..=HEADERS).map(|number| format!("x-docusign-signature-{number}"));
    others
        .fold(first, |builder, header| builder.alternative_signature_header(&header))
        .encoding(Encoding::Base64)
        .event_type_at("/event")
        .retry_horizon(Duration::from_secs(15 * 24 * 3600))
        .preset()
}
