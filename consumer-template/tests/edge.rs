//! The HTTP edge over real sockets: what is answered, what is stored, what a connection may cost.

#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]

#[cfg(test)]
#[path = "support/server.rs"]
mod server;

use std::time::{Duration, Instant};

use hookproof_consumer::event::{DeadReason, State};
use hookproof_consumer::inbox::{DeliveryFilter, Filter, Operator as _, Records as _};
use server::{Server, reply};

const BODY: &str = r#"{"event":"lead.created","data":{"id":"L-1"}}"#;

#[tokio::test]
async fn a_signed_delivery_is_stored_and_its_replay_is_the_same_event() {
    let server = Server::start("").await;
    let request = server.signed("devsphere", BODY, &[]);
    for _ in 0..3 {
        assert_eq!(server.exchange(&request).await.status, 200);
    }
    server.settled().await;
    let counts = server.operator().counts().await.unwrap();
    assert_eq!((counts.of(State::Done), counts.entries.len()), (1, 1));
}

/// One answer for every reason: a stranger learns nothing from status, headers, body.
#[tokio::test]
async fn every_refusal_is_the_same_bytes() {
    let server = Server::start("").await;
    let good = server.signed("devsphere", BODY, &[]);
    let text = |request: &[u8]| String::from_utf8(request.to_vec()).unwrap();
    let signature = text(&good).lines().find(|line| line.starts_with("x-signature")).unwrap().to_owned();
    let wrong = signature.replace("sha256=", "sha256=00").chars().take(signature.len()).collect::<String>();
    let variants = [
        ("missing", text(&good).replace(&format!("{signature}\r\n"), "")),
        ("empty", text(&good).replace(&signature, "x-signature: ")),
        ("wrong", text(&good).replace(&signature, &wrong)),
        ("prefix", text(&good).replace("sha256=", "sha1=")),
        ("short", text(&good).replace(&signature, "x-signature: sha256=00")),
        ("twice", text(&good).replace(&signature, &format!("{signature}\r\n{signature}"))),
        ("body", text(&good).replace("L-1", "L-2")),
        (
            "other source",
            text(&server.signed("klozeo", BODY, &[])).replace("/hooks/klozeo", "/hooks/devsphere"),
        ),
    ];
    let mut answers = Vec::new();
    for (what, request) in variants {
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!(answer.status, 401, "{what}");
        answers.push((what, answer.without_date()));
    }
    let (_, first) = answers.first().unwrap().clone();
    assert!(answers.iter().all(|(_, answer)| *answer == first), "{answers:#?}");
    assert_eq!(server.operator().counts().await.unwrap().entries, []);
}

#[tokio::test]
async fn other_statuses_are_what_they_are() {
    let server = Server::start("").await;
    let good = String::from_utf8(server.signed("devsphere", BODY, &[])).unwrap();
    let large = "x".repeat((1 << 20) + 1);
    let chunked =
        good.replace("content-length", "x-was").replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
    let (head, _) = chunked.split_once("\r\n\r\n").unwrap();
    let rows = [
        (404, good.replace("/hooks/devsphere", "/hooks/devspher")),
        (404, good.replace("/hooks/devsphere", "/hooks/devsphere/")),
        (404, good.replace("/hooks/devsphere", "//hooks/devsphere")),
        (404, good.replace("/hooks/devsphere", "/hooks/%64evsphere")),
        (404, good.replace("/hooks/devsphere", "/Hooks/devsphere")),
        (405, good.replace("POST", "GET")),
        (405, good.replace("POST", "PUT")),
        (405, good.replace("POST", "GET").replace("sha256=", "sha256=00")),
        (413, String::from_utf8(server.signed("devsphere", &large, &[])).unwrap()),
        (413, format!("{head}\r\n\r\n100001\r\n{large}\r\n0\r\n\r\n")),
        (415, good.replace("host:", "content-encoding: gzip\r\nhost:")),
        (200, good.replace("host:", "content-encoding: identity\r\nhost:")),
        (431, good.replace("host:", &format!("{}host:", "x-y: z\r\n".repeat(64)))),
        (431, good.replace("host:", &format!("x-long: {}\r\nhost:", "z".repeat(20 * 1024)))),
        (400, good.replace("content-length: ", "content-length: +")),
    ];
    for (status, request) in rows {
        let head: String = request.chars().take(120).collect();
        assert_eq!(server.exchange(request.as_bytes()).await.status, status, "{head}");
    }
}

/// The question who owns the endpoint is answered to whoever may ask it, and is no event.
#[tokio::test]
async fn challenges_are_answered_and_not_stored() {
    let server = Server::start("").await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    let asked = |token: &str| {
        get(&format!("/hooks/meta?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444"))
    };
    let answer = server.exchange(asked("the+token+of+this+test").as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.ends_with("\r\n\r\n1158201444"), "{}", answer.text);
    let refused = server.exchange(asked("another+token").as_bytes()).await;
    let unsigned = server.exchange(get("/hooks/meta").as_bytes()).await;
    assert_eq!((refused.status, refused.without_date()), (401, unsigned.without_date()));

    let challenge =
        r#"{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#;
    let answer = server.exchange(&server.signed("slack", challenge, &[])).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"), "{}", answer.text);
    let forged = String::from_utf8(server.signed("slack", challenge, &[])).unwrap().replace("3eZ", "4eZ");
    assert_eq!(server.exchange(forged.as_bytes()).await.status, 401);

    // Another source's path asks in vain.
    assert_eq!(server.exchange(get("/hooks/devsphere?hub.challenge=1").as_bytes()).await.status, 405);
    assert_eq!(server.operator().counts().await.unwrap().entries, []);
}

#[tokio::test]
async fn the_body_limit_holds_at_the_bound() {
    let server = Server::start("body_limit_bytes = 64").await;
    let body = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert_eq!(server.exchange(&server.signed("devsphere", &body(64), &[])).await.status, 200);
    assert_eq!(server.exchange(&server.signed("devsphere", &body(65), &[])).await.status, 413);
}

#[tokio::test]
async fn what_is_genuine_and_unreadable_is_a_dead_letter() {
    let server = Server::start("").await;
    let bodies = [
        ("devsphere", "lead=1&status=new", "not a JSON"),
        ("devsphere", "", "not a JSON"),
        ("devsphere", r#"{"type":"a","type":"b"}"#, "twice"),
        ("klozeo", "not json", "not a JSON"),
        ("klozeo", r#"{"event":"lead.created","data":{"id":"L-1"}}"#, "no readable event time at /timestamp"),
        (
            "klozeo",
            r#"{"event":"lead.created","timestamp":"yesterday","data":{"id":"L-1"}}"#,
            "no readable event time",
        ),
    ];
    for (source, body, _) in bodies {
        assert_eq!(server.exchange(&server.signed(source, body, &[])).await.status, 200, "{body}");
    }
    let dead = server.operator().list(Filter::dead()).await.unwrap();
    assert_eq!(dead.len(), bodies.len());
    for (event, (source, body, why)) in dead.iter().zip(bodies) {
        assert_eq!((event.source.as_str(), event.reason), (source, Some(DeadReason::Malformed)), "{body}");
        assert!(
            event.last_error.as_deref().unwrap_or_default().contains(why),
            "{body}: {:?}",
            event.last_error
        );
        let detail = server.operator().show(event.number).await.unwrap().unwrap();
        assert_eq!(detail.event.body, body.as_bytes());
    }
}

/// What is kept of the headers is on a list; a signature, cookie or authorization never is.
#[tokio::test]
async fn only_listed_headers_are_kept() {
    let server = Server::start("").await;
    let extra = [
        "user-agent: LeadHub/1.0",
        "cookie: s3cret",
        "authorization: Bearer s3cret",
        "content-type: application/json",
    ];
    assert_eq!(server.exchange(&server.signed("devsphere", BODY, &extra)).await.status, 200);
    let newest = server.operator().list(Filter::default()).await.unwrap();
    let detail = server.operator().show(newest.first().unwrap().number).await.unwrap().unwrap();
    let mut names: Vec<_> = detail.event.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "user-agent"]);
}

/// Connections that say nothing, half a head, a head drop by drop, or half a body are ended, each in its time.
#[tokio::test]
async fn slow_connections_are_ended() {
    let server = Server::start("").await;
    let request = server.signed("devsphere", BODY, &[]);
    let half = request.len() - 10;
    let shapes: [(&str, &[u8], Option<u16>); 3] = [
        ("nothing", b"", None),
        ("half a head", &request[..40], None),
        ("half a body", &request[..half], Some(408)),
    ];
    for (what, sent, status) in shapes {
        let start = Instant::now();
        let answer = reply(&server, sent, Duration::from_secs(15)).await;
        let answer = answer.unwrap_or_else(|| panic!("{what}: still open after {:?}", start.elapsed()));
        assert_eq!(answer.map(|answer| answer.status), status, "{what}");
    }
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_and_are_served_later() {
    let server = Server::start_with("max_connections = 2\n", "").await;
    let held = [server.connect().await, server.connect().await];
    let request = server.signed("devsphere", BODY, &[]);
    let waiting = reply(&server, &request, Duration::from_millis(300)).await;
    assert!(waiting.is_none(), "served beside two open connections");
    drop(held);
    assert_eq!(server.exchange(&request).await.status, 200);
}

/// The record of a delivery says how soon it was answered, and how far off the sender's clock is where a signed timestamp says so.
#[tokio::test]
async fn a_delivery_is_recorded_with_its_latency_and_the_senders_clock() {
    let server = Server::start("").await;
    for source in ["slack", "devsphere"] {
        let request = server.signed(source, BODY, &[]);
        let sent = Instant::now();
        assert_eq!(server.exchange(&request).await.status, 200);
        let took = sent.elapsed();
        let operator = server.operator();
        let latest = async || operator.deliveries(DeliveryFilter::default()).await.unwrap().remove(0);
        let noted = async {
            while latest().await.ack.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), noted).await.expect("the sweep notes it");
        let record = latest().await;
        assert_eq!(
            (record.source.as_str(), record.answer.as_str(), record.key_id.as_str()),
            (source, "new", "k")
        );
        assert!(record.ack.unwrap() <= took, "{record:?} {took:?}");
        let seconds = record.skew_ms.map(|skew| (-30_000..=0).contains(&skew));
        // The event's time of the other one is older with each retry: it tells nothing of a clock.
        assert_eq!(seconds, (source == "slack").then_some(true), "{record:?}");
    }
}
