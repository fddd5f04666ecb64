//! Settle and rescue: fenced, and nothing runs for ever.

use std::time::Duration;

use hookproof_consumer::event::{DeadReason, State};
use hookproof_consumer::inbox::{Inbox, Operator, Rescued, Settled};
use hookproof_consumer::retry::Outcome;

use crate::support::{LEASE, Sqlite, accept, at, claim_one, sent};

const ATTEMPTS: u32 = 3;

pub(crate) async fn a_settled_event_is_done_and_its_attempt_recorded(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    let retry = Outcome::Retry { at: at(100), error: "down".to_owned() };
    assert_eq!(backend.inbox().settle(&claimed.lease, retry, at(5)).await.unwrap(), Settled::Applied);
    let claimed = claim_one(backend.inbox(), at(100)).await;
    assert_eq!(
        backend.inbox().settle(&claimed.lease, Outcome::Done, at(110)).await.unwrap(),
        Settled::Applied
    );
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    assert_eq!((detail.summary.state, detail.summary.settled_at), (State::Done, Some(at(110))));
    let attempts: Vec<_> = detail
        .attempts
        .iter()
        .map(|a| (a.attempt, a.ended_at, a.outcome.as_deref().unwrap(), a.error.as_deref()))
        .collect();
    assert_eq!(attempts, [(1, Some(at(5)), "retry", Some("down")), (2, Some(at(110)), "done", None)]);
}

pub(crate) async fn a_stale_worker_changes_nothing(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let stale = claim_one(backend.inbox(), at(0)).await;
    let inbox = backend.inbox();
    assert_eq!(inbox.rescue(ATTEMPTS, at(60_000)).await.unwrap(), Rescued { retried: 1, dead: 0 });
    // Once while nobody holds the event, and once while a successor does.
    for successor in [false, true] {
        let held = if successor { Some(claim_one(inbox, at(60_000)).await) } else { None };
        let before = format!("{:?}", inbox.show(number).await.unwrap());
        let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
        let retry = Outcome::Retry { at: at(1), error: "down".to_owned() };
        for outcome in [Outcome::Done, dead, retry] {
            assert_eq!(inbox.settle(&stale.lease, outcome, at(60_001)).await.unwrap(), Settled::LeaseLost);
        }
        assert!(!inbox.extend(&stale.lease, at(999_999)).await.unwrap());
        assert_eq!(format!("{:?}", inbox.show(number).await.unwrap()), before);
        if let Some(held) = held {
            assert!(held.lease.token > stale.lease.token);
            assert_eq!(inbox.settle(&held.lease, Outcome::Done, at(60_002)).await.unwrap(), Settled::Applied);
        }
    }
}

pub(crate) async fn a_lease_cannot_be_settled_twice(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    let inbox = backend.inbox();
    assert_eq!(inbox.settle(&claimed.lease, Outcome::Done, at(1)).await.unwrap(), Settled::Applied);
    let retry = Outcome::Retry { at: at(1), error: "down".to_owned() };
    assert_eq!(inbox.settle(&claimed.lease, retry, at(2)).await.unwrap(), Settled::LeaseLost);
    assert_eq!(inbox.show(number).await.unwrap().unwrap().summary.state, State::Done);
}

pub(crate) async fn a_late_but_unrescued_worker_may_still_settle(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    let settled = backend.inbox().settle(&claimed.lease, Outcome::Done, at(120_000)).await.unwrap();
    assert_eq!(settled, Settled::Applied, "nobody else can have run it meanwhile");
}

pub(crate) async fn a_lease_is_extended_by_its_holder_only(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1")).await;
    let inbox = backend.inbox();
    let claimed = claim_one(inbox, at(0)).await;
    assert!(inbox.extend(&claimed.lease, at(100_000)).await.unwrap());
    assert_eq!(inbox.rescue(ATTEMPTS, at(99_999)).await.unwrap(), Rescued::default());
    let mut forged = claimed.lease;
    forged.token += 1;
    assert!(!inbox.extend(&forged, at(200_000)).await.unwrap());
    assert_eq!(inbox.rescue(ATTEMPTS, at(100_000)).await.unwrap().retried, 1);
    assert!(!inbox.extend(&claimed.lease, at(300_000)).await.unwrap(), "lost");
}

pub(crate) async fn an_expired_lease_goes_back_to_pending(backend: &mut Sqlite) {
    let expired = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let inbox = backend.inbox();
    claim_one(inbox, at(0)).await;
    accept(inbox, &sent("msg_2").key("b")).await;
    let live = claim_one(inbox, at(1)).await;
    assert_eq!(inbox.rescue(ATTEMPTS, at(59_999)).await.unwrap(), Rescued::default(), "not yet");
    assert_eq!(inbox.rescue(ATTEMPTS, at(60_000)).await.unwrap(), Rescued { retried: 1, dead: 0 });
    let again = claim_one(inbox, at(60_000)).await;
    assert_eq!((again.event.number, again.attempt), (expired, 2));
    assert_eq!(inbox.settle(&live.lease, Outcome::Done, at(60_000)).await.unwrap(), Settled::Applied);
    let detail = inbox.show(expired).await.unwrap().unwrap();
    assert_eq!(detail.attempts[0].outcome.as_deref(), Some("lost"));
}

pub(crate) async fn a_rescued_event_is_before_what_became_due_after_it(backend: &mut Sqlite) {
    let lost = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    claim_one(backend.inbox(), at(0)).await;
    let next = accept(backend.inbox(), &sent("msg_2").key("b").received(10)).await;
    backend.inbox().rescue(ATTEMPTS, at(60_000)).await.unwrap();
    for event in [lost, next] {
        assert_eq!(claim_one(backend.inbox(), at(60_000)).await.event.number, event);
    }
}

pub(crate) async fn an_expired_lease_of_the_last_attempt_is_a_dead_letter(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let next = accept(backend.inbox(), &sent("msg_2").key("a")).await;
    let inbox = backend.inbox();
    for attempt in 1..=ATTEMPTS {
        let now = at(u64::from(attempt) * 100_000);
        assert_eq!(claim_one(inbox, now).await.attempt, attempt);
        inbox.rescue(ATTEMPTS, at(u64::from(attempt) * 100_000 + 60_000)).await.unwrap();
    }
    let detail = inbox.show(number).await.unwrap().unwrap();
    assert_eq!(
        (detail.summary.state, detail.summary.reason),
        (State::Dead, Some(DeadReason::AttemptsExhausted))
    );
    assert_eq!(claim_one(inbox, at(999_999)).await.event.number, next, "the key goes on");
}

pub(crate) async fn a_restart_takes_back_what_was_running(backend: &mut Sqlite) {
    for n in 0..5 {
        accept(backend.inbox(), &sent(format!("msg_{n}")).key(n)).await;
    }
    let claimed = backend.inbox().claim(4, Duration::from_secs(99_999), at(0)).await.unwrap();
    backend.restart();
    let inbox = backend.inbox();
    assert_eq!(inbox.counts().await.unwrap().of(State::Running), 4);
    assert_eq!(inbox.recover_orphans(ATTEMPTS, at(5)).await.unwrap(), Rescued { retried: 4, dead: 0 });
    assert_eq!(inbox.counts().await.unwrap().of(State::Running), 0);
    let again = inbox.claim(9, LEASE, at(5)).await.unwrap();
    let attempts: Vec<_> = again.iter().map(|again| again.attempt).collect();
    assert_eq!(attempts.iter().sum::<u32>(), 4 * 2 + 1, "the lost attempts count: {attempts:?}");
    let stale = inbox.settle(&claimed[0].lease, Outcome::Done, at(6)).await.unwrap();
    assert_eq!(stale, Settled::LeaseLost);
}

pub(crate) async fn a_crash_loop_uses_up_the_attempts(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    for attempt in 1..=ATTEMPTS {
        assert_eq!(claim_one(backend.inbox(), at(0)).await.attempt, attempt);
        backend.restart();
        let rescued = backend.inbox().recover_orphans(ATTEMPTS, at(0)).await.unwrap();
        assert_eq!(rescued.dead, usize::from(attempt == ATTEMPTS));
    }
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    assert_eq!(
        (detail.summary.state, detail.summary.reason),
        (State::Dead, Some(DeadReason::AttemptsExhausted))
    );
    assert_eq!(backend.inbox().claim(9, LEASE, at(9)).await.unwrap().len(), 0);
}

pub(crate) async fn the_next_due_time_is_the_earliest_retry_or_lease_end(backend: &mut Sqlite) {
    let inbox = backend.inbox();
    assert_eq!(inbox.next_due().await.unwrap(), None);
    accept(inbox, &sent("msg_1").received(5)).await;
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(5)));
    let claimed = claim_one(inbox, at(5)).await;
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(60_005)));
    let retry = Outcome::Retry { at: at(70_000), error: "down".to_owned() };
    inbox.settle(&claimed.lease, retry, at(6)).await.unwrap();
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(70_000)));
}
