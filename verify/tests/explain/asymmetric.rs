//! Signatures with a private key, and what only schemes with them have.

use hookproof::explain::CauseKind;
use hookproof::{Key, Scheme, schemes};

use super::delivery::{Delivery, NOW, ORIGIN, PATH, assert_recomputed, assert_seen, signed};
use super::key_pairs::pair;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A delivery of this body, signed with the first key as `sent` has it, for a receiver with `set_up` and the second.
fn delivery(set_up: &Scheme, sent: &Scheme, (signing, verifying): (&str, &str), body: &[u8]) -> Delivery {
    Delivery {
        headers: signed(sent, &Key::new("k", signing), body),
        scheme: set_up.clone(),
        key: verifying.to_owned(),
        public_url: ORIGIN.to_owned(),
        method: http::Method::POST,
        path_and_query: PATH.to_owned(),
        body: body.to_vec(),
        now: NOW,
    }
}

fn of_preset(name: &str) -> Delivery {
    let scheme = Scheme::by_name(name).unwrap();
    delivery(&scheme, &scheme, pair(name).unwrap(), b"{\"a\":1}")
}

/// The time of a token stands in its claims.
#[test]
fn a_late_token_is_late_and_nothing_else() {
    let mut delivery = of_preset("plaid");
    assert!(delivery.explain().is_accepted());
    delivery.late(365);
    let explanation = delivery.explain();
    assert_eq!(explanation.reason, Some("timestamp_too_old"));
    assert_seen("late", &explanation, CauseKind::OutsideWindow);
    assert_eq!(explanation.key_id.as_deref(), Some("k"), "the signature is right, and said to be");
    assert_eq!(explanation.time.unwrap().distance_ms, 365_000);
}

/// No HMAC has the length of these signatures, and there is one all the same.
#[test]
fn a_signature_that_is_no_mac_is_one() {
    let mut delivery = of_preset("discord");
    delivery.body = b"something else".to_vec();
    let explanation = delivery.explain();
    assert_eq!(explanation.reason, Some("signature_mismatch"));
    assert!(explanation.next_steps[0].contains("the secret is probably another one"), "{explanation}");
}

#[test]
fn a_body_with_another_digest_is_seen() {
    let scheme = schemes::http_message_signatures();
    let mut delivery = delivery(&scheme, &scheme, (SECRET, SECRET), b"{\"a\":1}");
    assert!(delivery.explain().is_accepted());
    delivery.body = b"something else".to_vec();
    let explanation = delivery.explain();
    assert_eq!(explanation.reason, Some("digest_mismatch"));
    assert_seen("another body", &explanation, CauseKind::BodyDigest);

    delivery.body = b"{\"a\":1}\n".to_vec();
    assert_recomputed("a newline", &delivery.explain(), CauseKind::BodyEdges);
}

#[test]
fn a_signature_over_too_little_is_seen() {
    let sent = Scheme::builder("acme").http_message(["@method", "content-digest"], None).build().unwrap();
    let delivery = delivery(&schemes::http_message_signatures(), &sent, (SECRET, SECRET), b"{}");
    let explanation = delivery.explain();
    assert_eq!(explanation.reason, Some("uncovered_component"));
    assert_seen("no @target-uri", &explanation, CauseKind::MalformedHeader);
    assert_eq!(explanation.causes[0].finding, "No signature covers all that the scheme requires.");
}
