mod act;
mod export;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::act::{Discard, Replay};
use self::export::ExportArgs;
use self::show::Show;
use crate::cli::table::{moment, print_line, shown, table};
use crate::config::StoreConfig;
use crate::dead_letters::{Pages, Selection};
use crate::event::DeadReason;
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};
use crate::inbox::{EventSummary, Filter};

/// Look after dead letters: events that no attempt will follow unless a person acts.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Dlq {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  hookproof dlq list --config hookproof.toml
  hookproof dlq show 17
  hookproof dlq replay 17 --why 'CRM is back'
  hookproof dlq replay --all --source klozeo --dry-run
  hookproof dlq discard 17 --why 'test event'
  hookproof dlq export --csv --output dead.csv

The server may run meanwhile: it takes up what is replayed within a second. Keys are not needed.";

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Replay(Replay),
    Discard(Discard),
    Export(ExportArgs),
}

/// Which database.
#[derive(Args, Debug)]
pub(super) struct StoreArg {
    /// The configuration file; only its [store] is read.
    #[arg(long, short, value_name = "FILE", default_value = "hookproof.toml", env = "HOOKPROOF_CONFIG")]
    config: PathBuf,
    /// The SQLite file, instead of the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

impl StoreArg {
    pub(super) fn path(&self) -> anyhow::Result<PathBuf> {
        Ok(match &self.db {
            Some(path) => path.clone(),
            None => StoreConfig::load(&self.config)?.path,
        })
    }

    pub(super) fn open(&self) -> anyhow::Result<SqliteOperator> {
        let path = self.path()?;
        SqliteOperator::open(SqliteOptions::new(&path))
            .with_context(|| format!("cannot open {}", path.display()))
    }
}

/// Which dead letters.
#[derive(Args, Debug)]
struct SelectArgs {
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only dead for this reason: malformed, conflict, attempts_exhausted, permanent or deadline.
    #[arg(long, value_parser = reason)]
    reason: Option<DeadReason>,
}

impl SelectArgs {
    fn selection(&self) -> Selection {
        Selection { source: self.source.clone(), reason: self.reason }
    }

    fn narrow(&self, filter: Filter) -> Filter {
        Filter { source: self.source.clone(), reason: self.reason, ..filter }
    }
}

fn reason(name: &str) -> Result<DeadReason, String> {
    DeadReason::parse(name).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("choose one of {}", names.join(", "))
    })
}

/// List dead letters, the oldest first.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// List instead what was done without being applied, because later events of its key were.
    #[arg(long, conflicts_with = "reason")]
    superseded: bool,
    /// Print JSON, one dead letter per line.
    #[arg(long)]
    json: bool,
}

impl Dlq {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::List(command) => command.run().await?,
            Command::Show(command) => command.run().await?,
            Command::Replay(command) => return command.run().await,
            Command::Discard(command) => return command.run().await,
            Command::Export(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(&self) -> anyhow::Result<()> {
        let operator = self.store.open()?;
        let filter = if self.superseded { Filter::superseded() } else { Filter::dead() };
        let mut pages = Pages::of(&operator, self.select.narrow(filter)).await?;
        let mut rows = table([
            "event",
            "source",
            "type",
            "key",
            "received",
            "reason",
            "blocks",
            "attempts",
            "last error",
        ]);
        let mut total = 0;
        while let Some(page) = pages.next().await? {
            for event in page {
                total += 1;
                if self.json {
                    print_line(summary_json(&event))?;
                } else {
                    rows.add_row(summary_cells(&event));
                }
            }
        }
        if !self.json {
            print_line(if total == 0 {
                (if self.superseded { "Nothing was superseded." } else { "No dead letters." }).to_owned()
            } else {
                rows.to_string()
            })?;
        }
        Ok(())
    }
}

fn summary_cells(event: &EventSummary) -> [String; 9] {
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), shown);
    [
        event.number.to_string(),
        shown(&event.source),
        or_dash(&event.event_type),
        or_dash(&event.ordering_key),
        moment(event.received_at),
        event.reason.map_or_else(|| "-".to_owned(), |reason| reason.to_string()),
        event.blocks.map_or_else(|| "-".to_owned(), |waiting| format!("{waiting} events")),
        event.attempts.to_string(),
        or_dash(&event.last_error),
    ]
}

fn summary_json(event: &EventSummary) -> serde_json::Value {
    serde_json::json!({
        "event": event.number.0,
        "source": event.source,
        "event_type": event.event_type,
        "event_id": event.event_id,
        "ordering_key": event.ordering_key,
        "received_at": moment(event.received_at),
        "settled_at": event.settled_at.map(moment),
        "state": event.state.as_str(),
        "reason": event.reason.map(DeadReason::as_str),
        "blocks": event.blocks,
        "overtaken": event.overtaken,
        "superseded": event.superseded,
        "attempts": event.attempts,
        "last_error": event.last_error,
    })
}
