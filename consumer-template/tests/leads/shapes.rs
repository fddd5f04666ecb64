//! What the five platforms send, and where the lead is in it.

use std::collections::BTreeMap;

use hookproof::UnixTime;
use hookproof_consumer::effect::Failure;
use hookproof_consumer::leads::{Leads, SCHEMES};
use hookproof_consumer::samples;

use crate::tables::{database, event, load, merge};

#[test]
fn the_id_is_found_where_the_platforms_put_it_and_keeps_its_digits() {
    let bodies = [
        r#"{"event":"lead.updated","data":{"id":9007199254740993,"a":1}}"#,
        r#"{"event":"lead.updated","data":{"lead":{"id":9007199254740993,"a":1}}}"#,
        r#"{"type":"lead.updated","lead":{"id":"9007199254740993","a":1}}"#,
        r#"{"event":"lead.assigned","data":{"lead_id":9007199254740993,"a":1}}"#,
        r#"{"event":"lead.assigned","lead_id":9007199254740993,"a":1}"#,
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
    let wrong = merge(&Leads::with_lead_id_at("data"), &conn, &elsewhere);
    let why = "the configured place of the lead id is not a JSON pointer";
    assert_eq!(wrong, Err(Failure::Permanent(why.to_owned())));
}

/// Of each platform, an event of each type that any of them sends: none is a dead letter.
#[test]
fn every_type_of_every_platform_is_understood() {
    let types = [
        "lead.created",
        "lead.updated",
        "lead.deleted",
        "lead.restored",
        "lead.scored",
        "lead.merged",
        "lead.stage_changed",
        "lead.assigned",
        "lead.converted",
        "lead_won",
        "lead_lost",
        "note.created",
        "note.deleted",
        "form.submitted",
        "survey.submitted",
        "meeting.booked",
        "invoice.paid",
        "lead.sla_breached",
    ];
    for scheme in SCHEMES {
        for kind in types {
            let sample = samples::event(scheme, Some(kind), 1, UnixTime::from_secs(1_700_000_000));
            let body = String::from_utf8(sample.body).unwrap();
            for event in [event(Some(kind), 1, &body), event(None, 1, &body)] {
                assert_eq!(merge(&Leads::new(), &database(), &event), Ok(()), "{scheme} {kind}: {body}");
            }
        }
        let conn = database();
        let sample = samples::event(scheme, None, 1, UnixTime::from_secs(1_700_000_000));
        let created = event(Some("lead.created"), 1, &String::from_utf8(sample.body).unwrap());
        merge(&Leads::new(), &conn, &created).unwrap();
        let lead = load(&conn, "lead-000001");
        let names: Vec<_> = lead.fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["email", "name", "status"], "{scheme}");
        assert!(lead.created_at.is_some(), "{scheme}");
    }
}

/// After the platforms' documentation.
#[test]
fn documented_bodies_become_what_they_say() {
    let conn = database();
    for (at, body) in [
        (
            1,
            r#"{"event":"lead.created","timestamp":1703520000,"data":{"id":"cl_1","name":"Acme","score":0}}"#,
        ),
        (
            2,
            r#"{"event":"note.created","timestamp":1703520000,"data":{"id":"note_1","lead_id":"cl_1","content":"Spoke"}}"#,
        ),
        (
            3,
            r#"{"event":"form.submitted","occurred_at":"2026-04-29T10:30:00Z","lead":{"id":123,"lead_score":45,"tags":["vip"]}}"#,
        ),
        (4, r#"{"lead":{"id":"1234","from":"a@example.com","custom3":null},"location":{"id":"77"}}"#),
        (5, r#"{"type":"lead_won","data":{"lead_id":"d-1"}}"#),
    ] {
        merge(&Leads::new(), &conn, &event(None, at, body)).unwrap();
    }
    let klozeo = load(&conn, "cl_1");
    assert_eq!((klozeo.fields["name"].as_str(), klozeo.scores["score"].as_str()), (r#""Acme""#, "0"));
    assert_eq!(klozeo.notes["note_1"], r#"{"content":"Spoke","id":"note_1"}"#);
    let leadhub = load(&conn, "123");
    assert_eq!((leadhub.scores["score"].as_str(), leadhub.fields["tags"].as_str()), ("45", r#"["vip"]"#));
    assert_eq!(leadhub.forms.len(), 1);
    let metalocator = load(&conn, "1234");
    assert_eq!(
        (metalocator.fields["from"].as_str(), metalocator.fields["custom3"].as_str()),
        (r#""a@example.com""#, "null")
    );
    assert_eq!(load(&conn, "d-1").outcome.as_deref(), Some("won"));
}
