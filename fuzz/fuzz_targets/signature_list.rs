//! Of a list of signatures those count that a naive reading by splitting finds, and every one of them: each of eight
//! keys is tried alone, so that a signature that is passed over, or one too many, shows.
//!
//! `@0` to `@7` stand for the signatures of the eight keys.
#![no_main]

use std::sync::LazyLock;

use hookproof::{Key, RequestView, Scheme, UnixTime, Verifier};
use hookproof_fuzz::naive::{self, Request};
use hookproof_fuzz::naive_table::{self, Row};
use hookproof_fuzz::{NOW, URL, builder, key_text};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

/// Of several blocks, so that some are hashed before the list is read.
const BODY: &[u8] = br#"{"text":"a body of several blocks of the hash, some of which are hashed before the list of signatures is read: the text that is hashed then must be the one that is signed in the end"}"#;
const SCHEMES: [&str; 8] = [
    "stripe",
    "paddle",
    "pagerduty",
    "standard-webhooks",
    "gitlab",
    "svix",
    "docusign",
    "leadhub-timestamped",
];

struct Source {
    row: Row,
    /// The bytes of each key, and a verifier that has it alone.
    keys: Vec<(Vec<u8>, Verifier)>,
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| SCHEMES.iter().map(|name| source(name)).collect());

fn source(name: &str) -> Source {
    let scheme = Scheme::by_name(name).expect("a preset");
    // The last row: of two families the one that the scheme is named after.
    let row = naive_table::rows().into_iter().rfind(|row| row.scheme == name).expect("a row");
    let keys = (0..8u8).map(|n| {
        let secret = [n + 1; 24];
        let verifier = builder(&scheme, &Key::new("key", key_text(&scheme, &secret))).build().expect("a key");
        (naive::key_bytes(name, &secret), verifier)
    });
    Source { row, keys: keys.collect() }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    let source = &SOURCES[usize::from(*choice) % SOURCES.len()];
    let Some(headers) = headers(source, text) else { return };
    let request = Request { method: "POST", url: URL, headers: &headers, body: BODY };
    let tags = source.row.tags(&headers).unwrap_or_default();
    let (mut accepted, mut present) = (0, 0);
    for (key, verifier) in &source.keys {
        let wanted = source.row.verify(key, request).map(drop);
        let verdict = verifier.verify(RequestView::from(&headers), BODY, UnixTime::from_secs(NOW)).map(drop);
        assert_eq!(verdict, wanted, "{}: {}", source.row.scheme, String::from_utf8_lossy(text));
        let own = naive::hmac(false, key, &source.row.messages(request)[0]);
        accepted += usize::from(verdict.is_ok());
        present += usize::from(tags.iter().any(|(_, tag)| *tag == own));
    }
    assert!(accepted == 0 || accepted == present, "{accepted} of {present} signatures count");
});

/// A request with `text` where the signatures belong; for DocuSign each line is a header.
fn headers(source: &Source, text: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let fixed = HeaderValue::from(NOW);
    match source.row.scheme {
        "docusign" => {
            for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
                let name = HeaderName::try_from(format!("x-docusign-signature-{}", number % 101 + 1)).ok()?;
                headers.append(name, HeaderValue::from_bytes(line).ok()?);
            }
        }
        "standard-webhooks" | "gitlab" | "svix" => {
            headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
            headers.insert("webhook-timestamp", fixed);
            headers.insert("webhook-signature", HeaderValue::from_bytes(text).ok()?);
        }
        name => {
            let name = HeaderName::try_from(match name {
                "leadhub-timestamped" => "x-leadhub-signature".to_owned(),
                "pagerduty" => "x-pagerduty-signature".to_owned(),
                name => format!("{name}-signature"),
            });
            headers.insert(name.ok()?, HeaderValue::from_bytes(text).ok()?);
        }
    }
    Some(filled(source, &headers))
}

/// The marks become signatures over the request as it is otherwise.
fn filled(source: &Source, headers: &HeaderMap) -> HeaderMap {
    let request = Request { method: "POST", url: URL, headers, body: BODY };
    let signatures: Vec<_> = source.keys.iter().map(|(key, _)| source.row.signature(key, request)).collect();
    let mut out = HeaderMap::new();
    for (name, value) in headers {
        let mut text = Vec::new();
        let mut rest = value.as_bytes();
        while let [first, tail @ ..] = rest {
            match (first, tail) {
                (b'@', [digit @ b'0'..=b'7', after @ ..]) => {
                    text.extend_from_slice(signatures[usize::from(digit - b'0')].as_bytes());
                    rest = after;
                }
                _ => {
                    text.push(*first);
                    rest = tail;
                }
            }
        }
        out.append(name, HeaderValue::from_bytes(&text).expect("printable in the place of printable"));
    }
    out
}
