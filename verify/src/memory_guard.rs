//! A replay guard in memory.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config_error::ConfigError;
use crate::replay::ReplayKey;
use crate::replay_guard::{Claim, ClaimToken, GuardError, GuardFuture, ReplayGuard};
use crate::timestamp::{UnixTime, millis};

/// Remembers in memory, for one process and until it ends.
///
/// It holds at most `capacity` keys, at work and done, less than 200 bytes each. When all of them are live, a new
/// key is refused with [`GuardError::Full`]: it never forgets early. Reckon with the deliveries that come in one retention.
///
/// It is told the time, and reads no clock. A clock that is set back makes it remember longer, by as much but at most by
/// one retention more; while a clock runs ahead it forgets earlier, by as much.
///
/// # Security
///
/// A restart forgets everything, and a second process knows nothing of the first. Where a replay does harm, use a guard
/// over a database, or an inbox.
///
/// ```
/// use std::time::Duration;
/// use hookproof::{Key, MemoryReplayGuard, Verifier, schemes};
/// # #[cfg(feature = "tower")]
/// use hookproof::{VerifyLayer, middleware::Source};
///
/// # fn main() -> Result<(), hookproof::ConfigError> {
/// let verifier = Verifier::builder(schemes::github()).key(Key::new("2026-11", "at least sixteen bytes")).build()?;
/// let a_week = Duration::from_secs(7 * 24 * 3600);
/// let guard = MemoryReplayGuard::new(a_week, 100_000)?;
/// # #[cfg(feature = "tower")]
/// let layer = VerifyLayer::new(Source::new("github-main", verifier)).replay_guard(guard)?;
/// # Ok(())
/// # }
/// ```
pub struct MemoryReplayGuard {
    retention: Duration,
    capacity: usize,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    keys: HashMap<ReplayKey, Standing>,
    /// Done keys and when, in milliseconds of `latest`; the oldest first.
    done: VecDeque<(u64, ReplayKey)>,
    /// The latest moment seen, in milliseconds. It never goes back.
    latest: u64,
    /// What is added to the clock's milliseconds, since it was found to have been far ahead.
    set_back: u64,
}

enum Standing {
    Claimed(ClaimToken),
    Done,
}

impl MemoryReplayGuard {
    /// A guard that knows a done key for `retention`, and has room for `capacity` keys.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyGuard`] if one of them is zero.
    pub fn new(retention: Duration, capacity: usize) -> Result<Self, ConfigError> {
        if retention.is_zero() {
            let remedy = "give the provider's retry horizon or more";
            return Err(ConfigError::EmptyGuard { field: "retention", remedy });
        }
        if capacity == 0 {
            let remedy = "give the number of deliveries in one retention, and some more";
            return Err(ConfigError::EmptyGuard { field: "capacity", remedy });
        }
        Ok(Self { retention, capacity, memory: Mutex::default() })
    }

    /// How many keys it holds, at work and done, as of the last claim or commit.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory().keys.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_now(&self, key: &ReplayKey, token: ClaimToken, now: UnixTime) -> Result<Claim, GuardError> {
        let mut memory = self.memory();
        memory.advance(now, self.retention);
        match memory.keys.get(key) {
            Some(Standing::Done) => Ok(Claim::Done),
            Some(Standing::Claimed(_)) => Ok(Claim::InProgress),
            None if memory.keys.len() >= self.capacity => Err(GuardError::Full),
            None => {
                memory.keys.insert(*key, Standing::Claimed(token));
                Ok(Claim::Granted)
            }
        }
    }

    fn commit_now(&self, key: &ReplayKey, token: ClaimToken, now: UnixTime) -> Result<(), GuardError> {
        let mut memory = self.memory();
        memory.advance(now, self.retention);
        if !memory.holds(key, token) {
            return Err(GuardError::ClaimLost);
        }
        let at = memory.latest;
        memory.keys.insert(*key, Standing::Done);
        memory.done.push_back((at, *key));
        Ok(())
    }
}

impl Memory {
    /// Takes note of the time, and forgets what is older than `retention`.
    fn advance(&mut self, now: UnixTime, retention: Duration) {
        let retention = millis(retention);
        let now = now.as_millis().saturating_add(self.set_back);
        // Requests overtake one another, so a moment before the latest is usual and changes nothing. One that is a whole
        // retention before it was told by a clock that had been wrong: time goes on from there, or what was done while it
        // was wrong would stay until it is that late again.
        let behind = self.latest.saturating_sub(now);
        if behind > retention {
            self.set_back = self.set_back.saturating_add(behind);
        }
        self.latest = self.latest.max(now);
        while let Some((at, key)) = self.done.front()
            && self.latest - at > retention
        {
            self.keys.remove(key);
            self.done.pop_front();
        }
    }

    fn holds(&self, key: &ReplayKey, token: ClaimToken) -> bool {
        matches!(self.keys.get(key), Some(Standing::Claimed(held)) if *held == token)
    }
}

impl ReplayGuard for MemoryReplayGuard {
    fn retention(&self) -> Duration {
        self.retention
    }

    fn claim<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, Claim> {
        Box::pin(async move { self.claim_now(key, token, now) })
    }

    fn commit<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, ()> {
        Box::pin(async move { self.commit_now(key, token, now) })
    }

    fn release(&self, key: &ReplayKey, token: ClaimToken) {
        let mut memory = self.memory();
        if memory.holds(key, token) {
            memory.keys.remove(key);
        }
    }
}

impl fmt::Debug for MemoryReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayGuard")
            .field("retention", &self.retention)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
