//! Signed texts that are computed from a request instead of standing in it.

use http::{HeaderMap, HeaderName};

use crate::part::FormOrder;
use crate::refusal::Refusal;
use crate::url::Url;

/// What JavaScript's `encodeURIComponent` leaves as it is, beside letters and digits (ECMA-262, 19.2.6).
const COMPONENT: &[u8] = b"-_.!~*'()";
/// What its `encodeURI` leaves as it is beside these.
const URI: &[u8] = b";,/?:@&=+$#";
/// The query parameter that holds the body's digest where Twilio signs no form.
const BODY_DIGEST_PARAMETER: &str = "bodySHA256";

/// The ways in which Twilio may have written `url`; see [`Part::UrlVariants`](crate::Part::UrlVariants).
pub(crate) fn url_variants(url: &str) -> Vec<String> {
    let mut variants = vec![url.to_owned()];
    let parts @ Url { scheme, authority, path, query } = Url::split(url);
    let other = match (parts.without_port(), parts.default_port()) {
        (Some(name), Some(_)) => Some(format!("{scheme}://{name}{path}{query}")),
        (None, Some(port)) => Some(format!("{scheme}://{authority}{port}{path}{query}")),
        (_, None) => None,
    };
    variants.extend(other);
    if url.contains('\'') {
        let escaped: Vec<_> = variants.iter().map(|url| escape_apostrophes(url)).collect();
        variants.extend(escaped);
    }
    variants
}

/// Every `'` of the query as `%27`: also what two ways to write one URL have in common.
pub(crate) fn escape_apostrophes(url: &str) -> String {
    match url.split_once('?') {
        Some((before, query)) => format!("{before}?{}", query.replace('\'', "%27")),
        None => url.to_owned(),
    }
}

/// The body's digest in the query, where there is one: then no form is signed.
pub(crate) fn digest_in_query(path_and_query: &str) -> Option<&str> {
    let (_, query) = path_and_query.split_once('?')?;
    let mut pairs = query.split('&').map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    pairs.find(|(name, _)| *name == BODY_DIGEST_PARAMETER).map(|(_, value)| value)
}

/// The names and values of a form (WHATWG URL, 5.1: pieces at `&`, names at the first `=`, `+` is a space).
pub(crate) fn form(body: &[u8], order: FormOrder) -> Vec<u8> {
    let mut pairs = form_pairs(body);
    match order {
        FormOrder::Distinct => {
            pairs.sort();
            pairs.dedup();
        }
        // A stable sort keeps the order of arrival within a name.
        FormOrder::Arrival => pairs.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    pairs.into_iter().flat_map(|(name, value)| [name, value]).flatten().collect()
}

/// The names and values of a form, decoded, in order of arrival.
pub(crate) fn form_pairs(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pieces = body.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    let pairs = pieces.map(|piece| {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        (form_text(name), form_text(value))
    });
    pairs.collect()
}

/// A name or value as RFC 9421 prints it: percent-encoded, but for what a form leaves as it is (WHATWG URL, 1.3).
pub(crate) fn form_encoded(text: &[u8]) -> String {
    percent_encode(text, b"*-._", &[])
}

fn form_text(text: &[u8]) -> Vec<u8> {
    decoded(text, b' ')
}

/// The bytes that the escapes of a URL stand for.
#[cfg(feature = "explain")]
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    decoded(text, b'+')
}

/// A broken escape stands for itself.
fn decoded(text: &[u8], plus: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            out.push(if *first == b'+' { plus } else { *first });
        }
    }
    out
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The path and query of a URL, the query encoded as one component, then all of it as a URI.
pub(crate) fn encoded_path(url: &str) -> String {
    let Url { path, query, .. } = Url::split(url);
    let mut text = path.to_owned();
    if let Some(query) = query.strip_prefix('?').filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(&percent_encode(query.as_bytes(), COMPONENT, &[]));
    }
    percent_encode(text.as_bytes(), COMPONENT, URI)
}

fn percent_encode(text: &[u8], kept: &[u8], also_kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.iter().copied() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) || also_kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Checks the list of signed headers: it must name itself and `timestamp`, none twice, and each that it names is there once.
pub(crate) fn check_signed_headers(
    list: &HeaderName,
    timestamp: Option<&HeaderName>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let value = headers.get(list).ok_or(Refusal::MissingHeader)?;
    let names = signed_names(value.as_bytes()).ok_or(Refusal::MalformedHeader)?;
    if ![Some(list), timestamp].into_iter().flatten().all(|name| names.contains(name)) {
        return Err(Refusal::MalformedHeader);
    }
    for name in names {
        let mut values = headers.get_all(&name).iter();
        values.next().ok_or(Refusal::MissingHeader)?;
        if values.next().is_some() {
            return Err(Refusal::DuplicateHeader);
        }
    }
    Ok(())
}

/// The listed headers as they are signed. The list was checked.
pub(crate) fn signed_headers(list: &HeaderName, headers: &HeaderMap) -> Vec<u8> {
    let names = headers.get(list).and_then(|value| signed_names(value.as_bytes())).unwrap_or_default();
    let mut out = Vec::new();
    for name in names {
        if !out.is_empty() {
            out.push(b';');
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.push(b':');
        out.extend_from_slice(headers.get(&name).map_or(&[], |value| trimmed(value.as_bytes())));
    }
    out
}

/// Sorted; `None` if one is no header name, or is there twice: then a stranger's long header would be put into the text again
/// and again.
fn signed_names(list: &[u8]) -> Option<Vec<HeaderName>> {
    let names = list.split(|byte| *byte == b',').map(|name| HeaderName::from_bytes(trimmed(name)).ok());
    let mut names: Vec<HeaderName> = names.collect::<Option<_>>()?;
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let twice = names.iter().zip(names.iter().skip(1)).any(|(name, next)| name == next);
    (!twice).then_some(names)
}

pub(crate) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
