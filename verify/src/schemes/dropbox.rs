use crate::scheme::Scheme;

/// Dropbox: `X-Dropbox-Signature`, bare hex.
///
/// Signed: the body alone, which lists accounts that changed and nothing of what changed; equal bodies are usual.
///
/// Freshness: none, and **no identity**: the digest of the body takes the second change of an account for a replay of the
/// first. Use the library, ask Dropbox what changed on each delivery, and let no memory of replay keys stand before that.
/// The reference consumer refuses to have it as a source.
///
/// Source: dropbox/mdwebhook.
#[must_use]
pub fn dropbox() -> Scheme {
    Scheme::builder("dropbox").signature_header("x-dropbox-signature").preset()
}
