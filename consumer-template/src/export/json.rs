//! Events as JSON: the same names wherever they are printed or exported.

use serde_json::{Value, json};

use super::body_text;
use crate::clock::moment;
use crate::event::{DeadReason, State};
use crate::inbox::{AttemptRecord, DeliveryRecord, EventDetail, EventSummary};

/// A line of a list.
#[must_use]
pub fn summary(event: &EventSummary) -> Value {
    json!({
        "event": event.number.0,
        "source": event.source,
        "event_type": event.event_type,
        "event_id": event.event_id,
        "ordering_key": event.ordering_key,
        "received_at": moment(event.received_at),
        "settled_at": event.settled_at.map(moment),
        "state": event.state.as_str(),
        "reason": event.reason.map(DeadReason::as_str),
        "group": event.fingerprint.as_ref().map(|group| group.as_str()),
        "blocks": event.blocks,
        "overtaken": event.overtaken,
        "superseded": event.superseded,
        "attempts": event.attempts,
        "last_error": event.last_error,
    })
}

/// All that is known about an event but its body.
#[must_use]
pub fn detail(detail: &EventDetail) -> Value {
    let audit = detail.audit.iter().map(|entry| {
        json!({ "at": moment(entry.at), "actor": entry.actor, "action": entry.action, "why": entry.why })
    });
    let more = json!({
        "scheme": detail.event.scheme,
        "key_id": detail.event.key_id,
        "idempotency_key": detail.event.idempotency_key(),
        "body_bytes": detail.event.body.len(),
        "purged_at": detail.purged_at.map(moment),
        "deliveries": detail.deliveries.iter().map(delivery).collect::<Vec<_>>(),
        "attempt_history": detail.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "audit": audit.collect::<Vec<_>>(),
    });
    joined(summary(&detail.summary), more)
}

/// All that is known about an event, body included.
#[must_use]
pub fn whole(event: &EventDetail) -> Value {
    joined(detail(event), json!({ "body": body_text(&event.event.body) }))
}

/// One delivery, as it was answered.
#[must_use]
pub fn delivery(record: &DeliveryRecord) -> Value {
    json!({
        "received_at": moment(record.number.received_at),
        "source": record.source,
        "event": record.number.event.0,
        "answer": record.answer,
        "found_state": record.state.map(State::as_str),
        "ack_ms": record.ack.map(|ack| ack.as_secs_f64() * 1e3),
        "skew_ms": record.skew_ms,
        "key_id": record.key_id,
    })
}

/// One attempt.
#[must_use]
pub fn attempt(attempt: &AttemptRecord) -> Value {
    json!({
        "attempt": attempt.attempt,
        "handler": attempt.handler,
        "started_at": moment(attempt.started_at),
        "ended_at": attempt.ended_at.map(moment),
        "took_ms": attempt.took_ms(),
        "outcome": attempt.outcome,
        "error": attempt.error,
    })
}

fn joined(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}
