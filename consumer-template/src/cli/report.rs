use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hookproof::UnixTime;

use super::args::StoreArg;
use super::table::{eprint_line, moment, print_line, shown, table};
use super::when::When;
use crate::clock::{Clock as _, SystemClock};
use crate::inbox::{KeyUse, Records as _, Traffic};
use crate::report::{Limits, Missed, unused_for};

/// How soon deliveries were answered is written a second later: those of the last seconds do not count yet.
const NOT_YET: u64 = 5_000;

/// Could not tell: no store, or no deliveries.
const UNKNOWN: u8 = 2;

/// How well deliveries were received, against limits: for every day, and for cron.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Report {
    #[command(flatten)]
    store: StoreArg,
    /// From then on: 24h, 7d, or a moment (RFC 3339).
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: When,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// At least so many of 100 deliveries must have been answered with success.
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0)]
    min_success: f64,
    /// The longest that the mean and the 99th percentile of the ack latency may be.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    max_ack: f64,
    /// The most new dead letters. Not judged unless given.
    #[arg(long, value_name = "NUMBER")]
    max_new_dead: Option<u64>,
    /// The most that 99 of 100 clocks may be off. Not judged unless given.
    #[arg(long, value_name = "SECONDS")]
    max_skew: Option<f64>,
    /// A key that was not used for so long, while another one of its source was, is called safe to remove.
    #[arg(long, value_name = "HOURS", default_value_t = 72)]
    unused_hours: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Examples:
  hookproof report --config hookproof.toml
  hookproof report --since 7d --source klozeo --max-new-dead 0
  0 7 * * *  hookproof report --config /etc/hookproof.toml || mail -s 'webhooks' ops@example.com

Each source is judged for itself. A delivery counts when it has passed verification. It is a success if it was stored and
answered 200; a failure if it was answered 503, or its sender had gone before the answer. Latency is from the arrival of
the request's head to the commit. What was refused is counted beside it, by whole minutes, and is not judged: a stranger could
spoil the figure. `hookproof refusals` says what to do about it.

Exit status: 0 all within the limits, 1 a limit was missed, 2 could not tell (no store, no deliveries).";

struct Row {
    source: String,
    traffic: Traffic,
    missed: Vec<Missed>,
}

impl Report {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match self.report().await {
            Ok(code) => Ok(code),
            Err(error) if super::is_broken_pipe(&error) => Err(error),
            Err(error) => {
                eprint_line(format_args!("error: {error:#}"));
                Ok(ExitCode::from(UNKNOWN))
            }
        }
    }

    async fn report(&self) -> anyhow::Result<ExitCode> {
        let (limits, operator) = (self.limits()?, self.store.open_for(self.source.as_deref()).await?);
        let now = SystemClock.now();
        let until = UnixTime::from_millis(now.as_millis().saturating_sub(NOT_YET));
        let from = self.since.moment();
        let sources = operator.traffic(self.source.clone(), from, until).await?;
        let judge = |(source, traffic): (String, Traffic)| {
            let missed = traffic.missed(&limits).unwrap_or_default();
            Row { source, traffic, missed }
        };
        let rows: Vec<_> = sources.into_iter().map(judge).collect();
        let judged = rows.iter().any(|row| row.traffic.deliveries() > 0);
        if self.json {
            print_line(self.as_json(&rows, from, until, now))?;
        } else {
            self.print(&rows, from, until, now)?;
        }
        let missed = rows.iter().any(|row| !row.missed.is_empty());
        Ok(match (judged, missed) {
            (_, true) => ExitCode::FAILURE,
            (true, false) => ExitCode::SUCCESS,
            (false, false) => ExitCode::from(UNKNOWN),
        })
    }

    fn limits(&self) -> anyhow::Result<Limits> {
        anyhow::ensure!((0.0..=100.0).contains(&self.min_success), "--min-success: choose between 0 and 100");
        let seconds = |name: &str, value| {
            Duration::try_from_secs_f64(value)
                .map_err(|_| anyhow::anyhow!("{name}: give a number of seconds that is not negative"))
        };
        Ok(Limits {
            success_percent: self.min_success,
            ack: seconds("--max-ack", self.max_ack)?,
            new_dead: self.max_new_dead,
            skew: self.max_skew.map(|value| seconds("--max-skew", value)).transpose()?,
        })
    }

    fn is_unused(&self, key: &KeyUse, all: &[KeyUse], now: UnixTime) -> Option<u64> {
        let hours = unused_for(key, all, now)?.as_secs() / 3600;
        (hours >= self.unused_hours).then_some(hours)
    }

    fn print(&self, rows: &[Row], from: UnixTime, until: UnixTime, now: UnixTime) -> anyhow::Result<()> {
        print_line(format_args!("{} to {}", moment(from), moment(until)))?;
        if rows.iter().all(|row| row.traffic.deliveries() == 0) {
            print_line("No deliveries: nothing can be told.")?;
        } else {
            print_line(traffic_table(rows))?;
        }
        let mut keys = table(["source", "key", "first use", "last use", "deliveries", ""]);
        for row in rows {
            for key in &row.traffic.keys {
                let hint = self
                    .is_unused(key, &row.traffic.keys, now)
                    .map_or(String::new(), |hours| format!("unused for {hours} h: safe to remove"));
                keys.add_row([
                    shown(&key.source),
                    shown(&key.key_id),
                    moment(key.first),
                    moment(key.last),
                    key.deliveries.to_string(),
                    hint,
                ]);
            }
        }
        if !keys.is_empty() {
            print_line(keys)?;
        }
        let mut refused = table(["source", "refused", "requests", "last"]);
        for row in rows {
            for one in &row.traffic.refused {
                refused.add_row([
                    shown(&row.source),
                    shown(&one.reason),
                    one.requests.to_string(),
                    moment(one.last),
                ]);
            }
        }
        if !refused.is_empty() {
            print_line(refused)?;
        }
        for row in rows {
            for missed in &row.missed {
                print_line(format_args!("MISSED  {}: {missed}", shown(&row.source)))?;
            }
        }
        Ok(())
    }

    fn as_json(&self, rows: &[Row], from: UnixTime, until: UnixTime, now: UnixTime) -> serde_json::Value {
        let sources: Vec<_> = rows.iter().map(|row| self.row_json(row, now)).collect();
        serde_json::json!({ "from": moment(from), "until": moment(until), "sources": sources })
    }

    fn row_json(&self, row: &Row, now: UnixTime) -> serde_json::Value {
        let traffic = &row.traffic;
        let millis = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        let keys = traffic.keys.iter().map(|key| {
            serde_json::json!({
                "key_id": key.key_id, "first_use": moment(key.first), "last_use": moment(key.last),
                "deliveries": key.deliveries,
                "safe_to_remove": self.is_unused(key, &traffic.keys, now).is_some(),
            })
        });
        let refused = traffic.refused.iter().map(|one| {
            serde_json::json!({ "reason": one.reason, "requests": one.requests, "last_at": moment(one.last) })
        });
        serde_json::json!({
            "source": row.source,
            "deliveries": traffic.deliveries(),
            "success_percent": traffic.success_percent(),
            "answered": traffic.answered,
            "unanswered": traffic.unanswered,
            "not_stored": traffic.not_stored,
            "ack_mean_ms": millis(traffic.mean_ack()),
            "ack_p99_ms": millis(traffic.p99_ack()),
            "duplicates": traffic.duplicates,
            "conflicts": traffic.conflicts,
            "new_dead": traffic.new_dead,
            "dead": traffic.dead,
            "skew_median_ms": traffic.skew.median(),
            "skew_p99_ms": traffic.skew.p99(),
            "refused": refused.collect::<Vec<_>>(),
            "keys": keys.collect::<Vec<_>>(),
            "missed": row.missed.iter().map(Missed::name).collect::<Vec<_>>(),
        })
    }
}

fn traffic_table(rows: &[Row]) -> comfy_table::Table {
    let mut table = table([
        "source",
        "deliveries",
        "success",
        "ack mean",
        "ack p99",
        "duplicates",
        "dead",
        "clock median",
        "clock p99",
    ]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let ms = |time: Option<Duration>| or_dash(time.map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3)));
    for row in rows {
        let traffic = &row.traffic;
        table.add_row([
            shown(&row.source),
            traffic.deliveries().to_string(),
            or_dash(traffic.success_percent().map(|percent| format!("{percent:.2} %"))),
            ms(traffic.mean_ack()),
            ms(traffic.p99_ack()),
            traffic.duplicates.to_string(),
            format!("{} (+{})", traffic.dead, traffic.new_dead),
            or_dash(traffic.skew.median().map(|skew| format!("{:+.1} s", skew as f64 / 1e3))),
            or_dash(traffic.skew.p99().map(|skew| format!("{:.1} s", skew as f64 / 1e3))),
        ]);
    }
    table
}
