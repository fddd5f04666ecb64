//! What people do to events and sources.

use std::sync::Arc;

use hookproof_consumer::event::{EventNo, State};
use hookproof_consumer::inbox::{
    By, IfStale, Inbox as _, Life as _, Operator as _, OperatorError, SourceRules, SourceStatus,
};
use hookproof_consumer::ordering::OrderPolicy;
use proptest::sample::Index;

use crate::cases::{Rules, SOURCES};
use crate::contract::{NotDead, REMOVED};
use crate::seen::saw;
use crate::support::at;
use crate::world::{Verdict, World, same};

/// Whoever does it.
pub(super) fn by() -> By {
    By::new("ann", "why")
}

impl World {
    pub(crate) async fn replay(&mut self, event: &Index, dead: bool, anyway: bool) -> Verdict {
        match self.event(event, dead) {
            Some(event) => self.replay_event(event, anyway).await,
            None => Ok(()),
        }
    }

    pub(super) async fn replay_event(&mut self, event: usize, anyway: bool) -> Verdict {
        let if_stale = if anyway { IfStale::Apply } else { IfStale::FollowRule };
        let said = self.inbox().replay(EventNo(event as i64 + 1), if_stale, by(), at(self.now)).await;
        said.as_ref().err().inspect(|_| saw("replay refused"));
        same("the replay", &said.map_err(not_dead), &self.model.replay(event, anyway, self.now))
    }

    pub(crate) async fn discard(&mut self, event: &Index, dead: bool) -> Verdict {
        let Some(event) = self.event(event, dead) else { return Ok(()) };
        let said = self.inbox().discard(EventNo(event as i64 + 1), by(), at(self.now)).await;
        said.as_ref().err().inspect(|_| saw("discard refused"));
        same("the discard", &said.map_err(not_dead), &self.model.discard(event, self.now))
    }

    /// An event; one that is dead if that is wanted.
    fn event(&self, index: &Index, dead: bool) -> Option<usize> {
        let fits = |event: &usize| !dead || self.model.events[*event].state == State::Dead;
        let fitting: Vec<_> = (0..self.model.events.len()).filter(fits).collect();
        (!fitting.is_empty()).then(|| *index.get(&fitting))
    }

    pub(crate) async fn pause(&mut self, source: &'static str, resume: bool) -> Verdict {
        let now = at(self.now);
        if resume {
            let resumed = self.inbox().resume(source, by(), now).await.ok().map(|pause| pause.tripped);
            let expected = self.model.life.resume(source);
            expected.inspect(|tripped| saw(if *tripped { "resume after a trip" } else { "resume" }));
            same("whether its breaker had paused it", &resumed, &expected)
        } else {
            let paused = self.inbox().pause(source, by(), now).await.is_ok();
            saw(if paused { "pause" } else { "pause refused" });
            same("whether it was not paused", &paused, &self.model.life.pause(source, self.now))
        }
    }

    pub(crate) async fn set_order(&mut self, source: &'static str, order: OrderPolicy) {
        self.inbox().set_order(vec![(Arc::from(source), order)]).await.unwrap();
        self.model.set_rules(source, order);
    }

    pub(crate) async fn configure(&mut self, sources: &[Option<Rules>; SOURCES.len()]) -> Verdict {
        let there = SOURCES.into_iter().zip(sources).filter_map(|(source, rules)| Some((source, (*rules)?)));
        let rules = there.map(|(source, Rules { order, breaker })| {
            if self.model.life.is_paused_by(source, REMOVED) {
                saw("configured again");
            }
            SourceRules { source: Arc::from(source), order, breaker }
        });
        let left = self.inbox().configure(rules.collect(), at(self.now)).await.unwrap();
        let left: Vec<_> = left.into_iter().map(|SourceStatus { source, .. }| source).collect();
        let expected = self.model.configure(sources, self.now);
        expected.iter().for_each(|_| saw("removed with events"));
        same(
            "the sources that are left with events",
            &left,
            &expected.into_iter().map(str::to_owned).collect(),
        )
    }
}

fn not_dead(error: OperatorError) -> NotDead {
    match error {
        OperatorError::NotDead { state, .. } => NotDead(Some(state)),
        OperatorError::NotFound(_) => {
            saw("not known any more");
            NotDead(None)
        }
        other => panic!("{other}"),
    }
}
