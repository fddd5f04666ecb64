//! What is particular to the SQLite backend about order: how deep a line may be, and how a database of before gets there.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::time::Duration;

use hookproof_consumer::event::{DeadReason, EventNo, State};
use hookproof_consumer::fingerprint::Fingerprint;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{By, Filter, IfStale, Inbox, Operator, Replayed};
use hookproof_consumer::ordering::StaleRule;
use hookproof_consumer::retry::Outcome;
use support::flood::{fill, times_of_a_claim};
use support::{LEASE, Sqlite, accept, at, claim_one, rules, sent, settle};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_fifty_thousand_holds_nobody_up_and_slows_no_claim() {
    let shallow = Sqlite::start();
    fill(&shallow, "flood", "'k' || n", 200);
    let (many_keys, one_key) = (flooded("'k' || n").await, flooded("'k'").await);
    let [few, many, one] = times_of_a_claim([&shallow, &many_keys, &one_key]).await;
    for (backend, deep) in [(&many_keys, many), (&one_key, one)] {
        assert!(deep < few * 5 + Duration::from_millis(5), "{deep:?}, and {few:?} where few wait");
        backend.assert_sound().await;
    }
}

/// A flood of which all of another source were claimed at once. `key` is an SQL expression of the number `n` of an event.
async fn flooded(key: &str) -> Sqlite {
    let backend = Sqlite::start();
    fill(&backend, "flood", key, 50_000);
    backend.assert_sound().await;
    let mut late = Vec::new();
    for n in 0..10 {
        late.push(accept(backend.inbox(), &sent(n).to("shop").received(10)).await);
    }
    let first = backend.inbox().claim(20, LEASE, at(10)).await.unwrap();
    let of_shop: Vec<_> =
        first.iter().map(|claimed| claimed.event.number).filter(|event| late.contains(event)).collect();
    assert_eq!(of_shop, late, "all of them are among the first twenty");
    for claimed in first {
        settle(&backend, &claimed, Outcome::Done, 11).await;
    }
    backend
}

#[tokio::test(flavor = "multi_thread")]
async fn one_claim_passes_over_a_thousand_stale_events_and_the_next_goes_on() {
    let backend = Sqlite::start();
    rules(&backend, |policy| policy.stale = StaleRule::Skip).await;
    accept(backend.inbox(), &sent("newest").key("k").occurred(9_999_999)).await;
    settle(&backend, &claim_one(backend.inbox(), at(0)).await, Outcome::Done, 1).await;
    fill(&backend, "crm", "'k'", 2_500);
    let mut superseded = Vec::new();
    for _ in 0..3 {
        assert_eq!(backend.inbox().claim(9, LEASE, at(1)).await.unwrap().len(), 0);
        superseded.push(backend.inbox().counts().await.unwrap().of(State::Done) - 1);
    }
    assert_eq!(superseded, [1_000, 2_000, 2_500]);
    assert_eq!(backend.inbox().next_due().await.unwrap(), None);
    backend.assert_sound().await;
}

/// A database as the version before wrote it: one event in each state, and numbers that were given to events which are gone.
fn database_of_before(path: &std::path::Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(include_str!("../migrations/0001_init.sql")).unwrap();
    conn.execute_batch(include_str!("../migrations/0002_leads.sql")).unwrap();
    conn.pragma_update(None, "user_version", 2).unwrap();
    conn.pragma_update(None, "journal_mode", "wal").unwrap();
    let event = |n: i64, state: &str, reason: Option<&str>, key: Option<&str>, occurred: i64| {
        let settled = (!["pending", "running"].contains(&state)).then_some(5);
        conn.execute(
            "INSERT INTO events (number, source, scheme, key_id, replay_key, identity, event_id, event_id_signed, ordering_key,
                 occurred_at, sequence, received_at, state, reason, attempts, last_error, settled_at)
             VALUES (?1, 'crm', 'klozeo', 'k', randomblob(32), 'signed_id', 'evt', 1, ?4, ?5, 3, 7, ?2, ?3, 2, 'down', ?6)",
            rusqlite::params![n, state, reason, key, occurred, settled],
        )
        .unwrap();
        conn.execute(
            "INSERT INTO payloads VALUES (?1, randomblob(32), x'', CAST('body ' || ?1 AS BLOB))",
            [n],
        )
        .unwrap();
        conn.execute(
            "INSERT INTO replay_keys SELECT replay_key, body_sha256, number FROM events JOIN payloads ON event = number
             WHERE number = ?1",
            [n],
        )
        .unwrap();
    };
    event(1, "done", None, Some("lead-1"), 40);
    event(2, "done", None, Some("lead-1"), 50);
    event(3, "dead", Some("attempts_exhausted"), Some("lead-1"), 45);
    event(4, "pending", None, Some("lead-1"), 60);
    event(5, "running", None, Some("lead-2"), 60);
    event(6, "pending", None, None, 60);
    event(7, "discarded", Some("malformed"), None, 60);
    conn.execute_batch(
        "INSERT INTO attempts (id, event, attempt, started_at, ended_at, outcome) VALUES (8, 1, 1, 1, 2, 'done');
         INSERT INTO attempts (id, event, attempt, started_at) VALUES (9, 5, 2, 1);
         INSERT INTO lanes (id, source, ordering_key, due_at, running, token, lease_until) VALUES
             (1, 'crm', 'lead-1', 7, NULL, NULL, NULL), (2, 'crm', 'lead-2', 7, 5, 9, 99), (3, 'crm', NULL, 7, NULL, NULL, NULL);
         INSERT INTO queue (lane, at, sequence, event, due_at) VALUES (1, 60, 3, 4, 7), (2, 60, 3, 5, 7), (3, 60, 3, 6, 7);
         INSERT INTO audit (at, event, actor, action, why) VALUES (5, 7, 'ann', 'discard', 'noise');
         INSERT INTO leads (source, lead_id, updated_at, events_applied) VALUES ('crm', 'lead-1', 50, 2);
         UPDATE sqlite_sequence SET seq = 90 WHERE name IN ('events', 'attempts');",
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_version_before_is_brought_up_to_date_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    database_of_before(&path);
    let inbox = SqliteInbox::open(SqliteOptions::new(&path)).unwrap();
    assert_eq!(inbox.check().await.unwrap(), Vec::<String>::new());
    let states: Vec<_> =
        inbox.list(Filter::default()).await.unwrap().into_iter().map(|event| event.state).collect();
    let (done, pending) = (State::Done, State::Pending);
    assert_eq!(states, [done, done, State::Dead, pending, State::Running, pending, State::Discarded]);
    let detail = inbox.show(EventNo(3)).await.unwrap().unwrap();
    assert_eq!(detail.event.body, "body 3");
    assert_eq!((detail.summary.reason, detail.summary.attempts), (Some(DeadReason::AttemptsExhausted), 2));
    assert!(detail.summary.overtaken, "what was applied before is known");
    let failure = Fingerprint::of("crm", DeadReason::AttemptsExhausted, "down");
    assert_eq!(detail.summary.fingerprint, Some(failure));
    assert_eq!(inbox.show(EventNo(7)).await.unwrap().unwrap().audit.len(), 1);
    assert_eq!(inbox.rescue(5, at(0)).await.unwrap().retried, 1);
    let replayed =
        inbox.replay(EventNo(3), IfStale::FollowRule, By::new("ann", "fixed"), at(0)).await.unwrap();
    assert_eq!(replayed, Replayed::Stale(StaleRule::Flag));
    let claimed = inbox.claim(9, LEASE, at(0)).await.unwrap();
    let events: Vec<_> = claimed.iter().map(|claimed| (claimed.event.number.0, claimed.stale)).collect();
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(
        events.contains(&(3, true)) && events.contains(&(5, false)) && events.contains(&(6, false)),
        "{events:?}"
    );
    assert!(
        claimed.iter().all(|claimed| claimed.lease.token > 90),
        "a token that was given is never given again"
    );
    assert_eq!(accept(&inbox, &sent("new")).await, EventNo(91), "nor is a number");
    assert_eq!(inbox.check().await.unwrap(), Vec::<String>::new());
    drop(inbox);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let triggers: i64 = conn
        .query_row("SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(triggers, 11);
    let leads: i64 = conn.query_row("SELECT events_applied FROM leads", [], |row| row.get(0)).unwrap();
    assert_eq!(leads, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_rows_refer_to_nothing_is_not_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    database_of_before(&path);
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM events WHERE number = 6").unwrap();
    drop(conn);
    let error = SqliteInbox::open(SqliteOptions::new(&path)).unwrap_err().to_string();
    assert_eq!(error, "could not bring the schema up to date: rows refer to rows that are not there");
}
