//! What the bodies of each preset hold and how its keys are kept in order, unless the configuration says otherwise.

use std::fmt::Write as _;
use std::time::Duration;

use hookproof::{Freshness, Scheme};

use crate::config::BodyKind;
use crate::leads::{LEAD_IDS, SCHEMES};
use crate::ordering::{OrderPolicy, StaleRule};

/// Where in the body of a preset is what.
pub(crate) struct PresetPolicy {
    pub(crate) body: BodyKind,
    pub(crate) ordering_key: &'static [&'static str],
    pub(crate) occurred_at: Option<&'static str>,
}

impl PresetPolicy {
    pub(crate) fn of(scheme: &str) -> Self {
        let json = |ordering_key, occurred_at| Self { body: BodyKind::Json, ordering_key, occurred_at };
        match scheme {
            // Forms; of Slack interactions and slash commands.
            "slack" | "twilio" | "mandrill" => {
                Self { body: BodyKind::Any, ordering_key: &[], occurred_at: None }
            }
            "stripe" => json(&["/data/object/id"], Some("/created")),
            "standard-webhooks" | "gitlab" | "openai" | "svix" => json(&["/data/id"], Some("/timestamp")),
            "devsphere" | "metalocator" | "metalocator-raw" | "leadhub-timestamped" => {
                json(&LEAD_IDS, Some("/timestamp"))
            }
            "megatronlead" | "klozeo" | "klozeo-guide" | "leadhub" => json(&LEAD_IDS, None),
            "paddle" => json(&["/data/id"], Some("/occurred_at")),
            "linear" | "square" => json(&["/data/id"], None),
            "close" => json(&["/event/object_id"], Some("/event/date_created")),
            "pagerduty" => json(&["/event/data/id"], Some("/event/occurred_at")),
            "woocommerce" | "shopify" => json(&["/id"], None),
            "paypal" => json(&["/resource/id"], Some("/create_time")),
            "box" => json(&["/source/id"], Some("/created_at")),
            "docusign" => json(&["/data/envelopeId"], Some("/generatedDateTime")),
            "plaid" => json(&["/item_id"], None),
            "contentful" => json(&["/sys/id"], Some("/sys/updatedAt")),
            // No entity that is the same in all events of these.
            _ => json(&[], None),
        }
    }
}

/// How the keys of a preset are kept in order, and why so.
pub(crate) fn order(scheme: &str) -> (OrderPolicy, &'static str) {
    let default = OrderPolicy::default();
    match scheme {
        "stripe" | "paddle" => (
            OrderPolicy { settle: Duration::from_secs(1), ..default },
            "promises no order, and sends several events of one object at once: what comes within a second is put right",
        ),
        _ if SCHEMES.contains(&scheme) => (
            OrderPolicy { stale: StaleRule::Apply, ..default },
            "lead events are merged by their time: every order ends in the same table",
        ),
        _ if PresetPolicy::of(scheme).ordering_key.is_empty() => {
            (default, "no entity that is the same in all of its events: none waits for another one")
        }
        _ => (default, "an event may tell more than a later one does: none is skipped, its handler is told"),
    }
}

/// The defaults of every preset, as the table in the README.
#[must_use]
pub fn table() -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for scheme in Scheme::all() {
        let name = scheme.name();
        let (policy, (order, why)) = (PresetPolicy::of(name), order(name));
        let code = |text: &&str| format!("`{text}`");
        let key = match policy.ordering_key {
            keys if keys == LEAD_IDS.as_slice() => "the lead's id".to_owned(),
            [] => "none".to_owned(),
            keys => keys.iter().map(code).collect::<Vec<_>>().join(", "),
        };
        let time = match (scheme.freshness(), policy.occurred_at) {
            (Freshness::EventTime { pointer, .. }, _) => format!("`{pointer}`"),
            (_, Some(place)) => code(&place),
            _ if key == "none" => "-".to_owned(),
            _ => "arrival".to_owned(),
        };
        let rest = format!("{key} | {time} | {} | {} | {why}", order.settle.as_millis(), order.stale);
        match rows.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, names)) => names.push(code(&name)),
            None => rows.push((rest, vec![code(&name)])),
        }
    }
    let mut table = String::from(
        "| presets | ordering key | event's time | `settle_ms` | `stale` | because |\n|---|---|---|---|---|---|\n",
    );
    for (rest, names) in rows {
        let _ = writeln!(table, "| {} | {rest} |", names.join(", "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lead event that is older than what was applied may be the only one to tell something: see `tests/leads`.
    #[test]
    fn the_lead_platforms_apply_what_is_late() {
        for scheme in SCHEMES {
            assert_eq!(order(scheme).0.stale, StaleRule::Apply, "{scheme}");
        }
    }
}
