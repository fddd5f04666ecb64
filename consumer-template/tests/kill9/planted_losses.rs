//! The checker itself: a sound database passes, and each promise that is broken in it by hand is named.

use rusqlite::Connection;

use super::ledger::{self, Broken, Ledger, Progress};
use super::process::client::Client;
use super::process::letters::Writer;
use super::process::server::{Server, Site, look, wait_until};
use super::{contents, left};

const EVENTS: u64 = 48;

/// A ledger of events that were all answered, and the database that keeps them.
fn sound() -> (Site, Ledger, Connection) {
    let site = Site::new();
    let server = Server::start(site.serve());
    let (mut client, writer) = (Client::connect(server.address).unwrap(), Writer::new().unwrap());
    let mut ledger = Ledger::default();
    for _ in 0..EVENTS {
        let number = ledger.number();
        let letter = ledger::write(&writer, number).unwrap();
        ledger.send(number, letter.clone());
        assert_eq!(client.post(&letter.request).unwrap(), 200);
        ledger.answered(number);
    }
    let database = look(&site.database());
    wait_until("everything is processed", || left(&database) == 0);
    drop(database);
    assert!(server.stop().success());
    let database = look(&site.database());
    // A hand that breaks something asks nobody.
    database.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    (site, ledger, database)
}

#[test]
fn each_broken_promise_is_named() {
    let (_site, mut ledger, database) = sound();
    assert_eq!(ledger.check(&database).unwrap(), []);
    let own = "(SELECT MIN(number) FROM events WHERE ordering_key = 'lead-1')";
    let applied = |lead: &str, done, applied| Broken::Effects { lead: lead.to_owned(), done, applied };
    let state = |number, state: &str| Broken::State(number, state.to_owned());
    let copy = "CREATE TEMP TABLE twin AS SELECT * FROM events WHERE ordering_key = 'lead-1';
        UPDATE twin SET number = 900, state = 'pending', attempts = 0, settled_at = NULL; INSERT INTO events SELECT * FROM twin;
        INSERT INTO payloads SELECT 900, body_sha256, headers, body FROM payloads WHERE event = ";
    let cases = [
        ("UPDATE leads SET events_applied = 2 WHERE lead_id = 'lead-1'".to_owned(), applied("lead-1", 1, 2)),
        ("UPDATE leads SET events_applied = 4 WHERE lead_id = 'hot'".to_owned(), applied("hot", 3, 4)),
        ("DELETE FROM leads WHERE lead_id = 'lead-2'".to_owned(), applied("lead-2", 1, 0)),
        (
            "INSERT INTO leads (source, lead_id, updated_at, deleted, fields, scores, notes, forms, events_applied)
                 VALUES ('s', 'x', 0, 0, '{}', '{}', '{}', '{}', 1)"
                .to_owned(),
            applied("x", 0, 1),
        ),
        (format!("DELETE FROM events WHERE number = {own}"), Broken::Lost(1)),
        (
            format!(
                "UPDATE payloads SET body = CAST(replace(CAST(body AS TEXT), 'Ada', 'Bob') AS BLOB) WHERE event = {own}"
            ),
            Broken::Lost(1),
        ),
        (format!("{copy}{own}"), Broken::Twice(1)),
        ("UPDATE payloads SET body_sha256 = zeroblob(32) WHERE event = 2".to_owned(), Broken::Altered(2)),
        ("DELETE FROM payloads WHERE event = 3".to_owned(), Broken::Altered(3)),
        (
            format!("UPDATE events SET state = 'dead', reason = 'permanent' WHERE number = {own}"),
            state(1, "dead"),
        ),
        (format!("UPDATE events SET state = 'discarded' WHERE number = {own}"), state(1, "discarded")),
        ("UPDATE events SET state = 'done' WHERE state = 'dead'".to_owned(), state(20, "done")),
        ("UPDATE events SET attempts = 0 WHERE number = 4".to_owned(), Broken::Attempts(4)),
        ("DELETE FROM attempts WHERE event = 4".to_owned(), Broken::Attempts(4)),
        ("UPDATE attempts SET outcome = 'retry' WHERE event = 4".to_owned(), Broken::Attempts(4)),
        (
            "INSERT INTO attempts (event, attempt, started_at) VALUES (4, 2, 0)".to_owned(),
            Broken::Attempts(4),
        ),
    ];
    for (plant, expected) in cases {
        database.execute_batch(&format!("BEGIN; {plant}")).unwrap();
        let broken = ledger.check(&database).unwrap();
        assert!(broken.contains(&expected), "{plant}: {broken:?}");
        database.execute_batch("ROLLBACK").unwrap();
    }
    let number = ledger.number();
    ledger.send(number, ledger::write(&Writer::new().unwrap(), number).unwrap());
    assert_eq!(ledger.check(&database).unwrap(), [], "nobody was promised anything");
    ledger.answered(number);
    assert_eq!(ledger.check(&database).unwrap(), [Broken::Lost(number)]);
}

#[test]
fn falling_behind_is_named() {
    let (_site, _ledger, database) = sound();
    let mut progress = Progress::default();
    let open = "UPDATE attempts SET ended_at = NULL, outcome = NULL WHERE event = 7;";
    database.execute_batch(open).unwrap();
    assert_eq!(progress.check(&database).unwrap(), []);
    assert_eq!(progress.check(&database).unwrap(), [], "killed before it began to work");
    let claim = "INSERT INTO attempts (event, attempt, started_at) VALUES (8, 2, 0);";
    database.execute_batch(&format!("{claim} UPDATE events SET attempts = 0 WHERE number = 9")).unwrap();
    assert_eq!(progress.check(&database).unwrap(), [Broken::Attempts(9), Broken::Orphan(7)]);
    database.execute_batch("DELETE FROM events WHERE number = 10").unwrap();
    assert_eq!(progress.check(&database).unwrap(), [Broken::Attempts(10)]);
}

#[test]
fn a_change_by_a_duplicate_is_seen() {
    let (_site, _ledger, database) = sound();
    let before = contents(&database);
    for change in [
        "UPDATE leads SET events_applied = events_applied + 1 WHERE lead_id = 'lead-1'",
        "UPDATE events SET attempts = attempts + 1 WHERE number = 1",
        "INSERT INTO audit (at, source, event, actor, action, why) VALUES (0, 'crm', 1, 'provider', 'revive', '')",
    ] {
        database.execute_batch(&format!("BEGIN; {change}")).unwrap();
        assert_ne!(contents(&database), before);
        database.execute_batch("ROLLBACK").unwrap();
    }
}
