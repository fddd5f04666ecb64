use std::process::ExitCode;

use clap::Args;
use hookproof::Refusal;

use super::args::StoreArg;
use super::table::{moment, print_line, shown, table};
use super::when::When;
use crate::inbox::{RefusalFilter, RefusalLog, RefusalRecord};
use crate::refused::summary::{Line, skew_of, summarise};

/// See which requests were refused, how often, and what to do about it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Refusals {
    #[command(flatten)]
    store: StoreArg,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only for this reason, such as signature_mismatch.
    #[arg(long, value_parser = reason)]
    reason: Option<Refusal>,
    /// Only of the last `2h`, or since a moment such as 2026-11-20T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// List the requests, the newest first, instead of a summary.
    #[arg(long)]
    list: bool,
    /// Of a list, at most so many.
    #[arg(long, value_name = "N", default_value_t = 50, requires = "list")]
    limit: usize,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof refusals --config hookproof.toml
  hookproof refusals --source klozeo --since 2h
  hookproof refusals --list --reason signature_mismatch
  hookproof refusals --json

`total` counts since ever; `kept` and the skew are of the last ones, of which [refusals] says how many are kept.
The skew is the time that a request states minus our clock. The peer is the proxy, if one stands between.
Reads the database; the server may be running or not, and writes what it has refused within a second.";

fn reason(code: &str) -> Result<Refusal, String> {
    Refusal::ALL.into_iter().find(|refusal| refusal.code() == code).ok_or_else(|| {
        let codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        format!("choose one of {}", codes.join(", "))
    })
}

impl Refusals {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let log = self.store.open_for(self.source.as_deref()).await?;
        if self.list {
            self.print_list(&self.read(&log, self.limit).await?)?;
        } else {
            let of_us = |source: &str| self.source.as_deref().is_none_or(|wanted| wanted == source);
            let records = self.read(&log, usize::MAX).await?;
            let mut totals = log.refusal_totals().await?;
            totals.retain(|total| {
                of_us(&total.source) && self.reason.is_none_or(|reason| reason.code() == total.reason)
            });
            let mut lines = summarise(&totals, &records, self.since.is_none());
            self.say_what_is_kept(&mut lines)?;
            self.print_summary(&lines)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The newest ones that are selected, at most `most`.
    async fn read(&self, log: &dyn RefusalLog, most: usize) -> anyhow::Result<Vec<RefusalRecord>> {
        let (source, reason) = (self.source.clone(), self.reason);
        let since = self.since.map(When::moment);
        let mut filter = RefusalFilter { source, reason, since, ..RefusalFilter::default() };
        let mut records = Vec::new();
        while records.len() < most {
            filter.limit = (most - records.len()).min(RefusalFilter::MAX_LIMIT);
            let page = log.refusals(filter.clone()).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.id);
            records.extend(page);
        }
        Ok(records)
    }

    /// What no key made is what a quarantine keeps, where there is one.
    fn say_what_is_kept(&self, lines: &mut [Line]) -> anyhow::Result<()> {
        let outline = self.store.outline()?;
        let mismatches = lines.iter_mut().filter(|line| line.reason == Refusal::SignatureMismatch.code());
        for line in mismatches {
            line.hint.push_str(
                match outline.as_ref().and_then(|outline| outline.has_quarantine(&line.source)) {
                    Some(true) => "; quarantine keeps what comes meanwhile",
                    Some(false) => "; none is kept, `quarantine = {}` in the source would keep what comes",
                    None => "",
                },
            );
        }
        Ok(())
    }

    fn print_summary(&self, lines: &[Line]) -> anyhow::Result<()> {
        let mut rows = table(["source", "reason", "kept", "total", "last", "skew", "what to do"]);
        for line in lines {
            if self.json {
                print_line(serde_json::json!({
                    "source": line.source, "reason": line.reason, "kept": line.kept, "total": line.total,
                    "last_at": moment(line.last_at), "median_skew_seconds": line.median_skew_seconds, "hint": line.hint,
                }))?;
            } else {
                rows.add_row([
                    shown(&line.source),
                    shown(&line.reason),
                    line.kept.to_string(),
                    line.total.to_string(),
                    moment(line.last_at),
                    seconds(line.median_skew_seconds),
                    line.hint.clone(),
                ]);
            }
        }
        self.finish(lines.is_empty(), rows)
    }

    fn print_list(&self, records: &[RefusalRecord]) -> anyhow::Result<()> {
        let mut rows = table(["at", "source", "reason", "skew", "peer", "method"]);
        for record in records {
            if self.json {
                print_line(serde_json::json!({
                    "at": moment(record.at), "source": record.source, "reason": record.reason,
                    "skew_seconds": record.skew_seconds, "peer": record.peer, "method": record.method,
                }))?;
            } else {
                rows.add_row([
                    moment(record.at),
                    shown(&record.source),
                    shown(&record.reason),
                    seconds(record.skew_seconds),
                    record.peer.as_deref().map_or_else(|| "-".to_owned(), shown),
                    shown(&record.method),
                ]);
            }
        }
        self.finish(records.is_empty(), rows)
    }

    fn finish(&self, empty: bool, rows: comfy_table::Table) -> anyhow::Result<()> {
        match (self.json, empty) {
            (true, _) => Ok(()),
            (false, true) => Ok(print_line("Nothing was refused.")?),
            (false, false) => Ok(print_line(rows)?),
        }
    }
}

fn seconds(skew: Option<i64>) -> String {
    skew.map_or_else(|| "-".to_owned(), skew_of)
}
