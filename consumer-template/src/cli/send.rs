use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use hdrhistogram::Histogram;
use hookproof::{Key, Scheme, Signer};
use indicatif::ProgressBar;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::table::{print_line, progress, table};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Target;
use crate::samples;
use crate::sender::{self, Endpoint, Faults, Sender, Signed};

/// Sign a test event as a provider would, and post it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Send {
    /// Take preset, key and URL from this configuration; with --source. hookproof.toml unless given.
    #[arg(long, short, value_name = "FILE", env = "HOOKPROOF_CONFIG")]
    config: Option<PathBuf>,
    /// The source of the configuration to post to.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["scheme", "key_env", "key_file"])]
    source: Option<String>,
    /// The preset to sign with (see `hookproof schemes`).
    #[arg(long, value_name = "PRESET")]
    scheme: Option<String>,
    /// Where to post. With --source: the source's own URL unless given.
    #[arg(long)]
    url: Option<String>,
    /// The URL to sign, for presets that sign one, if it is not the one to post to: as behind a proxy.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The id that the provider gave the endpoint, for presets that sign it.
    #[arg(long, value_name = "ID", conflicts_with = "source")]
    webhook_id: Option<String>,
    /// The environment variable that holds the key.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key_file")]
    key_env: Option<String>,
    /// The file that holds the key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Send the bytes of this file (`-`: standard input) instead of a synthetic event.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The event type. A plausible one for the preset unless given.
    #[arg(long, value_name = "TYPE")]
    event_type: Option<String>,
    /// The event id, for presets that carry it in a header.
    #[arg(long)]
    id: Option<String>,
    /// Send each event a second time, as a provider's retry does.
    #[arg(long)]
    duplicate: bool,
    /// Change a byte after signing. Must be refused.
    #[arg(long)]
    tamper: bool,
    /// Date it 40 days back. Must be refused, unless the preset signs no time.
    #[arg(long)]
    stale: bool,
    /// How many events.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// At most this many per second.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    /// How many at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// How long to wait for an answer, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  hookproof send --config hookproof.toml --source klozeo
  hookproof send --config hookproof.toml --source klozeo --duplicate
  hookproof send --config hookproof.toml --source klozeo --tamper
  hookproof send --config hookproof.toml --source klozeo --count 10000 --concurrency 32
  SECRET=... hookproof send --scheme github --key-env SECRET --url http://127.0.0.1:8787/hooks/github --body push.json

Exits 0 if every answer was as it should be: 2xx, or 401 with --tamper or --stale.";

/// Who signs, and where to.
struct Plan {
    signer: Signer,
    scheme: String,
    sender: Sender,
    /// The URL that is signed.
    signed_url: String,
    webhook_id: String,
}

/// What came of it.
struct Summary {
    answers: BTreeMap<u16, u64>,
    unanswered: u64,
    first_error: Option<String>,
    unexpected: u64,
    micros: Histogram<u64>,
}

impl Send {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let plan = Arc::new(self.plan()?);
        let deliveries = self.deliveries()?;
        let mut summary = Summary::new()?;
        let bar = if self.json { ProgressBar::hidden() } else { progress(self.count) };
        let mut rate = self.rate.map(ticker);
        let mut running = JoinSet::new();
        for number in 0..self.count {
            if let Some(rate) = &mut rate {
                rate.tick().await;
            }
            if running.len() >= usize::from(self.concurrency)
                && let Some(outcome) = running.join_next().await
            {
                summary.add(outcome?, self.refusal_expected(&plan.scheme));
                bar.inc(1);
            }
            let (plan, signed) = (Arc::clone(&plan), deliveries.sign(&plan, number)?);
            let times = if self.duplicate { 2 } else { 1 };
            running.spawn(async move { post(&plan.sender, &signed, times).await });
        }
        while let Some(outcome) = running.join_next().await {
            summary.add(outcome?, self.refusal_expected(&plan.scheme));
            bar.inc(1);
        }
        bar.finish_and_clear();
        self.report(&summary, plan.sender.url())?;
        Ok(if summary.unexpected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let target = match &self.source {
            Some(source) => {
                let default = PathBuf::from("hookproof.toml");
                Target::load(self.config.as_ref().unwrap_or(&default), source)?
            }
            None => self.explicit_target()?,
        };
        let url = self.url.clone().unwrap_or(target.url);
        let sender = Sender::new(url, Duration::from_secs(self.timeout))?;
        let signed_url = self.public_url.clone().or(target.public_url);
        Ok(Plan {
            signer: target.signer,
            scheme: target.scheme,
            signed_url: signed_url.unwrap_or_else(|| sender.url().to_owned()),
            webhook_id: target.webhook_id,
            sender,
        })
    }

    fn explicit_target(&self) -> anyhow::Result<Target> {
        let name =
            self.scheme.as_deref().context("give --source (and --config), or --scheme, --url and a key")?;
        let scheme = Scheme::by_name(name)
            .with_context(|| format!("there is no preset '{name}': see `hookproof schemes`"))?;
        let url = self.url.clone().context("--url is missing: where to post")?;
        let text = match (&self.key_env, &self.key_file) {
            (Some(name), _) => {
                std::env::var(name).with_context(|| format!("set the environment variable {name}"))?
            }
            (_, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            _ => bail!("the key is missing: give --key-env or --key-file"),
        };
        let key = Key::new("send", text).danger_allow_short_key();
        Ok(Target {
            signer: Signer::new(&scheme, &key)?,
            scheme: name.to_owned(),
            url,
            public_url: None,
            webhook_id: self.webhook_id.clone().unwrap_or_default(),
        })
    }

    fn deliveries(&self) -> anyhow::Result<Deliveries> {
        let body = match &self.body {
            None => None,
            Some(path) if path.as_os_str() == "-" => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
                Some(bytes)
            }
            Some(path) => {
                Some(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
            }
        };
        Ok(Deliveries {
            body,
            id: self.id.clone(),
            event_type: self.event_type.clone(),
            faults: Faults { tamper: self.tamper, stale: self.stale },
            // Numbers go on from the clock, so that a second run sends new events.
            first: SystemClock.now().as_millis().saturating_mul(1000),
        })
    }

    fn refusal_expected(&self, scheme: &str) -> bool {
        let timed =
            Scheme::by_name(scheme).is_some_and(|scheme| *scheme.freshness() != hookproof::Freshness::None);
        self.tamper || (self.stale && timed)
    }

    fn report(&self, summary: &Summary, url: &str) -> anyhow::Result<()> {
        let ms = |quantile: f64| to_ms(summary.micros.value_at_quantile(quantile));
        if self.json {
            let answers: BTreeMap<String, u64> =
                summary.answers.iter().map(|(k, v)| (k.to_string(), *v)).collect();
            let report = serde_json::json!({
                "url": url, "answers": answers, "unanswered": summary.unanswered,
                "unexpected": summary.unexpected, "first_error": summary.first_error,
                "latency_ms": { "p50": ms(0.5), "p95": ms(0.95), "p99": ms(0.99), "max": to_ms(summary.micros.max()) },
            });
            return Ok(print_line(report)?);
        }
        let mut rows = table(["answer", "times"]);
        for (status, times) in &summary.answers {
            rows.add_row([status.to_string(), times.to_string()]);
        }
        if summary.unanswered > 0 {
            rows.add_row(["none".to_owned(), summary.unanswered.to_string()]);
        }
        print_line(format_args!("POST {url}"))?;
        print_line(rows)?;
        if let Some(error) = &summary.first_error {
            print_line(format_args!("first error: {error}"))?;
        }
        if !summary.micros.is_empty() {
            let (p50, p95, p99, max) = (ms(0.5), ms(0.95), ms(0.99), to_ms(summary.micros.max()));
            print_line(format_args!(
                "latency  p50 {p50:.1} ms   p95 {p95:.1} ms   p99 {p99:.1} ms   max {max:.1} ms"
            ))?;
        }
        if summary.unexpected > 0 {
            print_line(format_args!("{} answers were not as they should be", summary.unexpected))?;
        }
        Ok(())
    }
}

/// What every delivery of a run has in common.
struct Deliveries {
    body: Option<Vec<u8>>,
    id: Option<String>,
    event_type: Option<String>,
    faults: Faults,
    first: u64,
}

impl Deliveries {
    fn sign(&self, plan: &Plan, index: u64) -> anyhow::Result<Signed> {
        let at = sender::dated(SystemClock.now(), self.faults);
        let mut sample = samples::event(&plan.scheme, self.event_type.as_deref(), self.first + index, at);
        if let Some(body) = &self.body {
            sample.body.clone_from(body);
        }
        if let Some(id) = &self.id {
            sample.id.clone_from(id);
        }
        let endpoint = Endpoint { url: &plan.signed_url, webhook_id: &plan.webhook_id };
        Ok(sender::sign(&plan.signer, &sample, endpoint, at, self.faults)?)
    }
}

type Posted = Vec<Result<sender::Reply, String>>;

async fn post(sender: &Sender, signed: &Signed, times: usize) -> Posted {
    let mut replies = Vec::with_capacity(times);
    for _ in 0..times {
        replies.push(sender.post(signed).await.map_err(|e| chain(&e)));
    }
    replies
}

/// The error and its causes: reqwest's own text stops before the interesting part.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl Summary {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            answers: BTreeMap::new(),
            unanswered: 0,
            first_error: None,
            unexpected: 0,
            // Up to ten minutes, to three digits.
            micros: Histogram::new_with_bounds(1, 600_000_000, 3)?,
        })
    }

    fn add(&mut self, posted: Posted, refusal_expected: bool) {
        for reply in posted {
            match reply {
                Ok(reply) => {
                    *self.answers.entry(reply.status).or_default() += 1;
                    let micros = u64::try_from(reply.took.as_micros()).unwrap_or(u64::MAX);
                    self.micros.saturating_record(micros);
                    let expected = if refusal_expected {
                        reply.status == 401
                    } else {
                        (200..300).contains(&reply.status)
                    };
                    self.unexpected += u64::from(!expected);
                }
                Err(error) => {
                    self.unanswered += 1;
                    self.unexpected += 1;
                    self.first_error.get_or_insert(error);
                }
            }
        }
    }
}

fn to_ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn ticker(per_second: u32) -> Interval {
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}
