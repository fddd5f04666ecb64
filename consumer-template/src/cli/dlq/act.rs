//! Replay and discard.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::{SelectArgs, StoreArg};
use crate::cli::source::remedy;
use crate::cli::table::{eprint_line, print_line, progress};
use crate::clock::{Clock as _, SystemClock};
use crate::dead_letters::Pages;
use crate::event::EventNo;
use crate::inbox::{By, IfStale, Life as _, Operator, OperatorError, Replayed};
use crate::ordering::StaleRule;

const STALE: &str = "later events of its key were applied before";

/// What a person does, and why.
#[derive(Args, Debug)]
struct ActArgs {
    #[command(flatten)]
    store: StoreArg,
    /// The events' numbers.
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "source", "reason"])]
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

#[derive(Clone, Copy)]
enum Action {
    Replay(IfStale),
    Discard,
}

impl ActArgs {
    async fn run(&self, action: Action, why: &str) -> anyhow::Result<ExitCode> {
        let operator = self.store.open()?;
        let events = if self.all { self.selected(&operator).await? } else { self.events.clone() };
        let verb = match action {
            Action::Replay(_) => "replay",
            Action::Discard => "discard",
        };
        if self.dry_run {
            for event in &events {
                print_line(format_args!(
                    "would {verb} event {event}{}",
                    overtaken(&operator, action, *event).await?
                ))?;
            }
            print_line(format_args!("{} dead letters, nothing changed", events.len()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let bar = progress(events.len() as u64);
        let (mut done, mut failed) = (0, 0);
        for event in events {
            let by = By::new(&self.actor, why);
            let now = SystemClock.now();
            let outcome = match action {
                Action::Replay(if_stale) => operator.replay(event, if_stale, by, now).await.map(consequence),
                Action::Discard => operator.discard(event, by, now).await.map(|()| None),
            };
            bar.inc(1);
            match outcome {
                Ok(consequence) => {
                    done += 1;
                    if let Some(consequence) = consequence {
                        bar.suspend(|| eprint_line(format_args!("event {event}: {STALE}; {consequence}")));
                    }
                }
                Err(error @ (OperatorError::NotFound(_) | OperatorError::NotDead { .. })) => {
                    failed += 1;
                    bar.suspend(|| eprint_line(format_args!("error: {error}")));
                }
                Err(error) => bail!("{error}; {done} done before"),
            }
        }
        bar.finish_and_clear();
        print_line(format_args!("{verb}: {done} done, {failed} not"))?;
        if matches!(action, Action::Replay(_)) && done > 0 {
            // Or the person waits for what waits for the person.
            operator.sources().await?.iter().filter_map(remedy).for_each(eprint_line);
        }
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

/// What a replay of an event that was overtaken leads to.
fn consequence(replayed: Replayed) -> Option<&'static str> {
    match replayed {
        Replayed::InOrder => None,
        Replayed::Stale(StaleRule::Apply) => Some("its source applies it like any other"),
        Replayed::Stale(StaleRule::Flag) => Some("it is applied, and its handler is told"),
        Replayed::Stale(StaleRule::Skip) => {
            Some("its source skips it: it will be done without being applied; --even-if-stale would apply it")
        }
        Replayed::StaleConfirmed => Some("it is applied all the same"),
    }
}

/// What a dry run says of an event that was overtaken.
async fn overtaken(operator: &dyn Operator, action: Action, event: EventNo) -> anyhow::Result<String> {
    let replay = matches!(action, Action::Replay(_));
    let overtaken = replay && operator.show(event).await?.is_some_and(|detail| detail.summary.overtaken);
    Ok(if overtaken { format!(": {STALE}") } else { String::new() })
}
