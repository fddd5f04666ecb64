//! What happens to signature headers.

use hookproof::explain::{CauseKind, Explanation};
use hookproof::{Encoding, Key, Part, Scheme, TimestampFormat, UnixTime, Verifier, schemes};
use http::HeaderValue;

use super::delivery::{Delivery, NOW, assert_recomputed, assert_seen, plain_presets, presets};

/// Another preset may have exactly this form; then it explains better.
fn assert_form(name: &str, delivery: &Delivery, explanation: &Explanation, kind: CauseKind) {
    let accepted_by = Scheme::all().find(|other| {
        let key = Key::new("k", delivery.key.as_str());
        let verifier = Verifier::builder(other.clone()).key(key).public_url(&delivery.public_url).build();
        verifier
            .is_ok_and(|verifier| verifier.verify(&delivery.headers, &delivery.body, delivery.now).is_ok())
    });
    let kind = if accepted_by.is_some() { CauseKind::OtherPreset } else { kind };
    assert_recomputed(name, explanation, kind);
}

/// Splits a plain signature off its prefix.
fn split(value: &str) -> (&str, &str) {
    match value.split_once('=') {
        Some((prefix, rest)) if rest.len() > 8 => (value.get(..=prefix.len()).unwrap(), rest),
        _ => ("", value),
    }
}

#[test]
fn a_wrong_prefix_is_named() {
    let mut count = 0;
    for scheme in plain_presets() {
        let good = Delivery::of(&scheme);
        let value = good.signature();
        let (prefix, bare) = split(&value);
        let wrong = if prefix.is_empty() { format!("sha256={bare}") } else { bare.to_owned() };
        for value in [wrong, format!("hmac-{prefix}:{bare}")] {
            let mut delivery = good.clone();
            delivery.set_signature(&value);
            assert_form(scheme.name(), &delivery, &delivery.explain(), CauseKind::SignaturePrefix);
            count += 1;
        }
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn a_wrong_encoding_is_named() {
    let mut count = 0;
    for scheme in plain_presets() {
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64OfHex] {
            if encoding == scheme.encoding() {
                continue;
            }
            let mut delivery = Delivery::of(&scheme);
            let key = delivery.key.clone();
            delivery.sign(&scheme.to_builder().encoding(encoding).build().unwrap(), &key);
            let name = format!("{} in {encoding:?}", scheme.name());
            assert_form(&name, &delivery, &delivery.explain(), CauseKind::SignatureEncoding);
            count += 1;
        }
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn loose_base64_is_named() {
    for scheme in plain_presets().filter(|scheme| scheme.encoding() == Encoding::Base64) {
        let mut delivery = Delivery::of(&scheme);
        let loose = delivery.signature().trim_end_matches('=').replace('+', "-").replace('/', "_");
        delivery.set_signature(&loose);
        assert_recomputed(scheme.name(), &delivery.explain(), CauseKind::SignatureEncoding);
    }
}

#[test]
fn another_hash_is_named() {
    let scheme = schemes::github().to_builder().prefix_sha1("sha1=").build().unwrap();
    let mut delivery = Delivery::of(&schemes::github());
    let key = delivery.key.clone();
    delivery.sign(&scheme, &key);
    assert_recomputed("SHA-1 for SHA-256", &delivery.explain(), CauseKind::SignatureAlgorithm);

    let mut delivery = Delivery::of(&schemes::vercel());
    delivery.sign(&schemes::vercel().to_builder().prefix("").build().unwrap(), &key);
    assert_recomputed("SHA-256 for SHA-1", &delivery.explain(), CauseKind::SignatureAlgorithm);
}

#[test]
fn another_header_is_named() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        let value = delivery.headers.remove(delivery.signature_name()).unwrap();
        delivery.headers.insert("x-acme-proof", value);
        let explanation = delivery.explain();
        assert_recomputed(scheme.name(), &explanation, CauseKind::SignatureHeader);
        assert!(explanation.causes[0].finding.contains("x-acme-proof"), "{explanation}");
        assert_eq!(explanation.causes.len(), 1, "that the header is missing follows from it:\n{explanation}");
    }
}

#[test]
fn another_family_of_headers_is_named() {
    let mut delivery = Delivery::of(&schemes::standard_webhooks());
    for name in ["id", "timestamp", "signature"] {
        let value = delivery.headers.remove(format!("webhook-{name}")).unwrap();
        delivery.header(&format!("acme-{name}"), value.to_str().unwrap());
    }
    let explanation = delivery.explain();
    assert_recomputed("acme-", &explanation, CauseKind::HeaderFamily);
    assert!(explanation.causes[0].finding.contains("'acme-...'"), "{explanation}");
}

#[test]
fn another_preset_is_named() {
    for (set_up, sent) in [
        (schemes::klozeo(), schemes::klozeo_guide()),
        (schemes::metalocator(), schemes::metalocator_raw()),
        (schemes::leadhub(), schemes::leadhub_timestamped()),
        (schemes::stripe(), schemes::calendly()),
        (schemes::github(), schemes::standard_webhooks()),
        (schemes::slack(), schemes::zoom()),
    ] {
        let mut delivery = Delivery::of(&set_up);
        let key = super::delivery::key_text(sent.key_format());
        delivery.key.clone_from(&key);
        delivery.sign(&sent, &key);
        let explanation = delivery.explain();
        let name = format!("{} for {}", sent.name(), set_up.name());
        assert_recomputed(&name, &explanation, CauseKind::OtherPreset);
        assert!(explanation.causes[0].finding.contains(sent.name()), "{explanation}");
    }
}

#[test]
fn a_list_of_another_form_is_named() {
    for (scheme, from, to) in [
        (schemes::stripe(), ",", ", "),
        (schemes::stripe(), ",", ";"),
        (schemes::stripe(), "v1=", "v2="),
        (schemes::paddle(), ";", ","),
        (schemes::standard_webhooks(), "v1,", "v2,"),
        (schemes::standard_webhooks(), "v1,", ""),
    ] {
        let mut delivery = Delivery::of(&scheme);
        delivery.set_signature(&delivery.signature().replace(from, to));
        let name = format!("{}: {to:?} for {from:?}", scheme.name());
        assert_recomputed(&name, &delivery.explain(), CauseKind::SignatureForm);
    }
    let mut delivery = Delivery::of(&schemes::github());
    delivery.set_signature(&format!("\"{}\"", delivery.signature()));
    assert_recomputed("quoted", &delivery.explain(), CauseKind::SignaturePrefix);
}

#[test]
fn a_doubled_header_is_named_with_the_one_that_fits() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        let name = http::HeaderName::try_from(delivery.signature_name()).unwrap();
        delivery.headers.append(name, HeaderValue::from_static("something else"));
        let explanation = delivery.explain();
        assert_eq!(explanation.reason, Some("duplicate_header"));
        assert_recomputed(scheme.name(), &explanation, CauseKind::DuplicateHeader);
        assert!(explanation.causes[0].finding.contains("the first alone"), "{explanation}");
    }
}

#[test]
fn an_absent_signature_is_seen() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        delivery.headers.remove(delivery.signature_name());
        let explanation = delivery.explain();
        assert_eq!(explanation.reason, Some("missing_header"), "{}", scheme.name());
        assert_seen(scheme.name(), &explanation, CauseKind::MissingHeader);
        assert!(explanation.causes[0].finding.contains(&delivery.signature_name()), "{explanation}");
        assert!(
            explanation.next_steps[0].contains("no key could be checked"),
            "no key is blamed: {explanation}"
        );
    }
}

#[test]
fn a_cut_signature_is_seen() {
    for scheme in plain_presets() {
        let mut delivery = Delivery::of(&scheme);
        let value = delivery.signature();
        delivery.set_signature(value.get(..value.len() - 8).unwrap());
        let explanation = delivery.explain();
        assert_eq!(explanation.reason, Some("malformed_header"));
        assert_seen(scheme.name(), &explanation, CauseKind::MalformedHeader);
    }
}

#[test]
fn a_timestamp_or_id_in_another_header_is_named() {
    let mut delivery = Delivery::of(&schemes::slack());
    let value = delivery.headers.remove("x-slack-request-timestamp").unwrap();
    delivery.header("x-request-time", value.to_str().unwrap());
    assert_recomputed("time", &delivery.explain(), CauseKind::TimestampHeader);
    let mut delivery = Delivery::of(&schemes::standard_webhooks());
    let value = delivery.headers.remove("webhook-id").unwrap();
    delivery.header("x-message-id", value.to_str().unwrap());
    assert_recomputed("id", &delivery.explain(), CauseKind::MissingHeader);
}

/// Milliseconds sent where seconds are read, and the reverse; and a text that is signed in another unit than it is sent in.
#[test]
fn a_unit_is_named() {
    let millis =
        |scheme: &Scheme| scheme.to_builder().timestamp_format(TimestampFormat::Millis).build().unwrap();
    let seconds =
        |scheme: &Scheme| scheme.to_builder().timestamp_format(TimestampFormat::Seconds).build().unwrap();
    for (scheme, sent) in [
        (schemes::slack(), millis(&schemes::slack())),
        (schemes::stripe(), millis(&schemes::stripe())),
        (schemes::metalocator(), millis(&schemes::metalocator())),
        (schemes::hubspot_v3(), seconds(&schemes::hubspot_v3())),
        (schemes::zendesk(), seconds(&schemes::zendesk())),
    ] {
        let mut delivery = Delivery::of(&scheme);
        let key = delivery.key.clone();
        delivery.sign(&sent, &key);
        let explanation = delivery.explain();
        assert!(!explanation.is_accepted());
        assert_eq!(explanation.causes[0].kind, CauseKind::TimestampUnit, "{}\n{explanation}", scheme.name());
        let mut corrected = delivery.clone();
        corrected.scheme = sent;
        assert!(corrected.explain().is_accepted(), "the remedy helps");
    }
    let mut delivery = Delivery::of(&schemes::slack());
    let key = delivery.key.clone();
    delivery.sign(&millis(&schemes::slack()), &key);
    delivery.header("x-slack-request-timestamp", "1700000000");
    assert_recomputed("signed in milliseconds", &delivery.explain(), CauseKind::TimestampUnit);
}

#[test]
fn another_signed_text_is_named() {
    let (ts, body, dot) = (Part::Timestamp, Part::Body, Part::literal("."));
    let stripe = |parts: &[Part]| schemes::stripe().to_builder().signed(parts.to_vec()).build().unwrap();
    let slack = |parts: &[Part]| schemes::slack().to_builder().signed(parts.to_vec()).build().unwrap();
    for (name, set_up, sent) in [
        ("another separator", schemes::stripe(), stripe(&[ts.clone(), Part::literal(":"), body.clone()])),
        ("no separator", schemes::stripe(), stripe(&[ts.clone(), body.clone()])),
        ("the other order", schemes::stripe(), stripe(&[body.clone(), dot.clone(), ts.clone()])),
        ("without its start", schemes::slack(), slack(&[ts.clone(), Part::literal(":"), body.clone()])),
        (
            "the start, then dots",
            schemes::slack(),
            slack(&[Part::literal("v0:"), ts.clone(), dot, body.clone()]),
        ),
        ("more than the body", stripe_untimed(), stripe(&[ts, Part::literal("|"), body])),
    ] {
        let mut delivery = Delivery::of(&set_up);
        let key = delivery.key.clone();
        delivery.sign(&sent, &key);
        let explanation = delivery.explain();
        let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
        assert!(kinds.contains(&CauseKind::SignedText), "{name}:\n{explanation}");
        assert!(explanation.is_proven(), "{name}:\n{explanation}");
    }
    // Without the timestamp: no scheme may be built so, but a body-only one signs the same text.
    for scheme in presets().filter(|scheme| scheme.encoding() == Encoding::Hex) {
        let mut delivery = Delivery::of(&scheme);
        if !delivery.headers.contains_key("x-zm-request-timestamp")
            && !delivery.headers.contains_key("x-slack-request-timestamp")
        {
            continue;
        }
        let prefix = "v0=";
        let body_only =
            Scheme::builder("body-only").signature_header(&delivery.signature_name()).prefix(prefix);
        let (headers, key) = (delivery.headers.clone(), delivery.key.clone());
        delivery.sign(&body_only.build().unwrap(), &key);
        let signature = delivery.signature();
        delivery.headers = headers;
        delivery.set_signature(&signature);
        assert_recomputed(scheme.name(), &delivery.explain(), CauseKind::SignedText);
    }
}

/// A scheme of the same header that signs the body alone.
fn stripe_untimed() -> Scheme {
    Scheme::builder("acme").signature_header("stripe-signature").prefix("v1=").build().unwrap()
}

#[test]
fn two_faults_at_once_are_named_together() {
    let mut delivery = Delivery::of(&schemes::github());
    let (_, bare) = delivery.signature().split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    delivery.set_signature(&bare);
    delivery.body.push(b'\n');
    let explanation = delivery.explain();
    let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
    assert_eq!(kinds, [CauseKind::SignaturePrefix, CauseKind::BodyEdges], "{explanation}");
    assert!(explanation.causes[0].finding.contains("together"), "{explanation}");
    assert_eq!(NOW, UnixTime::from_secs(1_700_000_000));
}
