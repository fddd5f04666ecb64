use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use http_body_util::Full;
use tower_layer::Layer;

use crate::config_error::ConfigError;
use crate::middleware::challenge::Handshake;
use crate::middleware::observation::Observation;
use crate::middleware::refused::RefusedRequest;
use crate::middleware::service::VerifyService;
use crate::middleware::settings::Settings;
use crate::middleware::source::{Source, Sources};
use crate::replay_guard::ReplayGuard;
use crate::timestamp::UnixTime;
use crate::verifier::Verifier;

/// Verifies every request before the service behind it sees it. See the [module page](crate::middleware) for what it refuses.
///
/// `B` is the body type of the request that is handed on: [`Full<Bytes>`], which every axum router takes. Use
/// [`with_body`](Self::with_body) where the next layer insists on another, such as `axum::middleware::from_fn`.
pub struct VerifyLayer<B = Full<Bytes>> {
    settings: Arc<Settings>,
    body: PhantomData<fn() -> B>,
}

impl VerifyLayer {
    /// A layer for one source, with the system's clock and ten seconds for a body to arrive. A [`Verifier`] alone will do
    /// where neither a replay guard nor an observer needs the source's name.
    #[must_use]
    pub fn new(source: impl Into<Source>) -> Self {
        Self::with_sources(Sources::Fixed(source.into()))
    }

    /// A layer that asks `choose` for the source of each request, by its path or a header: for many tenants.
    ///
    /// A request for which it finds none is verified by `decoy` and then refused with
    /// [`UnknownSource`](crate::Refusal::UnknownSource), whatever the verdict. The caller sees the same bytes as after a bad
    /// signature, and the body is received just as well. Give the decoy the scheme, the number of keys and the body limit
    /// that your tenants have; its keys may be anything, for it lets nobody in.
    ///
    /// `choose` runs before the body is read and must not block: keep the sources in memory.
    ///
    /// # Security
    ///
    /// What a tenant sends must not choose the tenant by anything but path and host, unless each tenant's keys are its own:
    /// then a request that names another tenant is a bad signature. [`KeyRing::shared_with`](crate::KeyRing::shared_with)
    /// finds shared ones.
    ///
    /// How long an answer takes still differs by what `choose` does for a hit and a miss, and by the number and kind of a
    /// tenant's keys. Where even the names of tenants are secret, make paths that cannot be guessed.
    #[must_use]
    pub fn choosing(
        decoy: Verifier,
        choose: impl Fn(&Parts) -> Option<Source> + Send + Sync + 'static,
    ) -> Self {
        Self::with_sources(Sources::Chosen { choose: Arc::new(choose), decoy: decoy.into() })
    }

    fn with_sources(sources: Sources) -> Self {
        Self { settings: Arc::new(Settings::new(sources, Arc::new(system_clock))), body: PhantomData }
    }
}

impl<B> VerifyLayer<B> {
    /// How long the whole body may take to arrive; 10 s unless given. Needs a tokio runtime with time enabled.
    #[must_use]
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.change().body_timeout = timeout;
        self
    }

    /// Takes the time from `clock` instead of the system. For tests, and for services with a clock of their own.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        self.change().clock = Arc::new(clock);
        self
    }

    /// The methods with which deliveries come. Unless given: `POST`, `PUT`, `PATCH`, `DELETE` and `GET`, which some
    /// providers let their users choose. Any other is refused, with the same 401 as everything else, unless a
    /// [handshake](Self::handshake) answers it: a signed `HEAD` would run a `GET` handler and throw away its answer, and
    /// no provider delivers by `OPTIONS`.
    ///
    /// # Security
    ///
    /// Hardly any scheme signs the method: whoever replays a delivery can send it with another. Where the service behind
    /// does different things for different methods, name the one that the provider uses.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.change().methods = methods.into_iter().collect();
        self
    }

    /// Answers a provider's challenge: an unsigned one before anything else is looked at, a signed one when its signature
    /// holds and before the replay guard is asked. Challenges never reach the service behind. Several may be given; each
    /// holds for every path and tenant that the layer stands before.
    #[must_use]
    pub fn handshake(mut self, handshake: Handshake) -> Self {
        self.change().handshakes.push(handshake);
        self
    }

    /// Lets each delivery through once, as far as `guard` remembers. See [`ReplayGuard`] for when one is needed.
    ///
    /// A delivery claims its replay key after verification. If the service answers 2xx the key is recorded; if it answers
    /// anything else, fails, panics, or is dropped because the sender left, the key is given back and the retry is
    /// received anew. So a service behind a guard answers 2xx for what it has done, and for nothing else.
    ///
    /// A delivery that was done is answered 200 without asking the service: a sender that lost the answer must stop
    /// sending. One that is at work elsewhere is answered 503 with `Retry-After`, and so is any while the guard is full,
    /// fails, or does not answer within 5 s.
    ///
    /// Where the provider signs an event id, that id is the event: the same id with another body counts as done.
    ///
    /// # Errors
    ///
    /// [`ConfigError::GuardRetention`] if the guard forgets before the last retry or replay can come,
    /// [`ConfigError::SourceUnnamed`] for a layer from a bare [`Verifier`], [`ConfigError::NoIdentity`] for a provider
    /// whose equal bodies are different events. A layer that [chooses](Self::choosing) its source can know this only when
    /// the request is there, and answers 503 then: ask [`check_retention`](crate::check_retention) when you load a source.
    pub fn replay_guard(mut self, guard: impl ReplayGuard + 'static) -> Result<Self, ConfigError> {
        if let Sources::Fixed(source) = &self.settings.sources {
            source.check_guard(guard.retention())?;
        }
        self.change().guard = Some(Arc::new(guard));
        Ok(self)
    }

    /// Answers a replay like every other refusal, with 401, instead of 200. Then a provider that lost the first answer goes
    /// on sending, and may switch the endpoint off.
    #[must_use]
    pub fn refuse_replays(mut self) -> Self {
        self.change().replays_refused = true;
        self
    }

    /// Tells `observer` what was decided about each request. It runs on the request's way: count, log, and return.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&Observation<'_>) + Send + Sync + 'static) -> Self {
        self.change().observer = Some(Arc::new(observer));
        self
    }

    /// Hands each refused request to `keep`, together with its body where all of that had been received. It runs on the
    /// request's way: put it aside, and return.
    ///
    /// A wrong key then costs no deliveries: what was kept can be verified later, against the clock of its receipt.
    /// Nothing is received for the sake of `keep`, and without one every body is let go as soon as it is refused. The
    /// answer is the same.
    #[must_use]
    pub fn refused(mut self, keep: impl Fn(RefusedRequest<'_>) + Send + Sync + 'static) -> Self {
        self.change().keeper = Some(Arc::new(keep));
        self
    }

    /// Hands the request on with a body of type `C`.
    #[must_use]
    pub fn with_body<C: From<Bytes>>(self) -> VerifyLayer<C> {
        VerifyLayer { settings: self.settings, body: PhantomData }
    }

    fn change(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
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
        VerifyService::new(inner, Arc::clone(&self.settings))
    }
}

impl<B> Clone for VerifyLayer<B> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), body: PhantomData }
    }
}

impl<B> fmt::Debug for VerifyLayer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
