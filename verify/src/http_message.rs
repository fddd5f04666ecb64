//! HTTP message signatures (RFC 9421) and the digest of the body (RFC 9530).
//!
//! A request may carry several signatures, each under a label. Each is judged by itself; the receiver decides what must
//! be covered and which algorithms count, never the request.

use http::HeaderMap;
use http::header::HeaderName;
use sfv::{Dictionary, InnerList, ListEntry, Parser, Version};

use crate::algorithm::Algorithm;
use crate::encoding::{Encoding, SignatureBytes, is_base64};
use crate::key_ring::KeyRing;
use crate::mac::{sha256, sha512};
use crate::message_components::{Component, Covered, components, print_list, signature_base};
use crate::refusal::Refusal;
use crate::scheme::{Freshness, Scheme, Syntax};
use crate::signature_list::{Candidates, MAX_SIGNATURES, Presented, header_text};
use crate::timestamp::UnixTime;

pub(crate) static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
static SIGNATURE: HeaderName = HeaderName::from_static("signature");
pub(crate) static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// The label of a signature that we make.
const LABEL: &str = "sig1";

/// Every algorithm that a key may have, unless the configuration names one.
pub(crate) const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::HmacSha256, Algorithm::Ed25519, Algorithm::EcdsaP256Fixed, Algorithm::RsaPssSha512];

/// The name of an algorithm in the parameter `alg` (RFC 9421, section 6.2.2).
pub(crate) fn registered_name(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::HmacSha256 => Some("hmac-sha256"),
        Algorithm::Ed25519 => Some("ed25519"),
        Algorithm::EcdsaP256Fixed => Some("ecdsa-p256-sha256"),
        Algorithm::RsaPssSha512 => Some("rsa-pss-sha512"),
        Algorithm::RsaPkcs1Sha256 => Some("rsa-v1_5-sha256"),
        Algorithm::HmacSha1 | Algorithm::EcdsaP256Der | Algorithm::SharedToken => None,
    }
}

/// One signature and what it covers.
struct Label<'d> {
    covered: &'d InnerList,
    signature: &'d [u8],
}

/// A label that lacks nothing but a key that made it.
struct Sound {
    algorithms: Vec<Algorithm>,
    base: Vec<u8>,
    created: UnixTime,
}

/// Why a label is not sound, and how far it came: of several, the one that came furthest says why the request is refused.
struct Unsound {
    stage: u8,
    refusal: Refusal,
}

/// Everything that can be refused without the body. The labels that are left are messages with a candidate each.
pub(crate) fn read(
    scheme: &Scheme,
    ring: &KeyRing,
    (request, now): (&Covered<'_>, UnixTime),
    candidates: &mut Candidates,
    presented: &mut Presented<'_>,
) -> Result<(), Refusal> {
    let (inputs, signatures) = match (
        header_text(request.headers.get(&SIGNATURE_INPUT)),
        header_text(request.headers.get(&SIGNATURE)),
    ) {
        (Ok(None), _) | (_, Ok(None)) => return Err(Refusal::MissingHeader),
        (Ok(Some(inputs)), Ok(Some(signatures))) => (dictionary(inputs)?, dictionary(signatures)?),
        _ => return Err(Refusal::MalformedHeader),
    };
    if inputs.len() > MAX_SIGNATURES || signatures.len() > MAX_SIGNATURES {
        return Err(Refusal::TooManySignatures);
    }
    let labels = inputs.iter().filter_map(|(name, member)| match (member, signatures.get(name)) {
        (ListEntry::InnerList(covered), Some(ListEntry::Item(item))) => {
            Some(Label { covered, signature: item.bare_item.as_byte_sequence()? })
        }
        _ => None,
    });
    let mut furthest: Option<Unsound> = None;
    let presented = presented.more.get_or_insert_default();
    for label in labels {
        match label.judge(scheme, ring, request, now) {
            Ok(sound) => {
                let message = presented.messages.len();
                let signature = SignatureBytes::Long(label.signature.to_vec());
                candidates.push_for_message(message, &sound.algorithms, signature);
                presented.messages.push(sound.base);
                presented.created.push(sound.created);
            }
            Err(unsound) if furthest.as_ref().is_none_or(|best| best.stage < unsound.stage) => {
                furthest = Some(unsound);
            }
            Err(_) => {}
        }
    }
    match (presented.messages.is_empty(), furthest) {
        (false, _) => Ok(()),
        (true, Some(unsound)) => Err(unsound.refusal),
        (true, None) => Err(Refusal::MalformedHeader),
    }
}

/// A dictionary of RFC 8941, whose byte sequences have one text each.
fn dictionary(text: &[u8]) -> Result<Dictionary, Refusal> {
    let text = str::from_utf8(text).map_err(|_| Refusal::MalformedHeader)?;
    let parser = Parser::new(text).with_version(Version::Rfc8941);
    let dictionary: Dictionary = parser.parse().map_err(|_| Refusal::MalformedHeader)?;
    if byte_sequences(text).all(is_base64) { Ok(dictionary) } else { Err(Refusal::MalformedHeader) }
}

/// The texts of the byte sequences in a structured field that was parsed already. The parser is lenient with padding
/// and spare bits, as RFC 8941 asks of it; we are not.
fn byte_sequences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut in_string = false;
    std::iter::from_fn(move || {
        let mut before = b' ';
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                // Only in strings is there one.
                b'\\' => drop(bytes.next()),
                b'"' => in_string = !in_string,
                // Outside of strings a colon is part of a token unless it begins a value.
                b':' if !in_string && matches!(before, b'=' | b'(' | b' ') => {
                    let (_, after) = rest.split_at_checked(at + 1)?;
                    let (sequence, after) = after.split_once(':')?;
                    rest = after;
                    return Some(sequence);
                }
                _ => {}
            }
            before = byte;
        }
        None
    })
}

impl Label<'_> {
    /// The stages of a label but the last, in their order.
    fn judge(
        &self,
        scheme: &Scheme,
        ring: &KeyRing,
        request: &Covered<'_>,
        now: UnixTime,
    ) -> Result<Sound, Unsound> {
        let at = |stage| move |refusal| Unsound { stage, refusal };
        let (components, algorithms) = self.form(scheme, ring).ok_or(at(1)(Refusal::MalformedHeader))?;
        let Syntax::HttpMessage { required, .. } = &scheme.syntax else {
            return Err(at(1)(Refusal::MalformedHeader));
        };
        if !required.iter().all(|wanted| components.contains(wanted)) {
            return Err(at(2)(Refusal::UncoveredComponent));
        }
        let base = signature_base(&components, self.covered, request).map_err(at(3))?;
        let created = self.time(scheme, now).map_err(at(4))?;
        Ok(Sound { algorithms, base, created })
    }

    /// The components, and the algorithms that the signature may have been made with.
    fn form(&self, scheme: &Scheme, ring: &KeyRing) -> Option<(Vec<Component>, Vec<Algorithm>)> {
        let components = components(self.covered)?;
        for (name, value) in &self.covered.params {
            let fits = match name.as_str() {
                "created" | "expires" => value.as_integer().is_some(),
                "alg" | "keyid" | "nonce" | "tag" => value.as_string().is_some(),
                _ => true,
            };
            if !fits {
                return None;
            }
        }
        let length = self.signature.len();
        let mut algorithms = scheme.algorithms();
        algorithms.retain(|algorithm| {
            algorithm.signature_len().contains(&length) && ring.keys().iter().any(|key| key.makes(*algorithm))
        });
        if algorithms.is_empty() {
            return None;
        }
        if let Some(wanted) = self.covered.params.get("alg").and_then(|value| value.as_string()) {
            algorithms.retain(|algorithm| registered_name(*algorithm) == Some(wanted.as_str()));
        }
        Some((components, algorithms))
    }

    fn time(&self, scheme: &Scheme, now: UnixTime) -> Result<UnixTime, Refusal> {
        let integer = |name: &str| self.covered.params.get(name)?.as_integer().map(i64::from);
        let Freshness::SignedTimestamp { format, window, .. } = &scheme.freshness else {
            return Err(Refusal::MissingTimestamp);
        };
        let created = integer("created").ok_or(Refusal::MissingTimestamp)?;
        let created = format.parse(created.to_string().as_bytes()).ok_or(Refusal::MalformedTimestamp)?;
        window.check(created, now, *format)?;
        match integer("expires").map(|expires| u64::try_from(expires).unwrap_or(0)) {
            Some(expires) if expires < now.as_secs() => Err(Refusal::TimestampTooOld),
            _ => Ok(created),
        }
    }
}

/// Checks the digests that `Content-Digest` states, if it is there: each that counts must be the body's (RFC 9530,
/// section 2; of its algorithms only two are fit to be relied on).
pub(crate) fn check_digest(headers: &[u8], body: &[u8]) -> Result<(), Refusal> {
    if !headers.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return Err(Refusal::MalformedHeader);
    }
    let mut counted = false;
    let mut differs = false;
    for (name, member) in &dictionary(headers)? {
        let ListEntry::Item(item) = member else { return Err(Refusal::MalformedHeader) };
        let stated = item.bare_item.as_byte_sequence().ok_or(Refusal::MalformedHeader)?;
        differs |= match name.as_str() {
            "sha-256" => stated != sha256(body),
            "sha-512" => stated != sha512(body),
            _ => continue,
        };
        counted = true;
    }
    if counted && !differs { Ok(()) } else { Err(Refusal::DigestMismatch) }
}

/// The other side: the value of `Content-Digest` for a body.
pub(crate) fn print_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", Encoding::Base64.encode(&sha256(body)))
}

/// What a signer covers, as the value of `Signature-Input`, and the text to sign. `None` if the request lacks it.
pub(crate) fn to_sign(
    required: &[Component],
    request: &Covered<'_>,
    created: UnixTime,
    key_id: &str,
) -> Option<(String, Vec<u8>)> {
    let mut list = InnerList::new(required.iter().map(Component::to_item).collect());
    let created = sfv::Integer::try_from(created.as_secs()).ok()?;
    list.params.insert(sfv::key_ref("created").to_owned(), created.into());
    let key_id = sfv::String::from_string(key_id.to_owned()).ok()?;
    list.params.insert(sfv::key_ref("keyid").to_owned(), key_id.into());
    let base = signature_base(required, &list, request).ok()?;
    Some((format!("{LABEL}={}", print_list(&list)), base))
}

/// The value of `Signature` for a signer.
pub(crate) fn print_signature(signature: &[u8]) -> String {
    format!("{LABEL}=:{}:", Encoding::Base64.encode(signature))
}

/// The value of `Content-Digest`, for [`check_digest`].
pub(crate) fn stated_digest(headers: &HeaderMap) -> Option<Vec<u8>> {
    headers.get(&CONTENT_DIGEST).map(|value| value.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a byte sequence begins is the parser's affair; that we find the same ones is shown here.
    #[test]
    fn byte_sequences_are_found_outside_of_strings_only() {
        for (field, wanted) in [
            ("sig1=:AQID:", &["AQID"][..]),
            ("sig1=:AQID:, sig2=:BAUG:;x", &["AQID", "BAUG"]),
            ("a=(:AQID: :BAUG:)", &["AQID", "BAUG"]),
            (r#"a="=:no:", b=:AQID:"#, &["AQID"]),
            (r#"a="\"=:no:", b=:AQID:"#, &["AQID"]),
            (r#"a="\\", b=:AQID:"#, &["AQID"]),
            (r#"a="(:no:", b=("x:y" :AQID:);nonce="=:no:""#, &["AQID"]),
            ("a=to:ken:x, b=:AQID:", &["AQID"]),
            ("a", &[]),
        ] {
            assert!(Parser::new(field).parse::<Dictionary>().is_ok(), "{field}");
            assert_eq!(byte_sequences(field).collect::<Vec<_>>(), wanted, "{field}");
        }
    }

    /// RFC 8941 lets a parser take what is not padded, or whose spare bits are set; then one signature had two texts.
    #[test]
    fn a_byte_sequence_has_one_text() {
        for (field, wanted) in [
            ("sig1=:AQI=:", Ok(1)),
            (r#"a="=:AQI:", sig1=:AQI=:"#, Ok(2)),
            ("sig1=:AQI:", Err(Refusal::MalformedHeader)),
            ("sig1=:AQJ=:", Err(Refusal::MalformedHeader)),
            (r#"a="\"", sig1=:AQI:"#, Err(Refusal::MalformedHeader)),
        ] {
            assert_eq!(dictionary(field.as_bytes()).map(|members| members.len()), wanted, "{field}");
        }
    }
}
