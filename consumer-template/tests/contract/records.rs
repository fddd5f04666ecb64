//! The record of deliveries.

use hookproof_consumer::event::State;
use hookproof_consumer::inbox::{By, DeliveryFilter, DeliveryRecord, Inbox, Operator, Records};
use hookproof_consumer::retry::Outcome;

use crate::contract::purge::{purge_all, set};
use crate::support::{Sent, Sqlite, accept, at, claim_one, sent, settle};

async fn deliver(backend: &Sqlite, sent: &Sent, skew_ms: Option<i64>) {
    backend.inbox().accept(sent.incoming().with_skew(skew_ms)).await.unwrap();
}

async fn list(backend: &Sqlite, filter: DeliveryFilter) -> Vec<DeliveryRecord> {
    backend.inbox().deliveries(filter).await.unwrap()
}

pub(crate) async fn every_stored_delivery_is_recorded_with_its_answer(backend: &mut Sqlite) {
    deliver(backend, &sent("msg_1").received(10), Some(-3)).await;
    deliver(backend, &sent("msg_1").received(10), None).await;
    let claimed = claim_one(backend.inbox(), at(10)).await;
    let dead =
        Outcome::Dead { reason: hookproof_consumer::event::DeadReason::Permanent, error: "no".to_owned() };
    settle(backend, &claimed, dead, 11).await;
    deliver(backend, &sent("msg_1").received(12), Some(4)).await;
    deliver(backend, &sent("msg_1").body("{}").received(13), None).await;
    deliver(backend, &sent("msg_1").body("{}").received(13), None).await;
    let records = list(backend, DeliveryFilter::default()).await;
    let told: Vec<_> = records
        .iter()
        .rev()
        .map(|one| (one.number.event.0, one.answer.as_str(), one.state, one.skew_ms))
        .collect();
    assert_eq!(
        told,
        [
            (1, "new", None, Some(-3)),
            (1, "duplicate", Some(State::Pending), None),
            (1, "revived", Some(State::Dead), Some(4)),
            (2, "conflict", None, None),
            (2, "duplicate", Some(State::Dead), None),
        ]
    );
    let first = records.last().unwrap();
    assert_eq!((first.source.as_str(), first.key_id.as_str()), ("crm", "2026-11"));
    assert_eq!(first.number.received_at, at(10));
    let of_event = backend.inbox().show(first.number.event).await.unwrap().unwrap().deliveries;
    let answers: Vec<_> = of_event.iter().map(|one| one.answer.as_str()).collect();
    assert_eq!(answers, ["new", "duplicate", "revived"], "the oldest first");
}

pub(crate) async fn how_soon_a_delivery_was_answered_is_noted_later(backend: &mut Sqlite) {
    let begun = std::time::Instant::now();
    backend.inbox().accept(sent("msg_1").incoming().begun_at(begun)).await.unwrap();
    let elapsed = begun.elapsed();
    let ack = async |backend: &Sqlite| list(backend, DeliveryFilter::default()).await[0].ack;
    assert_eq!(ack(backend).await, None);
    backend.inbox().note_answers().await.unwrap();
    let noted = ack(backend).await.unwrap();
    assert!(noted.as_micros() > 0 && noted <= elapsed, "{noted:?} of {elapsed:?}");
    // A stop writes what is not written yet.
    accept(backend.inbox(), &sent("msg_2").received(1)).await;
    backend.restart();
    assert!(ack(backend).await.is_some());
}

pub(crate) async fn records_are_listed_by_source_event_and_time(backend: &mut Sqlite) {
    for n in 0..30 {
        let source = if n % 3 == 0 { "shop" } else { "crm" };
        deliver(backend, &sent(format!("msg_{n}")).to(source).received(n), None).await;
    }
    deliver(backend, &sent("msg_7").received(40), None).await;
    let events = async |filter| {
        let records = list(backend, filter).await;
        records.iter().map(|one| one.number.event.0).collect::<Vec<_>>()
    };
    let all = DeliveryFilter::default;
    assert_eq!(events(DeliveryFilter { source: Some("shop".into()), limit: 3, ..all() }).await, [28, 25, 22]);
    assert_eq!(events(DeliveryFilter { since: Some(at(28)), ..all() }).await, [8, 30, 29]);
    let seventh = hookproof_consumer::event::EventNo(8);
    assert_eq!(events(DeliveryFilter { event: Some(seventh), ..all() }).await, [8, 8]);
    let of_shop = DeliveryFilter { event: Some(seventh), source: Some("shop".into()), ..all() };
    assert_eq!(events(of_shop).await, [0; 0]);
    let page = list(backend, DeliveryFilter { limit: 2, ..all() }).await;
    let rest = DeliveryFilter { before: Some(page[1].number), limit: 2, ..all() };
    assert_eq!(events(rest).await, [29, 28]);
}

pub(crate) async fn records_go_after_their_retention_and_what_they_say_of_keys_stays(backend: &mut Sqlite) {
    set(backend).await;
    deliver(backend, &sent("msg_1").received(0), None).await;
    deliver(backend, &sent("msg_2").received(10), None).await;
    assert_eq!(purge_all(backend, 5_000).await.deliveries, 0, "not at the edge");
    assert_eq!(purge_all(backend, 5_001).await.deliveries, 1);
    deliver(backend, &sent("msg_3").received(7_000), None).await;
    assert_eq!(purge_all(backend, 6_000).await.deliveries, 1);
    let keys = &backend.inbox().traffic(None, at(0), at(9_000)).await.unwrap()["crm"].keys;
    let told: Vec<_> = keys.iter().map(|key| (key.first, key.last, key.deliveries)).collect();
    assert_eq!(told, [(at(0), at(7_000), 3)]);
}

pub(crate) async fn traffic_is_added_up_over_a_time(backend: &mut Sqlite) {
    for (n, skew) in [(1, -900), (2, 20), (3, 30)] {
        deliver(backend, &sent(format!("msg_{n}")).received(n * 100), Some(skew)).await;
    }
    deliver(backend, &sent("msg_3").received(310), None).await;
    deliver(backend, &sent("msg_3").body("{}").received(320), None).await;
    deliver(backend, &sent("msg_x").to("shop").malformed("no").received(330), None).await;
    backend.inbox().note_answers().await.unwrap();
    deliver(backend, &sent("msg_4").received(340), None).await;
    let crm = async |from, until| {
        let mut sources = backend.inbox().traffic(Some("crm".to_owned()), at(from), at(until)).await.unwrap();
        assert_eq!(sources.len(), 1, "only the one that is wanted");
        sources.remove("crm").unwrap()
    };
    let traffic = crm(200, 341).await;
    assert_eq!((traffic.answered, traffic.unanswered, traffic.not_stored), (4, 1, 0));
    assert_eq!((traffic.new, traffic.duplicates, traffic.conflicts), (4, 1, 1));
    assert_eq!((traffic.skew.count(), traffic.skew.median()), (2, Some(20)));
    assert_eq!((traffic.ack_us.len(), traffic.new_dead, traffic.dead), (4, 1, 1));
    let all = backend.inbox().traffic(None, at(0), at(10_000)).await.unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|(source, all)| (&**source, all.new + all.duplicates, all.dead, all.keys.len()))
        .collect();
    assert_eq!(told, [("crm", 6, 1, 1), ("shop", 1, 1, 1)]);
    let unknown = backend.inbox().traffic(Some("other".to_owned()), at(0), at(10_000)).await.unwrap();
    assert_eq!(unknown["other"].deliveries(), 0);
    // A dead letter of before is one, but not one that became it then.
    let later = crm(5_000, 10_000).await;
    assert_eq!((later.new_dead, later.dead, later.answered), (0, 1, 0));
    let by = By::new("ann", "forged");
    backend.inbox().discard(hookproof_consumer::event::EventNo(4), by, at(400)).await.unwrap();
    assert_eq!(crm(0, 10_000).await.dead, 0);
}
