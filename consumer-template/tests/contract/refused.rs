//! What was refused: counted, sampled, kept whole where it is wanted, and released.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use hookproof::Refusal;
use hookproof_consumer::event::State;
use hookproof_consumer::inbox::{
    By, Delivery, Head, Inbox, KeepRefused, Operator, Quarantine, QuarantineFilter, QuarantineLimits,
    QuarantineNo, QuarantineTotal, Records, RefusalFilter, RefusalLog, RefusalSample, RefusalsOfSource,
    RefusedDelivery, SampledMethod,
};

use crate::contract::purge::{purge_all, set};
use crate::support::{LEASE, Sqlite, accept, at, claim_one, sent};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const LIMITS: QuarantineLimits =
    QuarantineLimits { max_rows: 10, max_bytes: 1 << 20, max_age: Duration::from_secs(3_600) };

fn by() -> By {
    By::new("ann", "the key was wrong")
}

/// Counts `total` refusals, of which `samples` are noted.
async fn note(backend: &Sqlite, source: &str, refusal: Refusal, total: u64, samples: u64, max_rows: u32) {
    let sample = |n| RefusalSample {
        refusal,
        at: at(n),
        skew_seconds: Some(-310),
        peer: Some(PEER),
        method: SampledMethod::Post,
    };
    let samples = (0..samples).map(sample).collect();
    let batch =
        RefusalsOfSource { source: source.into(), until: at(total), counts: vec![(refusal, total)], samples };
    backend.inbox().note_refusals(vec![batch], max_rows).await.unwrap();
}

/// How many there were, and how many are kept, of each reason of `crm`.
async fn totals(backend: &Sqlite) -> BTreeMap<String, (u64, u64)> {
    let totals = backend.inbox().refusal_totals().await.unwrap().into_iter();
    totals
        .filter(|total| total.source == "crm")
        .map(|total| (total.reason, (total.total, total.kept)))
        .collect()
}

pub(crate) async fn refusals_are_counted_by_source_and_reason(backend: &mut Sqlite) {
    note(backend, "crm", Refusal::MissingHeader, 5_000_000_000, 3, 1_000).await;
    note(backend, "crm", Refusal::MissingHeader, 2, 2, 1_000).await;
    note(backend, "crm", Refusal::TimestampTooOld, 1, 1, 1_000).await;
    note(backend, "shop", Refusal::MissingHeader, 4, 0, 1_000).await;
    let all = backend.inbox().refusal_totals().await.unwrap();
    let rows: Vec<_> =
        all.iter().map(|total| (&*total.source, &*total.reason, total.total, total.kept)).collect();
    assert_eq!(
        rows,
        [
            ("crm", "missing_header", 5_000_000_002, 5),
            ("crm", "timestamp_too_old", 1, 1),
            ("shop", "missing_header", 4, 0)
        ]
    );
    assert_eq!((all[0].first_at, all[0].last_at), (at(0), at(2)));
    assert_eq!(
        (all[2].first_at, all[2].last_at),
        (at(4), at(4)),
        "without a sample: when they were collected"
    );
    let record = backend.inbox().refusals(RefusalFilter::default()).await.unwrap().remove(0);
    assert_eq!((&*record.reason, record.skew_seconds), ("timestamp_too_old", Some(-310)));
    assert_eq!((record.peer.as_deref(), &*record.method, record.at), (Some("192.0.2.7"), "POST", at(0)));
}

pub(crate) async fn refusals_are_counted_by_minute_as_long_as_deliveries_are_recorded(backend: &mut Sqlite) {
    const MINUTE: u64 = 60_000;
    // The clock of the tests begins 20 seconds after a full minute.
    let minute = |n: u64| n * MINUTE - 20_000;
    set(backend).await;
    note(backend, "crm", Refusal::MissingHeader, 1, 1, 0).await;
    note(backend, "crm", Refusal::MissingHeader, minute(1) - 1, 0, 0).await;
    note(backend, "crm", Refusal::MissingHeader, minute(1), 0, 0).await;
    note(backend, "crm", Refusal::TimestampTooOld, minute(2), 0, 0).await;
    note(backend, "shop", Refusal::TimestampTooOld, 3, 3, 10).await;
    let told = async |backend: &Sqlite, source: Option<&str>, from, until| -> Vec<_> {
        let source = source.map(str::to_owned);
        let sources = backend.inbox().traffic(source, at(from), at(until)).await.unwrap();
        let refused = sources.into_iter().flat_map(|(source, traffic)| {
            traffic
                .refused
                .into_iter()
                .map(move |one| (format!("{source}: {}", one.reason), one.requests, one.last))
        });
        refused.collect()
    };
    let row = |what: &str, requests, last| (what.to_owned(), requests, at(last));
    let too_old = row("crm: timestamp_too_old", minute(2), minute(2));
    let of_shop = row("shop: timestamp_too_old", 3, 2);
    let first = row("crm: missing_header", minute(1), minute(1) - 1);
    assert_eq!(told(backend, None, 0, minute(1) - 1).await, [first, of_shop.clone()]);
    let both = row("crm: missing_header", 2 * minute(1), minute(1));
    let all = [too_old.clone(), both, of_shop];
    assert_eq!(told(backend, None, minute(1) - 1, minute(2)).await, all, "whole minutes");
    assert_eq!(told(backend, Some("crm"), minute(2), minute(9)).await, std::slice::from_ref(&too_old));
    backend.restart();
    assert_eq!(told(backend, None, 0, minute(9)).await, all);
    // Records of deliveries go after five seconds: the first two minutes are over then, the third is not.
    purge_all(backend, minute(2) + 5_000).await;
    assert_eq!(told(backend, None, 0, minute(9)).await, [too_old]);
    assert_eq!(totals(backend).await["missing_header"].0, 2 * minute(1), "since ever");
}

pub(crate) async fn of_each_source_so_many_refusals_are_kept_and_no_more(backend: &mut Sqlite) {
    note(backend, "shop", Refusal::MissingHeader, 7, 7, 10).await;
    for (samples, kept) in [(10, 10), (1, 10), (25, 10)] {
        note(backend, "crm", Refusal::MissingHeader, samples, samples, 10).await;
        assert_eq!(totals(backend).await["missing_header"].1, kept);
    }
    assert_eq!(totals(backend).await["missing_header"].0, 36, "all are counted");
    let list = backend
        .inbox()
        .refusals(RefusalFilter { source: Some("crm".to_owned()), ..RefusalFilter::default() });
    let left: Vec<_> = list.await.unwrap().iter().map(|record| record.at).collect();
    assert_eq!(left, (15..25).rev().map(at).collect::<Vec<_>>(), "the newest");
    note(backend, "crm", Refusal::MissingHeader, 1, 1, 0).await;
    assert_eq!(totals(backend).await["missing_header"], (37, 0), "0 keeps the counts");
    assert_eq!(
        backend.inbox().refusals(RefusalFilter::default()).await.unwrap().len(),
        7,
        "the other source's"
    );
}

pub(crate) async fn a_flood_of_one_reason_does_not_drive_out_the_others(backend: &mut Sqlite) {
    note(backend, "crm", Refusal::SignatureMismatch, 3, 3, 10).await;
    note(backend, "crm", Refusal::TimestampTooOld, 3, 3, 10).await;
    note(backend, "crm", Refusal::MissingHeader, 1_000, 200, 10).await;
    let of = |total, kept| (total, kept);
    let kept = totals(backend).await;
    assert_eq!(
        (kept["signature_mismatch"], kept["timestamp_too_old"], kept["missing_header"]),
        (of(3, 3), of(3, 3), of(1_000, 4))
    );
}

pub(crate) async fn lists_of_refusals_are_filtered_and_paged(backend: &mut Sqlite) {
    note(backend, "crm", Refusal::MissingHeader, 150, 150, 1_000).await;
    note(backend, "shop", Refusal::TimestampTooOld, 2, 2, 1_000).await;
    let list = async |filter: RefusalFilter| backend.inbox().refusals(filter).await.unwrap();
    let all = list(RefusalFilter::default()).await;
    assert_eq!((all.len(), &*all[0].source), (100, "shop"));
    let rest = list(RefusalFilter { before: Some(all[99].id), ..RefusalFilter::default() }).await;
    assert_eq!(rest.len(), 52);
    let source = |source: &str| RefusalFilter { source: Some(source.to_owned()), ..RefusalFilter::default() };
    assert_eq!(list(source("shop")).await.len(), 2);
    assert_eq!(list(source("' OR 1 --")).await.len(), 0);
    let reason =
        RefusalFilter { reason: Some(Refusal::TimestampTooOld), limit: 1, ..RefusalFilter::default() };
    assert_eq!(list(reason).await.len(), 1);
    assert_eq!(list(RefusalFilter { since: Some(at(149)), ..RefusalFilter::default() }).await.len(), 1);
}

/// A refused request of as many bytes, received at `received`.
fn refused(bytes: usize, received: u64) -> RefusedDelivery {
    let target = "/hooks/crm?a=%00&b=\"".to_owned();
    let headers = vec![
        ("x-signature".to_owned(), b"sha256=00".to_vec()),
        ("x-other".to_owned(), vec![0xff, b':', b' ', 0x1b]),
        ("x-signature".to_owned(), Vec::new()),
    ];
    let head = Head { method: "POST".to_owned(), target, headers };
    let mut refused = RefusedDelivery {
        refusal: Refusal::SignatureMismatch,
        received_at: at(received),
        peer: Some(PEER),
        head,
        body: Bytes::new(),
    };
    let of_head = usize::try_from(refused.bytes()).unwrap();
    refused.body = Bytes::from(vec![0xfe; bytes.checked_sub(of_head).unwrap()]);
    refused
}

async fn quarantine(backend: &Sqlite, limits: QuarantineLimits, sizes: impl IntoIterator<Item = usize>) {
    let deliveries = sizes.into_iter().enumerate().map(|(n, bytes)| refused(bytes, n as u64)).collect();
    backend.inbox().quarantine("crm".into(), limits, deliveries, 0).await.unwrap();
}

async fn numbers(backend: &Sqlite) -> Vec<i64> {
    let page = backend.inbox().quarantined(QuarantineFilter::default()).await.unwrap();
    page.iter().map(|request| request.number.0).collect()
}

async fn total(backend: &Sqlite) -> QuarantineTotal {
    backend.inbox().quarantine_totals().await.unwrap().remove(0)
}

pub(crate) async fn a_refused_request_is_kept_byte_for_byte(backend: &mut Sqlite) {
    let request = refused(500, 3);
    backend.inbox().quarantine("crm".into(), LIMITS, vec![request.clone()], 2).await.unwrap();
    let kept = backend.inbox().quarantined_request(QuarantineNo(1)).await.unwrap().unwrap();
    assert!(kept.head == request.head && kept.body == request.body);
    let summary = &kept.summary;
    assert_eq!(
        (summary.received_at, &*summary.source, &*summary.reason),
        (at(3), "crm", "signature_mismatch")
    );
    assert_eq!(summary.body_bytes, kept.body.len() as u64);
    assert_eq!(
        backend.inbox().quarantined(QuarantineFilter::default()).await.unwrap(),
        std::slice::from_ref(summary)
    );
    let expected = QuarantineTotal {
        source: "crm".to_owned(),
        held: 1,
        bytes: 500,
        total: 1,
        dropped: 2,
        ..QuarantineTotal::default()
    };
    assert_eq!(total(backend).await, expected);
    assert!(backend.inbox().quarantined_request(QuarantineNo(2)).await.unwrap().is_none());
    assert!(format!("{request:?}{:?}", request.head).len() < 200, "nothing of it is printed");
}

pub(crate) async fn the_quarantine_holds_its_rows_and_no_more(backend: &mut Sqlite) {
    quarantine(backend, LIMITS, [100; 10]).await;
    assert_eq!(numbers(backend).await, (1..=10).collect::<Vec<_>>());
    quarantine(backend, LIMITS, [100]).await;
    assert_eq!(numbers(backend).await, (2..=11).collect::<Vec<_>>(), "the oldest made room");
    quarantine(backend, LIMITS, [100; 25]).await;
    assert_eq!(numbers(backend).await, (27..=36).collect::<Vec<_>>());
    let total = total(backend).await;
    assert_eq!((total.held, total.bytes, total.total, total.evicted, total.dropped), (10, 1_000, 36, 26, 0));
}

pub(crate) async fn the_quarantine_holds_its_bytes_and_no_more(backend: &mut Sqlite) {
    let limits = QuarantineLimits { max_bytes: 1_000, ..LIMITS };
    quarantine(backend, limits, [400, 300, 300]).await;
    assert_eq!(numbers(backend).await, [1, 2, 3], "at the bound");
    quarantine(backend, limits, [100]).await;
    assert_eq!(numbers(backend).await, [2, 3, 4]);
    quarantine(backend, limits, [1_001]).await;
    assert_eq!(numbers(backend).await, [2, 3, 4], "it would have driven out the others in vain");
    quarantine(backend, limits, [1_000]).await;
    assert_eq!(numbers(backend).await, [5]);
    let total = total(backend).await;
    assert_eq!((total.held, total.bytes, total.evicted, total.dropped), (1, 1_000, 4, 1));
}

pub(crate) async fn what_is_too_old_leaves_the_quarantine(backend: &mut Sqlite) {
    backend.inbox().quarantine("shop".into(), LIMITS, vec![refused(100, 0)], 0).await.unwrap();
    quarantine(backend, LIMITS, [100; 3]).await;
    let expire = async |now| {
        backend.inbox().expire_quarantine(vec![("crm".into(), LIMITS)], at(now)).await.unwrap();
        numbers(backend).await
    };
    assert_eq!(expire(3_600_000).await, [1, 2, 3, 4], "exactly an hour old");
    assert_eq!(expire(3_600_002).await, [1, 4], "the other source is not asked about");
    assert_eq!(total(backend).await.expired, 2);
    // More than one transaction takes away.
    quarantine(backend, QuarantineLimits { max_rows: 1_000, ..LIMITS }, [100; 450]).await;
    assert_eq!(expire(3_601_000).await, [1]);
    assert_eq!((total(backend).await.expired, total(backend).await.held), (453, 0));
}

pub(crate) async fn a_released_request_is_an_event_of_its_time(backend: &mut Sqlite) {
    quarantine(backend, LIMITS, [100; 2]).await;
    let inbox = backend.inbox();
    let incoming = sent("msg_1").received(1).incoming();
    let released = inbox.release(QuarantineNo(2), incoming.clone(), by(), at(5_000)).await.unwrap().unwrap();
    assert_eq!(released.outcome, Delivery::New);
    assert_eq!(numbers(backend).await, [1]);
    let claimed = claim_one(inbox, at(5_000)).await;
    assert_eq!((claimed.event.number, claimed.event.received_at), (released.event, at(1)));
    let audit = inbox.show(released.event).await.unwrap().unwrap().audit.remove(0);
    assert_eq!(
        (&*audit.action, &*audit.actor, &*audit.why, audit.at),
        ("release", "ann", "the key was wrong", at(5_000))
    );
    assert_eq!(
        inbox.release(QuarantineNo(2), incoming.clone(), by(), at(6_000)).await.unwrap(),
        None,
        "it is gone"
    );
    assert_eq!(
        inbox.release(QuarantineNo(1), incoming, by(), at(6_000)).await.unwrap(),
        None,
        "another request's proof"
    );
    assert_eq!((total(backend).await.released, numbers(backend).await), (1, vec![1]));
}

pub(crate) async fn of_concurrent_releases_one_finds_the_request(backend: &mut Sqlite) {
    quarantine(backend, LIMITS, [100]).await;
    let mut releases = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (inbox, incoming) = (backend.shared(), sent("msg_1").received(0).incoming());
        releases.spawn(async move { inbox.release(QuarantineNo(1), incoming, by(), at(1)).await.unwrap() });
    }
    let released = releases.join_all().await.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(released.iter().map(|accepted| accepted.outcome).collect::<Vec<_>>(), [Delivery::New]);
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 1);
}

pub(crate) async fn a_released_request_whose_event_came_meanwhile_is_a_duplicate(backend: &mut Sqlite) {
    quarantine(backend, LIMITS, [100]).await;
    let event = accept(backend.inbox(), &sent("msg_1").received(9)).await;
    let incoming = sent("msg_1").received(0).incoming();
    let released = backend.inbox().release(QuarantineNo(1), incoming, by(), at(10)).await.unwrap().unwrap();
    assert_eq!((released.event, released.outcome), (event, Delivery::Duplicate { state: State::Pending }));
    assert_eq!(backend.inbox().claim(9, LEASE, at(10)).await.unwrap().len(), 1);
    assert_eq!(numbers(backend).await, [0; 0]);
}

pub(crate) async fn what_is_purged_is_gone_and_in_the_audit_log(backend: &mut Sqlite) {
    quarantine(backend, QuarantineLimits { max_rows: 300, ..LIMITS }, [100; 250]).await;
    backend.inbox().quarantine("shop".into(), LIMITS, vec![refused(100, 0)], 0).await.unwrap();
    let purge =
        async |filter: QuarantineFilter| backend.inbox().purge_quarantine(filter, by(), at(1)).await.unwrap();
    let number = QuarantineFilter { number: Some(QuarantineNo(7)), ..QuarantineFilter::default() };
    assert_eq!((purge(number.clone()).await, purge(number).await), (1, 0));
    let crm = || QuarantineFilter { source: Some("crm".to_owned()), ..QuarantineFilter::default() };
    let early = QuarantineFilter { before: Some(at(2)), ..crm() };
    assert_eq!(purge(early).await, 2);
    assert_eq!(
        [purge(crm()).await, purge(crm()).await, purge(crm()).await, purge(crm()).await],
        [100, 100, 47, 0]
    );
    assert_eq!(numbers(backend).await, [251], "the other source's");
    assert_eq!(total(backend).await.purged, 250);
    let lines: Vec<(String, String)> = backend
        .sql()
        .prepare("SELECT source, actor || ' ' || action || ' ' || why FROM audit ORDER BY id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(lines[2], ("crm".to_owned(), "ann purge 100 requests: the key was wrong".to_owned()));
    assert_eq!(lines.len(), 5);
}

pub(crate) async fn what_was_refused_survives_a_restart(backend: &mut Sqlite) {
    note(backend, "crm", Refusal::SignatureMismatch, 9, 4, 10).await;
    quarantine(backend, LIMITS, [100]).await;
    backend.restart();
    assert_eq!(totals(backend).await["signature_mismatch"], (9, 4));
    assert_eq!(numbers(backend).await, [1]);
    // A number is not given twice, although its request is gone.
    let all = QuarantineFilter::default();
    assert_eq!(backend.inbox().purge_quarantine(all, by(), at(1)).await.unwrap(), 1);
    backend.restart();
    quarantine(backend, LIMITS, [100]).await;
    assert_eq!(numbers(backend).await, [2]);
}
