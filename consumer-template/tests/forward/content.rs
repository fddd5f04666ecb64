//! What reaches the target.

use std::sync::Arc;

use bytes::Bytes;
use hookproof::{Key, Verified, Verifier, schemes};
use hookproof_consumer::effect::{Context, Handler as _};
use hookproof_consumer::event::Named;
use hookproof_consumer::forward::SystemNames;

use super::peer::{Peer, Seen};
use super::rig::{KEY, NOW, event, forward, forwarder, forwarder_with};

const LOOPBACK: &str = "allow_networks = [\"loopback\"]";

/// As the target would: with the library, and its own idea of the key.
fn verify(seen: &Seen, key: &str) -> Result<Verified<Bytes>, hookproof::Refusal> {
    let verifier =
        Verifier::builder(schemes::standard_webhooks()).key(Key::new("theirs", key)).build().unwrap();
    verifier.verify(&seen.headers, seen.body.clone(), NOW)
}

#[tokio::test]
async fn the_forwarder_says_what_it_is() {
    let version = concat!("forward ", env!("CARGO_PKG_VERSION"));
    assert_eq!(forwarder("127.0.0.1:1".parse().unwrap()).version(), version);
}

#[tokio::test]
async fn the_target_can_verify_what_it_gets_byte_for_byte() {
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for body in [every_byte, b"\xff\xfe\x00 not utf-8".to_vec(), b" {\"a\" : 1.0}\r\n".to_vec(), Vec::new()] {
        let peer = Peer::saying(200).await;
        let mut event = event();
        event.body = Bytes::from(body);
        event.headers = vec![("content-type".to_owned(), b"application/octet-stream".to_vec())];
        forward(&forwarder(peer.address), &event).await.unwrap();
        let seen = peer.one();
        assert_eq!(seen.body, event.body);
        assert_eq!(seen.line, "POST /hooks?tenant=7");
        assert_eq!(seen.header("content-type"), "application/octet-stream");
        assert_eq!(seen.header("webhook-timestamp"), "1800000000");
        assert_eq!(seen.header("webhook-id"), "ab".repeat(32));
        let proof = verify(&seen, KEY).unwrap();
        assert_eq!(proof.event_id().unwrap().value, "ab".repeat(32));
        let other = verify(&seen, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        assert!(other.is_err(), "any key verifies");
        let mut changed = seen.clone();
        changed.body = [&seen.body[..], b" "].concat().into();
        assert!(verify(&changed, KEY).is_err(), "any body verifies");
    }
}

#[tokio::test]
async fn an_event_is_told_with_where_its_metadata_comes_from() {
    let peer = Peer::saying(200).await;
    let (forwarder, signed) = (forwarder(peer.address), event());
    forward(&forwarder, &signed).await.unwrap();
    let mut unsigned = event();
    for named in [&mut unsigned.event_id, &mut unsigned.event_type] {
        named.as_mut().unwrap().signed = false;
    }
    // Its token says nothing of the body that the time was read from.
    unsigned.scheme = "gitlab-token".to_owned();
    forward(&forwarder, &unsigned).await.unwrap();
    let mut nothing = event();
    (nothing.event_id, nothing.event_type, nothing.occurred_at) = (None, None, None);
    forward(&forwarder, &nothing).await.unwrap();

    let [first, second, third] = &peer.seen()[..] else { panic!("three") };
    for seen in [first, second, third] {
        assert_eq!(seen.header("hookproof-source"), "shop");
        assert_eq!(seen.header("hookproof-event"), "17");
        assert_eq!(seen.header("hookproof-attempt"), "1");
        assert_eq!(seen.header("hookproof-received-at"), "2027-01-15T07:59:59Z");
    }
    assert_eq!(first.header("hookproof-scheme"), "standard-webhooks");
    let provenance = |seen: &Seen, prefix: &str| {
        ["event-id", "event-type", "occurred-at"]
            .map(|name| seen.header(&format!("{prefix}{name}")).to_owned())
    };
    let values = ["msg_1", "order.created", "2027-01-15T07:59:50.25Z"];
    assert_eq!(provenance(first, "hookproof-"), values);
    assert_eq!(provenance(first, "hookproof-unsigned-"), [""; 3]);
    assert_eq!(provenance(second, "hookproof-"), [""; 3], "nobody signed them");
    assert_eq!(provenance(second, "hookproof-unsigned-"), values);
    assert_eq!(provenance(third, "hookproof-"), [""; 3]);
    assert_eq!(provenance(third, "hookproof-unsigned-"), [""; 3]);
}

#[tokio::test]
async fn a_target_is_told_what_a_handler_is() {
    let peer = Peer::saying(200).await;
    let (forwarder, event) = (forwarder(peer.address), event());
    for (stale, overdue) in [(false, false), (true, false), (false, true)] {
        let mut context = Context::new(&event, 1);
        (context.stale, context.overdue) = (stale, overdue);
        forwarder.handle(&event, &context).await.unwrap();
    }
    let told = peer
        .seen()
        .into_iter()
        .map(|seen| ["hookproof-stale", "hookproof-overdue"].map(|name| seen.header(name).to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), [["", ""], ["true", ""], ["", "true"]]);
}

#[tokio::test]
async fn kept_headers_go_along_but_none_that_is_ours() {
    let peer = Peer::saying(200).await;
    let mut event = event();
    let kept: [(&str, &[u8]); 9] = [
        ("content-type", b"text/plain"),
        ("user-agent", b"GitHub-Hookshot/1"),
        ("x-github-event", b"push"),
        ("x-raw", b"caf\xe9"),
        ("webhook-id", b"msg_of_the_provider"),
        ("webhook-signature", b"v1,AAAA"),
        ("hookproof-source", b"somebody-else"),
        ("host", b"elsewhere"),
        ("transfer-encoding", b"chunked"),
    ];
    event.headers = kept.map(|(name, value)| (name.to_owned(), value.to_vec())).to_vec();
    forward(&forwarder(peer.address), &event).await.unwrap();
    let seen = peer.one();
    assert_eq!(seen.header("content-type"), "text/plain");
    assert_eq!(seen.header("user-agent"), "GitHub-Hookshot/1");
    assert_eq!(seen.header("x-github-event"), "push");
    assert_eq!(seen.headers["x-raw"].as_bytes(), b"caf\xe9");
    assert_eq!(seen.header("hookproof-source"), "shop");
    assert_eq!(seen.header("host"), peer.address.to_string());
    assert_eq!(seen.headers.get_all("webhook-id").iter().count(), 1);
    assert_eq!(seen.header("transfer-encoding"), "");
    verify(&seen, KEY).unwrap();
}

/// A name from outside must not end a header and begin another.
#[tokio::test]
async fn metadata_that_no_header_can_hold_is_left_to_the_body() {
    let peer = Peer::saying(200).await;
    for value in ["a\r\nhookproof-source: x", "a\0b", "größe", "a\u{7f}"] {
        let mut event = event();
        event.event_type = Some(Named { value: value.to_owned(), signed: true });
        forward(&forwarder(peer.address), &event).await.unwrap();
        let seen = peer.seen().pop().unwrap();
        assert!(!seen.headers.contains_key("hookproof-event-type"), "{value:?}");
        assert_eq!(seen.header("hookproof-source"), "shop");
    }
}

#[tokio::test]
async fn configured_headers_are_sent() {
    let peer = Peer::saying(200).await;
    let more = format!(
        "{LOOPBACK}\nheaders = {{ x-api-key = {{ value = \"k-1\" }}, user-agent = {{ value = \"ours\" }} }}"
    );
    let url = format!("http://{}/", peer.address);
    let forwarder = forwarder_with(&url, &more, Arc::new(SystemNames));
    let mut event = event();
    event.headers.push(("user-agent".to_owned(), b"theirs".to_vec()));
    forward(&forwarder, &event).await.unwrap();
    assert_eq!((peer.one().header("x-api-key"), peer.one().header("user-agent")), ("k-1", "ours"));
    assert!(!format!("{forwarder:?}").contains("k-1"));
}

#[tokio::test]
async fn attempts_are_counted_and_keep_their_id() {
    let peer = Peer::saying(500).await;
    let (forwarder, event) = (forwarder(peer.address), event());
    for attempt in 1..=3 {
        let _ = forwarder.handle(&event, &Context::new(&event, attempt)).await;
    }
    let seen = peer.seen();
    assert_eq!(seen.iter().map(|seen| seen.header("hookproof-attempt")).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(seen.iter().all(|seen| seen.header("webhook-id") == event.idempotency_key()));
}

#[tokio::test]
async fn during_a_rotation_the_target_may_know_either_key() {
    let old = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH/8=";
    let peer = Peer::saying(200).await;
    let config = format!(
        "url = \"http://{}/\"\nkeys = [{{ id = \"new\", value = \"{KEY}\" }}, {{ id = \"old\", value = \"{old}\" }}]\n{LOOPBACK}",
        peer.address
    );
    let target = super::rig::target(&config).unwrap();
    let clock = Arc::new(hookproof_consumer::clock::ManualClock::at(NOW));
    let forwarder =
        hookproof_consumer::forward::Forwarder::new(target, Arc::new(SystemNames), clock).unwrap();
    forward(&forwarder, &event()).await.unwrap();
    let seen = peer.one();
    assert_eq!(seen.headers.get_all("webhook-signature").iter().count(), 1);
    verify(&seen, KEY).unwrap();
    verify(&seen, old).unwrap();
}

/// ed25519: the target holds nothing that it could sign with.
#[tokio::test]
async fn a_private_key_signs_what_its_public_half_verifies() {
    // RFC 8032, section 7.1, test 1: not published as a webhook key.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    use base64::Engine as _;
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(hex.get(i..i + 2).unwrap(), 16).unwrap())
            .collect()
    };
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let private = format!("whsk_{}", base64(&[bytes(SEED), bytes(PUBLIC)].concat()));
    let public = format!("whpk_{}", base64(&bytes(PUBLIC)));
    let peer = Peer::saying(200).await;
    let section = |key: &str| {
        format!(
            "url = \"http://{}/\"\nkeys = [{{ id = \"k\", value = \"{key}\" }}]\n{LOOPBACK}",
            peer.address
        )
    };
    let clock = Arc::new(hookproof_consumer::clock::ManualClock::at(NOW));
    let target = super::rig::target(&section(&private)).unwrap();
    let forwarder =
        hookproof_consumer::forward::Forwarder::new(target, Arc::new(SystemNames), clock).unwrap();
    forward(&forwarder, &event()).await.unwrap();
    assert!(peer.one().header("webhook-signature").starts_with("v1a,"));
    verify(&peer.one(), &public).unwrap();
    let refused = super::rig::target(&section(&public)).unwrap_err();
    assert!(refused.contains("sign with the private one"), "{refused}");
}
