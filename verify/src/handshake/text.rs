use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::canonical::form_pairs;
use crate::pointer::{Pointer, Scalar};
use crate::refusal::Refusal;

/// The longest text that is sent back, in bytes. The challenges that providers send have 10 to 60.
pub const MAX_CHALLENGE_BYTES: usize = 256;

/// Whether a stranger's text may be sent back: it can be no markup, no header line, no part of a signed text with a colon
/// in it, and needs no escape in JSON.
pub(super) fn is_plain(text: &str) -> bool {
    (1..=MAX_CHALLENGE_BYTES).contains(&text.len()) && text.bytes().all(is_plain_byte)
}

pub(super) fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// The text, sent back so that no browser takes it for more.
pub(super) fn echo(text: &str) -> Result<Response<Bytes>, Refusal> {
    if !is_plain(text) {
        return Err(Refusal::HandshakeRefused);
    }
    Ok(answer("text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes())))
}

pub(super) fn json(value: &serde_json::Value) -> Response<Bytes> {
    answer("application/json", Bytes::from(value.to_string()))
}

fn answer(content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The one value of a query parameter, decoded.
pub(super) fn parameter(path_and_query: &str, name: &str) -> Result<Option<String>, Refusal> {
    let Some((_, query)) = path_and_query.split_once('?') else { return Ok(None) };
    let mut values = form_pairs(query.as_bytes()).into_iter().filter(|(key, _)| key == name.as_bytes());
    let Some((_, value)) = values.next() else { return Ok(None) };
    // No provider asks with bytes that are no text.
    let value = String::from_utf8(value).map_err(|_| Refusal::HandshakeRefused)?;
    if values.next().is_some() { Err(Refusal::HandshakeRefused) } else { Ok(Some(value)) }
}

/// The one value of a header, if it is text.
pub(super) fn header_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(Refusal::HandshakeRefused),
    }
}

/// What stands at `pointer` in a body that is JSON.
pub(super) fn at<'a>(body: &'a [u8], pointer: &str) -> Option<Scalar<'a>> {
    Pointer::new(pointer)?.find(body).ok()?
}

pub(super) fn text_at<'a>(body: &'a [u8], pointer: &str) -> Option<Cow<'a, str>> {
    match at(body, pointer)? {
        Scalar::Text(text) => Some(text),
        _ => None,
    }
}
