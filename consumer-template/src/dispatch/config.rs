//! The limits of dispatch.

use std::time::Duration;

use crate::retry::RetryPolicy;

/// How handlers are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispatchConfig {
    /// Handlers that run at the same time. At least 1.
    pub concurrency: usize,
    /// How long an event belongs to a worker that has stopped responding. Must be longer than [`Self::handler_timeout`].
    pub lease: Duration,
    /// How long an outside handler may run.
    pub handler_timeout: Duration,
    /// How long a handler may hold the database's transaction. Nothing is accepted meanwhile, so this is short.
    pub transaction_timeout: Duration,
    /// When to try again and when to give up.
    pub retry: RetryPolicy,
    /// How often to look for work that nobody announced: what an operator replays from another process.
    pub poll: Duration,
    /// How long running handlers may take to finish when the service stops.
    pub drain: Duration,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            concurrency: 16,
            lease: Duration::from_secs(60),
            handler_timeout: Duration::from_secs(30),
            transaction_timeout: Duration::from_secs(2),
            retry: RetryPolicy::default(),
            poll: Duration::from_secs(1),
            drain: Duration::from_secs(25),
        }
    }
}
