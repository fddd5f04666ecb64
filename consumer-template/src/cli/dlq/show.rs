//! One event, whole.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;

use super::select::or_dash;
use crate::cli::args::StoreArg;
use crate::cli::deliveries;
use crate::cli::table::{moment, print_line, shown, table};
use crate::event::{EventNo, State};
use crate::export::json;
use crate::inbox::{AttemptRecord, EventDetail, Operator as _};

/// Show one event: what is known of it, its attempts, what people did to it.
#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    store: StoreArg,
    /// The event's number.
    event: EventNo,
    /// Print its body and nothing else, byte for byte.
    #[arg(long, conflicts_with = "json")]
    body: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let detail = self.store.open()?.show(self.event).await?;
        let detail = detail.with_context(|| format!("there is no event {}", self.event))?;
        if self.body {
            if let Some(at) = detail.purged_at {
                anyhow::bail!(
                    "the body of event {} was purged at {}, after its retention",
                    self.event,
                    moment(at)
                );
            }
            return Ok(std::io::stdout().lock().write_all(&detail.event.body)?);
        }
        if self.json { Ok(print_line(json::detail(&detail))?) } else { print_detail(&detail) }
    }
}

fn print_detail(detail: &EventDetail) -> anyhow::Result<()> {
    let (summary, event) = (&detail.summary, &detail.event);
    let signed = |named: &crate::event::Named| {
        format!("{} ({})", shown(&named.value), if named.signed { "signed" } else { "not signed" })
    };
    let reason = summary.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let superseded =
        if summary.superseded { ", superseded: later events of its key were applied" } else { "" };
    let mut facts = vec![
        ("event", format!("{}, {}{reason}{superseded}", summary.number, summary.state)),
        ("source", format!("{}, preset {}, key {}", summary.source, event.scheme, event.key_id)),
        ("received", moment(summary.received_at)),
    ];
    facts.extend(event.occurred_at.map(|at| ("occurred", moment(at))));
    facts.extend(event.event_type.as_ref().map(|named| ("type", signed(named))));
    facts.extend(event.event_id.as_ref().map(|named| ("id", signed(named))));
    facts.extend(event.ordering_key.as_ref().map(|key| ("ordering key", shown(key))));
    facts.extend(summary.blocks.map(|waiting| ("blocks", format!("{waiting} events of its key"))));
    if summary.overtaken && summary.state == State::Dead {
        facts.push(("overtaken", "later events of its key were applied".to_owned()));
    }
    facts.extend(summary.fingerprint.as_ref().map(|group| ("group", group.to_string())));
    facts.extend(summary.last_error.as_ref().map(|error| ("last error", shown(error))));
    facts.push(match detail.purged_at {
        None => ("body", format!("{} bytes; print them with --body", event.body.len())),
        Some(at) => ("body", format!("purged at {}, after its retention, with the headers", moment(at))),
    });
    for (name, value) in facts {
        print_line(format_args!("{name:<13} {value}"))?;
    }
    if !detail.attempts.is_empty() {
        let mut rows = table(["attempt", "started", "took", "handler", "outcome", "error"]);
        rows.add_rows(detail.attempts.iter().map(attempt_cells));
        print_line(rows)?;
    }
    if !detail.deliveries.is_empty() {
        let mut rows = deliveries::rows();
        rows.add_rows(detail.deliveries.iter().map(deliveries::cells));
        print_line(rows)?;
    }
    for entry in &detail.audit {
        print_line(format_args!(
            "{}  {} by {}: {}",
            moment(entry.at),
            entry.action,
            shown(&entry.actor),
            shown(&entry.why)
        ))?;
    }
    Ok(())
}

fn attempt_cells(attempt: &AttemptRecord) -> [String; 6] {
    let took =
        |ms: u64| if ms < 10_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1_000.0) };
    [
        attempt.attempt.to_string(),
        moment(attempt.started_at),
        attempt.took_ms().map_or_else(|| "-".to_owned(), took),
        or_dash(attempt.handler.as_deref()),
        attempt.outcome.clone().unwrap_or_else(|| "running".to_owned()),
        attempt.error.as_deref().map(shown).unwrap_or_default(),
    ]
}
