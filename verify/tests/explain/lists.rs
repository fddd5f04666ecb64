//! Several signatures: in one header, in several, and more than are looked at.

use hookproof::explain::CauseKind;
use hookproof::schemes;
use http::HeaderValue;

use super::delivery::{Delivery, assert_recomputed, assert_seen};

/// As long as a signature of this scheme, and none.
fn wrong(number: usize) -> String {
    format!("{number:064x}")
}

#[test]
fn the_right_one_of_a_list_is_found() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.set_signature(&format!("sha256={},{}", wrong(1), delivery.signature()));
    let explanation = delivery.explain();
    assert_recomputed("after a wrong one", &explanation, CauseKind::SignatureForm);
    let wanted = "The signature in header 'x-hub-signature-256' stands after 'sha256=', in another form than the scheme's.";
    assert_eq!(explanation.causes[0].finding, wanted, "the prefix is the scheme's, and not what is wrong");
}

/// A proxy's copy must not hide that the header which is read has it too.
#[test]
fn the_schemes_own_header_comes_first() {
    let mut delivery = Delivery::of(&schemes::github());
    let bare = delivery.signature().replace("sha256=", "");
    delivery.headers.clear();
    delivery.header("x-copy", &bare);
    delivery.set_signature(&bare);
    assert_recomputed("own and copy", &delivery.explain(), CauseKind::SignaturePrefix);
}

/// Whoever sends many must not have each of them tried.
#[test]
fn so_many_of_a_list_are_tried_and_no_more() {
    for (before, found) in [(31, true), (32, false)] {
        let mut delivery = Delivery::of(&schemes::github());
        let right = delivery.signature().replace("sha256=", "");
        let list: Vec<_> = (0..before).map(wrong).chain([right]).collect();
        delivery.set_signature(&list.join(","));
        let explanation = delivery.explain();
        assert_eq!(explanation.is_proven(), found, "{before} before it: {explanation}");
    }
}

/// Only what is as long as a signature counts among the headers in which one is looked for.
#[test]
fn many_short_headers_hide_no_moved_signature() {
    let mut delivery = Delivery::of(&schemes::stripe());
    let value = delivery.headers.remove(delivery.signature_name()).unwrap();
    for number in 0..40 {
        delivery.header(&format!("x-short-{number}"), "1");
    }
    delivery.headers.insert("x-acme-proof", value);
    let explanation = delivery.explain();
    assert_recomputed("moved", &explanation, CauseKind::SignatureHeader);
    let finding = &explanation.causes[0].finding;
    assert!(finding.contains("(in the scheme's form)"), "with its timestamp, as a whole: {finding}");
}

/// Neither of two fits: then that there are two is all that is known.
#[test]
fn a_doubled_header_is_seen() {
    let mut delivery = Delivery::of(&schemes::github());
    delivery.set_signature(&format!("sha256={}", wrong(1)));
    let second = HeaderValue::from_str(&format!("sha256={}", wrong(2))).unwrap();
    delivery.headers.append("x-hub-signature-256", second);
    let explanation = delivery.explain();
    assert_eq!(explanation.reason, Some("duplicate_header"));
    assert_seen("both wrong", &explanation, CauseKind::DuplicateHeader);
    let wanted = "Header 'x-hub-signature-256' is there twice; which one was signed cannot be known.";
    assert_eq!(explanation.causes[0].finding, wanted);
}
