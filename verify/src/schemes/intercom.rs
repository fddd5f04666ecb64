use crate::scheme::Scheme;

/// Intercom: `X-Hub-Signature: sha1=<hex>`, HMAC-SHA1.
///
/// Signed: the body alone. The key is the client secret. The header's name is also Bitbucket's, with another hash.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. Identity: `/id` in the
/// signed body.
///
/// Source: developers.intercom.com, "Signed notifications".
#[must_use]
pub fn intercom() -> Scheme {
    Scheme::builder("intercom")
        .signature_header("x-hub-signature")
        .prefix_sha1("sha1=")
        .event_id_at("/id")
        .event_type_at("/topic")
        .preset()
}
