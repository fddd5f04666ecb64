use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::collector::{Collector, Desk, Held, MAX_SAMPLES};
use crate::clock::Clock;
use crate::inbox::{Inbox, RefusalsOfSource, RefusedDelivery};

/// How long refusals are collected before they are written.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many seconds pass between two looks for what is too old for the quarantine.
const EXPIRY_TURNS: u64 = 600;

/// How many requests share a transaction. Deliveries wait for one at most.
const ROWS_PER_TRANSACTION: usize = 64;

/// How many bytes they may have together, unless one alone has more.
const BYTES_PER_TRANSACTION: u64 = 1 << 20;

/// Writes what the [`Collector`] has, once a second.
pub struct Recorder {
    collector: Arc<Collector>,
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
    max_rows: u32,
    turns: u64,
}

/// What one turn has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Refusals that were counted.
    pub refusals: u64,
    /// Requests that were put into quarantine.
    pub quarantined: u64,
    /// Writes that failed.
    pub failures: u64,
}

impl Recorder {
    /// A recorder that keeps at most `max_rows` refusals of each source.
    pub fn new(
        collector: Arc<Collector>,
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
        max_rows: u32,
    ) -> Self {
        Self { collector, inbox, clock, max_rows, turns: 0 }
    }

    /// Writes once a second until `stop`, and then what is left.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = ticks.tick() => self.run_once().await,
            };
        }
        self.run_once().await;
    }

    /// Writes what there is.
    pub async fn run_once(&mut self) -> Recorded {
        let mut recorded = Recorded::default();
        let desks = self.collector.desks();
        self.write_refusals(&desks, &mut recorded).await;
        for desk in &desks {
            if let Some(held) = desk.take_held() {
                self.write_held(desk, held, &mut recorded).await;
            }
        }
        if self.turns.is_multiple_of(EXPIRY_TURNS) {
            self.expire(&desks, &mut recorded).await;
        }
        self.turns += 1;
        recorded
    }

    async fn write_refusals(&self, desks: &[Arc<Desk>], recorded: &mut Recorded) {
        let now = self.clock.now();
        let of_each = desks.iter().filter_map(|desk| Some((desk, desk.take_refusals(now)?)));
        let (written, batch): (Vec<_>, Vec<_>) = of_each.unzip();
        if batch.is_empty() {
            return;
        }
        batch.iter().for_each(tell_of_more);
        let counts: Vec<_> = batch.iter().map(|source| source.counts.clone()).collect();
        match self.inbox.note_refusals(batch, self.max_rows).await {
            Ok(()) => recorded.refusals += counts.iter().flatten().map(|(_, count)| count).sum::<u64>(),
            Err(error) => {
                tracing::error!(%error, "refusals are not stored; they are counted the next time");
                recorded.failures += 1;
                written.iter().zip(&counts).for_each(|(desk, counts)| desk.put_back(counts));
            }
        }
    }

    async fn write_held(&self, desk: &Desk, held: Held, recorded: &mut Recorded) {
        let Held { limits, deliveries, mut dropped } = held;
        let mut rest = deliveries.into_iter().peekable();
        loop {
            let (mut few, mut bytes) = (Vec::new(), 0);
            let more = |next: &RefusedDelivery, few: &[_], bytes: u64| {
                few.is_empty()
                    || (few.len() < ROWS_PER_TRANSACTION && bytes + next.bytes() <= BYTES_PER_TRANSACTION)
            };
            while let Some(delivery) = rest.next_if(|next| more(next, &few, bytes)) {
                bytes += delivery.bytes();
                few.push(delivery);
            }
            if few.is_empty() && dropped == 0 {
                return;
            }
            let (count, lost) = (few.len() as u64, std::mem::take(&mut dropped));
            match self.inbox.quarantine(Arc::clone(desk.source()), limits, few, lost).await {
                Ok(()) => recorded.quarantined += count,
                Err(error) => {
                    tracing::error!(source = %desk.source(), requests = count, %error, "not kept in quarantine");
                    recorded.failures += 1;
                    desk.drop_held(lost + count);
                }
            }
            desk.let_go(bytes);
        }
    }

    async fn expire(&self, desks: &[Arc<Desk>], recorded: &mut Recorded) {
        let limits: Vec<_> =
            desks.iter().filter_map(|desk| Some((Arc::clone(desk.source()), desk.limits()?))).collect();
        if !limits.is_empty()
            && let Err(error) = self.inbox.expire_quarantine(limits, self.clock.now()).await
        {
            tracing::error!(%error, "what is too old stays in quarantine for now");
            recorded.failures += 1;
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("max_rows", &self.max_rows).finish_non_exhaustive()
    }
}

/// The log has a line for each sample; a flood must not fill the disk with the others.
fn tell_of_more(RefusalsOfSource { source, counts, .. }: &RefusalsOfSource) {
    for (refusal, count) in counts {
        let more = count.saturating_sub(MAX_SAMPLES as u64);
        if more > 0 {
            tracing::warn!(%source, reason = refusal.code(), more, "refused, without a line for each");
        }
    }
}
