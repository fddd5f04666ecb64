//! The table of leads: whatever order and however often, the same events make the same table.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hookproof_consumer::clock::ManualClock;
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher};
use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{DeadReason, Event, EventNo, Named, State};
use hookproof_consumer::handler;
use hookproof_consumer::inbox::{Inbox, Operator};
use hookproof_consumer::leads::{Lead, Leads};
use proptest::prelude::*;
use rusqlite::Connection;
use support::{Sqlite, at, sent, sent_by_klozeo};

fn database() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(include_str!("../migrations/0002_leads.sql")).unwrap();
    conn
}

fn event(kind: Option<&str>, occurred: u64, body: &str) -> Event {
    Event {
        number: EventNo(1),
        source: Arc::from("crm"),
        scheme: "klozeo".to_owned(),
        key_id: "k1".to_owned(),
        replay_key: [0; 32],
        event_id: None,
        event_type: kind.map(|value| Named { value: value.to_owned(), signed: true }),
        ordering_key: None,
        occurred_at: Some(at(occurred)),
        sequence: None,
        received_at: at(1_000_000),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn lead_event(kind: &str, occurred: u64, data: &str) -> Event {
    event(Some(kind), occurred, &format!(r#"{{"event":"{kind}","data":{data}}}"#))
}

fn merge(leads: &Leads, conn: &Connection, event: &Event) -> Result<(), Failure> {
    leads.apply(conn, event, &Context::new(event, 1))
}

fn apply(conn: &Connection, events: &[&Event]) {
    events.iter().for_each(|event| merge(&Leads::new(), conn, event).unwrap());
}

/// Everything but the number of applied events.
fn table(conn: &Connection) -> Vec<String> {
    let rows = |sql: &str| -> Vec<String> {
        let mut statement = conn.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<Result<Vec<_>, _>>()
        };
        statement.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())).collect()
    };
    let mut all =
        rows("SELECT source, lead_id, created_at, updated_at, deleted_at, restored_at, deleted FROM leads");
    all.extend(rows("SELECT * FROM lead_fields"));
    all
}

fn load(conn: &Connection, id: &str) -> Lead {
    Lead::load(conn, "crm", id).unwrap().unwrap()
}

#[test]
fn all_orders_of_created_two_updates_and_deleted_end_the_same() {
    let events = [
        lead_event("lead.created", 10, r#"{"id":7,"email":"a@example.com","stage":"new"}"#),
        lead_event("lead.updated", 20, r#"{"id":7,"stage":"won"}"#),
        // The same second, another value: the tie is broken by content.
        lead_event("lead.updated", 20, r#"{"id":7,"stage":"lost","score":1}"#),
        lead_event("lead.deleted", 30, r#"{"id":7}"#),
    ];
    let mut tables = Vec::new();
    for a in 0..4 {
        for b in (0..4).filter(|b| *b != a) {
            for c in (0..4).filter(|c| ![a, b].contains(c)) {
                let conn = database();
                apply(&conn, &[&events[a], &events[b], &events[c], &events[6 - a - b - c]]);
                assert!(load(&conn, "7").deleted);
                assert_eq!(load(&conn, "7").events_applied, 4);
                tables.push(table(&conn));
            }
        }
    }
    assert_eq!(tables.len(), 24);
    assert!(tables.iter().all(|table| *table == tables[0]), "{tables:#?}");
}

#[test]
fn a_late_event_does_not_bring_a_lead_back_and_a_restoration_does() {
    let conn = database();
    apply(&conn, &[&lead_event("lead.deleted", 30, r#"{"id":"x"}"#)]);
    apply(&conn, &[&lead_event("lead.updated", 99, r#"{"id":"x","stage":"won"}"#)]);
    apply(&conn, &[&lead_event("lead.created", 10, r#"{"id":"x","email":"a"}"#)]);
    apply(&conn, &[&lead_event("lead.restored", 29, r#"{"id":"x"}"#)]);
    assert!(load(&conn, "x").deleted);
    apply(&conn, &[&lead_event("lead.restored", 31, r#"{"id":"x"}"#)]);
    assert!(!load(&conn, "x").deleted);
}

#[test]
fn an_event_about_a_note_neither_deletes_nor_changes_the_lead() {
    let conn = database();
    apply(&conn, &[&lead_event("lead.created", 10, r#"{"id":"x","text":"lead"}"#)]);
    apply(&conn, &[&lead_event("note.deleted", 20, r#"{"id":"note-1","lead_id":"x","text":"note"}"#)]);
    let lead = load(&conn, "x");
    assert_eq!((lead.deleted, lead.events_applied, lead.updated_at), (false, 2, at(20).as_millis() as i64));
    assert_eq!(lead.fields, BTreeMap::from([("text".to_owned(), "\"lead\"".to_owned())]));
    assert_eq!(Lead::load(&conn, "crm", "note-1").unwrap(), None);
}

#[test]
fn the_id_is_found_where_the_platforms_put_it_and_keeps_its_digits() {
    let bodies = [
        r#"{"event":"lead.updated","data":{"id":9007199254740993,"a":1}}"#,
        r#"{"event":"lead.updated","data":{"lead":{"id":9007199254740993,"a":1}}}"#,
        r#"{"type":"lead.updated","lead":{"id":"9007199254740993","a":1}}"#,
        r#"{"event":"lead.scored","data":{"lead_id":9007199254740993,"a":1}}"#,
        r#"{"event":"lead.scored","lead_id":9007199254740993,"a":1}"#,
        r#"{"timestamp":1,"id":9007199254740993,"a":1}"#,
        // Here `/id` is the event's.
        r#"{"id":"evt_1","event":"lead.updated","data":{"lead_id":9007199254740993,"a":1}}"#,
    ];
    for body in bodies {
        let conn = database();
        merge(&Leads::new(), &conn, &event(None, 1, body)).unwrap();
        let fields = load(&conn, "9007199254740993").fields;
        assert_eq!(fields, BTreeMap::from([("a".to_owned(), "1".to_owned())]), "{body}");
    }
    let conn = database();
    let elsewhere = event(None, 1, r#"{"data":{"id":1,"contact":{"a/b":"7","x":2}}}"#);
    merge(&Leads::with_lead_id_at("/data/contact/a~1b"), &conn, &elsewhere).unwrap();
    assert_eq!(load(&conn, "7").fields, BTreeMap::from([("x".to_owned(), "2".to_owned())]));
}

#[test]
fn what_is_not_about_a_lead_is_a_permanent_failure_that_says_so() {
    let no_id = "the event has no lead id where one was looked for";
    let many: Vec<_> = (0..300).map(|n| format!(r#""f{n}":1"#)).collect();
    let cases = [
        (r#"{"event":"lead.updated","data":{"name":"x"}}"#.to_owned(), no_id),
        (r#"{"event":"lead.updated","id":"evt_1","data":{"name":"x"}}"#.to_owned(), no_id),
        (r#"{"event":"lead.updated","data":{"id":1.5}}"#.to_owned(), no_id),
        (r#"{"event":"lead.updated","data":{"id":""}}"#.to_owned(), no_id),
        (r#"{"event":"note.created","data":{"id":"note-1"}}"#.to_owned(), no_id),
        ("not json".to_owned(), "the body is not a JSON document"),
        (
            r#"{"data":{"id":1,"id":2}}"#.to_owned(),
            "a key that is read from the body occurs twice in its object",
        ),
        (format!(r#"{{"data":{{"id":1,{}}}}}"#, many.join(",")), "the lead has more than 256 fields"),
    ];
    for (body, why) in cases {
        let result = merge(&Leads::new(), &database(), &event(None, 1, &body));
        assert_eq!(result, Err(Failure::Permanent(why.to_owned())), "{body:.80}");
    }
}

#[test]
fn a_stage_or_an_owner_that_changed_is_the_new_one() {
    let conn = database();
    apply(&conn, &[&lead_event("lead.stage_changed", 1, r#"{"lead_id":"x","to":"won"}"#)]);
    apply(&conn, &[&lead_event("lead.assigned", 1, r#"{"lead_id":"x","assignee":"ann"}"#)]);
    let fields = load(&conn, "x").fields;
    assert_eq!((fields["stage"].as_str(), fields["assigned_to"].as_str()), ("\"won\"", "\"ann\""));
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop::sample::select(vec![
        "lead.created",
        "lead.updated",
        "lead.updated",
        "lead.scored",
        "lead.deleted",
        "lead.restored",
        "lead.stage_changed",
        "lead.assigned",
        "lead.converted",
        "note.created",
    ]);
    let field = prop::sample::select(vec!["stage", "to", "email", "score"]);
    // Few leads, times, fields and values: collisions and ties are what this is about.
    let fields = prop::collection::btree_map(field, 0..4_u8, 0..3);
    (kind, 0..3_u8, 0..5_u64, fields).prop_map(|(kind, lead, occurred, fields)| {
        let fields: String = fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        lead_event(kind, occurred * 1_000, &format!(r#"{{"lead_id":{lead}{fields}}}"#))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_order_and_repetition_of_the_same_events_makes_the_same_table(
        (events, shuffled) in prop::collection::vec(any_event(), 1..14).prop_flat_map(|events| {
            let repeated: Vec<_> = events.iter().chain(events.iter().step_by(2)).cloned().collect();
            (Just(events), Just(repeated).prop_shuffle())
        })
    ) {
        let (once, again) = (database(), database());
        apply(&once, &events.iter().collect::<Vec<_>>());
        apply(&again, &shuffled.iter().collect::<Vec<_>>());
        prop_assert_eq!(table(&once), table(&again));
    }
}

#[tokio::test]
async fn through_the_inbox_each_event_is_applied_exactly_once() {
    let backend = Sqlite::start();
    let inbox = backend.inbox();
    for n in 0..30 {
        let data = format!(r#"{{"id":{},"n":{n}}}"#, n % 3);
        let delivery = sent_by_klozeo("lead.updated", &data).key(n % 3).occurred(n);
        for _ in 0..3 {
            inbox.accept(delivery.incoming()).await.unwrap();
        }
    }
    inbox.accept(sent_by_klozeo("lead.updated", "{}").incoming()).await.unwrap();
    inbox.accept(sent("elsewhere").incoming()).await.unwrap();
    let clock = Arc::new(ManualClock::at(at(0)));
    let mut dispatcher =
        Dispatcher::new(backend.shared(), handler::handlers(), DispatchConfig::default(), clock);
    // Ten events of each of three leads, one after the other, and a round for good measure.
    for _ in 0..11 {
        dispatcher.run_once(at(60)).await.unwrap();
        dispatcher.idle().await;
    }
    let conn = backend.sql();
    let applied: Vec<_> = (0..3).map(|id| load(&conn, &id.to_string()).events_applied).collect();
    assert_eq!(applied, [10, 10, 10]);
    assert_eq!(load(&conn, "2").fields["n"], "29");
    let counts = inbox.counts().await.unwrap();
    assert_eq!((counts.of(State::Done), counts.of(State::Dead)), (31, 1));
    let dead = inbox.list(hookproof_consumer::inbox::Filter::dead()).await.unwrap();
    assert_eq!(dead[0].reason, Some(DeadReason::Permanent));
    backend.assert_sound().await;
}
