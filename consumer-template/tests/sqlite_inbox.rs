//! What is particular to the SQLite backend: its one writer, its one owner, and what it refuses to open.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::time::Duration;

use futures_util::future::{JoinAll, join_all, poll_immediate};
use hookproof_consumer::event::{EventNo, State};
use hookproof_consumer::inbox::sqlite::{OpenError, SqliteInbox, SqliteOperator, SqliteOptions};
use hookproof_consumer::inbox::{By, Delivery, Filter, IfStale, Inbox, InboxError, Operator, OperatorError};
use hookproof_consumer::retry::Outcome;
use support::{LEASE, Sqlite, accept, at, claim_one, sent};
use tokio::time::timeout;

/// Keeps the database's write lock until it is dropped: the writer has to wait, and jobs queue up.
fn hold(backend: &Sqlite) -> rusqlite::Connection {
    let conn = backend.sql();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

/// Asks for all of it, and goes on when all of it is queued (or refused).
async fn queued<F: Future>(requests: impl IntoIterator<Item = F>) -> JoinAll<F> {
    let mut all = join_all(requests);
    assert!(poll_immediate(&mut all).await.is_none(), "the writer was not kept waiting");
    all
}

/// How many transactions the write-ahead log holds: frames whose header gives the size of the database after a commit.
fn commits(backend: &Sqlite) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let log = std::fs::read(backend.options.path().with_extension("db-wal")).unwrap();
    log.get(HEADER..).unwrap_or_default().chunks_exact(FRAME).filter(|frame| frame[4..8] != [0; 4]).count()
}

/// Stores 40 events that are all there before the first one is; returns the number of transactions that it took.
async fn commits_for_forty(backend: &Sqlite) -> usize {
    let before = commits(backend);
    let held = hold(backend);
    let accept = async |n: i32| backend.inbox().accept(sent(n).incoming()).await.unwrap().outcome;
    let accepting = queued((0..40).map(accept)).await;
    drop(held);
    assert_eq!(accepting.await, vec![Delivery::New; 40]);
    commits(backend) - before
}

#[tokio::test(flavor = "multi_thread")]
async fn what_queues_up_shares_a_transaction() {
    let together = commits_for_forty(&Sqlite::start()).await;
    // What the writer took before the others were there, and the rest.
    assert!((1..=2).contains(&together), "{together} transactions");
    let alone = commits_for_forty(&Sqlite::start_with(SqliteOptions::danger_one_transaction_per_job)).await;
    assert_eq!(alone, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_event_spoils_no_neighbour() {
    let backend = Sqlite::start();
    let trigger = "CREATE TRIGGER spoil AFTER INSERT ON events WHEN new.source = 'bad'
        BEGIN SELECT RAISE(ABORT, 'spoiled'); END";
    backend.sql().execute_batch(trigger).unwrap();
    let held = hold(&backend);
    let accept = async |n: i32| {
        let source = if n % 3 == 0 { "bad" } else { "crm" };
        (source, backend.inbox().accept(sent(n).to(source).incoming()).await)
    };
    let accepting = queued((0..60).map(accept)).await;
    drop(held);
    for (source, result) in accepting.await {
        match (source, result) {
            ("crm", Ok(accepted)) => assert_eq!(accepted.outcome, Delivery::New),
            ("bad", Err(InboxError::Store(error))) => {
                assert_eq!(error.to_string(), "could not store an event: spoiled");
            }
            (source, other) => panic!("{source}: {other:?}"),
        }
    }
    assert_eq!(backend.inbox().counts().await.unwrap().total(), 40);
    backend.sql().execute_batch("DROP TRIGGER spoil").unwrap();
    let retried = backend.inbox().accept(sent(0).to("bad").incoming()).await.unwrap();
    assert_eq!(retried.outcome, Delivery::New, "an error is not a duplicate, and leaves no trace");
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_and_leaves_room_for_workers() {
    let backend = Sqlite::start_with(|options| options.with_accept_queue(8).with_max_batch(4));
    accept(backend.inbox(), &sent("claimed")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    let held = hold(&backend);
    let accept =
        async |n: i32| backend.inbox().accept(sent(n).incoming()).await.map(|accepted| accepted.outcome);
    let accepting = queued((0..100).map(accept)).await;
    let settled = backend.inbox().settle(&claimed.lease, Outcome::Done, at(1));
    let settled = timeout(Duration::from_millis(50), settled).await;
    assert!(settled.is_err(), "it waits with the others and is not refused");
    drop(held);
    let answers = accepting.await;
    let full = answers.iter().filter(|answer| matches!(answer, Err(InboxError::Full))).count();
    let stored = answers.iter().filter(|answer| matches!(answer, Ok(Delivery::New))).count();
    // Eight in the queue, and up to four that the writer had taken.
    assert!((8..=12).contains(&stored) && stored + full == 100, "{stored} stored, {full} full");
    let done = backend.inbox().counts().await.unwrap();
    assert_eq!(done.of(State::Pending), stored as u64);
    assert_eq!(done.of(State::Done), 1, "a caller that has gone away is settled all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_held_too_long_is_an_error_and_then_all_is_well() {
    let backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(50)));
    let held = hold(&backend);
    let Err(InboxError::Store(error)) = backend.inbox().accept(sent("msg_1").incoming()).await else {
        panic!("it was stored although it could not be")
    };
    assert_eq!(error.to_string(), "could not store an event: database is locked");
    drop(held);
    accept(backend.inbox(), &sent("msg_1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_owner_is_refused_and_the_lock_goes_with_the_owner() {
    let mut backend = Sqlite::start();
    let second = SqliteInbox::open(backend.options.clone());
    let Err(OpenError::Owned { path }) = second else { panic!("{second:?}") };
    assert_eq!(path.extension().unwrap(), "lock");
    backend.restart();
}

/// A report on a large store reads for long, and what was there when it began is still in the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_who_reads() {
    let mut backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(20)));
    accept(backend.inbox(), &sent("msg_1")).await;
    let reader = backend.sql();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM events;").unwrap();
    accept(backend.inbox(), &sent("msg_2")).await;
    let reading = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        drop(reader);
    });
    backend.restart();
    assert!(reading.is_finished(), "it did not wait, or did not have to");
    accept(backend.inbox(), &sent("msg_3")).await;
}

#[test]
fn what_cannot_be_durable_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("missing").join("inbox.db"));
    let Err(OpenError::File { .. }) = SqliteInbox::open(options) else { panic!("there is no such folder") };

    let path = folder.path().join("noise.db");
    std::fs::write(&path, "this is not a database, and long enough to be seen as such".repeat(20)).unwrap();
    let opened = SqliteInbox::open(SqliteOptions::new(&path));
    let Err(OpenError::Database { reason, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(reason, "file is not a database");

    let path = folder.path().join("newer.db");
    drop(SqliteInbox::open(SqliteOptions::new(&path)).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for opened in [
        SqliteInbox::open(SqliteOptions::new(&path)).map(drop),
        SqliteOperator::open(SqliteOptions::new(&path)).map(drop),
    ] {
        let Err(OpenError::SchemaTooNew { found: 99, .. }) = opened else { panic!("{opened:?}") };
    }
    let Err(OpenError::File { .. }) = SqliteOperator::open(SqliteOptions::new(folder.path().join("no.db")))
    else {
        panic!("an operator does not create a database")
    };
    assert!(!folder.path().join("no.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_in_the_log_is_put_on_the_disk_before_anything_is_answered() {
    let backend = Sqlite::start();
    accept(backend.inbox(), &sent("msg_1")).await;
    // What the files look like to the next process after a kill.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["inbox.db", "inbox.db-wal"] {
        std::fs::copy(backend.folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let events_without_log = || {
        let copy = crashed.path().join("copy.db");
        std::fs::copy(crashed.path().join("inbox.db"), &copy).unwrap();
        let conn = rusqlite::Connection::open(copy).unwrap();
        conn.query_row("SELECT COUNT(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(events_without_log(), 0, "it is in the log only");
    // Somebody looks, so that no closing connection is the last one and folds the log in by the way.
    let onlooker = rusqlite::Connection::open(crashed.path().join("inbox.db")).unwrap();
    onlooker.query_row("SELECT COUNT(*) FROM events", [], |_| Ok(())).unwrap();
    let inbox = SqliteInbox::open(SqliteOptions::new(crashed.path().join("inbox.db"))).unwrap();
    let again = inbox.accept(sent("msg_1").incoming()).await.unwrap();
    assert_eq!(again.outcome, Delivery::Duplicate { state: State::Pending });
    assert_eq!(events_without_log(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let backend = Sqlite::start();
    accept(backend.inbox(), &sent("msg_1")).await;
    for name in ["inbox.db", "inbox.db-wal", "inbox.db.lock"] {
        let mode = backend.folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_works_beside_the_server() {
    let backend = Sqlite::start();
    let number = accept(backend.inbox(), &sent("msg_1").malformed("no")).await;
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    assert_eq!(operator.list(Filter::dead()).await.unwrap()[0].number, number);
    operator.replay(number, IfStale::FollowRule, By::new("ann", "try it"), at(5)).await.unwrap();
    let Err(OperatorError::NotDead { state: State::Pending, .. }) =
        operator.discard(number, By::new("ann", "no"), at(6)).await
    else {
        panic!("it is pending")
    };
    assert_eq!(claim_one(backend.inbox(), at(5)).await.event.number, number);
    assert_eq!(operator.show(number).await.unwrap().unwrap().audit.len(), 1);
    assert_eq!(operator.counts().await.unwrap().of(State::Running), 1);
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_has_more_patience_than_the_server() {
    let backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(50)));
    let number = accept(backend.inbox(), &sent("msg_1").malformed("no")).await;
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    let held = backend.sql();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let replay = tokio::spawn(async move {
        operator.replay(number, IfStale::FollowRule, By::new("ann", "try it"), at(5)).await
    });
    // The server gives up meanwhile.
    backend.inbox().accept(sent("msg_2").incoming()).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(!replay.is_finished(), "it waits");
    held.execute_batch("ROLLBACK").unwrap();
    replay.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_append_only() {
    let backend = Sqlite::start();
    let number = accept(backend.inbox(), &sent("msg_1").malformed("no")).await;
    backend.inbox().discard(number, By::new("ann", "noise"), at(5)).await.unwrap();
    for sql in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
        let error = backend.sql().execute_batch(sql).unwrap_err();
        assert_eq!(error.to_string(), "the audit log is append-only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_lists_of_dead_letters_do_not_read_the_history() {
    let backend = Sqlite::start();
    accept(backend.inbox(), &sent("msg_1")).await;
    let conn = backend.sql();
    let plans = [
        "SELECT MIN(source) FROM lanes WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL AND source > 'a'",
        "SELECT id FROM lanes WHERE running IS NULL AND blocked = 0 AND source = 'a' AND due_at <= 1 ORDER BY due_at LIMIT 1",
        "SELECT running FROM lanes WHERE running IS NOT NULL AND lease_until <= 1 ORDER BY lease_until LIMIT 9",
        "SELECT MIN(due_at) FROM lanes WHERE running IS NULL AND blocked = 0 AND due_at IS NOT NULL AND source = 'a'",
        "SELECT event FROM queue WHERE lane = 1 AND standing = 0 ORDER BY at, sequence, event LIMIT 1",
        "SELECT due_at FROM queue WHERE lane = 1 AND standing = 0 AND (at, sequence, event) > (1, 2, 3)
             ORDER BY at, sequence, event LIMIT 1",
        "SELECT event FROM queue WHERE standing > 0 AND due_at <= 1 ORDER BY due_at LIMIT 9",
        "SELECT MIN(due_at) FROM queue WHERE standing > 0",
        "SELECT at FROM applied WHERE source = 'a' AND ordering_key = 'b'",
        "SELECT number FROM events WHERE state = 'dead' AND number > 7 ORDER BY number LIMIT 100",
        "SELECT number FROM events WHERE source = 'a' AND state = 'dead' AND number > 7 ORDER BY number LIMIT 100",
        "SELECT number FROM events WHERE state = 'dead' AND number > 7 AND fingerprint = 'a' ORDER BY number LIMIT 100",
        "SELECT DISTINCT fingerprint FROM events INDEXED BY events_dead_by_failure
             WHERE state = 'dead' AND fingerprint >= 'a' AND fingerprint < 'ag' ORDER BY fingerprint LIMIT 6",
    ];
    for sql in plans {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        let fine = plan.iter().all(|step| step.starts_with("SEARCH") && !step.contains("TEMP B-TREE"));
        assert!(fine, "{sql}: {plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_outlive_a_hundred_restarts() {
    let mut backend = Sqlite::start();
    for round in 0..100 {
        accept(backend.inbox(), &sent(round)).await;
        backend.restart();
        let counts = backend.inbox().counts().await.unwrap();
        assert_eq!(counts.total(), round + 1);
    }
    let claimed = backend.inbox().claim(1_000, LEASE, at(0)).await.unwrap();
    assert_eq!(claimed.len(), 100);
    assert_eq!(claimed[99].event.number, EventNo(100));
}
