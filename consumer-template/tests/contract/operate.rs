//! What a person may do: look, replay, discard.

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{By, Delivery, Filter, IfStale, Inbox, Operator, OperatorError, Selection};
use hookproof_consumer::retry::Outcome;

use crate::support::{LEASE, Sqlite, accept, at, claim_one, sent};

fn by() -> By {
    By::new("ann", "fixed the mailer")
}

/// An event that died of its handler.
async fn dead_letter(backend: &Sqlite, id: &str) -> EventNo {
    let number = accept(backend.inbox(), &sent(id).key(id)).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    assert_eq!(claimed.event.number, number);
    let dead = Outcome::Dead { reason: DeadReason::AttemptsExhausted, error: "no".to_owned() };
    backend.inbox().settle(&claimed.lease, dead, at(1)).await.unwrap();
    number
}

pub(crate) async fn counts_are_by_source_and_state(backend: &mut Sqlite) {
    dead_letter(backend, "msg_1").await;
    accept(backend.inbox(), &sent("msg_2")).await;
    accept(backend.inbox(), &sent("msg_3")).await;
    accept(backend.inbox(), &sent("msg_4").to("shop")).await;
    claim_one(backend.inbox(), at(0)).await;
    let counts = backend.inbox().counts().await.unwrap();
    let entries: Vec<_> =
        counts.entries.iter().map(|count| (count.source.as_str(), count.state, count.events)).collect();
    assert_eq!(entries, [("crm", State::Dead, 1), ("crm", State::Pending, 2), ("shop", State::Running, 1)]);
    assert_eq!((counts.total(), counts.of(State::Pending)), (4, 2));
}

pub(crate) async fn lists_are_filtered_and_paged(backend: &mut Sqlite) {
    let dead = dead_letter(backend, "msg_0").await;
    let malformed = accept(backend.inbox(), &sent("msg_x").malformed("no")).await;
    for n in 1..=150 {
        accept(backend.inbox(), &sent(format!("msg_{n}")).to(if n % 2 == 0 { "crm" } else { "shop" })).await;
    }
    let list = async |filter: Filter| {
        let page = backend.inbox().list(filter).await.unwrap();
        page.iter().map(|event| event.number.0).collect::<Vec<_>>()
    };
    assert_eq!(list(Filter::dead()).await, [dead.0, malformed.0]);
    let select = Selection { reason: Some(DeadReason::Malformed), ..Selection::default() };
    assert_eq!(list(Filter { select, ..Filter::default() }).await, [malformed.0]);
    assert_eq!(list(Filter { limit: 100_000, ..Filter::default() }).await, (1..=100).collect::<Vec<_>>());
    let rest = Filter { after: Some(EventNo(100)), ..Filter::default() };
    assert_eq!(list(rest).await, (101..=152).collect::<Vec<_>>());
    let newest = Filter { newest_first: true, limit: 2, ..Filter::default() };
    assert_eq!(list(newest.clone()).await, [152, 151]);
    assert_eq!(list(Filter { after: Some(EventNo(151)), ..newest }).await, [150, 149]);
    let of = |source: &str| Selection { source: Some(source.to_owned()), ..Selection::default() };
    let shop = Filter { select: of("shop"), state: Some(State::Pending), limit: 3, ..Filter::default() };
    assert_eq!(list(shop).await, [3, 5, 7]);
    assert_eq!(list(Filter { select: of("' OR 1 --"), ..Filter::default() }).await, [0; 0]);
}

pub(crate) async fn a_dead_letter_is_replayed_with_its_history(backend: &mut Sqlite) {
    let number = dead_letter(backend, "msg_1").await;
    let inbox = backend.inbox();
    inbox.replay(number, IfStale::FollowRule, by(), at(100)).await.unwrap();
    let claimed = claim_one(inbox, at(100)).await;
    assert_eq!((claimed.event.number, claimed.attempt), (number, 1));
    inbox.settle(&claimed.lease, Outcome::Done, at(101)).await.unwrap();
    let detail = inbox.show(number).await.unwrap().unwrap();
    assert_eq!(detail.summary.state, State::Done);
    assert_eq!(detail.attempts.len(), 2);
    let audit = &detail.audit[0];
    assert_eq!(
        (audit.actor.as_str(), audit.action.as_str(), audit.why.as_str()),
        ("ann", "replay", "fixed the mailer")
    );
    assert_eq!((audit.at, detail.audit.len()), (at(100), 1));
}

pub(crate) async fn a_discarded_event_stays_and_its_deliveries_are_duplicates(backend: &mut Sqlite) {
    let number = dead_letter(backend, "msg_1").await;
    let inbox = backend.inbox();
    inbox.discard(number, by(), at(100)).await.unwrap();
    let again = inbox.accept(sent("msg_1").key("msg_1").incoming()).await.unwrap();
    assert_eq!((again.event, again.outcome), (number, Delivery::Duplicate { state: State::Discarded }));
    let detail = inbox.show(number).await.unwrap().unwrap();
    assert_eq!((detail.summary.state, detail.audit[0].action.as_str()), (State::Discarded, "discard"));
    assert_eq!(inbox.claim(9, LEASE, at(200)).await.unwrap().len(), 0);
}

pub(crate) async fn only_dead_letters_are_replayed_or_discarded(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    let inbox = backend.inbox();
    let refused = async |expected: State| {
        let replayed = inbox.replay(number, IfStale::FollowRule, by(), at(1)).await.map(drop);
        for result in [replayed, inbox.discard(number, by(), at(1)).await] {
            let Err(OperatorError::NotDead { event, state }) = result else { panic!("{result:?}") };
            assert_eq!((event, state), (number, expected));
        }
    };
    refused(State::Pending).await;
    let claimed = claim_one(inbox, at(0)).await;
    refused(State::Running).await;
    inbox.settle(&claimed.lease, Outcome::Done, at(1)).await.unwrap();
    refused(State::Done).await;
    assert_eq!(inbox.show(number).await.unwrap().unwrap().audit, [], "what was refused is not in the log");
}

pub(crate) async fn what_does_not_exist_is_not_found(backend: &mut Sqlite) {
    let inbox = backend.inbox();
    assert!(inbox.show(EventNo(7)).await.unwrap().is_none());
    let replayed = inbox.replay(EventNo(7), IfStale::FollowRule, by(), at(1)).await.map(drop);
    for result in [replayed, inbox.discard(EventNo(7), by(), at(1)).await] {
        let Err(OperatorError::NotFound(EventNo(7))) = result else { panic!("{result:?}") };
    }
}
