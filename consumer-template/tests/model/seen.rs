//! What the histories have led to: a comparison of what never happens proves nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hookproof_consumer::inbox::Delivery;

use crate::contract::{Forgotten, Model};
use crate::work::Given;

static SEEN: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// All that has to happen. More is counted: that a release revives a dead letter is too rare to be asked for.
const WANTED: [&str; 51] = [
    "applied anyway",
    "a piece",
    "blocked",
    "configured again",
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
    "event forgotten",
    "evicted",
    "expired in quarantine",
    "kept: another body",
    "kept: position",
    "killed",
    "lease extended",
    "lease lost",
    "lost",
    "new",
    "new again",
    "not known any more",
    "not_ready",
    "overdue",
    "replay refused",
    "pause",
    "pause refused",
    "payload forgotten",
    "position forgotten",
    "record forgotten",
    "release",
    "release of a conflict",
    "release of a duplicate",
    "release of what is new",
    "release refused",
    "removed with events",
    "replay",
    "resume",
    "resume after a trip",
    "retry",
    "revive",
    "stale",
    "superseded",
    "thrown away",
    "too large",
    "trip",
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

pub(crate) fn saw_released(delivery: Delivery) {
    saw(match delivery {
        Delivery::New => "release of what is new",
        Delivery::Duplicate { .. } => "release of a duplicate",
        Delivery::Revived => "release of a dead letter",
        Delivery::Conflict => "release of a conflict",
    });
}

pub(crate) fn saw_forgotten(forgotten: &Forgotten) {
    let Forgotten { payloads, events, positions, records } = forgotten;
    let gone = [
        ("payload forgotten", payloads.len()),
        ("event forgotten", events.len()),
        ("position forgotten", positions.len()),
        ("record forgotten", *records),
    ];
    gone.into_iter().filter(|(_, gone)| *gone > 0).for_each(|(what, _)| saw(what));
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
    model.life.audit.values().flatten().filter(|action| **action == "trip").for_each(|action| saw(action));
    for totals in model.quarantine.totals.values() {
        let counts = [
            ("evicted", totals.evicted),
            ("expired in quarantine", totals.expired),
            ("thrown away", totals.purged),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).for_each(|(what, _)| saw(what));
    }
    let mut forgotten: Vec<_> =
        model.events.iter().filter(|event| event.gone).map(|event| event.letter).collect();
    forgotten.retain(|letter| model.events.iter().any(|event| !event.gone && event.letter == *letter));
    forgotten.iter().for_each(|_| saw("new again"));
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
