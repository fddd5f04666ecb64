//! What may be logged never shows a key, a MAC or a body.

#![cfg(test)]

#[cfg(feature = "asymmetric")]
#[path = "support/key_pairs.rs"]
mod key_pairs;

use std::fmt::Debug;

use hookproof::handshake::{AsanaRegistration, VerifyToken};
use hookproof::{Key, KeyRing, Outgoing, Refusal, RequestView, Scheme, Signer, UnixTime, Verifier, schemes};

const KEY: &str = "canary-3f1d9a77-never-print-this";
const BODY: &str = "canary-body-8c41";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// Every form in which a secret could turn up: as it is, hex, base64, and as a list of numbers.
fn forms(secret: &[u8]) -> Vec<String> {
    use base64::Engine as _;
    let numbers = format!("{secret:?}");
    vec![
        String::from_utf8_lossy(secret).into_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        base64::engine::general_purpose::STANDARD.encode(secret),
        numbers.trim_matches(['[', ']']).to_owned(),
    ]
}

fn leaks(shown: &str, secrets: &[Vec<u8>]) -> bool {
    secrets.iter().flat_map(|secret| forms(secret)).any(|form| shown.contains(&form))
}

fn assert_redacted(name: &str, value: &impl Debug, secrets: &[Vec<u8>]) {
    for shown in [format!("{value:?}"), format!("{value:#?}").replace(['\n', ' '], "")] {
        assert!(!shown.is_empty());
        assert!(!leaks(&shown, secrets), "{name} shows a secret: {shown}");
    }
}

/// The signature that `scheme` would have on this body, as its bytes.
fn mac(headers: &http::HeaderMap) -> Vec<u8> {
    let text = headers["x-hub-signature-256"].to_str().unwrap();
    hex::decode(text.trim_start_matches("sha256=")).unwrap()
}

#[test]
fn debug_shows_no_secret() {
    let key = Key::new("k1", KEY);
    let body = format!(r#"{{"text":"{BODY}"}}"#).into_bytes();
    let builder = Verifier::builder(schemes::github()).key(key.clone());
    let verifier = builder.clone().build().unwrap();
    let signer = Signer::new(&schemes::github(), &key).unwrap();
    let headers = signer.sign(&Outgoing::new(&body)).unwrap();
    let mut pending = verifier.begin(RequestView::from(&headers), NOW).unwrap();
    pending.update(&body).unwrap();
    let proof = verifier.verify(&headers, body.clone(), NOW).unwrap();
    let secrets = [KEY.into(), BODY.into(), body, mac(&headers)];

    assert_redacted("Key", &key, &secrets);
    assert_redacted("KeyRing", &KeyRing::new(&schemes::github(), &[key]).unwrap(), &secrets);
    assert_redacted("VerifierBuilder", &builder, &secrets);
    assert_redacted("Verifier", &verifier, &secrets);
    assert_redacted("Signer", &signer, &secrets);
    let outgoing = format!("{:?}", Outgoing::new(b"a body that is nobody's business").timestamp(NOW));
    let shown =
        "Outgoing { id: None, event_type: None, timestamp: UnixTime(1700000000000), body_len: 32, .. }";
    assert_eq!(outgoing, shown);
    assert_redacted("Pending", &pending, &secrets);
    assert_redacted("Verified", &proof, &secrets);
    assert_redacted("Verified, cloned", &Some(proof.clone()), &secrets);
    assert_redacted("ReplayKey", &proof.replay_key("source"), &secrets);
    assert_redacted("VerifyToken", &VerifyToken::new(KEY).unwrap(), &secrets);
    #[cfg(feature = "tower")]
    {
        use hookproof::middleware::{Handshake, Source};
        let token = VerifyToken::new(KEY).unwrap();
        let layer = hookproof::VerifyLayer::new(Source::new("in", verifier));
        let layer = layer.handshake(Handshake::meta(token)).handshake(Handshake::zoom());
        assert_redacted("VerifyLayer", &layer, &secrets);
        let shown = format!("{layer:?}");
        assert!(shown.contains("handshakes: [Meta, Zoom]") && shown.contains("guarded: false"), "{shown}");
        assert!(shown.contains(r#""in""#) && shown.contains("github"), "the source: {shown}");
    }
}

#[test]
fn what_asana_sent_is_not_shown() {
    let registration = AsanaRegistration::new("/in");
    registration.open(NOW);
    let request = http::Request::post("/in").header("x-hook-secret", KEY).body(()).unwrap();
    let secret = registration.take((&request).into(), NOW).unwrap().unwrap();
    let secrets = [KEY.into()];
    assert_redacted("HookSecret", &secret, &secrets);
    assert_redacted("its answer", &secret.answer(), &secrets);
    assert_redacted("its key", &secret.to_key("k1"), &secrets);
    assert_redacted("AsanaRegistration", &registration, &secrets);
}

#[test]
fn a_verify_token_that_is_wrong_is_not_shown() {
    let error = VerifyToken::new(&format!("{KEY}\n")).unwrap_err();
    assert!(!leaks(&format!("{error} {error:?}"), &[KEY.into()]), "{error}");
}

#[test]
fn errors_show_no_key() {
    let texts = [format!("{KEY}\n"), format!("whsec_{KEY}"), "canary-short".to_owned()];
    for scheme in Scheme::all().chain([schemes::standard_webhooks()]) {
        for text in &texts {
            let key = Key::new("k1", text.as_str());
            let Err(error) = Verifier::builder(scheme.clone()).keys([key.clone(), key]).build() else {
                continue;
            };
            let secrets = [text.clone().into_bytes(), KEY.into()];
            assert_redacted("ConfigError", &error, &secrets);
            assert!(!leaks(&error.to_string(), &secrets), "{error}");
        }
    }
}

/// The private half is as secret as a shared secret: as text, and as the bytes that it stands for.
#[cfg(feature = "asymmetric")]
#[test]
fn debug_and_errors_show_no_private_key() {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    for scheme in Scheme::all() {
        let Some((private, _)) = key_pairs::pair(scheme.name()) else { continue };
        let key = Key::new("k1", private);
        let d = private.split(r#""d": ""#).nth(1).and_then(|rest| rest.split('"').next());
        let decoded = [
            hex::decode(private).ok(),
            STANDARD.decode(private).ok(),
            d.and_then(|d| URL_SAFE_NO_PAD.decode(d).ok()),
        ];
        let secrets: Vec<_> = decoded.into_iter().flatten().chain([private.as_bytes().to_vec()]).collect();
        assert!(secrets.len() > 1, "{}: the text and its bytes", scheme.name());
        let signer = Signer::new(&scheme, &key).unwrap();
        let builder = Verifier::builder(scheme.clone()).webhook_id("WH").key(key.clone());
        let builder =
            if scheme.signs_webhook_id() { builder } else { Verifier::builder(scheme).key(key.clone()) };
        let error = builder.clone().build().unwrap_err();
        assert!(matches!(error, hookproof::ConfigError::UndecodableKey { .. }), "{error}");
        assert_redacted("Key", &key, &secrets);
        assert_redacted("Signer", &signer, &secrets);
        assert_redacted("VerifierBuilder", &builder, &secrets);
        assert_redacted("ConfigError", &error, &secrets);
        assert!(!leaks(&error.to_string(), &secrets), "{error}");
    }
}

#[test]
fn a_refusal_is_its_code_and_nothing_else() {
    for refusal in Refusal::ALL {
        assert_eq!(refusal.to_string(), refusal.code());
        assert!(refusal.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{refusal}");
    }
}

/// The control: each form is noticed where it is printed.
#[test]
fn a_leak_would_be_noticed() {
    let secrets = [KEY.as_bytes().to_vec()];
    for form in forms(KEY.as_bytes()) {
        assert!(leaks(&format!("Key {{ text: {form} }}"), &secrets), "{form}");
    }
    let printed = format!("{:?}", Some(KEY.as_bytes()));
    assert!(leaks(&printed, &secrets), "what a derived Debug prints is found: {printed}");
}
