//! Deliveries as their providers send them, with all that stands around the headers that count.

use hmac::{Hmac, KeyInit as _, Mac as _};
use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime, Verifier, schemes};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

/// What all providers send, more or less.
const COMMON: [(&str, &str); 5] = [
    ("host", "hooks.example.com"),
    ("user-agent", "Provider-Hookshot/1.0 (+https://provider.example/docs)"),
    ("accept", "*/*"),
    ("content-type", "application/json; charset=utf-8"),
    ("connection", "keep-alive"),
];

const OF_GITHUB: [(&str, &str); 4] = [
    ("x-github-hook-id", "292430182"),
    ("x-github-hook-installation-target-id", "79929171"),
    ("x-github-hook-installation-target-type", "repository"),
    ("x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"),
];

/// A scheme, and the key that its deliveries are signed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    pub(crate) scheme: fn() -> Scheme,
    pub(crate) secret: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

pub(crate) const GITHUB: Provider =
    Provider { scheme: schemes::github, secret: "It's a secret to everybody", headers: &OF_GITHUB };
pub(crate) const STRIPE: Provider = Provider {
    scheme: schemes::stripe,
    secret: "whsec_a5DfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa",
    headers: &[("cache-control", "no-cache")],
};
pub(crate) const STANDARD_WEBHOOKS: Provider = Provider {
    scheme: schemes::standard_webhooks,
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    headers: &[],
};

/// One delivery.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The signed text in one piece.
    signed: Vec<u8>,
    key: Vec<u8>,
}

impl Provider {
    /// A genuine delivery of `length` bytes at `now`.
    pub(crate) fn deliver(&self, length: usize, now: UnixTime) -> Delivery {
        const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let scheme = (self.scheme)();
        let body = json_of(length);
        let signer =
            Signer::new(&scheme, &Key::new("signing", self.secret)).expect("the key fits the scheme");
        let outgoing = Outgoing::new(&body).id(ID).event_type("push").timestamp(now);
        let mut headers = HeaderMap::new();
        for (name, value) in COMMON.iter().chain(self.headers) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert("content-length", HeaderValue::from(body.len()));
        headers.extend(signer.sign(&outgoing).expect("the delivery has what the scheme signs"));
        let (before, key) = match scheme.name() {
            "github" => (String::new(), self.secret.as_bytes().to_vec()),
            "stripe" => (format!("{}.", now.as_secs()), self.secret.as_bytes().to_vec()),
            _ => (format!("{ID}.{}.", now.as_secs()), decoded(self.secret)),
        };
        let signed = [before.as_bytes(), &body].concat();
        Delivery { headers, body, signed, key }
    }

    /// A verifier with `others` more keys, which are tried first.
    pub(crate) fn verifier(&self, others: usize) -> Verifier {
        let mut builder = Verifier::builder((self.scheme)());
        for other in 0..others {
            builder = builder.key(Key::new(
                format!("old-{other}"),
                format!("{}{other}{other}{other}{other}", self.secret),
            ));
        }
        builder.key(Key::new("current", self.secret)).build().expect("the key fits the scheme")
    }
}

impl Delivery {
    /// What cannot be left out: the HMAC, its key schedule computed before, over the signed text in one piece, and one
    /// comparison in constant time.
    pub(crate) fn raw_proof(&self) -> impl Fn() -> bool + '_ {
        let ready = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key length");
        let tag = ready.clone().chain_update(&self.signed).finalize().into_bytes();
        move || {
            let mut mac = ready.clone();
            mac.update(std::hint::black_box(&self.signed));
            mac.verify_slice(std::hint::black_box(&tag)).is_ok()
        }
    }

    /// The HMAC of a body, and nothing else.
    #[allow(dead_code, reason = "for the bench that has a service around it")]
    pub(crate) fn hashing(&self) -> impl Fn(&[u8]) + Clone + Send + Sync + 'static {
        let ready = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key length");
        move |body: &[u8]| {
            std::hint::black_box(ready.clone().chain_update(body).finalize());
        }
    }
}

fn decoded(secret: &str) -> Vec<u8> {
    use base64::Engine as _;
    let text = secret.trim_start_matches("whsec_");
    base64::engine::general_purpose::STANDARD.decode(text).expect("the secret above is base64")
}

/// A JSON object of exactly so many bytes.
fn json_of(length: usize) -> Vec<u8> {
    let (head, tail) = (r#"{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","type":"push","data":""#, r#""}"#);
    let filling = length.saturating_sub(head.len() + tail.len());
    format!("{head}{}{tail}", "abcdefgh ".chars().cycle().take(filling).collect::<String>()).into_bytes()
}
