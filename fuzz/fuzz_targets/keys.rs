//! Whatever text is accepted as a key verifies what it signs, and nothing of the ring's other keys; what is accepted as
//! a public key verifies a signature only if it is the signer's; and no error shows a piece of a key.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookproof::{ConfigError, Key, KeyFormat, Refusal, Scheme, Signer, UnixTime, Verifier, schemes};
use hookproof_fuzz::{NOW, ORIGIN, PRIVATE, PUBLIC, WEBHOOK_ID, key_text, pair};
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

const BODY: &[u8] = b"{}";
/// A piece of a key of so many bytes in an error is a leak.
const TELLING: usize = 10;

/// A scheme for each way to write a key; the later ones have public keys.
static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(|| {
    let in_base64 = schemes::github().to_builder().key_format(KeyFormat::Base64).build().expect("a scheme");
    let secrets = [
        schemes::github(),
        schemes::adyen_platform(),
        in_base64,
        schemes::gitlab(),
        schemes::gitlab_token(),
        schemes::intercom(),
        schemes::standard_webhooks(),
    ];
    let public = [schemes::discord(), schemes::sendgrid(), schemes::paypal(), schemes::plaid()];
    secrets.into_iter().chain(public).collect()
});

/// What errors say by themselves: of keys that are wrong in every way, and none of these is in the list of what they say.
static SAID: LazyLock<String> = LazyLock::new(|| {
    let texts =
        ["", " x", "x ", "x", "0", "x\u{e9}yyyyyyyyyyyyyyyyyyyyy", "whpk_0", "whsk_0", PUBLIC, PRIVATE];
    let halves = SCHEMES.iter().filter_map(|scheme| pair(scheme.name()));
    let texts = texts.into_iter().chain(halves.flat_map(|(private, public)| [private, public]));
    let off_curve = format!("{}0", &pair("sendgrid").expect("a pair").1[..121]);
    let texts: Vec<_> = texts.map(str::to_owned).chain([off_curve, "00".repeat(32)]).collect();
    let errors = SCHEMES.iter().flat_map(|scheme| {
        texts.iter().flat_map(|text| {
            let key = Key::new("key", text.as_str());
            [build(scheme, [key.clone()]).err(), Signer::new(scheme, &key).err()]
        })
    });
    let equal = ConfigError::EqualKeys { first: "key".into(), second: "other".into() };
    let sizes = "an RSA key of 2,048 to 4,096 bits with an odd exponent a point on the curve P-256";
    errors
        .flatten()
        .chain([equal])
        .map(|error| format!("{error} {error:?}"))
        .chain([sizes.to_owned()])
        .collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let scheme = &SCHEMES[usize::from(*choice & 0x7f) % SCHEMES.len()];
    let key = Key::new("key", text);
    let key = if *choice > 0x7f { key.danger_allow_short_key() } else { key };
    let (verifier, signer) = (build(scheme, [key.clone()]), Signer::new(scheme, &key));
    for error in [verifier.as_ref().err(), signer.as_ref().err()].into_iter().flatten() {
        assert_silent(text, error);
    }
    match (verifier, signer) {
        (Ok(verifier), Ok(signer)) => both_ways(scheme, key, &verifier, &signer),
        (Ok(verifier), Err(error)) => {
            assert!(matches!(error, ConfigError::CannotSign { .. }), "{error}");
            if verifies_the_pairs_signature(scheme, &verifier) {
                assert!(is_the_pairs(scheme, text), "{}: another text verifies: {text}", scheme.name());
            }
        }
        (Err(error), Ok(signer)) => {
            assert!(
                error.to_string().contains("private key"),
                "only the sender's half signs and cannot verify: {error}"
            );
            drop(signed(&signer));
        }
        (Err(_), Err(_)) => {}
    }
});

fn build(scheme: &Scheme, keys: impl IntoIterator<Item = Key>) -> Result<Verifier, ConfigError> {
    let builder = Verifier::builder(scheme.clone()).keys(keys).public_url(ORIGIN);
    if scheme.signs_webhook_id() { builder.webhook_id(WEBHOOK_ID).build() } else { builder.build() }
}

fn signed(signer: &Signer) -> Option<HeaderMap> {
    let outgoing = hookproof::Outgoing::new(BODY).id("evt_1").timestamp(UnixTime::from_secs(NOW));
    signer.sign(&outgoing.webhook_id(WEBHOOK_ID)).ok()
}

fn verdict(verifier: &Verifier, headers: &HeaderMap) -> Result<String, Refusal> {
    let proof = verifier.verify(headers, BODY, UnixTime::from_secs(NOW))?;
    Ok(proof.key_id().to_owned())
}

fn both_ways(scheme: &Scheme, key: Key, verifier: &Verifier, signer: &Signer) {
    let headers = signed(signer).expect("a secret signs");
    assert_eq!(verdict(verifier, &headers), Ok("key".to_owned()), "{}: what it signs", scheme.name());
    let other = Key::new("other", key_text(scheme, b"the secret of another key, yes"));
    match build(scheme, [other.clone(), key]) {
        Ok(both) => {
            assert_eq!(verdict(&both, &headers), Ok("key".to_owned()), "it is told apart in a ring");
            let other = build(scheme, [other]).expect("as before");
            assert_eq!(verdict(&other, &headers), Err(Refusal::SignatureMismatch));
        }
        Err(error) => assert!(matches!(error, ConfigError::EqualKeys { .. }), "{error}"),
    }
}

fn verifies_the_pairs_signature(scheme: &Scheme, verifier: &Verifier) -> bool {
    let private = pair(scheme.name()).map_or(PRIVATE, |(private, _)| private);
    let signer = Signer::new(scheme, &Key::new("key", private)).expect("a private key");
    verdict(verifier, &signed(&signer).expect("a pair")).is_ok()
}

/// Whether `text` says the public half of the pair in any of the ways to say it.
fn is_the_pairs(scheme: &Scheme, text: &str) -> bool {
    let public = pair(scheme.name()).map_or(PUBLIC, |(_, public)| public);
    match scheme.name() {
        "discord" => text.trim().eq_ignore_ascii_case(public),
        "plaid" => {
            // Only the members that count are looked into: the others may be numbers beyond any type.
            let read = |text: &str| serde_json::from_str::<HashMap<String, Box<RawValue>>>(text.trim());
            let (Ok(given), Ok(own)) = (read(text), read(public)) else { return false };
            let told = |jwk: &HashMap<String, Box<RawValue>>, name: &str| -> serde_json::Value {
                jwk.get(name)
                    .map(|value| serde_json::from_str(value.get()).expect("JSON"))
                    .unwrap_or_default()
            };
            let same = |name: &str| told(&given, name) == told(&own, name);
            same("x") && same("y") && (same("kid") || told(&given, "kid").is_null())
        }
        "standard-webhooks" => text.trim() == public,
        _ => {
            // Of a certificate the key is a part.
            // A line may end in a CR alone (RFC 7468, section 3).
            let lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.starts_with("-----"));
            let own = STANDARD.decode(public).expect("base64");
            let given = STANDARD.decode(lines.collect::<String>()).unwrap_or_default();
            given.windows(own.len()).any(|part| part == own)
        }
    }
}

fn assert_silent(text: &str, error: &ConfigError) {
    let (display, debug) = (error.to_string(), format!("{error:?}"));
    for piece in text.as_bytes().windows(TELLING) {
        let Ok(piece) = str::from_utf8(piece) else { continue };
        let shown = display.contains(piece) || debug.contains(piece);
        assert!(!shown || SAID.contains(piece), "{display} shows a piece of the key: {piece}");
    }
}
