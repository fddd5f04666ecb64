//! What was signed instead of what the scheme has: parts left out, and times that it does not know.

use hookproof::explain::{CauseKind, Explanation};
use hookproof::{Encoding, Key, Part, Scheme, SchemeBuilder, TimestampFormat, schemes};

use super::delivery::{BODY, Delivery, assert_recomputed, signed};

/// The right signature replaced by one over this text.
fn over(scheme: &Scheme, text: &str) -> Delivery {
    let mut delivery = Delivery::of(scheme);
    let any = Scheme::builder("any").signature_header("x-any").key_format(scheme.key_format());
    let any = any.encoding(scheme.encoding()).build().unwrap();
    let headers = signed(&any, &Key::new("k", delivery.key.as_str()), text.as_bytes());
    let other = headers["x-any"].to_str().unwrap();
    let own = delivery.signature();
    let (start, _) = own.split_at(own.len() - other.len());
    delivery.set_signature(&format!("{start}{other}"));
    delivery
}

#[track_caller]
fn assert_signed(explanation: &Explanation, what: &str) {
    assert_recomputed(what, explanation, CauseKind::SignedText);
    let wanted = format!("The signature is over {what}, which is not what the scheme signs.");
    assert_eq!(explanation.causes[0].finding, wanted, "{explanation}");
}

fn acme() -> SchemeBuilder {
    Scheme::builder("acme").signature_header("x-acme-signature")
}

fn timed(parts: impl IntoIterator<Item = Part>) -> Scheme {
    acme()
        .timestamp_header("x-acme-time", TimestampFormat::Seconds)
        .signed(parts.into_iter().collect::<Vec<_>>())
        .build()
        .unwrap()
}

/// With the literal that separated it: after it, or before it at the end; and with nothing else.
#[test]
fn a_part_that_was_left_out_is_named() {
    let [v0, colon, end] = ["v0:", ":", "!"].map(Part::literal);
    let time = Part::Timestamp;
    for (scheme, text, what) in [
        (schemes::standard_webhooks(), format!("1700000000.{BODY}"), "timestamp, '.', body"),
        (schemes::standard_webhooks(), format!("msg_1.{BODY}"), "id, '.', body"),
        (schemes::standard_webhooks(), BODY.to_owned(), "body"),
        (schemes::slack(), format!("v0:{BODY}"), "'v0:', body"),
        (timed([v0.clone(), Part::Body, colon, time.clone()]), format!("v0:{BODY}"), "'v0:', body"),
        (timed([v0.clone(), time.clone(), Part::Body]), format!("v0:{BODY}"), "'v0:', body"),
        (timed([v0, time, Part::Body, end]), format!("v0:{BODY}!"), "'v0:', body, '!'"),
    ] {
        assert_signed(&over(&scheme, &text).explain(), what);
    }
}

/// A scheme that signs no time: of the first four things that may be one, each is tried.
#[test]
fn a_time_that_is_signed_besides_is_named() {
    let scheme = acme().build().unwrap();
    assert_eq!(scheme.encoding(), Encoding::Hex);
    for (before, found) in [(0, true), (3, true), (4, false)] {
        let mut delivery = over(&scheme, &format!("1700000000.{BODY}"));
        let signature = delivery.headers.remove(delivery.signature_name()).unwrap();
        for number in 0..5 {
            delivery.header(&format!("x-no-time-{number}"), "123");
        }
        for number in 0..before {
            delivery.header(&format!("x-other-{number}"), &format!("160000000{number}"));
        }
        delivery.header("x-time", "1700000000");
        delivery.headers.insert("x-acme-signature", signature);
        let explanation = delivery.explain();
        assert_eq!(explanation.is_proven(), found, "{before} before it:\n{explanation}");
        if found {
            assert_signed(&explanation, "timestamp, '.', body (timestamp: header 'x-time')");
        }
    }
}
