//! What keeps a store in shape, and what it tells of itself: the same for its owner and for an operator beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use hookproof::UnixTime;
use rusqlite::Connection;

use super::access::Access;
use super::answers::{self, Batch};
use super::backend::SqliteInbox;
use super::deliveries;
use super::mailbox::Slot;
use super::purge;
use super::storage;
use super::traffic;
use crate::inbox::{
    Budget, DeliveryFilter, DeliveryRecord, InboxError, Purge, Purged, Records, Retention, Storage, Traffic,
};

const ANSWERS: &str = "note how soon deliveries were answered";

#[async_trait]
impl<A: Access> Purge for A {
    async fn set_retention(&self, retention: Retention) -> Result<(), InboxError> {
        self.perform("set how long things are kept", move |conn| purge::set(conn, &retention)).await
    }

    async fn retention(&self) -> Result<Option<Retention>, InboxError> {
        self.readers().read("read how long things are kept", purge::get).await
    }

    async fn purge(&self, budget: Budget, now: UnixTime) -> Result<Purged, InboxError> {
        let (walk, old) = (Arc::clone(self.walk()), self.old_keys().map(Arc::clone));
        let work = move |conn: &Connection| purge::purge(conn, budget, &walk, old.as_deref(), now);
        self.perform("purge what is due", work).await
    }

    async fn purgeable(&self, now: UnixTime) -> Result<Purged, InboxError> {
        self.readers().read("count what is due", move |conn| purge::purgeable(conn, now)).await
    }
}

#[async_trait]
impl<A: Access> Records for A {
    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<DeliveryRecord>, InboxError> {
        self.readers().read("list deliveries", move |conn| deliveries::list(conn, &filter)).await
    }

    async fn traffic(
        &self,
        source: Option<String>,
        from: UnixTime,
        until: UnixTime,
    ) -> Result<BTreeMap<String, Traffic>, InboxError> {
        let query = move |conn: &Connection| traffic::traffic(conn, source.as_deref(), from, until);
        self.readers().read("add up deliveries", query).await
    }

    async fn storage(&self) -> Result<Storage, InboxError> {
        let path = self.readers().path().to_owned();
        self.readers().read("measure the store", move |conn| storage::storage(conn, &path)).await
    }
}

impl SqliteInbox {
    /// Writes what is known of answers, piece by piece. What cannot be written waits for the next time.
    pub(super) async fn write_answers(&self) -> Result<(), InboxError> {
        loop {
            let batch = self.answers.take();
            if batch.is_empty() {
                return Ok(());
            }
            let written = batch.clone();
            let write = move |conn: &Connection, _: Option<&str>| answers::write(conn, &written);
            if let Err(error) = self.write(Slot::Control, ANSWERS, write).await {
                self.answers.give_back(batch);
                return Err(error);
            }
        }
    }
}

/// The last answers are written with what else is queued.
impl Drop for SqliteInbox {
    fn drop(&mut self) {
        let batches =
            std::iter::from_fn(|| Some(self.answers.take()).filter(|batch: &Batch| !batch.is_empty()));
        for batch in batches {
            if let Err(error) = self.hand_over(ANSWERS, move |conn, _| answers::write(conn, &batch)) {
                tracing::warn!(%error, "the last answers are not noted");
                break;
            }
        }
    }
}
