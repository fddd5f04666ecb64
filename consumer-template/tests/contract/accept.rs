//! Accept: durable, once, never lost.

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{By, Delivery, Inbox, Operator};
use hookproof_consumer::retry::Outcome;
use tokio::task::JoinSet;

use crate::support::{LEASE, Sent, Sqlite, accept, at, claim_one, sent, sent_without_id};

async fn outcome(backend: &Sqlite, sent: &Sent) -> (EventNo, Delivery) {
    let accepted = backend.inbox().accept(sent.incoming()).await.unwrap();
    (accepted.event, accepted.outcome)
}

/// Delivers all at the same time; how many of the answers are `what`.
async fn race(backend: &Sqlite, all: impl IntoIterator<Item = Sent>) -> Vec<Delivery> {
    let mut tasks = JoinSet::new();
    for sent in all {
        let (inbox, incoming) = (backend.shared(), sent.incoming());
        tasks.spawn(async move { inbox.accept(incoming).await.unwrap().outcome });
    }
    tasks.join_all().await
}

fn how_many(deliveries: &[Delivery], what: Delivery) -> usize {
    deliveries.iter().filter(|delivery| **delivery == what).count()
}

pub(crate) async fn an_event_is_stored_byte_for_byte(backend: &mut Sqlite) {
    let body = b"{\"type\":\"lead.created\", \"x\": \"\xc3\xa9\\u0000\"}\r\n".as_slice();
    let delivery = sent("msg_1").body(body).key("lead-7").occurred(5).sequence(3).received(9);
    let delivery = delivery.header("user-agent", b"Provider/1.0").header("x-raw", b"\xff\x00 :");
    let number = accept(backend.inbox(), &delivery).await;
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    let event = detail.event;
    assert_eq!(event.body, body);
    assert_eq!(
        event.headers,
        [("user-agent".to_owned(), b"Provider/1.0".to_vec()), ("x-raw".to_owned(), b"\xff\x00 :".to_vec())]
    );
    assert_eq!(
        (event.source.as_ref(), event.scheme.as_str(), event.key_id.as_str()),
        ("crm", "standard-webhooks", "2026-11")
    );
    let id = event.event_id.unwrap();
    assert_eq!((id.value.as_str(), id.signed), ("msg_1", true));
    assert_eq!(event.event_type.unwrap().value, "lead.created");
    assert_eq!((event.ordering_key.as_deref(), event.sequence), (Some("lead-7"), Some(3)));
    assert_eq!((event.occurred_at, event.received_at), (Some(at(5)), at(9)));
    assert_eq!((detail.summary.state, detail.summary.attempts), (State::Pending, 0));
}

pub(crate) async fn of_concurrent_deliveries_of_one_event_exactly_one_is_new(backend: &mut Sqlite) {
    for round in 0..40 {
        let answers = race(backend, (0..64).map(|_| sent(format!("msg_{round}")))).await;
        assert_eq!(how_many(&answers, Delivery::New), 1, "round {round}: {answers:?}");
        assert_eq!(how_many(&answers, Delivery::Duplicate { state: State::Pending }), 63);
    }
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 40);
}

pub(crate) async fn concurrent_deliveries_of_different_events_are_all_new(backend: &mut Sqlite) {
    let answers = race(backend, (0..200).map(|n| sent(format!("msg_{n}")).key(n % 7))).await;
    assert_eq!(how_many(&answers, Delivery::New), 200);
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Pending), 200);
}

pub(crate) async fn a_duplicate_says_which_state_the_event_is_in(backend: &mut Sqlite) {
    let delivery = sent("msg_1");
    let number = accept(backend.inbox(), &delivery).await;
    let duplicate = |state| (number, Delivery::Duplicate { state });
    assert_eq!(outcome(backend, &delivery).await, duplicate(State::Pending));
    let claimed = claim_one(backend.inbox(), at(0)).await;
    assert_eq!(outcome(backend, &delivery).await, duplicate(State::Running));
    backend.inbox().settle(&claimed.lease, Outcome::Done, at(1)).await.unwrap();
    assert_eq!(outcome(backend, &delivery).await, duplicate(State::Done));
    assert_eq!(backend.inbox().claim(9, LEASE, at(10)).await.unwrap().len(), 0);
}

pub(crate) async fn without_a_signed_id_the_body_is_the_identity(backend: &mut Sqlite) {
    let first = accept(backend.inbox(), &sent_without_id("one")).await;
    let second = accept(backend.inbox(), &sent_without_id("two")).await;
    assert_ne!(first, second);
    let again = outcome(backend, &sent_without_id("one")).await;
    assert_eq!(again, (first, Delivery::Duplicate { state: State::Pending }));
}

pub(crate) async fn the_same_id_from_another_source_is_another_event(backend: &mut Sqlite) {
    let one = accept(backend.inbox(), &sent("msg_1")).await;
    let other = accept(backend.inbox(), &sent("msg_1").to("shop")).await;
    assert_ne!(one, other);
}

pub(crate) async fn another_body_under_the_same_id_is_kept_as_a_conflict(backend: &mut Sqlite) {
    let (honest, other) = (sent("msg_1").body("a"), sent("msg_1").body("b"));
    let first = accept(backend.inbox(), &honest).await;
    let (second, answer) = outcome(backend, &other).await;
    assert_eq!(answer, Delivery::Conflict);
    assert_ne!(first, second);
    assert_eq!(outcome(backend, &honest).await, (first, Delivery::Duplicate { state: State::Pending }));
    assert_eq!(outcome(backend, &other).await, (second, Delivery::Duplicate { state: State::Dead }));
    let detail = backend.inbox().show(second).await.unwrap().unwrap();
    assert_eq!(
        (detail.summary.reason, detail.event.body.as_ref()),
        (Some(DeadReason::Conflict), b"b".as_slice())
    );
    assert_eq!(detail.audit, []);
    let claimed = backend.inbox().claim(9, LEASE, at(0)).await.unwrap();
    assert_eq!(claimed.iter().map(|claimed| claimed.event.number).collect::<Vec<_>>(), [first]);
}

pub(crate) async fn of_two_bodies_that_race_one_is_new_and_one_a_conflict(backend: &mut Sqlite) {
    for round in 0..20 {
        let of = |n: usize| sent(format!("msg_{round}")).body(if n.is_multiple_of(2) { "a" } else { "b" });
        let answers = race(backend, (0..32).map(of)).await;
        assert_eq!(how_many(&answers, Delivery::New), 1, "{answers:?}");
        assert_eq!(how_many(&answers, Delivery::Conflict), 1, "{answers:?}");
    }
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 40);
}

pub(crate) async fn a_malformed_body_is_kept_and_stays_dead(backend: &mut Sqlite) {
    let delivery = sent("msg_1").body("not json").malformed("the body is not a JSON document");
    let number = accept(backend.inbox(), &delivery).await;
    let again = outcome(backend, &delivery).await;
    assert_eq!(again, (number, Delivery::Duplicate { state: State::Dead }));
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    assert_eq!(detail.summary.reason, Some(DeadReason::Malformed));
    assert_eq!(detail.summary.last_error.as_deref(), Some("the body is not a JSON document"));
    assert_eq!(detail.event.body, "not json");
    assert_eq!(backend.inbox().claim(9, LEASE, at(0)).await.unwrap().len(), 0);
}

pub(crate) async fn a_redelivery_revives_what_the_handler_could_not_do(backend: &mut Sqlite) {
    for reason in [DeadReason::Permanent, DeadReason::AttemptsExhausted] {
        let delivery = sent(reason);
        let number = accept(backend.inbox(), &delivery).await;
        let claimed = claim_one(backend.inbox(), at(0)).await;
        let dead = Outcome::Dead { reason, error: "no".to_owned() };
        backend.inbox().settle(&claimed.lease, dead, at(1)).await.unwrap();
        let answer = outcome(backend, &delivery.clone().received(50)).await;
        assert_eq!(answer, (number, Delivery::Revived));
        let answer = outcome(backend, &delivery).await;
        assert_eq!(answer, (number, Delivery::Duplicate { state: State::Pending }), "revived once");
        let claimed = claim_one(backend.inbox(), at(50)).await;
        assert_eq!((claimed.event.number, claimed.attempt), (number, 1), "attempts start over");
        let detail = backend.inbox().show(number).await.unwrap().unwrap();
        assert_eq!(detail.attempts.len(), 2, "the history is kept");
        assert_eq!(detail.attempts[0].outcome.as_deref(), Some("dead"));
        let audit = &detail.audit[0];
        assert_eq!((audit.actor.as_str(), audit.action.as_str(), audit.at), ("provider", "revive", at(50)));
        backend.inbox().settle(&claimed.lease, Outcome::Done, at(51)).await.unwrap();
    }
}

pub(crate) async fn what_was_accepted_survives_a_restart(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let dead = accept(backend.inbox(), &sent("msg_2").malformed("no")).await;
    backend.inbox().discard(dead, By::new("ann", "noise"), at(1)).await.unwrap();
    backend.restart();
    let duplicate = |state| Delivery::Duplicate { state };
    assert_eq!(outcome(backend, &sent("msg_1").key("a")).await, (number, duplicate(State::Pending)));
    assert_eq!(outcome(backend, &sent("msg_2")).await, (dead, duplicate(State::Discarded)));
    assert_eq!(claim_one(backend.inbox(), at(0)).await.event.number, number);
}
