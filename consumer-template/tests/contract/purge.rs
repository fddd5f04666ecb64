//! Forgetting what is finished: what goes when, and what never does.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::inbox::{
    Accepted, Budget, By, Delivery, IfStale, Inbox, Keep, Operator, Purge, Purged, Retention,
};
use hookproof_consumer::ordering::{OrderPolicy, StaleRule};
use hookproof_consumer::retry::Outcome;

use crate::support::{Sent, Sqlite, accept, at, claim_one, rules, sent, settle};

/// Payloads go after this many milliseconds, replay keys and positions after that.
const PAYLOAD: u64 = 1_000;
const KEY: u64 = 5_000;

const BUDGET: Budget = Budget { rows: 100, time: Duration::from_secs(10) };

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn keep() -> Keep {
    Keep { payload: millis(PAYLOAD), replay_key: Some(millis(KEY)), position: millis(KEY) }
}

pub(crate) fn retention(sources: Vec<(Arc<str>, Keep)>) -> Retention {
    Retention { sources, others: Keep { replay_key: None, ..keep() }, deliveries: millis(KEY) }
}

pub(crate) async fn set(backend: &Sqlite) {
    backend.inbox().set_retention(retention(vec![(Arc::from("crm"), keep())])).await.unwrap();
}

/// Purges until nothing is due.
pub(crate) async fn purge_all(backend: &Sqlite, now: u64) -> Purged {
    let mut sum = Purged::default();
    loop {
        sum += backend.inbox().purge(BUDGET, at(now)).await.unwrap();
        if !sum.more {
            return sum;
        }
    }
}

async fn deliver(backend: &Sqlite, sent: &Sent) -> Accepted {
    backend.inbox().accept(sent.incoming()).await.unwrap()
}

/// An event that was done at `now`.
async fn done(backend: &Sqlite, sent: &Sent, now: u64) -> EventNo {
    let number = accept(backend.inbox(), sent).await;
    let claimed = claim_one(backend.inbox(), at(now)).await;
    settle(backend, &claimed, Outcome::Done, now).await;
    assert_eq!(claimed.event.number, number);
    number
}

async fn dead(backend: &Sqlite, sent: &Sent, now: u64) -> EventNo {
    let number = accept(backend.inbox(), sent).await;
    let claimed = claim_one(backend.inbox(), at(now)).await;
    let error = "the mailer said no to ada@example.com".to_owned();
    settle(backend, &claimed, Outcome::Dead { reason: DeadReason::Permanent, error }, now).await;
    number
}

pub(crate) async fn the_payload_goes_after_its_retention_and_the_event_stays_known(backend: &mut Sqlite) {
    set(backend).await;
    let number = done(backend, &sent("msg_1").header("x-a", b"1"), 100).await;
    assert!(!purge_all(backend, 100 + PAYLOAD).await.is_something(), "not at the edge");
    let before = backend.inbox().show(number).await.unwrap().unwrap();
    let bytes = (before.event.body.len() + "x-a: 1\r\n".len()) as u64;
    let purged = purge_all(backend, 101 + PAYLOAD).await;
    assert_eq!((purged.payloads, purged.payload_bytes, purged.events), (1, bytes, 0));
    let detail = backend.inbox().show(number).await.unwrap().unwrap();
    assert_eq!(detail.purged_at, Some(at(101 + PAYLOAD)));
    assert!(detail.event.body.is_empty() && detail.event.headers.is_empty());
    assert_eq!((detail.summary.state, detail.attempts.len()), (State::Done, 1));
    let again = deliver(backend, &sent("msg_1").received(2_000)).await;
    assert_eq!((again.event, again.outcome), (number, Delivery::Duplicate { state: State::Done }));
    assert_eq!(purge_all(backend, 3_000).await.payloads, 0, "it goes once");
}

pub(crate) async fn the_replay_key_goes_after_its_own_retention_and_then_the_event_is_new(
    backend: &mut Sqlite,
) {
    set(backend).await;
    let number = done(backend, &sent("msg_1"), 100).await;
    let purged = purge_all(backend, 100 + KEY).await;
    assert_eq!((purged.payloads, purged.events), (1, 0), "not at the edge");
    assert_eq!(purge_all(backend, 101 + KEY).await.events, 1);
    assert!(backend.inbox().show(number).await.unwrap().is_none());
    let again = deliver(backend, &sent("msg_1").received(101 + KEY)).await;
    assert_eq!(again.outcome, Delivery::New);
    assert!(again.event > number, "a number is never given twice");
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 1);
}

pub(crate) async fn each_delivery_begins_the_retention_of_the_replay_key_anew(backend: &mut Sqlite) {
    set(backend).await;
    let number = done(backend, &sent("msg_1"), 100).await;
    // A clock that is set back does not take anything away.
    for received in [4_000, 3_000] {
        let again = deliver(backend, &sent("msg_1").received(received)).await;
        assert_eq!(again.outcome, Delivery::Duplicate { state: State::Done });
    }
    assert_eq!(purge_all(backend, 4_000 + KEY).await.events, 0);
    let again = deliver(backend, &sent("msg_1").received(4_000 + KEY)).await;
    assert_eq!(again.event, number);
    assert_eq!(purge_all(backend, 4_000 + 2 * KEY).await.events, 0);
    assert_eq!(purge_all(backend, 4_001 + 2 * KEY).await.events, 1);
}

pub(crate) async fn what_is_pending_running_or_dead_is_never_purged(backend: &mut Sqlite) {
    set(backend).await;
    let dead = dead(backend, &sent("msg_1"), 0).await;
    let malformed = accept(backend.inbox(), &sent("msg_2").malformed("no")).await;
    let running = accept(backend.inbox(), &sent("msg_3")).await;
    assert_eq!(claim_one(backend.inbox(), at(0)).await.event.number, running);
    let pending = accept(backend.inbox(), &sent("msg_4")).await;
    let years = 100_000_000_000;
    let purged = purge_all(backend, years).await;
    assert_eq!((purged.payloads, purged.events), (0, 0));
    for number in [dead, malformed, running, pending] {
        let detail = backend.inbox().show(number).await.unwrap().unwrap();
        assert!(!detail.event.body.is_empty() && detail.purged_at.is_none(), "{number}");
    }
    // What a person replays after years still runs, and is kept as long as any other from then on.
    backend.inbox().replay(dead, IfStale::FollowRule, By::new("ann", "now"), at(years)).await.unwrap();
    let claimed = claim_one(backend.inbox(), at(years)).await;
    settle(backend, &claimed, Outcome::Done, years).await;
    assert_eq!(purge_all(backend, years + PAYLOAD).await.payloads, 0);
}

pub(crate) async fn a_discarded_event_is_purged_like_one_that_is_done(backend: &mut Sqlite) {
    set(backend).await;
    let number = dead(backend, &sent("msg_1"), 0).await;
    backend.inbox().discard(number, By::new("ann", "a test"), at(9_000)).await.unwrap();
    assert_eq!(purge_all(backend, 9_000 + PAYLOAD).await.payloads, 0, "from when it was discarded");
    assert_eq!(purge_all(backend, 9_001 + PAYLOAD).await.payloads, 1);
    assert_eq!(purge_all(backend, 9_001 + KEY).await.events, 1);
}

pub(crate) async fn an_event_stays_while_another_body_is_known_under_its_replay_key(backend: &mut Sqlite) {
    set(backend).await;
    let number = done(backend, &sent("msg_1").body("{\"a\":1}"), 0).await;
    let other = sent("msg_1").body("{\"a\":2}");
    let conflict = deliver(backend, &other).await;
    assert_eq!(conflict.outcome, Delivery::Conflict);
    assert_eq!(purge_all(backend, 2 * KEY).await.events, 0);
    assert_eq!(
        deliver(backend, &other).await.event,
        conflict.event,
        "the other body is a duplicate, not new"
    );
    backend.inbox().discard(conflict.event, By::new("ann", "forged"), at(2 * KEY)).await.unwrap();
    purge_all(backend, 3 * KEY + 1).await;
    assert!(backend.inbox().show(number).await.unwrap().is_none());
    assert_eq!(deliver(backend, &other).await.outcome, Delivery::New);
}

pub(crate) async fn each_source_has_its_own_retention_and_one_without_keeps_its_replay_keys(
    backend: &mut Sqlite,
) {
    let short = Keep { payload: Duration::ZERO, replay_key: Some(millis(10)), position: millis(10) };
    let named = vec![(Arc::from("crm"), keep()), (Arc::from("shop"), short)];
    backend.inbox().set_retention(retention(named)).await.unwrap();
    let crm = done(backend, &sent("msg_1"), 0).await;
    let shop = done(backend, &sent("msg_1").to("shop"), 0).await;
    let other = done(backend, &sent("msg_1").to("old"), 0).await;
    assert_eq!(purge_all(backend, 11).await.events, 1);
    assert!(backend.inbox().show(shop).await.unwrap().is_none());
    // A source that is not named any more keeps what was set for it.
    backend.restart();
    backend.inbox().set_retention(retention(Vec::new())).await.unwrap();
    purge_all(backend, 1 + KEY).await;
    assert!(backend.inbox().show(crm).await.unwrap().is_none());
    let detail = backend.inbox().show(other).await.unwrap().unwrap();
    assert!(detail.purged_at.is_some());
}

pub(crate) async fn nothing_is_purged_before_a_retention_is_set(backend: &mut Sqlite) {
    done(backend, &sent("msg_1"), 0).await;
    assert_eq!(backend.inbox().retention().await.unwrap(), None);
    assert_eq!(purge_all(backend, 100 * KEY).await, Purged::default());
    set(backend).await;
    let set = backend.inbox().retention().await.unwrap();
    assert_eq!(set, Some(retention(vec![(Arc::from("crm"), keep())])));
}

/// Whether the source's stale rule sees an event of `key` that occurred at `occurred` as stale.
async fn is_stale(backend: &Sqlite, id: &str, key: &str, occurred: u64, now: u64) -> bool {
    accept(backend.inbox(), &sent(id).key(key).occurred(occurred).received(now)).await;
    let claimed = claim_one(backend.inbox(), at(now)).await;
    settle(backend, &claimed, Outcome::Done, now).await;
    claimed.stale
}

pub(crate) async fn a_position_goes_when_nothing_of_its_key_can_be_late(backend: &mut Sqlite) {
    set(backend).await;
    rules(backend, |policy: &mut OrderPolicy| policy.stale = StaleRule::Flag).await;
    for key in ["finished", "dead", "pending", "ahead"] {
        let occurred = if key == "ahead" { 100_000_000 } else { 500 };
        done(backend, &sent(key).key(key).occurred(occurred), 600).await;
    }
    dead(backend, &sent("d").key("dead").occurred(400), 600).await;
    accept(backend.inbox(), &sent("p").key("pending").occurred(400)).await;
    assert_eq!(purge_all(backend, 500 + KEY).await.positions, 0, "not at the edge");
    // Positions are looked at once an hour.
    let now = 3_700_000;
    assert_eq!(purge_all(backend, now).await.positions, 1);
    let claimed = claim_one(backend.inbox(), at(now)).await;
    assert!(claimed.stale, "a key with a pending event keeps its position");
    settle(backend, &claimed, Outcome::Done, now).await;
    let replay = IfStale::FollowRule;
    let replayed = backend.inbox().replay(EventNo(5), replay, By::new("ann", ""), at(now)).await.unwrap();
    assert_eq!(replayed, hookproof_consumer::inbox::Replayed::Stale(StaleRule::Flag), "a dead letter, too");
    let claimed = claim_one(backend.inbox(), at(now)).await;
    settle(backend, &claimed, Outcome::Done, now).await;
    assert!(!is_stale(backend, "f2", "finished", 499, now).await, "forgotten");
    assert!(is_stale(backend, "a2", "ahead", now, now).await, "a time in the future is not past");
}

pub(crate) async fn a_piece_is_bounded_and_the_pieces_come_to_an_end(backend: &mut Sqlite) {
    set(backend).await;
    for n in 0..25 {
        done(backend, &sent(format!("msg_{n}")), 0).await;
    }
    let rows = Budget { rows: 10, ..BUDGET };
    let first = backend.inbox().purge(rows, at(1 + KEY)).await.unwrap();
    assert_eq!((first.payloads, first.events, first.deliveries, first.more), (10, 10, 25, true));
    // A piece whose time is over when it begins still gets on: else nothing would ever.
    let hurried = Budget { time: Duration::ZERO, ..BUDGET };
    let mut pieces = 0;
    while backend.inbox().purge(hurried, at(1 + KEY)).await.unwrap().more {
        pieces += 1;
        assert!(pieces < 200, "it does not come to an end");
    }
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 0);
}

pub(crate) async fn what_would_be_purged_is_told_without_doing_it(backend: &mut Sqlite) {
    set(backend).await;
    for n in 0..3 {
        done(backend, &sent(format!("msg_{n}")), n * KEY).await;
    }
    let told = backend.inbox().purgeable(at(KEY + PAYLOAD + 1)).await.unwrap();
    assert_eq!((told.payloads, told.events, told.deliveries), (2, 1, 3));
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 3, "nothing was done");
    let did = purge_all(backend, KEY + PAYLOAD + 1).await;
    assert_eq!(Purged { more: true, ..did }, told);
}

pub(crate) async fn a_restart_between_two_pieces_loses_nothing(backend: &mut Sqlite) {
    set(backend).await;
    for n in 0..6 {
        done(backend, &sent(format!("msg_{n}")).key(n), 0).await;
    }
    let rows = Budget { rows: 2, ..BUDGET };
    backend.inbox().purge(rows, at(1 + KEY)).await.unwrap();
    backend.restart();
    backend.assert_sound().await;
    let rest = purge_all(backend, 1 + KEY).await;
    assert_eq!((rest.payloads, rest.events, rest.positions), (4, 4, 4));
}
