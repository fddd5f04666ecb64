use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use tower_layer::Layer;

use crate::middleware::service::VerifyService;
use crate::timestamp::UnixTime;
use crate::verifier::Verifier;

/// How long a body may take to arrive, unless said: 10 s.
pub(super) const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(10);

type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// Verifies every request before the service behind it sees it. See the [module page](crate::middleware) for what it refuses.
///
/// `B` is the body type of the request that is handed on: [`Full<Bytes>`], which every axum router takes. Use
/// [`with_body`](Self::with_body) where the next layer insists on another, such as `axum::middleware::from_fn`.
pub struct VerifyLayer<B = Full<Bytes>> {
    pub(crate) settings: Settings,
    body: PhantomData<fn() -> B>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) verifier: Verifier,
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Clock,
}

impl VerifyLayer {
    /// A layer with `verifier`, the system's clock and ten seconds for a body to arrive.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        let clock: Clock = Arc::new(system_clock);
        Self { settings: Settings { verifier, body_timeout: DEFAULT_BODY_TIMEOUT, clock }, body: PhantomData }
    }
}

impl<B> VerifyLayer<B> {
    /// How long the whole body may take to arrive; 10 s unless given. Needs a tokio runtime with time enabled.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.settings.body_timeout = timeout;
        self
    }

    /// Takes the time from `clock` instead of the system. For tests, and for services with a clock of their own.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Hands the request on with a body of type `C`.
    #[must_use]
    pub fn with_body<C: From<Bytes>>(self) -> VerifyLayer<C> {
        VerifyLayer { settings: self.settings, body: PhantomData }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the layer is an edge: the one place in this crate that reads a clock"
)]
fn system_clock() -> UnixTime {
    SystemTime::now().into()
}

impl<S, B> Layer<S> for VerifyLayer<B> {
    type Service = VerifyService<S, B>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyService::new(inner, self.settings.clone())
    }
}

impl<B> Clone for VerifyLayer<B> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), body: PhantomData }
    }
}

impl<B> fmt::Debug for VerifyLayer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("verifier", &self.verifier)
            .field("body_timeout", &self.body_timeout)
            .finish_non_exhaustive()
    }
}
