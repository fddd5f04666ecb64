//! What a person does to dead letters and sources, also from another process while the server runs.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hookproof::UnixTime;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::accept::revive;
use super::access::Access;
use super::audit::{self, About};
use super::job::WorkError;
use super::lanes;
use super::life;
use super::open::{self, OpenError};
use super::options::SqliteOptions;
use super::order;
use super::purge::Walk;
use super::read::{self, Readers};
use super::rows::{self, Note};
use crate::event::{EventNo, Step};
use crate::inbox::{
    By, Counts, EventDetail, EventSummary, Filter, IfStale, InboxError, Life, LifeError, Operator,
    OperatorError, Pause, Replayed, SourceStatus, StoreError,
};

/// An operator's access to an inbox that a server may own at the same time.
///
/// Takes no lock: each action is a short transaction of its own. The server notices what it made pending at its next poll.
#[derive(Debug)]
pub struct SqliteOperator {
    options: Arc<SqliteOptions>,
    pub(super) readers: Readers,
    /// The connection that writes, between two actions.
    idle: Arc<Mutex<Option<Connection>>>,
    pub(super) walk: Arc<Walk>,
}

impl SqliteOperator {
    /// Opens an existing inbox.
    ///
    /// # Errors
    ///
    /// When there is no database, or not one of this version: only the server creates and migrates.
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        open::assert_current(&open::reader(&options)?)?;
        let readers = Readers::new(options.clone());
        Ok(Self { readers, walk: Arc::default(), options: Arc::new(options), idle: Arc::default() })
    }

    pub(super) async fn transaction<T: Send + 'static, E: From<InboxError> + Send + 'static>(
        &self,
        doing: &'static str,
        mut work: impl FnMut(&Connection) -> Result<Result<T, E>, WorkError> + Send + 'static,
    ) -> Result<T, E> {
        let (options, idle) = (Arc::clone(&self.options), Arc::clone(&self.idle));
        let act = move || {
            let failed = |reason: &dyn std::fmt::Display| InboxError::Store(StoreError::new(doing, reason));
            let warm = idle.lock().unwrap_or_else(PoisonError::into_inner).take();
            let conn = warm.map_or_else(|| open::operator(&options), Ok);
            let mut conn = conn.map_err(|error| failed(&error))?;
            let tx = conn
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|error| failed(&error))?;
            // A newer server may have brought the database up to date meanwhile.
            open::assert_current(&tx).map_err(|error| failed(&error))?;
            let did = work(&tx).map_err(|error| failed(&error))?;
            match &did {
                Ok(_) => tx.commit(),
                Err(_) => tx.rollback(),
            }
            .map_err(|error| failed(&error))?;
            // A connection that failed is not kept.
            *idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(conn);
            did
        };
        let joined = tokio::task::spawn_blocking(act).await;
        joined.unwrap_or_else(|error| Err(InboxError::Store(StoreError::new(doing, error)).into()))
    }
}

#[async_trait]
impl<A: Access> Life for A {
    async fn pause(&self, source: &str, by: By, now: UnixTime) -> Result<(), LifeError> {
        let source = source.to_owned();
        self.act("pause a source", move |conn| life::pause(conn, &source, &by, now)).await
    }

    async fn resume(&self, source: &str, by: By, now: UnixTime) -> Result<Pause, LifeError> {
        let source = source.to_owned();
        let pause = self.act("resume a source", move |conn| life::resume(conn, &source, &by, now)).await?;
        self.may_be_due();
        Ok(pause)
    }

    async fn sources(&self) -> Result<Vec<SourceStatus>, InboxError> {
        self.readers().read("list sources", life::sources).await
    }
}

#[async_trait]
impl<A: Access> Operator for A {
    async fn counts(&self) -> Result<Counts, InboxError> {
        self.readers().read("count events", read::counts).await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<EventSummary>, InboxError> {
        self.readers().read("list events", move |conn| read::list(conn, &filter)).await
    }

    async fn show(&self, event: EventNo) -> Result<Option<EventDetail>, InboxError> {
        self.readers().read("show an event", move |conn| read::show(conn, event)).await
    }

    async fn replay(
        &self,
        event: EventNo,
        if_stale: IfStale,
        by: By,
        now: UnixTime,
    ) -> Result<Replayed, OperatorError> {
        let work = move |conn: &Connection| replay(conn, event, if_stale, &by, now);
        let replayed = self.act("replay an event", work).await?;
        self.may_be_due();
        Ok(replayed)
    }

    async fn discard(&self, event: EventNo, by: By, now: UnixTime) -> Result<(), OperatorError> {
        self.act("discard an event", move |conn| discard(conn, event, &by, now)).await?;
        // It may have been what others waited for.
        self.may_be_due();
        Ok(())
    }
}

fn replay(
    conn: &Connection,
    event: EventNo,
    if_stale: IfStale,
    by: &By,
    now: UnixTime,
) -> Result<Result<Replayed, OperatorError>, WorkError> {
    if !exists(conn, event)? {
        return Ok(Err(OperatorError::NotFound(event)));
    }
    if let Err(state) = revive(conn, event, if_stale == IfStale::Apply, now)? {
        return Ok(Err(OperatorError::NotDead { event, state }));
    }
    audit::note(conn, About::Event(event), "replay", by, now)?;
    Ok(Ok(match (order::overtaken(conn, event)?, if_stale) {
        (None, _) => Replayed::InOrder,
        (Some(source), IfStale::FollowRule) => Replayed::Stale(order::policy(conn, &source)?.stale),
        (Some(_), IfStale::Apply) => Replayed::StaleConfirmed,
    }))
}

fn discard(
    conn: &Connection,
    event: EventNo,
    by: &By,
    now: UnixTime,
) -> Result<Result<(), OperatorError>, WorkError> {
    if !exists(conn, event)? {
        return Ok(Err(OperatorError::NotFound(event)));
    }
    if let Err(state) = rows::change(conn, event, Step::Discard, Note::default(), now)? {
        return Ok(Err(OperatorError::NotDead { event, state }));
    }
    lanes::unblock(conn, event)?;
    audit::note(conn, About::Event(event), "discard", by, now)?;
    Ok(Ok(()))
}

fn exists(conn: &Connection, event: EventNo) -> Result<bool, WorkError> {
    let found = conn
        .prepare_cached("SELECT 1 FROM events WHERE number = ?1")?
        .query_row([event.0], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}
