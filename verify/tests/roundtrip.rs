//! What a provider signs is accepted through both doors; with any signed thing changed it is refused, for that reason.

#![cfg(test)]

#[path = "support/coverage.rs"]
mod coverage;
#[path = "support/sources.rs"]
mod sources;

use bytes::Bytes;
use hookproof::{
    Encoding, Freshness, Key, Location, Outgoing, Part, Refusal, RequestView, Scheme, Signer, TimestampAt,
    TimestampFormat, UnixTime, Verified, Verifier, Window,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use proptest::prelude::*;
use proptest::sample::Index;
use sources::{NOW, PRESETS, Source, at, body};

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
    let mut request = Request::post("/").body(()).unwrap();
    *request.headers_mut() = headers;
    request
}

#[test]
fn every_preset_takes_part() {
    assert_eq!(Source::all().count(), PRESETS);
}

/// What a test does with a preset.
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
    fn source(&self) -> &'static Source {
        Source::all().nth(self.preset).unwrap()
    }

    fn sent(&self) -> Sent {
        self.sent_at(NOW)
    }

    fn sent_at(&self, secs: u64) -> Sent {
        let source = self.source();
        let (headers, body) = source.delivery(&body(NOW, &self.id, &self.text), &self.id, secs);
        Sent { source, headers, body }
    }

    /// The receiver's clock is as late as the window of the preset allows, and no later.
    fn verdict(&self, sent: &Sent) -> Verdict {
        let most = window(&sent.source.scheme).map_or(self.age, |window| window.past.as_secs());
        let now = at(NOW + self.age.min(most));
        both_doors(&sent.source.verifier, &request(sent.headers.clone()), &sent.body, now, &self.cuts)
    }
}

fn window(scheme: &Scheme) -> Option<Window> {
    match scheme.freshness() {
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => Some(*window),
        _ => None,
    }
}

/// A request on its way.
#[derive(Clone)]
struct Sent {
    source: &'static Source,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    /// The text of the signature: the header's, or the one in the body.
    fn signature(&self) -> String {
        match self.source.scheme.signature_headers().first() {
            Some(name) => self.headers[name].to_str().unwrap().to_owned(),
            None => self.json().pointer(IN_BODY).unwrap().as_str().unwrap().to_owned(),
        }
    }

    fn with_signature(&self, text: &str) -> Self {
        let Some(name) = self.source.scheme.signature_headers().first() else {
            let mut json = self.json();
            *json.pointer_mut(IN_BODY).unwrap() = text.into();
            return Self { body: json.to_string().into_bytes(), ..self.clone() };
        };
        self.with_header(name, text)
    }

    fn with_header(&self, name: &HeaderName, text: &str) -> Self {
        let mut sent = self.clone();
        sent.headers.insert(name.clone(), HeaderValue::from_str(text).unwrap());
        sent
    }

    fn with_body(&self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self.clone() }
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

const IN_BODY: &str = "/notificationItems/0/NotificationRequestItem/additionalData/hmacSignature";

/// Another signature of the same form: its first character is one up in its alphabet.
fn other_signature(scheme: &str, text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if scheme == "metalocator" {
        // Base64 of hexadecimal: the change is made under the base64, where the digits are.
        let digits = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
        return STANDARD.encode(other_signature("", &digits));
    }
    // The padding belongs to it; a token's signature is its last part, and a message's stands between colons.
    let start = text.trim_end_matches(['=', ':']).rfind([',', '=', '.', ':']).map_or(0, |at| at + 1);
    let (head, signature) = text.split_at(start);
    let first = if signature.starts_with('a') { 'b' } else { 'a' };
    format!("{head}{first}{}", signature.split_at(1).1)
}

/// What a signature that was cut or extended is refused for.
fn refusal_of_length(scheme: &str, text: &str) -> Refusal {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let lengths = match scheme {
        // The secret itself has no form.
        "gitlab-token" if !text.is_empty() => return Refusal::SignatureMismatch,
        // These have no length of their own: ECDSA in DER, and RSA.
        "sendgrid" => 8..=72,
        "paypal" => 1..=512,
        _ => return Refusal::MalformedHeader,
    };
    match STANDARD.decode(text) {
        Ok(bytes) if lengths.contains(&bytes.len()) => Refusal::SignatureMismatch,
        _ => Refusal::MalformedHeader,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_signed_is_accepted(delivery in delivery()) {
        let sent = delivery.sent();
        let proof = delivery.verdict(&sent).unwrap();
        prop_assert_eq!(&proof.body()[..], &sent.body[..]);
        prop_assert_eq!(proof.key_id(), "key");
        prop_assert_eq!(proof.timestamp(), window(&sent.source.scheme).map(|_| at(NOW)));
        prop_assert!(proof.event_id().is_none_or(|id| id.value == delivery.id));
    }

    #[test]
    fn a_changed_body_is_refused_for_what_is_signed_of_it(
        delivery in delivery(), at in any::<Index>(), bit in 0..8u8, more in any::<u8>()
    ) {
        let sent = delivery.sent();
        let body = &sent.body[..];
        let mut flipped = body.to_vec();
        flipped[at.index(body.len())] ^= 1 << bit;
        let longer = [body, &[more]].concat();
        let covers = coverage::of(sent.source.scheme.name());
        for other in [&flipped, &body[..body.len() - 1], &body[1..], &longer, b""] {
            let verdict = delivery.verdict(&sent.with_body(other)).map(drop);
            prop_assert_eq!(covers.judge(body, other, verdict), Ok(()));
        }
    }

    #[test]
    fn another_signature_is_a_mismatch(delivery in delivery()) {
        let sent = delivery.sent();
        let other = sent.with_signature(&other_signature(sent.source.scheme.name(), &sent.signature()));
        prop_assert_eq!(delivery.verdict(&other).unwrap_err(), Refusal::SignatureMismatch);
    }

    #[test]
    fn a_signature_that_is_cut_or_extended_is_refused(delivery in delivery(), keep in any::<Index>()) {
        let sent = delivery.sent();
        let text = sent.signature();
        let cut = text.split_at(keep.index(text.len())).0;
        for other in [cut, &format!("{text}0")] {
            let wanted = refusal_of_length(sent.source.scheme.name(), other);
            prop_assert_eq!(delivery.verdict(&sent.with_signature(other)).unwrap_err(), wanted, "{}", other);
        }
    }

    #[test]
    fn another_signed_time_is_a_mismatch(delivery in delivery(), later in 1..=60u64) {
        let sent = delivery.sent();
        let Freshness::SignedTimestamp { at: place, window, .. } = sent.source.scheme.freshness() else { return Ok(()) };
        let later = later.min(window.future.as_secs());
        let other = delivery.sent_at(NOW + later);
        let changed = match place {
            TimestampAt::Header(name) => sent.with_header(name, other.headers[name].to_str().unwrap()),
            TimestampAt::Created => {
                let name = HeaderName::from_static("signature-input");
                sent.with_header(&name, other.headers[&name].to_str().unwrap())
            }
            TimestampAt::Claim(_) => {
                let (claims, own) = (other.signature(), sent.signature());
                let (content, signature) = (claims.rsplit_once('.').unwrap().0, own.rsplit_once('.').unwrap().1);
                sent.with_signature(&format!("{content}.{signature}"))
            }
            _ => sent.with_signature(&sent.signature().replacen(&NOW.to_string(), &(NOW + later).to_string(), 1)),
        };
        prop_assert_ne!(&changed.headers, &sent.headers);
        prop_assert_eq!(delivery.verdict(&changed).unwrap_err(), Refusal::SignatureMismatch);
    }

    #[test]
    fn another_signed_id_is_a_mismatch(delivery in delivery(), id in "[A-Za-z0-9_-]{1,64}") {
        prop_assume!(id != delivery.id);
        let sent = delivery.sent();
        let Some(place @ Location::Header(name)) = sent.source.scheme.event_id_location() else { return Ok(()) };
        prop_assume!(sent.source.scheme.is_signed(place));
        prop_assert_eq!(delivery.verdict(&sent.with_header(name, &id)).unwrap_err(), Refusal::SignatureMismatch);
    }

    #[test]
    fn outside_the_window_is_too_old_or_too_new(delivery in delivery(), beyond in 1..100_000u64) {
        let sent = delivery.sent();
        let Some(window) = window(&sent.source.scheme) else { return Ok(()) };
        let request = request(sent.headers);
        let verdict = |now| both_doors(&sent.source.verifier, &request, &sent.body, at(now), &delivery.cuts).map(drop);
        let (past, future) = (window.past.as_secs(), window.future.as_secs());
        prop_assert_eq!(verdict(NOW + past), Ok(()));
        prop_assert_eq!(verdict(NOW + past + beyond), Err(Refusal::TimestampTooOld));
        prop_assert_eq!(verdict(NOW - future), Ok(()));
        prop_assert_eq!(verdict(NOW - future - beyond), Err(Refusal::TimestampTooNew));
    }
}

/// The ids of these are signed; the property above says nothing of the others.
#[test]
fn the_presets_that_sign_an_id_in_a_header() {
    let signs_its_id = |source: &&Source| {
        let place = source.scheme.event_id_location();
        place.is_some_and(|place| matches!(place, Location::Header(_)) && source.scheme.is_signed(place))
    };
    let names: Vec<_> = Source::all().filter(signs_its_id).map(|source| source.scheme.name()).collect();
    let paypal = cfg!(feature = "asymmetric").then_some("paypal");
    let wanted: Vec<_> =
        ["standard-webhooks", "gitlab", "openai", "svix"].into_iter().chain(paypal).collect();
    assert_eq!(names, wanted);
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
