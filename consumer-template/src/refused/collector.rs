use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookproof::middleware::RefusedRequest;
use hookproof::{Refusal, UnixTime};

use super::Peer;
use crate::inbox::{Head, QuarantineLimits, RefusalSample, RefusalsOfSource, RefusedDelivery};

/// Of each source and reason, how many requests are noted between two visits of the recorder; more are counted.
pub const MAX_SAMPLES: usize = 8;

/// How many bytes of refused requests may wait to be stored, over all sources. One request may be larger if it is alone.
pub const MAX_HELD_BYTES: u64 = 4 << 20;

/// How many refused requests of a source may wait to be stored, and never more than its quarantine holds.
pub const MAX_HELD_ROWS: usize = 256;

/// Collects what is refused. Bounded, whatever comes.
#[derive(Debug, Default)]
pub struct Collector {
    desks: Mutex<BTreeMap<Arc<str>, Arc<Desk>>>,
    held: Arc<AtomicU64>,
}

impl Collector {
    /// The place where requests are noted that `source` refuses. They are kept whole if it has a quarantine.
    pub fn desk(&self, source: &Arc<str>, quarantine: Option<QuarantineLimits>) -> Arc<Desk> {
        let mut desks = lock(&self.desks);
        let desk = desks.entry(Arc::clone(source)).or_insert_with(|| {
            let (source, held) = (Arc::clone(source), Arc::clone(&self.held));
            Arc::new(Desk { source, held, waiting: Mutex::default() })
        });
        lock(&desk.waiting).limits = quarantine;
        Arc::clone(desk)
    }

    pub(super) fn desks(&self) -> Vec<Arc<Desk>> {
        lock(&self.desks).values().cloned().collect()
    }
}

/// What of one source waits to be stored.
pub struct Desk {
    source: Arc<str>,
    /// Bytes that wait, of all sources.
    held: Arc<AtomicU64>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    counts: Vec<(Refusal, u64)>,
    samples: Vec<RefusalSample>,
    limits: Option<QuarantineLimits>,
    deliveries: Vec<RefusedDelivery>,
    dropped: u64,
}

/// Requests that are to be kept whole.
pub(super) struct Held {
    pub(super) limits: QuarantineLimits,
    pub(super) deliveries: Vec<RefusedDelivery>,
    /// How many found no room here.
    pub(super) dropped: u64,
}

impl Desk {
    /// Notes a refusal, and keeps the request if another key could cure it.
    pub fn note(&self, refused: RefusedRequest<'_>) {
        let peer = refused.parts.extensions.get().map(|Peer(peer)| *peer);
        if self.sample(&refused, peer) {
            let (source, reason) = (&self.source, refused.refusal.code());
            tracing::warn!(%source, reason, peer = peer.map(tracing::field::display), "refused");
        }
        // With a bad head, a late time or a broken body no key makes a delivery of it.
        if refused.refusal == Refusal::SignatureMismatch {
            self.hold(refused, peer);
        }
    }

    fn sample(&self, refused: &RefusedRequest<'_>, peer: Option<std::net::IpAddr>) -> bool {
        let refusal = refused.refusal;
        let mut waiting = lock(&self.waiting);
        let sampled = match waiting.counts.iter_mut().find(|(known, _)| *known == refusal) {
            Some((_, count)) => {
                *count = count.saturating_add(1);
                *count <= MAX_SAMPLES as u64
            }
            None => {
                waiting.counts.push((refusal, 1));
                true
            }
        };
        if sampled {
            let skew_seconds = refused.stated_skew_millis().map(|millis| millis / 1000);
            let (at, method) = (refused.received_at, (&refused.parts.method).into());
            waiting.samples.push(RefusalSample { refusal, at, skew_seconds, peer, method });
        }
        sampled
    }

    fn hold(&self, refused: RefusedRequest<'_>, peer: Option<std::net::IpAddr>) {
        let Some(body) = refused.body else { return };
        // Before anything is copied: a flood that finds no room costs nothing.
        let has_room = |waiting: &mut Waiting| {
            let Some(limits) = waiting.limits else { return false };
            let room = waiting.deliveries.len() < MAX_HELD_ROWS
                && (waiting.deliveries.len() as u64) < limits.max_rows;
            waiting.dropped += u64::from(!room);
            room
        };
        if !has_room(&mut lock(&self.waiting)) {
            return;
        }
        let head = Head::from(refused.parts);
        let RefusedRequest { refusal, received_at, .. } = refused;
        let delivery = RefusedDelivery { refusal, received_at, peer, head, body };
        let bytes = delivery.bytes();
        let fits = |held: u64| {
            let sum = held.saturating_add(bytes);
            (held == 0 || sum <= MAX_HELD_BYTES).then_some(sum)
        };
        let reserved = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        let mut waiting = lock(&self.waiting);
        if reserved {
            waiting.deliveries.push(delivery);
        } else {
            waiting.dropped += 1;
        }
    }

    /// What was counted and noted since the last time.
    pub(super) fn take_refusals(&self, now: UnixTime) -> Option<RefusalsOfSource> {
        let mut waiting = lock(&self.waiting);
        let counts = std::mem::take(&mut waiting.counts);
        let samples = std::mem::take(&mut waiting.samples);
        let source = Arc::clone(&self.source);
        (!counts.is_empty()).then_some(RefusalsOfSource { source, until: now, counts, samples })
    }

    /// Counts that could not be stored, for the next time. Their samples are gone.
    pub(super) fn put_back(&self, counts: &[(Refusal, u64)]) {
        let mut waiting = lock(&self.waiting);
        for (refusal, count) in counts {
            match waiting.counts.iter_mut().find(|(known, _)| known == refusal) {
                Some((_, sum)) => *sum = sum.saturating_add(*count),
                None => waiting.counts.push((*refusal, *count)),
            }
        }
    }

    /// What is to be kept whole. Its bytes count as waiting until they are [let go](Self::let_go).
    pub(super) fn take_held(&self) -> Option<Held> {
        let mut waiting = lock(&self.waiting);
        let (deliveries, dropped) =
            (std::mem::take(&mut waiting.deliveries), std::mem::take(&mut waiting.dropped));
        let limits = waiting.limits.filter(|_| !deliveries.is_empty() || dropped > 0)?;
        Some(Held { limits, deliveries, dropped })
    }

    /// Makes room for as many bytes.
    pub(super) fn let_go(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts requests that could not be stored.
    pub(super) fn drop_held(&self, requests: u64) {
        lock(&self.waiting).dropped += requests;
    }

    pub(super) fn source(&self) -> &Arc<str> {
        &self.source
    }

    pub(super) fn limits(&self) -> Option<QuarantineLimits> {
        lock(&self.waiting).limits
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without what was received.
impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("source", &self.source).finish_non_exhaustive()
    }
}
