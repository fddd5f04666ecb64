//! The command line as a person and a script meet it: texts, exit codes, JSON.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

fn hookproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hookproof"))
        .args(arguments)
        .env_remove("HOOKPROOF_CONFIG")
        .env_remove("HOOKPROOF_LOG")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_succeeds(arguments: &[&str]) -> String {
    let output = hookproof(arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Fails with this exit code, and says this on standard error.
#[track_caller]
fn assert_fails(arguments: &[&str], code: i32, wanted: &[&str]) {
    let output = hookproof(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    for part in wanted {
        assert!(message.contains(part), "{arguments:?}\n  says: {message}\n  lacks: {part}");
    }
}

fn config(folder: &Path, more: &str) -> String {
    let path = folder.join("hookproof.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:1\"\n[sources.github]\npath = \"/hooks/github\"\nscheme = \"github\"\n\
         keys = [{{ id = \"k\", value = \"0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b\" }}]\n{more}"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The main job, as a newcomer first sees it.
#[test]
fn the_demo_keeps_its_promises() {
    let story = assert_succeeds(&["demo"]);
    assert!(story.contains("promises kept") && !story.contains("BROKEN"), "{story}");
    for part in ["answered 200", "401", "dead letter", "exactly once", "14 events done, 1 dead letter"] {
        assert!(story.contains(part), "{story}\nlacks: {part}");
    }
}

#[test]
fn help_has_examples() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["send", "--help"],
        &["dlq", "--help"],
        &["source", "--help"],
        &["refusals", "--help"],
        &["quarantine", "--help"],
        &["check-config", "--help"],
        &["leads", "--help"],
        &["dlq", "groups", "--help"],
        &["dlq", "replay", "--help"],
        &["dlq", "discard", "--help"],
        &["dlq", "export", "--help"],
        &["quarantine", "verify", "--help"],
        &["quarantine", "purge", "--help"],
        &["source", "pause", "--help"],
        &["source", "resume", "--help"],
    ] {
        let help = assert_succeeds(arguments);
        let own = format!("\n  hookproof {}", arguments.split_last().unwrap().1.join(" "));
        let own = if arguments[0] == "serve" { "\n  KLOZEO_SECRET=" } else { &own };
        assert!(help.contains("Examples:\n") && help.contains(own), "{arguments:?}: {help}");
    }
}

/// A paragraph is broken where the terminal ends, and nowhere else.
#[test]
fn help_is_broken_once() {
    for width in [60, 80, 100] {
        let output = Command::new(env!("CARGO_BIN_EXE_hookproof"))
            .args(["dlq", "replay", "--help"])
            .env("COLUMNS", width.to_string())
            .output()
            .unwrap();
        let help = text(&output.stdout);
        let (_, paragraph) = help.split_once("Between two dead letters").unwrap();
        let (paragraph, _) = paragraph.split_once("\n\n").unwrap();
        let lines: Vec<_> =
            format!("Between two dead letters{paragraph}").lines().map(str::to_owned).collect();
        assert!(lines.len() > 2, "{help}");
        for pair in lines.windows(2) {
            let next = pair[1].split(' ').next().unwrap();
            let fits = pair[0].len() + 1 + next.len() <= width;
            assert!(pair[0].len() <= width && !fits, "{width}: {help}");
        }
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(assert_succeeds(&["completions", shell]).contains("check-config"), "{shell}");
    }
}

#[test]
fn schemes_are_listed_for_people_and_scripts() {
    assert!(assert_succeeds(&["schemes"]).contains("x-github-delivery (not signed)"));
    let lines = assert_succeeds(&["schemes", "--json"]);
    let names: Vec<_> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names, hookproof::Scheme::all().map(|scheme| scheme.name().to_owned()).collect::<Vec<_>>());
}

#[test]
fn check_config_says_what_holds_and_what_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let good = config(folder.path(), "");
    assert!(assert_succeeds(&["check-config", "--config", &good]).contains("The configuration holds."));
    let dated = config(
        folder.path(),
        "[sources.stripe]\npath = \"/s\"\nscheme = \"stripe\"\ntolerance_seconds = 259500\n\
         keys = [{ id = \"k\", value = \"whsec_0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b\" }]\n",
    );
    let told = assert_succeeds(&["check-config", "--config", &dated]);
    assert!(told.contains("signed time, 3 d 5 min back") && !told.contains("259500"), "{told}");
    let good = config(folder.path(), "");
    let json: serde_json::Value =
        serde_json::from_str(&assert_succeeds(&["check-config", "--config", &good, "--json"])).unwrap();
    assert_eq!(json["sources"][0]["keys"][0], "k");
    let bad = config(folder.path(), "tolerance_seconds = 0\n");
    assert_fails(
        &["check-config", "--config", &bad],
        1,
        &["error: sources.github.tolerance_seconds", "no timestamp"],
    );
    assert_fails(&["check-config", "--config", "nowhere.toml"], 1, &["cannot read nowhere.toml", "--config"]);
}

/// A configuration that does not hold stops the server before it opens a port or a database.
#[test]
fn serve_refuses_a_bad_configuration_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let bad = config(folder.path(), "body_limit_bytes = 0\n");
    assert_fails(&["serve", "--config", &bad], 1, &["sources.github.body_limit_bytes"]);
    assert!(!folder.path().join("hookproof.db").exists());
}

#[test]
fn a_missing_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), "");
    for arguments in [&["dlq", "list"][..], &["status"], &["dlq", "show", "1"], &["dlq", "export", "--csv"]] {
        let arguments = [arguments, &["--config", &file]].concat();
        assert_fails(&arguments, 1, &["cannot open", "`hookproof serve` once", "--db"]);
        let said = text(&hookproof(&arguments).stderr);
        let path = folder.path().join("hookproof.db");
        assert_eq!(
            (said.matches(path.to_str().unwrap()).count(), said.matches("open").count()),
            (1, 1),
            "{said}"
        );
    }
    let mut relative = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    let output = relative.current_dir(folder.path()).args(["status", "--db", "nowhere.db"]).output().unwrap();
    let whole = folder.path().join("nowhere.db");
    assert!(text(&output.stderr).contains(whole.to_str().unwrap()), "{}", text(&output.stderr));
}

#[test]
fn a_command_line_that_cannot_be_read_is_code_2() {
    assert_fails(
        &["dlq", "replay"],
        2,
        &["required", "EVENTS", "--all", "--source", "--group", "--received-before"],
    );
    assert_fails(&["dlq", "discard", "1"], 2, &["--why"]);
    assert_fails(&["dlq", "discard", "1", "--why", ""], 2, &["--why"]);
    assert_fails(&["dlq", "replay", "1", "--source", "github"], 2, &["cannot be used with"]);
    assert_fails(
        &["dlq", "list", "--reason", "boring"],
        2,
        &["malformed, conflict, attempts_exhausted, permanent"],
    );
    assert_fails(&["dlq", "export"], 2, &["<--csv|--jsonl>"]);
    assert_fails(&["dlq", "export", "--csv", "--jsonl"], 2, &["cannot be used with"]);
    assert_fails(&["purge"], 2, &["<--dry-run|--now>"]);
    assert_fails(&["purge", "--now", "--dry-run"], 2, &["cannot be used with"]);
    assert_fails(&["send", "--count", "0"], 2, &["--count"]);
    assert_fails(&["nonsense"], 2, &["unrecognized subcommand"]);
}

#[test]
fn send_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), "");
    assert_fails(&["send"], 1, &["--source (and --config), or --scheme, --url and a key"]);
    assert_fails(&["send", "--scheme", "githbu"], 1, &["no preset 'githbu'", "hookproof schemes"]);
    assert_fails(&["send", "--scheme", "github"], 1, &["--url is missing"]);
    assert_fails(
        &["send", "--scheme", "github", "--url", "http://127.0.0.1:1/"],
        1,
        &["--key-env or --key-file"],
    );
    assert_fails(&["send", "--config", &file, "--source", "gitlab"], 1, &["no source 'gitlab'", "github"]);
    // Nobody listens on port 1: the summary says so, and the exit code too.
    let output = hookproof(&["send", "--config", &file, "--source", "github", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["unanswered"].as_u64(), json["unexpected"].as_u64()), (Some(1), Some(1)));
    assert_fails(
        &["send", "--source", "github", "--config", "nowhere.toml"],
        1,
        &["cannot read nowhere.toml"],
    );
    assert!(json["first_error"].as_str().unwrap().contains("onnect"), "{json}");
}
