//! Claim: one lease per event and per key, in order, counted.

use std::collections::HashSet;

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{Inbox, Operator, Settled};
use hookproof_consumer::retry::Outcome;
use tokio::task::JoinSet;

use crate::support::{LEASE, Sqlite, accept, at, claim_one, sent};

pub(crate) async fn claim_all(backend: &Sqlite, now: u64) -> Vec<EventNo> {
    let claimed = backend.inbox().claim(100, LEASE, at(now)).await.unwrap();
    claimed.iter().map(|claimed| claimed.event.number).collect()
}

pub(crate) fn retry_at(millis: u64) -> Outcome {
    Outcome::Retry { at: at(millis), error: "down".to_owned() }
}

pub(crate) async fn a_claim_counts_the_attempt_before_the_handler_runs(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(7)).await;
    assert_eq!((claimed.attempt, claimed.lease.until), (1, at(60_007)));
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    assert_eq!((detail.summary.state, detail.summary.attempts), (State::Running, 1));
    let attempt = &detail.attempts[0];
    assert_eq!((attempt.attempt, attempt.started_at, attempt.ended_at), (1, at(7), None));
}

pub(crate) async fn an_event_is_not_claimed_before_it_is_due(backend: &mut Sqlite) {
    let number = accept(backend.inbox(), &sent("msg_1").received(100)).await;
    assert_eq!(claim_all(backend, 99).await, []);
    assert_eq!(claim_all(backend, 100).await, [number]);
}

pub(crate) async fn one_key_is_never_leased_twice(backend: &mut Sqlite) {
    let mut keyed = Vec::new();
    for n in 0..5 {
        keyed.push(accept(backend.inbox(), &sent(format!("msg_{n}")).key("lead-1")).await);
    }
    let free = accept(backend.inbox(), &sent("free_1")).await;
    let other = accept(backend.inbox(), &sent("free_2")).await;
    assert_eq!(claim_all(backend, 0).await, [keyed[0], free, other], "no key means no waiting");
    assert_eq!(claim_all(backend, 10).await, []);
}

pub(crate) async fn keys_of_different_sources_are_different_keys(backend: &mut Sqlite) {
    let one = accept(backend.inbox(), &sent("msg_1").key("lead-1")).await;
    let other = accept(backend.inbox(), &sent("msg_1").key("lead-1").to("shop")).await;
    assert_eq!(claim_all(backend, 0).await, [one, other]);
}

pub(crate) async fn within_a_key_the_earliest_comes_first(backend: &mut Sqlite) {
    let of = |id: &str| sent(id).key("lead-1").received(100);
    // Stored in this order; the names say in which order they are to run.
    let fourth = accept(backend.inbox(), &of("4").occurred(20).sequence(2)).await;
    let third = accept(backend.inbox(), &of("3").occurred(20).sequence(1)).await;
    let fifth = accept(backend.inbox(), &of("5").occurred(20).sequence(2)).await;
    let last = accept(backend.inbox(), &of("7")).await;
    let first = accept(backend.inbox(), &of("1").occurred(5).sequence(9)).await;
    let sixth = accept(backend.inbox(), &of("6").occurred(99)).await;
    let second = accept(backend.inbox(), &of("2").occurred(6)).await;
    let mut order = Vec::new();
    for _ in 0..7 {
        let claimed = claim_one(backend.inbox(), at(200)).await;
        order.push(claimed.event.number);
        backend.inbox().settle(&claimed.lease, Outcome::Done, at(200)).await.unwrap();
    }
    assert_eq!(order, [first, second, third, fourth, fifth, sixth, last]);
}

pub(crate) async fn events_of_a_key_wait_for_the_retry_of_an_earlier_one(backend: &mut Sqlite) {
    let first = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    let claimed = claim_one(backend.inbox(), at(10)).await;
    backend.inbox().settle(&claimed.lease, retry_at(5_000), at(11)).await.unwrap();
    assert_eq!(claim_all(backend, 4_999).await, [], "the second waits although it is due");
    let claimed = claim_one(backend.inbox(), at(5_000)).await;
    assert_eq!((claimed.event.number, claimed.attempt), (first, 2));
    backend.inbox().settle(&claimed.lease, Outcome::Done, at(5_001)).await.unwrap();
    assert_eq!(claim_all(backend, 5_001).await, [second]);
}

pub(crate) async fn an_earlier_event_overtakes_one_that_waits_for_its_retry(backend: &mut Sqlite) {
    let late = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    let claimed = claim_one(backend.inbox(), at(10)).await;
    backend.inbox().settle(&claimed.lease, retry_at(5_000), at(11)).await.unwrap();
    let early = accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1).received(12)).await;
    let claimed = claim_one(backend.inbox(), at(12)).await;
    assert_eq!(claimed.event.number, early);
    backend.inbox().settle(&claimed.lease, Outcome::Done, at(13)).await.unwrap();
    assert_eq!(claim_all(backend, 4_999).await, [], "its retry time still holds");
    assert_eq!(claim_all(backend, 5_000).await, [late]);
}

pub(crate) async fn after_a_dead_letter_its_key_goes_on(backend: &mut Sqlite) {
    accept(backend.inbox(), &sent("msg_1").key("lead-1").occurred(1)).await;
    let second = accept(backend.inbox(), &sent("msg_2").key("lead-1").occurred(2)).await;
    let claimed = claim_one(backend.inbox(), at(10)).await;
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    assert_eq!(backend.inbox().settle(&claimed.lease, dead, at(11)).await.unwrap(), Settled::Applied);
    assert_eq!(claim_all(backend, 11).await, [second]);
}

pub(crate) async fn concurrent_claims_never_hand_out_the_same_event(backend: &mut Sqlite) {
    for n in 0..300 {
        let delivery = sent(format!("msg_{n}")).key(n % 60);
        backend.inbox().accept(delivery.incoming()).await.unwrap();
    }
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let inbox = backend.shared();
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = inbox.claim(3, LEASE, at(0)).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                for claimed in claimed {
                    mine.push((
                        claimed.event.number,
                        claimed.event.ordering_key.clone(),
                        claimed.lease.token,
                    ));
                }
            }
        });
    }
    let claimed: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let keys: HashSet<_> = claimed.iter().map(|(_, key, _)| key.clone()).collect();
    let tokens: HashSet<_> = claimed.iter().map(|(.., token)| *token).collect();
    assert_eq!((claimed.len(), keys.len(), tokens.len()), (60, 60, 60), "one of each key, and nobody twice");
}
