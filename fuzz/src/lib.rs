//! What the fuzz targets share: the sources under test, requests as text, and the second door.

use std::sync::LazyLock;

use bytes::Bytes;
use hookproof::{
    Freshness, Key, KeyFormat, Refusal, RequestView, Scheme, Signer, TimestampFormat, UnixTime, Verified,
    Verifier, VerifierBuilder,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The receiver's clock, in Unix seconds. The seeds come from vectors with the same one.
pub const NOW: u64 = 1_700_000_000;

const ORIGIN: &str = "https://hooks.example.com";

/// The public URL of a request to `/`.
pub const URL: &str = "https://hooks.example.com/";

const PUBLIC: &str = "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=";
const PRIVATE: &str =
    "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";

/// A preset with a key: one of the presets, or the last: Standard Webhooks with an ed25519 key.
pub struct Source {
    pub scheme: Scheme,
    pub verifier: Verifier,
    pub signer: Signer,
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
    /// A source whose key is `secret`, in the scheme's form; `None` if it is no key.
    pub fn new(scheme: Scheme, secret: &[u8]) -> Option<Self> {
        let text = if scheme.key_format() == KeyFormat::StandardWebhooks {
            use base64::Engine as _;
            format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(secret))
        } else {
            hex::encode(secret)
        };
        let key = Key::new("key", text);
        let signer = Signer::new(&scheme, &key).ok()?;
        let verifier = builder(&scheme, &key).build().ok()?;
        Some(Self { scheme, verifier, signer, key })
    }

    /// The same source with another limit of its body; a limit of 0 is none, so it counts as 1.
    pub fn with_body_limit(&self, bytes: usize) -> Verifier {
        builder(&self.scheme, &self.key).body_limit(bytes.max(1)).build().expect("as before")
    }

    /// Standard Webhooks with a public key.
    pub fn ed25519() -> Self {
        let scheme = hookproof::schemes::standard_webhooks();
        let signer = Signer::new(&scheme, &Key::new("private", PRIVATE)).expect("a pair");
        let key = Key::new("public", PUBLIC);
        let verifier = Verifier::builder(scheme.clone()).key(key.clone()).build().expect("a key");
        Self { scheme, verifier, signer, key }
    }
}

/// With the public URL, for the schemes that sign it.
fn builder(scheme: &Scheme, key: &Key) -> VerifierBuilder {
    let builder = Verifier::builder(scheme.clone()).key(key.clone());
    if scheme.signs_url() { builder.public_url(ORIGIN) } else { builder }
}

/// Reads a request: a byte that chooses the source, header lines `name: value`, an empty line, the body.
///
/// `None` if a line is no header, as an HTTP parser would say.
pub fn read_request(data: &[u8]) -> Option<(&'static Source, HeaderMap, &[u8])> {
    let (choice, mut rest) = data.split_first()?;
    let mut headers = HeaderMap::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            return Some((source(*choice), headers, rest));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let value = HeaderValue::from_bytes(value.strip_prefix(b" ").unwrap_or(value)).ok()?;
        headers.append(HeaderName::from_bytes(name).ok()?, value);
    }
}

/// The second door: the same request in pieces of `step` bytes.
pub fn in_pieces(
    verifier: &Verifier,
    headers: &HeaderMap,
    body: &[u8],
    now: UnixTime,
    step: u8,
) -> Result<Verified<Bytes>, Refusal> {
    let mut pending = verifier.begin(RequestView::from(headers), now)?;
    pending.expect_length(body.len() as u64)?;
    for piece in body.chunks(usize::from(step).max(1)) {
        pending.update(piece)?;
    }
    pending.finish()
}

/// A body that `scheme` takes at `time`: `text` itself where nothing is read from it, else JSON around it.
pub fn body_for(scheme: &Scheme, time: UnixTime, text: &[u8]) -> Vec<u8> {
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
    serde_json::json!({ name: time, "text": String::from_utf8_lossy(text) }).to_string().into_bytes()
}
