//! The part of the contract that is about work: who may claim what, how an attempt ends, what a lost one comes to.

use std::collections::{BTreeSet, VecDeque};

use hookproof_consumer::event::{DeadReason, State};
use hookproof_consumer::inbox::Rescued;
use hookproof_consumer::ordering::{AtDeadline, OnFailure, StaleRule};

use crate::cases::{End, SOURCES};
use crate::contract::{Event, Held, Lane, Model, Standing, Wait};

/// Attempts in all, and the wait after the first one, which doubles.
pub(crate) const ATTEMPTS: u32 = 2;
pub(crate) const FIRST_WAIT: u64 = 100;

/// An event that a worker was given, and what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) event: usize,
    pub(crate) token: i64,
    pub(crate) until: u64,
    pub(crate) attempt: u32,
    pub(crate) stale: bool,
    pub(crate) overdue: bool,
}

impl Model {
    /// What the store was asked for by a claim at `now` that gave `given`, passed over `superseded` and let `expired` die at their
    /// deadlines: the model after it, if the contract allows that. Among lanes that have been due equally long the contract leaves open
    /// which one is first, as it does among events that expire together.
    pub(crate) fn claim(
        &self,
        max: usize,
        lease: u64,
        now: u64,
        given: &[Given],
        (superseded, expired): (&BTreeSet<usize>, &BTreeSet<usize>),
    ) -> Option<Self> {
        let mut model = self.clone();
        model.bring_back(expired, now);
        let mut turns: VecDeque<_> = SOURCES.into();
        if let Some(last) = model.served {
            let after = SOURCES.iter().position(|source| *source == last).map_or(0, |last| last + 1);
            turns.rotate_left(after);
        }
        model.take_turns(turns, (max, lease, now), given, superseded)
    }

    fn take_turns(
        self,
        mut turns: VecDeque<&'static str>,
        (max, lease, now): (usize, u64, u64),
        given: &[Given],
        superseded: &BTreeSet<usize>,
    ) -> Option<Self> {
        let source = if max == 0 { None } else { turns.pop_front() };
        let Some(source) = source else {
            let all = given.is_empty() && superseded.iter().all(|event| self.events[*event].superseded);
            return all.then_some(self);
        };
        let candidates = self.longest_due(source, now);
        if candidates.is_empty() {
            return self.take_turns(turns, (max, lease, now), given, superseded);
        }
        for first in candidates {
            let (mut next, mut turns) = (self.clone(), turns.clone());
            let found = if next.is_passed_over(first) {
                if !superseded.contains(&first) {
                    continue;
                }
                next.leave(first, State::Done, now);
                next.events[first].superseded = true;
                turns.push_front(source);
                next.take_turns(turns, (max, lease, now), given, superseded)
            } else {
                let Some((one, rest)) = given.split_first() else { continue };
                if one.event != first || next.start(first, one.token, lease, now) != *one {
                    continue;
                }
                next.served = Some(source);
                turns.push_back(source);
                next.take_turns(turns, (max - 1, lease, now), rest, superseded)
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn is_passed_over(&self, event: usize) -> bool {
        let anyway = self.events[event].wait.is_some_and(|wait| wait.anyway);
        self.is_stale(event) && !anyway && self.rules(self.events[event].source).stale == StaleRule::Skip
    }

    /// Gives an event to a worker.
    fn start(&mut self, event: usize, token: i64, lease: u64, now: u64) -> Given {
        let stale = self.is_stale(event) && self.rules(self.events[event].source).stale != StaleRule::Apply;
        let one = &mut self.events[event];
        let overdue = one.wait.and_then(|wait| wait.ready_by).is_some_and(|by| by <= now);
        let until = now + lease;
        one.attempts += 1;
        one.state = State::Running;
        one.lease = Some(Held { token, until, overdue });
        one.history.push(None);
        Given { event, token, until, attempt: one.attempts, stale, overdue }
    }

    /// The lanes where events may be claimed, now or later: each with its first event in line, and when that is due.
    pub(crate) fn waiting(&self) -> Vec<(usize, u64)> {
        let lanes: BTreeSet<_> = self.events.iter().map(|event| event.lane).collect();
        let free = lanes.into_iter().filter(|lane| {
            !self.events.iter().any(|event| event.lane == *lane && (event.lease.is_some() || event.blocks))
        });
        free.filter_map(|lane| {
            let first = *self.line(lane).first()?;
            Some((first, self.events[first].wait?.due))
        })
        .collect()
    }

    /// The first events of those lanes of `source` that have been due for longest.
    fn longest_due(&self, source: &str, now: u64) -> Vec<usize> {
        let mut due = self.waiting();
        due.retain(|(event, due)| {
            self.events[*event].source == source && *due <= now && !self.life.is_paused(source)
        });
        let longest = due.iter().map(|(_, due)| *due).min();
        due.into_iter().filter(|(_, due)| Some(*due) == longest).map(|(event, _)| event).collect()
    }

    /// What stood beside its line for long enough is in line again, or dead.
    fn bring_back(&mut self, expired: &BTreeSet<usize>, now: u64) {
        let beside = (0..self.events.len()).filter_map(|event| Some((event, self.events[event].wait?)));
        let mut beside: Vec<_> =
            beside.filter(|(_, wait)| wait.standing != Standing::InLine && wait.due <= now).collect();
        // Not all the same: one that dies may be one too many, and then the next one of its source does not.
        beside.sort_by_key(|(event, wait)| (wait.due, !expired.contains(event)));
        for (event, wait) in beside {
            let rules = self.rules(self.events[event].source);
            let paused = self.life.is_paused(self.events[event].source);
            if wait.standing == Standing::Parked && rules.at_deadline == AtDeadline::Dead && !paused {
                self.bury(event, DeadReason::Deadline, now);
            } else {
                self.events[event].wait = Some(Wait { standing: Standing::InLine, ..wait });
            }
        }
    }

    /// The event that this lease still holds.
    pub(crate) fn held(&self, token: i64) -> Option<usize> {
        self.events.iter().position(|event| event.lease.is_some_and(|held| held.token == token))
    }

    /// An attempt came to `end`; `in_database` if its effect is a row. Says how it is recorded.
    pub(crate) fn settle(&mut self, event: usize, end: End, in_database: bool, now: u64) -> &'static str {
        let one = &self.events[event];
        let (rules, keyed) = (self.rules(one.source), matches!(one.lane, Lane::Key(..)));
        let overdue = one.lease.is_some_and(|lease| lease.overdue);
        let name = match end {
            End::Done => {
                let (lane, position) = (one.lane, one.position);
                self.leave(event, State::Done, now);
                self.life.note(self.events[event].source, false, now);
                self.events[event].effects += u32::from(in_database);
                if keyed {
                    let latest = self.applied.entry(lane).or_insert(position);
                    *latest = position.max(*latest);
                }
                self.wake(lane, now);
                "done"
            }
            End::NotReady if !overdue => {
                let deadline = now + rules.not_ready_deadline.as_millis() as u64;
                let one = &mut self.events[event];
                one.attempts -= 1;
                one.history.retain(|ended| *ended != Some("not_ready"));
                one.wait_again(|wait| {
                    let by = *wait.ready_by.get_or_insert(deadline);
                    (wait.standing, wait.due) = (Standing::Parked, by);
                });
                "not_ready"
            }
            End::Transient if one.attempts < ATTEMPTS => {
                let due = now + (FIRST_WAIT << (one.attempts - 1));
                let passes = keyed && rules.on_failure == OnFailure::Skip;
                let standing = if passes { Standing::Beside } else { Standing::InLine };
                self.events[event].wait_again(|wait| (wait.standing, wait.due) = (standing, due));
                "retry"
            }
            End::NotReady => self.bury(event, DeadReason::Deadline, now),
            End::Permanent => self.bury(event, DeadReason::Permanent, now),
            End::Transient => self.bury(event, DeadReason::AttemptsExhausted, now),
        };
        self.events[event].ended(name);
        name
    }

    /// Takes back the leases that ended by a time, or all of them.
    pub(crate) fn rescue(&mut self, ended_by: Option<u64>, now: u64) -> Rescued {
        let mut rescued = Rescued::default();
        for event in 0..self.events.len() {
            let Some(lease) = self.events[event].lease else { continue };
            if ended_by.is_some_and(|time| lease.until > time) {
                continue;
            }
            if self.events[event].attempts >= ATTEMPTS {
                self.bury(event, DeadReason::AttemptsExhausted, now);
                rescued.dead += 1;
            } else {
                self.events[event].wait_again(|_| {});
                rescued.retried += 1;
            }
            self.events[event].ended("lost");
        }
        rescued
    }

    /// The earliest moment at which there is something to claim, to bring back or to rescue.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let beside = self.events.iter().filter_map(|event| event.wait);
        let beside = beside.filter(|wait| wait.standing != Standing::InLine).map(|wait| wait.due);
        let leases = self.events.iter().filter_map(|event| event.lease).map(|lease| lease.until);
        let free = |event: usize| !self.life.is_paused(self.events[event].source);
        let lanes = self.waiting().into_iter().filter(|(event, _)| free(*event)).map(|(_, due)| due);
        beside.chain(leases).chain(lanes).min()
    }

    fn bury(&mut self, event: usize, reason: DeadReason, now: u64) -> &'static str {
        self.leave(event, State::Dead, now);
        self.life.note(self.events[event].source, true, now);
        let parks = self.rules(self.events[event].source).on_failure == OnFailure::Park;
        let one = &mut self.events[event];
        one.reason = Some(reason);
        one.blocks = parks && matches!(one.lane, Lane::Key(..));
        "dead"
    }

    fn leave(&mut self, event: usize, state: State, now: u64) {
        let one = &mut self.events[event];
        (one.state, one.wait, one.lease, one.settled) = (state, None, None, Some(now));
    }

    /// An event of the lane is done: what was not ready may be now.
    fn wake(&mut self, lane: Lane, now: u64) {
        let waits =
            self.events.iter_mut().filter(|event| event.lane == lane).filter_map(|event| event.wait.as_mut());
        for wait in waits.filter(|wait| wait.standing == Standing::Parked) {
            (wait.standing, wait.due) = (Standing::InLine, now);
        }
    }
}

impl Event {
    fn wait_again(&mut self, change: impl FnOnce(&mut Wait)) {
        (self.state, self.lease) = (State::Pending, None);
        change(self.wait.as_mut().expect("what runs is in line"));
    }

    fn ended(&mut self, how: &'static str) {
        if let Some(open) = self.history.last_mut() {
            *open = Some(how);
        }
    }
}
