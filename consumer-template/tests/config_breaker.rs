//! `[breaker]` in the configuration: what it defaults to, what a source says otherwise, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use hookproof_consumer::breaker::BreakerPolicy;
use hookproof_consumer::config::Config;

/// The breakers of the sources `crm` and `shop`, with these lines in the file and in `crm`.
fn breakers(shared: &str, own: &str) -> Result<[Option<BreakerPolicy>; 2], String> {
    let source = |name: &str, key: &str, own: &str| {
        format!(
            "[sources.{name}]\npath = \"/{name}\"\nscheme = \"github\"\nkeys = [{{ id = \"k\", value = \"{key}\" }}]\n{own}\n"
        )
    };
    let crm = source("crm", "b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b", own);
    let shop = source("shop", "0c9e8d7b6a5f4e3d2c1b0a9f8e7d6c5b", "");
    let config = Config::parse(&format!("{shared}\n{crm}{shop}"), Path::new("hookproof.toml"))
        .map_err(|error| error.to_string())?;
    let rules = config.rules();
    assert_eq!(rules.iter().map(|rules| &*rules.source).collect::<Vec<_>>(), ["crm", "shop"]);
    Ok([rules.first().unwrap().breaker, rules.last().unwrap().breaker])
}

#[test]
fn sources_pause_by_themselves_unless_the_configuration_says_otherwise() {
    let default = BreakerPolicy::default();
    let expected =
        BreakerPolicy { last: 20, window: Duration::from_secs(600), min_dead: 10, dead_percent: 50 };
    assert_eq!((breakers("", ""), default), (Ok([Some(default); 2]), expected));
    assert_eq!(breakers("", "breaker = { enabled = false }"), Ok([None, Some(default)]));
    assert_eq!(breakers("[breaker]\nenabled = false", ""), Ok([None, None]));
    let shared = "[breaker]\nenabled = false\nlast = 30\nmin_dead = 5";
    let own = "breaker = { enabled = true, min_dead = 30, window_seconds = 86400, dead_percent = 100 }";
    let crm =
        BreakerPolicy { last: 30, window: Duration::from_secs(86_400), min_dead: 30, dead_percent: 100 };
    assert_eq!(breakers(shared, own), Ok([Some(crm), None]), "what it leaves out is what all have");
}

#[test]
fn limits_that_cannot_be_are_refused_with_field_and_remedy() {
    let rows = [
        ("last = 0", "last: 0: choose between 1 and 1000"),
        ("last = 1001", "last: 1001: choose between 1 and 1000"),
        ("window_seconds = 0", "window_seconds: 0 s: choose between 1 and 86400"),
        ("window_seconds = 86401", "window_seconds: 86401 s: choose between 1 and 86400"),
        (
            "dead_percent = 0",
            "dead_percent: 0: choose between 1 and 100; to switch it off, say enabled = false",
        ),
        ("dead_percent = 101", "dead_percent: 101: choose between 1 and 100"),
        ("min_dead = 0", "min_dead: 0 of the last 20 events (last) cannot be dead: choose between 1 and 20"),
        ("last = 9", "min_dead: 10 of the last 9 events (last) cannot be dead: choose between 1 and 9"),
    ];
    for (line, wanted) in rows {
        for (place, result) in [
            ("breaker.", breakers(&format!("[breaker]\n{line}"), "")),
            ("sources.crm.breaker.", breakers("", &format!("breaker = {{ {line} }}"))),
        ] {
            let error = result.unwrap_err();
            assert!(error.starts_with(&format!("{place}{wanted}")), "{line}: {error}");
        }
    }
    let error = breakers("[breaker]\nlimit = 3", "").unwrap_err();
    assert!(error.contains("hookproof.toml:2: unknown field `limit`"), "{error}");
}
