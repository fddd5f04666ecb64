//! Pausing and resuming what is processed.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::args::{ActorArg, StoreArg};
use super::table::{eprint_line, moment, print_line, shown, table};
use crate::clock::{Clock as _, SystemClock};
use crate::inbox::{Life as _, LifeError, SourceStatus};

/// See which sources are processed, and pause and resume that.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Source {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  hookproof source list --config hookproof.toml
  hookproof source pause klozeo --why 'the CRM moves tonight'
  hookproof source resume klozeo --why 'the CRM is back'

A paused source takes deliveries as ever, and stores them. What runs is finished; nothing else of it is begun until
somebody resumes it, also after a restart. A source whose breaker tripped is paused, too. The server may run
meanwhile: it notices within a second.";

const PAUSE_EXAMPLES: &str = "\
Examples:
  hookproof source pause klozeo --why 'the CRM moves tonight'
  hookproof source pause klozeo stripe --why 'the database is full' --config hookproof.toml";

const RESUME_EXAMPLES: &str = "\
Examples:
  hookproof source resume klozeo --why 'the CRM is back'
  hookproof source resume klozeo stripe --why 'there is room again' --config hookproof.toml";

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Pause(Pause),
    Resume(Resume),
}

/// List sources: whether they are processed, and what waits.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    store: StoreArg,
    /// Print JSON, one source per line.
    #[arg(long)]
    json: bool,
}

/// Begin no more events of these sources.
#[derive(Args, Debug)]
#[command(after_help = PAUSE_EXAMPLES)]
struct Pause {
    #[command(flatten)]
    act: Act,
}

/// Go on with these sources, whoever paused them.
#[derive(Args, Debug)]
#[command(after_help = RESUME_EXAMPLES)]
struct Resume {
    #[command(flatten)]
    act: Act,
}

/// What a person does, and why.
#[derive(Args, Debug)]
struct Act {
    #[command(flatten)]
    store: StoreArg,
    /// The sources' names.
    #[arg(required = true)]
    sources: Vec<String>,
    #[command(flatten)]
    actor: ActorArg,
    /// Why, for the audit log.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    why: String,
}

impl Source {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::List(list) => list.run().await,
            Command::Pause(pause) => pause.act.run(Action::Pause).await,
            Command::Resume(resume) => resume.act.run(Action::Resume).await,
        }
    }
}

#[derive(Clone, Copy)]
enum Action {
    Pause,
    Resume,
}

impl Act {
    async fn run(&self, action: Action) -> anyhow::Result<ExitCode> {
        let operator = self.store.open()?;
        let mut code = ExitCode::SUCCESS;
        for source in &self.sources {
            let (by, now) = (self.actor.by(&self.why), SystemClock.now());
            let did = match action {
                Action::Pause => operator.pause(source, by, now).await.map(|()| "paused".to_owned()),
                Action::Resume => operator
                    .resume(source, by, now)
                    .await
                    .map(|pause| format!("goes on; it was paused since {}", moment(pause.since))),
            };
            match did {
                Ok(did) => print_line(format_args!("{source} {did}"))?,
                Err(LifeError::Inbox(error)) => return Err(error.into()),
                Err(error) => {
                    eprint_line(format_args!("error: {error}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

impl List {
    async fn run(&self) -> anyhow::Result<ExitCode> {
        let sources = self.store.open()?.sources().await?;
        let mut rows =
            table(["source", "state", "since", "by", "why", "pending", "oldest", "running", "dead"]);
        for status in &sources {
            if self.json {
                print_line(json(status))?;
            } else {
                rows.add_row(cells(status));
            }
        }
        if !self.json {
            print_line(if sources.is_empty() { "No sources yet.".to_owned() } else { rows.to_string() })?;
            for line in sources.iter().filter_map(remedy) {
                print_line(line)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn cells(status: &SourceStatus) -> [String; 9] {
    let dash = || "-".to_owned();
    let pause = status.pause.as_ref();
    let since = status.removed_since.or(pause.map(|pause| pause.since));
    [
        shown(&status.source),
        status.state().to_owned(),
        since.map_or_else(dash, moment),
        pause.map_or_else(dash, |pause| shown(&pause.actor)),
        pause.map_or_else(dash, |pause| shown(&pause.why)),
        status.pending.to_string(),
        status.oldest_pending.map_or_else(dash, moment),
        status.running.to_string(),
        status.dead.to_string(),
    ]
}

/// A source as scripts read it.
pub(super) fn json(status: &SourceStatus) -> serde_json::Value {
    let pause = status.pause.as_ref();
    serde_json::json!({
        "source": status.source,
        "state": status.state(),
        "paused_since": pause.map(|pause| moment(pause.since)),
        "paused_by": pause.map(|pause| &pause.actor),
        "why": pause.map(|pause| &pause.why),
        "removed_since": status.removed_since.map(moment),
        "pending": status.pending,
        "running": status.running,
        "dead": status.dead,
        "oldest_pending": status.oldest_pending.map(moment),
    })
}

/// What a person may do about a source of which nothing is begun; nothing if all is well.
pub(super) fn remedy(status: &SourceStatus) -> Option<String> {
    let source = shown(&status.source);
    if status.removed_since.is_some() {
        let waits = status.pending + status.running;
        return (waits > 0).then(|| {
            format!("{source} is not configured any more: {waits} events wait until it is in the configuration again.")
        });
    }
    let pause = status.pause.as_ref()?;
    let by = if pause.tripped { "its breaker".to_owned() } else { shown(&pause.actor) };
    let (since, why) = (moment(pause.since), shown(&pause.why));
    Some(format!(
        "{source} is paused since {since} by {by}: {why}. To go on: `hookproof source resume {source} --why ..`"
    ))
}
