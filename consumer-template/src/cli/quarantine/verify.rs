use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::Pages;
use crate::cli::args::{ActorArg, ConfigArg};
use crate::cli::table::{print_line, progress};
use crate::clock::{Clock as _, SystemClock, later};
use crate::config::Config;
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};
use crate::inbox::{Delivery, Quarantine as Store, QuarantinedSummary};
use crate::ingress::door::{Again, verify_again};

/// Verify what is in quarantine again, with the keys of the configuration, and accept what is genuine.
///
/// Each request is judged at the clock of its receipt: a key counts if it was valid then.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Verify {
    #[command(flatten)]
    config: ConfigArg,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only say what would become of each.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    actor: ActorArg,
    /// Why, for the audit log.
    #[arg(long, default_value = "verified with the keys of the configuration")]
    why: String,
    /// Print JSON: one line.
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  hookproof quarantine verify --dry-run --config hookproof.toml
  hookproof quarantine verify --source klozeo --why 'the key was wrong'

Exits 0 if nothing that was selected is still refused, else 1.";

/// What became of how many requests, by a stable word.
type Fates = BTreeMap<String, u64>;

impl Verify {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        if let Some(wanted) = &self.source
            && !config.sources.iter().any(|source| *source.name == **wanted)
        {
            let names: Vec<_> = config.sources.iter().map(|source| &*source.name).collect();
            bail!(
                "--source: there is no source '{}': choose one of {}",
                wanted.escape_debug(),
                names.join(", ")
            );
        }
        let store = SqliteOperator::open(SqliteOptions::new(&config.store.path))?;
        let totals = store.quarantine_totals().await?;
        let ours =
            totals.iter().filter(|total| self.source.as_ref().is_none_or(|source| *source == total.source));
        let bar = progress(ours.map(|total| total.held).sum());
        let (mut fates, mut refused) = (Fates::new(), 0);
        let mut pages = Pages::of(&store, self.source.clone());
        while let Some(page) = pages.next().await? {
            for request in page {
                let (fate, good) = self.decide(&config, &store, &request).await?;
                refused += u64::from(!good);
                *fates.entry(fate).or_default() += 1;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        self.report(&fates)?;
        Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What becomes of a request, and whether that is the end of it.
    async fn decide(
        &self,
        config: &Config,
        store: &dyn Store,
        request: &QuarantinedSummary,
    ) -> anyhow::Result<(String, bool)> {
        let now = SystemClock.now();
        let Some(source) = config.sources.iter().find(|source| *source.name == *request.source) else {
            return Ok(("source_not_configured".to_owned(), false));
        };
        let limits = source.quarantine.unwrap_or_default();
        if later(request.received_at, limits.max_age) < now {
            return Ok(("too_old".to_owned(), false));
        }
        let Some(whole) = store.quarantined_request(request.number).await? else {
            return Ok(("gone".to_owned(), true));
        };
        let incoming = match verify_again(source, &whole).await? {
            Again::Genuine(incoming) => incoming,
            Again::Challenge => return Ok(("challenge".to_owned(), false)),
            Again::Refused(refusal) => return Ok((format!("still_{refusal}"), false)),
        };
        if self.dry_run {
            return Ok(("would_accept".to_owned(), true));
        }
        let by = self.actor.by(format!("request {}: {}", request.number, self.why));
        let fate = match store.release(request.number, *incoming, by, now).await? {
            None => "gone",
            Some(accepted) => match accepted.outcome {
                Delivery::New => "accepted",
                Delivery::Duplicate { .. } => "duplicate",
                Delivery::Revived => "revived",
                Delivery::Conflict => "conflict",
            },
        };
        Ok((fate.to_owned(), true))
    }

    fn report(&self, fates: &Fates) -> anyhow::Result<()> {
        if self.json {
            return Ok(print_line(serde_json::to_string(fates)?)?);
        }
        if fates.is_empty() {
            return Ok(print_line("Nothing is in quarantine.")?);
        }
        for (fate, requests) in fates {
            let what = match fate.as_str() {
                "accepted" => "the server takes them up within a second",
                "duplicate" => "their events came another way meanwhile",
                "revived" => "dead letters of the same event",
                "conflict" => "their event came with another body; kept as dead letters",
                "gone" => "released or deleted by somebody else meanwhile",
                "would_accept" => "would be accepted; nothing changed",
                "too_old" => "too old to be released; the server deletes them",
                "challenge" => "challenges, which were for the moment in which they came; purge them",
                "source_not_configured" => "of sources that are not configured",
                _ => "`hookproof quarantine show` says how to find out why",
            };
            print_line(format_args!("{requests:>8}  {fate}: {what}"))?;
        }
        Ok(())
    }
}
