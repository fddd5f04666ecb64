//! The writer's two queues: new events, and everything else.
//!
//! They have room of their own, so that a flood of deliveries cannot keep workers from settling what they have done.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::job::Job;
use crate::inbox::InboxError;

/// Claims, settles and operators' requests that may wait. Workers are few, and each has one at a time.
const CONTROLS: usize = 4_096;

/// Which queue a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Accept,
    Control,
}

pub(super) struct Mailbox {
    queues: Mutex<Queues>,
    changed: Condvar,
    accept_queue: usize,
}

#[derive(Default)]
struct Queues {
    accepts: VecDeque<Box<dyn Job>>,
    controls: VecDeque<Box<dyn Job>>,
    closed: bool,
}

impl Mailbox {
    pub(super) fn new(accept_queue: usize) -> Self {
        Self { queues: Mutex::default(), changed: Condvar::new(), accept_queue }
    }

    pub(super) fn push(&self, slot: Slot, job: Box<dyn Job>) -> Result<(), InboxError> {
        let mut queues = self.lock();
        if queues.closed {
            return Err(InboxError::Closed);
        }
        let (queue, room) = match slot {
            Slot::Accept => (&mut queues.accepts, self.accept_queue),
            Slot::Control => (&mut queues.controls, CONTROLS),
        };
        if queue.len() >= room {
            return Err(InboxError::Full);
        }
        queue.push_back(job);
        drop(queues);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes up to `max`. Controls go first but leave half of the room to waiting accepts. `None`: closed
    /// and empty.
    pub(super) fn take(&self, max: usize) -> Option<Vec<Box<dyn Job>>> {
        let mut queues = self.lock();
        while queues.is_empty() {
            if queues.closed {
                return None;
            }
            queues = self.changed.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
        let reserved = queues.accepts.len().min(max / 2);
        let controls = queues.controls.len().min(max - reserved);
        let accepts = queues.accepts.len().min(max - controls);
        let mut batch: Vec<_> = queues.controls.drain(..controls).collect();
        batch.extend(queues.accepts.drain(..accepts));
        Some(batch)
    }

    /// Lets time pass, unless the mailbox is closed.
    pub(super) fn pause(&self, time: Duration) {
        let queues = self.lock();
        let open = |queues: &mut Queues| !queues.closed;
        drop(self.changed.wait_timeout_while(queues, time, open).unwrap_or_else(PoisonError::into_inner));
    }

    /// Refuses new jobs; those that wait are still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Refuses new jobs and drops those that wait, which tells their callers.
    pub(super) fn close_and_clear(&self) {
        let mut queues = self.lock();
        queues.closed = true;
        let dropped = (std::mem::take(&mut queues.accepts), std::mem::take(&mut queues.controls));
        drop(queues);
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn is_empty(&self) -> bool {
        self.accepts.is_empty() && self.controls.is_empty()
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("accept_queue", &self.accept_queue).finish_non_exhaustive()
    }
}
