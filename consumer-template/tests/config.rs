//! Every mistake in a configuration is refused, and named with its field and its remedy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use hookproof_consumer::config::Config;

const GOOD: &str = r#"
[server]
listen = "127.0.0.1:0"

[dispatch]
lease_seconds = 60
handler_timeout_seconds = 30

[sources.klozeo]
path = "/hooks/klozeo"
scheme = "klozeo"
keys = [{ id = "2026-11", value = "b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b" }]

[sources.github]
path = "/hooks/github"
scheme = "github"
keys = [{ id = "2026-11", value = "0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b" }]
"#;

/// The keys of its first source.
const KEYS: &str = "[{ id = \"2026-11\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }]";

fn error(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    Config::parse(text, &folder.path().join("hookproof.toml")).expect_err(text).to_string()
}

/// The good configuration with `from` replaced.
fn with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

/// Each row: what to change, into what, and what the message must say.
#[track_caller]
fn assert_refused(rows: &[(&str, &str, &[&str])]) {
    for (from, to, wanted) in rows {
        let message = error(&with(from, to));
        for part in *wanted {
            assert!(message.contains(part), "{to}\n  says: {message}\n  lacks: {part}");
        }
    }
}

#[test]
fn the_configuration_that_the_others_are_made_from_holds() {
    let config = Config::parse(GOOD, Path::new("hookproof.toml")).unwrap();
    assert_eq!(config.sources.len(), 2);
}

#[test]
fn the_example_file_holds() {
    let text = include_str!("../hookproof.example.toml");
    // Secrets in place instead of environment variables, each another.
    let mut parts = text.split("env = \"");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('"').unwrap();
        text += &format!("value = \"the secret of {variable}\"{rest}");
    }
    Config::parse(&text, Path::new("hookproof.toml")).unwrap();
}

#[test]
fn unknown_fields_and_broken_syntax_name_their_line() {
    assert_refused(&[
        ("listen =", "lisen =", &["hookproof.toml:3", "unknown field `lisen`", "listen"]),
        ("[dispatch]", "[dispatcher]", &["hookproof.toml:5", "unknown field `dispatcher`"]),
        ("lease_seconds = 60", "lease_seconds = \"60\"", &["hookproof.toml:6", "invalid type"]),
        ("scheme = \"klozeo\"", "scheme = klozeo", &["hookproof.toml:11"]),
        (
            "{ id = \"2026-11\", value = \"b7f1",
            "{ id = \"2026-11\", secret = \"b7f1",
            &["unknown field of a key", "`value`"],
        ),
    ]);
}

/// A syntax error beside a key must not print the key.
#[test]
fn no_message_holds_a_key() {
    for broken in [
        with("value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\"", "value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b"),
        with("value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\"", "value = b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b"),
        with("b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b", "b7f1c0d94e2a"),
        with("b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b", "b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\\n"),
        with("b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b", "0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b"),
        with(KEYS, "\"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\""),
        with(KEYS, "[\"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\"]"),
        with(KEYS, "[{ id = \"k\", value = [\"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\"] }]"),
        with(KEYS, "[{ b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b = \"k\" }]"),
        with(KEYS, "[{ id = \"k\", env = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }]"),
    ] {
        let message = error(&broken);
        assert!(!message.contains("b7f1c0") && !message.contains("0c9e8d"), "{message}");
    }
}

#[test]
fn keys_are_checked() {
    let key = "value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\"";
    assert_refused(&[
        (key, "value = \"\"", &["sources.klozeo.keys", "'2026-11' is empty"]),
        (key, "value = \"  \"", &["sources.klozeo.keys", "empty"]),
        (key, "value = \"fifteen bytes!!\"", &["sources.klozeo.keys", "15 bytes", "fewer than 16"]),
        (key, "value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\\n\"", &["white space at its end", "newline"]),
        (
            key,
            "value = \"0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b\"",
            &["sources.klozeo.keys", "same secret", "source 'github'"],
        ),
        (
            key,
            "env = \"HOOKPROOF_TEST_UNSET\"",
            &["sources.klozeo.keys", "set the environment variable HOOKPROOF_TEST_UNSET"],
        ),
        (key, "file = \"nowhere.key\"", &["sources.klozeo.keys", "cannot read", "nowhere.key"]),
        (key, "env = \"A\", file = \"b\"", &["exactly one of env, file and value"]),
        (
            key,
            "value = \"It's a Secret to Everybody\"",
            &["sources.klozeo.keys", "printed in public documentation"],
        ),
        (
            "[{ id = \"2026-11\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }]",
            "[]",
            &["sources.klozeo.keys", "no key"],
        ),
        ("[{ id = \"2026-11\", value = \"b7f1", "[{ id = \"a b\", value = \"b7f1", &["key id 'a b'"]),
    ]);
}

#[test]
fn a_short_key_opens_only_by_name() {
    let short = with(
        "value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }]",
        "value = \"short\" }]\ndanger_allow_short_key = true",
    );
    assert!(Config::parse(&short, Path::new("c.toml")).is_ok());
    let empty = short.replace("\"short\"", "\"\"");
    assert!(error(&empty).contains("empty"));
}

#[test]
fn sources_are_checked() {
    assert_refused(&[
        (
            "path = \"/hooks/klozeo\"",
            "path = \"/hooks/github\"",
            &["sources.klozeo.path", "path of another source"],
        ),
        ("path = \"/hooks/klozeo\"", "path = \"hooks\"", &["sources.klozeo.path", "/hooks/name"]),
        ("path = \"/hooks/klozeo\"", "path = \"/hooks//k\"", &["sources.klozeo.path"]),
        ("path = \"/hooks/klozeo\"", "path = \"/hooks/../k\"", &["sources.klozeo.path"]),
        ("path = \"/hooks/klozeo\"", "path = \"/hooks/{k}\"", &["sources.klozeo.path"]),
        ("path = \"/hooks/klozeo\"", "path = \"/hooks/k/\"", &["sources.klozeo.path"]),
        ("path = \"/hooks/klozeo\"", "path = \"/hooks/%6b\"", &["sources.klozeo.path"]),
        (
            "scheme = \"klozeo\"",
            "scheme = \"kloseo\"",
            &[
                "sources.klozeo.scheme",
                "no preset 'kloseo'",
                "klozeo-guide",
                "did you mean 'klozeo'",
                "adyen-payments, adyen-platform, asana",
            ],
        ),
        ("scheme = \"github\"", "scheme = \"nothing like it\"", &["'nothing like it': choose one of"]),
        ("scheme = \"github\"", "scheme = \"dropbox\"", &["sources.github.scheme", "equal bodies"]),
        ("scheme = \"github\"", "scheme = \"square\"", &["sources.github.public_url", "signs the URL"]),
        ("[sources.klozeo]", "[sources.Klozeo]", &["sources.Klozeo.name", "a-z"]),
        (
            "scheme = \"klozeo\"",
            "scheme = \"klozeo\"\nbody_limit_bytes = 0",
            &["sources.klozeo.body_limit_bytes", "0 bytes"],
        ),
        (
            "scheme = \"klozeo\"",
            "scheme = \"klozeo\"\ntolerance_seconds = 300",
            &["sources.klozeo.tolerance_seconds"],
        ),
        (
            "scheme = \"github\"",
            "scheme = \"github\"\ntolerance_seconds = 300",
            &["sources.github.tolerance_seconds", "no timestamp"],
        ),
        (
            "scheme = \"klozeo\"",
            "scheme = \"klozeo\"\nordering_key = [\"data/id\"]",
            &["sources.klozeo.ordering_key", "start it with '/'"],
        ),
        (
            "scheme = \"klozeo\"",
            "scheme = \"klozeo\"\noverride = { event_time = \"x\" }",
            &["sources.klozeo.override", "event_time_at"],
        ),
    ]);
    let message = error("[server]\nlisten = \"127.0.0.1:0\"");
    assert!(message.contains("sources: there is none"), "{message}");
}

#[test]
fn what_presets_need_besides_keys_is_checked() {
    let github = "scheme = \"github\"";
    assert_refused(&[
        (
            github,
            "scheme = \"gitlab-token\"",
            &["sources.github.scheme", "danger_accept_unsigned_body", "'gitlab'"],
        ),
        (github, "scheme = \"github\"\nwebhook_id = \"WH-1\"", &["sources.github.webhook_id", "remove it"]),
        (
            github,
            "scheme = \"github\"\nhandshake = { kind = \"meta\" }",
            &["sources.github.handshake.kind", "'meta'", "'github'"],
        ),
        (
            github,
            "scheme = \"meta\"\nhandshake = { kind = \"meta\" }",
            &["sources.github.handshake.verify_token", "Meta's settings"],
        ),
        (
            github,
            "scheme = \"meta\"\nhandshake = { kind = \"meta\", verify_token = { value = \"short\" } }",
            &["sources.github.handshake.verify_token", "16 bytes"],
        ),
        (
            github,
            "scheme = \"meta\"\nhandshake = { kind = \"cloud-events\" }",
            &["sources.github.handshake.origins", "name who may deliver"],
        ),
        (
            github,
            "scheme = \"github\"\nhandshake = { kind = \"cloud-events\", origins = [\"*\"] }",
            &["sources.github.handshake.origins", "DNS name"],
        ),
        (
            github,
            "scheme = \"github\"\nhandshake = { kind = \"cloud-events\", origins = [\"a.example\"], verify_token = { value = \"the token of this test\" } }",
            &["sources.github.handshake.verify_token", "remove it"],
        ),
        (
            KEYS,
            "[{ id = \"2026-11\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\", not_after = \"tomorrow\" }]",
            &["sources.klozeo.keys", "'2026-11'", "not_after", "2026-11-30T00:00:00Z"],
        ),
        (
            KEYS,
            "[{ id = \"2026-11\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\", not_before = \"2026-11-02T00:00:00Z\", not_after = \"2026-11-01T00:00:00Z\" }]",
            &["sources.klozeo.keys", "'2026-11'", "before its not_before"],
        ),
    ]);
    let accepted = with(github, "scheme = \"gitlab-token\"\ndanger_accept_unsigned_body = true");
    Config::parse(&accepted, Path::new("hookproof.toml")).unwrap();
    let accepted = with(
        github,
        "scheme = \"github\"\nhandshake = { kind = \"cloud-events\", origins = [\"a.example\"] }",
    );
    Config::parse(&accepted, Path::new("hookproof.toml")).unwrap();
}

/// Nine unset variables are one message, not nine.
#[test]
fn every_source_that_is_wrong_is_named() {
    let message = error(include_str!("../hookproof.example.toml"));
    for name in ["MEGATRONLEAD_SECRET", "KLOZEO_SECRET", "STRIPE_SECRET", "META_APP_SECRET", "GITHUB_SECRET"]
    {
        assert!(message.contains(name), "{message}");
    }
}

/// A window shorter than the time for which a provider repeats the same event time would refuse its retries.
#[test]
fn an_event_times_window_covers_the_retries() {
    let mega = with("scheme = \"klozeo\"", "scheme = \"megatronlead\"\ntolerance_seconds = 86399");
    let message = error(&mega);
    assert!(message.contains("sources.klozeo.tolerance_seconds") && message.contains("86400 s"), "{message}");
    let covered = mega.replace("86399", "86400");
    assert!(Config::parse(&covered, Path::new("c.toml")).is_ok());
}

#[test]
fn limits_are_checked_at_the_bound() {
    assert_refused(&[
        ("lease_seconds = 60", "lease_seconds = 30", &["dispatch.lease_seconds", "not longer than", "30 s"]),
        (
            "handler_timeout_seconds = 30",
            "handler_timeout_seconds = 0",
            &["dispatch.handler_timeout_seconds"],
        ),
        ("lease_seconds = 60", "lease_seconds = 60\nmax_attempts = 0", &["dispatch.max_attempts"]),
        ("lease_seconds = 60", "lease_seconds = 60\nconcurrency = 0", &["dispatch.concurrency"]),
        (
            "lease_seconds = 60",
            "lease_seconds = 60\nconcurrency = 1001",
            &["dispatch.concurrency", "at most 1000"],
        ),
        (
            "lease_seconds = 60",
            "lease_seconds = 60\nretry_first_seconds = 0",
            &["dispatch.retry_first_seconds"],
        ),
        (
            "lease_seconds = 60",
            "lease_seconds = 60\nretry_first_seconds = nan",
            &["dispatch.retry_first_seconds"],
        ),
        (
            "lease_seconds = 60",
            "lease_seconds = 60\nretry_cap_seconds = 0.5",
            &["dispatch.retry_cap_seconds", "less than"],
        ),
        (
            "listen = \"127.0.0.1:0\"",
            "listen = \"127.0.0.1:0\"\nmax_connections = 0",
            &["server.max_connections"],
        ),
        (
            "listen = \"127.0.0.1:0\"",
            "listen = \"127.0.0.1:0\"\nheader_timeout_seconds = 301",
            &["server.header_timeout_seconds"],
        ),
        (
            "listen = \"127.0.0.1:0\"",
            "listen = \"127.0.0.1:0\"\nmax_header_bytes = 8191",
            &["server.max_header_bytes"],
        ),
        ("listen = \"127.0.0.1:0\"", "listen = \"localhost\"", &["invalid socket address"]),
    ]);
    assert!(Config::parse(&with("lease_seconds = 60", "lease_seconds = 31"), Path::new("c.toml")).is_ok());
}
