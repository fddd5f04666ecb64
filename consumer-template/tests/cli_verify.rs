//! `hookproof verify`: what an operator does at three in the morning with a copy of a request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime, schemes};

const KEY: &str = "canary-key-7f3a9c2e-do-not-print";
const BODY: &str = r#"{"type":"lead.created","event":"x","data":{"name":"canary-body"}}"#;
const NOW: &str = "2023-11-14T22:13:20Z";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn config(&self) -> String {
        let source = |name: &str, scheme: &str, key: &str, more: &str| {
            format!(
                "[sources.{name}]\npath = \"/hooks/{name}\"\nscheme = \"{scheme}\"\n\
                 keys = [{{ id = \"{name}-key\", value = \"{key}\" }}]\n{more}"
            )
        };
        let url = "public_url = \"https://hooks.example.com\"\n";
        let sources = [
            source("github", "github", KEY, "body_limit_bytes = 2000000\n"),
            source("stripe", "stripe", "another-key-of-enough-bytes", "tolerance_seconds = 60\n"),
            source("square", "square", "a-third-key-of-enough-bytes", url),
            "[sources.closed]\npath = \"/hooks/closed\"\nscheme = \"line\"\nkeys = [{ id = \"k\", env = \"HOOKPROOF_TEST_UNSET\" }]\n"
                .to_owned(),
        ];
        self.write("hookproof.toml", sources.join(""))
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
    command.arg("verify").args(arguments).env_remove("HOOKPROOF_CONFIG").env_remove("HOOKPROOF_LOG");
    command
}

fn verify(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ends with this code, and says this on standard output (0, 1) or standard error (2).
#[track_caller]
fn assert_says(output: &Output, code: i32, wanted: &[&str]) -> String {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    let said = if code == 2 { err } else { out };
    for part in wanted {
        assert!(said.contains(part), "says: {said}\nlacks: {part}");
    }
    said
}

fn signed(scheme: &Scheme, key: &str, body: &str) -> String {
    let time = UnixTime::from_secs(1_700_000_000);
    let outgoing = Outgoing::new(body.as_bytes())
        .id("msg_1")
        .timestamp(time)
        .url("https://hooks.example.com/hooks/square");
    let headers = Signer::new(scheme, &Key::new("k", key)).unwrap().sign(&outgoing).unwrap();
    headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
}

fn request(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: hooks.example.com\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn github() -> String {
    request("/hooks/github", &signed(&schemes::github(), KEY, BODY), BODY)
}

#[test]
fn a_good_request_is_accepted_from_a_file_and_from_standard_input() {
    let folder = Folder::new();
    let (config, file) = (folder.config(), folder.write("request.txt", github()));
    for source in [&["--source", "github"][..], &[]] {
        let output = verify(&[&[&*file, "--config", &config], source].concat());
        assert_says(&output, 0, &["accepted", "github-key"]);
    }
    for lines in [github(), github().replace("\r\n", "\n")] {
        let mut child =
            command(&["--config", &config]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert_says(&child.wait_with_output().unwrap(), 0, &["accepted"]);
    }
}

#[test]
fn a_refusal_is_explained_for_people_and_for_scripts() {
    let folder = Folder::new();
    let (config, file) = (folder.config(), folder.write("request.txt", github().replace(":{", ": {")));
    let arguments = [&*file, "--config", &config];
    assert_says(
        &verify(&arguments),
        1,
        &["refused: signature_mismatch", "body_json", "What to do:", "Source 'closed' was not tried"],
    );
    let json = assert_says(&verify(&[&arguments[..], &["--json"]].concat()), 1, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["verdict"], &json["reason"]), (&"refused".into(), &"signature_mismatch".into()));
    let cause = &json["causes"][0];
    assert_eq!((&cause["kind"], &cause["evidence"]), (&"body_json".into(), &"recomputed".into()), "{json}");
    assert!(cause["remedy"].is_string() && json["tries"].as_u64() > Some(10), "{json}");
}

#[test]
fn time_is_that_of_the_receipt() {
    let folder = Folder::new();
    let config = folder.config();
    let stripe =
        request("/hooks/stripe", &signed(&schemes::stripe(), "another-key-of-enough-bytes", BODY), BODY);
    let file = folder.write("request.txt", stripe);
    for at in [NOW, "1700000000", "1700000000000", "2023-11-14T23:14:20+01:00"] {
        assert_says(&verify(&[&file, "--config", &config, "--at", at]), 0, &["accepted", "stripe-key"]);
    }
    let output = verify(&[&file, "--config", &config]);
    assert_says(&output, 1, &["timestamp_too_old", "outside_window", "--at"]);
    let output = verify(&[&file, "--config", &config, "--at", "2023-11-14T22:14:21Z"]);
    let said = assert_says(&output, 1, &["timestamp_too_old", "tolerance of 61 s", "back and 1 min ahead"]);
    assert!(!said.contains("--at"), "{said}");
}

#[test]
fn keys_come_from_files_and_variables() {
    let folder = Folder::new();
    let (file, key) = (folder.write("request.txt", github()), folder.write("key", KEY));
    let (line, other) =
        (folder.write("line", format!("{KEY}\n")), folder.write("other", "some-other-key-of-enough-bytes"));
    assert_says(&verify(&[&file, "--scheme", "github", "--key-file", &key]), 0, &["accepted"]);
    let two = verify(&[&file, "--scheme", "github", "--key-file", &other, "--key-file", &key]);
    assert_says(&two, 0, &["accepted", "key-2"]);
    assert_says(
        &verify(&[&file, "--scheme", "github", "--key-file", &line]),
        1,
        &["misconfigured", "key_whitespace"],
    );
    let output = command(&[&file, "--scheme", "github", "--key-env", "PROVIDER_KEY"])
        .env("PROVIDER_KEY", KEY)
        .output()
        .unwrap();
    assert_says(&output, 0, &["accepted", "key-1"]);
}

#[test]
fn a_public_url_can_be_tried() {
    let folder = Folder::new();
    let (config, key) = (folder.config(), "a-third-key-of-enough-bytes");
    let file =
        folder.write("request.txt", request("/hooks/square", &signed(&schemes::square(), key, BODY), BODY));
    assert_says(&verify(&[&file, "--config", &config]), 0, &["accepted"]);
    let wrong = ["--public-url", "http://hooks.example.com"];
    let output = verify(&[&[&*file, "--config", &config], &wrong[..]].concat());
    assert_says(&output, 1, &["url_scheme", "https://hooks.example.com"]);
    let key = folder.write("key", key);
    let arguments = [&*file, "--scheme", "square", "--key-file", &key];
    assert_says(&verify(&arguments), 1, &["misconfigured", "public_url", "url_host"]);
    let url = ["--public-url", "https://hooks.example.com"];
    assert_says(&verify(&[&arguments[..], &url].concat()), 0, &["accepted"]);
}

#[test]
fn other_sources_are_tried() {
    let folder = Folder::new();
    let config = folder.config();
    let stripe = signed(&schemes::stripe(), "another-key-of-enough-bytes", BODY);
    let file = folder.write("request.txt", request("/hooks/github", &stripe, BODY));
    assert_says(&verify(&[&file, "--config", &config]), 1, &["other_source", "source 'stripe'"]);
    let output = verify(&[&file, "--config", &config, "--source", "stripe", "--at", NOW]);
    assert_says(&output, 0, &["accepted", "another path than that of source 'stripe'"]);
}

#[test]
fn what_curl_shows_is_read_with_the_body_beside_it() {
    let folder = Folder::new();
    let head: String =
        github().split("\r\n\r\n").next().unwrap().lines().map(|line| format!("> {line}\n")).collect();
    let file = folder.write("curl.txt", format!("* Connected\n{head}>\n< HTTP/1.1 401 Unauthorized\n"));
    let (config, body) = (folder.config(), folder.write("body.json", BODY));
    assert_says(&verify(&[&file, "--config", &config, "--body", &body]), 0, &["accepted"]);
}

#[test]
fn vectors_are_explained_one_or_all() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors/v1");
    for name in [
        "github",
        "standard-webhooks",
        "stripe",
        "square",
        "klozeo",
        "adyen-payments",
        "box",
        "contentful",
        "discord",
        "docusign",
        "gitlab-token",
        "mandrill",
        "paypal",
        "plaid",
        "sendgrid",
        "shopify",
        "svix",
        "twilio",
    ] {
        let output = verify(&[&format!("{folder}/{name}.json")]);
        let said = assert_says(&output, 0, &["as stated", &format!("{name}-3")]);
        assert!(!said.contains("NO"), "{name}: {said}");
    }
    let stripe = format!("{folder}/stripe.json");
    assert_says(&verify(&[&stripe, "--id", "stripe-001"]), 0, &["accepted", "stripe-2026-01"]);
    assert_says(&verify(&[&stripe, "--id", "stripe-001", "--at", "1700001000"]), 1, &["timestamp_too_old"]);
    assert_says(&verify(&[&stripe, "--id", "stripe-999"]), 2, &["no vector 'stripe-999'"]);
    let lines = assert_says(&verify(&[&stripe, "--json"]), 0, &["\"as_stated\":true"]);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// The control of the test above: an answer that is not the one of the file is told.
#[test]
fn a_vector_with_another_answer_is_told() {
    let stripe = concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors/v1/stripe.json");
    let turned =
        std::fs::read_to_string(stripe).unwrap().replace("\"signature_mismatch\"", "\"missing_header\"");
    let folder = Folder::new();
    assert_says(&verify(&[&folder.write("v.json", turned)]), 1, &["NO"]);
}

#[test]
fn what_cannot_be_read_is_code_2_and_shows_no_secret() {
    let folder = Folder::new();
    let (config, good) = (folder.config(), folder.write("request.txt", github()));
    let odd = folder.write("odd", format!("POST /x HTTP/1.1\r\n{KEY}\r\n\r\n"));
    let json = folder.write("odd.json", format!("{{\"schema\":\"{KEY}\"}}"));
    let empty = folder.write("empty", "");
    let binary = folder.write("binary", b"\xff\xfe\x00");
    let rows: [(&[&str], &str); 18] = [
        (&["nowhere.txt", "--config", &config], "cannot read nowhere.txt"),
        (&[&good, "--config", "nowhere.toml"], "cannot read nowhere.toml"),
        (
            &[&good, "--config", &config, "--source", "gitlab"],
            "no source 'gitlab': choose one of closed, github",
        ),
        (&[&good, "--config", &config, "--source", "closed"], "HOOKPROOF_TEST_UNSET"),
        (&[&odd, "--config", &config], "line 2 is no header"),
        (&[&json], "line 1"),
        (&[&empty, "--config", &config], "the input is empty"),
        (&[&binary, "--config", &config], "line 1 is no request line"),
        (&[&good, "--scheme", "githbu", "--key-file", &good], "no preset 'githbu'"),
        (&[&good, "--scheme", "github"], "--key-env or --key-file"),
        (&[&good, "--scheme", "github", "--key-file", "nowhere"], "cannot read the key file nowhere"),
        (&[&good, "--scheme", "github", "--key-env", KEY], "not the key"),
        (&[&good, "--scheme", "github", "--key-env", "HOOKPROOF_TEST_UNSET"], "not set"),
        (&[&good, "--key-file", &good], "--scheme"),
        (&[&good, "--config", &config, "--id", "x"], "no file of vectors"),
        (&[&good, "--config", &config, "--at", "yesterday"], "2026-11-20T18:03:11Z"),
        (&[&good, "--scheme", "github", "--source", "github"], "cannot be used with"),
        (&[&good, "--key", "x"], "unexpected argument"),
    ];
    for (arguments, wanted) in rows {
        let said = assert_says(&verify(arguments), 2, &[wanted]);
        assert!(!said.contains(KEY), "{arguments:?}: {said}");
    }
}

#[test]
fn the_help_says_how_a_key_is_given() {
    let said =
        assert_says(&verify(&["--help"]), 0, &["Examples:", "never given on the command line", "Exits 0"]);
    assert!(said.contains("--key-file") && said.contains("--key-env") && !said.contains("--key <"), "{said}");
}

/// Whatever is wrong, what is printed holds neither the key nor the right signature nor the body.
#[test]
fn no_output_holds_a_secret() {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (folder, good) = (Folder::new(), github());
    let config = folder.config();
    let right = good.split("sha256=").nth(1).unwrap().lines().next().unwrap().to_owned();
    let bytes: Vec<u8> = right
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let secrets = [
        KEY.to_owned(),
        hex(KEY.as_bytes()),
        base64(KEY.as_bytes()),
        right.clone(),
        base64(&bytes),
        base64(right.as_bytes()),
    ];
    let quoted = folder.write("quoted", format!("\"{KEY}\""));
    let wrong = [
        good.replace("\"x\"", "\"y\""),
        good.replace("sha256=", ""),
        good.replace(&right, &base64(&bytes)),
        good.replace("x-hub-signature-256", "x-other"),
        good.replace("sha256=", &format!("{right}{right}=")),
        format!("{good}\n"),
        good.clone(),
    ];
    for (number, request) in wrong.iter().enumerate() {
        let file = folder.write(&format!("{number}.txt"), request);
        for set_up in [&["--config", &*config][..], &["--scheme", "github", "--key-file", &quoted]] {
            for json in [&["--json"][..], &[]] {
                let output = verify(&[&[&*file], set_up, json].concat());
                let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
                let leaked = secrets.iter().find(|secret| said.contains(secret.as_str()));
                assert_eq!(leaked, None, "{number} {set_up:?}: {said}");
                assert!(!said.contains("canary-body") && !said.is_empty(), "{said}");
            }
        }
    }
}
