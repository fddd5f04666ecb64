use clap::{ArgGroup, Args};

use super::Pages;
use crate::cli::args::{ActorArg, StoreArg};
use crate::cli::table::print_line;
use crate::cli::when::When;
use crate::clock::{Clock as _, SystemClock};
use crate::inbox::{Quarantine as _, QuarantineFilter, QuarantineNo};

/// Delete requests from quarantine, for good.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("which").required(true).multiple(true))]
pub(super) struct Purge {
    #[command(flatten)]
    store: StoreArg,
    /// Only this one.
    #[arg(group = "which")]
    number: Option<QuarantineNo>,
    /// All that is there.
    #[arg(long, group = "which", conflicts_with = "number")]
    all: bool,
    /// Only of this source.
    #[arg(long, group = "which")]
    source: Option<String>,
    /// Only what was received before this moment, or longer ago than `2h`.
    #[arg(long, value_name = "TIME", group = "which")]
    before: Option<When>,
    #[command(flatten)]
    actor: ActorArg,
    /// Why, for the audit log.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: String,
    /// Only say how many there are.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof quarantine purge --source klozeo --why 'a scanner' --dry-run
  hookproof quarantine purge --before 7d --why 'nobody asked for them'";

impl Purge {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let store = self.store.open_for(self.source.as_deref()).await?;
        let (source, number) = (self.source.clone(), self.number);
        let before = self.before.map(When::moment);
        let filter = QuarantineFilter { source, number, before, ..QuarantineFilter::default() };
        let mut total: u64 = 0;
        if self.dry_run {
            let mut pages = Pages { store: &store, filter };
            while let Some(page) = pages.next().await? {
                total += page.len() as u64;
            }
            return Ok(print_line(format_args!("would purge {total} requests, nothing changed"))?);
        }
        loop {
            let by = self.actor.by(&self.why);
            let purged = store.purge_quarantine(filter.clone(), by, SystemClock.now()).await?;
            total += purged;
            if purged == 0 {
                return Ok(print_line(format_args!("purge: {total} requests"))?);
            }
        }
    }
}
