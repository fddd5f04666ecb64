//! The life of a source: paused, resumed, gone from the configuration.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::event::{DeadReason, State};
use hookproof_consumer::inbox::{
    By, Claimed, IfStale, Inbox, Life, LifeError, Operator, Pause, Settled, SourceRules, SourceStatus,
};
use hookproof_consumer::ordering::{AtDeadline, OrderPolicy};
use hookproof_consumer::retry::Outcome;

use super::claim::claim_all;
use crate::support::{LEASE, Sqlite, accept, at, claim_one, rules, sent, settle};

pub(crate) fn ann(why: &str) -> By {
    By::new("ann", why)
}

async fn pause(backend: &Sqlite, source: &str) {
    backend.inbox().pause(source, ann("the CRM is down"), at(5)).await.unwrap();
}

pub(crate) async fn resume(backend: &Sqlite, source: &str) -> Pause {
    backend.inbox().resume(source, ann("it is back"), at(99)).await.unwrap()
}

pub(crate) async fn status(backend: &Sqlite, source: &str) -> SourceStatus {
    let mut sources = backend.inbox().sources().await.unwrap();
    sources.retain(|status| status.source == source);
    sources.remove(0)
}

async fn state_of(backend: &Sqlite, claimed: &Claimed) -> State {
    backend.inbox().show(claimed.event.number).await.unwrap().unwrap().summary.state
}

pub(crate) async fn a_paused_source_accepts_and_nothing_of_it_is_claimed(backend: &mut Sqlite) {
    let keyed = accept(backend.inbox(), &sent("msg_1").key("lead-1")).await;
    pause(backend, "crm").await;
    let free = accept(backend.inbox(), &sent("msg_2")).await;
    assert_eq!(claim_all(backend, 10).await, []);
    assert_eq!(backend.inbox().next_due().await.unwrap(), None, "nothing to wake up for");
    let other = accept(backend.inbox(), &sent("msg_1").to("shop").received(7)).await;
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(7)));
    assert_eq!(claim_all(backend, 10).await, [other]);
    resume(backend, "crm").await;
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(at(0)));
    assert_eq!(claim_all(backend, 100).await, [keyed, free]);
}

pub(crate) async fn a_pause_outlives_a_restart_and_ends_with_a_resume(backend: &mut Sqlite) {
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    pause(backend, "crm").await;
    backend.restart();
    assert_eq!(claim_all(backend, 10).await, []);
    let pause = resume(backend, "crm").await;
    let expected =
        Pause { tripped: false, since: at(5), actor: "ann".to_owned(), why: "the CRM is down".to_owned() };
    assert_eq!(pause, expected);
    backend.restart();
    assert_eq!(claim_all(backend, 100).await, [event]);
}

pub(crate) async fn what_is_leased_when_its_source_is_paused_is_finished(backend: &mut Sqlite) {
    for n in 0..3 {
        accept(backend.inbox(), &sent(n)).await;
    }
    let claimed = backend.inbox().claim(3, LEASE, at(0)).await.unwrap();
    pause(backend, "crm").await;
    assert!(backend.inbox().extend(&claimed[0].lease, at(90_000)).await.unwrap());
    settle(backend, &claimed[0], Outcome::Done, 10).await;
    settle(backend, &claimed[1], Outcome::Retry { at: at(20), error: "down".to_owned() }, 10).await;
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    settle(backend, &claimed[2], dead, 10).await;
    assert_eq!(state_of(backend, &claimed[0]).await, State::Done);
    assert_eq!(state_of(backend, &claimed[2]).await, State::Dead);
    assert_eq!(claim_all(backend, 20).await, [], "its retry waits");
    resume(backend, "crm").await;
    assert_eq!(claim_all(backend, 20).await, [claimed[1].event.number]);
}

pub(crate) async fn what_expires_in_a_paused_source_is_rescued_and_waits(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    pause(backend, "crm").await;
    assert_eq!(backend.inbox().next_due().await.unwrap(), Some(claimed.lease.until));
    assert_eq!(backend.inbox().rescue(5, at(60_001)).await.unwrap().retried, 1);
    assert_eq!(claim_all(backend, 60_001).await, []);
    let settled = backend.inbox().settle(&claimed.lease, Outcome::Done, at(60_002)).await.unwrap();
    assert_eq!((settled, state_of(backend, &claimed).await), (Settled::LeaseLost, State::Pending));
}

pub(crate) async fn a_replayed_event_of_a_paused_source_waits(backend: &mut Sqlite) {
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    pause(backend, "crm").await;
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    settle(backend, &claimed, dead, 1).await;
    backend.inbox().replay(event, IfStale::FollowRule, ann("fixed"), at(10)).await.unwrap();
    assert_eq!((claim_all(backend, 20).await, state_of(backend, &claimed).await), (vec![], State::Pending));
    resume(backend, "crm").await;
    assert_eq!(claim_all(backend, 20).await, [event]);
}

pub(crate) async fn what_is_not_ready_does_not_die_while_its_source_is_paused(backend: &mut Sqlite) {
    rules(backend, |policy| {
        policy.not_ready_deadline = Duration::from_millis(100);
        policy.at_deadline = AtDeadline::Dead;
    })
    .await;
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(2)).await;
    let waits = Outcome::NotReady { error: "no lead yet".to_owned() };
    settle(backend, &claim_one(backend.inbox(), at(0)).await, waits.clone(), 0).await;
    pause(backend, "crm").await;
    let lead = accept(backend.inbox(), &sent("lead").key("lead-1").occurred(1).received(50)).await;
    assert_eq!(claim_all(backend, 500).await, []);
    assert_eq!(backend.inbox().next_due().await.unwrap(), None, "nor does its deadline wake anybody");
    resume(backend, "crm").await;
    let first = claim_one(backend.inbox(), at(500)).await;
    assert_eq!(first.event.number, lead);
    settle(backend, &first, Outcome::Done, 501).await;
    let second = claim_one(backend.inbox(), at(501)).await;
    assert_eq!((second.event.number, second.overdue), (note, true));
    let outcome = Outcome::Dead { reason: DeadReason::Deadline, error: "still none".to_owned() };
    settle(backend, &second, outcome, 502).await;
}

pub(crate) async fn only_a_source_that_there_is_can_be_paused_and_once(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1")).await;
    accept(backend.inbox(), &sent("msg_1").to("shop")).await;
    let inbox = backend.inbox();
    let paused = inbox.pause("cmr", ann("x"), at(1)).await;
    let resumed = inbox.resume("cmr", ann("x"), at(1)).await.map(drop);
    for result in [paused, resumed] {
        assert_eq!(result.unwrap_err().to_string(), "there is no source 'cmr': choose one of crm, shop");
    }
    let result = inbox.resume("crm", ann("x"), at(1)).await;
    assert!(matches!(&result, Err(LifeError::NotPaused(source)) if source == "crm"), "{result:?}");
    pause(backend, "crm").await;
    let again = inbox.pause("crm", By::new("bob", "me too"), at(7)).await.unwrap_err().to_string();
    assert_eq!(again, "source 'crm' is paused already, by ann: the CRM is down");
    assert_eq!(status(backend, "crm").await.pause.unwrap().actor, "ann");
}

pub(crate) async fn how_each_source_is_doing_is_told(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1").received(3)).await;
    accept(backend.inbox(), &sent("msg_2").received(4)).await;
    accept(backend.inbox(), &sent("msg_3").malformed("no")).await;
    accept(backend.inbox(), &sent("msg_4").to("shop")).await;
    assert_eq!(status(backend, "crm").await.oldest_pending, Some(at(3)));
    pause(backend, "shop").await;
    claim_one(backend.inbox(), at(9)).await;
    let crm = status(backend, "crm").await;
    assert_eq!((crm.state(), crm.pending, crm.running, crm.dead), ("active", 1, 1, 1));
    assert_eq!((crm.pause, crm.removed_since, crm.oldest_pending), (None, None, Some(at(4))));
    let shop = status(backend, "shop").await;
    assert_eq!((shop.state(), shop.pending), ("paused", 1));
    let pause = shop.pause.unwrap();
    assert_eq!((pause.since, pause.why.as_str()), (at(5), "the CRM is down"));
    rules(backend, |_| ()).await;
    backend.inbox().set_order(vec![(Arc::from("new"), OrderPolicy::default())]).await.unwrap();
    let names: Vec<_> =
        backend.inbox().sources().await.unwrap().into_iter().map(|status| status.source).collect();
    assert_eq!(names, ["crm", "new", "shop"], "also those without an event");
}

fn configured(source: &str) -> SourceRules {
    SourceRules { source: Arc::from(source), order: OrderPolicy::default(), breaker: None }
}

pub(crate) async fn events_of_a_source_that_is_not_configured_wait_until_it_is(backend: &mut Sqlite) {
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    let other = accept(backend.inbox(), &sent("msg_2").to("shop")).await;
    pause(backend, "crm").await;
    let inbox = backend.inbox();
    assert_eq!(inbox.configure(vec![configured("crm"), configured("shop")], at(1)).await.unwrap(), []);
    let left = inbox.configure(vec![configured("shop")], at(2)).await.unwrap();
    let left: Vec<_> = left.iter().map(|status| (status.source.as_str(), status.pending)).collect();
    assert_eq!(left, [("crm", 1)]);
    resume(backend, "crm").await;
    backend.restart();
    let crm = status(backend, "crm").await;
    assert_eq!((crm.state(), crm.removed_since), ("removed", Some(at(2))), "nobody can resume that");
    assert_eq!(claim_all(backend, 10).await, [other]);
    pause(backend, "crm").await;
    let inbox = backend.inbox();
    inbox.configure(vec![configured("crm")], at(3)).await.unwrap();
    assert_eq!(status(backend, "crm").await.state(), "paused", "the pause was there all the time");
    assert_eq!(claim_all(backend, 10).await, []);
    resume(backend, "crm").await;
    assert_eq!(claim_all(backend, 10).await, [event]);
    assert_eq!(inbox.configure(vec![], at(4)).await.unwrap().len(), 2, "what runs is not finished either");
}
