//! The part of the contract that is about refused requests.

use std::collections::BTreeMap;

use hookproof_consumer::inbox::{Delivery, QuarantineLimits};

use super::Model;
use crate::cases::Letter;

/// Refused requests that are kept, and how many there were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quarantine {
    pub(crate) requests: Vec<Request>,
    pub(crate) totals: BTreeMap<&'static str, Totals>,
    taken_in: i64,
}

/// A refused request, which carries a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) number: i64,
    pub(crate) source: &'static str,
    pub(crate) received: u64,
    pub(crate) bytes: u64,
    pub(crate) letter: usize,
    pub(crate) other_body: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) total: u64,
    pub(crate) released: u64,
    pub(crate) purged: u64,
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) dropped: u64,
}

impl Quarantine {
    /// Takes in requests of `source`, whose numbers are not given yet.
    pub(crate) fn take_in(
        &mut self,
        source: &'static str,
        limits: QuarantineLimits,
        requests: &[Request],
        dropped: u64,
    ) {
        let totals = self.totals.entry(source).or_default();
        totals.dropped += dropped;
        for request in requests {
            if request.bytes > limits.max_bytes {
                totals.dropped += 1;
                continue;
            }
            self.taken_in += 1;
            totals.total += 1;
            self.requests.push(Request { number: self.taken_in, ..*request });
        }
        while self.is_full(source, limits) {
            let oldest = self.requests.iter().position(|request| request.source == source);
            self.requests.remove(oldest.expect("what is full holds something"));
            self.totals.entry(source).or_default().evicted += 1;
        }
    }

    fn is_full(&self, source: &str, limits: QuarantineLimits) -> bool {
        let (held, bytes) = self.held(source);
        held > limits.max_rows || bytes > limits.max_bytes
    }

    /// How many requests of a source there are, and how large they are together.
    pub(crate) fn held(&self, source: &str) -> (u64, u64) {
        let held = self.requests.iter().filter(|request| request.source == source);
        held.fold((0, 0), |(held, bytes), request| (held + 1, bytes + request.bytes))
    }

    /// What came before `oldest` goes.
    pub(crate) fn expire(&mut self, source: &'static str, oldest: u64) {
        let gone = self.take_out(|request| request.source == source && request.received < oldest);
        if gone > 0 {
            self.totals.entry(source).or_default().expired += gone;
        }
    }

    fn take_out(&mut self, which: impl Fn(&Request) -> bool) -> u64 {
        let before = self.requests.len();
        self.requests.retain(|request| !which(request));
        (before - self.requests.len()) as u64
    }
}

impl Model {
    /// The request is proven to be a delivery of its letter that was received when it was.
    pub(crate) fn release(&mut self, request: Request, letter: &Letter) -> (usize, Delivery) {
        self.quarantine.take_out(|one| one.number == request.number);
        self.quarantine.totals.entry(request.source).or_default().released += 1;
        let (event, delivery) = self.deliver(request.letter, letter, request.other_body, request.received);
        self.events[event].audit.push("release");
        (event, delivery)
    }

    /// A person throws away what was received before a time, of one source or of all.
    pub(crate) fn purge_quarantine(&mut self, source: Option<&str>, before: u64) -> u64 {
        let mut purged = 0;
        for (name, totals) in &mut self.quarantine.totals {
            let fits = |request: &Request| {
                request.source == *name
                    && source.is_none_or(|source| request.source == source)
                    && request.received < before
            };
            let held = self.quarantine.requests.len();
            self.quarantine.requests.retain(|request| !fits(request));
            let gone = (held - self.quarantine.requests.len()) as u64;
            totals.purged += gone;
            if gone > 0 {
                self.life.note_audit(name, "purge");
            }
            purged += gone;
        }
        purged
    }
}
