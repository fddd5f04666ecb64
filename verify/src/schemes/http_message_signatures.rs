use crate::scheme::Scheme;

/// HTTP message signatures: RFC 9421, with the digest of the body of RFC 9530.
///
/// Signed: what the sender covered, which must be at least the method, the target URI and `content-digest`; the digest
/// is checked. For other senders start from this preset and say with
/// [`http_message`](crate::SchemeBuilder::http_message) what they must cover. What is not covered is not signed.
///
/// A secret is standard base64 (HMAC-SHA256); a public key is PEM (Ed25519, ECDSA on P-256, RSA-PSS with SHA-512, or RSA
/// PKCS#1 v1.5 if configured). The key decides the algorithm, never the request: `alg` may only agree with it, and
/// `keyid` is not believed. Of several labels one good one suffices. Not supported, and refused: the component
/// parameters `sf`, `key`, `bs`, `tr` and `req`.
///
/// Freshness: the parameter `created`, which must be there; 300 s on both sides. `expires` is honoured, and cannot
/// lengthen that. `nonce` is not remembered. Identity: the digest of the body, as retries are signed anew. How long a
/// sender re-sends is his affair.
///
/// Source: RFC 9421, sections 2, 3 and 7; RFC 9530, section 2.
#[must_use]
pub fn http_message_signatures() -> Scheme {
    Scheme::builder("http-message-signatures")
        .http_message(["@method", "@target-uri", "content-digest"], None)
        .preset()
}
