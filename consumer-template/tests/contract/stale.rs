//! Stale: events that are older than what was applied of their keys.

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{By, Filter, IfStale, Inbox, Operator, Replayed};
use hookproof_consumer::ordering::{OrderPolicy, StaleRule};
use hookproof_consumer::retry::Outcome;

use super::claim::claim_all;
use crate::support::{Sqlite, accept, at, claim_one, rules, sent, settle};

fn rule(stale: StaleRule) -> impl FnOnce(&mut OrderPolicy) {
    move |policy| policy.stale = stale
}

fn by() -> By {
    By::new("ann", "fixed")
}

/// Runs an event of `lead-1` to its end.
async fn apply(backend: &Sqlite, id: &str, occurred: u64, sequence: i64) -> EventNo {
    let delivery = sent(id).key("lead-1").occurred(occurred).sequence(sequence);
    let event = accept(backend.inbox(), &delivery).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    assert_eq!((claimed.event.number, claimed.stale), (event, false));
    settle(backend, &claimed, Outcome::Done, 1).await;
    event
}

async fn dead_letter(backend: &Sqlite, id: &str, occurred: u64) -> EventNo {
    let event = accept(backend.inbox(), &sent(id).key("lead-1").occurred(occurred)).await;
    let outcome = Outcome::Dead { reason: DeadReason::AttemptsExhausted, error: "no".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(0)).await, outcome, 1).await;
    event
}

async fn is_superseded(backend: &Sqlite, event: EventNo) -> bool {
    let summary = backend.inbox().show(event).await.unwrap().unwrap().summary;
    if summary.superseded {
        assert_eq!(summary.state, State::Done);
    }
    summary.superseded
}

pub(crate) async fn a_stale_event_is_applied_flagged_or_skipped_as_its_source_says(backend: &mut Sqlite) {
    apply(backend, "newest", 50, 0).await;
    for (n, (stale, flagged)) in [(StaleRule::Apply, false), (StaleRule::Flag, true)].into_iter().enumerate()
    {
        rules(backend, rule(stale)).await;
        let old = accept(backend.inbox(), &sent(n).key("lead-1").occurred(10)).await;
        let claimed = claim_one(backend.inbox(), at(1)).await;
        assert_eq!((claimed.event.number, claimed.stale, claimed.context().stale), (old, flagged, flagged));
        settle(backend, &claimed, Outcome::Done, 2).await;
        assert!(!is_superseded(backend, old).await);
    }
    rules(backend, rule(StaleRule::Skip)).await;
    backend.restart();
    let old = accept(backend.inbox(), &sent("old").key("lead-1").occurred(49)).await;
    let other = accept(backend.inbox(), &sent("other").key("lead-2").occurred(1)).await;
    let new = accept(backend.inbox(), &sent("new").key("lead-1").occurred(51)).await;
    assert_eq!(claim_all(backend, 3).await, [new, other], "an old one that was applied does not count");
    assert!(is_superseded(backend, old).await);
    let detail = backend.inbox().show(old).await.unwrap().unwrap();
    assert_eq!((detail.summary.attempts, detail.attempts.len()), (0, 0), "no handler saw it");
    let listed = backend.inbox().list(Filter::superseded()).await.unwrap();
    assert_eq!(listed.iter().map(|event| event.number).collect::<Vec<_>>(), [old]);
}

pub(crate) async fn only_a_strictly_later_position_makes_stale(backend: &mut Sqlite) {
    rules(backend, rule(StaleRule::Skip)).await;
    apply(backend, "msg_1", 10, 5).await;
    let before = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(10).sequence(4)).await;
    let equal = accept(backend.inbox(), &sent("msg_3").key("lead-1").occurred(10).sequence(5)).await;
    assert_eq!(claim_all(backend, 1).await, [equal]);
    assert!(is_superseded(backend, before).await);
    let free = accept(backend.inbox(), &sent("free").occurred(1)).await;
    assert_eq!(claim_all(backend, 1).await, [free], "without a key nothing is stale");
}

pub(crate) async fn a_retry_that_was_overtaken_is_stale(backend: &mut Sqlite) {
    rules(backend, |policy| {
        policy.stale = StaleRule::Skip;
        policy.on_failure = hookproof_consumer::ordering::OnFailure::Skip;
    })
    .await;
    let failing = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    let retry = Outcome::Retry { at: at(100), error: "down".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(0)).await, retry, 1).await;
    apply(backend, "msg_2", 2, 0).await;
    assert_eq!(claim_all(backend, 100).await, []);
    assert!(is_superseded(backend, failing).await);
}

pub(crate) async fn a_superseded_event_wakes_nobody(backend: &mut Sqlite) {
    rules(backend, rule(StaleRule::Skip)).await;
    apply(backend, "msg_1", 50, 0).await;
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(60)).await;
    let wait = Outcome::NotReady { error: "no lead yet".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(1)).await, wait, 1).await;
    let old = accept(backend.inbox(), &sent("old").key("lead-1").occurred(1)).await;
    assert_eq!(claim_all(backend, 2).await, []);
    assert!(is_superseded(backend, old).await);
    accept(backend.inbox(), &sent("new").key("lead-1").occurred(70)).await;
    settle(backend, &claim_one(backend.inbox(), at(3)).await, Outcome::Done, 3).await;
    assert_eq!(claim_all(backend, 3).await, [], "the later one was applied, so it is stale now");
    assert!(is_superseded(backend, note).await);
}

pub(crate) async fn a_replayed_event_takes_its_place_in_the_order_of_its_key(backend: &mut Sqlite) {
    let second = dead_letter(backend, "msg_2", 2).await;
    let first = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    let third = accept(backend.inbox(), &sent("msg_3").key("lead-1").occurred(3)).await;
    let replayed = backend.inbox().replay(second, IfStale::FollowRule, by(), at(5)).await.unwrap();
    assert_eq!(replayed, Replayed::InOrder);
    for event in [first, second, third] {
        let claimed = claim_one(backend.inbox(), at(5)).await;
        assert_eq!((claimed.event.number, claimed.stale), (event, false));
        settle(backend, &claimed, Outcome::Done, 6).await;
    }
}

pub(crate) async fn a_replay_says_that_later_events_were_applied_and_follows_the_rule(backend: &mut Sqlite) {
    for stale in StaleRule::ALL.iter().copied() {
        rules(backend, |policy| policy.stale = StaleRule::Apply).await;
        let old = dead_letter(backend, &format!("old_{stale}"), 1).await;
        assert!(!overtaken(backend, old).await || stale != StaleRule::Apply);
        rules(backend, rule(stale)).await;
        let new = accept(backend.inbox(), &sent(format!("new_{stale}")).key("lead-1").occurred(2)).await;
        let claimed = claim_one(backend.inbox(), at(2)).await;
        assert_eq!(claimed.event.number, new);
        settle(backend, &claimed, Outcome::Done, 3).await;
        assert!(overtaken(backend, old).await);
        let replayed = backend.inbox().replay(old, IfStale::FollowRule, by(), at(5)).await.unwrap();
        assert_eq!(replayed, Replayed::Stale(stale));
        let claimed = backend.inbox().claim(9, crate::support::LEASE, at(5)).await.unwrap();
        assert_eq!(is_superseded(backend, old).await, stale == StaleRule::Skip);
        assert_eq!(claimed.len(), usize::from(stale != StaleRule::Skip));
        for claimed in claimed {
            assert_eq!(claimed.stale, stale == StaleRule::Flag);
            settle(backend, &claimed, Outcome::Done, 6).await;
        }
    }
}

async fn overtaken(backend: &Sqlite, event: EventNo) -> bool {
    backend.inbox().show(event).await.unwrap().unwrap().summary.overtaken
}

pub(crate) async fn a_person_may_have_a_stale_event_applied_all_the_same(backend: &mut Sqlite) {
    rules(backend, rule(StaleRule::Skip)).await;
    let old = dead_letter(backend, "old", 1).await;
    apply(backend, "new", 2, 0).await;
    let replayed = backend.inbox().replay(old, IfStale::Apply, by(), at(5)).await.unwrap();
    assert_eq!(replayed, Replayed::StaleConfirmed);
    backend.restart();
    let claimed = claim_one(backend.inbox(), at(5)).await;
    assert_eq!((claimed.event.number, claimed.stale), (old, true), "its handler is told");
    let retry = Outcome::Retry { at: at(7), error: "down".to_owned() };
    settle(backend, &claimed, retry, 6).await;
    let claimed = claim_one(backend.inbox(), at(7)).await;
    assert_eq!(claimed.event.number, old, "it holds for its retries too");
    settle(backend, &claimed, Outcome::Done, 8).await;
    assert!(!is_superseded(backend, old).await);
    let between = accept(backend.inbox(), &sent("between").key("lead-1").occurred(1)).await;
    assert_eq!(claim_all(backend, 9).await, []);
    assert!(is_superseded(backend, between).await, "what was applied last is still the later one");
}
