//! A source that pauses by itself.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::breaker::BreakerPolicy;
use hookproof_consumer::event::DeadReason;
use hookproof_consumer::inbox::{Inbox, Life, SourceRules};
use hookproof_consumer::ordering::{AtDeadline, OrderPolicy};
use hookproof_consumer::retry::Outcome;

use super::claim::{claim_all, retry_at};
use super::life::{ann, resume, status};
use crate::support::{LEASE, Sqlite, accept, at, claim_one, sent, settle};

/// Two of the last four, within a minute.
const POLICY: BreakerPolicy =
    BreakerPolicy { last: 4, window: Duration::from_secs(60), min_dead: 2, dead_percent: 50 };

async fn arm(backend: &Sqlite) {
    let order = OrderPolicy {
        not_ready_deadline: Duration::from_millis(100),
        at_deadline: AtDeadline::Dead,
        ..OrderPolicy::default()
    };
    let rules =
        ["crm", "shop"].map(|source| SourceRules { source: Arc::from(source), order, breaker: Some(POLICY) });
    backend.inbox().configure(rules.to_vec(), at(0)).await.unwrap();
}

fn dead(reason: DeadReason) -> Outcome {
    Outcome::Dead { reason, error: "no".to_owned() }
}

/// An event of `crm` that ends like this at `now`.
async fn end(backend: &Sqlite, id: &str, outcome: Outcome, now: u64) {
    accept(backend.inbox(), &sent(id).received(now)).await;
    settle(backend, &claim_one(backend.inbox(), at(now)).await, outcome, now).await;
}

/// One for each letter: `x` dies, `.` is done.
async fn ends(backend: &Sqlite, outcomes: &str, from: u64) {
    for (now, outcome) in (from..).zip(outcomes.chars()) {
        let outcome = if outcome == 'x' { dead(DeadReason::Permanent) } else { Outcome::Done };
        end(backend, &format!("msg_{now}"), outcome, now).await;
    }
}

async fn state(backend: &Sqlite) -> &'static str {
    status(backend, "crm").await.state()
}

pub(crate) async fn a_source_pauses_when_too_many_of_its_last_events_died(backend: &mut Sqlite) {
    arm(backend).await;
    ends(backend, "x...x...x..", 1).await;
    assert_eq!(state(backend).await, "active", "one of four");
    ends(backend, "x", 20).await;
    assert_eq!(state(backend).await, "tripped", "two of four");
    let pause = status(backend, "crm").await.pause.unwrap();
    assert_eq!((pause.since, pause.actor.as_str()), (at(20), "breaker"));
    assert_eq!(pause.why, "2 of its last 4 events died within 60 s");
    accept(backend.inbox(), &sent("next")).await;
    assert_eq!(claim_all(backend, 30).await, []);
    let refused = backend.inbox().pause("crm", ann("x"), at(31)).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "source 'crm' is paused already, by its breaker: 2 of its last 4 events died within 60 s"
    );
}

pub(crate) async fn what_led_to_it_survives_a_restart(backend: &mut Sqlite) {
    arm(backend).await;
    ends(backend, "x", 1).await;
    backend.restart();
    ends(backend, "x", 2).await;
    assert_eq!(state(backend).await, "tripped");
    backend.restart();
    assert_eq!(state(backend).await, "tripped");
    arm(backend).await;
    assert_eq!(state(backend).await, "tripped", "a new configuration is no acknowledgement");
}

pub(crate) async fn every_way_to_die_of_a_handler_counts(backend: &mut Sqlite) {
    for way in ["permanent", "exhausted", "never_ready", "lost", "waited_in_vain"] {
        arm(backend).await;
        accept(backend.inbox(), &sent(way).key(way).received(2)).await;
        let claimed = claim_one(backend.inbox(), at(2)).await;
        ends(backend, "x", 3).await;
        match way {
            "permanent" => settle(backend, &claimed, dead(DeadReason::Permanent), 3).await,
            "exhausted" => settle(backend, &claimed, dead(DeadReason::AttemptsExhausted), 3).await,
            "never_ready" => settle(backend, &claimed, dead(DeadReason::Deadline), 3).await,
            "lost" => assert_eq!(backend.inbox().rescue(1, at(60_002)).await.unwrap().dead, 1),
            _ => {
                settle(backend, &claimed, Outcome::NotReady { error: "no lead".to_owned() }, 3).await;
                accept(backend.inbox(), &sent("behind").received(4)).await;
                assert_eq!(claim_all(backend, 200).await, [], "the claim that buries it hands out no other");
            }
        }
        assert_eq!(state(backend).await, "tripped", "{way}");
        *backend = Sqlite::start();
    }
}

pub(crate) async fn what_was_dead_on_arrival_or_is_tried_again_does_not_count(backend: &mut Sqlite) {
    arm(backend).await;
    for n in 0..9 {
        accept(backend.inbox(), &sent(format!("bad_{n}")).malformed("no")).await;
        let conflict = backend.inbox().accept(sent("bad_0").body(format!("{n}")).incoming()).await;
        conflict.unwrap();
        end(backend, &format!("retried_{n}"), retry_at(900_000), 1).await;
    }
    ends(backend, "x...x", 1).await;
    assert_eq!(state(backend).await, "active");
}

pub(crate) async fn what_is_old_or_of_another_source_does_not_count(backend: &mut Sqlite) {
    arm(backend).await;
    ends(backend, "x", 1).await;
    ends(backend, "x", 60_002).await;
    assert_eq!(state(backend).await, "active", "the first one was too long ago");
    accept(backend.inbox(), &sent("of_shop").to("shop").received(60_003)).await;
    settle(backend, &claim_one(backend.inbox(), at(60_003)).await, dead(DeadReason::Permanent), 60_003).await;
    assert_eq!((state(backend).await, status(backend, "shop").await.state()), ("active", "active"));
    ends(backend, "x", 120_002).await;
    assert_eq!(state(backend).await, "tripped", "a minute later to the millisecond");
}

pub(crate) async fn a_resume_starts_over(backend: &mut Sqlite) {
    arm(backend).await;
    ends(backend, "xx", 1).await;
    let pause = resume(backend, "crm").await;
    assert!(pause.tripped);
    ends(backend, "x", 10).await;
    assert_eq!(state(backend).await, "active", "those of before are forgotten");
    backend.inbox().pause("crm", ann("to look at it"), at(11)).await.unwrap();
    resume(backend, "crm").await;
    ends(backend, "x", 12).await;
    assert_eq!(state(backend).await, "active", "also after a person's pause");
    ends(backend, "x", 13).await;
    assert_eq!(state(backend).await, "tripped");
}

pub(crate) async fn what_ends_while_the_source_is_paused_does_not_count(backend: &mut Sqlite) {
    arm(backend).await;
    for n in 0..3 {
        accept(backend.inbox(), &sent(format!("early_{n}"))).await;
    }
    let running = backend.inbox().claim(3, LEASE, at(0)).await.unwrap();
    backend.inbox().pause("crm", ann("the CRM is down"), at(0)).await.unwrap();
    for claimed in &running {
        settle(backend, claimed, dead(DeadReason::Permanent), 1).await;
    }
    assert_eq!(state(backend).await, "paused", "by a person, and not by its breaker as well");
    resume(backend, "crm").await;
    *backend = Sqlite::start();

    arm(backend).await;
    for n in 0..6 {
        accept(backend.inbox(), &sent(format!("running_{n}"))).await;
    }
    let running = backend.inbox().claim(6, LEASE, at(0)).await.unwrap();
    for claimed in &running[..5] {
        settle(backend, claimed, dead(DeadReason::Permanent), 1).await;
    }
    assert_eq!(status(backend, "crm").await.dead, 5, "what runs is finished");
    resume(backend, "crm").await;
    settle(backend, &running[5], dead(DeadReason::Permanent), 2).await;
    assert_eq!(state(backend).await, "active", "one since the resume");
}

pub(crate) async fn a_source_without_a_breaker_never_pauses_by_itself(backend: &mut Sqlite) {
    ends(backend, "xxxx", 1).await;
    arm(backend).await;
    ends(backend, "x", 10).await;
    let rules = SourceRules { source: Arc::from("crm"), order: OrderPolicy::default(), breaker: None };
    backend.inbox().configure(vec![rules], at(11)).await.unwrap();
    ends(backend, "xxxx", 20).await;
    assert_eq!(state(backend).await, "active");
}
