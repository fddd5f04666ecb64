//! What happens to a body on its way.

use std::io::Write as _;

use hookproof::explain::{CauseKind, MAX_BODY_BYTES};
use hookproof::schemes;

use super::delivery::{BODY, Delivery, assert_recomputed, assert_seen, presets};

/// What is signed, what arrives, and what that is.
type Row = (&'static str, CauseKind, Vec<u8>, Vec<u8>);

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// As a parser and printer of today makes it, independent of the printer under test.
fn reprinted(indent: &[u8]) -> Vec<u8> {
    use serde::Serialize as _;
    let value: serde_json::Value = serde_json::from_str(r#"{"b":{"y":[1,"x"]},"a":null}"#).unwrap();
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).unwrap();
    out
}

fn rows() -> Vec<Row> {
    use CauseKind::{
        BodyBase64, BodyByteOrderMark, BodyCharset, BodyCompressed, BodyEdges, BodyJson, BodyLineEnds,
    };
    use base64::Engine as _;
    let text = |text: &str| text.as_bytes().to_vec();
    let base64 = base64::engine::general_purpose::STANDARD.encode(BODY);
    let spaced = BODY.replace(",\"", ", \"").replace("\":", "\": ").replace(",{", ", {");
    let pretty = "{\n  \"b\": {\n    \"y\": [\n      1,\n      \"x\"\n    ]\n  },\n  \"a\": null\n}";
    let latin1: String = BODY.bytes().map(char::from).collect();
    let (html, php, python, net) = (
        BODY.replace('<', "\\u003c").replace('>', "\\u003e"),
        BODY.replace('/', "\\/").replace('ë', "\\u00eb"),
        BODY.replace('ë', "\\u00eb"),
        BODY.replace('ë', "\\u00EB"),
    );
    vec![
        ("compact became spaced", BodyJson, text(BODY), text(&spaced)),
        ("spaced became compact", BodyJson, text(&spaced), text(BODY)),
        ("pretty became compact", BodyJson, text(pretty), text(r#"{"b":{"y":[1,"x"]},"a":null}"#)),
        (
            "two spaces, sorted before signing",
            BodyJson,
            reprinted(b"  "),
            text(r#"{"b":{"y":[1,"x"]},"a":null}"#),
        ),
        ("four spaces, sorted before signing", BodyJson, reprinted(b"    "), text(pretty)),
        ("escapes were resolved", BodyJson, text(&python), text(BODY)),
        ("escapes of capitals were resolved", BodyJson, text(&net), text(BODY)),
        ("escapes and slashes were resolved", BodyJson, text(&php), text(BODY)),
        ("slashes were resolved", BodyJson, text(&BODY.replace('/', "\\/")), text(BODY)),
        ("HTML escapes were resolved", BodyJson, text(&html), text(BODY)),
        ("letters were escaped", BodyJson, text(BODY), text(&python)),
        ("LF became CR LF", BodyLineEnds, text("{\n\"a\":1\n}"), text("{\r\n\"a\":1\r\n}")),
        ("CR LF became LF", BodyLineEnds, text("a=1\r\nb=2\r\n"), text("a=1\nb=2\n")),
        ("a newline was added", BodyEdges, text(BODY), text(&format!("{BODY}\n"))),
        ("CR LF was added", BodyEdges, text(BODY), text(&format!("{BODY}\r\n"))),
        ("a newline was removed", BodyEdges, text(&format!("{BODY}\n")), text(BODY)),
        ("CR LF was removed", BodyEdges, text(&format!("{BODY}\r\n")), text(BODY)),
        ("space was added", BodyEdges, text("a=1"), text("  a=1  ")),
        ("a mark was added", BodyByteOrderMark, text(BODY), text(&format!("\u{feff}{BODY}"))),
        ("a mark was removed", BodyByteOrderMark, text(&format!("\u{feff}{BODY}")), text(BODY)),
        ("gzip", BodyCompressed, text(BODY), gzip(BODY)),
        ("zlib", BodyCompressed, text(BODY), zlib(BODY)),
        ("base64", BodyBase64, text(BODY), text(&base64)),
        ("encoded twice", BodyCharset, text(BODY), text(&latin1)),
    ]
}

#[test]
fn a_changed_body_is_explained_by_its_change() {
    let mut count = 0;
    for (name, kind, sent, arrived) in rows() {
        // Where the time stands in the body, a body without one is undated; the signature is still the question.
        for scheme in [
            schemes::github(),
            schemes::stripe(),
            schemes::standard_webhooks(),
            schemes::hubspot_v3(),
            schemes::klozeo(),
        ] {
            let mut delivery = Delivery::with_body(&scheme, &sent);
            delivery.body = arrived.clone();
            assert_recomputed(&format!("{name}, {}", scheme.name()), &delivery.explain(), kind);
            count += 1;
        }
    }
    assert_eq!(count, rows().len() * 5);
}

/// Of each family one change, with every preset.
#[test]
fn every_preset_explains_a_changed_body() {
    let mut count = 0;
    for scheme in presets() {
        for (name, kind, sent, arrived) in rows()
            .into_iter()
            .filter(|row| ["compact became spaced", "a newline was added", "gzip"].contains(&row.0))
        {
            let mut delivery = Delivery::with_body(&scheme, &sent);
            delivery.body = arrived;
            assert_recomputed(&format!("{name}, {}", scheme.name()), &delivery.explain(), kind);
            count += 1;
        }
    }
    assert!(count >= 3 * 35, "{count}");
}

#[test]
fn a_body_with_more_than_its_length_is_cut() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        delivery.header("content-length", &BODY.len().to_string());
        delivery.body.extend_from_slice(b"\r\nPOST /next HTTP/1.1");
        assert_recomputed(scheme.name(), &delivery.explain(), CauseKind::BodyTooLong);
    }
}

#[test]
fn a_body_with_less_than_its_length_is_truncated() {
    for scheme in presets() {
        let mut delivery = Delivery::of(&scheme);
        delivery.header("content-length", &BODY.len().to_string());
        delivery.body.truncate(40);
        assert_seen(scheme.name(), &delivery.explain(), CauseKind::BodyTruncated);
    }
}

/// A body of the length that is declared has its end.
#[test]
fn a_body_with_its_length_is_not_truncated() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.header("content-length", &BODY.len().to_string());
    delivery.key = "another secret of 30 letters..".to_owned();
    let explanation = delivery.explain();
    assert!(explanation.causes.is_empty() && !explanation.is_accepted(), "{explanation}");
}

#[test]
fn a_content_encoding_is_seen_and_looked_behind() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.header("content-encoding", "gzip");
    let signed_as_it_is = delivery.explain();
    assert_eq!(signed_as_it_is.reason, Some("unsupported_content_encoding"));
    assert_seen("left behind by a proxy", &signed_as_it_is, CauseKind::BodyCompressed);
    assert_eq!(signed_as_it_is.key_id.as_deref(), Some("k"), "the signature itself holds");

    delivery.body = gzip(BODY);
    assert_recomputed("compressed on the way", &delivery.explain(), CauseKind::BodyCompressed);
}

/// A small body can unpack to a large one: what is longer than the limit is not read to its end.
#[test]
fn a_body_is_unpacked_to_the_limit() {
    for (length, unpacked) in [(MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
        let sent = " ".repeat(length);
        let mut delivery = Delivery::with_body(&schemes::github(), sent.as_bytes());
        delivery.body = gzip(&sent);
        assert_eq!(delivery.explain().is_proven(), unpacked, "{length}");
    }
    let mut cut = Delivery::with_body(&schemes::github(), " ".repeat(MAX_BODY_BYTES).as_bytes());
    cut.body = gzip(&" ".repeat(MAX_BODY_BYTES + 1));
    assert!(!cut.explain().is_proven(), "one that is longer is not taken for its beginning");
}

#[test]
fn what_cannot_be_undone_is_named() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.body = BODY.replace('ë', "\u{fffd}").into_bytes();
    assert!(delivery.explain().next_steps.iter().any(|step| step.contains("U+FFFD")));
    // Three keys may well be in order by chance.
    for (body, sorted) in [
        (r#"{"a":1,"b":2,"c":3,"d":4}"#, true),
        (r#"{"a":1,"b":2,"c":3}"#, false),
        (r#"{"a":1,"c":2,"b":3,"d":4}"#, false),
    ] {
        delivery.body = body.into();
        let told = delivery.explain().next_steps.iter().any(|step| step.contains("alphabetical"));
        assert_eq!(told, sorted, "{body}");
    }
}
