//! What is particular to SQLite when there are many replay keys: the last ones are kept apart, and nothing else changes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::event::State;
use hookproof_consumer::inbox::sqlite::SqliteOperator;
use hookproof_consumer::inbox::{Budget, Delivery, Inbox, Keep, Purge, Retention};
use support::{LEASE, Sent, Sqlite, accept, at, sent};

const EVENTS: u32 = 25;
const YOUNG: u64 = 3;

fn start() -> Sqlite {
    Sqlite::start_with(|options| options.with_young_keys(YOUNG))
}

/// Replay keys that came last, and old ones.
fn keys(backend: &Sqlite) -> (u32, u32) {
    let count = "SELECT (SELECT COUNT(*) FROM replay_keys), (SELECT COUNT(*) FROM old_replay_keys)";
    backend.sql().query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

async fn piece(purge: &dyn Purge, now: u64) -> bool {
    let budget = Budget { rows: 4, time: Duration::from_secs(5) };
    purge.purge(budget, at(now)).await.unwrap().more
}

async fn outcome(backend: &Sqlite, sent: &Sent) -> Delivery {
    backend.inbox().accept(sent.incoming()).await.unwrap().outcome
}

/// All events, delivered again: the same as ever.
async fn all_are_known(backend: &Sqlite) {
    for n in 0..EVENTS {
        let again = outcome(backend, &sent(n)).await;
        assert_eq!(again, Delivery::Duplicate { state: State::Pending }, "event {n} would run twice");
    }
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_known_wherever_its_replay_key_is() {
    let mut backend = start();
    for n in 0..EVENTS {
        accept(backend.inbox(), &sent(n)).await;
    }
    let mut pieces = 0;
    while piece(backend.inbox(), 0).await {
        pieces += 1;
        let (young, old) = keys(&backend);
        assert_eq!((young + old, old), (EVENTS, EVENTS.min(pieces * 4)), "no key is lost or in both");
        all_are_known(&backend).await;
    }
    assert_eq!(keys(&backend), (0, EVENTS));
    backend.restart();
    all_are_known(&backend).await;
    assert_eq!(outcome(&backend, &sent(7).body("{}")).await, Delivery::Conflict);
    let known = Delivery::Duplicate { state: State::Dead };
    assert_eq!(outcome(&backend, &sent(7).body("{}")).await, known, "the other body is known, too");
    assert_eq!(outcome(&backend, &sent("new")).await, Delivery::New);
    assert_eq!(keys(&backend), (1, EVENTS));
    assert!(backend.inbox().is_warm());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_moves_replay_keys() {
    let backend = start();
    for n in 0..EVENTS {
        accept(backend.inbox(), &sent(n)).await;
    }
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    // The owner would not know of them.
    assert!(!piece(&operator, 0).await);
    assert_eq!(keys(&backend), (EVENTS, 0));
    assert!(piece(backend.inbox(), 0).await);
    assert_eq!(keys(&backend), (EVENTS - 4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_replay_key_goes_with_its_event() {
    let backend = start();
    let day = Duration::from_secs(86_400);
    let keep = Keep { payload: day, replay_key: Some(day), position: day };
    let retention = Retention { sources: vec![(Arc::from("crm"), keep)], others: keep, deliveries: day };
    backend.inbox().set_retention(retention).await.unwrap();
    for n in 0..EVENTS {
        accept(backend.inbox(), &sent(n)).await;
    }
    while piece(backend.inbox(), 0).await {}
    assert_eq!(keys(&backend), (0, EVENTS));
    accept(backend.inbox(), &sent("young")).await;
    loop {
        let claimed = backend.inbox().claim(64, LEASE, at(0)).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        for claimed in claimed {
            let done = hookproof_consumer::retry::Outcome::Done;
            backend.inbox().settle(&claimed.lease, done, at(0)).await.unwrap();
        }
    }
    while piece(backend.inbox(), 86_400_001).await {}
    assert_eq!(keys(&backend), (0, 0));
    assert_eq!(outcome(&backend, &sent(7)).await, Delivery::New, "it was forgotten");
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_for_faults_finds_a_replay_key_that_is_there_twice() {
    let backend = start();
    accept(backend.inbox(), &sent(1)).await;
    backend.sql().execute("INSERT INTO old_replay_keys SELECT * FROM replay_keys", []).unwrap();
    let faults = backend.inbox().check().await.unwrap();
    assert!(faults.contains(&"1 replay keys that are there twice".to_owned()), "{faults:?}");
}
