//! What a provider signs is accepted through both doors; with any signed thing changed it is refused, for that reason.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use bytes::Bytes;
use hookproof::{
    Encoding, Freshness, Key, Outgoing, Part, Refusal, RequestView, Scheme, Signer, TimestampAt,
    TimestampFormat, UnixTime, Verified, Verifier,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use proptest::prelude::*;
use sources::{NOW, Source, URL, at, body};

type Verdict = Result<Verified<Bytes>, Refusal>;

/// At once, and in pieces of the given lengths; they must agree.
fn both_doors(
    verifier: &Verifier,
    request: &Request<()>,
    body: &[u8],
    now: UnixTime,
    cuts: &[usize],
) -> Verdict {
    let at_once = verifier.verify(request, Bytes::copy_from_slice(body), now);
    let by_and_by = in_pieces(verifier, request, body, now, cuts);
    assert_eq!(at_once.as_ref().map(facts).err(), by_and_by.as_ref().map(facts).err(), "the doors disagree");
    assert_eq!(at_once.as_ref().map(facts).ok(), by_and_by.as_ref().map(facts).ok(), "the proofs differ");
    by_and_by
}

/// All that a proof tells.
fn facts(proof: &Verified<Bytes>) -> impl PartialEq + std::fmt::Debug {
    let id = proof.event_id().map(|id| (id.value.into_owned(), id.provenance));
    let event_type = proof.event_type().map(|kind| (kind.value.into_owned(), kind.provenance));
    (
        proof.body().clone(),
        proof.key_id().to_owned(),
        proof.timestamp(),
        id,
        event_type,
        proof.replay_key("source"),
    )
}

fn in_pieces(
    verifier: &Verifier,
    request: &Request<()>,
    body: &[u8],
    now: UnixTime,
    cuts: &[usize],
) -> Verdict {
    let mut pending = verifier.begin(RequestView::from(request), now)?;
    let mut rest = body;
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        pending.update(piece)?;
        rest = after;
    }
    pending.update(rest)?;
    pending.finish()
}

fn request(headers: HeaderMap) -> Request<()> {
    let mut request = Request::post("/in").body(()).unwrap();
    *request.headers_mut() = headers;
    request
}

/// How many presets there are; a test has a look.
const PRESETS: usize = 48;

#[test]
fn every_preset_takes_part() {
    assert_eq!(Source::all().count(), PRESETS);
}

/// A signed delivery of a preset.
#[derive(Clone, Debug)]
struct Delivery {
    preset: usize,
    id: String,
    text: String,
    age: u64,
    cuts: Vec<usize>,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let cuts = prop::collection::vec(0..130usize, 0..6);
    (0..PRESETS, "[A-Za-z0-9_-]{1,64}", "\\PC{0,80}", 0..=300u64, cuts)
        .prop_map(|(preset, id, text, age, cuts)| Delivery { preset, id, text, age, cuts })
}

impl Delivery {
    fn source(&self) -> Source {
        Source::all().nth(self.preset).unwrap()
    }

    fn signed(&self, source: &Source) -> (HeaderMap, Vec<u8>) {
        source.delivery(&body(NOW, &self.id, &self.text), &self.id, NOW)
    }

    fn verdict(&self, source: &Source, headers: HeaderMap, body: &[u8]) -> Verdict {
        both_doors(&source.verifier, &request(headers), body, at(NOW + self.age), &self.cuts)
    }
}

fn has_time(scheme: &Scheme) -> bool {
    !matches!(scheme.freshness(), Freshness::None)
}

/// The headers with one value changed.
fn replaced(headers: &HeaderMap, name: &HeaderName, change: impl Fn(&str) -> String) -> HeaderMap {
    let mut headers = headers.clone();
    let value = change(headers[name].to_str().unwrap());
    headers.insert(name.clone(), HeaderValue::from_str(&value).unwrap());
    headers
}

/// Another signature of the same form: its first character is one up in its alphabet.
fn other_signature(text: &str) -> String {
    let start = text.rfind([',', '=']).filter(|at| at + 1 < text.len()).map_or(0, |at| at + 1);
    let start = if text.ends_with('=') { text.rfind(',').map_or(0, |at| at + 1) } else { start };
    let (head, signature) = text.split_at(start);
    let first = if signature.starts_with('a') { 'b' } else { 'a' };
    format!("{head}{first}{}", signature.split_at(1).1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_signed_is_accepted(delivery in delivery()) {
        let source = delivery.source();
        let (headers, body) = delivery.signed(&source);
        let proof = delivery.verdict(&source, headers, &body).unwrap();
        prop_assert_eq!(&proof.body()[..], &body[..]);
        prop_assert_eq!(proof.key_id(), "key");
        prop_assert_eq!(proof.timestamp(), has_time(&source.scheme).then(|| at(NOW)));
        prop_assert!(proof.event_id().is_none_or(|id| id.value == delivery.id));
    }

    #[test]
    fn a_flipped_bit_of_the_body_is_a_mismatch(delivery in delivery(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let source = delivery.source();
        let (headers, mut body) = delivery.signed(&source);
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        let refusal = delivery.verdict(&source, headers, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::SignatureMismatch);
    }

    #[test]
    fn a_shorter_or_longer_body_is_a_mismatch(delivery in delivery(), more in any::<u8>()) {
        let source = delivery.source();
        let (headers, body) = delivery.signed(&source);
        let longer = [&body[..], &[more]].concat();
        for other in [&body[..body.len() - 1], &body[1..], &longer, b""] {
            let refusal = delivery.verdict(&source, headers.clone(), other).unwrap_err();
            prop_assert_eq!(refusal, Refusal::SignatureMismatch);
        }
    }

    #[test]
    fn another_signature_is_a_mismatch(delivery in delivery()) {
        let source = delivery.source();
        let (headers, body) = delivery.signed(&source);
        let name = &source.scheme.signature_headers()[0];
        let changed = replaced(&headers, name, other_signature);
        prop_assume!(source.scheme.name() != "metalocator");
        let refusal = delivery.verdict(&source, changed, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::SignatureMismatch);
    }

    #[test]
    fn a_signature_that_is_cut_or_extended_is_malformed(delivery in delivery(), keep in any::<prop::sample::Index>()) {
        let source = delivery.source();
        let (headers, body) = delivery.signed(&source);
        let name = &source.scheme.signature_headers()[0];
        let keep = keep.index(headers[name].len());
        let cut = replaced(&headers, name, |text| text.split_at(keep).0.to_owned());
        let refusal = delivery.verdict(&source, cut, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::MalformedHeader);
        let extended = replaced(&headers, name, |text| format!("{text}0"));
        let refusal = delivery.verdict(&source, extended, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::MalformedHeader);
    }

    #[test]
    fn another_signed_time_is_a_mismatch(delivery in delivery(), later in 1..=60u64) {
        let source = delivery.source();
        let Freshness::SignedTimestamp { at: place, .. } = source.scheme.freshness() else { return Ok(()) };
        let (headers, body) = delivery.signed(&source);
        let name = match place {
            TimestampAt::Header(name) => name,
            _ => &source.scheme.signature_headers()[0],
        };
        let other = (NOW + later).to_string();
        let changed = replaced(&headers, name, |text| text.replacen(&NOW.to_string(), &other, 1));
        prop_assert_ne!(&changed, &headers);
        let refusal = delivery.verdict(&source, changed, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::SignatureMismatch);
    }

    #[test]
    fn another_signed_id_is_a_mismatch(delivery in delivery(), id in "[A-Za-z0-9_-]{1,64}") {
        prop_assume!(id != delivery.id);
        let source = Source::of(hookproof::schemes::standard_webhooks());
        let (headers, body) = delivery.signed(&source);
        let changed = replaced(&headers, &HeaderName::from_static("webhook-id"), |_| id.clone());
        let refusal = delivery.verdict(&source, changed, &body).unwrap_err();
        prop_assert_eq!(refusal, Refusal::SignatureMismatch);
    }

    #[test]
    fn outside_the_window_is_too_old_or_too_new(delivery in delivery(), beyond in 1..100_000u64) {
        let source = delivery.source();
        let (Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. }) = source.scheme.freshness()
        else { return Ok(()) };
        let (headers, body) = delivery.signed(&source);
        let request = request(headers);
        let verdict = |now| both_doors(&source.verifier, &request, &body, at(now), &delivery.cuts).map(drop);
        let (past, future) = (window.past.as_secs(), window.future.as_secs());
        prop_assert_eq!(verdict(NOW + past), Ok(()));
        prop_assert_eq!(verdict(NOW + past + beyond), Err(Refusal::TimestampTooOld));
        prop_assert_eq!(verdict(NOW - future), Ok(()));
        prop_assert_eq!(verdict(NOW - future - beyond), Err(Refusal::TimestampTooNew));
    }
}

/// Base64 of hexadecimal: the change is made under the base64, where the digits are.
#[test]
fn another_signature_of_metalocator_is_a_mismatch() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let source = Source::of(hookproof::schemes::metalocator());
    let body = body(NOW, "evt_1", "");
    let headers = source.signer.sign(&Outgoing::new(&body).url(URL).timestamp(at(NOW))).unwrap();
    let changed = replaced(&headers, &source.scheme.signature_headers()[0], |text| {
        let digits = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        STANDARD.encode(other_signature(&digits))
    });
    let verdict = both_doors(&source.verifier, &request(changed), &body, at(NOW), &[7]);
    assert_eq!(verdict.unwrap_err(), Refusal::SignatureMismatch);
}

#[test]
fn another_method_or_url_is_a_mismatch() {
    let scheme = Scheme::builder("acme")
        .signature_header("x-signature")
        .encoding(Encoding::Base64)
        .timestamp_header("x-time", TimestampFormat::Millis)
        .signed([Part::Method, Part::Url, Part::Body, Part::Timestamp])
        .build()
        .unwrap();
    let key = Key::new("k1", "a secret of more than sixteen bytes");
    let outgoing = Outgoing::new(b"{}").url("https://hooks.example.com/in").timestamp(at(NOW));
    let headers = Signer::new(&scheme, &key).unwrap().sign(&outgoing).unwrap();
    let verifier =
        Verifier::builder(scheme).key(key).public_url("https://hooks.example.com").build().unwrap();
    let verdict = |method: Method, path: &str| {
        let mut request = request(headers.clone());
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().unwrap());
        both_doors(&verifier, &request, b"{}", at(NOW), &[1]).map(drop)
    };
    assert_eq!(verdict(Method::POST, "/in"), Ok(()));
    assert_eq!(verdict(Method::PUT, "/in"), Err(Refusal::SignatureMismatch));
    assert_eq!(verdict(Method::POST, "/in?"), Err(Refusal::SignatureMismatch));
    assert_eq!(verdict(Method::POST, "/IN"), Err(Refusal::SignatureMismatch));
}

#[cfg(feature = "asymmetric")]
#[test]
fn an_ed25519_signature_holds_for_its_bytes_only() {
    let standard = hookproof::schemes::standard_webhooks();
    let private =
        "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";
    let public = "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=";
    let outgoing = Outgoing::new(b"{}").id("evt_1").timestamp(at(NOW));
    let headers = Signer::new(&standard, &Key::new("k1", private)).unwrap().sign(&outgoing).unwrap();
    let verifier = Verifier::builder(standard).key(Key::new("k1", public)).build().unwrap();
    let request = request(headers);
    assert!(both_doors(&verifier, &request, b"{}", at(NOW), &[1]).is_ok());
    for body in [&b"{ }"[..], b"{", b"", b"{}\n"] {
        let refusal = both_doors(&verifier, &request, body, at(NOW), &[1]).unwrap_err();
        assert_eq!(refusal, Refusal::SignatureMismatch);
    }
}
