//! What the fuzz targets share: the sources under test, requests as text, and the second door.

#[path = "../../verify/tests/support/coverage.rs"]
mod coverage;
#[path = "../../verify/tests/support/key_pairs.rs"]
mod key_pairs;
pub mod naive;
pub mod naive_json;
pub mod naive_table;
mod naive_time;
pub mod scheme_calls;
pub mod strangers;

use std::sync::LazyLock;

use bytes::Bytes;
use hookproof::{
    Freshness, Key, KeyFormat, Outgoing, Refusal, RequestView, Scheme, Signer, TimestampFormat, UnixTime,
    Verified, Verifier, VerifierBuilder,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The receiver's clock, in Unix seconds. The seeds come from vectors with the same one.
pub const NOW: u64 = 1_700_000_000;

pub const ORIGIN: &str = "https://hooks.example.com";

/// The public URL of a request to `/`.
pub const URL: &str = "https://hooks.example.com/";

pub const WEBHOOK_ID: &str = "1TESTONLY0123456W";

pub const PUBLIC: &str = "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=";
pub const PRIVATE: &str =
    "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";

/// A preset with a key: one of the presets, or the last: Standard Webhooks with an ed25519 key.
pub struct Source {
    pub scheme: Scheme,
    pub verifier: Verifier,
    pub signer: Signer,
    /// Whether the key is one of a fixed pair, whatever secret the input gives.
    pub is_pair: bool,
    key: Key,
}

/// Every source, with keys that no input may assume.
pub static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let secret: Vec<u8> = (1..=32).map(|n: u8| n.wrapping_mul(151)).collect();
    let hmac = Scheme::all().map(|scheme| Source::new(scheme, &secret).expect("the key is long enough"));
    let mut sources: Vec<_> = hmac.collect();
    sources.push(Source::ed25519());
    sources
});

/// The source that a byte of the input chooses.
pub fn source(choice: u8) -> &'static Source {
    &SOURCES[usize::from(choice) % SOURCES.len()]
}

impl Source {
    /// A source whose key is `secret`, in the scheme's form; `None` if it is no key. A scheme that is signed with a
    /// private key has its fixed pair.
    pub fn new(scheme: Scheme, secret: &[u8]) -> Option<Self> {
        if let Some((signing, verifying)) = key_pairs::pair(scheme.name()) {
            return Self::with(scheme, Key::new("key", signing), Key::new("key", verifying), true);
        }
        let key = Key::new("key", key_text(&scheme, secret));
        Self::with(scheme, key.clone(), key, false)
    }

    fn with(scheme: Scheme, signing: Key, key: Key, is_pair: bool) -> Option<Self> {
        let signer = Signer::new(&scheme, &signing).ok()?;
        let verifier = builder(&scheme, &key).build().ok()?;
        Some(Self { scheme, verifier, signer, is_pair, key })
    }

    /// What the provider sends to `/`: the headers, and the body with what belongs into it.
    pub fn delivery(&self, body: &[u8], id: &str, time: UnixTime) -> (HeaderMap, Vec<u8>) {
        let body = self.signer.signed_body(body).expect("it has items").into_owned();
        let outgoing = Outgoing::new(&body).id(id).timestamp(time).url(URL).webhook_id(WEBHOOK_ID);
        (self.signer.sign(&outgoing).expect("it can be signed"), body)
    }

    /// What is wrong with this verdict on a body that was `before` when it was signed and is `after` now.
    pub fn judge(&self, before: &[u8], after: &[u8], verdict: Result<(), Refusal>) -> Result<(), String> {
        coverage::of(self.scheme.name()).judge(before, after, verdict)
    }

    /// The same source with another limit of its body; a limit of 0 is none, so it counts as 1.
    pub fn with_body_limit(&self, bytes: usize) -> Verifier {
        builder(&self.scheme, &self.key).body_limit(bytes.max(1)).build().expect("as before")
    }

    /// Standard Webhooks with a public key.
    pub fn ed25519() -> Self {
        let (private, public) = (Key::new("private", PRIVATE), Key::new("public", PUBLIC));
        Self::with(hookproof::schemes::standard_webhooks(), private, public, true).expect("a pair")
    }
}

/// The text of a key whose bytes are `secret`, or whose bytes are its hexadecimal where they are text.
pub fn key_text(scheme: &Scheme, secret: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    match scheme.key_format() {
        KeyFormat::StandardWebhooks => format!("whsec_{}", STANDARD.encode(secret)),
        KeyFormat::Base64 => STANDARD.encode(secret),
        _ => hex::encode(secret),
    }
}

/// The private and the public text of the fixed pair, for the schemes that have one.
pub fn pair(scheme: &str) -> Option<(&'static str, &'static str)> {
    key_pairs::pair(scheme)
}

/// With what the scheme needs beside it.
pub fn builder(scheme: &Scheme, key: &Key) -> VerifierBuilder {
    let builder = Verifier::builder(scheme.clone()).key(key.clone());
    let builder = if scheme.signs_url() { builder.public_url(ORIGIN) } else { builder };
    if scheme.signs_webhook_id() { builder.webhook_id(WEBHOOK_ID) } else { builder }
}

/// Reads a request: a byte that chooses, header lines `name: value`, an empty line, the body.
///
/// `None` if a line is no header, as an HTTP parser would say.
pub fn read_request(data: &[u8]) -> Option<(u8, HeaderMap, &[u8])> {
    let (choice, mut rest) = data.split_first()?;
    let mut headers = HeaderMap::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            return Some((*choice, headers, rest));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let value = HeaderValue::from_bytes(value.strip_prefix(b" ").unwrap_or(value)).ok()?;
        headers.append(HeaderName::from_bytes(name).ok()?, value);
    }
}

/// The second door: the same request in pieces of `step` bytes.
pub fn in_pieces<'a>(
    verifier: &Verifier,
    request: impl Into<RequestView<'a>>,
    body: &[u8],
    now: UnixTime,
    step: u8,
) -> Result<Verified<Bytes>, Refusal> {
    let mut pending = verifier.begin(request, now)?;
    pending.expect_length(body.len() as u64)?;
    for piece in body.chunks(usize::from(step).max(1)) {
        pending.update(piece)?;
    }
    pending.finish()
}

/// A body that `scheme` takes at `time`: `text` itself where nothing is read from it, else JSON around it.
pub fn body_for(scheme: &Scheme, time: UnixTime, text: &[u8]) -> Vec<u8> {
    let text_of = || String::from_utf8_lossy(text);
    if scheme.name() == "adyen-payments" {
        let item =
            serde_json::json!({ "eventCode": text_of(), "reason": text_of(), "amount": { "value": 1130 } });
        let items = serde_json::json!({ "notificationItems": [{ "NotificationRequestItem": item }] });
        return items.to_string().into_bytes();
    }
    let Freshness::EventTime { pointer, format, .. } = scheme.freshness() else { return text.to_vec() };
    let name = pointer.to_string().replace('/', "");
    let time = match format {
        TimestampFormat::Rfc3339 => {
            let time =
                jiff::Timestamp::from_second(i64::try_from(time.as_secs()).expect("a date")).expect("a date");
            serde_json::Value::from(time.to_string())
        }
        TimestampFormat::Millis => serde_json::Value::from(time.as_millis()),
        _ => serde_json::Value::from(time.as_secs()),
    };
    serde_json::json!({ name: time, "text": text_of() }).to_string().into_bytes()
}
