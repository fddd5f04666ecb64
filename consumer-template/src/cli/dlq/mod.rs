//! Dead letters, for who looks after them.

mod act;
mod export;
mod groups;
mod list;
mod select;
mod show;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::act::{Discard, Replay};
use self::export::ExportArgs;
use self::groups::Groups;
use self::list::List;
use self::show::Show;

/// Look after dead letters: events that no attempt will follow unless a person acts.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Dlq {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  hookproof dlq groups --config hookproof.toml           which failures there are, and how many died of each
  hookproof dlq list --source klozeo --received-after 2h
  hookproof dlq show 17                                  one event: attempts, errors, what people did
  hookproof dlq replay 17 --why 'CRM is back'
  hookproof dlq replay --group 33265b89 --dry-run        what it would do, without doing it
  hookproof dlq replay --group 33265b89 --rate 50/s --why 'CRM is back'
  hookproof dlq discard --all --source test --why 'test events'
  hookproof dlq export --csv --output dead.csv

The server may run meanwhile: it takes up what is replayed within a second. Keys are not needed.
Who did what, and why: hookproof audit.";

#[derive(Debug, Subcommand)]
enum Command {
    Groups(Groups),
    List(List),
    Show(Show),
    Replay(Replay),
    Discard(Discard),
    Export(ExportArgs),
}

impl Dlq {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Groups(command) => command.run().await?,
            Command::List(command) => command.run().await?,
            Command::Show(command) => command.run().await?,
            Command::Replay(command) => return command.run().await,
            Command::Discard(command) => return command.run().await,
            Command::Export(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
