//! Leads that turn out to be one: chains, circles, and merges that are known before the leads, or after everything else.

use std::collections::BTreeMap;

use hookproof_consumer::event::Event;
use hookproof_consumer::leads::Lead;

use crate::tables::{after, apply, database, in_every_order, lead_event, load};

fn named(id: &str, occurred: u64, field: &str) -> Event {
    lead_event("lead.updated", occurred, &format!(r#"{{"id":"{id}","{field}":"{id}"}}"#))
}

fn merged(loser: &str, survivor: &str, occurred: u64) -> Event {
    lead_event("lead.merged", occurred, &format!(r#"{{"id":"{loser}","merged_into":"{survivor}"}}"#))
}

/// Which lead each id is now, after any order of the events.
#[track_caller]
fn ends(events: &[Event]) -> BTreeMap<String, Option<String>> {
    in_every_order(events).into_iter().map(|(id, lead)| (id, lead.merged_into)).collect()
}

fn is(ends: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    ends.iter().map(|(id, into)| ((*id).to_owned(), into.map(str::to_owned))).collect()
}

#[test]
fn what_was_and_will_be_said_of_the_loser_counts_for_the_survivor() {
    let leads = in_every_order(&[
        lead_event("lead.created", 1, r#"{"id":"A","email":"a","phone":"a"}"#),
        lead_event("lead.created", 2, r#"{"id":"B","email":"b","name":"b"}"#),
        merged("A", "B", 3),
        // After the merge, for the id that is no more.
        lead_event("lead.updated", 4, r#"{"id":"A","name":"late"}"#),
        lead_event("note.created", 5, r#"{"id":"N","lead_id":"A"}"#),
    ]);
    let field = |name: &str| leads["B"].fields[name].as_str();
    assert_eq!((field("email"), field("phone"), field("name")), (r#""b""#, r#""a""#, r#""late""#));
    assert_eq!(leads["B"].notes.len(), 1);
    assert_eq!(leads["A"].merged_into.as_deref(), Some("B"));
    assert!(leads["A"].fields.is_empty() && leads["A"].notes.is_empty(), "it is all in one place");
}

#[test]
fn chains_lead_to_their_end_whichever_link_is_known_first() {
    let chain = [merged("A", "B", 3), merged("B", "C", 1), merged("C", "D", 2), named("A", 9, "x")];
    assert_eq!(ends(&chain), is(&[("A", Some("D")), ("B", Some("D")), ("C", Some("D")), ("D", None)]));
    assert_eq!(in_every_order(&chain)["D"].fields["x"], r#""A""#);
}

#[test]
fn a_circle_ends_where_the_latest_merge_says() {
    assert_eq!(ends(&[merged("A", "B", 1), merged("B", "A", 2)]), is(&[("A", None), ("B", Some("A"))]));
    assert_eq!(ends(&[merged("A", "B", 2), merged("B", "A", 1)]), is(&[("A", Some("B")), ("B", None)]));
    let circle = [merged("A", "B", 1), merged("B", "C", 2), merged("C", "A", 3), named("C", 4, "x")];
    assert_eq!(ends(&circle), is(&[("A", None), ("B", Some("A")), ("C", Some("A"))]));
    // Out of the circle: who was merged into no other comes first, however early.
    let out = [merged("A", "B", 8), merged("B", "A", 9), merged("A", "C", 1)];
    assert_eq!(ends(&out), is(&[("A", Some("C")), ("B", Some("C")), ("C", None)]));
}

#[test]
fn of_two_survivors_the_latest_merge_decides() {
    let two = [merged("A", "B", 1), merged("A", "C", 2), named("B", 3, "x")];
    assert_eq!(ends(&two), is(&[("A", Some("C")), ("B", Some("C")), ("C", None)]));
    assert_eq!(ends(&[merged("A", "A", 1)]), is(&[("A", None)]));
}

#[test]
fn the_life_of_a_group_is_that_of_its_survivor() {
    let (a, b) = (named("A", 1, "x"), named("B", 1, "y"));
    let loser = lead_event("lead.deleted", 3, r#"{"id":"A"}"#);
    let leads = in_every_order(&[a.clone(), b.clone(), merged("A", "B", 2), loser]);
    assert!(!leads["B"].deleted && leads["B"].fields.contains_key("x"), "{leads:#?}");
    let survivor = lead_event("lead.deleted", 3, r#"{"id":"B"}"#);
    let leads = in_every_order(&[a, b, merged("A", "B", 4), survivor]);
    assert!(
        leads["B"].deleted && leads["B"].fields.is_empty(),
        "a merge does not bring a lead back: {leads:#?}"
    );
}

/// No platform publishes the shape; these are the ones that are understood.
#[test]
fn a_merge_is_read_in_several_shapes() {
    for data in [
        r#"{"id":"B","merged_ids":["A"],"name":"b"}"#,
        r#"{"id":"B","merged_from":"A","name":"b"}"#,
        r#"{"id":"B","merged_lead_ids":[{"id":"A"}],"name":"b"}"#,
        r#"{"id":"A","merged_into":"B","name":"b"}"#,
        r#"{"id":"A","merged_into":{"id":"B"},"name":"b"}"#,
        r#"{"lead":{"id":"B","name":"b"},"merged_ids":["A","B"]}"#,
        r#"{"lead_id":"A","into":"B","name":"b"}"#,
        r#"{"survivor_id":"B","loser_id":"A","name":"b"}"#,
        // Here `id` is that of the merge.
        r#"{"id":"M-1","winner_id":"B","loser_ids":["A"],"name":"b"}"#,
    ] {
        let leads = in_every_order(&[lead_event("lead.merged", 1, data)]);
        assert_eq!(leads.keys().collect::<Vec<_>>(), ["A", "B"], "{data}");
        assert_eq!(leads["A"].merged_into.as_deref(), Some("B"), "{data}");
        let fields: Vec<_> =
            leads["B"].fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(fields, [r#"name="b""#], "{data}");
    }
    let numbers = lead_event("lead.merged", 1, r#"{"id":9007199254740993,"merged_ids":[9007199254740995]}"#);
    assert_eq!(after(&[numbers], "9007199254740995").merged_into.as_deref(), Some("9007199254740993"));
    // One that names nobody else says what it says of its lead.
    let nobody = lead_event("lead.merged", 1, r#"{"id":"B","name":"b"}"#);
    assert_eq!(after(&[nobody], "B").fields["name"], r#""b""#);
}

/// Long chains are no special case.
#[test]
fn a_hundred_leads_may_be_one() {
    let conn = database();
    for n in 0..100 {
        let (loser, survivor) = (format!("L-{n}"), format!("L-{}", n + 1));
        apply(&conn, &[&named(&loser, n, "x"), &merged(&loser, &survivor, n)]);
    }
    apply(&conn, &[&named("L-0", 9_999, "y")]);
    assert_eq!(load(&conn, "L-0").merged_into.as_deref(), Some("L-100"));
    assert_eq!(load(&conn, "L-100").fields["y"], r#""L-0""#);
    assert_eq!(Lead::merged_from(&conn, "crm", "L-100").unwrap().len(), 100);
}
