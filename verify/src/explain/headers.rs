//! Where else a signature may stand, and how else it may be written.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::explanation::{Cause, CauseKind};
use super::time;
use super::trial::{Trial, Variation};
use crate::encoding::Encoding;
use crate::key_ring::mac_hash;
use crate::mac::Hash;
use crate::scheme::{Algorithm, Freshness, Location, Scheme, Syntax, TimestampAt, Version};

/// The most things that look like a signature of which each is tried.
const MAX_FOUND: usize = 32;

/// Fewer characters than the base64 of the shortest signature are none; more than these are no list of signatures.
const MIN_SIGNATURE_TEXT: usize = 27;
const MAX_SIGNATURE_TEXT: usize = 4096;

/// The header in which a trial presents a signature that was found elsewhere.
const OWN: &str = "x-hookproof-explain-signature";

/// Something in a header that has the length of a signature.
struct Found {
    header: HeaderName,
    /// What stands before it, in its element of the list.
    prefix: String,
    written: Written,
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Written {
    As(Encoding),
    LooseBase64,
}

impl Written {
    fn name(self) -> &'static str {
        match self {
            Self::As(Encoding::Hex) => "hexadecimal",
            Self::As(Encoding::Base64) => "base64",
            Self::As(Encoding::Base64OfHex) => "base64 of the hexadecimal text",
            Self::LooseBase64 => "base64 without padding, or in URL-safe letters",
        }
    }
}

/// Whether anything at all may be a signature.
pub(super) fn any_signature(trial: &Trial) -> bool {
    let read = crate::signature_list::is_readable(&trial.scheme, &trial.headers);
    read || !found(trial).is_empty()
}

/// Every other reading of the headers, the nearest to the configured one first.
pub(super) fn variations(trial: &Trial) -> Vec<Variation> {
    let mut variations = duplicates(trial);
    let own = |header: &HeaderName| trial.scheme.signature_headers.contains(header);
    let (here, elsewhere): (Vec<_>, Vec<_>) = found(trial).into_iter().partition(|found| own(&found.header));
    variations.extend(here.into_iter().map(|found| presented(trial, found)));
    variations.extend(families(trial));
    variations.extend(moved(trial));
    variations.extend(elsewhere.into_iter().map(|found| presented(trial, found)));
    variations.extend(elsewhere_in_time(trial));
    variations
}

/// Of a header that occurs twice, the first alone and the last alone.
fn duplicates(trial: &Trial) -> Vec<Variation> {
    let twice = |name: &&HeaderName| trial.headers.get_all(*name).iter().nth(1).is_some();
    let mut variations = Vec::new();
    for name in trial.scheme.headers_read().filter(twice) {
        let values: Vec<_> = trial.headers.get_all(name).iter().cloned().collect();
        for (value, which) in
            values.first().map(|v| (v, "first")).into_iter().chain(values.last().map(|v| (v, "last")))
        {
            let cause = Cause::recomputed(
                CauseKind::DuplicateHeader,
                format!(
                    "Header '{name}' is there {} times; the signature holds with the {which} alone.",
                    values.len()
                ),
                "Find who adds it again, most often a proxy. Which of two was signed cannot be known, so \
                 neither counts.",
            );
            let (name, value) = (name.clone(), value.clone());
            variations.push(Variation::new(cause, move |trial| {
                trial.headers.insert(name.clone(), value.clone());
            }));
        }
    }
    variations
}

/// What in any header has the length of a signature, in some encoding.
fn found(trial: &Trial) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (header, value) in &trial.headers {
        let Ok(text) = value.to_str() else { continue };
        for (prefix, token) in tokens(text) {
            for algorithm in [Algorithm::HmacSha256, Algorithm::HmacSha1] {
                let Some((written, bytes)) = decoded(token, tag_len(algorithm)) else { continue };
                let known = found.iter().any(|other| other.bytes == bytes && other.header == *header);
                if !known && found.len() < MAX_FOUND {
                    found.push(Found {
                        header: header.clone(),
                        prefix: prefix.to_owned(),
                        written,
                        algorithm,
                        bytes,
                    });
                }
            }
        }
    }
    found
}

/// The pieces of a header's value that may be a signature, each with what stands before it.
fn tokens(text: &str) -> Vec<(&str, &str)> {
    let mut tokens = Vec::new();
    for element in std::iter::once(text).chain(text.split([',', ';', ' '])) {
        let element = element.trim();
        tokens.push(("", element.trim_matches(['"', '\'', '<', '>'])));
        for mark in ['=', ':', ',', ' '] {
            if let Some((name, rest)) = element.split_once(mark)
                && let Some(prefix) = element.get(..name.len() + 1)
            {
                tokens.push((prefix, rest.trim().trim_matches(['"', '\''])));
            }
        }
    }
    tokens
}

fn tag_len(algorithm: Algorithm) -> usize {
    if algorithm == Algorithm::HmacSha1 { 20 } else { 32 }
}

fn decoded(token: &str, len: usize) -> Option<(Written, Vec<u8>)> {
    for encoding in [Encoding::Hex, Encoding::Base64OfHex, Encoding::Base64] {
        if let Some(bytes) = encoding.decode(token.as_bytes(), &(len..=len)) {
            return Some((Written::As(encoding), bytes.as_slice().to_vec()));
        }
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let loose = |letters| GeneralPurpose::new(letters, config).decode(token).ok();
    let bytes = loose(&alphabet::STANDARD).or_else(|| loose(&alphabet::URL_SAFE))?;
    (bytes.len() == len).then_some((Written::LooseBase64, bytes))
}

/// Another header, read as the scheme reads its own: whatever the algorithm, and with a timestamp that stands beside it.
fn moved(trial: &Trial) -> Vec<Variation> {
    let long = |value: &HeaderValue| (MIN_SIGNATURE_TEXT..=MAX_SIGNATURE_TEXT).contains(&value.len());
    let own = &trial.scheme.signature_headers;
    let others =
        trial.headers.iter().filter(|(name, value)| !own.contains(name) && long(value)).take(MAX_FOUND);
    let moved = others.map(|(name, _)| {
        let name = name.clone();
        Variation::new(other_header(&trial.scheme, &name, "in the scheme's form"), move |trial| {
            trial.scheme.signature_headers = vec![name.clone()];
        })
    });
    moved.collect()
}

fn other_header(scheme: &Scheme, header: &HeaderName, form: &str) -> Cause {
    let expected: Vec<_> = scheme.signature_headers.iter().map(HeaderName::as_str).collect();
    Cause::recomputed(
        CauseKind::SignatureHeader,
        format!(
            "Header '{header}' holds a signature that fits ({form}); the scheme reads '{}'.",
            expected.join("' or '")
        ),
        format!(
            "Set signature_header to '{header}' if the provider sends it there; if a proxy renames it, \
             change the proxy."
        ),
    )
}

/// The trial in which what was found is the signature.
fn presented(trial: &Trial, found: Found) -> Variation {
    let cause = cause(&trial.scheme, &found);
    let value = format!("v1,{}", Encoding::Hex.encode(&found.bytes));
    let algorithm = found.algorithm;
    Variation::new(cause, move |trial| {
        // The timestamp may stand in the header that is about to be replaced.
        if let Freshness::SignedTimestamp { at: TimestampAt::SignatureField, format, .. } =
            trial.scheme.freshness
            && let Some(text) = time::stated_text(&trial.scheme, &trial.headers, &trial.body)
        {
            time::own_timestamp(trial, format, &text);
        }
        let (Ok(name), Ok(value)) = (HeaderName::try_from(OWN), HeaderValue::from_str(&value)) else {
            return;
        };
        trial.headers.insert(name.clone(), value);
        trial.scheme.signature_headers = vec![name];
        trial.scheme.syntax = Syntax::Versioned { versions: vec![Version { name: "v1".into(), algorithm }] };
        trial.scheme.encoding = Encoding::Hex;
    })
}

/// What differs between what was found and what the scheme reads: the header, or its form.
fn cause(scheme: &Scheme, found: &Found) -> Cause {
    let header = &found.header;
    let prefix = match shown(&found.prefix) {
        "" => "without a prefix".to_owned(),
        prefix => format!("after '{prefix}'"),
    };
    let form = format!("{}, {prefix}", found.written.name());
    if !scheme.signature_headers.contains(header) {
        return other_header(scheme, header, &form);
    }
    let hash = match mac_hash(scheme) {
        Hash::Sha1 => Algorithm::HmacSha1,
        _ => Algorithm::HmacSha256,
    };
    if found.algorithm != hash {
        return Cause::recomputed(
            CauseKind::SignatureAlgorithm,
            format!(
                "The signature is a {}; the scheme has a {}.",
                hash_name(found.algorithm),
                hash_name(hash)
            ),
            "Take the preset that has this hash, or build a scheme with prefix() or prefix_sha1() as the \
             provider has it.",
        );
    }
    if found.written != Written::As(scheme.encoding) {
        return Cause::recomputed(
            CauseKind::SignatureEncoding,
            format!(
                "The signature is written in {}; the scheme has {}.",
                found.written.name(),
                Written::As(scheme.encoding).name()
            ),
            "Take the preset that has this encoding, or set the scheme's encoding to what the provider sends.",
        );
    }
    match &scheme.syntax {
        Syntax::Plain { prefix: expected, .. } if *expected != found.prefix => Cause::recomputed(
            CauseKind::SignaturePrefix,
            format!("The signature stands {prefix}; the scheme expects {}.", quoted(expected)),
            "Set signature_prefix to what stands before the signature, if that is what the provider sends.",
        ),
        _ => Cause::recomputed(
            CauseKind::SignatureForm,
            format!("The signature in header '{header}' stands {prefix}, in another form than the scheme's."),
            "Compare the header with the scheme: names, separators, quotes, white space. Set its syntax to \
             what the provider sends.",
        ),
    }
}

fn hash_name(algorithm: Algorithm) -> &'static str {
    if algorithm == Algorithm::HmacSha1 { "HMAC-SHA1" } else { "HMAC-SHA256" }
}

fn quoted(prefix: &str) -> String {
    if prefix.is_empty() { "no prefix".to_owned() } else { format!("'{prefix}' before it") }
}

/// A prefix that may be printed: short and plain. A stranger wrote it.
fn shown(prefix: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.=:, ".contains(&b);
    if prefix.len() <= 16 && prefix.bytes().all(plain) { prefix } else { "..." }
}

/// The same headers under another family of names: `svix-id`, `svix-signature` where `webhook-id` is read.
fn families(trial: &Trial) -> Vec<Variation> {
    let mut variations = Vec::new();
    for read in &trial.scheme.signature_headers {
        let Some((family, _)) = read.as_str().rsplit_once('-') else { continue };
        let rest = read.as_str().strip_prefix(family).unwrap_or_default();
        let others = trial
            .headers
            .keys()
            .filter(|name| *name != read)
            .filter_map(|name| name.as_str().strip_suffix(rest));
        for other in others {
            let (family, other) = (family.to_owned(), other.to_owned());
            let cause = Cause::recomputed(
                CauseKind::HeaderFamily,
                format!("The signature holds if the headers '{other}-...' are read as '{family}-...'."),
                format!(
                    "Take the preset that reads '{other}-...', or set the scheme's header names to these."
                ),
            );
            variations.push(Variation::new(cause, move |trial| rename(&mut trial.headers, &other, &family)));
        }
    }
    variations
}

fn rename(headers: &mut HeaderMap, from: &str, to: &str) {
    let renamed: Vec<_> = headers
        .iter()
        .filter_map(|(name, value)| {
            let rest = name.as_str().strip_prefix(from)?.strip_prefix('-')?;
            Some((HeaderName::try_from(format!("{to}-{rest}")).ok()?, value.clone()))
        })
        .collect();
    headers.extend(renamed);
}

/// A signed timestamp or id that is absent, taken from another header.
fn elsewhere_in_time(trial: &Trial) -> Vec<Variation> {
    let mut variations = Vec::new();
    if let Freshness::SignedTimestamp { at: TimestampAt::Header(read), .. } = &trial.scheme.freshness
        && !trial.headers.contains_key(read)
    {
        let plausible = |value: &HeaderValue| value.to_str().ok().and_then(time::plausible);
        for (name, value) in trial.headers.iter().filter(|(_, value)| plausible(value).is_some()) {
            let cause = Cause::recomputed(
                CauseKind::TimestampHeader,
                format!("The timestamp that is signed stands in header '{name}'; the scheme reads '{read}'."),
                "Set the scheme's timestamp_header to it, or correct the proxy that renames it.",
            );
            variations.push(copied(cause, read, value, plausible(value)));
        }
    }
    if let Some(Location::Header(read)) = &trial.scheme.event_id
        && !trial.headers.contains_key(read)
    {
        let ids = trial.headers.iter().filter(|(name, _)| name.as_str().ends_with("id"));
        for (name, value) in ids {
            let cause = Cause::recomputed(
                CauseKind::MissingHeader,
                format!("The id that is signed stands in header '{name}'; the scheme reads '{read}'."),
                "Set the scheme's event_id_header to it, or correct the proxy that renames it.",
            );
            variations.push(copied(cause, read, value, None));
        }
    }
    variations
}

fn copied(
    cause: Cause,
    to: &HeaderName,
    value: &HeaderValue,
    new_format: Option<crate::timestamp::TimestampFormat>,
) -> Variation {
    let (to, value) = (to.clone(), value.clone());
    Variation::new(cause, move |trial| {
        trial.headers.insert(to.clone(), value.clone());
        if let (Some(new), Freshness::SignedTimestamp { format, .. }) =
            (new_format, &mut trial.scheme.freshness)
        {
            *format = new;
        }
    })
}
