//! What only a new process mends: handlers that block their threads, a store that does not answer, a part that has broken off.
//!
//! No program can take a thread back. One that a handler blocks is left behind, and the event has had its attempt. When there are
//! too many of them, or the store itself is held, only a new process helps: nothing more is claimed, and whoever runs the
//! dispatcher is told. Nothing is lost by that. What was accepted is on the disk, and every attempt was counted.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Threads that handlers may block. Each is memory that does not come back; it leaves room in a runtime's 512.
const MOST: usize = 64;

/// Whether the process has to be started anew. Clones watch the same dispatcher.
#[derive(Clone)]
pub struct Stuck {
    threads: Arc<AtomicUsize>,
    why: Arc<watch::Sender<Option<&'static str>>>,
}

impl Stuck {
    pub(super) fn new() -> Self {
        Self { threads: Arc::default(), why: Arc::new(watch::Sender::new(None)) }
    }

    /// How many threads are blocked by handlers whose time is over.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    /// Why only a new process helps, if that is so.
    pub(crate) fn why(&self) -> Option<&'static str> {
        *self.why.borrow()
    }

    /// Waits until only a new process helps; why.
    pub fn must_restart(&self) -> impl Future<Output = &'static str> + Send + use<> {
        let mut why = self.why.subscribe();
        async move {
            loop {
                if let Some(why) = *why.borrow_and_update() {
                    return why;
                }
                if why.changed().await.is_err() {
                    // The dispatcher has ended well: nothing is stuck.
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// A handler did not stop when it was told to. `task` ends if it does after all.
    pub(super) fn handler<T: Send + 'static>(&self, task: JoinHandle<T>) {
        let blocked = self.threads.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(blocked, "a handler blocks its thread and cannot be stopped");
        if blocked >= MOST {
            self.why.send_replace(Some("handlers block too many threads"));
        }
        let threads = Arc::clone(&self.threads);
        tokio::spawn(async move {
            drop(task.await);
            threads.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// The store has not answered for as long as leases last.
    pub(super) fn store(&self) {
        self.why.send_replace(Some(
            "the store does not answer: a handler holds its transaction, or the disk is gone",
        ));
    }

    /// The store has ended.
    pub(super) fn closed(&self) {
        self.why.send_replace(Some("the inbox is closed"));
    }

    /// Starts a part of the program. One that broke off unnoticed would be missed when it is too late: refusals that nobody
    /// counted, payloads that were never forgotten.
    pub(crate) fn spawn(
        &self,
        broke_off: &'static str,
        part: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let watch = Watch { stuck: self.clone(), broke_off };
        tokio::spawn(async move {
            let _watch = watch;
            part.await;
        })
    }
}

/// Tells when the task that owns it panics.
struct Watch {
    stuck: Stuck,
    broke_off: &'static str,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stuck.why.send_replace(Some(self.broke_off));
        }
    }
}

impl fmt::Debug for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stuck").field("threads", &self.threads()).field("why", &self.why()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_breaks_off_is_told_of_and_one_that_ends_is_not() {
        let stuck = Stuck::new();
        stuck.spawn("this one ended", async {}).await.unwrap();
        stuck.spawn("this one was stopped", std::future::pending()).abort();
        tokio::task::yield_now().await;
        assert_eq!(stuck.why(), None);
        let broken = stuck.spawn("this one broke off", async { panic!("a fault") });
        let why = tokio::time::timeout(std::time::Duration::from_secs(5), stuck.must_restart()).await;
        assert_eq!(why, Ok("this one broke off"));
        assert!(broken.await.unwrap_err().is_panic());
    }
}
