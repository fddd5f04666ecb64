//! What is particular to the SQLite backend about the life of sources: the cost of a flood that waits, other processes, the audit log,
//! and how a database of before gets there.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::breaker::BreakerPolicy;
use hookproof_consumer::event::{DeadReason, EventNo};
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOperator, SqliteOptions};
use hookproof_consumer::inbox::{By, IfStale, Inbox, Life, Operator, SourceRules};
use hookproof_consumer::ordering::OrderPolicy;
use hookproof_consumer::retry::Outcome;
use support::flood::{fill, times_of_a_claim};
use support::{LEASE, Sqlite, accept, at, claim_one, sent, settle};

fn ann(why: &str) -> By {
    By::new("ann", why)
}

/// A source of which 100,000 wait and one that is processed. `key` is an SQL expression of the number `n` of an event.
async fn beside_a_flood(key: &str) -> Sqlite {
    let backend = Sqlite::start();
    fill(&backend, "flood", key, 100_000);
    fill(&backend, "shop", "'k' || n", 200);
    backend.inbox().pause("flood", ann("the CRM is down"), at(0)).await.unwrap();
    backend
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_that_wait_in_a_paused_source_slow_no_claim_of_another() {
    let alone = Sqlite::start();
    fill(&alone, "shop", "'k' || n", 200);
    let (many_keys, one_key) = (beside_a_flood("'k' || n").await, beside_a_flood("'k'").await);
    let [few, many, one] = times_of_a_claim([&alone, &many_keys, &one_key]).await;
    println!(
        "a claim and its settle: {few:?}; beside a paused flood {many:?} (of many keys), {one:?} (of one)"
    );
    for (backend, beside) in [(&many_keys, many), (&one_key, one)] {
        assert!(beside < few * 3 + Duration::from_millis(3), "{beside:?}, and {few:?} without a flood");
        let pending: Vec<_> =
            backend.inbox().sources().await.unwrap().iter().map(|status| status.pending).collect();
        assert_eq!(pending, [100_000, 140], "of flood, and of shop");
        while let [claimed] = &backend.inbox().claim(1, LEASE, at(0)).await.unwrap()[..] {
            settle(backend, claimed, Outcome::Done, 1).await;
        }
        assert_eq!(backend.inbox().next_due().await.unwrap(), None, "a worker has nothing to wake up for");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_pauses_and_resumes_while_the_server_runs() {
    let backend = Sqlite::start();
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    operator.pause("crm", ann("the CRM is down"), at(1)).await.unwrap();
    assert_eq!(backend.inbox().claim(9, LEASE, at(2)).await.unwrap().len(), 0);
    assert_eq!(backend.inbox().sources().await.unwrap(), operator.sources().await.unwrap());
    let refused = operator.pause("crm", ann("x"), at(1)).await.unwrap_err().to_string();
    assert_eq!(refused, "source 'crm' is paused already, by ann: the CRM is down");
    assert_eq!(operator.resume("crm", ann("it is back"), at(3)).await.unwrap().since, at(1));
    assert_eq!(claim_one(backend.inbox(), at(4)).await.event.number, event);
}

/// Every line of the audit log: source, event, actor, action, why.
fn audit(backend: &Sqlite) -> Vec<(String, Option<i64>, String, String, String)> {
    let conn = backend.sql();
    let mut lines = conn.prepare("SELECT source, event, actor, action, why FROM audit ORDER BY id").unwrap();
    let lines = lines
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap();
    lines.collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_of_sources_and_of_events() {
    let backend = Sqlite::start();
    let breaker = Some(BreakerPolicy { min_dead: 1, ..BreakerPolicy::default() });
    let rules = SourceRules { source: Arc::from("crm"), order: OrderPolicy::default(), breaker };
    backend.inbox().configure(vec![rules], at(0)).await.unwrap();
    let event = accept(backend.inbox(), &sent("msg_1")).await;
    accept(backend.inbox(), &sent("msg_2")).await;
    let inbox = backend.inbox();
    inbox.pause("crm", ann("the CRM is down"), at(1)).await.unwrap();
    assert!(inbox.pause("crm", ann("again"), at(2)).await.is_err());
    inbox.resume("crm", ann("it is back"), at(3)).await.unwrap();
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    for claimed in inbox.claim(2, LEASE, at(4)).await.unwrap() {
        settle(&backend, &claimed, dead.clone(), 4).await;
    }
    inbox.replay(event, IfStale::FollowRule, ann("fixed"), at(5)).await.unwrap();
    inbox.resume("crm", ann("seen"), at(6)).await.unwrap();
    let line = |event, actor: &str, action: &str, why: &str| {
        ("crm".to_owned(), event, actor.to_owned(), action.to_owned(), why.to_owned())
    };
    let expected = [
        line(None, "ann", "pause", "the CRM is down"),
        line(None, "ann", "resume", "it is back"),
        line(None, "breaker", "trip", "1 of its last 1 events died within 600 s"),
        line(Some(event.0), "ann", "replay", "fixed"),
        line(None, "ann", "resume", "seen"),
    ];
    assert_eq!(audit(&backend), expected, "what was refused is not in it, and it tripped once");
    assert_eq!(inbox.show(event).await.unwrap().unwrap().audit.len(), 1, "an event shows its own lines");
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_kept_of_a_source_than_its_breaker_looks_at() {
    let backend = Sqlite::start();
    let breaker = Some(BreakerPolicy { last: 7, min_dead: 7, ..BreakerPolicy::default() });
    let rules = SourceRules { source: Arc::from("crm"), order: OrderPolicy::default(), breaker };
    backend.inbox().configure(vec![rules], at(0)).await.unwrap();
    for n in 0..30 {
        accept(backend.inbox(), &sent(n)).await;
        settle(&backend, &claim_one(backend.inbox(), at(n)).await, Outcome::Done, n).await;
    }
    let kept: Vec<i64> = {
        let conn = backend.sql();
        let mut kept = conn.prepare("SELECT id FROM outcomes WHERE source = 'crm'").unwrap();
        kept.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(kept, (24..=30).collect::<Vec<_>>());
}

/// What a handler may not write, so that no handler pauses or resumes a source.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_inbox_is_fenced() {
    let backend = Sqlite::start();
    let fence = include_str!("../src/inbox/sqlite/fence.rs");
    let conn = backend.sql();
    let mut tables = conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let open: Vec<_> =
        tables.map(Result::unwrap).filter(|table| !fence.contains(&format!("\"{table}\""))).collect();
    assert_eq!(open, ["lead_facts", "leads"]);
}

/// A database of before actions on sources, with an audit log whose last line is gone.
fn database_of_before(path: &std::path::Path) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(include_str!("../migrations/0001_init.sql")).unwrap();
    conn.execute_batch(include_str!("../migrations/0002_leads.sql")).unwrap();
    conn.execute_batch(include_str!("../migrations/0003_ordering.sql")).unwrap();
    conn.pragma_update(None, "user_version", 3).unwrap();
    conn.pragma_update(None, "journal_mode", "wal").unwrap();
    for (n, source) in [(1, "crm"), (2, "shop")] {
        conn.execute_batch(&format!(
            "INSERT INTO events (number, source, scheme, key_id, replay_key, identity, received_at, state, reason, settled_at)
                 VALUES ({n}, '{source}', 'klozeo', 'k', randomblob(32), 'digest', 7, 'dead', 'permanent', 9);
             INSERT INTO payloads VALUES ({n}, randomblob(32), x'', x'7b7d');
             INSERT INTO replay_keys SELECT replay_key, body_sha256, number FROM events JOIN payloads ON event = number
                 WHERE number = {n};
             INSERT INTO audit (id, at, event, actor, action, why) VALUES ({n}0, {n}, {n}, 'ann', 'replay', 'why {n}');"
        ))
        .unwrap();
    }
    conn.execute_batch("UPDATE sqlite_sequence SET seq = 90 WHERE name = 'audit'").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_of_before_is_kept_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    database_of_before(&path);
    let inbox = SqliteInbox::open(SqliteOptions::new(&path)).unwrap();
    assert_eq!(inbox.check().await.unwrap(), Vec::<String>::new());
    let line = inbox.show(EventNo(2)).await.unwrap().unwrap().audit.remove(0);
    assert_eq!((line.actor.as_str(), line.action.as_str(), line.why.as_str()), ("ann", "replay", "why 2"));
    inbox.discard(EventNo(1), ann("old"), at(0)).await.unwrap();
    drop(inbox);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let mut lines = conn.prepare("SELECT id || source || event FROM audit ORDER BY id").unwrap();
    let lines =
        lines.query_map([], |row| row.get::<_, String>(0)).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(lines, ["10crm1", "20shop2", "91crm1"], "and no number comes again");
    for sql in ["UPDATE audit SET why = ''", "DELETE FROM audit"] {
        assert_eq!(conn.execute(sql, []).unwrap_err().to_string(), "the audit log is append-only");
    }
}
