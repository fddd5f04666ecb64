//! A wrong key costs no events: what was refused under it is verified again, and processed exactly once. With the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(test)]
#[path = "support/process/mod.rs"]
mod process;

use std::process::Command;

use hookproof::{Key, Outgoing, Signer, UnixTime, schemes};
use hookproof_consumer::clock::{Clock as _, SystemClock};
use process::client::Client;
use process::letters::{KEY, SOURCE, Writer};
use process::server::{Server, Site, look, wait_until};
use serde_json::Value;

const WRONG: &str = "a key that is not the provider's";

/// Writes the configuration: `keys` for the source of the letters.
fn configure(site: &Site, keys: &str, quarantine: &str) {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[sources.{SOURCE}]\npath = \"/hooks/{SOURCE}\"\nscheme = \"{SOURCE}\"\n\
         keys = [{keys}]\n{quarantine}\n"
    );
    std::fs::write(site.config(), text).unwrap();
}

fn key(text: &str) -> String {
    format!("{{ id = \"k\", value = \"{text}\" }}")
}

/// The exit code of `hookproof`, and what it prints.
fn hookproof(site: &Site, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    let output = command.args(arguments).env("HOOKPROOF_CONFIG", site.config()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

#[track_caller]
fn json(site: &Site, arguments: &[&str]) -> Vec<Value> {
    let (code, text) = hookproof(site, arguments);
    assert_eq!(code, 0, "{arguments:?}: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `quarantine list` shows, without the totals.
fn held(site: &Site) -> Vec<Value> {
    let lines = json(site, &["quarantine", "list", "--json"]);
    lines.into_iter().filter(|line| !line["number"].is_null()).collect()
}

fn events(site: &Site, state: &str) -> u64 {
    let lines = json(site, &["status", "--json"]);
    lines.iter().filter(|line| line["state"] == state).map(|line| line["events"].as_u64().unwrap()).sum()
}

fn post(server: &Server, request: &[u8]) -> u16 {
    Client::connect(server.address).unwrap().post(request).unwrap()
}

/// Ten letters are refused under a wrong key and kept, also over a kill of the server.
fn ten_refused(site: &Site) -> Vec<Vec<u8>> {
    configure(site, &key(WRONG), "quarantine = {}");
    let writer = Writer::new().unwrap();
    let letters: Vec<_> = (0..10).map(|n| writer.about(&format!("lead-{n}"), n).unwrap().request).collect();
    let server = Server::start(site.serve());
    for letter in &letters {
        assert_eq!(post(&server, letter), 401);
    }
    wait_until("all are in quarantine", || held(site).len() == 10);
    server.kill();
    assert_eq!(held(site).len(), 10);
    letters
}

#[test]
fn what_was_refused_under_a_wrong_key_is_processed_exactly_once() {
    let site = Site::new();
    let letters = ten_refused(&site);

    // With the wrong key nothing changes.
    assert_eq!(
        hookproof(&site, &["quarantine", "verify", "--json"]),
        (1, "{\"still_signature_mismatch\":10}\n".to_owned())
    );
    configure(&site, &key(KEY), "quarantine = {}");
    let server = Server::start(site.serve());
    // The provider's own retry of two of them comes first.
    for letter in &letters[..2] {
        assert_eq!(post(&server, letter), 200);
    }
    assert_eq!(
        hookproof(&site, &["quarantine", "verify", "--dry-run", "--json"]),
        (0, "{\"would_accept\":10}\n".to_owned())
    );
    assert_eq!(held(&site).len(), 10, "nothing changed");
    let done = hookproof(&site, &["quarantine", "verify", "--actor", "ann", "--why", "fixed", "--json"]);
    assert_eq!(done, (0, "{\"accepted\":8,\"duplicate\":2}\n".to_owned()));
    assert_eq!(hookproof(&site, &["quarantine", "verify"]), (0, "Nothing is in quarantine.\n".to_owned()));
    // And its retry of the others last.
    for letter in &letters {
        assert_eq!(post(&server, letter), 200);
    }
    wait_until("all are done", || events(&site, "done") == 10);
    assert_eq!(server.stop().code(), Some(0));

    let sql = look(&site.database());
    let number = |query: &str| sql.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT COUNT(*) FROM events"), 10);
    assert_eq!(number("SELECT COUNT(*) FROM attempts"), 10, "each was processed once");
    let audited = "SELECT COUNT(*) FROM audit WHERE action = 'release' AND actor = 'ann' AND why LIKE 'request %: fixed'";
    assert_eq!(number(audited), 10);
    let totals = json(&site, &["quarantine", "list", "--json"]).remove(0);
    assert_eq!((&totals["held"], &totals["total"], &totals["released"]), (&0.into(), &10.into(), &10.into()));
}

/// A key is judged at the moment of receipt: one that became valid later proves nothing about what came before.
#[test]
fn a_key_counts_if_it_was_valid_at_receipt() {
    let site = Site::new();
    ten_refused(&site);
    let key = |field: &str, when: &str| format!("{{ id = \"k\", value = \"{KEY}\", {field} = \"{when}\" }}");
    let verify = || hookproof(&site, &["quarantine", "verify", "--dry-run", "--json"]);
    configure(&site, &key("not_before", "2999-01-01T00:00:00Z"), "");
    assert_eq!(verify(), (1, "{\"still_signature_mismatch\":10}\n".to_owned()));
    configure(&site, &key("not_after", "2000-01-01T00:00:00Z"), "");
    assert_eq!(verify(), (1, "{\"still_signature_mismatch\":10}\n".to_owned()));
    configure(&site, &key("not_after", "2999-01-01T00:00:00Z"), "");
    assert_eq!(verify(), (0, "{\"would_accept\":10}\n".to_owned()));
    // Valid yesterday, when they came, and not today; and the other way round.
    let database = look(&site.database());
    database.execute("UPDATE quarantine SET received_at = received_at - 2 * 86400000", []).unwrap();
    let yesterday = UnixTime::from_secs(SystemClock.now().as_secs() - 86_400);
    let yesterday =
        jiff::Timestamp::from_second(yesterday.as_secs().try_into().unwrap()).unwrap().to_string();
    configure(&site, &key("not_after", &yesterday), "");
    assert_eq!(verify(), (0, "{\"would_accept\":10}\n".to_owned()));
    configure(&site, &key("not_before", &yesterday), "");
    assert_eq!(verify(), (1, "{\"still_signature_mismatch\":10}\n".to_owned()));
    configure(&site, &key("not_after", "2999-01-01T00:00:00Z"), "");
    // Too old to be released, whatever the key: replay keys are not kept for ever.
    look(&site.database())
        .execute("UPDATE quarantine SET received_at = received_at - 7 * 86400000 WHERE number <= 4", [])
        .unwrap();
    assert_eq!(verify(), (1, "{\"too_old\":4,\"would_accept\":6}\n".to_owned()));
    let text = std::fs::read_to_string(site.config()).unwrap().replace(SOURCE, "klozeo");
    std::fs::write(site.config(), text).unwrap();
    assert_eq!(verify(), (1, "{\"source_not_configured\":10}\n".to_owned()));
    let (code, text) = hookproof(&site, &["quarantine", "verify", "--source", "nobody"]);
    assert!(code == 1 && text.contains("there is no source 'nobody': choose one of klozeo"), "{text}");
}

#[test]
fn only_what_a_key_could_cure_is_kept_and_only_where_it_is_wanted() {
    let site = Site::new();
    let writer = Writer::new().unwrap();
    let letter = String::from_utf8(writer.about("lead-1", 1).unwrap().request).unwrap();
    let headless: String =
        letter.split_inclusive("\r\n").filter(|line| !line.starts_with("x-signature")).collect();
    let compressed = letter.replace("host:", "content-encoding: gzip\r\nhost:");
    for (quarantine, kept) in [("", 0), ("quarantine = { max_rows = 2 }", 1)] {
        configure(&site, &key(WRONG), quarantine);
        let server = Server::start(site.serve());
        let answers = [&letter, &headless, &compressed].map(|request| post(&server, request.as_bytes()));
        assert_eq!(answers, [401, 401, 415]);
        // What was refused until the stop is written before the end.
        assert_eq!(server.stop().code(), Some(0));
        assert_eq!(held(&site).len(), kept);
    }
    let lines = json(&site, &["refusals", "--json"]);
    let rows: Vec<_> =
        lines.iter().map(|line| (line["reason"].as_str().unwrap(), &line["total"], &line["kept"])).collect();
    let two = Value::from(2);
    assert_eq!(
        rows,
        [
            ("missing_header", &two, &two),
            ("signature_mismatch", &two, &two),
            ("unsupported_content_encoding", &two, &two)
        ]
    );
    assert!(lines[1]["hint"].as_str().unwrap().contains("hookproof verify"));
    let (code, table) = hookproof(&site, &["refusals", "--source", SOURCE, "--since", "1h"]);
    assert!(code == 0 && table.contains("signature_mismatch") && table.contains("what to do"), "{table}");
    assert!(table.contains("; quarantine keeps what comes meanwhile"), "{table}");
    configure(&site, &key(WRONG), "");
    let (_, table) = hookproof(&site, &["refusals"]);
    let remedy = "none is kept, `quarantine = {}` in the source would keep what comes";
    assert!(table.contains(remedy) && !table.contains("meanwhile"), "{table}");
    let named = ["refusals", "--db", site.database().to_str().unwrap()].map(str::to_owned);
    let (_, table) = hookproof(&site, &named.each_ref().map(String::as_str));
    assert!(table.contains("on a copy") && !table.contains("keep"), "nobody knows: {table}");
    let (code, text) = hookproof(&site, &["refusals", "--source", "other"]);
    assert!(
        code == 1 && text.contains(&format!("there is no source 'other': choose one of {SOURCE}")),
        "{text}"
    );
    let list = json(&site, &["refusals", "--list", "--json", "--reason", "missing_header", "--limit", "1"]);
    assert_eq!((list.len(), &list[0]["peer"], &list[0]["method"]), (1, &"127.0.0.1".into(), &"POST".into()));
    let (code, text) = hookproof(&site, &["refusals", "--reason", "nonsense"]);
    assert!(code == 2 && text.contains("choose one of") && text.contains("signature_mismatch"), "{text}");
}

/// What a stranger sent moves no cursor, and is still there byte for byte.
#[test]
fn hostile_bytes_are_shown_escaped_and_kept_exact() {
    let site = Site::new();
    configure(&site, &key(WRONG), "quarantine = {}");
    let body = b"{\"a\":\"\x1b[2J\"}";
    let headers =
        Signer::new(&schemes::devsphere(), &Key::new("k", KEY)).unwrap().sign(&Outgoing::new(body)).unwrap();
    let signature = headers["x-signature"].to_str().unwrap();
    let mut request =
        format!("POST /hooks/{SOURCE}?q=%1b[2J HTTP/1.1\r\nhost: h\r\nx-signature: {signature}\r\nx-evil: ")
            .into_bytes();
    request.extend_from_slice(b"\xff\xe2\x80\xaeabc\xc2\x9b2J\r\ntransfer-encoding: chunked\r\n\r\n");
    request.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
    request.extend_from_slice(&[&body[..], b"\r\n0\r\n\r\n"].concat());
    let server = Server::start(site.serve());
    assert_eq!(post(&server, &request), 401);
    assert_eq!(server.stop().code(), Some(0));

    for arguments in
        [&["quarantine", "list"][..], &["quarantine", "show", "1"], &["refusals"], &["refusals", "--list"]]
    {
        let (code, text) = hookproof(&site, arguments);
        let plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(code == 0 && text.chars().all(plain), "{arguments:?}: {text:?}");
    }
    let (_, shown) = hookproof(&site, &["quarantine", "show", "1"]);
    assert!(shown.contains("x-evil: \u{fffd}\u{fffd}abc\u{fffd}2J"), "{shown}");
    // Raw, it is a request that `hookproof verify` reads: with the right key it is genuine.
    let mut raw = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    let raw = raw
        .args(["quarantine", "show", "1", "--raw"])
        .env("HOOKPROOF_CONFIG", site.config())
        .output()
        .unwrap();
    let copy = site.file("request.txt");
    std::fs::write(&copy, &raw.stdout).unwrap();
    configure(&site, &key(KEY), "quarantine = {}");
    let (code, told) = hookproof(&site, &["verify", copy.to_str().unwrap(), "--source", SOURCE]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(hookproof(&site, &["quarantine", "verify", "--json"]), (0, "{\"accepted\":1}\n".to_owned()));
    let (code, exact) = hookproof(&site, &["dlq", "show", "1", "--body"]);
    assert_eq!((code, exact.as_bytes()), (0, &body[..]));

    // Purging needs a reason and a selection.
    let (code, text) = hookproof(&site, &["quarantine", "purge", "--all"]);
    assert!(code == 2 && text.contains("--why"), "{text}");
    let (code, text) = hookproof(&site, &["quarantine", "purge", "--why", "x"]);
    assert!(code == 2 && text.contains("--all"), "{text}");
    assert_eq!(
        hookproof(&site, &["quarantine", "purge", "--all", "--why", "x"]),
        (0, "purge: 0 requests\n".to_owned())
    );
    let (code, text) = hookproof(&site, &["quarantine", "show", "1"]);
    assert!(code == 1 && text.contains("there is no request 1 in quarantine"), "{text}");
}
