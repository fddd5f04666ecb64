use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::replay::ReplayKey;
use crate::replay_guard::{Claim, ClaimToken, GuardError, GuardFuture, ReplayGuard};
use crate::timestamp::UnixTime;

/// How long a guard may take to answer: 5 s. A sender waits 5 to 30 s for the whole.
const GUARD_TIMEOUT: Duration = Duration::from_secs(5);

/// A key that is claimed, or may be. Dropping it gives the claim back: the delivery failed, and its retry is received anew.
pub(crate) struct Hold {
    guard: Arc<dyn ReplayGuard>,
    key: ReplayKey,
    token: ClaimToken,
    armed: bool,
}

/// What became of a claim.
pub(crate) enum Claimed {
    /// This request does the delivery.
    Ours(Hold),
    InProgress,
    Done,
}

impl Hold {
    /// Claims `key`. The hold exists before the guard is asked, so that a future that is dropped while the guard is at work
    /// gives back what it may have got.
    pub(crate) fn claim(
        guard: Arc<dyn ReplayGuard>,
        key: ReplayKey,
        now: UnixTime,
    ) -> GuardFuture<'static, Claimed> {
        Box::pin(async move {
            let mut hold = Self { guard, key, token: ClaimToken::unique(), armed: true };
            let claim = in_time(hold.guard.claim(&hold.key, hold.token, now)).await?;
            hold.armed = claim == Claim::Granted;
            Ok(match claim {
                Claim::Granted => Claimed::Ours(hold),
                Claim::InProgress => Claimed::InProgress,
                Claim::Done => Claimed::Done,
            })
        })
    }

    /// Records that the delivery was done. From here on the claim is not given back, whatever happens: the work was done.
    pub(crate) fn commit(mut self, now: UnixTime) -> GuardFuture<'static, ()> {
        self.armed = false;
        Box::pin(async move { in_time(self.guard.commit(&self.key, self.token, now)).await })
    }
}

async fn in_time<T>(
    asked: Pin<Box<dyn Future<Output = Result<T, GuardError>> + Send + '_>>,
) -> Result<T, GuardError> {
    timeout(GUARD_TIMEOUT, asked).await.unwrap_or(Err(GuardError::TimedOut))
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.armed {
            self.guard.release(&self.key, self.token);
        }
    }
}
