use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{ArgGroup, Args};

use super::args::StoreArg;
use super::storage::size;
use super::table::{print_line, progress};
use crate::clock::{Clock as _, SystemClock};
use crate::dispatch::PIECE;
use crate::inbox::sqlite::SqliteOperator;
use crate::inbox::{Purge as _, Purged};

/// A running server stores deliveries between two pieces.
const PAUSE: Duration = Duration::from_millis(20);

/// Forget what is finished and was kept for its time. The server does so by itself.
#[derive(Args, Debug)]
#[command(
    group = ArgGroup::new("either").args(["dry_run", "now"]).required(true),
    after_help = "Examples:\n  hookproof purge --dry-run --config hookproof.toml\n  hookproof purge --now\n\nHow long things are kept is what the server was last started with: [retention] in the configuration. Nothing that is\npending, running or dead is ever purged. What becomes free in the file is used again; the file does not shrink."
)]
pub(super) struct PurgeArgs {
    #[command(flatten)]
    store: StoreArg,
    /// Only say what is due.
    #[arg(long)]
    dry_run: bool,
    /// Do it, a little at a time.
    #[arg(long)]
    now: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl PurgeArgs {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let operator = self.store.open()?;
        operator.retention().await?.context(
            "the database does not say how long things are kept: start the server once, it writes [retention] there",
        )?;
        let now = SystemClock.now();
        let due = operator.purgeable(now).await?;
        let purged = if self.dry_run { due } else { purge(&operator, due).await? };
        if self.json {
            print_line(json(purged, self.dry_run))?;
        } else {
            print_line(sentence(purged, self.dry_run))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn purge(operator: &SqliteOperator, due: Purged) -> anyhow::Result<Purged> {
    let bar = progress(due.payloads + due.events + due.deliveries);
    let mut sum = Purged::default();
    loop {
        sum += operator.purge(PIECE, SystemClock.now()).await?;
        bar.set_position(sum.payloads + sum.events + sum.deliveries);
        if !sum.more {
            bar.finish_and_clear();
            return Ok(sum);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn sentence(purged: Purged, dry_run: bool) -> String {
    let Purged { payloads, payload_bytes, events, deliveries, positions, .. } = purged;
    let bytes = size(payload_bytes);
    if dry_run {
        return format!(
            "due: {payloads} payloads ({bytes}), {events} events with their replay keys, {deliveries} records of deliveries; \
             nothing changed"
        );
    }
    format!(
        "purged: {payloads} payloads ({bytes}), {events} events with their replay keys, {deliveries} records of deliveries, \
         {positions} positions of keys"
    )
}

fn json(purged: Purged, dry_run: bool) -> serde_json::Value {
    serde_json::json!({
        "dry_run": dry_run,
        "payloads": purged.payloads,
        "payload_bytes": purged.payload_bytes,
        "events": purged.events,
        "deliveries": purged.deliveries,
        "positions": (!dry_run).then_some(purged.positions),
    })
}
