//! A guard that can be told to fail or to dawdle, and an observer that keeps what it was told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hookproof::middleware::{Observation, Outcome};
use hookproof::{
    Claim, ClaimToken, GuardError, GuardFuture, MemoryReplayGuard, ReplayGuard, ReplayKey, UnixTime,
};

pub(crate) const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Prompt,
    Fails,
    /// Does it, and then never says so.
    Hangs,
    /// Lets others have their turn before it does it, and after.
    Dawdles,
}

/// A [`MemoryReplayGuard`] with habits.
pub(crate) struct Moody {
    pub(crate) memory: MemoryReplayGuard,
    pub(crate) claims: Habit,
    pub(crate) commits: Habit,
    pub(crate) released: AtomicUsize,
}

impl Moody {
    pub(crate) fn new(claims: Habit, commits: Habit) -> Arc<Self> {
        let memory = MemoryReplayGuard::new(MONTH, 100).unwrap();
        Arc::new(Self { memory, claims, commits, released: AtomicUsize::new(0) })
    }

    pub(crate) fn released(&self) -> usize {
        self.released.load(Ordering::Relaxed)
    }
}

async fn in_its_way<T>(
    habit: Habit,
    work: impl Future<Output = Result<T, GuardError>>,
) -> Result<T, GuardError> {
    match habit {
        Habit::Prompt => work.await,
        Habit::Fails => Err(GuardError::Failed(Arc::new(std::io::Error::other("the store is down")))),
        Habit::Hangs => {
            work.await?;
            std::future::pending().await
        }
        Habit::Dawdles => {
            tokio::task::yield_now().await;
            let done = work.await;
            tokio::task::yield_now().await;
            done
        }
    }
}

impl ReplayGuard for Moody {
    fn retention(&self) -> Duration {
        self.memory.retention()
    }

    fn claim<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, Claim> {
        Box::pin(in_its_way(self.claims, self.memory.claim(key, token, now)))
    }

    fn commit<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, ()> {
        Box::pin(in_its_way(self.commits, self.memory.commit(key, token, now)))
    }

    fn release(&self, key: &ReplayKey, token: ClaimToken) {
        self.released.fetch_add(1, Ordering::Relaxed);
        self.memory.release(key, token);
    }
}

/// What an observation said, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) outcome: Outcome,
    pub(crate) source: Option<String>,
    pub(crate) scheme: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) skew_millis: Option<i64>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) guard_error: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Notebook(Arc<Mutex<Vec<Note>>>);

impl Notebook {
    pub(crate) fn observer(&self) -> impl Fn(&Observation<'_>) + Send + Sync + 'static {
        let notes = Arc::clone(&self.0);
        move |seen| {
            notes.lock().unwrap().push(Note {
                outcome: seen.outcome,
                source: seen.source.map(str::to_owned),
                scheme: seen.scheme.map(str::to_owned),
                key_id: seen.key_id.map(str::to_owned),
                skew_millis: seen.skew_millis,
                method: seen.method.to_string(),
                path: seen.path.to_owned(),
                guard_error: seen.guard_error.map(ToString::to_string),
            });
        }
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.notes().iter().map(|note| note.outcome.code()).collect()
    }
}
