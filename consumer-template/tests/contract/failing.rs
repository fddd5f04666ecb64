//! Failure: who waits for an event that fails, and for whom.

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{Blocked, By, Delivery, Filter, IfStale, Inbox, Operator};
use hookproof_consumer::ordering::{OnFailure, OrderPolicy};
use hookproof_consumer::retry::Outcome;

use super::claim::{claim_all, retry_at};
use crate::support::{Sqlite, accept, at, claim_one, rules, sent, settle};

fn dead() -> Outcome {
    Outcome::Dead { reason: DeadReason::AttemptsExhausted, error: "no".to_owned() }
}

fn by() -> By {
    By::new("ann", "fixed")
}

fn park(policy: &mut OrderPolicy) {
    policy.on_failure = OnFailure::Park;
}

fn skip(policy: &mut OrderPolicy) {
    policy.on_failure = OnFailure::Skip;
}

/// A dead letter of `lead-1` that occurred at `occurred`.
async fn dead_letter(backend: &Sqlite, id: &str, occurred: u64) -> EventNo {
    let event = accept(backend.inbox(), &sent(id).key("lead-1").occurred(occurred)).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    assert_eq!(claimed.event.number, event);
    settle(backend, &claimed, dead(), 1).await;
    event
}

async fn blocks(backend: &Sqlite) -> Vec<(EventNo, Option<u64>)> {
    let dead = backend.inbox().list(Filter::dead()).await.unwrap();
    dead.iter().map(|event| (event.number, event.blocks)).collect()
}

pub(crate) async fn a_parking_key_waits_for_a_person_after_a_dead_letter(backend: &mut Sqlite) {
    rules(backend, park).await;
    let failing = dead_letter(backend, "msg_1", 1).await;
    assert_eq!(blocks(backend).await, [(failing, Some(0))], "also those that are not there yet will wait");
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    let earlier = accept(backend.inbox(), &sent("msg_0").key("lead-1").occurred(0)).await;
    let free = accept(backend.inbox(), &sent("msg_3").key("lead-2")).await;
    let same_key = accept(backend.inbox(), &sent("msg_4").key("lead-1").to("shop")).await;
    assert_eq!(claim_all(backend, 10).await, [same_key, free], "nobody else waits");
    backend.restart();
    assert_eq!(claim_all(backend, 999_999_999).await, []);
    assert_eq!(blocks(backend).await, [(failing, Some(2))]);
    let blocked = backend.inbox().counts().await.unwrap().blocked;
    assert_eq!(blocked, [Blocked { source: "crm".to_owned(), keys: 1, events: 2 }]);
    backend.inbox().replay(failing, IfStale::FollowRule, by(), at(20)).await.unwrap();
    assert_eq!(backend.inbox().counts().await.unwrap().blocked, []);
    for event in [earlier, failing, second] {
        let claimed = claim_one(backend.inbox(), at(20)).await;
        assert_eq!(claimed.event.number, event, "it takes its place");
        settle(backend, &claimed, Outcome::Done, 21).await;
    }
}

pub(crate) async fn a_parked_key_goes_on_when_its_dead_letter_is_discarded_or_revived(backend: &mut Sqlite) {
    rules(backend, park).await;
    let failing = dead_letter(backend, "msg_1", 1).await;
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    backend.inbox().discard(failing, by(), at(2)).await.unwrap();
    assert_eq!(blocks(backend).await, []);
    let claimed = claim_one(backend.inbox(), at(2)).await;
    assert_eq!(claimed.event.number, second);
    settle(backend, &claimed, Outcome::Done, 3).await;
    let failing = dead_letter(backend, "msg_3", 3).await;
    let fourth = accept(backend.inbox(), &sent("msg_4").key("lead-1").occurred(4)).await;
    let again = backend.inbox().accept(sent("msg_3").key("lead-1").occurred(3).incoming()).await.unwrap();
    assert_eq!((again.event, again.outcome), (failing, Delivery::Revived));
    for event in [failing, fourth] {
        let claimed = claim_one(backend.inbox(), at(4)).await;
        assert_eq!(claimed.event.number, event);
        settle(backend, &claimed, Outcome::Done, 5).await;
    }
    let failing = dead_letter(backend, "msg_5", 5).await;
    backend.inbox().discard(failing, by(), at(6)).await.unwrap();
    assert_eq!(backend.inbox().next_due().await.unwrap(), None, "nothing is left of the key");
}

pub(crate) async fn a_parked_key_waits_for_every_dead_letter_that_blocks_it(backend: &mut Sqlite) {
    rules(backend, park).await;
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    let wait = Outcome::NotReady { error: "no lead yet".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(0)).await, wait, 0).await;
    let failing = dead_letter(backend, "msg_2", 2).await;
    let third = accept(backend.inbox(), &sent("msg_3").key("lead-1").occurred(3)).await;
    rules(backend, |policy| {
        park(policy);
        policy.at_deadline = hookproof_consumer::ordering::AtDeadline::Dead;
    })
    .await;
    assert_eq!(claim_all(backend, 4_000_000).await, []);
    assert_eq!(
        blocks(backend).await,
        [(note, Some(1)), (failing, Some(1))],
        "the deadline came while it was blocked"
    );
    backend.inbox().discard(failing, by(), at(4_000_000)).await.unwrap();
    assert_eq!(claim_all(backend, 4_000_000).await, [], "there is another one");
    backend.inbox().discard(note, by(), at(4_000_000)).await.unwrap();
    assert_eq!(claim_all(backend, 4_000_000).await, [third]);
}

pub(crate) async fn a_worker_that_never_comes_back_parks_its_key_too(backend: &mut Sqlite) {
    rules(backend, park).await;
    let lost = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    claim_one(backend.inbox(), at(0)).await;
    assert_eq!(backend.inbox().rescue(1, at(60_000)).await.unwrap().dead, 1);
    assert_eq!(claim_all(backend, 60_000).await, []);
    assert_eq!(blocks(backend).await, [(lost, Some(1))]);
}

pub(crate) async fn what_was_dead_on_arrival_or_has_no_key_parks_nobody(backend: &mut Sqlite) {
    rules(backend, park).await;
    let first = accept(backend.inbox(), &sent("msg_1").key("lead-1").body("a")).await;
    accept(backend.inbox(), &sent("msg_2").key("lead-1").malformed("no")).await;
    let conflict = backend.inbox().accept(sent("msg_1").key("lead-1").body("b").incoming()).await.unwrap();
    assert_eq!(conflict.outcome, Delivery::Conflict);
    assert_eq!(claim_all(backend, 0).await, [first]);
    accept(backend.inbox(), &sent("free")).await;
    settle(backend, &claim_one(backend.inbox(), at(0)).await, dead(), 1).await;
    assert!(blocks(backend).await.iter().all(|(_, blocks)| blocks.is_none()));
}

pub(crate) async fn a_source_that_parks_no_more_lets_its_keys_go(backend: &mut Sqlite) {
    rules(backend, park).await;
    let failing = dead_letter(backend, "msg_1", 1).await;
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    rules(backend, park).await;
    assert_eq!(claim_all(backend, 2).await, [], "the same rules again change nothing");
    rules(backend, |_| ()).await;
    assert_eq!(blocks(backend).await, [(failing, None)]);
    assert_eq!(claim_all(backend, 2).await, [second]);
}

pub(crate) async fn where_failures_are_skipped_the_others_go_on_at_once(backend: &mut Sqlite) {
    rules(backend, skip).await;
    let failing = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    let third = accept(backend.inbox(), &sent("msg_3").key("lead-1").occurred(3)).await;
    settle(backend, &claim_one(backend.inbox(), at(10)).await, retry_at(5_000), 11).await;
    let claimed = claim_one(backend.inbox(), at(11)).await;
    assert_eq!(claimed.event.number, second);
    backend.restart();
    assert_eq!(claim_all(backend, 5_000).await, [], "one of the key at a time, also when the retry is due");
    backend.inbox().recover_orphans(3, at(5_000)).await.unwrap();
    let claimed = claim_one(backend.inbox(), at(5_000)).await;
    assert_eq!((claimed.event.number, claimed.attempt), (failing, 2), "it takes its place again");
    settle(backend, &claimed, retry_at(9_000), 5_001).await;
    for event in [second, third] {
        let claimed = claim_one(backend.inbox(), at(5_001)).await;
        assert_eq!(claimed.event.number, event);
        settle(backend, &claimed, Outcome::Done, 5_002).await;
    }
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(9_000)));
    assert_eq!(claim_all(backend, 8_999).await, [], "its retry time holds");
    settle(backend, &claim_one(backend.inbox(), at(9_000)).await, dead(), 9_001).await;
    let detail = backend.inbox().show(failing).await.unwrap().unwrap();
    assert_eq!((detail.summary.state, detail.summary.blocks), (State::Dead, None));
}
