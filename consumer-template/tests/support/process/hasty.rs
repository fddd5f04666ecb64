//! An inbox with the fault that this program exists to avoid: it says "stored" first and stores afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::UnixTime;
use hookproof_consumer::effect::SqliteHandler;
use hookproof_consumer::event::EventNo;
use hookproof_consumer::inbox::{
    Accepted, Budget, By, Claimed, Counts, Delivery, DeliveryFilter, DeliveryRecord, EventDetail,
    EventSummary, Filter, IfStale, Inbox, InboxError, Incoming, KeepRefused, Lease, Life, LifeError,
    Operator, OperatorError, Pause, Purge, Purged, QuarantineLimits, Records, RefusalBatch, RefusedDelivery,
    Replayed, Rescued, Retention, Settled, SourceRules, SourceStatus, Storage, Terms, Traffic,
};
use hookproof_consumer::ordering::OrderPolicy;
use hookproof_consumer::retry::Outcome;
use tokio::sync::Notify;

pub(crate) struct Hasty(pub(crate) Arc<dyn Inbox>);

#[async_trait]
impl Inbox for Hasty {
    async fn accept(&self, incoming: Incoming) -> Result<Accepted, InboxError> {
        let inbox = Arc::clone(&self.0);
        tokio::spawn(async move { inbox.accept(incoming).await });
        Ok(Accepted { event: EventNo(0), outcome: Delivery::New })
    }

    fn arrivals(&self) -> Arc<Notify> {
        self.0.arrivals()
    }

    async fn claim(&self, max: usize, lease: Duration, now: UnixTime) -> Result<Vec<Claimed>, InboxError> {
        self.0.claim(max, lease, now).await
    }

    async fn extend(&self, lease: &Lease, until: UnixTime) -> Result<bool, InboxError> {
        self.0.extend(lease, until).await
    }

    async fn settle(&self, lease: &Lease, outcome: Outcome, now: UnixTime) -> Result<Settled, InboxError> {
        self.0.settle(lease, outcome, now).await
    }

    async fn run_in_transaction(
        &self,
        claimed: &Claimed,
        handler: Arc<dyn SqliteHandler>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<(Settled, Outcome), InboxError> {
        self.0.run_in_transaction(claimed, handler, terms, now).await
    }

    async fn set_order(&self, policies: Vec<(Arc<str>, OrderPolicy)>) -> Result<(), InboxError> {
        self.0.set_order(policies).await
    }

    async fn configure(
        &self,
        sources: Vec<SourceRules>,
        now: UnixTime,
    ) -> Result<Vec<SourceStatus>, InboxError> {
        self.0.configure(sources, now).await
    }

    async fn rescue(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError> {
        self.0.rescue(max_attempts, now).await
    }

    async fn recover_orphans(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError> {
        self.0.recover_orphans(max_attempts, now).await
    }

    async fn note_answers(&self) -> Result<(), InboxError> {
        self.0.note_answers().await
    }

    async fn next_due(&self) -> Result<Option<UnixTime>, InboxError> {
        self.0.next_due().await
    }
}

#[async_trait]
impl Life for Hasty {
    async fn pause(&self, source: &str, by: By, now: UnixTime) -> Result<(), LifeError> {
        self.0.pause(source, by, now).await
    }

    async fn resume(&self, source: &str, by: By, now: UnixTime) -> Result<Pause, LifeError> {
        self.0.resume(source, by, now).await
    }

    async fn sources(&self) -> Result<Vec<SourceStatus>, InboxError> {
        self.0.sources().await
    }
}

#[async_trait]
impl KeepRefused for Hasty {
    async fn note_refusals(&self, batch: RefusalBatch, max_rows: u32) -> Result<(), InboxError> {
        self.0.note_refusals(batch, max_rows).await
    }

    async fn quarantine(
        &self,
        source: Arc<str>,
        limits: QuarantineLimits,
        deliveries: Vec<RefusedDelivery>,
        dropped: u64,
    ) -> Result<(), InboxError> {
        self.0.quarantine(source, limits, deliveries, dropped).await
    }

    async fn expire_quarantine(
        &self,
        limits: Vec<(Arc<str>, QuarantineLimits)>,
        now: UnixTime,
    ) -> Result<(), InboxError> {
        self.0.expire_quarantine(limits, now).await
    }
}

#[async_trait]
impl Operator for Hasty {
    async fn counts(&self) -> Result<Counts, InboxError> {
        self.0.counts().await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<EventSummary>, InboxError> {
        self.0.list(filter).await
    }

    async fn show(&self, event: EventNo) -> Result<Option<EventDetail>, InboxError> {
        self.0.show(event).await
    }

    async fn replay(
        &self,
        event: EventNo,
        if_stale: IfStale,
        by: By,
        now: UnixTime,
    ) -> Result<Replayed, OperatorError> {
        self.0.replay(event, if_stale, by, now).await
    }

    async fn discard(&self, event: EventNo, by: By, now: UnixTime) -> Result<(), OperatorError> {
        self.0.discard(event, by, now).await
    }
}

#[async_trait]
impl Purge for Hasty {
    async fn set_retention(&self, retention: Retention) -> Result<(), InboxError> {
        self.0.set_retention(retention).await
    }

    async fn retention(&self) -> Result<Option<Retention>, InboxError> {
        self.0.retention().await
    }

    async fn purge(&self, budget: Budget, now: UnixTime) -> Result<Purged, InboxError> {
        self.0.purge(budget, now).await
    }

    async fn purgeable(&self, now: UnixTime) -> Result<Purged, InboxError> {
        self.0.purgeable(now).await
    }
}

#[async_trait]
impl Records for Hasty {
    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<DeliveryRecord>, InboxError> {
        self.0.deliveries(filter).await
    }

    async fn traffic(
        &self,
        source: Option<String>,
        from: UnixTime,
        until: UnixTime,
    ) -> Result<BTreeMap<String, Traffic>, InboxError> {
        self.0.traffic(source, from, until).await
    }

    async fn storage(&self) -> Result<Storage, InboxError> {
        self.0.storage().await
    }
}
