//! Mistakes in a target are refused at start, with the field's place and the remedy.

use std::path::Path;
use std::process::Command;

use hookproof_consumer::config::Config;

use super::rig::{KEY, KEYS, target};

const SOURCE: &str = "[sources.shop]\npath = \"/hooks/shop\"\nscheme = \"devsphere\"\n\
                      keys = [{ id = \"k\", value = \"5d1f0e8a7c3b49d2a6e4f1b09c8d7e6f\" }]\n";
const GOOD_URL: &str = "url = \"https://crm.test/hooks\"\n";

fn config(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("hookproof.toml")).map_err(|error| error.to_string())
}

#[track_caller]
fn assert_refused(section: &str, wanted: &[&str]) {
    let refused = target(section).unwrap_err();
    for part in wanted {
        assert!(refused.contains(part), "{section}\n  says: {refused}\n  lacks: {part}");
    }
    for secret in ["x2bVh0nJm1", "canary"] {
        assert!(!refused.contains(secret), "{refused}");
    }
}

#[test]
fn urls_are_checked() {
    assert!(target(&format!("{GOOD_URL}{KEYS}")).is_ok());
    for (url, wanted) in [
        ("", &["url: this is no URL"][..]),
        ("crm.test/hooks", &["url: this is no URL"]),
        ("ftp://crm.test/", &["url: begin it with https://"]),
        ("file:///etc/passwd", &["url: begin it with https://"]),
        ("https://", &["url: this is no URL"]),
        ("https://user:canary@crm.test/", &["url: a user or password", "headers"]),
        ("https://canary@crm.test/", &["url: a user or password"]),
        ("https://crm.test/#canary", &["url: what stands behind '#'"]),
        ("https://crm.test:0/", &["url: nothing listens on port 0"]),
        ("https://crm.test:65536/", &["url: this is no URL"]),
        ("https://[fe80::1%25eth0]/", &["url: this is no URL"]),
        ("http://crm.test/", &["url: plain http goes to allowed networks only", "allow_networks"]),
        ("http://1.1.1.1/", &["url: 1.1.1.1 is a public address: use https"]),
    ] {
        assert_refused(&format!("url = \"{url}\"\n{KEYS}"), wanted);
    }
    assert_refused(KEYS, &["url: say where to post"]);
    assert!(target(&format!("url = \"http://crm.test/\"\nallow_networks = [\"private\"]\n{KEYS}")).is_ok());
}

#[test]
fn networks_are_checked() {
    for (entry, wanted) in [
        ("", "give loopback, private, link-local, shared, or a network"),
        ("intranet", "'intranet': give loopback"),
        ("10.0.0.0/33", "give loopback"),
        ("10.0.0.300", "give loopback"),
        ("10.1.2.3/16", "begins at 10.1.0.0/16"),
        ("0.0.0.0/0", "allows nearly everything"),
        ("::/0", "allows nearly everything"),
        ("8.0.0.0/7", "allows nearly everything"),
        ("8.8.8.0/24", "is public"),
        ("::ffff:10.0.0.0/104", "write the IPv4 network"),
        ("169.254.169.254", "nothing can allow an address of a cloud's metadata service"),
        ("0.0.0.0/8", "nothing can allow"),
        ("224.0.0.0/8", "nothing can allow"),
    ] {
        assert_refused(
            &format!("{GOOD_URL}{KEYS}allow_networks = [\"{entry}\"]"),
            &["allow_networks: ", wanted],
        );
    }
}

#[test]
fn keys_are_checked() {
    let one = |key: &str| format!("{GOOD_URL}keys = [{{ id = \"k\", {key} }}]");
    assert_refused(GOOD_URL, &["keys: there is none", "openssl rand", "give it to the target"]);
    assert_refused(&format!("{GOOD_URL}keys = []"), &["keys: there is none"]);
    assert_refused(&one("value = \"\""), &["keys: ", "'k' is empty"]);
    assert_refused(&one("value = \"whsec_c2hvcnQ=\""), &["keys: ", "fewer than 16"]);
    assert_refused(&one("value = \"whsec_canary!\""), &["keys: ", "'whsec_' and standard base64"]);
    assert_refused(
        &one("env = \"HOOKPROOF_TEST_UNSET\""),
        &["set the environment variable HOOKPROOF_TEST_UNSET"],
    );
    assert_refused(&one("file = \"nowhere.key\""), &["keys: key 'k': cannot read", "nowhere.key"]);
    let published = "value = \"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"";
    assert_refused(&one(published), &["keys: key 'k' is printed in public documentation"]);
    assert_refused(
        &one(&format!("value = \"{KEY}\", not_after = \"2027-01-01T00:00:00Z\"")),
        &["keys: key 'k' signs for as long as it stands here"],
    );
    let many: String = (0..5).map(|i| format!("{{ id = \"k{i}\", value = \"{KEY}\" }},")).collect();
    assert_refused(&format!("{GOOD_URL}keys = [{many}]"), &["keys: 5 keys: at most 4"]);
    let two = |a: &str, b: &str| {
        format!("{GOOD_URL}keys = [{{ id = \"a\", value = \"{a}\" }}, {{ id = \"b\", value = \"{b}\" }}]")
    };
    assert_refused(&two(KEY, KEY), &["keys: key 'b' is the same secret as key 'a'"]);
    assert_refused(&two(KEY, KEY).replace("\"b\"", "\"a\""), &["keys: two keys have the id 'a'"]);
}

#[test]
fn headers_timeouts_and_certificates_are_checked() {
    let with = |line: &str| format!("{GOOD_URL}{KEYS}{line}");
    for (name, wanted) in [
        ("webhook-id", "is set by hookproof"),
        ("Webhook-Signature", "is set by hookproof"),
        ("hookproof-source", "is set by hookproof"),
        ("content-type", "is set by hookproof"),
        ("Content-Length", "is set by hookproof"),
        ("host", "is set by hookproof"),
        ("\"Bearer canary\"", "a name has characters"),
    ] {
        let line = format!("headers = {{ {name} = {{ value = \"x\" }} }}");
        assert_refused(&with(&line), &["headers: ", wanted]);
    }
    for value in ["", " canary", "canary ", "canary\\n", "a\\r\\nb: canary", "größe"] {
        let line = format!("headers = {{ x-key = {{ value = \"{value}\" }} }}");
        assert_refused(&with(&line), &["headers: 'x-key': the value is empty, has white space"]);
    }
    assert_refused(
        &with("headers = { x-key = {} }"),
        &["headers: 'x-key': give exactly one of env, file and value"],
    );
    assert_refused(
        &with("headers = { x-key = { value = \"1\" }, X-Key = { value = \"2\" } }"),
        &["headers: 'x-key' is there twice"],
    );
    for seconds in [0, 301] {
        assert_refused(
            &with(&format!("timeout_seconds = {seconds}")),
            &["timeout_seconds: ", "between 1 and 300"],
        );
    }
    assert_refused(&with("ca_file = \"nowhere.pem\""), &["ca_file: cannot read", "nowhere.pem"]);
    assert_refused(&with("ca_file = \"server.key\""), &["ca_file: ", "holds no certificate in PEM"]);
    let plain = with("ca_file = \"ca.pem\"\nallow_networks = [\"private\"]").replace("https", "http");
    assert_refused(&plain, &["ca_file: an http URL has no certificate"]);
}

/// What a source leaves out comes from the common section, and a mistake is named where it stands.
#[test]
fn a_common_section_gives_what_a_source_leaves_out() {
    let common = format!("[forward]\n{GOOD_URL}{KEYS}timeout_seconds = 7\n");
    let own = format!("{common}{SOURCE}forward = {{ url = \"https://other.test/\" }}\n");
    let forwards = config(&own).unwrap().forwards;
    let target = forwards[0].forwarder.target();
    assert_eq!((target.shown_url().as_str(), target.timeout().as_secs()), ("https://other.test/", 7));
    let forwards = config(&format!("{common}{SOURCE}forward = {{}}\n")).unwrap().forwards;
    assert_eq!((&*forwards[0].source, forwards.len()), ("shop", 1));

    for (text, wanted) in [
        (format!("{common}{SOURCE}"), "forward: no source forwards: add `forward = {}`"),
        (format!("{SOURCE}forward = {{}}\n"), "sources.shop.forward.url: say where to post"),
        (
            format!("[forward]\n{GOOD_URL}{SOURCE}forward = {{}}\n"),
            "sources.shop.forward.keys: there is none",
        ),
        (
            format!("[forward]\n{KEYS}url = \"http://10.0.0.1\"\n{SOURCE}forward = {{}}\n"),
            "forward.url: 10.0.0.1 is a private address",
        ),
        (
            format!("{common}{SOURCE}forward = {{ url = \"http://10.0.0.1\" }}\n"),
            "sources.shop.forward.url: 10.0.0.1 is a private address",
        ),
    ] {
        let refused = config(&text).unwrap_err();
        assert!(refused.starts_with(wanted), "{text}\n  says: {refused}\n  lacks: {wanted}");
    }
    assert!(config(SOURCE).unwrap().forwards.is_empty());
}

#[test]
fn a_target_is_checked_against_the_rest_of_the_configuration() {
    let forward = |more: &str| format!("{SOURCE}[sources.shop.forward]\n{GOOD_URL}{KEYS}{more}");
    let dispatch = |seconds: u32| format!("[dispatch]\nhandler_timeout_seconds = {seconds}\n");
    assert!(config(&(dispatch(11) + &forward(""))).is_ok());
    let refused = config(&(dispatch(10) + &forward(""))).unwrap_err();
    assert!(
        refused.starts_with(
            "sources.shop.forward.timeout_seconds: 10 s is not below dispatch.handler_timeout_seconds (10 s)"
        ),
        "{refused}"
    );
    // The provider of one source must not be able to sign for the target of another.
    let provider = format!("[sources.std]\npath = \"/std\"\nscheme = \"standard-webhooks\"\n{KEYS}");
    let refused = config(&format!("{}{provider}", forward(""))).unwrap_err();
    assert!(
        refused.starts_with(
            "sources.shop.forward.keys: key '2026-11' is the same secret as key '2026-11' of source 'std'"
        ),
        "{refused}"
    );
    let unknown = config(&forward("uri = 1")).unwrap_err();
    assert!(unknown.contains("unknown field `uri`") && unknown.contains("allow_networks"), "{unknown}");
}

#[test]
fn no_message_holds_a_secret() {
    let section = |line: &str| format!("{SOURCE}[sources.shop.forward]\n{GOOD_URL}{line}\n");
    for line in [
        "keys = \"whsec_canary\"",
        "keys = [\"whsec_canary\"]",
        "keys = [{ id = \"k\", env = \"whsec_canary\" }]",
        "keys = [{ canary = \"k\" }]",
        "headers = { authorization = \"Bearer canary\" }",
        "headers = { authorization = { canary = \"x\" } }",
        "headers = { authorization = { env = \"canary\" } }",
        "headers = \"canary\"",
    ] {
        let refused = config(&section(line)).unwrap_err();
        assert!(!refused.contains("canary"), "{line}: {refused}");
    }
}

#[test]
fn check_config_shows_the_target_without_its_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hookproof.toml");
    let url = "url = \"https://crm.test:8443/hooks?token=canary\"\n";
    std::fs::write(
        &path,
        format!("{SOURCE}[sources.shop.forward]\n{url}{KEYS}allow_networks = [\"private\"]"),
    )
    .unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
        let output =
            command.args(["check-config", "--config", path.to_str().unwrap()]).args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (text, json) = (run(&[]), run(&["--json"]));
    assert!(
        text.contains("shop is forwarded to https://crm.test:8443/hooks?.., signed with 2026-11"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let forward = &json["sources"][0]["forward"];
    assert_eq!(forward["url"], "https://crm.test:8443/hooks?..");
    assert_eq!(forward["allow_networks"][0], "private");
    assert!(!text.contains("canary") && !json.to_string().contains("canary"));
}

/// The lines of the example that are commented out hold too.
#[test]
fn the_examples_of_a_target_hold() {
    let text = include_str!("../../hookproof.example.toml");
    let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let own = lines.iter().find(|line| line.starts_with("forward = {")).unwrap();
    let common = lines[lines.iter().position(|line| *line == "[forward]").unwrap()..].join("\n");
    let common = common.replace("env = \"FORWARD_AUTHORIZATION\"", "value = \"Bearer 1\"");
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/forward/tls/hookproof.toml"));
    for (own, common) in [(*own, ""), ("forward = {}", common.as_str())] {
        let text = format!("{SOURCE}{own}\n{common}")
            .replace("env = \"FORWARD_SECRET\"", &format!("value = \"{KEY}\""));
        let text = text.replace("internal-ca.pem", "ca.pem");
        let config = Config::parse(&text, folder).map_err(|error| error.to_string());
        assert_eq!(config.map(|config| config.forwards.len()), Ok(1), "{text}");
    }
}
