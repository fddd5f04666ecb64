use std::process::ExitCode;

use clap::Args;

use super::args::StoreArg;
use super::table::{moment, print_line, shown, table};
use super::when::When;
use crate::event::EventNo;
use crate::export::json;
use crate::inbox::{DeliveryFilter, DeliveryRecord, Records as _};

/// List the deliveries that were verified and stored, the latest first.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hookproof deliveries --config hookproof.toml\n  hookproof deliveries --event 17\n  hookproof deliveries --source klozeo --since 2h --json\n\nRecords are kept for retention.delivery_days. What was refused is not among them."
)]
pub(super) struct Deliveries {
    #[command(flatten)]
    store: StoreArg,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only of this event.
    #[arg(long, value_name = "NUMBER")]
    event: Option<EventNo>,
    /// Only since then: 24h, 7d, or a moment (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// At most this many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Print JSON, one delivery per line.
    #[arg(long)]
    json: bool,
}

impl Deliveries {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let operator = self.store.open_for(self.source.as_deref()).await?;
        let mut filter = DeliveryFilter {
            source: self.source.clone(),
            event: self.event,
            since: self.since.map(When::moment),
            ..DeliveryFilter::default()
        };
        let mut rows = rows();
        let mut left = self.limit;
        while left > 0 {
            filter.limit = left.min(DeliveryFilter::MAX_LIMIT);
            let page = operator.deliveries(filter.clone()).await?;
            for record in &page {
                if self.json {
                    print_line(json::delivery(record))?;
                } else {
                    rows.add_row(cells(record));
                }
            }
            left -= page.len();
            filter.before = page.last().map(|record| record.number);
            if page.len() < filter.limit {
                break;
            }
        }
        if !self.json {
            print_line(if left == self.limit { "No deliveries.".to_owned() } else { rows.to_string() })?;
            if left == 0 {
                print_line(format_args!("The latest {}; --limit shows more.", self.limit))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn rows() -> comfy_table::Table {
    table(["received", "source", "event", "answer", "found it", "answered in", "clock", "key"])
}

pub(super) fn cells(record: &DeliveryRecord) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        moment(record.number.received_at),
        shown(&record.source),
        record.number.event.to_string(),
        record.answer.clone(),
        or_dash(record.state.map(|state| state.to_string())),
        or_dash(record.ack.map(|ack| format!("{:.1} ms", ack.as_secs_f64() * 1e3))),
        or_dash(record.skew_ms.map(|skew| format!("{:+.1} s", skew as f64 / 1e3))),
        shown(&record.key_id),
    ]
}
