//! What happens to a key between the provider's page and the configuration.

use hookproof::explain::{CauseKind, Explainer, Verdict};
use hookproof::{Key, KeyFormat, Scheme, UnixTime, schemes};

use super::delivery::{Delivery, NOW, assert_recomputed, key_text, presets};

/// Signs as `format` reads the provider's text; `configured` is what the operator has.
fn signed_by(scheme: &Scheme, format: KeyFormat, providers: &str, configured: &str) -> Delivery {
    let mut delivery = Delivery::of(scheme);
    delivery.sign(&scheme.to_builder().key_format(format).build().unwrap(), providers);
    delivery.key = configured.to_owned();
    delivery
}

const B64: &str = "Zml2ZSBoYW5kcyBoaWdoISBAIzw+Pz8/fn5+";
const HEX: &str = "44782CB547AB711AFCF3D5F7AE4D8A90E37BE3F35B5CFC2E5E9A5BC0C4D7AE11";

#[test]
fn a_key_that_is_read_otherwise_is_named() {
    use CauseKind::{KeyEncoding, KeyPrefix, KeyText, KeyWhitespace};
    use KeyFormat::{Base64, Hex, StandardWebhooks, Utf8};
    let whsec = format!("whsec_{B64}");
    let (github, adyen, standard) = (schemes::github(), schemes::adyen_platform(), schemes::openai());
    let lower = HEX.to_lowercase();
    let url_safe = B64.replace('+', "-").replace('/', "_");
    let rows: Vec<(&str, CauseKind, &Scheme, KeyFormat, String, String)> = vec![
        ("base64 taken as text", KeyEncoding, &github, Base64, B64.into(), B64.into()),
        ("hex taken as text", KeyEncoding, &github, Hex, HEX.into(), HEX.into()),
        ("whsec_ taken as text", KeyEncoding, &github, StandardWebhooks, whsec.clone(), whsec.clone()),
        ("text taken as hex", KeyEncoding, &adyen, Utf8, HEX.into(), HEX.into()),
        ("text taken as base64", KeyEncoding, &standard, Utf8, whsec.clone(), whsec.clone()),
        ("text without whsec_ taken as base64", KeyEncoding, &standard, Utf8, B64.into(), B64.into()),
        (
            "url-safe base64",
            KeyEncoding,
            &standard,
            StandardWebhooks,
            whsec.clone(),
            format!("whsec_{url_safe}"),
        ),
        (
            "unpadded base64",
            KeyEncoding,
            &standard,
            StandardWebhooks,
            "c2l4dGVlbiBieXRlcyE0MQ==".into(),
            "c2l4dGVlbiBieXRlcyE0MQ".into(),
        ),
        ("whsec_ was left out", KeyPrefix, &github, Utf8, whsec.clone(), B64.into()),
        ("whsec_ was kept", KeyPrefix, &github, Utf8, B64.into(), whsec.clone()),
        (
            "a newline of a file",
            KeyWhitespace,
            &github,
            Utf8,
            key_text(Utf8),
            format!("{}\n", key_text(Utf8)),
        ),
        ("space before", KeyWhitespace, &standard, StandardWebhooks, whsec.clone(), format!("  {whsec}")),
        ("wrapped", KeyWhitespace, &adyen, Hex, HEX.into(), HEX.replace("AB7", "AB7 ")),
        ("quotes", KeyText, &github, Utf8, key_text(Utf8), format!("\"{}\"", key_text(Utf8))),
        ("an assignment", KeyText, &github, Utf8, key_text(Utf8), format!("SECRET={}", key_text(Utf8))),
        ("capitals", KeyText, &github, Utf8, lower.clone(), HEX.into()),
        ("small letters", KeyText, &github, Utf8, HEX.into(), lower),
        (
            "entities",
            KeyText,
            &github,
            Utf8,
            "a & b <secret> of 20".into(),
            "a &amp; b &lt;secret&gt; of 20".into(),
        ),
    ];
    for (name, kind, scheme, format, providers, configured) in rows {
        let delivery = signed_by(scheme, format, &providers, &configured);
        let explanation = delivery.explain();
        assert_recomputed(name, &explanation, kind);
        assert_eq!(explanation.key_id.as_deref(), Some("k"), "{name}");
    }
}

/// No configuration can have such a key, and a provider may: it was given with a newline.
#[test]
fn a_newline_that_belongs_to_the_key_is_named() {
    for (end, phrase) in [("0a", "(LF)"), ("0d0a", "CR LF")] {
        let text = key_text(KeyFormat::Utf8);
        let with_newline = format!("{}{end}", hex::encode(&text));
        let delivery = signed_by(&schemes::github(), KeyFormat::Hex, &with_newline, &text);
        let explanation = delivery.explain();
        assert_recomputed(phrase, &explanation, CauseKind::KeyWhitespace);
        assert!(explanation.causes[0].finding.contains(phrase), "{explanation}");
    }
}

#[test]
fn every_preset_explains_a_newline_after_its_key() {
    let mut count = 0;
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        delivery.key.push('\n');
        let explanation = delivery.explain();
        assert_eq!(explanation.verdict, Verdict::Misconfigured);
        assert!(explanation.configuration.as_ref().unwrap().contains("white space at its end"));
        assert_recomputed(scheme.name(), &explanation, CauseKind::KeyWhitespace);
        count += 1;
    }
    assert!(count >= 35, "{count}");
}

#[test]
fn keys_of_others_are_named() {
    let other = Key::new("theirs", "Another-Secret-of-30-Characters");
    for scheme in presets().filter(|scheme| scheme.key_format() == KeyFormat::Utf8) {
        let mut delivery = Delivery::of(&scheme);
        delivery.sign(&scheme, "Another-Secret-of-30-Characters");
        let explainer = delivery.explainer();

        let former = explainer.clone().former_key("the keys that were removed", other.clone());
        let explanation = delivery.explain_with(&former);
        assert_recomputed(scheme.name(), &explanation, CauseKind::OtherKey);
        assert_eq!(explanation.key_id.as_deref(), Some("theirs"));

        let source = explainer.other_source("source 'billing'", schemes::devsphere(), [other.clone()], None);
        let explanation = delivery.explain_with(&source);
        assert!(explanation.causes[0].finding.contains("source 'billing'"), "{explanation}");
    }
    assert!(!Delivery::of(&schemes::github()).explain().is_proven(), "accepted, and nothing to prove");
}

#[test]
fn a_delivery_of_another_source_is_named() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.sign(&schemes::stripe(), "Another-Secret-of-30-Characters");
    let other = Key::new("theirs", "Another-Secret-of-30-Characters");
    let explainer = delivery.explainer().other_source("source 'billing'", schemes::stripe(), [other], None);
    let explanation = delivery.explain_with(&explainer);
    assert_recomputed("stripe at github", &explanation, CauseKind::OtherSource);
    assert!(explanation.causes[0].finding.contains("'stripe'"), "{explanation}");
}

/// A key that does not decode must not hide that another fits.
#[test]
fn a_bad_key_hides_no_good_one() {
    let scheme = schemes::adyen_platform();
    let delivery = Delivery::of(&scheme);
    let keys = [Key::new("bad", "not hexadecimal at all"), Key::new("k", delivery.key.as_str())];
    let explainer = Explainer::new(scheme).keys(keys);
    let explanation = delivery.explain_with(&explainer);
    assert_eq!(explanation.verdict, Verdict::Misconfigured);
    assert_eq!(explanation.key_id.as_deref(), Some("k"), "{explanation}");
    assert_eq!(explanation.causes[0].kind, CauseKind::Configuration, "{explanation}");
}

/// The old key of a rotation, after its grace; the new one before its time.
#[test]
fn a_key_outside_its_validity_is_named() {
    let second = |n: u64| UnixTime::from_secs(NOW.as_secs() + n);
    for scheme in presets().filter(|scheme| scheme.key_format() == KeyFormat::Utf8) {
        let delivery = Delivery::of(&scheme);
        let own = Key::new("k", delivery.key.as_str());
        for (key, phrase) in [
            (
                own.clone().not_after(UnixTime::from_secs(NOW.as_secs() - 1)),
                "not count after 2023-11-14T22:13:19Z",
            ),
            (own.clone().not_before(second(1)), "not count before 2023-11-14T22:13:21Z"),
        ] {
            let explainer = Explainer::new(scheme.clone()).key(key).public_url(&delivery.public_url);
            let explanation = delivery.explain_with(&explainer);
            assert_recomputed(scheme.name(), &explanation, CauseKind::KeyValidity);
            assert!(explanation.causes[0].finding.contains(phrase), "{explanation}");
        }
        let explainer =
            Explainer::new(scheme.clone()).key(own.not_after(second(1))).public_url(&delivery.public_url);
        assert!(delivery.explain_with(&explainer).is_accepted(), "{}", scheme.name());
    }
}

/// A key counts from its first moment to its last, whatever else is wrong then.
#[test]
fn a_key_at_the_edge_of_its_validity_is_not_named() {
    let mut delivery = Delivery::of(&schemes::stripe());
    delivery.late(365);
    let own = Key::new("k", delivery.key.as_str());
    for key in [own.clone().not_before(delivery.now), own.not_after(delivery.now)] {
        let explanation = delivery.explain_with(&Explainer::new(schemes::stripe()).key(key));
        let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
        assert_eq!(kinds, [CauseKind::OutsideWindow], "{explanation}");
    }
}

/// A stranger who guesses what is left of a key's text after an edit must not have it recommended.
#[test]
fn no_short_key_is_made_of_a_long_one() {
    for (configured, left) in
        [("AAAAABBBBBCCCCCDDDDDEEEE==", "="), ("a-long-secret-that-ends_in", "in"), ("'short'", "short")]
    {
        let delivery = signed_by(&schemes::github(), KeyFormat::Utf8, left, configured);
        let explanation = delivery.explain();
        assert!(!explanation.is_proven(), "{explanation}");
    }
    let short = signed_by(&schemes::github(), KeyFormat::Utf8, "short", "short");
    let explanation = short.explain();
    assert_eq!((explanation.verdict, explanation.key_id.as_deref()), (Verdict::Misconfigured, Some("k")));
    assert!(explanation.configuration.as_ref().unwrap().contains("fewer than 16"), "{explanation}");
}

#[cfg(feature = "asymmetric")]
#[test]
fn a_public_key_is_explained_like_any_other() {
    use base64::Engine as _;
    use hookproof::{Outgoing, Signer};
    use ring::signature::KeyPair as _;
    let seed = [7u8; 32];
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let private = format!("whsk_{}", encode(&[&seed[..], pair.public_key().as_ref()].concat()));
    let public = format!("whpk_{}", encode(pair.public_key().as_ref()));
    let mut delivery = Delivery::of(&schemes::standard_webhooks());
    let outgoing = Outgoing::new(&delivery.body).id("msg_1").timestamp(NOW);
    let signer = Signer::new(&schemes::standard_webhooks(), &Key::new("k", private)).unwrap();
    delivery.headers = signer.sign(&outgoing).unwrap();
    delivery.key = public;
    assert!(delivery.explain().is_accepted());
    delivery.body.push(b'\n');
    assert_recomputed("body", &delivery.explain(), CauseKind::BodyEdges);
    delivery.body.pop();
    delivery.key.insert(0, ' ');
    assert_recomputed("key", &delivery.explain(), CauseKind::KeyWhitespace);
}
