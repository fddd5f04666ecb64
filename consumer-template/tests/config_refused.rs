//! What is kept of refused requests, in the configuration: the defaults, the bounds and one past each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use hookproof_consumer::config::Config;
use hookproof_consumer::inbox::QuarantineLimits;

fn parse(top: &str, scheme: &str, lines: &str) -> Result<Config, String> {
    let text = format!(
        "{top}\n[sources.crm]\npath = \"/hooks/crm\"\nscheme = \"{scheme}\"\n\
         keys = [{{ id = \"k\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }}]\n{lines}\n"
    );
    Config::parse(&text, Path::new("hookproof.toml")).map_err(|error| error.to_string())
}

/// The limits of a source with these lines.
fn limits(lines: &str) -> Result<Option<QuarantineLimits>, String> {
    Ok(parse("", "github", lines)?.sources.first().unwrap().quarantine)
}

#[track_caller]
fn assert_refused(result: Result<impl std::fmt::Debug, String>, wanted: &[&str]) {
    let message = result.unwrap_err();
    for part in wanted {
        assert!(message.contains(part), "says: {message}\nlacks: {part}");
    }
}

#[test]
fn nothing_is_kept_whole_unless_a_source_says_so() {
    assert_eq!(limits(""), Ok(None));
    let default =
        QuarantineLimits { max_rows: 1_000, max_bytes: 64 << 20, max_age: Duration::from_secs(7 * 86_400) };
    assert_eq!(limits("quarantine = {}"), Ok(Some(default)));
    let large = QuarantineLimits { max_bytes: (100 << 20) + (1 << 20), ..default };
    assert_eq!(
        limits("body_limit_bytes = 104857600\nquarantine = {}"),
        Ok(Some(large)),
        "room for one delivery"
    );
    assert_eq!(parse("", "github", "").unwrap().refusals.max_rows, 1_000);
}

#[test]
fn limits_hold_at_their_bounds() {
    for lines in [
        "quarantine = { max_rows = 1, max_age_days = 1, max_bytes = 2097152 }",
        "quarantine = { max_rows = 100000, max_age_days = 30, max_bytes = 68719476736 }",
    ] {
        assert!(limits(lines).is_ok(), "{lines}");
    }
    for (lines, wanted) in [
        ("quarantine = { max_rows = 0 }", ["sources.crm.quarantine.max_rows", "between 1 and 100000"]),
        ("quarantine = { max_rows = 100001 }", ["sources.crm.quarantine.max_rows", "between 1 and 100000"]),
        ("quarantine = { max_age_days = 0 }", ["sources.crm.quarantine.max_age_days", "between 1 and 30"]),
        ("quarantine = { max_age_days = 31 }", ["sources.crm.quarantine.max_age_days", "between 1 and 30"]),
        (
            "quarantine = { max_age_days = 9223372036854775807 }",
            ["quarantine.max_age_days", "between 1 and 30"],
        ),
        ("quarantine = { max_bytes = 2097151 }", ["sources.crm.quarantine.max_bytes", "between 2097152"]),
        ("quarantine = { max_bytes = 68719476737 }", ["sources.crm.quarantine.max_bytes", "and 68719476736"]),
        ("quarantine = { rows = 1 }", ["unknown field `rows`", "max_rows"]),
        ("quarantine = true", ["hookproof.toml:6", "invalid type"]),
    ] {
        assert_refused(limits(lines), &wanted);
    }
    for (rows, good) in [("0", true), ("100000", true), ("100001", false)] {
        let result = parse(&format!("[refusals]\nmax_rows = {rows}"), "github", "");
        assert_eq!(result.is_ok(), good, "{rows}");
    }
    assert_refused(
        parse("[refusals]\nmax_rows = 100001", "github", ""),
        &["refusals.max_rows", "between 0 and 100000"],
    );
}

/// No secret gets into the database by way of the quarantine.
#[test]
fn a_scheme_that_sends_its_secret_has_no_quarantine() {
    let open = "danger_accept_unsigned_body = true";
    assert!(parse("", "gitlab-token", open).is_ok());
    let quarantined = parse("", "gitlab-token", &format!("{open}\nquarantine = {{}}"));
    assert_refused(quarantined, &["sources.crm.quarantine", "sends the secret itself", "leave this out"]);
}
