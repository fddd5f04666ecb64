//! The same delivery many times at once, again and again: one of them is new.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/server.rs"]
#[allow(unreachable_pub, reason = "each test binary uses a part of this")]
mod server;
mod support;

use std::sync::Arc;

use hookproof_consumer::event::{EventNo, State};
use hookproof_consumer::inbox::{Delivery, Filter, Inbox as _, Operator as _};
use server::Server;
use support::{Sqlite, sent};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const AT_ONCE: usize = 64;
const ROUNDS: usize = 1_000;
const HTTP_ROUNDS: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_identical_deliveries_exactly_one_is_new_in_a_thousand_rounds() {
    let backend = Sqlite::start();
    for round in 0..ROUNDS {
        let delivery = sent(round).key(round % 5).incoming();
        let together = Arc::new(Barrier::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (inbox, delivery, together) = (backend.shared(), delivery.clone(), Arc::clone(&together));
            tasks.spawn(async move {
                together.wait().await;
                inbox.accept(delivery).await.unwrap()
            });
        }
        let answers = tasks.join_all().await;
        let event = EventNo(round as i64 + 1);
        assert!(answers.iter().all(|answer| answer.event == event), "round {round}: {answers:?}");
        let new = answers.iter().filter(|answer| answer.outcome == Delivery::New).count();
        let duplicate = Delivery::Duplicate { state: State::Pending };
        let duplicates = answers.iter().filter(|answer| answer.outcome == duplicate).count();
        assert_eq!((new, duplicates), (1, AT_ONCE - 1), "round {round}");
    }
    assert_eq!(backend.inbox().counts().await.unwrap().total(), ROUNDS as u64);
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_identical_requests_each_is_answered_and_one_is_processed() {
    let server = Arc::new(Server::start("").await);
    for round in 0..HTTP_ROUNDS {
        let body = format!(r#"{{"event":"lead.updated","id":"evt-{round}","data":{{"id":"lead-{round}"}}}}"#);
        let request = Arc::new(server.signed("devsphere", &body, &[]));
        let together = Arc::new(Barrier::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (server, request, together) =
                (Arc::clone(&server), Arc::clone(&request), Arc::clone(&together));
            tasks.spawn(async move {
                together.wait().await;
                server.exchange(&request).await.status
            });
        }
        assert_eq!(tasks.join_all().await, [200; AT_ONCE], "round {round}");
    }
    server.settled().await;
    let operator = server.operator();
    let counts = operator.counts().await.unwrap();
    assert_eq!((counts.total(), counts.of(State::Done)), (HTTP_ROUNDS as u64, HTTP_ROUNDS as u64));
    for event in operator.list(Filter::default()).await.unwrap() {
        let attempts = operator.show(event.number).await.unwrap().unwrap().attempts;
        assert_eq!(attempts.len(), 1, "event {} was processed more than once", event.number);
    }
}
