//! Replay and discard.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::list;
use super::select::SelectArgs;
use super::watch::{STALE, Watch};
use crate::cli::args::{ActorArg, StoreArg};
use crate::cli::source::remedy;
use crate::cli::table::{eprint_line, print_line, shown, table};
use crate::clock::SystemClock;
use crate::dead_letters::{Action, Moved, Rate, Task, Which};
use crate::event::{EventNo, State};
use crate::inbox::{DeadLetters, Filter, IfStale, OperatorError, Selection};

/// As a shell says it of what Ctrl-C ended.
const STOPPED: u8 = 130;

/// A preview shows so many of the oldest dead letters.
const PREVIEWED: usize = 10;

const REPLAY_HELP: &str = "\
Examples:
  hookproof dlq replay 17 18 --why 'CRM is back'
  hookproof dlq replay --group 33265b89 --dry-run
  hookproof dlq replay --all --source klozeo --rate 50/s --why 'CRM is back'

Between two dead letters the database is free: the server keeps working. Without --rate, no more than half of the
time is taken. Ctrl-C stops between two dead letters; what is done is done, and running it again goes on.

Exits 0 if all of it was done, 1 if not, 130 if it was stopped.";

const DISCARD_HELP: &str = "\
Examples:
  hookproof dlq discard 17 --why 'a test event'
  hookproof dlq discard --all --source test --why 'test events' --dry-run

Between two dead letters the database is free: the server keeps working. Without --rate, no more than half of the
time is taken. Ctrl-C stops between two dead letters; what is done is done, and running it again goes on.

Exits 0 if all of it was done, 1 if not, 130 if it was stopped.";

/// What says which dead letters are meant. One of them has to.
const WHICH: [&str; 9] = [
    "events",
    "all",
    "source",
    "reason",
    "group",
    "event_type",
    "ordering_key",
    "received_after",
    "received_before",
];

/// What a person does, and why.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").args(WHICH).required(true).multiple(true))]
struct ActArgs {
    #[command(flatten)]
    store: StoreArg,
    /// The events' numbers.
    #[arg(conflicts_with_all = ["all", "selection"])]
    events: Vec<EventNo>,
    /// All dead letters, or all that the other options select.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    select: SelectArgs,
    /// At most so many per second or minute: 50/s, 600/m.
    #[arg(long)]
    rate: Option<Rate>,
    #[command(flatten)]
    actor: ActorArg,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Give dead letters new attempts.
#[derive(Args, Debug)]
#[command(after_help = REPLAY_HELP)]
pub(super) struct Replay {
    #[command(flatten)]
    act: ActArgs,
    /// Why, for the audit log.
    #[arg(long, default_value = "")]
    why: String,
    /// Apply events that are older than what was applied of their keys, whatever the source's stale rule is.
    #[arg(long)]
    even_if_stale: bool,
}

/// Mark dead letters as not to be processed. They are kept.
#[derive(Args, Debug)]
#[command(after_help = DISCARD_HELP)]
pub(super) struct Discard {
    #[command(flatten)]
    act: ActArgs,
    /// Why, for the audit log.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: String,
}

impl Replay {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let if_stale = if self.even_if_stale { IfStale::Apply } else { IfStale::FollowRule };
        self.act.run(Action::Replay(if_stale), &self.why).await
    }
}

impl Discard {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        self.act.run(Action::Discard, &self.why).await
    }
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Replay(_) => "replay",
        Action::Discard => "discard",
    }
}

impl ActArgs {
    async fn run(&self, action: Action, why: &str) -> anyhow::Result<ExitCode> {
        let store = self.store.open_for(self.select.source()).await?;
        if self.events.is_empty() {
            let selection = self.select.selection(&store).await?;
            if self.dry_run {
                return self.preview(&store, action, selection).await;
            }
            return self.act(&store, action, Which::Selected(selection), why).await;
        }
        if self.dry_run {
            return self.look(&store, action).await;
        }
        self.act(&store, action, Which::These(self.events.clone()), why).await
    }

    async fn act(
        &self,
        store: &dyn DeadLetters,
        action: Action,
        which: Which,
        why: &str,
    ) -> anyhow::Result<ExitCode> {
        // Before the first of them, so that no stop is missed.
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stop = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let task = Task { action, which, by: self.actor.by(why), rate: self.rate };
        let mut watch = Watch::new(verb(action));
        let run = task.run(store, &SystemClock, stop, &mut watch).await;
        watch.end();
        let moved = run.as_ref().map_or_else(|broke_off| broke_off.moved, |moved| *moved);
        self.report(verb(action), &moved)?;
        run?;
        if matches!(action, Action::Replay(_)) && moved.moved > 0 {
            // Or the person waits for what waits for the person.
            store.sources().await?.iter().filter_map(remedy).for_each(eprint_line);
        }
        Ok(match moved {
            Moved { stopped: true, .. } => ExitCode::from(STOPPED),
            Moved { skipped: 0, .. } => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }

    fn report(&self, verb: &str, moved: &Moved) -> anyhow::Result<()> {
        if self.json {
            let line = json!({
                "action": verb, "done": moved.moved, "overtaken": moved.stale, "not": moved.skipped,
                "stopped": moved.stopped,
            });
            return Ok(print_line(line)?);
        }
        print_line(format_args!("{verb}: {} done, {} not", moved.moved, moved.skipped))?;
        if moved.stopped {
            eprint_line("Stopped. Run it again to go on.");
        }
        Ok(())
    }

    /// What would be done to the selected ones.
    async fn preview(
        &self,
        store: &dyn DeadLetters,
        action: Action,
        selection: Selection,
    ) -> anyhow::Result<ExitCode> {
        let preview = store.preview(selection.clone()).await?;
        let (verb, total) = (verb(action), preview.total());
        if self.json {
            let entries = preview.entries.iter().map(|entry| {
                json!({
                    "source": entry.source, "reason": entry.reason.as_str(), "events": entry.events,
                    "overtaken": entry.overtaken,
                })
            });
            let line = json!({
                "action": verb, "dry_run": true, "events": total, "overtaken": preview.overtaken(),
                "selected": entries.collect::<Vec<_>>(),
            });
            print_line(line)?;
            return Ok(ExitCode::SUCCESS);
        }
        if total == 0 {
            print_line(format_args!("Nothing to {verb}: no dead letter is selected."))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = table(["source", "reason", "events", "overtaken"]);
        for entry in &preview.entries {
            let (events, overtaken) = (entry.events.to_string(), entry.overtaken.to_string());
            rows.add_row([shown(&entry.source), entry.reason.to_string(), events, overtaken]);
        }
        print_line(rows)?;
        let oldest = Filter { limit: PREVIEWED, ..Filter::dead().selecting(selection) };
        let mut rows = list::lines();
        for event in store.list(oldest).await? {
            rows.add_row(list::cells(&event));
        }
        print_line("\nThe oldest of them:")?;
        list::print_lines(rows)?;
        if matches!(action, Action::Replay(_)) && preview.overtaken() > 0 {
            print_line(format_args!(
                "Of {} of them, {STALE}: the stale rule of their source decides.",
                preview.overtaken()
            ))?;
        }
        print_line(format_args!("Would {verb} {total} dead letters. Nothing was changed."))?;
        Ok(ExitCode::SUCCESS)
    }

    /// What would be done to those whose numbers were typed.
    async fn look(&self, store: &dyn DeadLetters, action: Action) -> anyhow::Result<ExitCode> {
        let (verb, mut would) = (verb(action), 0);
        for event in &self.events {
            match store.summary(*event).await? {
                Some(summary) if summary.state == State::Dead => {
                    would += 1;
                    let overtaken = summary.overtaken && matches!(action, Action::Replay(_));
                    let note = if overtaken { format!(": {STALE}") } else { String::new() };
                    if !self.json {
                        print_line(format_args!("would {verb} event {event}{note}"))?;
                    }
                }
                Some(summary) => {
                    let error = OperatorError::NotDead { event: *event, state: summary.state };
                    eprint_line(format_args!("error: {error}"));
                }
                None => eprint_line(format_args!("error: {}", OperatorError::NotFound(*event))),
            }
        }
        let not = self.events.len() - would;
        if self.json {
            print_line(json!({ "action": verb, "dry_run": true, "events": would, "not": not }))?;
        } else {
            print_line(format_args!("Would {verb} {would} dead letters, {not} not. Nothing was changed."))?;
        }
        Ok(if not == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
