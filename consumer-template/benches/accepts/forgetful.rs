//! An inbox that keeps nothing: what is left is HTTP and verification, the ceiling for every store.

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

#[derive(Default)]
pub(crate) struct Forgetful {
    arrivals: Arc<Notify>,
}

#[async_trait]
impl Inbox for Forgetful {
    async fn accept(&self, _: Incoming) -> Result<Accepted, InboxError> {
        Ok(Accepted { event: EventNo(0), outcome: Delivery::New })
    }

    fn arrivals(&self) -> Arc<Notify> {
        Arc::clone(&self.arrivals)
    }

    async fn claim(&self, _: usize, _: Duration, _: UnixTime) -> Result<Vec<Claimed>, InboxError> {
        Ok(Vec::new())
    }

    async fn extend(&self, _: &Lease, _: UnixTime) -> Result<bool, InboxError> {
        Ok(false)
    }

    async fn settle(&self, _: &Lease, _: Outcome, _: UnixTime) -> Result<Settled, InboxError> {
        Ok(Settled::LeaseLost)
    }

    async fn run_in_transaction(
        &self,
        _: &Claimed,
        _: Arc<dyn SqliteHandler>,
        _: Terms,
        _: UnixTime,
    ) -> Result<(Settled, Outcome), InboxError> {
        Ok((Settled::LeaseLost, Outcome::Done))
    }

    async fn set_order(&self, _: Vec<(Arc<str>, OrderPolicy)>) -> Result<(), InboxError> {
        Ok(())
    }

    async fn configure(&self, _: Vec<SourceRules>, _: UnixTime) -> Result<Vec<SourceStatus>, InboxError> {
        Ok(Vec::new())
    }

    async fn rescue(&self, _: u32, _: UnixTime) -> Result<Rescued, InboxError> {
        Ok(Rescued::default())
    }

    async fn recover_orphans(&self, _: u32, _: UnixTime) -> Result<Rescued, InboxError> {
        Ok(Rescued::default())
    }

    async fn note_answers(&self) -> Result<(), InboxError> {
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<UnixTime>, InboxError> {
        Ok(None)
    }
}

#[async_trait]
impl Life for Forgetful {
    async fn pause(&self, source: &str, _: By, _: UnixTime) -> Result<(), LifeError> {
        Err(LifeError::Unknown { name: source.to_owned(), known: Vec::new() })
    }

    async fn resume(&self, source: &str, _: By, _: UnixTime) -> Result<Pause, LifeError> {
        Err(LifeError::NotPaused(source.to_owned()))
    }

    async fn sources(&self) -> Result<Vec<SourceStatus>, InboxError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Operator for Forgetful {
    async fn counts(&self) -> Result<Counts, InboxError> {
        Ok(Counts::default())
    }

    async fn list(&self, _: Filter) -> Result<Vec<EventSummary>, InboxError> {
        Ok(Vec::new())
    }

    async fn show(&self, _: EventNo) -> Result<Option<EventDetail>, InboxError> {
        Ok(None)
    }

    async fn replay(
        &self,
        event: EventNo,
        _: IfStale,
        _: By,
        _: UnixTime,
    ) -> Result<Replayed, OperatorError> {
        Err(OperatorError::NotFound(event))
    }

    async fn discard(&self, event: EventNo, _: By, _: UnixTime) -> Result<(), OperatorError> {
        Err(OperatorError::NotFound(event))
    }
}

#[async_trait]
impl KeepRefused for Forgetful {
    async fn note_refusals(&self, _: RefusalBatch, _: u32) -> Result<(), InboxError> {
        Ok(())
    }

    async fn quarantine(
        &self,
        _: Arc<str>,
        _: QuarantineLimits,
        _: Vec<RefusedDelivery>,
        _: u64,
    ) -> Result<(), InboxError> {
        Ok(())
    }

    async fn expire_quarantine(
        &self,
        _: Vec<(Arc<str>, QuarantineLimits)>,
        _: UnixTime,
    ) -> Result<(), InboxError> {
        Ok(())
    }
}

#[async_trait]
impl Purge for Forgetful {
    async fn set_retention(&self, _: Retention) -> Result<(), InboxError> {
        Ok(())
    }

    async fn retention(&self) -> Result<Option<Retention>, InboxError> {
        Ok(None)
    }

    async fn purge(&self, _: Budget, _: UnixTime) -> Result<Purged, InboxError> {
        Ok(Purged::default())
    }

    async fn purgeable(&self, _: UnixTime) -> Result<Purged, InboxError> {
        Ok(Purged::default())
    }
}

#[async_trait]
impl Records for Forgetful {
    async fn deliveries(&self, _: DeliveryFilter) -> Result<Vec<DeliveryRecord>, InboxError> {
        Ok(Vec::new())
    }

    async fn traffic(
        &self,
        _: Option<String>,
        _: UnixTime,
        _: UnixTime,
    ) -> Result<BTreeMap<String, Traffic>, InboxError> {
        Err(InboxError::Full)
    }

    async fn storage(&self) -> Result<Storage, InboxError> {
        Ok(Storage::default())
    }
}
