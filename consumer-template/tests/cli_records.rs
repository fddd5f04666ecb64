//! What the command line says of deliveries, of the store, and of what was purged.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hookproof::Refusal;
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::event::DeadReason;
use hookproof_consumer::inbox::{
    Inbox, Keep, KeepRefused as _, Operator, Purge, RefusalsOfSource, Retention,
};
use hookproof_consumer::retry::Outcome;
use serde_json::Value;
use support::{NOW, Sqlite, accept, at, claim_one, sent};

const DAY: Duration = Duration::from_secs(86_400);

/// Exit code, standard output, standard error.
fn hookproof(backend: &Sqlite, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hookproof"))
        .args(arguments)
        .arg("--db")
        .arg(backend.options.path())
        .env_remove("HOOKPROOF_CONFIG")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn succeeds(backend: &Sqlite, arguments: &[&str]) -> String {
    let (code, out, error) = hookproof(backend, arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{error}");
    out
}

/// So many milliseconds after the time of the tests it is now.
fn now() -> u64 {
    SystemClock.now().as_millis() - NOW
}

async fn keep(backend: &Sqlite, days: u32) {
    let keep = Keep { payload: DAY, replay_key: Some(DAY * days), position: DAY * days };
    let others = Keep { replay_key: None, ..keep };
    let retention = Retention { sources: vec![(Arc::from("crm"), keep)], others, deliveries: DAY };
    backend.inbox().set_retention(retention).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_tells_before_it_does_and_what_is_purged_says_so() {
    let backend = Sqlite::start();
    assert_eq!(hookproof(&backend, &["purge"]).0, 2, "one of two has to be said");
    let (code, _, error) = hookproof(&backend, &["purge", "--now"]);
    assert!(code == 1 && error.contains("start the server once"), "{error}");
    keep(&backend, 100_000).await;
    let number = accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    backend.inbox().settle(&claimed.lease, Outcome::Done, at(0)).await.unwrap();
    let told = succeeds(&backend, &["purge", "--dry-run"]);
    assert!(told.contains("due: 1 payloads") && told.contains("nothing changed"), "{told}");
    assert!(succeeds(&backend, &["dlq", "show", "1", "--body"]).contains("lead.created"));
    let did = succeeds(&backend, &["purge", "--now"]);
    assert!(did.contains("purged: 1 payloads (23 B), 0 events"), "{did}");
    let (code, out, error) = hookproof(&backend, &["dlq", "show", "1", "--body"]);
    assert!(code == 1 && out.is_empty() && error.contains("body of event 1 was purged at 20"), "{error}");
    let shown = succeeds(&backend, &["dlq", "show", "1"]);
    assert!(shown.contains("purged at 20") && shown.contains("after its retention"), "{shown}");
    let json: Value = serde_json::from_str(&succeeds(&backend, &["dlq", "show", "1", "--json"])).unwrap();
    assert!(json["purged_at"].is_string(), "{json}");
    let json: Value = serde_json::from_str(&succeeds(&backend, &["purge", "--now", "--json"])).unwrap();
    assert_eq!((json["payloads"].as_u64(), json["dry_run"].as_bool()), (Some(0), Some(false)));
    assert!(backend.inbox().show(number).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_of_the_store_too() {
    let backend = Sqlite::start();
    keep(&backend, 7).await;
    accept(backend.inbox(), &sent("msg_1")).await;
    let text = succeeds(&backend, &["status"]);
    for part in
        ["write-ahead log", "23 B in 1", "oldest pending", "2023-11-14", "replay keys 7 days", "for ever"]
    {
        assert!(text.contains(part), "{text}\nlacks {part}");
    }
    let lines = succeeds(&backend, &["status", "--json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["source"].as_str(), lines.len()), (Some("crm"), 2));
    let store = &lines[1]["store"];
    assert!(store["database_bytes"].as_u64().unwrap() > 4096 && store["log_bytes"].as_u64().unwrap() > 0);
    assert_eq!((store["payloads"].as_u64(), store["payload_bytes"].as_u64()), (Some(1), Some(23)));
    assert_eq!(store["oldest"]["pending"], "2023-11-14T22:13:20Z");
    assert_eq!(store["retention"]["sources"]["crm"]["replay_key_seconds"], 7 * 86_400);
    assert!(store["retention"]["others"]["replay_key_seconds"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_for_people_and_scripts() {
    let backend = Sqlite::start();
    assert_eq!(succeeds(&backend, &["deliveries"]), "No deliveries.\n");
    let recent = now() - 60_000;
    accept(backend.inbox(), &sent("msg_0").to("shop").received(0)).await;
    for nth in 0..3 {
        let incoming = sent("msg_1").received(recent + nth).incoming().with_skew(Some(-1_500));
        backend.inbox().accept(incoming).await.unwrap();
    }
    backend.inbox().note_answers().await.unwrap();
    let text = succeeds(&backend, &["deliveries", "--limit", "2"]);
    for part in ["duplicate", "pending", "-1.5 s", " ms", "2026-11", "The latest 2; --limit shows more."] {
        assert!(text.contains(part), "{text}\nlacks {part}");
    }
    let lines = |arguments: &[&str]| {
        let out = succeeds(&backend, &[&["deliveries", "--json"], arguments].concat());
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]).len(), 4);
    assert_eq!(lines(&["--since", "2h"]).len(), 3);
    assert_eq!(lines(&["--source", "shop"]).len(), 1);
    let of_event = lines(&["--event", "2"]);
    let answers: Vec<_> = of_event.iter().map(|line| line["answer"].as_str().unwrap()).collect();
    assert_eq!(answers, ["duplicate", "duplicate", "new"]);
    assert_eq!(
        (of_event[0]["skew_ms"].as_i64(), of_event[0]["found_state"].as_str()),
        (Some(-1_500), Some("pending"))
    );
    assert!(of_event[2]["ack_ms"].as_f64().unwrap() > 0.0);
    let shown = succeeds(&backend, &["dlq", "show", "2"]);
    assert_eq!(shown.matches("duplicate").count(), 2, "{shown}");
    assert_eq!(hookproof(&backend, &["deliveries", "--since", "soon"]).0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn report_tells_cron_by_its_exit_status() {
    let backend = Sqlite::start();
    let (code, out, _) = hookproof(&backend, &["report"]);
    assert!(code == 2 && out.contains("nothing can be told"), "{out}");
    let missing = ["report", "--config", "/nowhere.toml"];
    let output = Command::new(env!("CARGO_BIN_EXE_hookproof")).args(missing).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "no store");
    let recent = now() - 60_000;
    for n in 0..19 {
        let incoming = sent(n).received(recent + n).incoming().with_skew(Some(2_000));
        backend.inbox().accept(incoming).await.unwrap();
    }
    backend.inbox().note_answers().await.unwrap();
    let text = succeeds(&backend, &["report"]);
    for part in ["crm", "100.00 %", "+2.0 s", "2026-11", "0 (+0)"] {
        assert!(text.contains(part), "{text}\nlacks {part}");
    }
    // 19 of 20 is 95 %; one more that nobody was told of is less.
    accept(backend.inbox(), &sent("a").received(recent)).await;
    succeeds(&backend, &["report"]);
    let claimed = claim_one(backend.inbox(), at(recent + 100)).await;
    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    backend.inbox().settle(&claimed.lease, dead, at(recent + 100)).await.unwrap();
    accept(backend.inbox(), &sent("b").received(recent)).await;
    let (code, out, _) =
        hookproof(&backend, &["report", "--json", "--max-new-dead", "0", "--max-skew", "1.5"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let crm = &json["sources"][0];
    assert_eq!((code, crm["deliveries"].as_u64(), crm["unanswered"].as_u64()), (1, Some(21), Some(2)));
    let missed: Vec<_> =
        crm["missed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(missed, ["success_percent", "new_dead", "skew_p99_ms"]);
    succeeds(&backend, &["report", "--min-success", "90"]);
    let (code, out, _) = hookproof(&backend, &["report", "--min-success", "90", "--max-ack", "0"]);
    assert!(code == 1 && out.contains("MISSED  crm: the mean ack latency is"), "{out}");
    accept(backend.inbox(), &sent("c").to("other").received(0)).await;
    assert_eq!(hookproof(&backend, &["report", "--source", "other"]).0, 2, "nothing to judge by");
    assert_eq!(hookproof(&backend, &["report", "--min-success", "101"]).0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn report_counts_what_was_refused_in_its_time_and_does_not_judge_it() {
    let backend = Sqlite::start();
    let recent = now() - 120_000;
    let note = async |source: &str, refusal, requests, until| {
        let counts = vec![(refusal, requests)];
        let batch = RefusalsOfSource { source: source.into(), until: at(until), counts, samples: Vec::new() };
        backend.inbox().note_refusals(vec![batch], 10).await.unwrap();
    };
    note("crm", Refusal::SignatureMismatch, 5_000, recent).await;
    note("crm", Refusal::MissingHeader, 7, recent).await;
    note("crm", Refusal::MissingHeader, 90, recent - 3 * 86_400_000).await;
    note("\u{202e}shop", Refusal::MissingHeader, 1, recent).await;
    let (code, text, _) = hookproof(&backend, &["report"]);
    assert_eq!(code, 2, "refusals are no deliveries to judge by");
    assert!(text.contains("signature_mismatch") && text.contains("\u{fffd}shop"), "{text}");
    accept(backend.inbox(), &sent("a").received(recent)).await;
    backend.inbox().note_answers().await.unwrap();
    let (code, out, _) = hookproof(&backend, &["report", "--json", "--source", "crm"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let refused = |json: &Value| -> Vec<_> {
        let list = json["sources"][0]["refused"].as_array().unwrap().iter();
        list.map(|one| (one["reason"].as_str().unwrap().to_owned(), one["requests"].as_u64().unwrap()))
            .collect()
    };
    let pair = |reason: &str, requests| (reason.to_owned(), requests);
    assert_eq!(code, 0, "a stranger cannot spoil the figure");
    assert_eq!(refused(&json), [pair("signature_mismatch", 5_000), pair("missing_header", 7)]);
    let last: jiff::Timestamp =
        json["sources"][0]["refused"][0]["last_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(last.as_millisecond() / 1_000, i64::try_from(at(recent).as_millis() / 1_000).unwrap());
    let week = succeeds(&backend, &["report", "--json", "--source", "crm", "--since", "7d"]);
    let json: Value = serde_json::from_str(&week).unwrap();
    assert_eq!(refused(&json)[1], pair("missing_header", 97));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_says_which_key_is_not_used_any_more() {
    let backend = Sqlite::start();
    let text = |backend: &Sqlite| succeeds(backend, &["report", "--since", "7d"]);
    let recent = now() - 60_000;
    accept(backend.inbox(), &sent("a").received(recent - 80 * 3_600_000)).await;
    backend.sql().execute("UPDATE deliveries SET key_id = '2025-01', ack_us = 1", []).unwrap();
    assert!(!text(&backend).contains("safe to remove"), "it is the only one");
    accept(backend.inbox(), &sent("b").received(recent)).await;
    backend.inbox().note_answers().await.unwrap();
    let report = text(&backend);
    assert_eq!(report.matches("unused for 80 h: safe to remove").count(), 1, "{report}");
    assert!(
        !succeeds(&backend, &["report", "--since", "7d", "--unused-hours", "90"]).contains("safe to remove")
    );
}

/// A name that was mistyped must not read as if all were well.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_there_is_not_is_an_error_and_one_that_was_removed_is_none() {
    let commands = [
        &["dlq", "list"][..],
        &["dlq", "groups"],
        &["dlq", "replay", "--dry-run"],
        &["dlq", "discard", "--dry-run", "--why", "x"],
        &["dlq", "export", "--csv"],
        &["refusals"],
        &["deliveries"],
        &["audit"],
        &["quarantine", "list"],
        &["quarantine", "purge", "--dry-run", "--why", "x"],
        &["leads", "list"],
        &["report", "--max-ack", "9"],
    ];
    let backend = Sqlite::start();
    let (code, _, error) = hookproof(&backend, &["dlq", "list", "--source", "crm"]);
    assert!(code == 1 && error.contains("no source 'crm': start the server once"), "{error}");
    accept(backend.inbox(), &sent("msg_1")).await;
    accept(backend.inbox(), &sent("msg_2").to("shop")).await;
    backend.inbox().configure(Vec::new(), at(1)).await.unwrap();
    for command in commands {
        let judges = command.contains(&"report");
        let (code, out, error) = hookproof(&backend, &[command, &["--source", "cmr\x1b"]].concat());
        assert_eq!((code, out.as_str()), (if judges { 2 } else { 1 }, ""), "{command:?}: {error}");
        assert_eq!(error, "error: there is no source 'cmr\\u{1b}': choose one of crm, shop\n", "{command:?}");
        let (code, _, error) = hookproof(&backend, &[command, &["--source", "crm"]].concat());
        assert_eq!(
            (code, error.as_str()),
            (if judges { 2 } else { 0 }, ""),
            "{command:?}: removed, not unknown"
        );
    }
}

/// One that was just written into the configuration has nothing yet, and that is the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_only_the_configuration_knows_is_one() {
    let backend = Sqlite::start();
    let path = backend.options.path().with_file_name("hookproof.toml");
    let file = backend.options.path().file_name().unwrap().to_str().unwrap();
    let text = format!(
        "store.path = \"{file}\"\n[sources.fresh]\npath = \"/f\"\nscheme = \"github\"\nkeys = [{{ id = \"k\", env = \"NONE\" }}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let list = |source: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
        let output =
            command.args(["dlq", "list", "--source", source, "--config"]).arg(&path).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(list("fresh"), "No dead letters.\n");
    assert_eq!(list("frehs"), "error: there is no source 'frehs': choose one of fresh\n");
}
