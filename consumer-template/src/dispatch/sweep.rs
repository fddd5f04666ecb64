//! The sweep: forgets what is due, a little at a time, between accepts.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookproof::UnixTime;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::inbox::{Budget, Inbox, InboxError, Purged};

/// What one transaction takes away: deliveries that come meanwhile wait for it.
pub const PIECE: Budget = Budget { rows: 200, time: Duration::from_millis(5) };

/// From the end of a piece to the next, at least; and so many times as long as the piece took. It takes a tenth of the writer's time.
const PAUSE: Duration = Duration::from_millis(45);
const PAUSES: u32 = 9;

/// Between two looks when nothing is due.
const IDLE: Duration = Duration::from_secs(1);

/// Forgets what is due, and writes down how soon deliveries were answered.
#[derive(Clone)]
pub struct Sweeper {
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
}

impl Sweeper {
    /// A sweeper that has not begun yet.
    #[must_use]
    pub fn new(inbox: Arc<dyn Inbox>, clock: Arc<dyn Clock>) -> Self {
        Self { inbox, clock }
    }

    /// Works until `stop` resolves.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut sum = Purged::default();
        loop {
            let begun = Instant::now();
            let wait = match self.run_once(self.clock.now()).await {
                Ok(purged) => {
                    sum += purged;
                    if purged.more { PAUSE.max(begun.elapsed() * PAUSES) } else { IDLE }
                }
                Err(error) => {
                    tracing::error!(%error, "the sweep has to wait for the inbox");
                    sum.more = false;
                    IDLE
                }
            };
            if !sum.more {
                log(std::mem::take(&mut sum));
            }
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// One piece.
    ///
    /// # Errors
    ///
    /// When the inbox fails. The next piece may be tried all the same.
    pub async fn run_once(&self, now: UnixTime) -> Result<Purged, InboxError> {
        self.inbox.note_answers().await?;
        self.inbox.purge(PIECE, now).await
    }
}

fn log(sum: Purged) {
    if sum.is_something() {
        let Purged { payloads, payload_bytes, events, deliveries, positions, .. } = sum;
        tracing::info!(payloads, payload_bytes, events, deliveries, positions, "purged what was due");
    }
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}
