//! What became of deliveries after their commit: how soon they were answered, and how many could not be stored.
//!
//! Neither is known when a delivery is stored. It is collected in memory, and written with what is written next: no sync of its own.
//! A process that is killed loses what it collected in the last second; those deliveries then count as not answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::job::WorkError;
use super::rows::to_sql;
use crate::inbox::DeliveryNo;

/// In milliseconds.
pub(super) const MINUTE: i64 = 60_000;

/// Answers that may wait to be written; what comes then is not noted.
const WAITING: usize = 65_536;

/// Minutes of sources without a store that are told apart; what comes then is added to the last.
const MINUTES: usize = 10_000;

/// Answers that are written at once: deliveries wait meanwhile.
const AT_ONCE: usize = 256;

/// What is not written yet.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    answered: Vec<(DeliveryNo, Duration)>,
    not_stored: BTreeMap<(i64, Arc<str>), u64>,
}

/// What is written in one go.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    answered: Vec<(DeliveryNo, Duration)>,
    not_stored: BTreeMap<(i64, Arc<str>), u64>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.answered.is_empty() && self.not_stored.is_empty()
    }
}

impl Answers {
    /// A delivery was answered with success, so long after its request's head had arrived.
    pub(super) fn answered(&self, delivery: DeliveryNo, after: Duration) {
        let mut waiting = self.lock();
        if waiting.answered.len() < WAITING {
            waiting.answered.push((delivery, after));
        }
    }

    /// A delivery was not stored.
    pub(super) fn not_stored(&self, source: &Arc<str>, at: UnixTime) {
        self.lock().count(to_sql(at) / MINUTE, source, 1);
    }

    pub(super) fn take(&self) -> Batch {
        let mut waiting = self.lock();
        let rest = waiting.answered.len().saturating_sub(AT_ONCE);
        Batch {
            answered: waiting.answered.split_off(rest),
            not_stored: std::mem::take(&mut waiting.not_stored),
        }
    }

    /// Takes back what could not be written.
    pub(super) fn give_back(&self, batch: Batch) {
        let mut waiting = self.lock();
        for ((minute, source), deliveries) in batch.not_stored {
            waiting.count(minute, &source, deliveries);
        }
        let room = WAITING.saturating_sub(waiting.answered.len());
        waiting.answered.extend(batch.answered.into_iter().take(room));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn count(&mut self, minute: i64, source: &Arc<str>, deliveries: u64) {
        if self.not_stored.len() >= MINUTES
            && !self.not_stored.contains_key(&(minute, Arc::clone(source)))
            && let Some(mut last) = self.not_stored.last_entry()
        {
            *last.get_mut() += deliveries;
            return;
        }
        *self.not_stored.entry((minute, Arc::clone(source))).or_default() += deliveries;
    }
}

pub(super) fn write(conn: &Connection, batch: &Batch) -> Result<(), WorkError> {
    let mut answered = conn.prepare_cached(
        "UPDATE deliveries SET ack_us = ?4 WHERE received_at = ?1 AND event = ?2 AND nth = ?3",
    )?;
    for (delivery, after) in &batch.answered {
        let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        answered.execute(params![to_sql(delivery.received_at), delivery.event.0, delivery.nth, micros])?;
    }
    let mut not_stored = conn.prepare_cached(
        "INSERT INTO not_stored (minute, source, deliveries) VALUES (?1, ?2, ?3)
         ON CONFLICT (minute, source) DO UPDATE SET deliveries = deliveries + excluded.deliveries",
    )?;
    for ((minute, source), deliveries) in &batch.not_stored {
        not_stored.execute(params![minute, source, i64::try_from(*deliveries).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventNo;

    fn delivery(event: i64) -> DeliveryNo {
        DeliveryNo { received_at: UnixTime::from_millis(0), event: EventNo(event), nth: 0 }
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_that_failed_is_forgotten() {
        let answers = Answers::default();
        for event in 0..(WAITING as i64 + 5) {
            answers.answered(delivery(event), Duration::ZERO);
        }
        let source = Arc::from("crm");
        for minute in 0..(MINUTES as u64 + 5) {
            answers.not_stored(&source, UnixTime::from_millis(minute * 60_000));
        }
        let batch = answers.take();
        assert_eq!((batch.answered.len(), batch.not_stored.len()), (AT_ONCE, MINUTES));
        assert_eq!(batch.not_stored.values().sum::<u64>(), MINUTES as u64 + 5);
        answers.give_back(batch);
        let waiting = answers.lock();
        assert_eq!((waiting.answered.len(), waiting.not_stored.len()), (WAITING, MINUTES));
    }
}
