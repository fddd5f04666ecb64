//! One event, whole.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;

use super::{StoreArg, summary_json};
use crate::cli::deliveries;
use crate::cli::table::{moment, print_line, shown, table};
use crate::event::{EventNo, State};
use crate::inbox::{EventDetail, Operator as _};

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
        if self.json { Ok(print_line(detail_json(&detail))?) } else { print_detail(&detail) }
    }
}

fn detail_json(detail: &EventDetail) -> serde_json::Value {
    let attempts = detail.attempts.iter().map(|attempt| {
        serde_json::json!({
            "attempt": attempt.attempt, "started_at": moment(attempt.started_at),
            "ended_at": attempt.ended_at.map(moment), "outcome": attempt.outcome, "error": attempt.error,
        })
    });
    let audit = detail.audit.iter().map(|entry| {
        serde_json::json!({ "at": moment(entry.at), "actor": entry.actor, "action": entry.action, "why": entry.why })
    });
    let mut json = summary_json(&detail.summary);
    let more = serde_json::json!({
        "scheme": detail.event.scheme,
        "key_id": detail.event.key_id,
        "idempotency_key": detail.event.idempotency_key(),
        "body_bytes": detail.event.body.len(),
        "purged_at": detail.purged_at.map(moment),
        "deliveries": detail.deliveries.iter().map(deliveries::json).collect::<Vec<_>>(),
        "attempt_history": attempts.collect::<Vec<_>>(),
        "audit": audit.collect::<Vec<_>>(),
    });
    if let (Some(json), serde_json::Value::Object(more)) = (json.as_object_mut(), more) {
        json.extend(more);
    }
    json
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
    facts.extend(summary.last_error.as_ref().map(|error| ("last error", shown(error))));
    facts.push(match detail.purged_at {
        None => ("body", format!("{} bytes; print them with --body", event.body.len())),
        Some(at) => ("body", format!("purged at {}, after its retention, with the headers", moment(at))),
    });
    for (name, value) in facts {
        print_line(format_args!("{name:<13} {value}"))?;
    }
    if !detail.attempts.is_empty() {
        let mut rows = table(["attempt", "started", "ended", "outcome", "error"]);
        for attempt in &detail.attempts {
            let ended = attempt.ended_at.map_or_else(|| "-".to_owned(), moment);
            let outcome = attempt.outcome.clone().unwrap_or_else(|| "running".to_owned());
            let error = attempt.error.as_deref().map(shown).unwrap_or_default();
            rows.add_row([attempt.attempt.to_string(), moment(attempt.started_at), ended, outcome, error]);
        }
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
