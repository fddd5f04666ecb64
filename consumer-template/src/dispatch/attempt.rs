//! One attempt: run the handler, keep the lease alive meanwhile, and settle.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use super::config::DispatchConfig;
use super::stuck::Stuck;
use crate::clock::{Clock, later, moment};
use crate::effect::{Effect, Failure, Handler, SqliteHandler};
use crate::event::EventNo;
use crate::fingerprint::Fingerprint;
use crate::inbox::{Claimed, Inbox, InboxError, Settled, StoreError, Terms};
use crate::retry::Outcome;

/// How long to wait before the store is asked again that has just failed.
const STORE_PAUSE: Duration = Duration::from_millis(200);

/// How long a slow disk may take for an answer, however short leases are.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a handler that was told to stop may take to reach its next `.await`.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The event.
    pub event: EventNo,
    /// Which attempt it was.
    pub attempt: u32,
    /// How it ended.
    pub end: End,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The outcome is recorded.
    Settled(Outcome),
    /// Somebody else holds the event, or will: nothing was recorded.
    LeaseLost,
    /// Whether the outcome is recorded is not known. If it is not, the lease will expire, and the event is rescued.
    Unsettled,
}

/// Everything that an attempt needs from the dispatcher.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: DispatchConfig,
    /// Becomes true when running handlers are to be cut off.
    pub(super) cut: watch::Receiver<bool>,
    pub(super) stuck: Stuck,
}

impl Desk {
    /// What the store answers. One that does not for as long as a lease, and five seconds, has lost every lease: only a new
    /// process helps.
    pub(super) async fn answer<T>(
        &self,
        doing: &'static str,
        question: impl Future<Output = Result<T, InboxError>>,
    ) -> Result<T, InboxError> {
        match timeout(self.config.lease.max(STORE_PATIENCE), question).await {
            Ok(answer) => answer,
            Err(_) => {
                self.stuck.store();
                Err(StoreError::new(doing, "the store does not answer").into())
            }
        }
    }

    pub(super) async fn attempt(self, claimed: Claimed, effect: Effect) -> Finished {
        let end = match effect {
            Effect::Outside(handler) => self.outside(&claimed, handler).await,
            Effect::Sqlite(handler) => self.in_transaction(&claimed, handler).await,
        };
        let finished = Finished { event: claimed.event.number, attempt: claimed.attempt, end };
        finished.log(&claimed.event.source);
        finished
    }

    async fn in_transaction(&self, claimed: &Claimed, handler: Arc<dyn SqliteHandler>) -> End {
        let terms = Terms {
            retry: self.config.retry,
            dice: fastrand::f64(),
            timeout: self.config.transaction_timeout,
        };
        let run = || {
            let handler = Arc::clone(&handler);
            self.inbox.run_in_transaction(claimed, handler, terms, self.clock.now())
        };
        let deadline = Instant::now() + self.config.lease;
        loop {
            match self.answer("run a handler", run()).await {
                Ok((Settled::Applied, outcome)) => return End::Settled(outcome),
                Ok((Settled::LeaseLost, _)) => return End::LeaseLost,
                Err(error) => {
                    tracing::warn!(event = %claimed.event.number, %error, "a handler could not be run")
                }
            }
            if !self.may_try_again(deadline).await {
                return End::Unsettled;
            }
        }
    }

    async fn outside(&self, claimed: &Claimed, handler: Arc<dyn Handler>) -> End {
        let mut deadline = Instant::now() + self.config.lease;
        let Some(result) = self.run(claimed, handler, &mut deadline).await else {
            return End::LeaseLost;
        };
        let now = self.clock.now();
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(failure) => claimed.outcome_of(&failure, &self.config.retry, now, fastrand::f64()),
        };
        loop {
            let settled = self.inbox.settle(&claimed.lease, outcome.clone(), now);
            match self.answer("settle an attempt", settled).await {
                Ok(Settled::Applied) => return End::Settled(outcome),
                Ok(Settled::LeaseLost) => return End::LeaseLost,
                Err(error) => {
                    tracing::warn!(event = %claimed.event.number, %error, "an attempt could not be settled")
                }
            }
            if !self.may_try_again(deadline).await {
                return End::Unsettled;
            }
        }
    }

    /// Runs the handler on a thread of its own, where a panic stays and a handler that blocks stops nobody else. `None`: the lease
    /// is lost, and the handler was dropped.
    async fn run(
        &self,
        claimed: &Claimed,
        handler: Arc<dyn Handler>,
        deadline: &mut Instant,
    ) -> Option<Result<(), Failure>> {
        let event = Arc::clone(&claimed.event);
        let context = claimed.context();
        let mut task = Running::start(async move { handler.handle(&event, &context).await });
        let limit = Instant::now() + self.config.handler_timeout;
        let beat = (self.config.lease / 3).max(Duration::from_millis(1));
        let mut heartbeat = interval_at(Instant::now() + beat, beat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cut = self.cut.clone();
        let mut cut_off = pin!(async move { drop(cut.wait_for(|cut| *cut).await) });
        let failure = loop {
            tokio::select! {
                biased;
                joined = &mut task.thread => {
                    let panicked = || Err(Failure::transient("handler panicked"));
                    return Some(joined.ok().flatten().unwrap_or_else(panicked));
                }
                () = sleep_until(limit) => break Some("handler exceeded its timeout"),
                () = &mut cut_off => break Some("the service stopped before the handler was finished"),
                _ = heartbeat.tick() => if !self.keep(claimed, deadline).await { break None },
            }
        };
        task.stop(&self.stuck).await;
        failure.map(|text| Err(Failure::transient(text)))
    }

    /// Extends the lease. `false` if it is lost, or must be taken for lost because the store does not answer.
    async fn keep(&self, claimed: &Claimed, deadline: &mut Instant) -> bool {
        let asked = Instant::now();
        let until = later(self.clock.now(), self.config.lease);
        match self.answer("extend a lease", self.inbox.extend(&claimed.lease, until)).await {
            Ok(true) => {
                *deadline = asked + self.config.lease;
                true
            }
            Ok(false) => false,
            Err(error) => {
                tracing::warn!(event = %claimed.event.number, %error, "a lease could not be extended");
                Instant::now() < *deadline
            }
        }
    }

    /// Waits a little for a store that failed; `false` when there is no point in asking it again.
    async fn may_try_again(&self, deadline: Instant) -> bool {
        if *self.cut.borrow() || Instant::now() + STORE_PAUSE >= deadline {
            return false;
        }
        sleep(STORE_PAUSE).await;
        true
    }
}

/// A handler on its thread, which is dropped when nobody waits for it any more.
struct Running {
    thread: JoinHandle<Option<Result<(), Failure>>>,
    /// Dropping it tells the handler to stop.
    wanted: Option<oneshot::Sender<()>>,
}

impl Running {
    fn start(handler: impl Future<Output = Result<(), Failure>> + Send + 'static) -> Self {
        let (wanted, unwanted) = oneshot::channel();
        let runtime = Handle::current();
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    result = handler => Some(result),
                    _ = unwanted => None,
                }
            })
        };
        Self { thread: tokio::task::spawn_blocking(run), wanted: Some(wanted) }
    }

    /// Drops the handler, and waits until that is so: its successor must not run beside it.
    async fn stop(mut self, stuck: &Stuck) {
        drop(self.wanted.take());
        // In case that it has not even begun.
        self.thread.abort();
        if timeout(ABORT_GRACE, &mut self.thread).await.is_err() {
            stuck.handler(self.thread);
        }
    }
}

impl Finished {
    /// What the handler said of a failure may repeat a body: it is in the store, and a dead letter's group says which failure it is.
    fn log(&self, source: &str) {
        let (event, attempt) = (self.event, self.attempt);
        match &self.end {
            End::Settled(Outcome::Done) => tracing::debug!(%event, source, attempt, "done"),
            End::Settled(Outcome::Retry { at, .. }) => {
                let at = moment(*at);
                tracing::info!(%event, source, attempt, at, "failed, will be tried again: `dlq show` says why");
            }
            End::Settled(Outcome::NotReady { .. }) => {
                tracing::info!(%event, source, attempt, "not ready, waits for another event of its key");
            }
            End::Settled(Outcome::Dead { reason, error }) => {
                let group = Fingerprint::of(source, *reason, error);
                tracing::warn!(%event, source, attempt, %reason, group = group.short(), "dead letter");
            }
            End::LeaseLost => tracing::warn!(%event, source, attempt, "the lease was lost"),
            End::Unsettled => {
                tracing::error!(%event, source, attempt, "not known to be settled: if it is not, it will run again")
            }
        }
    }
}
