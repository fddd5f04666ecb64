//! Changing what a running dispatcher does: between two of its rounds, so that what it claims and what runs it always belong together.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::attempt::Desk;
use super::config::DispatchConfig;
use crate::effect::Handlers;
use crate::inbox::{InboxError, SourceRules, SourceStatus, StoreError};

/// Reaches a running [`Dispatcher`](super::Dispatcher).
#[derive(Clone, Debug)]
pub struct Control(pub(super) mpsc::Sender<Change>);

/// What it is to do from now on.
#[derive(Debug)]
pub(super) struct Change {
    new: Processing,
    answer: oneshot::Sender<Result<Vec<SourceStatus>, InboxError>>,
}

/// Everything about how events are processed.
#[derive(Clone, Debug)]
pub struct Processing {
    /// Which sources there are.
    pub sources: Vec<SourceRules>,
    /// What runs for their events.
    pub handlers: Handlers,
    /// How.
    pub config: DispatchConfig,
}

impl Control {
    /// Has all of `new` take the place of what there is. Attempts that run are finished as they began. Answers with the sources that
    /// are not configured any more and have events that are not finished.
    ///
    /// # Errors
    ///
    /// When the store failed, or the dispatcher has stopped: it goes on as before. (One that did not answer ends the process.)
    pub async fn change(&self, new: Processing) -> Result<Vec<SourceStatus>, InboxError> {
        let stopped = || StoreError::new("change how events are processed", "dispatch has stopped");
        let (answer, answered) = oneshot::channel();
        self.0.send(Change { new, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Change {
    /// Tells the inbox; if it agrees, hands over what to do.
    pub(super) async fn apply(self, desk: &Desk) -> Option<(Arc<Handlers>, DispatchConfig)> {
        let Processing { sources, handlers, config } = self.new;
        let configured = desk.inbox.configure(sources, desk.clock.now());
        let answer = desk.answer("change how events are processed", configured).await;
        let agreed = answer.is_ok().then(|| (Arc::new(handlers), config));
        // Whoever asked may have gone; it is done all the same.
        let _ = self.answer.send(answer);
        agreed
    }
}
