//! Refusals in number: counted without loss, kept within bounds, in nobody's way.

#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
#[path = "support/server.rs"]
mod server;
#[cfg(test)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verifier, VerifyLayer, schemes};
use hookproof_consumer::clock::{Clock as _, ManualClock, SystemClock};
use hookproof_consumer::config::Config;
use hookproof_consumer::event::State;
use hookproof_consumer::inbox::{
    Head, Operator as _, Quarantine as _, QuarantineLimits, QuarantineNo, QuarantineTotal, Quarantined,
    QuarantinedSummary, RefusalFilter, RefusalLog as _,
};
use hookproof_consumer::ingress::door::{Again, verify_again};
use hookproof_consumer::refused::{
    Collector, MAX_HELD_BYTES, MAX_HELD_ROWS, MAX_SAMPLES, Recorded, Recorder,
};
use http::{Request, Response};
use http_body_util::Full;
use server::Server;
use support::{Sqlite, at};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::{Layer as _, ServiceExt as _};

const BODY: &str = r#"{"event":"lead.created","data":{"id":"L-1"}}"#;
const LIMITS: QuarantineLimits =
    QuarantineLimits { max_rows: 100_000, max_bytes: 1 << 30, max_age: Duration::from_secs(3_600) };

/// Sends `request` again and again over one connection, and counts the answers.
async fn flood(server: &Server, request: &[u8], times: usize) -> usize {
    let (mut read, mut write) = server.connect().await.into_split();
    let sent = request.to_vec();
    let sending = tokio::spawn(async move {
        for _ in 0..times {
            write.write_all(&sent).await.unwrap();
        }
        write
    });
    let (mut answers, mut chunk, mut tail) = (0, vec![0; 65_536], Vec::new());
    while answers < times {
        let length = read.read(&mut chunk).await.unwrap();
        assert_ne!(length, 0, "closed after {answers} answers");
        tail.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8(std::mem::take(&mut tail)).unwrap();
        let whole = text.rfind("unauthorized\n").map_or(0, |at| at + "unauthorized\n".len());
        answers += text[..whole].matches("HTTP/1.1 401 ").count();
        tail = text.into_bytes().split_off(whole);
    }
    sending.await.unwrap();
    answers
}

fn keep_alive(request: Vec<u8>) -> Vec<u8> {
    String::from_utf8(request).unwrap().replace("connection: close\r\n", "").into_bytes()
}

/// Every refusal is counted, a few are kept, and deliveries go through meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_counted_without_loss_and_little_of_it_is_kept() {
    let server =
        Arc::new(Server::start_with("[refusals]\nmax_rows = 20\n", "quarantine = { max_rows = 5 }").await);
    let forged = keep_alive(server.signed("devsphere", BODY, &[]))
        .iter()
        .rev()
        .skip(1)
        .rev()
        .copied()
        .collect::<Vec<_>>();
    let forged = [&forged[..], b"]"].concat();
    let headless = keep_alive(server.signed("slack", BODY, &[]));
    let headless = String::from_utf8(headless).unwrap().replace("x-slack-signature", "x-other").into_bytes();
    let mut floods = tokio::task::JoinSet::new();
    for request in [&forged, &forged, &headless, &headless] {
        let (server, request) = (Arc::clone(&server), request.clone());
        floods.spawn(async move { flood(&server, &request, 700).await });
    }
    for n in 0..50 {
        let body = BODY.replace("L-1", &format!("L-{n}"));
        assert_eq!(server.exchange(&server.signed("devsphere", &body, &[])).await.status, 200);
    }
    assert_eq!(floods.join_all().await.iter().sum::<usize>(), 2_800);
    let operator = server.operator();
    let all = async || operator.refusal_totals().await.unwrap();
    let written = async || {
        let whole = operator.quarantine_totals().await.unwrap();
        let whole = whole.iter().map(|total| total.total + total.dropped).sum::<u64>();
        (all().await.iter().map(|total| total.total).sum::<u64>(), whole)
    };
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while written().await != (2_800, 1_400) {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", all().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rows: Vec<_> = all()
        .await
        .into_iter()
        .map(|total| (total.source, total.reason, total.total, total.kept <= 20))
        .collect();
    let row = |source: &str, reason: &str| (source.to_owned(), reason.to_owned(), 1_400, true);
    assert_eq!(rows, [row("devsphere", "signature_mismatch"), row("slack", "missing_header")]);
    let quarantined = operator.quarantine_totals().await.unwrap();
    let devsphere = quarantined.iter().find(|total| total.source == "devsphere").unwrap();
    assert!(devsphere.held == 5 && devsphere.dropped > 0, "{devsphere:?}");
    assert!(quarantined.len() == 1, "no key cures a missing header: {quarantined:?}");
    server.settled().await;
    assert_eq!(operator.counts().await.unwrap().of(State::Done), 50);
}

#[tokio::test]
async fn the_log_says_who_when_and_how_far_the_clock_is_off() {
    let server = Server::start("").await;
    let now = SystemClock.now();
    let late = UnixTime::from_millis(now.as_millis() - 400_000);
    let late = server.exchange(&Server::signed_at(late, "slack", BODY, &[])).await;
    let get = b"GET /hooks/meta?hub.mode=subscribe&hub.verify_token=secret&hub.challenge=1 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let asked = server.exchange(get).await;
    assert_eq!((late.status, late.without_date()), (401, asked.without_date()), "the answer says nothing");
    let path = server.operator();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let mut list = Vec::new();
    while list.len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "{list:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        list = path.refusals(RefusalFilter::default()).await.unwrap();
    }
    list.sort_by(|a, b| a.source.cmp(&b.source));
    let seen: Vec<_> =
        list.iter().map(|row| (&*row.source, &*row.reason, &*row.method, row.peer.as_deref())).collect();
    assert_eq!(
        seen,
        [
            ("meta", "handshake_refused", "GET", Some("127.0.0.1")),
            ("slack", "timestamp_too_old", "POST", Some("127.0.0.1")),
        ]
    );
    assert!(list[0].skew_seconds.is_none());
    assert!(list[1].skew_seconds.is_some_and(|skew| (-430..=-400).contains(&skew)), "{:?}", list[1]);
    assert!(list.iter().all(|row| row.at >= now));
}

/// A collector with a door before it, and a recorder behind it.
struct Rig {
    backend: Sqlite,
    collector: Arc<Collector>,
    recorder: Recorder,
    limits: Option<QuarantineLimits>,
    clock: Arc<ManualClock>,
}

impl Rig {
    fn new(limits: Option<QuarantineLimits>) -> Self {
        let backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(50)));
        let collector = Arc::new(Collector::default());
        let clock = Arc::new(ManualClock::at(at(0)));
        let ours = Arc::clone(&clock);
        let recorder = Recorder::new(Arc::clone(&collector), backend.shared(), ours, 1_000);
        Self { backend, collector, recorder, limits, clock }
    }

    /// Refuses so many requests with bodies of so many bytes.
    async fn refuse(&self, requests: usize, bytes: usize, signed: bool) {
        let key = Key::new("k", "a key of more than sixteen bytes");
        let verifier =
            Verifier::builder(schemes::github()).key(key.clone()).body_limit(16 << 20).build().unwrap();
        let desk = self.collector.desk(&"crm".into(), self.limits);
        let door = VerifyLayer::new(verifier).clock(|| at(0)).refused(move |refused| desk.note(refused));
        let behind = tower::service_fn(|_: Request<Full<Bytes>>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())))
        });
        let headers =
            Signer::new(&schemes::github(), &key).unwrap().sign(&Outgoing::new(b"another")).unwrap();
        let body = Bytes::from(vec![b'x'; bytes]);
        for _ in 0..requests {
            let mut request = Request::post("/in").body(Full::new(body.clone())).unwrap();
            if signed {
                *request.headers_mut() = headers.clone();
            }
            let answer = door.layer(behind).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 401);
        }
    }

    async fn total(&self) -> QuarantineTotal {
        self.backend.inbox().quarantine_totals().await.unwrap().pop().unwrap_or_default()
    }

    async fn end(self) {
        drop(self.recorder);
        self.backend.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_bounded_in_bytes() {
    let mut rig = Rig::new(Some(LIMITS));
    let quarter = usize::try_from(MAX_HELD_BYTES).unwrap() / 4 - 1_000;
    rig.refuse(6, quarter, true).await;
    assert_eq!(rig.recorder.run_once().await, Recorded { refusals: 6, quarantined: 4, failures: 0 });
    assert_eq!((rig.total().await.held, rig.total().await.dropped), (4, 2));
    // What was written makes room again. One alone may be larger than all of it.
    rig.refuse(1, 5 * quarter, true).await;
    rig.refuse(1, 10, true).await;
    rig.recorder.run_once().await;
    assert_eq!((rig.total().await.held, rig.total().await.dropped), (5, 3));
    rig.refuse(4, quarter, true).await;
    assert_eq!(rig.recorder.run_once().await.quarantined, 4);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_bounded_in_number() {
    let mut rig = Rig::new(Some(LIMITS));
    rig.refuse(MAX_HELD_ROWS, 10, true).await;
    assert_eq!(rig.recorder.run_once().await.quarantined, MAX_HELD_ROWS as u64);
    assert_eq!(rig.total().await.dropped, 0, "at the bound");
    rig.refuse(MAX_HELD_ROWS + 1, 10, true).await;
    assert_eq!(rig.recorder.run_once().await.quarantined, MAX_HELD_ROWS as u64);
    assert_eq!((rig.total().await.held, rig.total().await.dropped), (2 * MAX_HELD_ROWS as u64, 1));
    assert_eq!(rig.recorder.run_once().await, Recorded::default(), "nothing is left");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_few_and_counts_are_exact() {
    let mut rig = Rig::new(None);
    for (requests, kept) in
        [(MAX_SAMPLES, MAX_SAMPLES), (MAX_SAMPLES + 1, 2 * MAX_SAMPLES), (1, 2 * MAX_SAMPLES + 1)]
    {
        rig.refuse(requests, 10, false).await;
        assert_eq!(rig.recorder.run_once().await.refusals, requests as u64);
        let total = rig.backend.inbox().refusal_totals().await.unwrap().remove(0);
        assert_eq!((&*total.reason, total.kept), (Refusal::MissingHeader.code(), kept as u64));
    }
    rig.refuse(1, 10, true).await;
    rig.recorder.run_once().await;
    assert_eq!(rig.total().await, QuarantineTotal::default(), "without a quarantine nothing is kept");
    rig.end().await;
}

/// Without a new refusal, too: what strangers sent does not stay for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_let_go_although_nothing_comes() {
    let mut rig = Rig::new(Some(LIMITS));
    rig.refuse(2, 10, true).await;
    rig.recorder.run_once().await;
    rig.clock.advance(LIMITS.max_age + Duration::from_secs(1));
    for _ in 0..600 {
        assert_eq!(rig.recorder.run_once().await, Recorded::default());
    }
    assert_eq!((rig.total().await.held, rig.total().await.expired), (0, 2));
    rig.end().await;
}

/// A provider's question was for the moment in which it came, and was never an event.
#[tokio::test]
async fn a_signed_challenge_does_not_become_an_event_later() {
    let key = "0b1c2d3e4f5061728394a5b6c7d8e9fa";
    let text = format!(
        "[sources.slack]\npath = \"/hooks/slack\"\nscheme = \"slack\"\nkeys = [{{ id = \"k\", value = \"{key}\" }}]\n"
    );
    let config = Config::parse(&text, std::path::Path::new("hookproof.toml")).unwrap();
    let source = config.sources.first().unwrap();
    let signer = Signer::new(&schemes::slack(), &Key::new("k", key)).unwrap();
    let again = async |body: &'static str| {
        let headers = signer.sign(&Outgoing::new(body.as_bytes()).timestamp(at(0))).unwrap();
        let (mut parts, ()) = Request::post("/hooks/slack").body(()).unwrap().into_parts();
        parts.headers = headers;
        let head = Head::from(&parts);
        let summary = QuarantinedSummary {
            number: QuarantineNo(1),
            source: "slack".to_owned(),
            received_at: at(0),
            reason: Refusal::SignatureMismatch.code().to_owned(),
            peer: None,
            method: head.method.clone(),
            target: head.target.clone(),
            body_bytes: body.len() as u64,
        };
        verify_again(source, &Quarantined { summary, head, body: Bytes::from(body) }).await.unwrap()
    };
    assert!(matches!(again(r#"{"type":"url_verification","challenge":"3eZbrw1a"}"#).await, Again::Challenge));
    assert!(matches!(again(r#"{"type":"event_callback"}"#).await, Again::Genuine(_)), "the control");
}

/// While the store fails, counts wait for it, and what was to be kept is counted as not kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_loses_no_count() {
    let mut rig = Rig::new(Some(LIMITS));
    rig.refuse(3, 10, true).await;
    let sql = rig.backend.sql();
    sql.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failed = rig.recorder.run_once().await;
    assert_eq!((failed.refusals, failed.quarantined), (0, 0));
    assert!(failed.failures >= 2, "{failed:?}");
    rig.refuse(2, 10, true).await;
    sql.execute_batch("ROLLBACK").unwrap();
    assert_eq!(rig.recorder.run_once().await, Recorded { refusals: 5, quarantined: 2, failures: 0 });
    assert_eq!((rig.total().await.held, rig.total().await.dropped), (2, 3));
    drop(sql);
    rig.end().await;
}
