//! Handlers inside the inbox's transaction: exactly once, and whatever they do, only their own event pays.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::inbox::{Claimed, Delivery, Inbox, Operator, Settled, Terms};
use hookproof_consumer::retry::{Outcome, RetryPolicy};
use rusqlite::Connection;
use support::{LEASE, Sqlite, accept, at, claim_one, sent};
use tokio::task::JoinSet;

fn terms() -> Terms {
    Terms { retry: RetryPolicy::default(), dice: 1.0, timeout: Duration::from_millis(200) }
}

/// Notes the event in a table of its own, then does what it was made for.
struct Does<F>(F);

impl<F: Fn(&Connection) -> Result<(), Failure> + Send + Sync> SqliteHandler for Does<F> {
    fn apply(&self, tx: &Connection, event: &Event, _: &Context) -> Result<(), Failure> {
        tx.execute("INSERT INTO effects (event) VALUES (?1)", [event.number.0])
            .map_err(Failure::transient)?;
        (self.0)(tx)
    }
}

fn does(what: impl Fn(&Connection) -> Result<(), Failure> + Send + Sync + 'static) -> Arc<dyn SqliteHandler> {
    Arc::new(Does(what))
}

fn start() -> Sqlite {
    let backend = Sqlite::start();
    let tables =
        "CREATE TABLE effects (event INTEGER NOT NULL); CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);";
    backend.sql().execute_batch(tables).unwrap();
    backend
}

fn effects(backend: &Sqlite) -> Vec<i64> {
    let conn = backend.sql();
    let mut statement = conn.prepare("SELECT event FROM effects ORDER BY event").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

async fn run(backend: &Sqlite, claimed: &Claimed, handler: Arc<dyn SqliteHandler>) -> (Settled, Outcome) {
    backend.inbox().run_in_transaction(claimed, handler, terms(), at(1)).await.unwrap()
}

/// Runs a handler that must fail, while neighbours are accepted, settled and applied; returns what became of it.
async fn run_among_neighbours(backend: &Sqlite, handler: Arc<dyn SqliteHandler>) -> (EventNo, String) {
    let bad = accept(backend.inbox(), &sent("bad")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    for n in 0..20 {
        accept(backend.inbox(), &sent(format!("neighbour_{n}"))).await;
    }
    let neighbours = backend.inbox().claim(20, LEASE, at(0)).await.unwrap();
    // The writer is kept busy for a moment, so that all of this is in one batch.
    let hold = backend.sql();
    hold.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tasks = JoinSet::new();
    for (n, neighbour) in neighbours.into_iter().enumerate() {
        let inbox = backend.shared();
        tasks.spawn(async move {
            match n % 2 {
                0 => inbox.settle(&neighbour.lease, Outcome::Done, at(1)).await.unwrap(),
                _ => inbox.run_in_transaction(&neighbour, does(|_| Ok(())), terms(), at(1)).await.unwrap().0,
            }
        });
        let inbox = backend.shared();
        tasks.spawn(async move {
            let accepted = inbox.accept(sent(format!("arrival_{n}")).incoming()).await.unwrap();
            assert_eq!(accepted.outcome, Delivery::New);
            Settled::Applied
        });
    }
    let inbox = backend.shared();
    let bad_one =
        tokio::spawn(async move { inbox.run_in_transaction(&claimed, handler, terms(), at(1)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(hold);
    assert_eq!(tasks.join_all().await, vec![Settled::Applied; 40], "the neighbours did not suffer");
    let (settled, outcome) = bad_one.await.unwrap().unwrap();
    assert_eq!(settled, Settled::Applied);
    let error = match outcome {
        Outcome::Retry { error, .. } | Outcome::Dead { error, .. } | Outcome::NotReady { error } => error,
        Outcome::Done => panic!("it was to fail"),
    };
    let counts = backend.inbox().counts().await.unwrap();
    assert_eq!(counts.of(State::Done), 20);
    let effects = effects(backend);
    assert_eq!(effects.len(), 10, "each neighbour's effect once, the failed one's not: {effects:?}");
    assert!(!effects.contains(&bad.0));
    backend.assert_sound().await;
    (bad, error)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_effect_and_done_are_committed_together() {
    let backend = start();
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    assert_eq!(run(&backend, &claimed, does(|_| Ok(()))).await, (Settled::Applied, Outcome::Done));
    assert_eq!(effects(&backend), [number.0]);
    assert_eq!(backend.inbox().show(number).await.unwrap().unwrap().summary.state, State::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_is_lost_has_no_effect() {
    let backend = start();
    accept(backend.inbox(), &sent("msg_1")).await;
    let stale = claim_one(backend.inbox(), at(0)).await;
    backend.inbox().rescue(5, at(60_000)).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let handler = does(move |_| {
        counted.fetch_add(1, SeqCst);
        Ok(())
    });
    assert_eq!(run(&backend, &stale, Arc::clone(&handler)).await.0, Settled::LeaseLost);
    let successor = claim_one(backend.inbox(), at(60_000)).await;
    assert_eq!(run(&backend, &stale, Arc::clone(&handler)).await.0, Settled::LeaseLost);
    assert_eq!((effects(&backend).len(), runs.load(SeqCst)), (0, 0));
    assert_eq!(run(&backend, &successor, Arc::clone(&handler)).await.0, Settled::Applied);
    assert_eq!(run(&backend, &successor, handler).await.0, Settled::LeaseLost, "once");
    assert_eq!((effects(&backend).len(), runs.load(SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_handler_is_rolled_back_alone() {
    let backend = start();
    let (bad, error) = run_among_neighbours(&backend, does(|_| Err(Failure::permanent("no")))).await;
    assert_eq!(error, "no");
    let summary = backend.inbox().show(bad).await.unwrap().unwrap().summary;
    assert_eq!((summary.state, summary.reason), (State::Dead, Some(DeadReason::Permanent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_handler_is_rolled_back_alone() {
    let backend = start();
    let (bad, error) = run_among_neighbours(&backend, does(|_| panic!("the payload's secret"))).await;
    assert_eq!(error, "handler panicked");
    assert_eq!(backend.inbox().show(bad).await.unwrap().unwrap().summary.state, State::Pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_is_late_between_its_statements_is_believed() {
    let backend = start();
    let handler = does(|_| {
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(terms().timeout * 2);
        Err(Failure::permanent("no"))
    });
    let (_, error) = run_among_neighbours(&backend, handler).await;
    assert_eq!(error, "no");
}

const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_write_is_interrupted_and_costs_only_its_own_event() {
    let backend = start();
    let sql = format!("{ENDLESS} INSERT INTO effects (event) SELECT i FROM n");
    let handler = does(move |tx| tx.execute(&sql, []).map(drop).map_err(Failure::transient));
    let (_, error) = run_among_neighbours(&backend, handler).await;
    assert_eq!(error, "handler exceeded the transaction timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_read_is_interrupted_and_costs_only_its_own_event() {
    let backend = start();
    let sql = format!("{ENDLESS} SELECT MAX(i) FROM n");
    let handler = does(move |tx| tx.query_row(&sql, [], |_| Ok(())).map_err(Failure::permanent));
    let (_, error) = run_among_neighbours(&backend, handler).await;
    assert_eq!(error, "handler exceeded the transaction timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_swallows_its_interruption_is_not_done() {
    let backend = start();
    let sql = format!("{ENDLESS} INSERT INTO effects (event) SELECT i FROM n");
    let handler = does(move |tx| {
        drop(tx.execute(&sql, []));
        Ok(())
    });
    let (_, error) = run_among_neighbours(&backend, handler).await;
    assert_eq!(error, "handler exceeded the transaction timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_break_a_deferred_constraint_cost_only_their_own_event() {
    let backend = start();
    let handler = does(|tx| {
        tx.execute("INSERT INTO children (parent) VALUES (1)", []).map(drop).map_err(Failure::transient)
    });
    let (bad, error) = run_among_neighbours(&backend, handler).await;
    assert!(error.starts_with("the handler's rows were refused at commit: FOREIGN KEY"), "{error}");
    assert_eq!(backend.inbox().show(bad).await.unwrap().unwrap().attempts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_cannot_reach_beyond_its_own_tables() {
    let forbidden = [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT mine",
        "RELEASE effect",
        "ROLLBACK TO job",
        "PRAGMA synchronous = OFF",
        "PRAGMA foreign_keys = OFF",
        "ATTACH ':memory:' AS other",
        "DROP TABLE effects",
        "CREATE TABLE mine (x)",
        "CREATE TEMP TABLE mine (x)",
        "ALTER TABLE effects ADD y",
        "UPDATE events SET state = 'done', settled_at = 1",
        "DELETE FROM audit",
        "DELETE FROM Queue",
        "INSERT INTO main.attempts (event, attempt, started_at) VALUES (1, 1, 1)",
        "UPDATE lanes SET token = 1",
        "DELETE FROM payloads",
        "DELETE FROM replay_keys",
        "DELETE FROM conflicts",
        "DELETE FROM tallies",
        "DELETE FROM pauses",
        "DELETE FROM sqlite_sequence",
    ];
    let backend = start();
    for (n, sql) in forbidden.into_iter().enumerate() {
        accept(backend.inbox(), &sent(n)).await;
        let claimed = claim_one(backend.inbox(), at(0)).await;
        let handler = does(move |tx| tx.execute_batch(sql).map_err(Failure::permanent));
        let (settled, outcome) = run(&backend, &claimed, handler).await;
        let Outcome::Dead { error, .. } = outcome else { panic!("{sql}: {outcome:?}") };
        assert_eq!(settled, Settled::Applied);
        assert!(error.contains("not authorized") || error.contains("prohibited"), "{sql}: {error}");
    }
    assert_eq!(effects(&backend), [0_i64; 0]);
    backend.assert_sound().await;
    // The fence is open again for the inbox itself, and for what a handler may do.
    let number = accept(backend.inbox(), &sent("after")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    let reads = does(|tx| {
        tx.query_row("SELECT COUNT(*) FROM events", [], |_| Ok(())).map_err(Failure::permanent)?;
        tx.execute("UPDATE effects SET event = event", []).map(drop).map_err(Failure::permanent)
    });
    assert_eq!(run(&backend, &claimed, reads).await.1, Outcome::Done);
    assert_eq!(effects(&backend), [number.0]);
}
