//! What becomes of a lead's fields, life, scores, notes and forms.

use std::collections::BTreeMap;

use hookproof_consumer::effect::Failure;
use hookproof_consumer::event::Event;
use hookproof_consumer::leads::{Lead, Leads};

use crate::support::at;
use crate::tables::{after, apply, database, event, in_every_order, lead_event, load, merge};

fn texts(members: &[(&str, &str)]) -> BTreeMap<String, String> {
    members.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn all_orders_of_created_two_updates_and_deleted_end_the_same() {
    let leads = in_every_order(&[
        lead_event("lead.created", 10, r#"{"id":7,"email":"a@example.com","stage":"new"}"#),
        lead_event("lead.updated", 20, r#"{"id":7,"stage":"won"}"#),
        // The same second, another value: the tie is broken by what was signed.
        lead_event("lead.updated", 20, r#"{"id":7,"stage":"lost","score":1}"#),
        lead_event("lead.deleted", 30, r#"{"id":7}"#),
    ]);
    let gone =
        Lead { updated_at: at(30).as_millis() as i64, deleted: true, events_applied: 4, ..Lead::default() };
    assert_eq!(leads, BTreeMap::from([("7".to_owned(), gone)]), "of a deleted lead nothing is shown");
}

#[test]
fn a_tie_in_time_is_decided_by_the_sequence_and_then_by_the_event() {
    let update = |sequence, stage: &str| Event {
        sequence,
        ..lead_event("lead.updated", 20, &format!(r#"{{"id":7,"stage":"{stage}"}}"#))
    };
    let leads = in_every_order(&[update(Some(2), "second"), update(Some(1), "third"), update(None, "first")]);
    assert_eq!(leads["7"].fields["stage"], r#""second""#);
    let (a, b) = (update(None, "a"), update(None, "b"));
    let greater = if a.replay_key > b.replay_key { r#""a""# } else { r#""b""# };
    assert_eq!(in_every_order(&[a, b])["7"].fields["stage"], greater);
}

#[test]
fn a_deleted_lead_stays_so_until_it_is_restored_or_created_later() {
    let deleted = lead_event("lead.deleted", 30, r#"{"id":"x"}"#);
    for (kind, occurred, lives) in [
        ("lead.updated", 10, false),
        ("lead.updated", 30, false),
        ("lead.updated", 99, false),
        ("lead.scored", 99, false),
        ("lead.restored", 29, false),
        ("lead.restored", 30, false),
        ("lead.restored", 31, true),
        ("lead.created", 10, false),
        ("lead.created", 30, false),
        ("lead.created", 31, true),
    ] {
        let other = lead_event(kind, occurred, r#"{"id":"x","stage":"won"}"#);
        let leads = in_every_order(&[deleted.clone(), other]);
        assert_eq!(leads["x"].deleted, !lives, "{kind} at {occurred}");
        assert_eq!(leads["x"].fields.is_empty(), !lives, "{kind} at {occurred}");
    }
}

#[test]
fn a_restored_lead_is_what_it_was_and_one_that_is_created_anew_is_not() {
    let created = lead_event("lead.created", 10, r#"{"id":"x","email":"a"}"#);
    let deleted = lead_event("lead.deleted", 30, r#"{"id":"x"}"#);
    let restored = lead_event("lead.restored", 40, r#"{"id":"x"}"#);
    let anew = lead_event("lead.created", 50, r#"{"id":"x","name":"b"}"#);
    let one = in_every_order(&[created.clone(), deleted.clone(), restored.clone()]);
    assert_eq!(one["x"].fields, texts(&[("email", "\"a\"")]));
    let two = in_every_order(&[created.clone(), deleted.clone(), anew.clone()]);
    assert_eq!(two["x"].fields, texts(&[("name", "\"b\"")]));
    assert_eq!(two["x"].created_at, Some(at(50).as_millis() as i64));
    let both = in_every_order(&[created, deleted, restored, anew]);
    assert_eq!(both["x"].fields, texts(&[("email", "\"a\""), ("name", "\"b\"")]));
}

#[test]
fn an_update_that_tells_what_was_before_claims_only_what_changed() {
    // Between the two snapshots somebody else changed the e-mail, and that event is late.
    let leads = in_every_order(&[
        lead_event("lead.created", 10, r#"{"id":"x","email":"old","stage":"new"}"#),
        lead_event("lead.updated", 20, r#"{"id":"x","changes":{"email":{"old":"old","new":"new"}}}"#),
        lead_event(
            "lead.updated",
            30,
            r#"{"id":"x","email":"old","stage":"won","previous":{"stage":"new"}}"#,
        ),
    ]);
    assert_eq!(leads["x"].fields, texts(&[("email", "\"new\""), ("stage", "\"won\"")]));
    // Where nobody claims it, what was mentioned is better than nothing.
    let mentioned = lead_event(
        "lead.updated",
        30,
        r#"{"id":"x","email":"old","stage":"won","previous":{"stage":"new"}}"#,
    );
    assert_eq!(after(&[mentioned], "x").fields, texts(&[("email", "\"old\""), ("stage", "\"won\"")]));
}

#[test]
fn a_stage_or_an_owner_that_changed_is_the_new_one() {
    let leads = in_every_order(&[
        lead_event("lead.stage_changed", 1, r#"{"lead_id":"x","from":"new","to":"won"}"#),
        lead_event("lead.assigned", 1, r#"{"lead_id":"x","assignee":"ann"}"#),
    ]);
    assert_eq!(leads["x"].fields, texts(&[("stage", "\"won\""), ("assigned_to", "\"ann\"")]));
}

#[test]
fn scores_are_kept_by_what_they_measure() {
    let leads = in_every_order(&[
        lead_event("lead.created", 1, r#"{"id":"x","score":0}"#),
        lead_event("lead.scored", 3, r#"{"id":"x","score":87,"score_type":"fit"}"#),
        lead_event("lead.scored", 2, r#"{"lead_id":"x","score":12.50,"kind":"fit"}"#),
        lead_event("lead.scored", 4, r#"{"lead_id":"x","old_score":0,"new_score":9}"#),
        lead_event("lead.updated", 5, r#"{"id":"x","scores":{"engagement":4}}"#),
    ]);
    assert_eq!(leads["x"].scores, texts(&[("score", "9"), ("fit", "87"), ("engagement", "4")]));
    assert_eq!(leads["x"].fields, texts(&[]));
}

#[test]
fn the_latest_of_won_lost_and_converted_is_the_outcome() {
    let leads = in_every_order(&[
        lead_event("lead_lost", 1, r#"{"lead_id":"x","why":"price"}"#),
        lead_event("lead_won", 2, r#"{"lead_id":"x"}"#),
        lead_event("lead.updated", 3, r#"{"id":"x","name":"Ada"}"#),
    ]);
    assert_eq!(leads["x"].outcome.as_deref(), Some("won"));
    assert_eq!(leads["x"].fields, texts(&[("why", "\"price\""), ("name", "\"Ada\"")]));
}

#[test]
fn a_note_is_the_latest_of_its_id_and_stays_deleted() {
    let leads = in_every_order(&[
        lead_event("note.created", 1, r#"{"id":"N-1","lead_id":"x","text":"a"}"#),
        lead_event("note.updated", 2, r#"{"id":"N-1","lead_id":"x","text":"b"}"#),
        lead_event("note.created", 1, r#"{"id":"N-2","lead_id":"x","text":"c"}"#),
        lead_event("note.deleted", 2, r#"{"id":"N-2","lead_id":"x"}"#),
        lead_event("note.updated", 9, r#"{"id":"N-2","lead_id":"x","text":"d"}"#),
    ]);
    assert_eq!(leads["x"].notes, texts(&[("N-1", r#"{"id":"N-1","text":"b"}"#)]));
    assert_eq!(leads["x"].fields, texts(&[]), "a note's text is no field of the lead");
    assert_eq!(leads.len(), 1, "a note is no lead");
}

#[test]
fn each_submission_of_a_form_is_kept_once() {
    let named = lead_event("form.submitted", 1, r#"{"lead_id":"x","submission_id":5,"answer":"a"}"#);
    let again = lead_event("form.submitted", 2, r#"{"lead_id":"x","submission_id":5,"answer":"b"}"#);
    let nameless = lead_event("form.submitted", 1, r#"{"lead":{"id":"x","name":"Ada"},"answer":"c"}"#);
    let leads = in_every_order(&[named, again, nameless.clone(), nameless.clone()]);
    let (id, body) = (nameless.idempotency_key(), r#"{"answer":"c"}"#);
    assert_eq!(leads["x"].forms, texts(&[("5", r#"{"answer":"b","submission_id":5}"#), (&id, body)]));
    assert_eq!(leads["x"].fields, texts(&[("name", "\"Ada\"")]));
}

#[test]
fn what_is_unknown_is_kept_and_kills_nothing() {
    let conn = database();
    apply(
        &conn,
        &[
            &lead_event("lead.created", 1, r#"{"id":"x","odd_field":{"a":[1]}}"#),
            &lead_event("lead.sla_breached", 2, r#"{"lead_id":"x","minutes":90}"#),
            &lead_event("lead.qualified", 3, r#"{"id":"x","qualified":true}"#),
            &lead_event("meeting.booked", 4, r#"{"lead_id":"x","room":1}"#),
            &lead_event("invoice.paid", 5, r#"{"id":"inv-1","amount":1}"#),
            &lead_event("ping", 6, "[]"),
            &event(Some("ping"), 7, "[]"),
        ],
    );
    let lead = load(&conn, "x");
    assert_eq!(lead.fields, texts(&[("odd_field", r#"{"a":[1]}"#), ("qualified", "true")]));
    let mut facts = conn
        .prepare(
            "SELECT lead_id, name, value FROM lead_facts WHERE kind = 'event' AND name <> 'lead.created'",
        )
        .unwrap();
    let facts: Vec<(String, String, String)> = facts
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let fact = |lead: &str, name: &str, value: &str| (lead.to_owned(), name.to_owned(), value.to_owned());
    assert_eq!(
        facts,
        [
            fact("", "invoice.paid", ""),
            fact("", "ping", ""),
            fact("x", "lead.qualified", ""),
            fact("x", "lead.sla_breached", r#"{"minutes":90}"#),
            fact("x", "meeting.booked", r#"{"room":1}"#),
        ]
    );
    assert_eq!(Lead::load_all(&conn).unwrap().len(), 1, "what names no lead makes none");
}

#[test]
fn what_cannot_be_merged_is_a_permanent_failure_that_says_so() {
    let no_id = "the event has no lead id where one was looked for";
    let fields = |count: usize| (0..count).map(|n| format!(r#""f{n}":1"#)).collect::<Vec<_>>().join(",");
    let ids = |count: usize| (0..count).map(|n| format!(r#""L-{n}""#)).collect::<Vec<_>>().join(",");
    let cases = [
        (r#"{"event":"lead.updated","data":{"name":"x"}}"#.to_owned(), Err(no_id)),
        (r#"{"event":"lead.updated","id":"evt_1","data":{"name":"x"}}"#.to_owned(), Err(no_id)),
        (r#"{"event":"lead.updated","data":{"id":1.5}}"#.to_owned(), Err(no_id)),
        (r#"{"event":"lead.updated","data":{"id":""}}"#.to_owned(), Err(no_id)),
        (r#"{"event":"lead.merged","data":{"merged_ids":["a","b"]}}"#.to_owned(), Err(no_id)),
        ("not json".to_owned(), Err("the body is not a JSON document")),
        (
            r#"{"data":{"id":1,"id":2}}"#.to_owned(),
            Err("a key that is read from the body occurs twice in its object"),
        ),
        (format!(r#"{{"data":{{"id":1,{}}}}}"#, fields(256)), Ok(())),
        (format!(r#"{{"data":{{"id":1,{}}}}}"#, fields(257)), Err("the lead has more than 256 fields")),
        (format!(r#"{{"event":"lead.merged","data":{{"id":1,"merged_ids":[{}]}}}}"#, ids(256)), Ok(())),
        (
            format!(r#"{{"event":"lead.merged","data":{{"id":1,"merged_ids":[{}]}}}}"#, ids(257)),
            Err("more than 256 leads are merged"),
        ),
    ];
    for (body, wanted) in cases {
        let result = merge(&Leads::new(), &database(), &event(None, 1, &body));
        assert_eq!(result, wanted.map_err(|why: &str| Failure::Permanent(why.to_owned())), "{body:.80}");
    }
}
