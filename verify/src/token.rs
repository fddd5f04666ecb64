//! A JSON Web Token (RFC 7519) as a signature: ES256 over its first two parts, and the body's digest in its claims.

use crate::encoding::{SignatureBytes, base64_url, to_hex};
use crate::mac::sha256;
use crate::pointer::{Pointer, Scalar};
use crate::refusal::Refusal;
use crate::scheme::{Algorithm, Freshness, Scheme, Syntax, TimestampAt};
use crate::timestamp::UnixTime;

/// A token in its three parts. Nothing of it is believed before its signature holds, but the name of the key.
pub(crate) struct Token<'a> {
    /// The first two parts: what is signed.
    pub(crate) content: &'a str,
    pub(crate) claims: Vec<u8>,
    pub(crate) signature: SignatureBytes,
    pub(crate) key_name: Option<String>,
}

impl<'a> Token<'a> {
    /// Reads the compact form (RFC 7515, section 7.1).
    ///
    /// The algorithm is the configuration's. A token that names another one is refused, `none` too.
    pub(crate) fn read(text: &'a str) -> Result<Self, Refusal> {
        let parts = || {
            let (content, signature) = text.rsplit_once('.')?;
            let (header, claims) = content.split_once('.')?;
            let (header, claims, signature) =
                (base64_url(header)?, base64_url(claims)?, base64_url(signature)?);
            let lengths = Algorithm::EcdsaP256Fixed.signature_len();
            let signature = lengths.contains(&signature.len()).then_some(SignatureBytes::Long(signature))?;
            let find = |name: &str| Pointer::new(name)?.find(&header).ok();
            let is_es256 = matches!(find("/alg")?, Some(Scalar::Text(algorithm)) if algorithm == "ES256");
            let key_name = find("/kid")?.and_then(Scalar::into_id).map(String::from);
            is_es256.then_some(Self { content, claims, signature, key_name })
        };
        parts().ok_or(Refusal::MalformedHeader)
    }
}

/// What the claims of a token whose signature holds say: when it was issued, and that it is of this body.
pub(crate) fn check_claims(
    scheme: &Scheme,
    claims: &[u8],
    body: &[u8],
    now: UnixTime,
) -> Result<Option<UnixTime>, Refusal> {
    let find = |pointer: &Pointer| pointer.find(claims).map_err(|_| Refusal::MalformedHeader);
    let mut issued = None;
    if let Freshness::SignedTimestamp { at: TimestampAt::Claim(pointer), format, window } = &scheme.freshness
    {
        let time = match find(pointer)?.ok_or(Refusal::MissingTimestamp)? {
            Scalar::Number(digits) => format.parse(digits.as_bytes()),
            _ => None,
        };
        let time = time.ok_or(Refusal::MalformedTimestamp)?;
        window.check(time, now, *format)?;
        issued = Some(time);
    }
    if let Syntax::JsonWebToken { body_sha256 } = &scheme.syntax {
        match find(body_sha256)? {
            Some(Scalar::Text(wanted)) if wanted == to_hex(&sha256(body)) => {}
            _ => return Err(Refusal::DigestMismatch),
        }
    }
    Ok(issued)
}
