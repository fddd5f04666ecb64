//! A thread that is waited for, but not for ever.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How long the last owner waits for what is queued: a disk that hangs, or a handler that holds its transaction, must not
/// keep the process from ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// A thread that works for its owner.
#[derive(Debug)]
pub(super) struct Worker {
    name: &'static str,
    pub(super) thread: Option<JoinHandle<()>>,
    /// Nothing is sent: it is cut when the work is over and what it owned is gone.
    over: Mutex<Receiver<()>>,
    pub(super) patience: Duration,
}

impl Worker {
    pub(super) fn start(name: &'static str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (until_over, over) = mpsc::channel::<()>();
        let work = move || {
            let _until_over = until_over;
            work();
        };
        let thread = Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { name, thread: Some(thread), over: Mutex::new(over), patience: PATIENCE })
    }

    /// Waits until it has ended, as it was told to by somebody else. One that does not is left behind.
    pub(super) fn wait(&mut self) {
        let over = self.over.get_mut().unwrap_or_else(PoisonError::into_inner);
        if over.recv_timeout(self.patience) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(thread = self.name, "does not end: it is left behind");
        } else if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(thread = self.name, "panicked");
        }
    }
}
