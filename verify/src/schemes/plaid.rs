use std::time::Duration;

use crate::pointer::Pointer;
use crate::scheme::{DigestScope, KeyFormat, Part, Scheme, Syntax};
use crate::timestamp::TimestampFormat;

/// Plaid: `Plaid-Verification: <JSON Web Token>`, ES256.
///
/// Signed: the token, whose claims hold the time of issue and the SHA-256 of the body. The body counts as it was sent,
/// with its indentation. The key is the JSON Web Key that Plaid's API gives for the token's `kid`; configure it, it is
/// not fetched. A token that names another algorithm is refused. Needs the feature `asymmetric`.
///
/// Freshness: the claim `iat`; 300 s on both sides, as Plaid advises. Plaid re-sends for up to 24 hours.
///
/// Source: plaid.com/docs, "Webhook verification".
#[must_use]
pub fn plaid() -> Scheme {
    let body_sha256 = Pointer::new("/request_body_sha256").expect("a pointer");
    Scheme::builder("plaid")
        .signature_header("plaid-verification")
        .syntax(Syntax::JsonWebToken { body_sha256 })
        .key_format(KeyFormat::JsonWebKey)
        .timestamp_claim("/iat", TimestampFormat::Seconds)
        .signed([Part::TokenContent])
        .event_type_at("/webhook_code")
        .identity(DigestScope::Body)
        .retry_horizon(Duration::from_secs(24 * 3600))
        .preset()
}
