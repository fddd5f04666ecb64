//! Order: turns between sources, settle windows, and events that are not ready.

use std::time::Duration;

use hookproof_consumer::effect::Failure;
use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{Claimed, Delivery, Inbox, Operator};
use hookproof_consumer::ordering::{AtDeadline, OrderPolicy};
use hookproof_consumer::retry::{Outcome, RetryPolicy};
use tokio::task::JoinSet;

use super::claim::claim_all;
use crate::support::{LEASE, Sqlite, accept, at, claim_one, rules, sent, settle};

const SECOND: Duration = Duration::from_secs(1);

fn window(policy: &mut OrderPolicy) {
    policy.settle = Duration::from_millis(100);
}

fn not_ready() -> Outcome {
    Outcome::NotReady { error: "no lead yet".to_owned() }
}

async fn attempts(backend: &Sqlite, event: EventNo) -> Vec<(u32, Option<String>)> {
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    detail.attempts.into_iter().map(|attempt| (attempt.attempt, attempt.outcome)).collect()
}

async fn state(backend: &Sqlite, event: EventNo) -> (State, Option<DeadReason>, u32) {
    let summary = backend.inbox().show(event).await.unwrap().unwrap().summary;
    (summary.state, summary.reason, summary.attempts)
}

pub(crate) async fn sources_take_turns_however_deep_the_flood_of_one_is(backend: &mut Sqlite) {
    let mut tasks = JoinSet::new();
    for n in 0..1_000 {
        let (inbox, delivery) = (backend.shared(), sent(n).key(n).to("flood"));
        tasks.spawn(async move { inbox.accept(delivery.incoming()).await.unwrap() });
    }
    tasks.join_all().await;
    let mut late = Vec::new();
    for n in 0..4 {
        late.push(accept(backend.inbox(), &sent(n).key(n).received(50).to("shop")).await);
    }
    let other = accept(backend.inbox(), &sent("other").received(90)).await;
    let claimed = backend.inbox().claim(9, LEASE, at(100)).await.unwrap();
    let sources: Vec<_> = claimed.iter().map(|claimed| claimed.event.source.as_ref()).collect();
    let turns = ["crm", "flood", "shop", "flood", "shop", "flood", "shop", "flood", "shop"];
    assert_eq!(sources, turns, "in turns, and who has nothing left is passed over");
    assert_eq!(claimed[0].event.number, other);
    assert_eq!(claimed[2].event.number, late[0], "within a source, the longest due first");
}

pub(crate) async fn turns_go_on_from_one_claim_to_the_next(backend: &mut Sqlite) {
    for n in 0..5 {
        for source in ["a", "b", "c"] {
            accept(backend.inbox(), &sent(n).to(source)).await;
        }
    }
    let mut sources = Vec::new();
    for _ in 0..7 {
        sources.push(claim_one(backend.inbox(), at(0)).await.event.source.to_string());
    }
    assert_eq!(sources, ["a", "b", "c", "a", "b", "c", "a"]);
}

pub(crate) async fn an_earlier_event_that_is_late_overtakes_within_the_window(backend: &mut Sqlite) {
    rules(backend, window).await;
    let later = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2).received(10)).await;
    assert_eq!(claim_all(backend, 109).await, [], "it waits for its window");
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(110)));
    let earlier = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1).received(109)).await;
    let claimed = claim_one(backend.inbox(), at(110)).await;
    assert_eq!(claimed.event.number, earlier);
    settle(backend, &claimed, Outcome::Done, 111).await;
    assert_eq!(claim_all(backend, 111).await, [later], "and not for another one");
    let other = accept(backend.inbox(), &sent("msg_3").key("lead-1").to("shop").received(111)).await;
    assert_eq!(claim_all(backend, 111).await, [other], "other sources have rules of their own");
}

pub(crate) async fn however_many_earlier_events_come_an_event_waits_for_its_window_at_most(
    backend: &mut Sqlite,
) {
    rules(backend, window).await;
    let mut expected = Vec::new();
    for n in 0..10 {
        let delivery = sent(n).key("lead-1").occurred(100 - n).received(n * 9);
        expected.insert(0, accept(backend.inbox(), &delivery).await);
    }
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(100)));
    for event in expected {
        let claimed = claim_one(backend.inbox(), at(100)).await;
        assert_eq!(claimed.event.number, event);
        settle(backend, &claimed, Outcome::Done, 100).await;
    }
}

pub(crate) async fn an_event_without_a_key_does_not_wait_for_a_window(backend: &mut Sqlite) {
    rules(backend, window).await;
    let free = accept(backend.inbox(), &sent("msg_1").occurred(1).received(10)).await;
    assert_eq!(claim_all(backend, 10).await, [free]);
}

pub(crate) async fn what_is_not_ready_waits_for_a_sibling_and_blocks_none(backend: &mut Sqlite) {
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    settle(backend, &claimed, not_ready(), 1).await;
    assert_eq!(state(backend, note).await, (State::Pending, None, 0), "the attempt does not count");
    assert_eq!(claim_all(backend, 3_000_000).await, []);
    accept(backend.inbox(), &sent("msg_2").key("lead-2")).await;
    let stranger = claim_one(backend.inbox(), at(2)).await;
    settle(backend, &stranger, Outcome::Done, 3).await;
    assert_eq!(claim_all(backend, 3).await, [], "another key's event is none of its siblings");
    let lead = accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    let claimed = claim_one(backend.inbox(), at(4)).await;
    assert_eq!(claimed.event.number, lead, "it is not blocked");
    assert_eq!(claim_all(backend, 4).await, [], "one of the key at a time");
    settle(backend, &claimed, Outcome::Done, 5).await;
    let again = claim_one(backend.inbox(), at(5)).await;
    assert_eq!((again.event.number, again.attempt, again.overdue), (note, 1, false));
    settle(backend, &again, Outcome::Done, 6).await;
    assert_eq!(state(backend, note).await, (State::Done, None, 1));
}

pub(crate) async fn only_a_sibling_that_is_done_wakes_what_is_not_ready(backend: &mut Sqlite) {
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    settle(backend, &claim_one(backend.inbox(), at(0)).await, not_ready(), 1).await;
    accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    let retry = Outcome::Retry { at: at(10), error: "down".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(2)).await, retry, 3).await;
    assert_eq!(claim_all(backend, 9).await, []);
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(10)).await, dead, 11).await;
    assert_eq!(claim_all(backend, 12).await, []);
    accept(backend.inbox(), &sent("lead_again").key("lead-1").occurred(3)).await;
    settle(backend, &claim_one(backend.inbox(), at(13)).await, Outcome::Done, 14).await;
    assert_eq!(claim_all(backend, 14).await, [note]);
}

pub(crate) async fn what_is_not_ready_stays_so_after_a_restart(backend: &mut Sqlite) {
    rules(backend, |policy| policy.not_ready_deadline = SECOND).await;
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    settle(backend, &claim_one(backend.inbox(), at(0)).await, not_ready(), 0).await;
    backend.restart();
    backend.inbox().recover_orphans(3, at(1)).await.unwrap();
    assert_eq!(claim_all(backend, 999).await, []);
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(1_000)));
    accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    settle(backend, &claim_one(backend.inbox(), at(500)).await, Outcome::Done, 501).await;
    backend.restart();
    assert_eq!(claim_all(backend, 501).await, [note]);
}

pub(crate) async fn at_its_deadline_an_event_runs_once_more_and_is_told(backend: &mut Sqlite) {
    rules(backend, |policy| policy.not_ready_deadline = SECOND).await;
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    settle(backend, &claim_one(backend.inbox(), at(0)).await, not_ready(), 0).await;
    accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    settle(backend, &claim_one(backend.inbox(), at(800)).await, Outcome::Done, 800).await;
    let woken = claim_one(backend.inbox(), at(801)).await;
    assert!(!woken.overdue);
    settle(backend, &woken, not_ready(), 900).await;
    assert_eq!(attempts(backend, note).await.len(), 1, "of what came to nothing, the last is kept");
    assert_eq!(claim_all(backend, 999).await, [], "the deadline counts from the first time");
    let overdue = claim_one(backend.inbox(), at(1_000)).await;
    assert_eq!((overdue.event.number, overdue.overdue, overdue.attempt), (note, true, 1));
    assert!(overdue.context().overdue, "its handler is told");
    let verdict = verdict(&overdue, &Failure::not_ready("no lead yet"));
    settle(backend, &overdue, verdict, 1_001).await;
    assert_eq!(state(backend, note).await, (State::Dead, Some(DeadReason::Deadline), 1));
}

/// What a worker makes of a failure.
fn verdict(claimed: &Claimed, failure: &Failure) -> Outcome {
    claimed.outcome_of(failure, &RetryPolicy::default(), at(0), 0.5)
}

pub(crate) async fn at_its_deadline_an_event_is_dead_if_the_source_says_so(backend: &mut Sqlite) {
    let dead = |policy: &mut OrderPolicy| {
        policy.not_ready_deadline = SECOND;
        policy.at_deadline = AtDeadline::Dead;
    };
    rules(backend, dead).await;
    let delivery = sent("note").key("lead-1").occurred(1);
    let note = accept(backend.inbox(), &delivery).await;
    let free = accept(backend.inbox(), &sent("free")).await;
    for _ in 0..2 {
        settle(backend, &claim_one(backend.inbox(), at(0)).await, not_ready(), 0).await;
    }
    accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    let sibling = claim_one(backend.inbox(), at(900)).await;
    assert_eq!(claim_all(backend, 1_000).await, [], "also while a sibling runs");
    for event in [note, free] {
        assert_eq!(state(backend, event).await, (State::Dead, Some(DeadReason::Deadline), 0));
    }
    settle(backend, &sibling, Outcome::Done, 1_001).await;
    let again = backend.inbox().accept(delivery.received(2_000).incoming()).await.unwrap();
    assert_eq!((again.event, again.outcome), (note, Delivery::Revived));
    let claimed = claim_one(backend.inbox(), at(2_000)).await;
    assert_eq!((claimed.event.number, claimed.overdue), (note, false), "a new life has a new deadline");
}
