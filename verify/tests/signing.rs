//! What a signer does not send, because no receiver would take it; and the bounds of what it sends.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{Key, Outgoing, Scheme, SignError, Signer, Verifier};
use http::Request;
use sources::{KEY, NOW, Source, at};

/// The same where the id is signed and where it only stands beside.
#[test]
fn an_id_is_one_that_a_receiver_takes() {
    let longest = "a".repeat(256);
    for name in ["gitlab", "github"] {
        let source = Source::named(name);
        let sign = |id: &str| source.signer.sign(&Outgoing::new(b"{}").id(id).timestamp(at(NOW)));
        for id in ["evt_1-A", &longest] {
            let headers = sign(id).unwrap();
            let proof = source.verifier.verify(&headers, b"{}", at(NOW)).unwrap();
            assert_eq!(proof.event_id().map(|id| id.value.into_owned()).as_deref(), Some(id), "{name}");
        }
        for id in ["", "a.b", "a b", "é", "a\n", &"a".repeat(257)] {
            assert_eq!(sign(id).unwrap_err(), SignError::BadId, "{name}: {id:?}");
        }
    }
}

#[test]
fn an_id_is_missed_only_where_it_is_signed() {
    let sign = |name| Source::named(name).signer.sign(&Outgoing::new(b"{}")).map(drop);
    let missing = SignError::IdMissing { scheme: "gitlab".into() };
    assert_eq!(sign("gitlab"), Err(missing.clone()));
    assert_eq!(missing.to_string(), "scheme 'gitlab' signs the event id: set Outgoing::id");
    assert_eq!(sign("github"), Ok(()));
}

#[test]
fn an_event_type_fits_its_header() {
    let sign = |event_type| {
        let outgoing = Outgoing::new(b"{}").event_type(event_type);
        Source::named("github").signer.sign(&outgoing).map(drop)
    };
    assert_eq!(sign("push"), Ok(()));
    assert_eq!(sign("push\npull"), Err(SignError::BadEventType));
}

#[test]
fn a_body_without_items_is_not_signed() {
    let signed = |body: &[u8]| Source::named("adyen-payments").signer.signed_body(body).map(drop);
    assert_eq!(signed(br#"{"notificationItems":[{"NotificationRequestItem":{}}]}"#), Ok(()));
    for body in
        [&b"{}"[..], br#"{"notificationItems":[]}"#, br#"{"notificationItems":[{}]}"#, b"", b"no JSON"]
    {
        assert_eq!(signed(body), Err(SignError::NoItems), "{}", String::from_utf8_lossy(body));
    }
}

/// Twilio signs no form where the URL has the body's digest: what then looks like a form counts by its digest alone.
#[test]
fn a_digest_in_the_url_stands_for_the_form() {
    let twilio = Source::named("twilio");
    let body = b"Digits=1";
    // Of this body, with `sha256sum`.
    let digest = "7ed8d538964985cbe2c866f884d7a5d26031ab6b8afbd451de6405525cf29dad";
    let path = format!("/in?bodySHA256={digest}");
    let url = format!("https://hooks.example.com{path}");
    let mut request = Request::post(&path).body(()).unwrap();
    *request.headers_mut() = twilio.signer.sign(&Outgoing::new(body).url(&url)).unwrap();
    assert_eq!(twilio.verifier.verify(&request, body, at(NOW)).map(drop), Ok(()));
    let other = twilio.verifier.verify(&request, b"Digits=2", at(NOW)).map(drop);
    assert_eq!(other, Err(hookproof::Refusal::DigestMismatch));
}

/// A URL that is configured with its port, and signed without.
#[test]
fn a_port_that_is_configured_need_not_be_signed() {
    let twilio = Scheme::by_name("twilio").unwrap();
    let signer = Signer::new(&twilio, &Key::new("k1", KEY)).unwrap();
    let headers = signer.sign(&Outgoing::new(b"Digits=1").url("https://hooks.example.com/in")).unwrap();
    let mut request = Request::post("/in").body(()).unwrap();
    *request.headers_mut() = headers;
    for (port, wanted) in
        [(":443", Ok(())), (":8443", Ok(())), (":", Err(hookproof::Refusal::SignatureMismatch))]
    {
        let origin = format!("https://hooks.example.com{port}");
        let builder = Verifier::builder(twilio.clone()).key(Key::new("k1", KEY)).public_url(origin);
        let verdict = builder.build().unwrap().verify(&request, b"Digits=1", at(NOW)).map(drop);
        assert_eq!(verdict, wanted, "{port}");
    }
}

#[cfg(feature = "asymmetric")]
#[test]
fn halves_that_do_not_belong_together_sign_nothing() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let standard = hookproof::schemes::standard_webhooks();
    let pair = "ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";
    let sign = |pair: &[u8]| {
        let key = Key::new("k1", format!("whsk_{}", STANDARD.encode(pair)));
        let signer = Signer::new(&standard, &key).unwrap();
        signer.sign(&Outgoing::new(b"{}").id("evt_1").timestamp(at(NOW))).map(drop)
    };
    let mut pair = STANDARD.decode(pair).unwrap();
    assert_eq!(sign(&pair), Ok(()), "the control");
    pair[0] ^= 1;
    assert_eq!(sign(&pair), Err(SignError::BadKeyPair));
}
