//! Who did what.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::args::StoreArg;
use super::table::{eprint_line, moment, print_line, shown, table};
use super::when::When;
use crate::clock::{Clock as _, SystemClock};
use crate::event::EventNo;
use crate::inbox::{AuditEntry, AuditFilter, AuditLog as _};

/// Lines of a table, unless a person wants more.
const LINES: u64 = 100;

/// List what people and providers did, the newest first: replays, discards, revivals, pauses.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Audit {
    #[command(flatten)]
    store: StoreArg,
    /// Only about this event.
    #[arg(long, value_name = "NUMBER")]
    event: Option<EventNo>,
    /// Only about this source and its events.
    #[arg(long)]
    source: Option<String>,
    /// Only what this person or machine did; `provider` for redeliveries.
    #[arg(long)]
    actor: Option<String>,
    /// Only this: replay, discard, revive, ...
    #[arg(long)]
    action: Option<String>,
    /// Only what was done then or later: 2026-11-20T18:03:11Z, or 2h for two hours ago.
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Only what was done before then.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// At most this many. Unless given: 100 for people, all with --json.
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print JSON, one line of the log per line.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof audit --config hookproof.toml
  hookproof audit --since 24h --action discard
  hookproof audit --event 17 --json

The log is append-only: the database refuses to change or to erase a line of it.";

impl Audit {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let store = self.store.open_for(self.source.as_deref()).await?;
        let now = SystemClock.now();
        let mut filter = AuditFilter {
            event: self.event,
            source: self.source.clone(),
            actor: self.actor.clone(),
            action: self.action.clone(),
            since: self.since.map(|when| when.at(now)),
            until: self.until.map(|when| when.at(now)),
            ..AuditFilter::default()
        };
        let most = self.limit.unwrap_or(if self.json { u64::MAX } else { LINES });
        let mut rows = table(["when", "who", "what", "event", "source", "why"]);
        let mut listed = 0;
        'pages: loop {
            let page = store.audit(filter.clone()).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id);
            for entry in &page {
                if listed == most {
                    eprint_line(format_args!("Only the newest {most}; --limit lists more."));
                    break 'pages;
                }
                listed += 1;
                if self.json {
                    print_line(line(entry))?;
                } else {
                    rows.add_row(cells(entry));
                }
            }
        }
        if !self.json {
            print_line(if listed == 0 { "Nothing was done.".to_owned() } else { rows.to_string() })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn cells(entry: &AuditEntry) -> [String; 6] {
    [
        moment(entry.at),
        shown(&entry.actor),
        shown(&entry.action),
        entry.event.map_or_else(|| "-".to_owned(), |event| event.to_string()),
        entry.source.as_deref().map_or_else(|| "-".to_owned(), shown),
        shown(&entry.why),
    ]
}

fn line(entry: &AuditEntry) -> serde_json::Value {
    json!({
        "id": entry.id,
        "at": moment(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "event": entry.event.map(|event| event.0),
        "source": entry.source,
        "why": entry.why,
    })
}
