use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::table::{moment, print_line, shown, table};
use crate::clock::{Clock as _, SystemClock};
use crate::config::StoreConfig;
use crate::dead_letters::{Pages, Selection};
use crate::event::{DeadReason, EventNo};
use crate::export::Export;
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};
use crate::inbox::{By, EventDetail, EventSummary, Operator, OperatorError};

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
    pub(super) fn open(&self) -> anyhow::Result<SqliteOperator> {
        let path = match &self.db {
            Some(path) => path.clone(),
            None => StoreConfig::load(&self.config)?.path,
        };
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
    /// Only dead for this reason: malformed, conflict, attempts_exhausted or permanent.
    #[arg(long, value_parser = reason)]
    reason: Option<DeadReason>,
}

impl SelectArgs {
    fn selection(&self) -> Selection {
        Selection { source: self.source.clone(), reason: self.reason }
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
    /// Print JSON, one dead letter per line.
    #[arg(long)]
    json: bool,
}

/// Show one event: what is known of it, its attempts, what people did to it.
#[derive(Args, Debug)]
struct Show {
    #[command(flatten)]
    store: StoreArg,
    /// The event's number.
    event: EventNo,
    /// Print its body and nothing else, byte for byte.
    #[arg(long, conflicts_with = "json")]
    body: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a person does, and why.
#[derive(Args, Debug)]
struct ActArgs {
    #[command(flatten)]
    store: StoreArg,
    /// The events' numbers.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    events: Vec<EventNo>,
    /// All that --source and --reason select.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    select: SelectArgs,
    /// Who does it, for the audit log.
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
    /// Only list what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Give dead letters new attempts.
#[derive(Args, Debug)]
struct Replay {
    #[command(flatten)]
    act: ActArgs,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    why: String,
}

/// Mark dead letters as not to be processed. They are kept.
#[derive(Args, Debug)]
struct Discard {
    #[command(flatten)]
    act: ActArgs,
    /// Why, for the audit log.
    #[arg(long)]
    why: String,
}

/// Write dead letters to a file for other programs.
#[derive(Args, Debug)]
struct ExportArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    select: SelectArgs,
    /// CSV, safe to open in a spreadsheet.
    #[arg(long, required_unless_present = "jsonl", conflicts_with = "jsonl")]
    csv: bool,
    /// JSON, one dead letter per line.
    #[arg(long)]
    jsonl: bool,
    /// The file to write. Standard output unless given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Dlq {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::List(command) => command.run().await?,
            Command::Show(command) => command.run().await?,
            Command::Replay(Replay { act, why }) => return act.run(Action::Replay, why).await,
            Command::Discard(Discard { act, why }) => return act.run(Action::Discard, why).await,
            Command::Export(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(&self) -> anyhow::Result<()> {
        let operator = self.store.open()?;
        let mut pages = Pages::new(&operator, &self.select.selection()).await?;
        let mut rows =
            table(["event", "source", "type", "key", "received", "reason", "attempts", "last error"]);
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
            print_line(if total == 0 { "No dead letters.".to_owned() } else { rows.to_string() })?;
        }
        Ok(())
    }
}

fn summary_cells(event: &EventSummary) -> [String; 8] {
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), shown);
    [
        event.number.to_string(),
        shown(&event.source),
        or_dash(&event.event_type),
        or_dash(&event.ordering_key),
        moment(event.received_at),
        event.reason.map_or_else(|| "-".to_owned(), |reason| reason.to_string()),
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
        "attempts": event.attempts,
        "last_error": event.last_error,
    })
}

impl Show {
    async fn run(&self) -> anyhow::Result<()> {
        let detail = self.store.open()?.show(self.event).await?;
        let detail = detail.with_context(|| format!("there is no event {}", self.event))?;
        if self.body {
            return Ok(std::io::stdout().lock().write_all(&detail.event.body)?);
        }
        if self.json { Ok(print_line(detail_json(&detail))?) } else { print_detail(&detail) }
    }
}

fn detail_json(detail: &EventDetail) -> serde_json::Value {
    let attempts = detail.attempts.iter().map(|attempt| {
        serde_json::json!({
            "attempt": attempt.attempt, "started_at": moment(attempt.started_at),
            "ended_at": attempt.ended_at.map(moment), "outcome": attempt.outcome, "error": attempt.error,
        })
    });
    let audit = detail.audit.iter().map(|entry| {
        serde_json::json!({ "at": moment(entry.at), "actor": entry.actor, "action": entry.action, "why": entry.why })
    });
    let mut json = summary_json(&detail.summary);
    let more = serde_json::json!({
        "scheme": detail.event.scheme,
        "key_id": detail.event.key_id,
        "idempotency_key": detail.event.idempotency_key(),
        "body_bytes": detail.event.body.len(),
        "attempt_history": attempts.collect::<Vec<_>>(),
        "audit": audit.collect::<Vec<_>>(),
    });
    if let (Some(json), serde_json::Value::Object(more)) = (json.as_object_mut(), more) {
        json.extend(more);
    }
    json
}

fn print_detail(detail: &EventDetail) -> anyhow::Result<()> {
    let (summary, event) = (&detail.summary, &detail.event);
    let signed = |named: &crate::event::Named| {
        format!("{} ({})", shown(&named.value), if named.signed { "signed" } else { "not signed" })
    };
    let reason = summary.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut facts = vec![
        ("event", format!("{}, {}{reason}", summary.number, summary.state)),
        ("source", format!("{}, preset {}, key {}", summary.source, event.scheme, event.key_id)),
        ("received", moment(summary.received_at)),
    ];
    facts.extend(event.occurred_at.map(|at| ("occurred", moment(at))));
    facts.extend(event.event_type.as_ref().map(|named| ("type", signed(named))));
    facts.extend(event.event_id.as_ref().map(|named| ("id", signed(named))));
    facts.extend(event.ordering_key.as_ref().map(|key| ("ordering key", shown(key))));
    facts.extend(summary.last_error.as_ref().map(|error| ("last error", shown(error))));
    facts.push(("body", format!("{} bytes; print them with --body", event.body.len())));
    for (name, value) in facts {
        print_line(format_args!("{name:<13} {value}"))?;
    }
    if !detail.attempts.is_empty() {
        let mut rows = table(["attempt", "started", "ended", "outcome", "error"]);
        for attempt in &detail.attempts {
            let ended = attempt.ended_at.map_or_else(|| "-".to_owned(), moment);
            let outcome = attempt.outcome.clone().unwrap_or_else(|| "running".to_owned());
            let error = attempt.error.as_deref().map(shown).unwrap_or_default();
            rows.add_row([attempt.attempt.to_string(), moment(attempt.started_at), ended, outcome, error]);
        }
        print_line(rows)?;
    }
    for entry in &detail.audit {
        print_line(format_args!(
            "{}  {} by {}: {}",
            moment(entry.at),
            entry.action,
            shown(&entry.actor),
            shown(&entry.why)
        ))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Action {
    Replay,
    Discard,
}

impl ActArgs {
    async fn run(&self, action: Action, why: &str) -> anyhow::Result<ExitCode> {
        let operator = self.store.open()?;
        let events = if self.all { self.selected(&operator).await? } else { self.events.clone() };
        let verb = match action {
            Action::Replay => "replay",
            Action::Discard => "discard",
        };
        if self.dry_run {
            for event in &events {
                print_line(format_args!("would {verb} event {event}"))?;
            }
            print_line(format_args!("{} dead letters, nothing changed", events.len()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let bar = progress(events.len());
        let (mut done, mut failed) = (0, 0);
        for event in events {
            let by = By::new(&self.actor, why);
            let now = SystemClock.now();
            let outcome = match action {
                Action::Replay => operator.replay(event, by, now).await,
                Action::Discard => operator.discard(event, by, now).await,
            };
            bar.inc(1);
            match outcome {
                Ok(()) => done += 1,
                Err(error @ (OperatorError::NotFound(_) | OperatorError::NotDead { .. })) => {
                    failed += 1;
                    bar.suspend(|| super::table::eprint_line(format_args!("error: {error}")));
                }
                Err(error) => bail!("{error}; {done} done before"),
            }
        }
        bar.finish_and_clear();
        print_line(format_args!("{verb}: {done} done, {failed} not"))?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The numbers of what is selected now; what dies meanwhile is not among them.
    async fn selected(&self, operator: &dyn Operator) -> anyhow::Result<Vec<EventNo>> {
        let mut pages = Pages::new(operator, &self.select.selection()).await?;
        let mut events = Vec::new();
        while let Some(page) = pages.next().await? {
            events.extend(page.iter().map(|event| event.number));
        }
        Ok(events)
    }
}

fn progress(events: usize) -> ProgressBar {
    if events < 20 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(events as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl ExportArgs {
    async fn run(&self) -> anyhow::Result<()> {
        let operator = self.store.open()?;
        let out: Box<dyn Write> = match &self.output {
            Some(path) => {
                Box::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
            }
            None => Box::new(std::io::stdout().lock()),
        };
        let out = std::io::BufWriter::new(out);
        let mut export = if self.csv { Export::csv(out)? } else { Export::json_lines(out) };
        let mut pages = Pages::new(&operator, &self.select.selection()).await?;
        while let Some(page) = pages.next().await? {
            for event in page {
                // Whoever was quicker may have moved it, never removed it.
                if let Some(detail) = operator.show(event.number).await? {
                    export.add(&detail)?;
                }
            }
        }
        export.finish()
    }
}
