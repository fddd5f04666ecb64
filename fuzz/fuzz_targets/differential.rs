//! Whatever a request says, the verdict, its reason and the time that is proven are those of the naive verifier.
//!
//! `@@` in a header stands for the signature over the request as it is otherwise, and in Adyen's body for an item's, so
//! that the input also gets to what is checked after the signature.
#![no_main]

use std::sync::LazyLock;

use hookproof::{Refusal, RequestView, Scheme, UnixTime};
use hookproof_fuzz::naive::{self, Request};
use hookproof_fuzz::naive_table::{self, Row};
use hookproof_fuzz::{NOW, Source, URL, in_pieces, naive_json, read_request};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const SECRET: [u8; 24] = *b"a secret of 24 bytes, so";
const MARK: &[u8] = b"@@";

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(naive_table::rows);

/// Every preset that the naive verifier knows.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let known = |scheme: &Scheme| ROWS.iter().any(|row| row.scheme == scheme.name());
    let sources: Vec<_> =
        Scheme::all().filter(known).map(|scheme| Source::new(scheme, &SECRET).expect("a key")).collect();
    assert_eq!(sources.len(), 44, "all presets but those of public keys");
    sources
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, mut headers, body)) = read_request(data) else { return };
    let source = &SOURCES[usize::from(choice) % SOURCES.len()];
    let row = naive::chosen(&ROWS, source.scheme.name(), &headers);
    let key = naive::key_bytes(row.scheme, &SECRET);
    let mut body = body.to_vec();
    if row.scheme == "adyen-payments" {
        body = signed_items(body, &key);
    } else {
        let request = Request { method: "POST", url: URL, headers: &headers, body: &body };
        headers = with_signature(&headers, &row.signature(&key, request));
    }
    let request = Request { method: "POST", url: URL, headers: &headers, body: &body };
    let wanted = row.verify(&key, request);
    let now = UnixTime::from_secs(NOW);
    let at_once = source.verifier.verify(RequestView::from(&headers), &body, now);
    assert_eq!(at_once.map(|proof| proof.timestamp()), wanted, "{}", row.scheme);
    let step = u8::try_from(data.len() % 67).unwrap_or(1);
    let by_and_by: Result<_, Refusal> = in_pieces(&source.verifier, &headers, &body, now, step);
    assert_eq!(by_and_by.map(|proof| proof.timestamp()), wanted, "{}, in pieces", row.scheme);
});

/// Every mark in a header's value becomes this text.
fn with_signature(headers: &HeaderMap, signature: &str) -> HeaderMap {
    let mut filled = HeaderMap::new();
    for (name, value) in headers {
        let value = replaced(value.as_bytes(), || Some(signature.to_owned()));
        filled.append(name, HeaderValue::from_bytes(&value).expect("printable in the place of printable"));
    }
    filled
}

/// The marks in the body become the signatures of the items, one after the other.
fn signed_items(body: Vec<u8>, key: &[u8]) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let Ok(items) = naive_json::items(&body) else { return body };
    let mut signatures = items.iter().map(|(message, _)| STANDARD.encode(naive::hmac(false, key, message)));
    replaced(&body, || signatures.next())
}

fn replaced(text: &[u8], mut with: impl FnMut() -> Option<String>) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.windows(MARK.len()).position(|piece| piece == MARK) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with().as_deref().map_or(MARK, str::as_bytes));
        rest = &rest[at + MARK.len()..];
    }
    [out, rest.to_vec()].concat()
}
