use crate::encoding::Encoding;
use crate::part::FormOrder;
use crate::scheme::{Algorithm, Part, Scheme};

/// Mandrill (Mailchimp Transactional): `X-Mandrill-Signature: <base64>`, HMAC-SHA1.
///
/// Signed: the URL exactly as configured there, and the names and values of the form, sorted by name, without
/// separators. The events are JSON in the parameter `mandrill_events`. The key is the webhook's; the check of a new URL
/// is signed with the public key `test-webhook`, so let it fail, or answer it without believing it.
///
/// Freshness: none, so remember replay keys. Mandrill's retry schedule is not published.
///
/// Source: mailchimp.com/developer/transactional, "Track and respond to activity with webhooks".
#[must_use]
pub fn mandrill() -> Scheme {
    Scheme::builder("mandrill")
        .signature_header("x-mandrill-signature")
        .algorithm(Algorithm::HmacSha1)
        .encoding(Encoding::Base64)
        .signed([Part::Url, Part::Form(FormOrder::Arrival)])
        .preset()
}
