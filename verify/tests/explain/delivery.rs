//! A delivery that is accepted, to be made wrong.

use std::time::Duration;

use hookproof::explain::{CauseKind, Evidence, Explainer, Explanation, Verdict};
use hookproof::{Algorithm, Key, KeyFormat, Outgoing, Part, RequestView, Scheme, Signer, Syntax, UnixTime};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
pub const ORIGIN: &str = "https://hooks.example.com";
pub const PATH: &str = "/hooks/in?tenant=7";

/// Has every place from which a preset reads a time.
pub const BODY: &str = concat!(
    r#"{"type":"lead.created","id":"evt_1","timestamp":1700000000,"occurred_at":"2023-11-14T22:13:20Z","#,
    r#""webhookTimestamp":1700000000000,"data":{"name":"Zoë <b>","url":"https://example.com/a","list":[1.50,{}]}}"#
);

/// A set-up and a request.
#[derive(Clone)]
pub struct Delivery {
    pub scheme: Scheme,
    pub key: String,
    pub public_url: String,
    pub method: Method,
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub now: UnixTime,
}

/// A key as the scheme wants it: no text of it is hex or base64 by chance.
pub fn key_text(format: KeyFormat) -> String {
    match format {
        KeyFormat::Hex => "44782CB547AB711AFCF3D5F7AE4D8A90E37BE3F35B5CFC2E5E9A5BC0C4D7AE11".into(),
        KeyFormat::Base64 => "Zml2ZSBoYW5kcyBoaWdoISBAIzw+Pz8/fn5+".into(),
        KeyFormat::StandardWebhooks => "whsec_Zml2ZSBoYW5kcyBoaWdoISBAIzw+Pz8/fn5+".into(),
        _ => "Not-a-Secret_of-30-Characters!".into(),
    }
}

/// The headers that `scheme` has on this body.
pub fn signed(scheme: &Scheme, key: &Key, body: &[u8]) -> HeaderMap {
    let url = format!("{ORIGIN}{PATH}");
    let outgoing = Outgoing::new(body).id("msg_1").event_type("lead.created").timestamp(NOW).url(&url);
    Signer::new(scheme, key).unwrap().sign(&outgoing).unwrap()
}

impl Delivery {
    pub fn of(scheme: &Scheme) -> Self {
        Self::with_body(scheme, BODY.as_bytes())
    }

    pub fn with_body(scheme: &Scheme, body: &[u8]) -> Self {
        let key = key_text(scheme.key_format());
        Self {
            headers: signed(scheme, &Key::new("k", key.as_str()), body),
            scheme: scheme.clone(),
            key,
            public_url: ORIGIN.to_owned(),
            method: Method::POST,
            path_and_query: PATH.to_owned(),
            body: body.to_vec(),
            now: NOW,
        }
    }

    /// Signs anew as another scheme or key has it; the set-up stays.
    pub fn sign(&mut self, scheme: &Scheme, key: &str) {
        let body = self.body.clone();
        self.headers = signed(scheme, &Key::new("k", key).danger_allow_short_key(), &body);
    }

    pub fn header(&mut self, name: &str, value: &str) {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }

    pub fn signature_name(&self) -> String {
        self.scheme.signature_headers()[0].as_str().to_owned()
    }

    pub fn signature(&self) -> String {
        self.headers[&self.signature_name()].to_str().unwrap().to_owned()
    }

    pub fn set_signature(&mut self, value: &str) {
        let name = self.signature_name();
        self.header(&name, value);
    }

    pub fn late(&mut self, by: i64) {
        self.now = UnixTime::from_millis(self.now.as_millis().checked_add_signed(by * 1000).unwrap());
    }

    pub fn explainer(&self) -> Explainer {
        Explainer::new(self.scheme.clone()).key(Key::new("k", self.key.as_str())).public_url(&self.public_url)
    }

    pub fn explain_with(&self, explainer: &Explainer) -> Explanation {
        let request = RequestView {
            method: &self.method,
            path_and_query: &self.path_and_query,
            headers: &self.headers,
        };
        explainer.explain(request, &self.body, self.now)
    }

    pub fn explain(&self) -> Explanation {
        self.explain_with(&self.explainer())
    }
}

/// Every preset with an HMAC in a header, over parts that any delivery has, for which a signer can sign.
pub fn presets() -> impl Iterator<Item = Scheme> {
    let common = |part: &Part| {
        matches!(part, Part::Literal(_) | Part::Id | Part::Timestamp | Part::Method | Part::Url | Part::Body)
    };
    let keyed = |scheme: &Scheme| match scheme.syntax() {
        Syntax::Plain { algorithm, .. } => matches!(algorithm, Algorithm::HmacSha256 | Algorithm::HmacSha1),
        Syntax::KeyValue { .. } | Syntax::Versioned { .. } => true,
        _ => false,
    };
    let presets =
        Scheme::all().filter(move |scheme| scheme.signed_parts().iter().all(common) && keyed(scheme));
    presets.filter(|scheme| Signer::new(scheme, &Key::new("k", key_text(scheme.key_format()))).is_ok())
}

/// Those whose signature header is no list.
pub fn plain_presets() -> impl Iterator<Item = Scheme> {
    presets().filter(|scheme| {
        let value = Delivery::of(scheme).signature();
        !value.contains([',', ';']) && !value.starts_with("v1=")
    })
}

/// Refused, and explained first by this, for certain.
#[track_caller]
pub fn assert_recomputed(name: &str, explanation: &Explanation, kind: CauseKind) {
    assert_ne!(explanation.verdict, Verdict::Accepted, "{name}: accepted");
    let Some(first) = explanation.causes.first() else { panic!("{name}: no cause\n{explanation}") };
    assert_eq!(first.kind, kind, "{name}:\n{explanation}");
    assert_eq!(first.evidence, Evidence::Recomputed, "{name}:\n{explanation}");
    assert!(explanation.next_steps.is_empty(), "{name}:\n{explanation}");
}

/// Refused, and explained first by this, which needs no signature.
#[track_caller]
pub fn assert_seen(name: &str, explanation: &Explanation, kind: CauseKind) {
    assert_ne!(explanation.verdict, Verdict::Accepted, "{name}: accepted");
    let first = explanation.causes.first().map(|cause| (cause.kind, cause.evidence));
    assert_eq!(first, Some((kind, Evidence::Seen)), "{name}:\n{explanation}");
}

pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}
