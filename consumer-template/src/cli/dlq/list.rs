//! A list of dead letters.

use clap::Args;

use super::select::{SelectArgs, or_dash};
use crate::cli::args::StoreArg;
use crate::cli::table::{eprint_line, moment, print_fitted, print_line, shown, table};
use crate::dead_letters::Pages;
use crate::export::json;
use crate::inbox::{DeadLetters as _, EventSummary, Filter};

/// Lines of a table, unless a person wants more.
const LINES: u64 = 100;

/// List dead letters, the oldest first.
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// List instead what was done without being applied, because later events of its key were.
    #[arg(long, conflicts_with_all = ["reason", "group"])]
    superseded: bool,
    /// At most this many. Unless given: 100 for people, all with --json.
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print JSON, one dead letter per line.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let store = self.store.open_for(self.select.source()).await?;
        let filter = if self.superseded { Filter::superseded() } else { Filter::dead() };
        let selection = self.select.selection(&store).await?;
        let mut pages = Pages::of(&store, filter.selecting(selection.clone())).await?;
        let most = self.limit.unwrap_or(if self.json { u64::MAX } else { LINES });
        let mut listed = 0;
        let mut rows = lines();
        'pages: while let Some(page) = pages.next(&store).await? {
            for event in page {
                if listed == most {
                    break 'pages;
                }
                listed += 1;
                if self.json {
                    print_line(json::summary(&event))?;
                } else {
                    rows.add_row(cells(&event));
                }
            }
        }
        if self.json {
            return Ok(());
        }
        if listed == 0 {
            let nothing = if self.superseded { "Nothing was superseded." } else { "No dead letters." };
            return Ok(print_line(nothing)?);
        }
        print_lines(rows)?;
        // What was superseded is not counted: nobody waits for it.
        if listed == most && !self.superseded {
            let total = store.preview(selection).await?.total();
            if total > listed {
                eprint_line(format_args!(
                    "The oldest {listed} of {total}. `hookproof dlq groups` shows what they have in common; --limit lists more."
                ));
            }
        }
        Ok(())
    }
}

/// A table of dead letters without any lines.
pub(super) fn lines() -> comfy_table::Table {
    table([
        "event",
        "source",
        "type",
        "key",
        "received",
        "reason",
        "group",
        "blocks",
        "attempts",
        "last error",
    ])
}

/// Prints such a table.
pub(super) fn print_lines(lines: comfy_table::Table) -> std::io::Result<()> {
    print_fitted(lines, &["attempts", "blocks", "type", "key", "group", "received", "source"])
}

pub(super) fn cells(event: &EventSummary) -> [String; 10] {
    [
        event.number.to_string(),
        shown(&event.source),
        or_dash(event.event_type.as_deref()),
        or_dash(event.ordering_key.as_deref()),
        moment(event.received_at),
        or_dash(event.reason.map(|reason| reason.as_str())),
        or_dash(event.fingerprint.as_ref().map(|group| group.short())),
        event.blocks.map_or_else(|| "-".to_owned(), |waiting| format!("{waiting} events")),
        event.attempts.to_string(),
        or_dash(event.last_error.as_deref()),
    ]
}
