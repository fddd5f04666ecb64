//! Connections: kept, cut off, encrypted.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::forward::SystemNames;
use tokio::time::timeout;

use super::peer::{Peer, Then, answer, socket, tls};
use super::rig::{Book, event, forward, forwarder, forwarder_with, transient};

#[tokio::test]
async fn a_connection_is_used_again_whatever_was_answered() {
    // More than fits into the client's buffer together with the head.
    let text = "x".repeat(48 * 1024);
    let script = move |n: usize| match n % 6 {
        0 => answer(200, &text),
        3 => answer(204, ""),
        n => answer([0, 500, 422, 0, 429, 201][n], "a text"),
    };
    let peer = Peer::start(script).await;
    let forwarder = forwarder(peer.address);
    for _ in 0..24 {
        let _ = forward(&forwarder, &event()).await;
    }
    assert_eq!((peer.seen().len(), peer.connections()), (24, 1));
}

/// A bulky answer costs its connection, not the memory of reading it.
#[tokio::test]
async fn a_connection_with_a_bulky_answer_is_given_up() {
    let peer = Peer::start(|_| answer(200, &"x".repeat(1024 * 1024))).await;
    let forwarder = forwarder(peer.address);
    for _ in 0..3 {
        assert_eq!(forward(&forwarder, &event()).await, Ok(()));
    }
    assert_eq!((peer.seen().len(), peer.connections()), (3, 3));
}

#[tokio::test]
async fn events_at_the_same_time_have_connections_of_their_own_and_share_them_later() {
    let peer = Peer::saying(200).await;
    let forwarder = forwarder(peer.address);
    for _ in 0..5 {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let forwarder = forwarder.clone();
            running.spawn(async move { forward(&forwarder, &event()).await });
        }
        assert!(running.join_all().await.iter().all(|result| *result == Ok(())));
    }
    assert_eq!(peer.seen().len(), 40);
    assert!(peer.connections() <= 16, "{} connections", peer.connections());
}

/// Dispatch drops a handler at its timeout. What was open is closed, and the next attempt has nothing of it.
#[tokio::test]
async fn a_forward_that_is_dropped_leaves_nothing_behind() {
    let (silent, _) = socket("", Then::Hold).await;
    let forwarder = forwarder_with(
        &format!("http://{silent}/"),
        "allow_networks = [\"loopback\"]\ntimeout_seconds = 20",
        Arc::new(SystemNames),
    );
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(50), forward(&forwarder, &event())).await.is_err());
    }
    let peer = Peer::start(|_| answer(200, "")).await;
    let again = self::forwarder(peer.address);
    drop(timeout(Duration::from_micros(1), forward(&again, &event())).await);
    assert_eq!(forward(&again, &event()).await, Ok(()));
}

const CA: &str = "ca_file = \"ca.pem\"\nallow_networks = [\"loopback\"]";

#[tokio::test]
async fn https_goes_to_whom_the_authority_vouches_for() {
    let peer = Peer::start_at("127.0.0.1:0", Some(tls()), |_| answer(200, "")).await;
    let port = peer.address.port();
    let book = || Book::of(&[&["127.0.0.1"]]);
    for host in ["crm.test", "127.0.0.1"] {
        let forwarder = forwarder_with(&format!("https://{host}:{port}/"), CA, book());
        assert_eq!(forward(&forwarder, &event()).await, Ok(()), "{host}");
    }
    // Another name, and the authorities of the system, which know nothing of this one.
    let other = forwarder_with(&format!("https://other.test:{port}/"), CA, book());
    let system = "allow_networks = [\"loopback\"]";
    let system = forwarder_with(&format!("https://crm.test:{port}/"), system, book());
    for forwarder in [other, system] {
        let text = transient(&forwarder).await;
        assert!(text.contains("no connection to") && text.contains("certificate"), "{text}");
    }
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    let peer = Peer::saying(200).await;
    let url = format!("https://127.0.0.1:{}/", peer.address.port());
    let text = transient(&forwarder_with(&url, CA, Arc::new(SystemNames))).await;
    assert!(text.starts_with("no connection to 127.0.0.1: "), "{text}");
    assert_eq!(peer.seen().len(), 0);
}
