use std::process::ExitCode;

use clap::Args;
use hookproof::Freshness;

use super::args::ConfigArg;
use super::table::{print_line, table};
use crate::clock::span;
use crate::config::Config;
use crate::forward::Target;
use crate::source::Source;

/// Check a configuration as `serve` would, and show what it means.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hookproof check-config --config hookproof.toml\n  hookproof check-config --config hookproof.toml --json\n\nExits 0 if the configuration holds; 1 if not, naming the field and the remedy."
)]
pub(super) struct CheckConfig {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        if self.json {
            let sources = config.sources.iter().map(|source| {
                serde_json::json!({
                    "name": &*source.name,
                    "path": source.path,
                    "scheme": source.verifier.scheme().name(),
                    "keys": source.verifier.keys().ids().collect::<Vec<_>>(),
                    "body_limit_bytes": source.verifier.body_limit(),
                    "forward": target(&config, source).map(|target| serde_json::json!({
                        "url": target.shown_url(),
                        "keys": target.key_ids(),
                        "timeout_seconds": target.timeout().as_secs(),
                        "allow_networks": target.allowance().entries(),
                    })),
                    "breaker": config.breakers.get(&source.name).map(|breaker| serde_json::json!({
                        "last": breaker.last,
                        "window_seconds": breaker.window.as_secs(),
                        "min_dead": breaker.min_dead,
                        "dead_percent": breaker.dead_percent,
                    })),
                    "order": {
                        "settle_ms": crate::clock::millis(source.order.settle),
                        "stale": source.order.stale.as_str(),
                        "on_failure": source.order.on_failure.as_str(),
                        "not_ready_deadline_seconds": source.order.not_ready_deadline.as_secs(),
                        "at_deadline": source.order.at_deadline.as_str(),
                    },
                })
            });
            let report = serde_json::json!({
                "ok": true,
                "listen": config.server.listen.to_string(),
                "store": config.store.path,
                "sources": sources.collect::<Vec<_>>(),
            });
            print_line(report)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = table(["source", "path", "preset", "keys", "a replay is bounded by"]);
        for source in &config.sources {
            let keys = source.verifier.keys().ids().collect::<Vec<_>>().join(", ");
            let scheme = source.verifier.scheme();
            rows.add_row([&source.name, &*source.path, scheme.name(), &keys, &freshness(scheme.freshness())]);
        }
        print_line(format_args!("listen   {}", config.server.listen))?;
        print_line(format_args!("store    {}", config.store.path.display()))?;
        print_line(rows)?;
        for source in &config.sources {
            if let Some(target) = target(&config, source) {
                let (url, keys) = (target.shown_url(), target.key_ids().join(", "));
                print_line(format_args!("{} is forwarded to {url}, signed with {keys}", source.name))?;
            }
        }
        print_line("The configuration holds.")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Where the source's events are forwarded to, if they are.
fn target<'a>(config: &'a Config, source: &Source) -> Option<&'a Target> {
    let mut forwards = config.forwards.iter();
    forwards.find(|forward| forward.source == source.name).map(|forward| forward.forwarder.target())
}

fn freshness(freshness: &Freshness) -> String {
    match freshness {
        Freshness::SignedTimestamp { window, .. } => {
            format!("signed time, {} back, {} ahead", span(window.past), span(window.future))
        }
        Freshness::EventTime { window, .. } => {
            format!("event time, {} back, and the inbox", span(window.past))
        }
        _ => "the inbox alone".to_owned(),
    }
}
