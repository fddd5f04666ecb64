//! Events and tables for the tests beside this.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{Event, EventNo, Named};
use hookproof_consumer::leads::{Book, Change, Lead, Leads};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use crate::support::at;

pub(crate) fn database() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(include_str!("../../migrations/0002_leads.sql")).unwrap();
    conn.execute_batch(include_str!("../../migrations/0006_lead_facts.sql")).unwrap();
    conn
}

/// An event of the source `crm`. Its identity is what it says and when, as if it were signed so.
pub(crate) fn event(kind: Option<&str>, occurred: u64, body: &str) -> Event {
    let identity = Sha256::digest(format!("{kind:?} {occurred} {body}"));
    Event {
        number: EventNo(1),
        source: Arc::from("crm"),
        scheme: "klozeo".to_owned(),
        key_id: "k1".to_owned(),
        replay_key: identity.into(),
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

pub(crate) fn lead_event(kind: &str, occurred: u64, data: &str) -> Event {
    event(Some(kind), occurred, &format!(r#"{{"event":"{kind}","data":{data}}}"#))
}

pub(crate) fn merge(leads: &Leads, conn: &Connection, event: &Event) -> Result<(), Failure> {
    leads.apply(conn, event, &Context::new(event, 1))
}

pub(crate) fn apply(conn: &Connection, events: &[&Event]) {
    events.iter().for_each(|event| merge(&Leads::new(), conn, event).unwrap());
}

pub(crate) fn load(conn: &Connection, id: &str) -> Lead {
    Lead::load(conn, "crm", id).unwrap().unwrap_or_else(|| panic!("no lead {id}"))
}

/// The lead with that id, after these events in this order.
pub(crate) fn after(events: &[Event], id: &str) -> Lead {
    let conn = database();
    apply(&conn, &events.iter().collect::<Vec<_>>());
    load(&conn, id)
}

/// Applies the events in every order, and returns the leads, which must be the same each time.
#[track_caller]
pub(crate) fn in_every_order(events: &[Event]) -> BTreeMap<String, Lead> {
    let mut ends: Vec<BTreeMap<String, Lead>> = Vec::new();
    let mut order: Vec<usize> = (0..events.len()).collect();
    for_each_order(&mut order, 0, &mut |order| {
        let conn = database();
        order.iter().for_each(|n| apply(&conn, &[&events[*n]]));
        ends.push(Lead::load_all(&conn).unwrap().into_iter().map(|(_, id, lead)| (id, lead)).collect());
    });
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
    ends.swap_remove(0)
}

fn for_each_order(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        return visit(order);
    }
    for n in from..order.len() {
        order.swap(from, n);
        for_each_order(order, from + 1, visit);
        order.swap(from, n);
    }
}

/// What each event says.
pub(crate) fn said<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Change> {
    events.into_iter().map(|event| Change::read(event, None).unwrap()).collect()
}

/// All that the events say, joined one by one.
pub(crate) fn book_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Book {
    said(events).into_iter().fold(Book::default(), |mut book, change| {
        book.join(change.book);
        book
    })
}

/// Both tables of `source`, row by row as text; without the number of applied events.
pub(crate) fn rows(conn: &Connection, source: &str) -> Vec<String> {
    let leads =
        "SELECT lead_id, merged_into, created_at, updated_at, deleted, outcome, fields, scores, notes, forms
        FROM leads WHERE source = ?1 ORDER BY lead_id";
    let facts = "SELECT lead_id, kind, name, weight, at, sequence, hex(event), value
        FROM lead_facts WHERE source = ?1 ORDER BY lead_id, kind, name";
    let mut all = Vec::new();
    for sql in [leads, facts] {
        let mut statement = conn.prepare_cached(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<Result<Vec<_>, _>>()
        };
        all.extend(statement.query_map([source], row).unwrap().map(|row| format!("{:?}", row.unwrap())));
    }
    all
}

/// What the tables of `source` hold is what the book says, and each event was applied as often as `applied` says.
pub(crate) fn holds(
    conn: &Connection,
    source: &str,
    book: &Book,
    applied: &BTreeMap<String, i64>,
) -> Result<(), String> {
    let stored = Lead::load_all(conn).unwrap().into_iter().filter(|(of, _, _)| of == source);
    let stored: BTreeMap<_, _> = stored.map(|(_, id, lead)| (id, lead)).collect();
    let mut wanted = Lead::all(book);
    for (id, lead) in &mut wanted {
        lead.events_applied = applied.get(id).copied().unwrap_or(0);
    }
    if stored != wanted {
        return Err(format!("stored {stored:#?}\nwanted {wanted:#?}"));
    }
    let facts: i64 = conn
        .prepare_cached("SELECT COUNT(*) FROM lead_facts WHERE source = ?1")
        .unwrap()
        .query_row([source], |row| row.get(0))
        .unwrap();
    if usize::try_from(facts).unwrap() != book.iter().count() {
        return Err(format!("{facts} facts are stored, {} are in the book", book.iter().count()));
    }
    Ok(())
}
