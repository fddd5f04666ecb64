//! The inbox, put together: what each request means for the writer and the readers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookproof::UnixTime;
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::accept;
use super::answers::Answers;
use super::attempts;
use super::check;
use super::claim::{self, Turn};
use super::effects::Run;
use super::fence::Fence;
use super::job::{Job, Task, WorkError};
use super::lanes;
use super::life;
use super::mailbox::Slot;
use super::old_keys::{Filling, OldKeys};
use super::open::{self, OpenError, Ownership};
use super::options::SqliteOptions;
use super::order;
use super::purge::Walk;
use super::read::Readers;
use super::room::Room;
use super::writer::Writer;
use crate::effect::{SqliteHandler, Versions};
use crate::inbox::{
    Accepted, Claimed, Delivery, Inbox, InboxError, Incoming, Lease, Rescued, Settled, SourceRules,
    SourceStatus, Terms,
};
use crate::ordering::OrderPolicy;
use crate::retry::Outcome;

/// An inbox in an SQLite file that this process owns.
///
/// Dropping it finishes what is queued, and blocks until that is on disk, but for ten seconds at most: what a disk that hangs
/// has not taken by then was never answered.
#[derive(Debug)]
pub struct SqliteInbox {
    // The order matters: the writer stops before the lock is given up. It has the lock too, in case that it does not stop.
    pub(super) writer: Writer,
    pub(super) readers: Readers,
    fence: Fence,
    pub(super) arrivals: Arc<Notify>,
    turn: Arc<Turn>,
    room: Arc<Room>,
    pub(super) answers: Answers,
    pub(super) walk: Arc<Walk>,
    pub(super) old_keys: Arc<OldKeys>,
    _filling: Filling,
    _ownership: Arc<Ownership>,
}

impl SqliteInbox {
    /// Opens the inbox, creating it if it is not there, and takes its lock.
    ///
    /// # Errors
    ///
    /// When another process owns it, or it cannot promise to be durable: see [`OpenError`].
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        let ownership = Arc::new(Ownership::take(options.path())?);
        open::create(&options)?;
        let fence = Fence::new();
        let writer = Writer::start(options.clone(), fence.clone(), Some(Arc::clone(&ownership)))?;
        // After the writer, which wants the log for itself when it begins.
        let (old_keys, filling) = OldKeys::open(&options)?;
        Ok(Self {
            room: Arc::new(Room::new(options.max_bytes)),
            readers: Readers::new(options),
            writer,
            fence,
            arrivals: Arc::default(),
            turn: Arc::default(),
            answers: Answers::default(),
            walk: Arc::default(),
            old_keys,
            _filling: filling,
            _ownership: ownership,
        })
    }

    /// Whether it knows by heart which replay keys are not among the old ones. It gets to know them after it was opened, a million
    /// in a second or two; accepts are slower until then.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.old_keys.is_filled()
    }

    /// What is wrong with the database, in words; nothing if all is well. Reads all of it: minutes if it is large.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn check(&self) -> Result<Vec<String>, InboxError> {
        self.readers.read("check the database", check::check).await
    }

    /// Hands work to the writer whose result nobody waits for.
    pub(super) fn hand_over(
        &self,
        doing: &'static str,
        work: impl FnMut(&Connection, Option<&str>) -> Result<(), WorkError> + Send + 'static,
    ) -> Result<(), InboxError> {
        let (task, _) = Task::new(doing, work);
        self.writer.mailbox.push(Slot::Control, Box::new(task))
    }

    async fn claim_as(
        &self,
        versions: Option<Arc<dyn Versions>>,
        max: usize,
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<Claimed>, InboxError> {
        let turn = Arc::clone(&self.turn);
        let work = move |conn: &Connection, _: Option<&str>| {
            claim::claim(conn, max, lease, now, &turn, versions.as_deref())
        };
        // What nobody waits for any more would be leased, and counted, and not run.
        let (task, answer) = Task::new("claim events", work);
        self.done(Slot::Control, task.while_wanted(), answer).await
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        slot: Slot,
        doing: &'static str,
        work: impl FnMut(&Connection, Option<&str>) -> Result<T, WorkError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (task, answer) = Task::new(doing, work);
        self.done(slot, task, answer).await
    }

    async fn done<T>(
        &self,
        slot: Slot,
        task: impl Job + 'static,
        answer: oneshot::Receiver<Result<T, InboxError>>,
    ) -> Result<T, InboxError> {
        self.writer.mailbox.push(slot, Box::new(task))?;
        answer.await.unwrap_or(Err(InboxError::Closed))
    }
}

#[async_trait]
impl Inbox for SqliteInbox {
    async fn accept(&self, incoming: Incoming) -> Result<Accepted, InboxError> {
        let (source, received_at, begun) =
            (Arc::clone(&incoming.source), incoming.received_at, incoming.begun);
        let (room, old) = (Arc::clone(&self.room), Arc::clone(&self.old_keys));
        let work =
            move |conn: &Connection, _: Option<&str>| accept::accept(conn, &incoming, &room, Some(&old));
        let stored = self.write(Slot::Accept, "store an event", work).await;
        let (accepted, delivery) = stored.inspect_err(|_| self.answers.not_stored(&source, received_at))?;
        self.answers.answered(delivery, begun.elapsed());
        if let Delivery::New | Delivery::Revived = accepted.outcome {
            self.arrivals.notify_one();
        }
        Ok(accepted)
    }

    fn arrivals(&self) -> Arc<Notify> {
        Arc::clone(&self.arrivals)
    }

    async fn claim(&self, max: usize, lease: Duration, now: UnixTime) -> Result<Vec<Claimed>, InboxError> {
        self.claim_as(None, max, lease, now).await
    }

    async fn claim_for(
        &self,
        versions: Arc<dyn Versions>,
        max: usize,
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<Claimed>, InboxError> {
        self.claim_as(Some(versions), max, lease, now).await
    }

    async fn extend(&self, lease: &Lease, until: UnixTime) -> Result<bool, InboxError> {
        let lease = *lease;
        self.write(Slot::Control, "extend a lease", move |conn, _| lanes::extend(conn, &lease, until)).await
    }

    async fn settle(&self, lease: &Lease, outcome: Outcome, now: UnixTime) -> Result<Settled, InboxError> {
        let lease = *lease;
        let work = move |conn: &Connection, _: Option<&str>| attempts::settle(conn, &lease, &outcome, now);
        self.write(Slot::Control, "settle an attempt", work).await
    }

    async fn run_in_transaction(
        &self,
        claimed: &Claimed,
        handler: Arc<dyn SqliteHandler>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<(Settled, Outcome), InboxError> {
        let fence = self.fence.clone();
        let context = claimed.context();
        let mut run = Run { claimed: claimed.clone(), context, handler, terms, fence, now, fault: None };
        self.write(Slot::Control, "run a handler", move |conn, refused| run.run(conn, refused)).await
    }

    async fn set_order(&self, policies: Vec<(Arc<str>, OrderPolicy)>) -> Result<(), InboxError> {
        let work = move |conn: &Connection, _: Option<&str>| order::set(conn, &policies);
        self.write(Slot::Control, "set the rules of the sources", work).await
    }

    async fn configure(
        &self,
        sources: Vec<SourceRules>,
        now: UnixTime,
    ) -> Result<Vec<SourceStatus>, InboxError> {
        let work = move |conn: &Connection, _: Option<&str>| life::configure(conn, &sources, now);
        let left = self.write(Slot::Control, "set the sources", work).await?;
        self.arrivals.notify_one();
        Ok(left)
    }

    async fn rescue(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError> {
        let work =
            move |conn: &Connection, _: Option<&str>| attempts::rescue(conn, Some(now), max_attempts, now);
        self.write(Slot::Control, "rescue events", work).await
    }

    async fn recover_orphans(&self, max_attempts: u32, now: UnixTime) -> Result<Rescued, InboxError> {
        let work = move |conn: &Connection, _: Option<&str>| attempts::rescue(conn, None, max_attempts, now);
        self.write(Slot::Control, "recover running events", work).await
    }

    async fn note_answers(&self) -> Result<(), InboxError> {
        self.write_answers().await
    }

    async fn next_due(&self) -> Result<Option<UnixTime>, InboxError> {
        self.readers.read("find the next due event", lanes::next).await
    }
}
