//! Dead letters, for who looks after them.

mod act;
mod export;
mod groups;
mod list;
mod select;
mod show;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::act::{Discard, Replay};
use self::export::ExportArgs;
use self::groups::Groups;
use self::list::List;
use self::show::Show;
use crate::config::StoreConfig;
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};

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
