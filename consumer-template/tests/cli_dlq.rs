//! The commands for dead letters as a person and a script meet them: texts, exit codes, files.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output, Stdio};

use hookproof_consumer::event::DeadReason;
use hookproof_consumer::inbox::{By, Operator as _};
use hookproof_consumer::retry::Outcome;
use serde_json::Value;
use support::{Sent, Sqlite, accept, at, claim_one, sent, settle};

fn command(backend: &Sqlite, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    command.args(arguments).arg("--db").arg(backend.options.path());
    command.env("USER", "ann").env_remove("HOOKPROOF_CONFIG").env_remove("HOOKPROOF_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn output(backend: &Sqlite, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(backend, arguments).output().unwrap();
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

#[track_caller]
fn succeeds(backend: &Sqlite, arguments: &[&str]) -> String {
    let (code, out, err) = output(backend, arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    out
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "says: {text}\nlacks: {part}");
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

async fn dies(backend: &Sqlite, delivery: &Sent, error: &str) {
    accept(backend.inbox(), delivery).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    settle(backend, &claimed, Outcome::Dead { reason: DeadReason::Permanent, error: error.to_owned() }, 12)
        .await;
}

/// Three that died of one failure, one of another, and one that was malformed.
async fn five() -> Sqlite {
    let backend = Sqlite::start();
    for n in 1..=3 {
        dies(&backend, &sent(n).key("lead-1"), &format!("no lead {n}")).await;
    }
    dies(&backend, &sent(4).to("shop"), "the \x1b[31mCRM is down").await;
    accept(backend.inbox(), &sent(5).malformed("not JSON")).await;
    backend
}

fn group_of(backend: &Sqlite, event: &str) -> String {
    json(&succeeds(backend, &["dlq", "show", event, "--json"]))["group"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_say_what_dead_letters_have_in_common() {
    let backend = five().await;
    let table = succeeds(&backend, &["dlq", "groups"]);
    says(
        &table,
        &["no lead 3", "the \u{fffd}[31mCRM is down", "not JSON", group_of(&backend, "1").split_at(8).0],
    );
    assert!(!table.contains('\x1b') && !table.contains("no lead 2"), "{table}");
    let lines = succeeds(&backend, &["dlq", "groups", "--json", "--limit", "1"]);
    let group = json(&lines);
    assert_eq!((group["events"].as_u64(), group["reason"].as_str()), (Some(3), Some("permanent")));
    assert_eq!(group["first_died_at"], "2023-11-14T22:13:20.012Z");
    let (_, _, more) = output(&backend, &["dlq", "groups", "--limit", "1"]);
    says(&more, &["The largest 1 of 3; --limit lists more."]);
    assert_eq!(succeeds(&backend, &["dlq", "groups", "--type", "nothing"]), "No dead letters.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_named_by_the_beginning_of_its_fingerprint() {
    let backend = five().await;
    let group = group_of(&backend, "2");
    let list = succeeds(&backend, &["dlq", "list", "--json", "--group", group.split_at(8).0]);
    let events: Vec<_> = list.lines().map(|line| json(line)["event"].as_i64().unwrap()).collect();
    assert_eq!(events, [1, 2, 3]);
    let none = if group.starts_with("00") { "11111111" } else { "00000000" };
    let (code, _, err) = output(&backend, &["dlq", "list", "--group", none]);
    assert_eq!(code, 1);
    says(&err, &["error: no dead letter is in a group that begins with", "hookproof dlq groups"]);
    let (code, _, err) = output(&backend, &["dlq", "discard", "--why", "x", "--group", "no lead"]);
    assert_eq!(code, 2);
    says(&err, &["--group", "1 to 16 of the digits 0-9 and a-f"]);
    // With as many groups as digits and one more, two begin alike.
    for n in 0..17_u8 {
        let error = "x".repeat(usize::from(n) + 1);
        dies(&backend, &sent(format!("more_{n}")), &error).await;
    }
    let groups = succeeds(&backend, &["dlq", "groups", "--json"]);
    let mut first: Vec<_> =
        groups.lines().map(|line| json(line)["group"].as_str().unwrap().split_at(1).0.to_owned()).collect();
    first.sort();
    let twice = first.windows(2).find(|pair| pair[0] == pair[1]).unwrap()[0].clone();
    let (code, _, err) = output(&backend, &["dlq", "replay", "--group", &twice]);
    assert_eq!(code, 1);
    says(&err, &["several groups begin with", "type more of its digits"]);
    assert_eq!(succeeds(&backend, &["audit"]), "Nothing was done.\n", "none of these did anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_as_long_as_a_person_reads_and_a_script_gets_all() {
    let backend = Sqlite::start();
    for n in 0..120 {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let (code, table, more) = output(&backend, &["dlq", "list"]);
    assert_eq!((code, table.lines().filter(|line| line.contains("malformed")).count()), (0, 100));
    says(&more, &["The oldest 100 of 120.", "dlq groups", "--limit"]);
    assert_eq!(succeeds(&backend, &["dlq", "list", "--json"]).lines().count(), 120);
    assert_eq!(succeeds(&backend, &["dlq", "list", "--json", "--limit", "7"]).lines().count(), 7);
    let (_, all, quiet) = output(&backend, &["dlq", "list", "--limit", "120"]);
    assert_eq!((all.lines().filter(|line| line.contains("malformed")).count(), quiet.as_str()), (120, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_would_be_done_and_does_nothing() {
    let backend = five().await;
    let shown = succeeds(&backend, &["dlq", "replay", "--all", "--dry-run"]);
    says(&shown, &["Would replay 5 dead letters. Nothing was changed.", "The oldest of them:", "malformed"]);
    let line = json(&succeeds(&backend, &["dlq", "discard", "--all", "--why", "x", "--dry-run", "--json"]));
    assert_eq!(
        (&line["action"], &line["events"], &line["dry_run"]),
        (&"discard".into(), &5.into(), &true.into())
    );
    assert_eq!(line["selected"][0]["events"], 1);
    let shown = succeeds(&backend, &["dlq", "replay", "--type", "nothing", "--dry-run"]);
    assert_eq!(shown, "Nothing to replay: no dead letter is selected.\n");
    backend
        .inbox()
        .discard(hookproof_consumer::event::EventNo(5), By::new("bob", "noise"), at(1))
        .await
        .unwrap();
    let (code, out, err) = output(&backend, &["dlq", "replay", "1", "5", "77", "--dry-run"]);
    assert_eq!(code, 1, "as the run itself would");
    says(&out, &["would replay event 1\n", "Would replay 1 dead letters, 2 not. Nothing was changed."]);
    says(&err, &["event 5 is discarded", "there is no event 77"]);
    assert_eq!(succeeds(&backend, &["dlq", "list", "--json"]).lines().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_did_is_told_and_in_the_audit_log() {
    let backend = five().await;
    let group = group_of(&backend, "1");
    let replay = ["dlq", "replay", "--group", &group, "--why", "CRM is back", "--rate", "1000/s"];
    assert_eq!(succeeds(&backend, &replay), "replay: 3 done, 0 not\n");
    let discard = ["dlq", "discard", "4", "1", "--why", "test", "--actor", "bob\x1b[2J", "--json"];
    let (code, out, err) = output(&backend, &discard);
    assert_eq!(code, 1, "one of them was not dead any more");
    assert_eq!(
        json(&out),
        serde_json::json!({"action": "discard", "done": 1, "overtaken": 0, "not": 1, "stopped": false})
    );
    says(&err, &["error: event 1 is pending"]);
    let log = succeeds(&backend, &["audit"]);
    says(&log, &["ann", "CRM is back", "bob\u{fffd}[2J", "discard", "shop"]);
    let lines = succeeds(&backend, &["audit", "--action", "replay", "--since", "2h", "--json"]);
    let events: Vec<_> = lines.lines().map(|line| json(line)["event"].as_i64().unwrap()).collect();
    assert_eq!(events, [3, 2, 1], "the newest first");
    let (_, newest, more) = output(&backend, &["audit", "--limit", "1"]);
    says(&newest, &["bob"]);
    says(&more, &["Only the newest 1; --limit lists more."]);
    assert_eq!(succeeds(&backend, &["audit", "--until", "2h ago"]), "Nothing was done.\n");
}

#[test]
fn what_cannot_be_meant_is_code_2_and_says_what_can() {
    let backend = Sqlite::start();
    for (arguments, wanted) in [
        (&["dlq", "replay", "--all", "--rate", "50"][..], "50/s or 600/m"),
        (&["dlq", "list", "--received-after", "yesterday"], "2026-11-20T18:03:11Z, or an age such as"),
        (&["dlq", "discard", "--source", "crm"], "--why"),
        (&["dlq", "replay", "1", "--group", "ab"], "cannot be used with"),
        (&["dlq", "list", "--superseded", "--group", "ab"], "cannot be used with"),
        (&["audit", "--limit", "0"], "--limit"),
    ] {
        let (code, _, err) = output(&backend, arguments);
        assert_eq!(code, 2, "{arguments:?}");
        says(&err, &[wanted]);
    }
    for help in [&["audit", "--help"][..], &["dlq", "replay", "--help"], &["dlq", "export", "--help"]] {
        assert_eq!(output(&backend, help).0, 0, "{help:?}");
    }
}

/// Ctrl-C ends it between two dead letters, and it says how far it came.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_stopped_says_what_is_done() {
    let backend = Sqlite::start();
    for n in 0..200 {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let replay = command(&backend, &["dlq", "replay", "--all", "--rate", "20/s"]).spawn().unwrap();
    let pending =
        async || backend.inbox().counts().await.unwrap().of(hookproof_consumer::event::State::Pending);
    while pending().await < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let interrupted = Command::new("kill").args(["-INT", &replay.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = replay.wait_with_output().unwrap();
    let done = pending().await;
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(130), format!("replay: {done} done, 0 not\n"))
    );
    says(&text(&output.stderr), &["Stopped. Run it again to go on."]);
    assert!(done < 200);
    let rest = succeeds(&backend, &["dlq", "replay", "--all"]);
    assert_eq!(rest, format!("replay: {} done, 0 not\n", 200 - done));
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_its_name_when_it_is_whole() {
    let backend = five().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.csv");
    let name = path.to_str().unwrap();
    let export = ["dlq", "export", "--csv", "--reason", "permanent", "--output", name];
    let (code, _, err) = output(&backend, &export);
    assert_eq!(code, 0, "{err}");
    says(&err, &["4 dead letters written to"]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(csv::Reader::from_path(&path).unwrap().records().map(Result::unwrap).count(), 4);
    let (code, _, err) = output(&backend, &export);
    assert_eq!(code, 1);
    says(&err, &["dead.csv", "an existing file is not overwritten"]);
    let there = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(there(), 1, "nothing is left beside it");
    assert_eq!(succeeds(&backend, &["dlq", "export", "--jsonl"]).lines().count(), 5);
    // What goes wrong on the way leaves no file of that name, and none beside it.
    backend
        .sql()
        .execute_batch("UPDATE payloads SET body = x'00' WHERE event = 5; DROP TABLE attempts")
        .unwrap();
    let path = folder.path().join("broken.jsonl");
    let (code, _, err) = output(&backend, &["dlq", "export", "--jsonl", "--output", path.to_str().unwrap()]);
    assert_eq!(code, 1);
    says(&err, &["no such table"]);
    assert_eq!(there(), 1);
}

/// The most memory that a process has used so far, in bytes.
fn peak_memory(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// 48 MiB of dead letters go through a process that never has more than a few of them: looked at when all but the last are out.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_row_by_row_however_much_there_is() {
    const BODY: usize = 1 << 20;
    const EVENTS: usize = 48;
    let backend = Sqlite::start();
    for n in 0..EVENTS {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let fill = "UPDATE payloads SET body = CAST(replace(hex(zeroblob(524288)), '0', 'x') AS BLOB)";
    backend.sql().execute_batch(fill).unwrap();
    for format in ["--csv", "--jsonl"] {
        let mut export = command(&backend, &["dlq", "export", format]).spawn().unwrap();
        let mut out = export.stdout.take().unwrap();
        let mut read = vec![0; 1 << 16];
        let mut bytes = 0;
        while bytes < (EVENTS - 1) * BODY {
            bytes += out.read(&mut read).unwrap();
        }
        let peak = peak_memory(&export);
        assert!(peak < 40 << 20, "{format}: {} MiB", peak >> 20);
        bytes += out.read_to_end(&mut Vec::new()).unwrap();
        assert!(bytes > EVENTS * BODY);
        assert!(export.wait().unwrap().success());
        println!("{format}: {} MiB of memory for {} MiB", peak >> 20, bytes >> 20);
    }
}
