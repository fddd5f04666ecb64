//! What other receivers of webhooks have got wrong, excluded here one by one. Section E of `ATTACKS.md` lists all of them, also
//! those that other tests hold.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/server.rs"]
#[allow(unreachable_pub, reason = "each test binary uses a part of this")]
mod server;
mod support;

use std::time::Duration;

use hookproof_consumer::event::State;
use hookproof_consumer::inbox::{Delivery, Filter, Inbox as _, InboxError, Operator as _};
use server::{Server, reply};
use support::{LEASE, Sqlite, accept, at, sent};

const BODY: &str = r#"{"event":"lead.updated","data":{"id":"lead-1"}}"#;

/// How many events there are, whatever their state.
async fn events(server: &Server) -> u64 {
    server.operator().counts().await.unwrap().total()
}

/// Rows in every table that a delivery could leave something in.
fn rows(server: &Server) -> i64 {
    let count = "SELECT (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM payloads) + (SELECT COUNT(*) FROM replay_keys)
        + (SELECT COUNT(*) FROM queue) + (SELECT COUNT(*) FROM lanes)";
    server.sql().query_row(count, [], |row| row.get(0)).unwrap()
}

/// Excludes: an event without an id gets the empty text for its identity, and from then on every other one without an id is taken
/// for a duplicate of it, and dropped.
#[tokio::test]
async fn events_without_an_id_are_not_duplicates_of_one_another() {
    let server = Server::start("").await;
    let bodies = [
        r#"{"event":"lead.updated","n":1}"#,
        r#"{"event":"lead.updated","n":2}"#,
        r#"{"event":"lead.updated","n":1,"id":""}"#,
        r#"{"event":"lead.updated","n":2,"id":""}"#,
        r#"{"event":"lead.updated","n":1,"id":null}"#,
    ];
    for _ in 0..2 {
        for body in bodies {
            assert_eq!(server.exchange(&server.signed("devsphere", body, &[])).await.status, 200, "{body}");
        }
        assert_eq!(events(&server).await, bodies.len() as u64);
    }
}

/// Excludes: the parts of an identity are joined without a mark between them, so that two sources share one.
#[tokio::test]
async fn the_parts_of_an_identity_do_not_run_into_one_another() {
    let backend = Sqlite::start();
    accept(backend.inbox(), &sent("23").to("crm1")).await;
    accept(backend.inbox(), &sent("3").to("crm12")).await;
}

/// Excludes: a body in chunks that is longer than the limit is cut there, and what is left of it is processed.
#[tokio::test]
async fn a_chunked_body_beyond_the_limit_is_refused_and_never_cut() {
    let server = Server::start("body_limit_bytes = 64").await;
    let chunked = |body: &str| {
        let whole = String::from_utf8(server.signed("devsphere", body, &[])).unwrap();
        let (head, _) = whole.split_once("content-length").unwrap();
        // In chunks of seven, each of which is within any limit.
        let chunks = body
            .as_bytes()
            .chunks(7)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
        format!("{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.collect::<String>())
    };
    let fits = format!("{BODY}{}", " ".repeat(64 - BODY.len()));
    assert_eq!(server.exchange(chunked(&fits).as_bytes()).await.status, 200);
    let before = rows(&server);
    for beyond in [format!("{fits} "), format!("{fits}{fits}")] {
        assert_eq!(server.exchange(chunked(&beyond).as_bytes()).await.status, 413);
    }
    // Genuine at its full length, and not at the length where it would be cut.
    let newest = server.operator().list(Filter::default()).await.unwrap();
    let kept = server.operator().show(newest[0].number).await.unwrap().unwrap().event.body;
    assert_eq!((rows(&server) <= before, newest.len(), kept.len()), (true, 1, 64));
}

/// Excludes: a delivery that cannot be stored is the sender's mistake (400: it does not come again), or is answered 200.
#[tokio::test]
async fn what_cannot_be_stored_is_answered_503_and_comes_again() {
    let server = Server::start("").await;
    for table in ["replay_keys", "events", "payloads", "lanes", "queue"] {
        let spoil = format!(
            "CREATE TRIGGER spoil BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room for it'); END"
        );
        server.sql().execute_batch(&spoil).unwrap();
        let body = BODY.replace("lead-1", table);
        let request = server.signed("devsphere", &body, &[]);
        let before = rows(&server);
        let answer = server.exchange(&request).await;
        assert_eq!(answer.status, 503, "{table}: {answer:?}");
        assert!(answer.text.to_ascii_lowercase().contains("\r\nretry-after: "), "{table}: {answer:?}");
        assert!(!answer.text.contains("no room"), "{answer:?}");
        assert!(rows(&server) <= before, "{table}: something was left behind");
        server.sql().execute_batch("DROP TRIGGER spoil").unwrap();
        assert_eq!(server.exchange(&request).await.status, 200, "{table}");
        server.settled().await;
    }
    assert_eq!(server.operator().counts().await.unwrap().of(State::Done), 5);
}

/// Excludes: the mark "seen" is committed before the work is queued, so that what goes wrong between the two loses the event: its
/// redelivery is a duplicate of nothing.
#[tokio::test]
async fn what_fails_between_the_mark_and_the_queue_leaves_no_mark() {
    let backend = Sqlite::start();
    let between =
        "CREATE TRIGGER outage BEFORE INSERT ON queue BEGIN SELECT RAISE(ABORT, 'the power is gone'); END";
    backend.sql().execute_batch(between).unwrap();
    for _ in 0..3 {
        let Err(InboxError::Store(error)) = backend.inbox().accept(sent("msg_1").key("a").incoming()).await
        else {
            panic!("an error is not a duplicate")
        };
        assert_eq!(error.to_string(), "could not store an event: the power is gone");
    }
    backend.sql().execute_batch("DROP TRIGGER outage").unwrap();
    let accepted = backend.inbox().accept(sent("msg_1").key("a").incoming()).await.unwrap();
    assert_eq!(accepted.outcome, Delivery::New);
    let claimed = backend.inbox().claim(9, LEASE, at(0)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    backend.assert_sound().await;
}

/// Excludes: an answer 2xx that only memory stands behind: after a time limit, or before the work is stored at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_success_is_answered_while_the_store_is_held() {
    let server = Server::start("").await;
    let held = server.sql();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = server.signed("devsphere", BODY, &[]);
    let early = reply(&server, &request, Duration::from_millis(700)).await;
    assert_eq!(early, None, "it was answered although it could not be stored");
    let late = server.exchange(&request).await;
    assert_eq!(late.status, 503, "{late:?}");
    held.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.exchange(&request).await.status, 200);
    server.settled().await;
    assert_eq!(events(&server).await, 1);
}

/// Excludes: a signature that is missing, or of another length or alphabet than expected, makes the comparison throw: the sender is
/// answered 500, and a stranger has found out how to make noise. And: a refused delivery leaves rows behind.
#[tokio::test]
async fn a_signature_of_any_shape_is_answered_401_and_leaves_no_rows() {
    let server = Server::start("").await;
    let shapes: [&[u8]; 14] = [
        b"",
        b" ",
        b"sha256",
        b"sha256=",
        b"sha256=0",
        b"sha256=00",
        b"=",
        b"null",
        b"sha256=zz",
        b"\xff\xfe",
        b"sha256=\xc3\xa9",
        &[b'0'; 63],
        &[b'0'; 65],
        &[b'a'; 4_000],
    ];
    for source in ["devsphere", "klozeo"] {
        let whole = String::from_utf8(server.signed(source, BODY, &[])).unwrap();
        let line = whole.lines().find(|line| line.contains("signature")).unwrap();
        let (name, _) = line.split_once(": ").unwrap();
        let (head, tail) = whole.split_once(&format!("{line}\r\n")).unwrap();
        let missing = [head.as_bytes(), tail.as_bytes()].concat();
        let shaped = shapes
            .map(|shape| [head.as_bytes(), name.as_bytes(), b": ", shape, b"\r\n", tail.as_bytes()].concat());
        for request in std::iter::once(missing).chain(shaped) {
            let answer = server.exchange(&request).await;
            assert_eq!(answer.status, 401, "{source}: {:?}", String::from_utf8_lossy(&request));
        }
        assert_eq!(
            server.exchange(whole.as_bytes()).await.status,
            200,
            "the same request with its signature"
        );
        server.settled().await;
    }
    assert_eq!(events(&server).await, 2);
    assert_eq!(rows(&server), 2 * 3, "an event, its payload and its replay key, for each that was genuine");
}
