//! No explanation shows a key, a signature or a body, in any form.

use base64::Engine as _;
use hookproof::explain::{Explainer, Explanation};
use hookproof::{Encoding, Key, KeyFormat, Scheme, schemes};

use super::delivery::{BODY, Delivery, PATH, presets};

/// The text, and every encoding in which it could turn up.
fn forms(secret: &[u8]) -> Vec<String> {
    let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
    let numbers = format!("{secret:?}");
    vec![
        String::from_utf8_lossy(secret).into_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        base64.trim_end_matches('=').to_owned(),
        base64.trim_end_matches('=').replace('+', "-").replace('/', "_"),
        base64::engine::general_purpose::STANDARD.encode(hex::encode(secret)),
        numbers.trim_matches(['[', ']']).to_owned(),
    ]
}

/// The key's text, its bytes, and the signature that is right for this body.
fn secrets(delivery: &Delivery, good: &Delivery) -> Vec<String> {
    let text = delivery.key.trim();
    let bare = text.strip_prefix("whsec_").unwrap_or(text);
    let mut secrets: Vec<Vec<u8>> = vec![text.into(), bare.into()];
    secrets.extend(hex::decode(bare).ok());
    secrets.extend(base64::engine::general_purpose::STANDARD.decode(bare).ok());
    let mut forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    for value in [
        good.signature(),
        delivery
            .headers
            .get(delivery.signature_name())
            .map_or(String::new(), |v| v.to_str().unwrap_or_default().into()),
    ] {
        for token in value.split(['=', ',', ';', ' ']).filter(|token| token.len() > 16) {
            forms.push(token.to_owned());
            let bytes = hex::decode(token).ok().or_else(|| {
                let unpadded = base64::engine::general_purpose::STANDARD_NO_PAD;
                unpadded.decode(token.trim_end_matches('=')).ok()
            });
            forms.extend(bytes.iter().flat_map(|bytes| self::forms(bytes)));
        }
    }
    forms.retain(|form| form.len() >= 8);
    forms
}

fn shown(explanation: &Explanation) -> [String; 4] {
    [
        explanation.to_string(),
        serde_json::to_string(explanation).unwrap(),
        format!("{explanation:?}"),
        format!("{explanation:#?}").replace(['\n', ' '], ""),
    ]
}

fn leak<'s>(texts: &[String], secrets: &'s [String]) -> Option<&'s String> {
    secrets.iter().find(|secret| texts.iter().any(|text| text.contains(secret.as_str())))
}

/// Every way in which a delivery is made wrong here.
fn wrong(scheme: &Scheme) -> Vec<Delivery> {
    let good = Delivery::of(scheme);
    let mut wrong = Vec::new();
    let mut with = |change: &dyn Fn(&mut Delivery)| {
        let mut delivery = good.clone();
        change(&mut delivery);
        wrong.push(delivery);
    };
    with(&|delivery| delivery.body.push(b'\n'));
    with(&|delivery| delivery.key.push('\n'));
    with(&|delivery| delivery.key = format!("\"{}\"", delivery.key));
    with(&|delivery| delivery.key = "short".into());
    with(&|delivery| delivery.late(100_000_000));
    with(&|delivery| delivery.public_url = "http://hooks.example.com:8080/x".into());
    with(&|delivery| drop(delivery.headers.remove(delivery.signature_name())));
    with(&|delivery| {
        let value = delivery.headers.remove(delivery.signature_name()).unwrap();
        // Also as the prefix of something: what stands before a signature is shown if it is short.
        delivery.header("x-acme-proof", &format!("{0},{0}", value.to_str().unwrap()));
    });
    // What nothing explains takes the whole search, and is the same search for all.
    if ["github", "stripe", "standard-webhooks", "hubspot-v3"].contains(&scheme.name()) {
        with(&|delivery| delivery.body = b"something else".to_vec());
        with(&|delivery| delivery.key = delivery.key.replace(['4', 'Z', 'N'], "5"));
    }
    for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64OfHex] {
        with(&|delivery| {
            let other = scheme.to_builder().encoding(encoding).build().unwrap();
            let (key, body) = (delivery.key.clone(), std::mem::take(&mut delivery.body));
            delivery.body = body;
            delivery.sign(&other, &key);
            delivery.body.push(b' ');
        });
    }
    wrong
}

#[test]
fn no_explanation_shows_a_secret() {
    let mut count = 0;
    for scheme in presets() {
        let good = Delivery::of(&scheme);
        for delivery in wrong(&scheme) {
            let explainer =
                delivery.explainer().former_key("the old ones", Key::new("old", "canary-of-an-old-key-0451"));
            let explanation = delivery.explain_with(&explainer);
            let secrets = [secrets(&delivery, &good), forms(b"canary-of-an-old-key-0451")].concat();
            assert_eq!(leak(&shown(&explanation), &secrets), None, "{}\n{explanation}", scheme.name());
            for part in ["lead.created", "Zoë", "tenant=7"] {
                assert!(
                    !explanation.to_string().contains(part),
                    "{part} of the request is shown:\n{explanation}"
                );
            }
            count += 1;
        }
    }
    assert!(count >= 35 * 11, "{count}");
    assert!(BODY.contains("lead.created") && BODY.contains("Zoë") && PATH.contains("tenant=7"));
}

#[test]
fn an_explainer_shows_no_key() {
    let text = "canary-3f1d9a77-never-print-this";
    let other = Key::new("theirs", text);
    let explainer = Explainer::new(schemes::github()).key(Key::new("k", text)).other_source(
        "b",
        schemes::stripe(),
        [other],
        None,
    );
    let debug = format!("{explainer:?}{explainer:#?}");
    assert_eq!(leak(std::slice::from_ref(&debug), &forms(text.as_bytes())), None, "{debug}");
    assert!(debug.contains("\"k\""), "{debug}");
}

/// The control: each form is found where it is shown.
#[test]
fn a_leak_would_be_noticed() {
    let good = Delivery::of(&schemes::stripe());
    for secret in secrets(&good, &good) {
        assert!(leak(&[format!("the key is {secret}.")], &secrets(&good, &good)).is_some());
    }
    let right = good.signature().split_once("v1=").unwrap().1.to_owned();
    assert!(leak(&[format!("expected {right}")], &secrets(&good, &good)).is_some());
    let base64 = base64::engine::general_purpose::STANDARD.encode(hex::decode(&right).unwrap());
    assert!(leak(&[format!("expected {base64}")], &secrets(&good, &good)).is_some());
    assert_eq!(super::delivery::key_text(KeyFormat::Utf8), good.key);
}
