//! The part of the contract that is about sources: who paused them, which of them there are, and when they pause by themselves.

use std::collections::BTreeMap;

use hookproof_consumer::breaker::BreakerPolicy;
use hookproof_consumer::event::State;

use super::Model;
use crate::cases::{Rules, SOURCES};

/// Why nothing of a source is claimed.
const PERSON: &str = "person";
const BREAKER: &str = "breaker";
pub(crate) const REMOVED: &str = "removed";

/// The state of the sources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// By source and cause: since when.
    pub(crate) pauses: BTreeMap<(&'static str, &'static str), u64>,
    breakers: BTreeMap<&'static str, BreakerPolicy>,
    /// What became of the last events of each source, the oldest first: when, and whether they died.
    pub(crate) ended: BTreeMap<&'static str, Vec<(u64, bool)>>,
    pub(crate) audit: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Life {
    pub(crate) fn is_paused(&self, source: &str) -> bool {
        [PERSON, BREAKER, REMOVED].into_iter().any(|cause| self.is_paused_by(source, cause))
    }

    pub(crate) fn is_paused_by(&self, source: &str, cause: &str) -> bool {
        self.pauses.keys().any(|pause| *pause == (source, cause))
    }

    /// Whether it was not paused before.
    pub(crate) fn pause(&mut self, source: &'static str, now: u64) -> bool {
        if self.is_paused_by(source, PERSON) || self.is_paused_by(source, BREAKER) {
            return false;
        }
        self.pauses.insert((source, PERSON), now);
        self.note_audit(source, "pause");
        true
    }

    /// Whether its breaker had paused it; `None` if nobody had. What became of its last events counts no more.
    pub(crate) fn resume(&mut self, source: &'static str) -> Option<bool> {
        let by_person = self.pauses.remove(&(source, PERSON));
        let by_breaker = self.pauses.remove(&(source, BREAKER));
        by_person.or(by_breaker)?;
        self.ended.remove(source);
        self.note_audit(source, "resume");
        Some(by_breaker.is_some())
    }

    /// An event of `source` is done, or died of its handler: that may be one death too many.
    pub(crate) fn note(&mut self, source: &'static str, died: bool, now: u64) {
        let Some(breaker) = self.breakers.get(source).filter(|_| !self.is_paused(source)).copied() else {
            return;
        };
        let ended = self.ended.entry(source).or_default();
        ended.push((now, died));
        ended.drain(..ended.len().saturating_sub(breaker.last as usize));
        let window = breaker.window.as_millis() as u64;
        let recent: Vec<_> = ended.iter().filter(|(at, _)| at + window >= now).collect();
        let dead = recent.iter().filter(|(_, died)| *died).count();
        let too_many =
            dead >= breaker.min_dead as usize && dead * 100 >= recent.len() * breaker.dead_percent as usize;
        if died && too_many {
            ended.clear();
            self.pauses.insert((source, BREAKER), now);
            self.note_audit(source, "trip");
        }
    }

    pub(super) fn note_audit(&mut self, source: &'static str, action: &'static str) {
        self.audit.entry(source).or_default().push(action);
    }
}

impl Model {
    /// These sources there are from now on, and no others. Which of those have unfinished events.
    pub(crate) fn configure(
        &mut self,
        sources: &[Option<Rules>; SOURCES.len()],
        now: u64,
    ) -> Vec<&'static str> {
        self.life.breakers.clear();
        let mut left = Vec::new();
        for (source, rules) in SOURCES.into_iter().zip(sources) {
            if let Some(Rules { order, breaker }) = rules {
                self.set_rules(source, *order);
                self.life.breakers.extend(breaker.map(|breaker| (source, breaker)));
                self.life.pauses.remove(&(source, REMOVED));
                continue;
            }
            self.life.pauses.entry((source, REMOVED)).or_insert(now);
            let unfinished = |state| matches!(state, State::Pending | State::Running);
            if self.events.iter().any(|event| event.source == source && unfinished(event.state)) {
                left.push(source);
            }
        }
        left
    }
}
