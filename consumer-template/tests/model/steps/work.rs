//! What workers and providers do.

use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{self, EventNo};
use hookproof_consumer::inbox::{Budget, Claimed, Inbox as _, Purge as _, Settled, Terms};
use hookproof_consumer::retry::RetryPolicy;
use proptest::sample::Index;
use rusqlite::Connection;

use crate::cases::End;
use crate::seen::{saw, saw_delivery, saw_given};
use crate::snapshot;
use crate::support::{NOW, at};
use crate::work::{ATTEMPTS, FIRST_WAIT, Given};
use crate::world::{Verdict, World, same};

const RETRY: RetryPolicy = RetryPolicy {
    max_attempts: ATTEMPTS,
    first: Duration::from_millis(FIRST_WAIT),
    cap: Duration::from_secs(3_600),
};
const TERMS: Terms = Terms { retry: RETRY, dice: 1.0, timeout: Duration::from_secs(30) };

impl World {
    pub(crate) async fn deliver(&mut self, number: usize, other_body: bool) -> Verdict {
        let letter = self.letters[number];
        if !self.model.forgets() {
            // All that it may do is to move replay keys on, and that must make no difference.
            let budget = Budget { rows: 1, time: Duration::from_secs(5) };
            let purged = self.inbox().purge(budget, at(self.now)).await.unwrap();
            same("what was purged", &purged.is_something(), &false)?;
        }
        let incoming = letter.delivery(number, other_body, self.now).incoming();
        let accepted = self.inbox().accept(incoming).await.unwrap();
        let (event, delivery) = self.model.deliver(number, &letter, other_body, self.now);
        saw_delivery(delivery);
        same("the event", &accepted.event, &EventNo(event as i64 + 1))?;
        same("the answer to the delivery", &accepted.outcome, &delivery)
    }

    pub(crate) async fn claim(&mut self, max: usize, lease: u64) -> Verdict {
        let claimed = self.inbox().claim(max, Duration::from_millis(lease), at(self.now)).await.unwrap();
        let given: Vec<_> = claimed.iter().map(given).collect();
        let (superseded, expired) = snapshot::ended(self.onlooker.as_ref().unwrap(), &self.model);
        let newest = self.given.last().map_or(0, |claimed| claimed.lease.token);
        if given.iter().any(|given| given.token <= newest) {
            return Err(format!("a token came again: {given:?}, after {newest}"));
        }
        let Some(model) = self.model.claim(max, lease, self.now, &given, (&superseded, &expired)) else {
            let waiting = self.model.waiting();
            return Err(format!(
                "no order of claims leads to {given:?} with {superseded:?} passed over and {expired:?} dead; first in line, and due: \
                 {waiting:?}"
            ));
        };
        self.model = model;
        given.iter().for_each(saw_given);
        self.given.extend(claimed);
        Ok(())
    }

    pub(crate) async fn settle_one(
        &mut self,
        lease: &Index,
        lost: bool,
        end: End,
        in_database: bool,
    ) -> Verdict {
        match self.choose(lease, lost) {
            Some(claimed) => self.settle(claimed, end, in_database).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn settle(&mut self, claimed: Claimed, end: End, in_database: bool) -> Verdict {
        let now = self.now;
        let settled = if in_database {
            let handler = Arc::new(Writes(end));
            self.inbox().run_in_transaction(&claimed, handler, TERMS, at(now)).await.unwrap().0
        } else {
            let outcome = match failure(end) {
                None => hookproof_consumer::retry::Outcome::Done,
                Some(failure) => claimed.outcome_of(&failure, &RETRY, at(now), TERMS.dice),
            };
            self.inbox().settle(&claimed.lease, outcome, at(now)).await.unwrap()
        };
        let held = self.model.held(claimed.lease.token);
        let expected = if held.is_some() { Settled::Applied } else { Settled::LeaseLost };
        same("whether the lease was held", &settled, &expected)?;
        match held {
            Some(event) => drop(self.model.settle(event, end, in_database, now)),
            None => saw("lease lost"),
        }
        Ok(())
    }

    pub(crate) async fn extend(&mut self, lease: &Index, lost: bool, by: u64) -> Verdict {
        let Some(claimed) = self.choose(lease, lost) else { return Ok(()) };
        let until = self.now + by;
        let extended = self.inbox().extend(&claimed.lease, at(until)).await.unwrap();
        let held = self.model.held(claimed.lease.token);
        same("whether the lease was extended", &extended, &held.is_some())?;
        saw(if extended { "lease extended" } else { "lease lost" });
        if let Some(lease) = held.and_then(|event| self.model.events[event].lease.as_mut()) {
            lease.until = until;
        }
        Ok(())
    }

    pub(crate) async fn rescue(&mut self) -> Verdict {
        let rescued = self.inbox().rescue(ATTEMPTS, at(self.now)).await.unwrap();
        same("what was rescued", &rescued, &self.model.rescue(Some(self.now), self.now))
    }

    /// A lease that is held, or one that is lost.
    fn choose(&self, index: &Index, lost: bool) -> Option<Claimed> {
        let fits = |claimed: &&Claimed| self.model.held(claimed.lease.token).is_none() == lost;
        let fitting: Vec<_> = self.given.iter().filter(fits).collect();
        (!fitting.is_empty()).then(|| (*index.get(&fitting)).clone())
    }
}

fn given(claimed: &Claimed) -> Given {
    Given {
        event: claimed.event.number.0 as usize - 1,
        token: claimed.lease.token,
        until: claimed.lease.until.as_millis() - NOW,
        attempt: claimed.attempt,
        stale: claimed.stale,
        overdue: claimed.overdue,
    }
}

fn failure(end: End) -> Option<Failure> {
    match end {
        End::Done => None,
        End::Transient => Some(Failure::transient("down")),
        End::Permanent => Some(Failure::permanent("no")),
        End::NotReady => Some(Failure::not_ready("not yet")),
    }
}

/// Writes a row, and then comes to its end.
struct Writes(End);

impl SqliteHandler for Writes {
    fn apply(&self, tx: &Connection, event: &event::Event, _: &Context) -> Result<(), Failure> {
        tx.execute("INSERT INTO effects (event) VALUES (?1)", [event.number.0])
            .map_err(Failure::permanent)?;
        failure(self.0).map_or(Ok(()), Err)
    }
}
