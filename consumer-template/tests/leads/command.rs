//! `hookproof leads`, as a person and a script meet it.

use std::path::Path;
use std::process::{Command, Output};

use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::leads::{Leads, Register};
use rusqlite::Connection;

use crate::tables::{lead_event, merge};

fn hookproof(database: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    command.arg("leads").args(arguments).arg("--db").arg(database).env_remove("HOOKPROOF_CONFIG");
    command.output().unwrap()
}

#[track_caller]
fn says(database: &Path, arguments: &[&str]) -> String {
    let output = hookproof(database, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn with_leads(events: &[(&str, u64, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leads.db");
    drop(SqliteInbox::open(SqliteOptions::new(&path)).unwrap());
    let conn = Connection::open(&path).unwrap();
    for (kind, occurred, data) in events {
        merge(&Leads::new(), &conn, &lead_event(kind, *occurred, data)).unwrap();
    }
    (folder, path)
}

#[test]
fn leads_are_listed_and_shown_for_people_and_for_scripts() {
    let (_folder, path) = with_leads(&[
        (
            "lead.created",
            1,
            "{\"id\":\"L-1\",\n \"name\":\"Ada\\u001b[2J\",\"n\":9007199254740993,\"x\":1.10}",
        ),
        ("lead.merged", 2, r#"{"id":"L-2","merged_into":"L-1"}"#),
        ("lead.deleted", 3, r#"{"id":"L-3"}"#),
        ("lead_won", 4, r#"{"lead_id":"L-1"}"#),
        ("lead.scored", 5, r#"{"lead_id":"L-1","score":87}"#),
        ("note.created", 6, r#"{"id":"N-1","lead_id":"L-2","text":"hello"}"#),
        ("lead.sla_breached", 7, r#"{"lead_id":"L-2","minutes":90}"#),
        ("invoice.paid", 8, r#"{"amount":1}"#),
    ]);
    let list = says(&path, &["list"]);
    assert!(list.contains("L-1") && list.contains("won") && list.contains("Ada\u{fffd}[2J"), "{list}");
    assert!(!list.contains("L-2") && !list.contains("L-3") && !list.contains('\u{1b}'), "{list}");
    assert!(
        list.contains("crm: events of type 'invoice.paid' name no lead, the latest 2023-11-14T"),
        "{list}"
    );
    let elsewhere = &["list", "--source", "elsewhere"];
    let unknown = String::from_utf8(hookproof(&path, elsewhere).stderr).unwrap();
    assert!(unknown.contains("there is no source 'elsewhere'"), "{unknown}");
    let tally = "INSERT INTO tallies (source, state, events) VALUES ('elsewhere', 'done', 1)";
    Connection::open(&path).unwrap().execute(tally, []).unwrap();
    assert_eq!(says(&path, elsewhere), "No leads.\n");
    let all = says(&path, &["list", "--all"]);
    assert!(all.contains("merged into L-1") && all.contains("deleted"), "{all}");
    let lines = says(&path, &["list", "--all", "--json"]);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[0]["outcome"], &lines[1]["merged_into"], &lines[2]["deleted"]),
        (&"won".into(), &"L-1".into(), &true.into())
    );

    let shown = says(&path, &["show", "crm", "L-1"]);
    for part in [
        "L-1, won",
        "merged from  L-2",
        "applied      3 events",
        "87",
        "hello",
        "lead.sla_breached",
        "9007199254740993",
    ] {
        assert!(shown.contains(part), "{shown}\nlacks: {part}");
    }
    let json = says(&path, &["show", "crm", "L-1", "--json"]);
    assert!(
        json.contains(r#""n":9007199254740993"#) && json.contains(r#""x":1.10"#),
        "digits as they were: {json}"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["events"][3]["said"]["minutes"], 90);
    assert_eq!(json["merged_from"][0], "L-2");
}

#[test]
fn more_leads_than_a_page_are_all_listed() {
    let data: Vec<_> = (0..=Register::MAX_PAGE).map(|n| format!(r#"{{"id":"L-{n}"}}"#)).collect();
    let events: Vec<_> = data.iter().map(|data| ("lead.created", 1, data.as_str())).collect();
    let (_folder, path) = with_leads(&events);
    assert_eq!(says(&path, &["list", "--json"]).lines().count(), Register::MAX_PAGE + 1);
    assert_eq!(Register::open(&path).unwrap().page(None, false, ("", "")).unwrap().len(), Register::MAX_PAGE);
}

#[test]
fn what_is_not_there_is_named() {
    let (folder, path) = with_leads(&[]);
    assert_eq!(says(&path, &["list"]).trim(), "No leads.");
    for (database, arguments, why) in [
        (path.clone(), &["show", "crm", "L\u{1b}"][..], "no event of 'crm' named a lead 'L\u{fffd}'"),
        (folder.path().join("none.db"), &["list"], "none.db"),
    ] {
        let output = hookproof(&database, arguments);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(why), "{text}");
    }
    assert!(!folder.path().join("none.db").exists(), "looking makes no database");
}
