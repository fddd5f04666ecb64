//! The command line: one file per command.

mod args;
mod audit;
mod check_config;
mod completions;
mod deliveries;
mod demo;
mod dlq;
mod help;
mod leads;
mod purge;
mod quarantine;
mod refusals;
mod report;
mod schemes;
mod send;
mod serve;
mod source;
mod status;
mod storage;
mod table;
mod verify;
mod when;

use std::process::ExitCode;
use std::time::Duration;

use clap::{FromArgMatches as _, Parser, Subcommand};

/// Receive webhooks: believe nothing unproven, lose nothing, do everything once.
#[derive(Debug, Parser)]
#[command(name = "hookproof", version, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  hookproof demo                                         see it work, without any set-up
  hookproof check-config --config hookproof.toml         find mistakes before a deployment does
  hookproof serve --config hookproof.toml                run the consumer
  hookproof send --config hookproof.toml --source klozeo post a signed test event to it
  hookproof verify request.txt --source klozeo           find out why a delivery was refused
  hookproof dlq list --config hookproof.toml             see what could not be processed
  hookproof source pause klozeo --why 'CRM is down'      accept and keep, but begin nothing
  hookproof audit --config hookproof.toml                see who replayed or discarded what, and why
  hookproof refusals --config hookproof.toml             see what was refused, and what to do about it
  hookproof quarantine verify --dry-run                  verify what was refused again, with the right key
  hookproof report --config hookproof.toml               how the last day went, with an exit status for cron

Log lines go to standard error; HOOKPROOF_LOG=debug shows more of them.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Send(send::Send),
    Dlq(dlq::Dlq),
    Audit(audit::Audit),
    Refusals(refusals::Refusals),
    Quarantine(quarantine::Quarantine),
    Status(status::Status),
    Source(source::Source),
    Leads(leads::Leads),
    Deliveries(deliveries::Deliveries),
    Report(report::Report),
    Purge(purge::PurgeArgs),
    Verify(verify::Verify),
    CheckConfig(check_config::CheckConfig),
    Schemes(schemes::Schemes),
    Completions(completions::Completions),
}

/// Runs the command, and says how it ended: 0 as promised, 1 if not, 2 for a command line that cannot be read, 130 if
/// Ctrl-C ended it before.
pub fn run() -> ExitCode {
    let parsed = Cli::from_arg_matches(&help::command().get_matches());
    let cli = parsed.unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Command::Serve(command) => block_on(command.run()),
        Command::Demo(command) => block_on(command.run()),
        Command::Send(command) => block_on(command.run()),
        Command::Dlq(command) => block_on(command.run()),
        Command::Audit(command) => block_on(command.run()),
        Command::Refusals(command) => block_on(command.run()),
        Command::Quarantine(command) => block_on(command.run()),
        Command::Status(command) => block_on(command.run()),
        Command::Source(command) => block_on(command.run()),
        Command::Leads(command) => block_on(command.run()),
        Command::Deliveries(command) => block_on(command.run()),
        Command::Report(command) => block_on(command.run()),
        Command::Purge(command) => block_on(command.run()),
        Command::Verify(command) => command.run(),
        Command::CheckConfig(command) => command.run(),
        Command::Schemes(command) => command.run(),
        Command::Completions(command) => command.run(),
    };
    match outcome {
        Ok(code) => code,
        // A reader that has seen enough (`| head`) is no mistake.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            table::eprint_line(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Each handler that runs has one, a few wait for the disk, and some may be blocked: see `config::check` for how many run.
const THREADS: usize = 2_048;

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(THREADS).build()?;
    let outcome = runtime.block_on(command);
    // A handler that blocks its thread must not keep the process from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}
