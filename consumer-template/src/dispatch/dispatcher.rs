//! The loop around [`Dispatcher::run_once`], which does the work.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hookproof::UnixTime;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::attempt::{Desk, Finished};
use super::change::{Change, Control};
use super::config::DispatchConfig;
use super::stuck::Stuck;
use crate::clock::Clock;
use crate::effect::Handlers;
use crate::inbox::{Inbox, InboxError, Rescued};

/// Runs handlers on the events of an inbox.
pub struct Dispatcher {
    desk: Desk,
    handlers: Arc<Handlers>,
    running: JoinSet<Finished>,
    cut: watch::Sender<bool>,
    control: Control,
    changes: mpsc::Receiver<Change>,
    /// Attempts that still run one at a time, because the process before ended in the middle of some.
    alone: usize,
}

/// What one round did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Events that were taken back from workers that did not come back.
    pub rescued: Rescued,
    /// Attempts that were started.
    pub started: usize,
    /// Attempts that were found to be over.
    pub finished: Vec<Finished>,
    /// Attempts that are running now.
    pub running: usize,
    /// How long there is nothing to do, unless something arrives or an attempt ends.
    pub wait: Duration,
}

impl Dispatcher {
    /// A dispatcher that has not started anything yet.
    #[must_use]
    pub fn new(
        inbox: Arc<dyn Inbox>,
        handlers: Handlers,
        config: DispatchConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (cut, receiver) = watch::channel(false);
        let (sender, changes) = mpsc::channel(1);
        let desk = Desk { inbox, clock, config, cut: receiver, stuck: Stuck::new() };
        Self {
            desk,
            handlers: Arc::new(handlers),
            running: JoinSet::new(),
            cut,
            control: Control(sender),
            changes,
            alone: 0,
        }
    }

    /// What changes it once it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Tells when only a new process helps.
    #[must_use]
    pub fn stuck(&self) -> Stuck {
        self.desk.stuck.clone()
    }

    /// Takes back what was running when the process died, then works until `stop` resolves or only a new process helps, then
    /// drains.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut must_restart = pin!(self.desk.stuck.must_restart());
        let arrivals = self.desk.inbox.arrivals();
        self.recover().await;
        loop {
            let wait = match self.run_once(self.desk.clock.now()).await {
                Ok(report) => report.wait,
                Err(error) => {
                    tracing::error!(%error, "dispatch has to wait for the inbox");
                    if let InboxError::Closed = error {
                        self.desk.stuck.closed();
                    }
                    self.desk.config.poll
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                why = &mut must_restart => {
                    tracing::error!(why, "nothing more is claimed");
                    break;
                }
                Some(change) = self.changes.recv() => {
                    if let Some(new) = change.apply(&self.desk).await {
                        (self.handlers, self.desk.config) = new;
                    }
                }
                () = arrivals.notified() => {}
                Some(ended) = self.running.join_next() => { note(ended); }
                () = sleep(wait) => {}
            }
        }
        // Who asks for a change from now on is told that it will not be.
        self.changes.close();
        while self.changes.try_recv().is_ok() {}
        self.drain().await;
    }

    /// One round: take back, claim as much as there is room for, start.
    ///
    /// # Errors
    ///
    /// When the inbox fails. Running handlers are not affected.
    pub async fn run_once(&mut self, now: UnixTime) -> Result<Report, InboxError> {
        let mut finished = Vec::new();
        while let Some(ended) = self.running.try_join_next() {
            finished.extend(note(ended));
        }
        let config = self.desk.config;
        let inbox = &self.desk.inbox;
        let rescued = inbox.rescue(config.retry.max_attempts, now);
        let rescued = self.desk.answer("take back stuck events", rescued).await?;
        let room = self.room();
        let versions = Arc::clone(&self.handlers);
        let claimed = if room == 0 {
            Vec::new()
        } else {
            let claimed = inbox.claim_for(versions, room, config.lease, now);
            self.desk.answer("claim events", claimed).await?
        };
        let started = claimed.len();
        self.alone =
            if started == 0 && self.running.is_empty() { 0 } else { self.alone.saturating_sub(started) };
        for claimed in claimed {
            let effect = self.handlers.get(&claimed.event);
            self.running.spawn(self.desk.clone().attempt(claimed, effect));
        }
        let wait = if started == room { config.poll } else { self.wait(now).await? };
        Ok(Report { rescued, started, finished, running: self.running.len(), wait })
    }

    /// Waits until all running attempts are over. For tests, which then ask for the next round.
    pub async fn idle(&mut self) -> Vec<Finished> {
        let mut finished = Vec::new();
        while let Some(ended) = self.running.join_next().await {
            finished.extend(note(ended));
        }
        finished
    }

    /// Lets running handlers finish, up to the configured time; then cuts them off. An attempt that is cut off was an attempt: a
    /// handler that only ever ends with the service must not run for ever.
    pub async fn drain(&mut self) -> Vec<Finished> {
        let mut finished = Vec::new();
        let everything = async {
            while let Some(ended) = self.running.join_next().await {
                finished.extend(note(ended));
            }
        };
        if timeout(self.desk.config.drain, everything).await.is_err() {
            tracing::warn!(handlers = self.running.len(), "handlers are cut off");
            self.cut.send_replace(true);
            finished.extend(self.idle().await);
        }
        finished
    }

    /// How many handlers may be started now.
    fn room(&self) -> usize {
        let most = if self.alone > 0 { 1 } else { self.desk.config.concurrency.max(1) };
        most.saturating_sub(self.running.len())
    }

    /// Takes back what was running when the process died.
    ///
    /// One of these events may have killed it, and will do so again. The others shall not lose their attempts to that: as many
    /// attempts as were running at most have the process for themselves.
    async fn recover(&mut self) {
        let (attempts, now) = (self.desk.config.retry.max_attempts, self.desk.clock.now());
        let recovered = self.desk.inbox.recover_orphans(attempts, now);
        match self.desk.answer("take back what was running", recovered).await {
            Ok(Rescued { retried: 0, dead: 0 }) => {}
            Ok(Rescued { retried, dead }) => {
                self.alone = self.desk.config.concurrency;
                tracing::warn!(retried, dead, "events were running when the process ended")
            }
            Err(error) => tracing::error!(%error, "running events wait for their leases to end"),
        }
    }

    async fn wait(&self, now: UnixTime) -> Result<Duration, InboxError> {
        let due = self.desk.answer("look for what is due", self.desk.inbox.next_due()).await?;
        let until = due.map(|due| Duration::from_millis(due.as_millis().saturating_sub(now.as_millis())));
        Ok(until.unwrap_or(Duration::MAX).min(self.desk.config.poll))
    }
}

/// An attempt's task does not panic: handlers have tasks of their own. If it does all the same, its lease expires.
fn note(ended: Result<Finished, JoinError>) -> Option<Finished> {
    ended.inspect_err(|error| tracing::error!(%error, "an attempt broke off")).ok()
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
