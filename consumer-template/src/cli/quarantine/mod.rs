mod purge;
mod show;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::purge::Purge;
use self::show::Show;
use self::verify::Verify;
use super::args::StoreArg;
use super::table::{moment, print_line, shown, table};
use crate::inbox::{Quarantine as Store, QuarantineFilter, QuarantineTotal, QuarantinedSummary};

/// Look after refused requests that are kept until the right key is known.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Quarantine {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  hookproof quarantine list --config hookproof.toml
  hookproof quarantine show 17
  hookproof quarantine show 17 --raw > request.txt
  hookproof quarantine verify --dry-run                            with the keys of the configuration
  hookproof quarantine verify --source klozeo --why 'key was wrong'
  hookproof quarantine purge --source klozeo --why 'a scanner'

A source keeps what it refuses if its configuration says so: quarantine = {}. Kept are requests whose signature no key
made, and nothing else: no key cures a late or malformed one. What verifies is accepted like a delivery of its time of
receipt: if its event came another way meanwhile, it is a duplicate.";

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Verify(Verify),
    Purge(Purge),
}

/// List what is in quarantine, the oldest first.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    store: StoreArg,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Print JSON, one request per line, then one line of totals per source.
    #[arg(long)]
    json: bool,
}

impl Quarantine {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::List(command) => command.run().await?,
            Command::Show(command) => command.run().await?,
            Command::Verify(command) => return command.run().await,
            Command::Purge(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(&self) -> anyhow::Result<()> {
        let store = self.store.open_for(self.source.as_deref()).await?;
        let mut pages = Pages::of(&store, self.source.clone());
        let mut rows =
            table(["number", "source", "received", "reason", "peer", "method", "path and query", "bytes"]);
        while let Some(page) = pages.next().await? {
            for request in &page {
                if self.json {
                    print_line(summary_json(request))?;
                } else {
                    rows.add_row([
                        request.number.to_string(),
                        shown(&request.source),
                        moment(request.received_at),
                        shown(&request.reason),
                        request.peer.as_deref().map_or_else(|| "-".to_owned(), shown),
                        shown(&request.method),
                        shown(&request.target),
                        request.body_bytes.to_string(),
                    ]);
                }
            }
        }
        let mut totals = store.quarantine_totals().await?;
        totals.retain(|total| self.source.as_ref().is_none_or(|source| *source == total.source));
        if self.json {
            return Ok(totals.iter().try_for_each(|total| print_line(total_json(total)))?);
        }
        print_line(if rows.is_empty() { "Nothing is in quarantine.".to_owned() } else { rows.to_string() })?;
        Ok(totals.iter().try_for_each(|total| print_line(total_line(total)))?)
    }
}

/// Goes through the quarantine page by page. What comes meanwhile is met, too.
struct Pages<'a> {
    store: &'a dyn Store,
    filter: QuarantineFilter,
}

impl<'a> Pages<'a> {
    fn of(store: &'a dyn Store, source: Option<String>) -> Self {
        Self { store, filter: QuarantineFilter { source, ..QuarantineFilter::default() } }
    }

    async fn next(&mut self) -> anyhow::Result<Option<Vec<QuarantinedSummary>>> {
        let page = self.store.quarantined(self.filter.clone()).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.filter.after = Some(last.number);
        Ok(Some(page))
    }
}

fn summary_json(request: &QuarantinedSummary) -> serde_json::Value {
    serde_json::json!({
        "number": request.number.0,
        "source": request.source,
        "received_at": moment(request.received_at),
        "reason": request.reason,
        "peer": request.peer,
        "method": request.method,
        "path_and_query": request.target,
        "body_bytes": request.body_bytes,
    })
}

fn total_json(total: &QuarantineTotal) -> serde_json::Value {
    serde_json::json!({
        "source": total.source, "held": total.held, "bytes": total.bytes, "total": total.total,
        "released": total.released, "purged": total.purged, "evicted": total.evicted, "expired": total.expired,
        "dropped": total.dropped,
    })
}

fn total_line(total: &QuarantineTotal) -> String {
    format!(
        "{}: {} held ({} bytes); since ever {} taken in, {} released, {} purged, {} evicted for newer ones, {} too old; {} had no \
         room",
        shown(&total.source),
        total.held,
        total.bytes,
        total.total,
        total.released,
        total.purged,
        total.evicted,
        total.expired,
        total.dropped
    )
}
