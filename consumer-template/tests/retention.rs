//! What is particular to SQLite when things are forgotten: look-ups, the size of the file, the limit of it, the sweep.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::clock::{Clock, ManualClock};
use hookproof_consumer::dispatch::{PIECE, Sweeper};
use hookproof_consumer::event::State;
use hookproof_consumer::inbox::sqlite::SqliteOperator;
use hookproof_consumer::inbox::{
    Budget, By, Delivery, Inbox, InboxError, Keep, Operator, Purge, Records, Retention, Traffic,
};
use hookproof_consumer::retry::Outcome;
use support::{LEASE, Sqlite, accept, at, sent};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);
const MS: u64 = 86_400_000;

async fn keep_for_a_day(backend: &Sqlite) {
    let keep = Keep { payload: DAY, replay_key: Some(DAY), position: DAY };
    let retention = Retention { sources: vec![(Arc::from("crm"), keep)], others: keep, deliveries: DAY };
    backend.inbox().set_retention(retention).await.unwrap();
}

/// Stores events with bodies of `bytes` and has them done at `now`.
async fn fill(backend: &Sqlite, ids: std::ops::Range<u64>, bytes: usize, now: u64) {
    let filler = "x".repeat(bytes);
    for id in ids {
        accept(backend.inbox(), &sent(id).body(format!("\"{filler}\"")).received(now)).await;
    }
    loop {
        let claimed = backend.inbox().claim(200, LEASE, at(now)).await.unwrap();
        if claimed.is_empty() {
            return;
        }
        for claimed in claimed {
            backend.inbox().settle(&claimed.lease, Outcome::Done, at(now)).await.unwrap();
        }
    }
}

async fn purge_all(backend: &Sqlite, now: u64) {
    while backend.inbox().purge(PIECE, at(now)).await.unwrap().more {}
}

/// To let an event go, SQLite looks for rows that refer to it: in each such table, by an index, or the writer stands still.
#[test]
fn every_reference_to_an_event_is_found_by_an_index() {
    let backend = Sqlite::start();
    let conn = backend.sql();
    let mut references = conn
        .prepare(
            "SELECT m.name, f.\"from\" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
             WHERE m.type = 'table' AND f.\"table\" = 'events'",
        )
        .unwrap();
    let references: Vec<(String, String)> =
        references.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(references.len() >= 5, "{references:?}");
    for (table, column) in references {
        let plan: String = conn
            .query_row(&format!("EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = ?1"), [1], |row| {
                row.get(3)
            })
            .unwrap();
        assert!(plan.starts_with("SEARCH"), "{table}.{column}: {plan}");
    }
}

/// And what the sweep looks for itself is found by an index, too.
#[test]
fn what_is_due_is_found_by_an_index() {
    let backend = Sqlite::start();
    let conn = backend.sql();
    for (index, query) in [
        (
            "events_with_payload",
            "SELECT number FROM events WHERE source = ?1 AND purged_at IS NULL AND state IN ('done', 'discarded')
                 AND settled_at < ?2 ORDER BY settled_at LIMIT 9",
        ),
        (
            "events_remembered",
            "SELECT number FROM events WHERE source = ?1 AND purged_at IS NOT NULL
                 AND max(settled_at, coalesce(delivered_at, 0)) < ?2
             ORDER BY max(settled_at, coalesce(delivered_at, 0)) LIMIT 9",
        ),
        (
            "events_dead_by_key",
            "SELECT 1 FROM events WHERE source = ?1 AND ordering_key = ?2 AND state = 'dead'",
        ),
        ("deliveries_again", "SELECT 1 FROM deliveries WHERE event = ?1 AND answer IN ('duplicate', 'revived') AND ?2"),
    ] {
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let lines: Vec<String> =
            plan.query_map([1, 2], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let sorted = lines.iter().any(|line| line.contains("TEMP B-TREE"));
        assert!(!sorted && lines[0].contains(index), "{query}: {lines:?}");
    }
}

/// What becomes free is used again: the file is as large as what is kept at a time, not as the history.
#[tokio::test(flavor = "multi_thread")]
async fn the_file_stops_growing_when_as_much_goes_as_comes() {
    let backend = Sqlite::start();
    keep_for_a_day(&backend).await;
    let mut sizes = Vec::new();
    for round in 0..6 {
        fill(&backend, round * 60..(round + 1) * 60, 6_000, round * 2 * MS).await;
        sizes.push(backend.inbox().storage().await.unwrap());
        purge_all(&backend, round * 2 * MS + MS + 1).await;
    }
    let (second, last) = (&sizes[1], &sizes[5]);
    assert!(last.database_bytes <= second.database_bytes + second.database_bytes / 20, "{sizes:?}");
    assert!(last.database_bytes > 60 * 6_000, "the events are in it");
    assert_eq!((last.payloads, last.payload_bytes), (60, 60 * 6_002));
    let empty = backend.inbox().storage().await.unwrap();
    assert_eq!((empty.payloads, empty.payload_bytes, empty.oldest_replay_key), (0, 0, None));
    assert!(empty.free_bytes > 60 * 6_000, "{empty:?}");
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_refuses_what_is_new_and_still_does_its_work() {
    const MOST: u64 = 2_000_000;
    let backend = Sqlite::start_with(|options| options.with_max_bytes(Some(MOST)));
    keep_for_a_day(&backend).await;
    let body = format!("\"{}\"", "x".repeat(50_000));
    let mut stored = 0;
    let error = loop {
        match backend.inbox().accept(sent(stored).body(body.clone()).incoming()).await {
            Ok(accepted) => assert_eq!(accepted.outcome, Delivery::New),
            Err(error) => break error,
        }
        stored += 1;
    };
    assert!(
        matches!(error, InboxError::Store(_)) && error.to_string().contains("store.max_bytes (2000000)"),
        "{error}"
    );
    let size = backend.inbox().storage().await.unwrap();
    let used = size.database_bytes - size.free_bytes;
    assert!(used <= MOST && used + 60_000 > MOST, "{used}");
    assert_eq!(backend.inbox().counts().await.unwrap().total(), stored, "nothing of it is there");
    // What is known is still answered, what was accepted is still worked on.
    let again = backend.inbox().accept(sent(0).body(body.clone()).incoming()).await.unwrap();
    assert_eq!(again.outcome, Delivery::Duplicate { state: State::Pending });
    fill(&backend, 0..0, 0, 0).await;
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Done), stored);
    // It is known how many were turned away, and room comes back.
    backend.inbox().note_answers().await.unwrap();
    let traffic = traffic_of_crm(&backend, 1).await;
    assert_eq!((traffic.not_stored, traffic.answered), (1, stored + 1));
    purge_all(&backend, MS + 1).await;
    let after = backend.inbox().accept(sent("later").body(body).incoming()).await.unwrap();
    assert_eq!(after.outcome, Delivery::New);
}

/// A delivery that waits in vain is counted, and written when the store is there again.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_stored_is_counted_when_the_store_is_back() {
    let backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(50)));
    let held = backend.sql();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..3 {
        backend.inbox().accept(sent(n).received(n * 50_000).incoming()).await.unwrap_err();
    }
    backend.inbox().note_answers().await.unwrap_err();
    held.execute_batch("ROLLBACK").unwrap();
    backend.inbox().note_answers().await.unwrap();
    backend.inbox().note_answers().await.unwrap();
    let lost = async |to| traffic_of_crm(&backend, to).await.not_stored;
    assert_eq!((lost(200_000).await, lost(59_000).await), (3, 2), "once, and by the minute");
    let sources = backend.inbox().traffic(None, at(60_000_000), at(60_000_001)).await.unwrap();
    let told: Vec<_> = sources.iter().map(|(source, traffic)| (&**source, traffic.not_stored)).collect();
    assert_eq!(told, [("crm", 0)], "a source is known by what could not be stored, whenever that was");
}

async fn traffic_of_crm(backend: &Sqlite, to: u64) -> Traffic {
    backend.inbox().traffic(None, at(0), at(to)).await.unwrap().remove("crm").unwrap()
}

/// What is on the disk between any two pieces is what a kill would leave.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_any_two_pieces_leaves_a_sound_store() {
    let backend = Sqlite::start();
    keep_for_a_day(&backend).await;
    fill(&backend, 0..20, 3_000, 0).await;
    let mut left = Vec::new();
    let one = Budget { rows: 3, ..PIECE };
    while backend.inbox().purge(one, at(MS + 1)).await.unwrap().more {
        let copy = Sqlite::start();
        let (mut to, options) = (copy.options.path().to_owned(), backend.options.clone());
        to.set_file_name("copy.db");
        std::fs::copy(options.path(), &to).unwrap();
        let log = |path: &std::path::Path| path.with_extension("db-wal");
        std::fs::copy(log(options.path()), log(&to)).unwrap();
        let copied = hookproof_consumer::inbox::sqlite::SqliteInbox::open(
            hookproof_consumer::inbox::sqlite::SqliteOptions::new(&to),
        )
        .unwrap();
        assert_eq!(copied.check().await.unwrap(), Vec::<String>::new());
        left.push(copied.counts().await.unwrap().total());
        while copied.purge(one, at(MS + 1)).await.unwrap().more {}
        assert_eq!(copied.counts().await.unwrap().total(), 0);
    }
    assert!(left.len() > 5 && left.windows(2).all(|two| two[0] >= two[1]), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_outlives_the_event_that_it_names() {
    let backend = Sqlite::start();
    keep_for_a_day(&backend).await;
    let number = accept(backend.inbox(), &sent("msg_1").malformed("no")).await;
    backend.inbox().discard(number, By::new("ann", "a test"), at(0)).await.unwrap();
    purge_all(&backend, MS + 1).await;
    assert!(backend.inbox().show(number).await.unwrap().is_none());
    let line = backend.sql().query_row("SELECT event, source, actor, action, why FROM audit", [], |row| {
        Ok((row.get::<_, i64>(0)?, [1, 2, 3, 4].map(|column| row.get::<_, String>(column).unwrap())))
    });
    let told = ["crm", "ann", "discard", "a test"].map(str::to_owned);
    assert_eq!(line.unwrap(), (number.0, told));
}

/// An operator's purge beside a server: each takes its turn, and nothing is purged twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_purges_beside_the_server() {
    let backend = Sqlite::start();
    keep_for_a_day(&backend).await;
    fill(&backend, 0..50, 100, 0).await;
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    let (mut theirs, mut ours) = (0, 0);
    let few = Budget { rows: 5, ..PIECE };
    loop {
        let ended = operator.purge(few, at(MS + 1)).await.unwrap();
        theirs += ended.events;
        let also = backend.inbox().purge(few, at(MS + 1)).await.unwrap();
        ours += also.events;
        if !ended.more && !also.more {
            break;
        }
    }
    assert!(theirs > 0 && ours > 0 && theirs + ours == 50, "{theirs} + {ours}");
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_works_by_itself_and_stops_when_it_is_told() {
    let backend = Sqlite::start();
    keep_for_a_day(&backend).await;
    fill(&backend, 0..300, 100, 0).await;
    let clock = Arc::new(ManualClock::at(at(MS)));
    let sweeper = Sweeper::new(backend.shared(), Arc::clone(&clock) as Arc<dyn Clock>);
    assert!(!sweeper.run_once(at(MS)).await.unwrap().is_something(), "nothing is due");
    clock.advance(Duration::from_millis(1));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sweep = tokio::spawn(sweeper.run(async {
        let _ = stopped.await;
    }));
    let gone = async {
        while backend.inbox().counts().await.unwrap().total() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.expect("it does not get on");
    let ack = async || traffic_of_crm(&backend, 1).await.unanswered;
    assert_eq!(ack().await, 0, "it writes down how soon deliveries were answered");
    stop.send(()).unwrap();
    timeout(Duration::from_secs(5), sweep).await.expect("it does not stop").unwrap();
}
