//! The replay guard: memory of what was done, for services without an inbox.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::fmt;
use std::hash::BuildHasher as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::config_error::ConfigError;
use crate::replay::ReplayKey;
use crate::scheme::{Freshness, Scheme};
use crate::scheme_builder::LONGEST_HORIZON;
use crate::timestamp::UnixTime;

/// What the methods of a [`ReplayGuard`] return: `Box::pin(async move { .. })`.
pub type GuardFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, GuardError>> + Send + 'a>>;

/// Remembers which deliveries are at work and which are done, for services without an inbox.
///
/// # When one is needed
///
/// | [`Freshness`] | without a guard | with one |
/// |---|---|---|
/// | [`SignedTimestamp`](Freshness::SignedTimestamp) | replays pass for as long as the window is wide, and a retry whose first answer was lost is done again | once |
/// | [`EventTime`](Freshness::EventTime) | replays pass for the retry horizon: days; for ever, where the scheme does not insist on the time and it is absent | once within the retention |
/// | [`None`](Freshness::None) | replays pass for ever | once within the retention; a replay after it passes |
///
/// # What it must remember, and for how long
///
/// What can still come again must still be known. That is the provider's [`retry_horizon`](Scheme::retry_horizon) (72 h,
/// the longest that any provider publishes, where it is unknown) or the whole width of the window, whichever is longer:
/// [`required_retention`]. For [`Freshness::None`] nothing but the guard stops a replay: choose the retention as long as
/// a replay would do harm.
///
/// # Claim, then commit or release
///
/// A key that is recorded before the work turns a failed delivery into a lost one, and a key that is recorded after it lets
/// two copies through at once. So a delivery claims its key, and when it is done it commits; a delivery that failed, in
/// whatever way, releases, and its retry is received anew. While a key is claimed, the other copy is told to come again.
///
/// A guard that cannot answer is an error, never "done before" and never "new": the sender is told to come again.
///
/// # To write one
///
/// [`MemoryReplayGuard`](crate::MemoryReplayGuard) is one for a single process. Over a database, `claim` is one
/// `INSERT .. ON CONFLICT`: a look before an insert lets two copies through.
///
/// # Contract
///
/// - At most one token holds a key at a time. `commit` and `release` with another token change nothing.
/// - A done key stays known for [`retention`](Self::retention), also across steps of the clock.
/// - What cannot be remembered for want of room is refused with [`GuardError::Full`]. Nothing that may still come again is
///   forgotten to make room.
/// - Where claims outlive the process, each ends by itself after some time, longer than the service takes: a process can
///   die, and a future can be dropped at any `await`, with its statement on the way.
pub trait ReplayGuard: Send + Sync {
    /// For how long a done key is known.
    fn retention(&self) -> Duration;

    /// Claims `key` for `token`, unless it is claimed or done.
    ///
    /// The caller chooses the token, so that it can release what it claimed without having seen the answer.
    ///
    /// # Errors
    ///
    /// [`GuardError`] if that cannot be said now.
    fn claim<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, Claim>;

    /// Turns the claim into "done", as of `now`.
    ///
    /// # Errors
    ///
    /// [`GuardError::ClaimLost`] if `token` does not hold the key; another if it cannot be recorded now.
    fn commit<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, ()>;

    /// Gives the claim back, if `token` holds it. Called while a future is being dropped, perhaps by a panic: it must not
    /// block or panic. A guard over a network hands this to a task, and the claim ends by itself should that fail.
    fn release(&self, key: &ReplayKey, token: ClaimToken);
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new, and now held.
    Granted,
    /// Another token holds it.
    InProgress,
    /// It was committed, and its retention has not passed.
    Done,
}

/// Why a guard could not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// Full of what must not be forgotten yet. Raise the capacity, or find out who sends so much.
    #[error("the replay guard is full of live entries")]
    Full,
    /// The claim that should be committed is no longer held.
    #[error("the claim was lost before it was committed")]
    ClaimLost,
    /// No answer in time.
    #[error("the replay guard did not answer in time")]
    TimedOut,
    /// Whatever the guard stands on failed.
    #[error("the replay guard failed")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
}

/// Who holds a claim: 16 bytes, different for every call of [`unique`](Self::unique) on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimToken([u8; 16]);

impl ClaimToken {
    /// A new token.
    #[must_use]
    pub fn unique() -> Self {
        // The standard library seeds its hashers at random: enough to tell processes apart, which is all that is asked.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(((u128::from(*PROCESS) << 64) | u128::from(number)).to_be_bytes())
    }

    /// The token, to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimToken({:032x})", u128::from_be_bytes(self.0))
    }
}

impl<T: ReplayGuard + ?Sized> ReplayGuard for Arc<T> {
    fn retention(&self) -> Duration {
        (**self).retention()
    }

    fn claim<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, Claim> {
        (**self).claim(key, token, now)
    }

    fn commit<'a>(&'a self, key: &'a ReplayKey, token: ClaimToken, now: UnixTime) -> GuardFuture<'a, ()> {
        (**self).commit(key, token, now)
    }

    fn release(&self, key: &ReplayKey, token: ClaimToken) {
        (**self).release(key, token);
    }
}

/// For how long a done delivery of `scheme` must be remembered at the least: the provider's retry horizon (72 h where it
/// is unknown) or the width of the window, the longer of the two. Take the scheme from
/// [`Verifier::scheme`](crate::Verifier::scheme), with the window that applies.
///
/// ```
/// use std::time::Duration;
///
/// // Slack re-sends for two hours, and its window is twice five minutes wide.
/// assert_eq!(hookproof::required_retention(&hookproof::schemes::slack()), Duration::from_secs(2 * 3600));
/// ```
#[must_use]
pub fn required_retention(scheme: &Scheme) -> Duration {
    let horizon = scheme.retry_horizon().unwrap_or(LONGEST_HORIZON);
    match scheme.freshness() {
        // Stamped at the far edge of the future, and replayed at the far edge of the past.
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => {
            horizon.max(window.past + window.future)
        }
        Freshness::None => horizon,
    }
}

/// Whether a guard with this retention suits `scheme`. For those who load sources while they run; the layer asks for
/// itself.
///
/// # Errors
///
/// [`ConfigError::GuardRetention`] with both durations, or [`ConfigError::NoIdentity`] for a provider whose equal bodies
/// are different events.
pub fn check_retention(source: &str, scheme: &Scheme, retention: Duration) -> Result<(), ConfigError> {
    if scheme.name() == "dropbox" {
        // Its notifications say who, not what: the second one is no replay of the first.
        return Err(ConfigError::NoIdentity { scheme: scheme.name().to_owned() });
    }
    let required = required_retention(scheme);
    if retention < required {
        return Err(ConfigError::GuardRetention { name: source.to_owned(), given: retention, required });
    }
    Ok(())
}
