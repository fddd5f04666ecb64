//! What a finding says: it is read by somebody who looks for the one thing that differs.

use base64::Engine as _;
use hookproof::explain::{CauseKind, Explanation};
use hookproof::{Encoding, KeyFormat, Scheme, TimestampFormat, schemes};

use super::delivery::{BODY, Delivery, assert_recomputed, assert_seen};

#[track_caller]
fn assert_finding(explanation: &Explanation, kind: CauseKind, wanted: &str) {
    assert_recomputed(wanted, explanation, kind);
    assert_eq!(explanation.causes[0].finding, wanted, "{explanation}");
}

/// A GitHub delivery whose signature stands after this.
fn after(prefix: &str) -> Delivery {
    let mut delivery = Delivery::of(&schemes::github());
    let bare = delivery.signature().replace("sha256=", "");
    delivery.set_signature(&format!("{prefix}{bare}"));
    delivery
}

#[test]
fn both_encodings_are_named() {
    let github = schemes::github();
    for (encoding, name) in
        [(Encoding::Base64, "base64"), (Encoding::Base64OfHex, "base64 of the hexadecimal text")]
    {
        let mut delivery = Delivery::of(&github);
        let key = delivery.key.clone();
        delivery.sign(&github.to_builder().encoding(encoding).build().unwrap(), &key);
        let wanted = format!("The signature is written in {name}; the scheme has hexadecimal.");
        assert_finding(&delivery.explain(), CauseKind::SignatureEncoding, &wanted);
    }
    let mut delivery = Delivery::of(&schemes::shopify());
    let loose = delivery.signature().trim_end_matches('=').replace('+', "-").replace('/', "_");
    delivery.set_signature(&loose);
    let wanted =
        "The signature is written in base64 without padding, or in URL-safe letters; the scheme has base64.";
    assert_finding(&delivery.explain(), CauseKind::SignatureEncoding, wanted);
}

#[test]
fn both_hashes_are_named() {
    let sha1 = schemes::github().to_builder().prefix_sha1("sha1=").build().unwrap();
    let sha256 = schemes::vercel().to_builder().prefix("").build().unwrap();
    for (set_up, sent, [is, has]) in
        [(schemes::github(), sha1, ["SHA1", "SHA256"]), (schemes::vercel(), sha256, ["SHA256", "SHA1"])]
    {
        let mut delivery = Delivery::of(&set_up);
        let key = delivery.key.clone();
        delivery.sign(&sent, &key);
        let wanted = format!("The signature is a HMAC-{is}; the scheme has a HMAC-{has}.");
        assert_finding(&delivery.explain(), CauseKind::SignatureAlgorithm, &wanted);
    }
}

/// A stranger wrote what stands there: only what is short and plain is shown.
#[test]
fn both_prefixes_are_named() {
    let longest = format!("{}=", "x".repeat(15));
    let longer = format!("{}=", "x".repeat(16));
    for (prefix, shown) in [
        ("", "without a prefix"),
        ("hmac-sha256:", "after 'hmac-sha256:'"),
        (longest.as_str(), "after 'xxxxxxxxxxxxxxx='"),
        (longer.as_str(), "after '...'"),
        ("{\"sig\":", "after '...'"),
    ] {
        let wanted = format!("The signature stands {shown}; the scheme expects 'sha256=' before it.");
        assert_finding(&after(prefix).explain(), CauseKind::SignaturePrefix, &wanted);
    }
    let bare = Scheme::builder("acme").signature_header("x-acme-signature").build().unwrap();
    let mut delivery = Delivery::of(&bare);
    delivery.set_signature(&format!("sha256={}", delivery.signature()));
    let wanted = "The signature stands after 'sha256='; the scheme expects no prefix.";
    assert_finding(&delivery.explain(), CauseKind::SignaturePrefix, wanted);
}

#[test]
fn the_form_in_another_header_is_named() {
    for (prefix, form) in [("", "without a prefix"), ("sig=", "after 'sig='")] {
        let mut delivery = after(prefix);
        let value = delivery.headers.remove(delivery.signature_name()).unwrap();
        delivery.headers.insert("x-acme-proof", value);
        let wanted = format!(
            "Header 'x-acme-proof' holds a signature that fits (hexadecimal, {form}); the scheme reads \
             'x-hub-signature-256'."
        );
        assert_finding(&delivery.explain(), CauseKind::SignatureHeader, &wanted);
    }
}

#[test]
fn how_a_body_was_printed_is_named() {
    let pretty = "{\n  \"b\": [\n    1,\n    \"x\"\n  ],\n  \"a\": null\n}";
    let compact = r#"{"b":[1,"x"],"a":null}"#;
    for (signed, arrived, style) in [
        (compact, pretty, "compactly"),
        (pretty, compact, "indented by two spaces"),
        (&pretty.replace("  ", "\t"), compact, "indented by tabs"),
        (r#"{"a":null,"b":[1,"x"]}"#, compact, "compactly, with its keys sorted"),
        (&BODY.replace('/', "\\/"), BODY, "compactly, with '/' written '\\/'"),
        (
            &compact.replace(',', ", ").replace(':', ": "),
            compact,
            "in one line with ', ' and ': ' between (as Python does)",
        ),
    ] {
        let mut delivery = Delivery::with_body(&schemes::github(), signed.as_bytes());
        delivery.body = arrived.into();
        let wanted =
            format!("The signature is over the same JSON, printed {style}; what is here was printed anew.");
        assert_finding(&delivery.explain(), CauseKind::BodyJson, &wanted);
    }
}

#[test]
fn headers_like_the_absent_one_are_named() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.headers.clear();
    delivery.header("user-agent", "acme");
    let absent = "The signature header 'x-hub-signature-256' is not there.";
    for others in ["No header looks like one.", "Headers that look like one: x-acme-token."] {
        let explanation = delivery.explain();
        assert_seen(others, &explanation, CauseKind::MissingHeader);
        assert_eq!(explanation.causes[0].finding, format!("{absent} {others}"), "{explanation}");
        delivery.header("x-acme-token", "abc");
    }
}

/// `echo secret | base64` is of the line, and the provider takes the secret.
#[test]
fn a_key_in_base64_of_its_line_is_named() {
    for end in ["\n", "\r\n"] {
        let mut delivery = Delivery::of(&schemes::github());
        delivery.key = base64::engine::general_purpose::STANDARD.encode(format!("{}{end}", delivery.key));
        let wanted =
            "The signature is made with key 'k', its text taken as base64 of a text that ends in a newline.";
        assert_finding(&delivery.explain(), CauseKind::KeyEncoding, wanted);
    }
}

/// What is no time as configured is read otherwise; what is one, but of another age, is seen to be one in another unit.
#[test]
fn both_units_are_named() {
    use TimestampFormat::{Millis, Seconds};
    let sent = |scheme: &Scheme, format| {
        let mut delivery = Delivery::of(scheme);
        let key = delivery.key.clone();
        delivery.sign(&scheme.to_builder().timestamp_format(format).build().unwrap(), &key);
        delivery.explain()
    };
    for scheme in [schemes::slack(), schemes::stripe()] {
        let wanted = "The signature holds if the timestamp is read as Unix milliseconds.";
        assert_finding(&sent(&scheme, Millis), CauseKind::TimestampUnit, wanted);
    }
    let explanation = sent(&schemes::hubspot_v3(), Seconds);
    assert_seen("seconds for milliseconds", &explanation, CauseKind::TimestampUnit);
    let wanted = "The timestamp is written in Unix seconds, and so lies inside the window; configured is Unix milliseconds.";
    assert_eq!(explanation.causes[0].finding, wanted);

    let mut delivery = Delivery::of(&schemes::slack());
    delivery.header("x-slack-request-timestamp", "yesterday");
    let explanation = delivery.explain();
    assert_seen("no time", &explanation, CauseKind::MalformedTimestamp);
    let wanted = "The timestamp in the header 'x-slack-request-timestamp' is not Unix seconds.";
    assert_eq!(explanation.causes[0].finding, wanted);
}

/// What to do begins with how the key is read here: most often the other preset is the right one.
#[test]
fn how_the_scheme_reads_a_key_is_named() {
    let hex = "44782CB547AB711AFCF3D5F7AE4D8A90E37BE3F35B5CFC2E5E9A5BC0C4D7AE11";
    let base64 = "Zml2ZSBoYW5kcyBoaWdoISBAIzw+Pz8/fn5+";
    for (scheme, text, read_by_provider, wanted) in [
        (
            schemes::github(),
            hex,
            KeyFormat::Hex,
            "This scheme takes a key's text as it is, prefix included. ",
        ),
        (schemes::adyen_platform(), hex, KeyFormat::Utf8, "This scheme reads a key as hexadecimal. "),
        (
            schemes::openai(),
            base64,
            KeyFormat::Utf8,
            "This scheme reads a key as 'whsec_' and standard base64 with padding. ",
        ),
    ] {
        let mut delivery = Delivery::of(&scheme);
        delivery.sign(&scheme.to_builder().key_format(read_by_provider).build().unwrap(), text);
        text.clone_into(&mut delivery.key);
        let explanation = delivery.explain();
        assert_recomputed(wanted, &explanation, CauseKind::KeyEncoding);
        assert!(explanation.causes[0].remedy.starts_with(wanted), "{explanation}");
    }
}
