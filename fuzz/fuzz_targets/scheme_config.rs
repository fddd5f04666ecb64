//! A scheme of one's own, from any calls of its builder, is refused when it is built, or is safe: what it signs it
//! accepts, and what it says is signed cannot be changed without the key.
#![no_main]

use arbitrary::Arbitrary;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookproof::{
    Freshness, Key, Location, Outgoing, Pointer, Refusal, Scheme, Signer, TimestampAt, TimestampFormat,
    UnixTime, Verified, Verifier,
};
use hookproof_fuzz::scheme_calls::Call;
use hookproof_fuzz::{NOW, ORIGIN, PRIVATE, PUBLIC, WEBHOOK_ID, pair};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

/// A secret in every format that has one: hexadecimal, base64, and text.
const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabb";

#[derive(Arbitrary, Debug)]
struct Input {
    bare: bool,
    calls: Vec<Call>,
    id: [u8; 4],
    at: u16,
    bit: u8,
    text: String,
}

fuzz_target!(|input: Input| {
    // Most schemes have these two, and what can be wrong with them needs more calls than mutation easily finds.
    let usual = || Scheme::builder("acme").signature_header("x-signature").event_id_header("x-id");
    let start = if input.bare { Scheme::builder("acme") } else { usual() };
    let builder = input.calls.iter().fold(start, |builder, call| call.make(builder));
    let Ok(scheme) = builder.build() else { return };
    let Some((signing, verifying)) = keys(&scheme) else { return };
    let delivery = Delivery::new(&input, scheme, signing, &verifying);
    let proof = delivery
        .verify(&delivery.headers, &delivery.body, "/in")
        .unwrap_or_else(|refusal| panic!("{refusal}: what is signed is accepted, {:?}", delivery.scheme));
    assert_eq!(proof.timestamp(), delivery.time(), "{:?}", delivery.scheme);
    let event = proof.replay_key("source");
    delivery.another_body(&input);
    delivery.another_id(event);
    delivery.a_shifted_id(&proof);
    delivery.another_time(&input.text);
    delivery.another_signature();
    delivery.another_endpoint(&verifying);
});

struct Delivery {
    scheme: Scheme,
    verifier: Verifier,
    signer: Signer,
    id: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

type Verdict = Result<Verified<Vec<u8>>, Refusal>;

impl Delivery {
    fn new(input: &Input, scheme: Scheme, signing: Key, verifying: &Key) -> Self {
        let signer = Signer::new(&scheme, &signing).expect("a key of its kind");
        let builder = Verifier::builder(scheme.clone()).key(verifying.clone()).public_url(ORIGIN);
        let builder = if scheme.signs_webhook_id() { builder.webhook_id(WEBHOOK_ID) } else { builder };
        let verifier = builder.build().unwrap_or_else(|error| panic!("{error}: {scheme:?}"));
        let body = body_for(&scheme, &input.text, NOW);
        let body = signer.signed_body(&body).expect("it has an item").into_owned();
        let id = hex::encode(input.id);
        let headers = sign(&signer, &body, &id, NOW);
        Self { scheme, verifier, signer, id, headers, body }
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], path: &str) -> Verdict {
        let mut request = http::Request::post(path).body(()).expect("a path");
        *request.headers_mut() = headers.clone();
        self.verifier.verify(&request, body.to_vec(), UnixTime::from_secs(NOW))
    }

    fn assert_refused(&self, headers: &HeaderMap, body: &[u8], what: &str) {
        let verdict = self.verify(headers, body, "/in").map(drop);
        assert!(verdict.is_err(), "{what} is accepted: {:?}", self.scheme);
    }

    /// The time that the scheme says is proven.
    fn time(&self) -> Option<UnixTime> {
        let timed = !matches!(self.scheme.freshness(), Freshness::None);
        timed.then_some(UnixTime::from_secs(NOW))
    }

    fn signs_body(&self) -> bool {
        self.scheme.is_signed(&Location::Body(Pointer::new("/id").expect("a pointer")))
    }

    fn another_body(&self, input: &Input) {
        if !self.signs_body() {
            return;
        }
        let mut body = self.body.clone();
        let at = usize::from(input.at) % body.len();
        body[at] ^= 1 << (input.bit & 7);
        self.assert_refused(&self.headers, &body, "another body");
        self.assert_refused(&self.headers, &self.body[1..], "a shorter body");
        self.assert_refused(&self.headers, &[&self.body[..], b"0"].concat(), "a longer body");
    }

    /// A signed id cannot be another; an unsigned one makes no other event.
    fn another_id(&self, event: hookproof::ReplayKey) {
        let Some(place @ Location::Header(name)) = self.scheme.event_id_location() else { return };
        let mut headers = self.headers.clone();
        headers.insert(name, HeaderValue::from_static("another"));
        if self.scheme.is_signed(place) {
            self.assert_refused(&headers, &self.body, "another id");
        } else if let Ok(proof) = self.verify(&headers, &self.body, "/in") {
            assert_eq!(proof.replay_key("source"), event, "an unsigned id: {:?}", self.scheme);
        }
    }

    /// Bytes that are moved between the body and the id leave the signed text as it is. That must not make another id.
    fn a_shifted_id(&self, proof: &Verified<Vec<u8>>) {
        let Some(place @ Location::Header(name)) = self.scheme.event_id_location() else { return };
        if !self.scheme.is_signed(place) || !self.signs_body() {
            return;
        }
        let (id, body) = (self.id.as_bytes(), proof.body().as_slice());
        let (first, last) = (&id[..1], &id[id.len() - 1..]);
        for (id, body) in [
            ([&id[1..]].concat(), [body, first].concat()),
            ([&id[..id.len() - 1]].concat(), [last, body].concat()),
            ([id, &body[..1]].concat(), body[1..].to_vec()),
            ([&body[body.len() - 1..], id].concat(), body[..body.len() - 1].to_vec()),
        ] {
            let Ok(value) = HeaderValue::from_bytes(&id) else { continue };
            let mut headers = self.headers.clone();
            headers.insert(name, value);
            self.assert_refused(&headers, &body, "an id that took bytes of the body, or gave some");
        }
    }

    /// The time of another delivery with the signature of this one.
    fn another_time(&self, text: &str) {
        if let Freshness::EventTime { .. } = self.scheme.freshness() {
            self.assert_refused(&self.headers, &body_for(&self.scheme, text, NOW + 1), "another event time");
        }
        let Freshness::SignedTimestamp { at, .. } = self.scheme.freshness() else { return };
        let other = sign(&self.signer, &self.body, &self.id, NOW + 1);
        let mut headers = self.headers.clone();
        match at {
            TimestampAt::Header(name) => drop(headers.insert(name, other[name].clone())),
            TimestampAt::SignatureField => {
                let name = self.signature_header().expect("it stands in it");
                let text = headers[name].to_str().expect("printable").to_owned();
                let text = match text.contains(&NOW.to_string()) {
                    true => text.replacen(&NOW.to_string(), &(NOW + 1).to_string(), 1),
                    false => text.replacen(":20Z", ":21Z", 1),
                };
                headers.insert(name, HeaderValue::try_from(text).expect("printable"));
            }
            _ => return,
        }
        assert_ne!(headers, self.headers, "the control: {:?}", self.scheme);
        self.assert_refused(&headers, &self.body, "another time");
    }

    fn another_signature(&self) {
        let Some(name) = self.signature_header() else { return };
        let text = self.headers[name].as_bytes();
        let mut other = text.to_vec();
        // Not the last character: of base64 in URLs it may have bits that do not count.
        let at = other.iter().rposition(|byte| *byte != b'=').unwrap_or_default().saturating_sub(1);
        other[at] = if other[at] == b'0' { b'1' } else { b'0' };
        let mut headers = self.headers.clone();
        headers.insert(name, HeaderValue::from_bytes(&other).expect("printable"));
        self.assert_refused(&headers, &self.body, "another signature");
    }

    fn signature_header(&self) -> Option<&HeaderName> {
        self.scheme.signature_headers().iter().find(|name| self.headers.contains_key(*name))
    }

    fn another_endpoint(&self, key: &Key) {
        if self.scheme.signs_url() {
            let verdict = self.verify(&self.headers, &self.body, "/in/other");
            assert!(verdict.is_err(), "another URL: {:?}", self.scheme);
        }
        if self.scheme.signs_webhook_id() {
            let builder = Verifier::builder(self.scheme.clone()).key(key.clone()).public_url(ORIGIN);
            let other = builder.webhook_id("ANOTHER").build().expect("as before");
            let mut request = http::Request::post("/in").body(()).expect("a path");
            *request.headers_mut() = self.headers.clone();
            let verdict = other.verify(&request, &self.body, UnixTime::from_secs(NOW)).map(drop);
            assert!(verdict.is_err(), "another webhook id: {:?}", self.scheme);
        }
    }
}

fn sign(signer: &Signer, body: &[u8], id: &str, secs: u64) -> HeaderMap {
    let url = format!("{ORIGIN}/in");
    let outgoing = Outgoing::new(body).id(id).timestamp(UnixTime::from_secs(secs)).url(&url);
    signer.sign(&outgoing.webhook_id(WEBHOOK_ID)).expect("nothing is missing")
}

/// JSON with an item, and the event's time where the scheme looks for it.
fn body_for(scheme: &Scheme, text: &str, secs: u64) -> Vec<u8> {
    let item = serde_json::json!({ "pspReference": text, "eventCode": "AUTHORISATION" });
    let mut json =
        serde_json::json!({ "notificationItems": [{ "NotificationRequestItem": item }], "text": text });
    if let Freshness::EventTime { pointer, format, .. } = scheme.freshness() {
        let time = match format {
            TimestampFormat::Rfc3339 => format!("2023-11-14T22:13:{}Z", 20 + secs - NOW).into(),
            TimestampFormat::Millis => (secs * 1000).into(),
            _ => serde_json::Value::from(secs),
        };
        let names = pointer.to_string();
        let mut place = &mut json;
        for name in names.split('/').skip(1) {
            place = &mut place[name.replace("~1", "/").as_str()];
        }
        *place = time;
    }
    json.to_string().into_bytes()
}

/// A key to sign with and one to verify with, of the kind that the scheme has.
fn keys(scheme: &Scheme) -> Option<(Key, Key)> {
    let of = |texts: (&str, &str)| Some((Key::new("key", texts.0), Key::new("key", texts.1)));
    let fits = |texts: (&str, &str)| {
        let (signing, verifying) = of(texts)?;
        let builder = Verifier::builder(scheme.clone()).key(verifying.clone()).public_url(ORIGIN);
        let builder = if scheme.signs_webhook_id() { builder.webhook_id(WEBHOOK_ID) } else { builder };
        let signer = Signer::new(scheme, &signing).ok()?;
        // A private key of another kind is one that the signer finds out about when it signs.
        let signs = signer.sign(&Outgoing::new(b"{}").id("a").timestamp(UnixTime::from_secs(NOW))).is_ok();
        builder.build().ok().filter(|_| signs).map(|_| (signing, verifying))
    };
    let pairs = ["discord", "sendgrid", "paypal", "plaid"].map(|name| pair(name).expect("a pair"));
    // The secret first: the halves of a pair are two secrets where texts are secrets.
    let (private, public) = ed25519_in_der();
    let ed25519 = (private.as_str(), public.as_str());
    let found = [(SECRET, SECRET), (PRIVATE, PUBLIC), ed25519].into_iter().chain(pairs).find_map(fits);
    Some(found.unwrap_or_else(|| panic!("no key fits: {scheme:?}")))
}

/// Discord's pair as PKCS#8 and as `SubjectPublicKeyInfo` (RFC 8410).
fn ed25519_in_der() -> (String, String) {
    let (private, public) = pair("discord").expect("a pair");
    let in_der = |digits: String| STANDARD.encode(hex::decode(digits).expect("hexadecimal"));
    let private = in_der(format!("302e020100300506032b657004220420{}", &private[..64]));
    (private, in_der(format!("302a300506032b6570032100{public}")))
}
