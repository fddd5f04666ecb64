//! What dead letters have in common.

use clap::Args;
use serde_json::json;

use super::select::{SelectArgs, or_dash};
use crate::cli::args::StoreArg;
use crate::cli::table::{eprint_line, moment, print_fitted, print_line, shown, table};
use crate::inbox::{DeadLetters as _, Group};

/// List the failures of which events died: those of the same source, for the same reason, with the same error but for its numbers,
/// ids, addresses and quoted texts.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Groups {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// At most this many, those with the most dead letters first.
    #[arg(long, value_name = "GROUPS", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Print JSON, one group per line.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof dlq groups --config hookproof.toml
  hookproof dlq groups --source klozeo --received-after 24h --json

What is named in the first column is what --group of the other commands takes.";

impl Groups {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let store = self.store.open_for(self.select.source()).await?;
        let selection = self.select.selection(&store).await?;
        let found = store.groups(selection, usize::from(self.limit)).await?;
        if self.json {
            found.groups.iter().try_for_each(|group| print_line(line(group)))?;
        } else if found.groups.is_empty() {
            print_line("No dead letters.")?;
        } else {
            let mut rows =
                table(["group", "events", "source", "reason", "first died", "last died", "oldest", "error"]);
            for group in &found.groups {
                rows.add_row(cells(group));
            }
            print_fitted(rows, &["oldest", "first died", "last died", "source"])?;
        }
        if found.total > found.groups.len() as u64 {
            eprint_line(format_args!(
                "The largest {} of {}; --limit lists more.",
                found.groups.len(),
                found.total
            ));
        }
        Ok(())
    }
}

fn cells(group: &Group) -> [String; 8] {
    [
        group.fingerprint.short().to_owned(),
        group.events.to_string(),
        shown(&group.source),
        group.reason.to_string(),
        moment(group.first_seen),
        moment(group.last_seen),
        moment(group.oldest_received),
        or_dash(group.sample.as_deref()),
    ]
}

fn line(group: &Group) -> serde_json::Value {
    json!({
        "group": group.fingerprint.as_str(),
        "events": group.events,
        "source": group.source,
        "reason": group.reason.as_str(),
        "first_died_at": moment(group.first_seen),
        "last_died_at": moment(group.last_seen),
        "oldest_received_at": moment(group.oldest_received),
        "sample_error": group.sample,
    })
}
