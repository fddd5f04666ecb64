//! The contract of the inbox as a pure function of what was done: no SQL, no clock, no queue. An event knows where it waits;
//! everything else is looked for among all events, each time.

mod forget;
mod life;
mod quarantine;

use std::collections::BTreeMap;

use hookproof_consumer::event::{DeadReason, State};
use hookproof_consumer::inbox::{Delivery, Replayed};
use hookproof_consumer::ordering::{OnFailure, OrderPolicy};

use crate::cases::Letter;
use forget::Memory;
pub(crate) use forget::{Forgotten, Record};
use life::Life;
pub(crate) use life::REMOVED;
use quarantine::Quarantine;
pub(crate) use quarantine::{Request, Totals};

/// An ordering key of a source; an event without one is alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    Key(&'static str, u8),
    Alone(usize),
}

/// Where an unfinished event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) standing: Standing,
    pub(crate) due: u64,
    pub(crate) ready_by: Option<u64>,
    pub(crate) anyway: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    InLine,
    /// Lets others pass until its retry.
    Beside,
    /// Not ready.
    Parked,
}

/// A lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) token: i64,
    pub(crate) until: u64,
    /// Its event had not been ready until its deadline.
    pub(crate) overdue: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) source: &'static str,
    pub(crate) letter: usize,
    pub(crate) lane: Lane,
    pub(crate) position: (u64, i64),
    pub(crate) state: State,
    pub(crate) reason: Option<DeadReason>,
    pub(crate) attempts: u32,
    pub(crate) superseded: bool,
    /// While it is unfinished.
    pub(crate) wait: Option<Wait>,
    /// While it runs.
    pub(crate) lease: Option<Held>,
    /// Its key waits until a person does something about it.
    pub(crate) blocks: bool,
    /// How its attempts ended; `None` while one runs.
    pub(crate) history: Vec<Option<&'static str>>,
    pub(crate) audit: Vec<&'static str>,
    /// Rows that its handler has in the database.
    pub(crate) effects: u32,
    /// Since when it is done, dead or discarded.
    pub(crate) settled: Option<u64>,
    /// The last delivery after the first one.
    pub(crate) delivered: Option<u64>,
    /// Since when it has no payload.
    pub(crate) purged: Option<u64>,
    /// Nothing is known of it any more but what the audit log says.
    pub(crate) gone: bool,
}

/// What a store that keeps the contract holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// Event number `n` is at `n - 1`.
    pub(crate) events: Vec<Event>,
    /// By letter: its bodies in the order of their arrival, each with its event.
    known: BTreeMap<usize, Vec<(bool, usize)>>,
    rules: BTreeMap<&'static str, OrderPolicy>,
    pub(crate) applied: BTreeMap<Lane, (u64, i64)>,
    /// Whose turn it was last. Sources take turns in the order of their names; a restart begins anew.
    pub(crate) served: Option<&'static str>,
    pub(crate) life: Life,
    pub(crate) memory: Memory,
    pub(crate) quarantine: Quarantine,
}

impl Model {
    pub(crate) fn rules(&self, source: &str) -> OrderPolicy {
        self.rules.get(source).copied().unwrap_or_default()
    }

    pub(crate) fn set_rules(&mut self, source: &'static str, rules: OrderPolicy) {
        self.rules.insert(source, rules);
        if rules.on_failure != OnFailure::Park {
            self.events
                .iter_mut()
                .filter(|event| event.source == source)
                .for_each(|event| event.blocks = false);
        }
    }

    pub(crate) fn deliver(
        &mut self,
        number: usize,
        letter: &Letter,
        other_body: bool,
        now: u64,
    ) -> (usize, Delivery) {
        let (event, delivery) = self.decide(number, letter, other_body, now);
        self.record(event, delivery, now);
        (event, delivery)
    }

    fn decide(&mut self, number: usize, letter: &Letter, other_body: bool, now: u64) -> (usize, Delivery) {
        let bodies = self.known.entry(number).or_default();
        if let Some((_, event)) = bodies.iter().find(|(body, _)| *body == other_body) {
            let event = *event;
            return (event, self.deliver_again(event, now));
        }
        let event = self.events.len();
        bodies.push((other_body, event));
        let conflict = bodies.len() > 1;
        let reason = match (conflict, letter.malformed) {
            (true, _) => Some(DeadReason::Conflict),
            (false, true) => Some(DeadReason::Malformed),
            (false, false) => None,
        };
        let lane = letter.key.map_or(Lane::Alone(event), |key| Lane::Key(letter.source, key));
        self.events.push(Event {
            source: letter.source,
            letter: number,
            lane,
            position: (letter.occurred.unwrap_or(now), letter.sequence.unwrap_or(0)),
            state: if reason.is_some() { State::Dead } else { State::Pending },
            reason,
            attempts: 0,
            superseded: false,
            wait: None,
            lease: None,
            blocks: false,
            history: Vec::new(),
            audit: Vec::new(),
            effects: 0,
            settled: reason.map(|_| now),
            delivered: None,
            purged: None,
            gone: false,
        });
        if reason.is_none() {
            let due = self.settled(event, now);
            self.events[event].wait = Some(in_line(due, false));
        }
        (event, if conflict { Delivery::Conflict } else { Delivery::New })
    }

    fn deliver_again(&mut self, event: usize, now: u64) -> Delivery {
        let state = self.events[event].state;
        let malformed =
            matches!(self.events[event].reason, Some(DeadReason::Malformed | DeadReason::Conflict));
        if state != State::Dead || malformed {
            return Delivery::Duplicate { state };
        }
        self.revive(event, false, "revive", now);
        Delivery::Revived
    }

    /// When a new event is due: after its window, but no later than the one that it overtakes.
    fn settled(&self, event: usize, now: u64) -> u64 {
        let window = match self.events[event].lane {
            Lane::Key(source, _) => self.rules(source).settle.as_millis() as u64,
            Lane::Alone(_) => 0,
        };
        let line = self.line(self.events[event].lane);
        let behind = line.into_iter().find(|other| self.place(*other) > self.place(event));
        let latest = behind.and_then(|other| self.events[other].wait).map_or(u64::MAX, |wait| wait.due);
        if window == 0 { now } else { (now + window).min(latest).max(now) }
    }

    fn place(&self, event: usize) -> (u64, i64, usize) {
        let (at, sequence) = self.events[event].position;
        (at, sequence, event)
    }

    /// The events in line, the earliest first. One that runs is among them.
    pub(crate) fn line(&self, lane: Lane) -> Vec<usize> {
        let waits = |event: &usize| {
            let event = &self.events[*event];
            event.lane == lane && event.wait.is_some_and(|wait| wait.standing == Standing::InLine)
        };
        let mut line: Vec<_> = (0..self.events.len()).filter(waits).collect();
        line.sort_by_key(|event| self.place(*event));
        line
    }

    fn revive(&mut self, event: usize, anyway: bool, action: &'static str, now: u64) {
        let one = &mut self.events[event];
        (one.state, one.attempts, one.blocks, one.settled) = (State::Pending, 0, false, None);
        one.wait = Some(in_line(now, anyway));
        one.audit.push(action);
    }

    pub(crate) fn is_stale(&self, event: usize) -> bool {
        self.applied
            .get(&self.events[event].lane)
            .is_some_and(|applied| self.events[event].position < *applied)
    }

    fn must_be_dead(&self, event: usize) -> Result<(), NotDead> {
        let Event { state, gone, .. } = self.events[event];
        if state == State::Dead { Ok(()) } else { Err(NotDead((!gone).then_some(state))) }
    }

    pub(crate) fn replay(&mut self, event: usize, anyway: bool, now: u64) -> Result<Replayed, NotDead> {
        self.must_be_dead(event)?;
        self.revive(event, anyway, "replay", now);
        Ok(match (self.is_stale(event), anyway) {
            (false, _) => Replayed::InOrder,
            (true, false) => Replayed::Stale(self.rules(self.events[event].source).stale),
            (true, true) => Replayed::StaleConfirmed,
        })
    }

    pub(crate) fn discard(&mut self, event: usize, now: u64) -> Result<(), NotDead> {
        self.must_be_dead(event)?;
        let one = &mut self.events[event];
        (one.state, one.blocks, one.settled) = (State::Discarded, false, Some(now));
        one.audit.push("discard");
        Ok(())
    }
}

/// The state of an event that was to be replayed or discarded; `None` if nothing is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotDead(pub(crate) Option<State>);

fn in_line(due: u64, anyway: bool) -> Wait {
    Wait { standing: Standing::InLine, due, ready_by: None, anyway }
}
