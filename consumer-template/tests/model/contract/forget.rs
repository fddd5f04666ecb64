//! The part of the contract that is about forgetting. What one piece of it takes away is the store's choice: the model says of each
//! thing whether it may go, and at the end whether all has gone that had to.

use std::collections::{BTreeMap, BTreeSet};

use hookproof_consumer::event::State;
use hookproof_consumer::inbox::{Delivery, Keep, Retention};

use super::{Event, Lane, Model};

/// How often the positions of all keys are looked at, in milliseconds.
const BETWEEN_WALKS: u64 = 3_600_000;

/// A delivery that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: u64,
    pub(crate) event: usize,
    pub(crate) nth: usize,
    pub(crate) source: &'static str,
    pub(crate) answer: &'static str,
    pub(crate) found: Option<State>,
}

/// When deliveries of a source used its key first and last, and how many there were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) deliveries: u64,
}

/// Retentions and records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    named: BTreeMap<&'static str, Keep>,
    /// For sources that were never named, and for records, in milliseconds. Nothing is forgotten before it is set.
    others: Option<(Keep, u64)>,
    pub(crate) records: Vec<Record>,
    pub(crate) used: BTreeMap<&'static str, Used>,
    walk: Walk,
}

/// How far the look at the positions of all keys has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Walk {
    #[default]
    Begins,
    /// Somewhere, or over since an unknown time.
    UnderWay,
    RestsUntil(u64),
}

/// What is there no more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forgotten {
    pub(crate) payloads: BTreeSet<usize>,
    pub(crate) events: BTreeSet<usize>,
    pub(crate) positions: BTreeSet<Lane>,
    pub(crate) records: usize,
}

impl Model {
    pub(crate) fn set_retention(&mut self, named: &[(&'static str, Keep)], retention: &Retention) {
        self.memory.named.extend(named.iter().copied());
        self.memory.others = Some((retention.others, retention.deliveries.as_millis() as u64));
    }

    /// Whether anything was ever said of how long things are kept.
    pub(crate) fn forgets(&self) -> bool {
        self.memory.others.is_some()
    }

    fn keep(&self, event: &Event) -> Option<Keep> {
        let (others, _) = self.memory.others?;
        Some(self.memory.named.get(event.source).copied().unwrap_or(others))
    }

    /// Writes the record of a delivery.
    pub(super) fn record(&mut self, event: usize, delivery: Delivery, now: u64) {
        let (answer, found) = match delivery {
            Delivery::New => ("new", None),
            Delivery::Conflict => ("conflict", None),
            Delivery::Duplicate { state } => ("duplicate", Some(state)),
            Delivery::Revived => ("revived", Some(State::Dead)),
        };
        let same = |record: &&Record| (record.at, record.event) == (now, event);
        let nth = self.memory.records.iter().filter(same).map(|record| record.nth + 1).max().unwrap_or(0);
        let source = self.events[event].source;
        self.memory.records.push(Record { at: now, event, nth, source, answer, found });
        self.memory.records.sort_by_key(|record| (record.at, record.event, record.nth));
        let used = Used { first: now, last: now, deliveries: 0 };
        let used = self.memory.used.entry(source).or_insert(used);
        *used =
            Used { first: used.first.min(now), last: used.last.max(now), deliveries: used.deliveries + 1 };
        if found.is_some() {
            let delivered = &mut self.events[event].delivered;
            *delivered = (*delivered).max(Some(now));
        }
    }

    /// The payload's retention is over.
    fn payload_is_due(&self, event: usize, now: u64) -> bool {
        let event = &self.events[event];
        let finished = matches!(event.state, State::Done | State::Discarded) && event.purged.is_none();
        finished && self.keep(event).is_some_and(|keep| past(event.settled, keep.payload, now))
    }

    /// The replay key's retention is over.
    fn event_is_old(&self, event: usize, now: u64) -> bool {
        let event = &self.events[event];
        let kept = self.keep(event).and_then(|keep| keep.replay_key);
        !event.gone && kept.is_some_and(|kept| past(event.settled.max(event.delivered), kept, now))
    }

    /// Another body is known under the replay key that this event has.
    fn has_conflict(&self, event: usize) -> bool {
        let bodies = self.known.get(&self.events[event].letter);
        bodies.is_some_and(|bodies| bodies.iter().skip(1).any(|(_, other)| *other != event))
    }

    fn event_is_due(&self, event: usize, now: u64) -> bool {
        self.events[event].purged.is_some() && self.event_is_old(event, now) && !self.has_conflict(event)
    }

    /// Nothing can be late for this position: it is old, and nothing of its key may still run.
    fn position_is_due(&self, lane: Lane, now: u64) -> bool {
        self.position_is_old(lane, now) && !self.may_run(lane)
    }

    fn position_is_old(&self, lane: Lane, now: u64) -> bool {
        let keep = self.events.iter().find(|event| event.lane == lane).and_then(|event| self.keep(event));
        keep.zip(self.applied.get(&lane)).is_some_and(|(keep, (at, _))| past(Some(*at), keep.position, now))
    }

    fn may_run(&self, lane: Lane) -> bool {
        let may_run = |event: &Event| event.wait.is_some() || event.state == State::Dead;
        self.events.iter().any(|event| event.lane == lane && may_run(event))
    }

    fn record_is_due(&self, record: &Record, now: u64) -> bool {
        self.memory.others.is_some_and(|(_, kept)| record.at + kept < now)
    }

    fn count(&self, which: impl Fn(usize) -> bool) -> u64 {
        (0..self.events.len()).filter(|event| which(*event)).count() as u64
    }

    /// What would go by and by: records, payloads, and those events that nothing else keeps.
    pub(crate) fn purgeable(&self, now: u64) -> (u64, u64, u64) {
        let records = self.memory.records.iter().filter(|record| self.record_is_due(record, now)).count();
        let payloads = self.count(|event| self.payload_is_due(event, now));
        let events = self.count(|event| {
            let without = self.events[event].purged.is_some() || self.payload_is_due(event, now);
            without && self.event_is_old(event, now) && !self.has_conflict(event)
        });
        (records as u64, payloads, events)
    }

    /// What `forgotten` says is gone: whether all of it might go.
    pub(crate) fn forget(&mut self, forgotten: &Forgotten, rows: usize, now: u64) -> Result<(), String> {
        let of_a_source = |events: &BTreeSet<usize>| {
            let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
            events.iter().for_each(|event| *counted.entry(self.events[*event].source).or_default() += 1);
            counted.into_values().max().unwrap_or(0)
        };
        if of_a_source(&forgotten.payloads).max(of_a_source(&forgotten.events)) > rows {
            return Err(format!("more than {rows} of a source went at once: {forgotten:?}"));
        }
        let early =
            |what: &str, which: &dyn std::fmt::Debug| Err(format!("{what} went too early: {which:?}"));
        for event in &forgotten.payloads {
            if !self.payload_is_due(*event, now) {
                return early("a payload", &self.events[*event]);
            }
            self.events[*event].purged = Some(now);
        }
        if let Some(event) = forgotten.events.iter().find(|event| !self.event_is_due(**event, now)) {
            return early("an event", &self.events[*event]);
        }
        for event in &forgotten.events {
            self.events[*event].gone = true;
            let bodies = self.known.entry(self.events[*event].letter).or_default();
            bodies.retain(|(_, known)| known != event);
        }
        if let Some(lane) = forgotten.positions.iter().find(|lane| !self.position_is_due(**lane, now)) {
            return early("a position", lane);
        }
        self.applied.retain(|lane, _| !forgotten.positions.contains(lane));
        let records: Vec<_> = self.memory.records.drain(..forgotten.records).collect();
        match records.iter().find(|record| !self.record_is_due(record, now)) {
            Some(record) => early("a record", record),
            None => Ok(()),
        }
    }

    /// A look at all positions begins with the next piece.
    pub(crate) fn looks_at_positions(&self, now: u64) -> bool {
        let begins = match self.memory.walk {
            Walk::Begins => true,
            Walk::UnderWay => false,
            Walk::RestsUntil(until) => until <= now,
        };
        begins && self.memory.others.is_some()
    }

    /// Notes how a purge at `now` ended: whether it `looked` at positions from the first one on, and whether it was the last piece.
    pub(crate) fn purged(&mut self, looked: bool, is_last: bool, now: u64) {
        match (looked, is_last) {
            (true, true) => self.memory.walk = Walk::RestsUntil(now + BETWEEN_WALKS),
            (true, false) => self.memory.walk = Walk::UnderWay,
            (false, _) => {}
        }
    }

    /// After a restart the look at the positions begins anew.
    pub(crate) fn forget_the_walk(&mut self) {
        self.memory.walk = Walk::Begins;
    }

    /// What should have gone by the end of a purge at `now`; positions only if it `looked` at all of them.
    pub(crate) fn left_over(&self, looked: bool, now: u64) -> Vec<String> {
        let due = |event: &usize| self.payload_is_due(*event, now) || self.event_is_due(*event, now);
        let events = (0..self.events.len()).filter(due).map(|event| format!("event {}", event + 1));
        let records = self.memory.records.iter().filter(|record| self.record_is_due(record, now));
        let positions = self.applied.keys().filter(|lane| looked && self.position_is_due(**lane, now));
        events
            .chain(records.map(|record| format!("{record:?}")))
            .chain(positions.map(|lane| format!("the position of {lane:?}")))
            .collect()
    }

    /// What is old enough to go, and stays for another reason.
    pub(crate) fn kept_for(&self, now: u64) -> Vec<&'static str> {
        let purged = |event: usize| self.events[event].purged.is_some();
        let conflict =
            self.count(|event| purged(event) && self.event_is_old(event, now) && self.has_conflict(event));
        let position =
            self.applied.keys().any(|lane| self.position_is_old(*lane, now) && self.may_run(*lane));
        let kept = [(conflict > 0, "kept: another body"), (position, "kept: position")];
        kept.into_iter().filter_map(|(is_kept, what)| is_kept.then_some(what)).collect()
    }
}

/// What is counted from `since` and kept for `kept` may go.
fn past(since: Option<u64>, kept: std::time::Duration, now: u64) -> bool {
    since.is_some_and(|since| since + (kept.as_millis() as u64) < now)
}
