//! The rules of order in the configuration: what they default to, what is refused, and that the README tells the truth about them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use hookproof_consumer::config::Config;
use hookproof_consumer::ordering::{AtDeadline, OnFailure, OrderPolicy, StaleRule};
use hookproof_consumer::preset;

/// The configuration of one source with `scheme` and these lines more.
fn source(scheme: &str, lines: &str) -> Result<OrderPolicy, String> {
    let text = format!(
        "[sources.crm]\npath = \"/hooks/crm\"\nscheme = \"{scheme}\"\n\
         keys = [{{ id = \"k\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }}]\n{lines}\n"
    );
    let config = Config::parse(&text, Path::new("hookproof.toml")).map_err(|error| error.to_string())?;
    Ok(config.sources.first().unwrap().order)
}

#[test]
fn a_source_has_the_rules_of_its_preset_unless_it_says_otherwise() {
    let default = OrderPolicy::default();
    assert_eq!(default.not_ready_deadline, Duration::from_secs(3600));
    assert_eq!(source("github", ""), Ok(default));
    assert_eq!(source("klozeo", ""), Ok(OrderPolicy { stale: StaleRule::Apply, ..default }));
    let stripe = OrderPolicy { settle: Duration::from_secs(1), ..default };
    assert_eq!(source("stripe", ""), Ok(stripe));
    assert_eq!(source("stripe", "ordering_key = []"), Ok(default), "without a key, nothing waits");
    let all = "order = { settle_ms = 250, stale = \"skip\", on_failure = \"park\", not_ready_deadline_seconds = 60, \
               at_deadline = \"dead\" }";
    let said = OrderPolicy {
        settle: Duration::from_millis(250),
        stale: StaleRule::Skip,
        on_failure: OnFailure::Park,
        not_ready_deadline: Duration::from_secs(60),
        at_deadline: AtDeadline::Dead,
    };
    assert_eq!(source("klozeo", all), Ok(said));
    assert_eq!(source("stripe", "order = { settle_ms = 0 }"), Ok(default));
    let forward = "forward = { url = \"https://crm.example.com/\", keys = [{ id = \"t\", \
                   value = \"whsec_8aEeCQFCaHaFzQUtWpVTfDPTK4Y4uK9Y\" }] }";
    assert_eq!(source("klozeo", forward), Ok(default), "whoever gets the events instead may not merge them");
    assert_eq!(
        source("stripe", "order = { settle_ms = 60000, not_ready_deadline_seconds = 2592000 }").map(|_| ()),
        Ok(())
    );
}

#[test]
fn rules_that_cannot_mean_anything_are_refused_with_field_and_remedy() {
    let key = "this source has no ordering key";
    let time = "this source does not say when an event happened";
    let rows = [
        ("stripe", "order = { settle_ms = 60001 }", ["sources.crm.order.settle_ms", "between 0 and 60000"]),
        ("stripe", "order = { settle_ms = 60001 }", ["", "Failure::NotReady"]),
        (
            "stripe",
            "order = { not_ready_deadline_seconds = 0 }",
            ["sources.crm.order.not_ready_deadline_seconds", "between 1 and 2592000"],
        ),
        (
            "stripe",
            "order = { not_ready_deadline_seconds = 2592001 }",
            ["not_ready_deadline_seconds", "2592001 s"],
        ),
        ("github", "order = { settle_ms = 1 }", ["sources.crm.order.settle_ms", key]),
        ("github", "order = { stale = \"apply\" }", ["sources.crm.order.stale", key]),
        (
            "github",
            "order = { on_failure = \"park\" }",
            ["sources.crm.order.on_failure", "say with ordering_key"],
        ),
        ("shopify", "order = { settle_ms = 1 }", ["sources.crm.order.settle_ms", time]),
        ("shopify", "order = { stale = \"skip\" }", ["sources.crm.order.stale", "say with occurred_at"]),
        ("stripe", "order = { stale = \"drop\" }", ["hookproof.toml:5", "`apply`, `skip`, `flag`"]),
        ("stripe", "order = { settle = 5 }", ["unknown field `settle`", "`settle_ms`"]),
    ];
    for (scheme, lines, wanted) in rows {
        let message = source(scheme, lines).unwrap_err();
        for part in wanted {
            assert!(message.contains(part), "{lines}\n  says: {message}\n  lacks: {part}");
        }
    }
    assert!(source("github", "ordering_key = [\"/id\"]\norder = { on_failure = \"park\" }").is_ok());
    let timed = "occurred_at = \"/updated_at\"\norder = { settle_ms = 5, stale = \"skip\" }";
    assert!(source("shopify", timed).is_ok());
}

/// With `HOOKPROOF_UPDATE=1`, writes the table instead of comparing it.
#[test]
fn the_readme_has_the_defaults_of_every_preset() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = readme.find("| presets | ordering key |").unwrap();
    let end = start + readme.get(start..).unwrap().find("\n\n").unwrap() + 1;
    let table = preset::table();
    if std::env::var_os("HOOKPROOF_UPDATE").is_some() {
        let updated = [readme.get(..start).unwrap(), &table, readme.get(end..).unwrap()].concat();
        return std::fs::write(path, updated).unwrap();
    }
    assert_eq!(readme.get(start..end).unwrap(), table, "HOOKPROOF_UPDATE=1 writes it");
}
