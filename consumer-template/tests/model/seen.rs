//! What the histories have led to: a comparison of what never happens proves nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hookproof_consumer::inbox::Delivery;

use crate::contract::Model;
use crate::work::Given;

static SEEN: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// All that has to happen.
const WANTED: [&str; 27] = [
    "applied anyway",
    "blocked",
    "conflict",
    "dead: attempts_exhausted",
    "dead: conflict",
    "dead: deadline",
    "dead: malformed",
    "dead: permanent",
    "discard refused",
    "discard",
    "done",
    "duplicate",
    "killed",
    "lease extended",
    "lease lost",
    "lost",
    "new",
    "not_ready",
    "overdue",
    "replay refused",
    "pause",
    "replay",
    "retry",
    "revive",
    "stale",
    "superseded",
    "waits beside",
];

pub(crate) fn saw(what: &'static str) {
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
}

pub(crate) fn saw_delivery(delivery: Delivery) {
    match delivery {
        Delivery::New => saw("new"),
        Delivery::Duplicate { .. } => saw("duplicate"),
        Delivery::Conflict => saw("conflict"),
        // Counted by its line in the audit log.
        Delivery::Revived => {}
    }
}

pub(crate) fn saw_given(given: &Given) {
    if given.stale {
        saw("stale");
    }
    if given.overdue {
        saw("overdue");
    }
}

/// At the end of a history, or before it is made to end well.
pub(crate) fn saw_all(model: &Model) {
    for event in &model.events {
        event.history.iter().flatten().for_each(|ended| saw(ended));
        event.audit.iter().for_each(|action| saw(action));
        if let Some(reason) = event.reason {
            saw(match reason.as_str() {
                "malformed" => "dead: malformed",
                "conflict" => "dead: conflict",
                "attempts_exhausted" => "dead: attempts_exhausted",
                "permanent" => "dead: permanent",
                _ => "dead: deadline",
            });
        }
        if event.blocks {
            saw("blocked");
        }
        if event.superseded {
            saw("superseded");
        }
        if event.wait.is_some_and(|wait| wait.standing == crate::contract::Standing::Beside) {
            saw("waits beside");
        }
        if event.wait.is_some_and(|wait| wait.anyway) {
            saw("applied anyway");
        }
    }
}

/// How often each thing happened, and what never did.
pub(crate) fn report() -> (String, Vec<&'static str>) {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let text: Vec<_> = seen.iter().map(|(what, times)| format!("{what} {times}")).collect();
    let missing = WANTED.into_iter().filter(|what| !seen.contains_key(what)).collect();
    (text.join(", "), missing)
}
