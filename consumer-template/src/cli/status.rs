use std::process::ExitCode;

use clap::Args;

use super::args::StoreArg;
use super::source;
use super::storage;
use super::table::{print_line, table};
use crate::inbox::{Life as _, Operator as _};

/// Count events by source and state, and say how large the store is.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hookproof status --config hookproof.toml\n  hookproof status --db hookproof.db --json\n\nReads the database; the server may be running or not."
)]
pub(super) struct Status {
    #[command(flatten)]
    store: StoreArg,
    /// Print JSON: one source and state per line, then one line about the store.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let operator = self.store.open()?;
        let (counts, mut sources) = (operator.counts().await?, operator.sources().await?);
        sources.retain(|status| source::remedy(status).is_some());
        let mut rows = table(["source", "state", "events"]);
        for count in &counts.entries {
            if self.json {
                let line = serde_json::json!({
                    "source": count.source, "state": count.state.as_str(), "events": count.events,
                });
                print_line(line)?;
            } else {
                rows.add_row([&count.source, count.state.as_str(), &count.events.to_string()]);
            }
        }
        for blocked in &counts.blocked {
            if self.json {
                let line = serde_json::json!({
                    "source": blocked.source, "blocked_keys": blocked.keys, "blocked_events": blocked.events,
                });
                print_line(line)?;
            } else {
                let of = format!("blocked in {} keys", blocked.keys);
                rows.add_row([blocked.source.as_str(), of.as_str(), &blocked.events.to_string()]);
            }
        }
        if self.json {
            sources.iter().try_for_each(|status| print_line(source::json(status)))?;
        } else {
            print_line(if counts.entries.is_empty() {
                "No events yet.".to_owned()
            } else {
                rows.to_string()
            })?;
            if !counts.blocked.is_empty() {
                print_line("Blocked events wait for a person: `hookproof dlq list` shows for whom.")?;
            }
            sources.iter().filter_map(source::remedy).try_for_each(print_line)?;
        }
        storage::print(&operator, self.json).await?;
        Ok(ExitCode::SUCCESS)
    }
}
