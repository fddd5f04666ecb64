//! No log line, at any level, holds a key, a signature or a body; nor does the database hold a key or a signature.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use hookproof::{Key, Outgoing, Signer, schemes};
use hookproof_consumer::event::State;
use hookproof_consumer::inbox::Operator as _;
use hookproof_consumer::inbox::sqlite::{SqliteOperator, SqliteOptions};

const KEY: &str = "canary-key-7f3a9c2e";
const CANARY: &str = "canary-body-51d0b8e6";

/// The key in every form in which it might leak.
fn forms_of_the_key() -> Vec<String> {
    use base64::Engine as _;
    let hex: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![KEY.to_owned(), hex, base64::engine::general_purpose::STANDARD.encode(KEY)]
}

fn request(body: &str, signature: &str) -> Vec<u8> {
    let head = format!(
        "POST /hooks/devsphere HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-signature: {signature}\r\n"
    );
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn post(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A server, its log, what that said so far, and where it listens.
fn start(folder: &Path, filter: &str) -> (Child, BufReader<ChildStderr>, String, String) {
    let config = folder.join("hookproof.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[dispatch]\nmax_attempts = 1\n[sources.devsphere]\n\
         path = \"/hooks/devsphere\"\nscheme = \"devsphere\"\nkeys = [{{ id = \"k\", value = \"{KEY}\" }}]\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_hookproof"))
        .args(["serve", "--config", config.to_str().unwrap()])
        .env("HOOKPROOF_LOG", filter)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut lines = String::new();
    let address = loop {
        assert_ne!(log.read_line(&mut lines).unwrap(), 0, "{lines}");
        if let Some((_, rest)) = lines.split_once("listening address=") {
            break rest.split_whitespace().next().unwrap().to_owned();
        }
    };
    (server, log, lines, address)
}

/// Whoever reads the log is gone: what cannot be said must not keep anything from being done.
#[test]
fn a_log_that_nobody_reads_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, log, _, address) = start(folder.path(), "trace");
    drop(log);
    let signer = Signer::new(&schemes::devsphere(), &Key::new("k", KEY)).unwrap();
    for n in 0..5 {
        let body = format!(r#"{{"type":"lead.created","data":{{"id":"{n}"}}}}"#);
        let headers = signer.sign(&Outgoing::new(body.as_bytes())).unwrap();
        let request = request(&body, headers["x-signature"].to_str().unwrap());
        for _ in 0..2 {
            let answer = post(&address, &request);
            assert!(answer.starts_with("HTTP/1.1 200 "), "{n}: {answer}");
        }
    }
    let operator = SqliteOperator::open(SqliteOptions::new(folder.path().join("hookproof.db"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done = runtime.block_on(async {
        for _ in 0..500 {
            let counts = operator.counts().await.unwrap();
            if counts.of(State::Done) == 5 {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        false
    });
    if !done {
        // It would not end by itself either.
        server.kill().unwrap();
    }
    Command::new("kill").args(["-s", "TERM", &server.id().to_string()]).status().unwrap();
    assert_eq!((done, server.wait().unwrap().code()), (true, Some(0)), "what was accepted is processed");
}

#[test]
fn logs_answers_and_database_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, mut log, mut lines, address) = start(folder.path(), "trace");

    // Done, dead (no lead id), malformed, and refused in two ways.
    let signer = Signer::new(&schemes::devsphere(), &Key::new("k", KEY)).unwrap();
    let mut secrets = forms_of_the_key();
    let mut answers = String::new();
    for body in [
        format!(r#"{{"type":"lead.created","data":{{"id":"1","name":"{CANARY}"}}}}"#),
        format!(r#"{{"type":"lead.created","data":{{"name":"{CANARY}"}}}}"#),
        format!(r#"{{"type":"lead.created","data":"{CANARY}"}}"#),
        format!("not json {CANARY}"),
    ] {
        let headers = signer.sign(&Outgoing::new(body.as_bytes())).unwrap();
        let signature = headers["x-signature"].to_str().unwrap().to_owned();
        answers += &post(&address, &request(&body, &signature));
        answers += &post(&address, &request(&format!("{body} "), &signature));
        secrets.push(signature.trim_start_matches("sha256=").to_owned());
    }
    answers += &post(&address, &request(CANARY, "sha256=canary-signature"));
    let statuses: Vec<_> = answers.lines().filter(|line| line.starts_with("HTTP/1.1 ")).collect();
    assert_eq!(statuses.iter().filter(|line| line.contains("200")).count(), 4, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|line| line.contains("401")).count(), 5, "{statuses:?}");

    Command::new("kill").args(["-s", "TERM", &server.id().to_string()]).status().unwrap();
    log.read_to_string(&mut lines).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0), "{lines}");
    assert!(
        lines.contains("refused") && lines.contains("signature_mismatch"),
        "the log is not there: {lines}"
    );
    for secret in secrets.iter().map(String::as_str).chain([CANARY, "canary-signature"]) {
        assert!(!lines.contains(secret), "in the log: {secret}\n{lines}");
        assert!(!answers.contains(secret), "in an answer: {secret}");
    }
    for name in ["hookproof.db", "hookproof.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        let found = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!secrets.iter().any(|secret| found(secret)), "in {name}");
    }
}
