use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use crate::middleware::challenge::Handshake;
use crate::middleware::observation::Observation;
use crate::middleware::refused::RefusedRequest;
use crate::middleware::response::refusal_response;
use crate::middleware::source::Sources;
use crate::refusal::Refusal;
use crate::replay_guard::ReplayGuard;
use crate::timestamp::UnixTime;

/// How long a body may take to arrive, unless said: 10 s.
const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;
type Observer = Arc<dyn Fn(&Observation<'_>) + Send + Sync>;
type Keeper = Arc<dyn Fn(RefusedRequest<'_>) + Send + Sync>;

/// What a layer was told. Shared by all its services.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) sources: Sources,
    pub(crate) methods: Vec<Method>,
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) handshakes: Vec<Handshake>,
    pub(crate) guard: Option<Arc<dyn ReplayGuard>>,
    pub(crate) replays_refused: bool,
    pub(crate) observer: Option<Observer>,
    pub(crate) keeper: Option<Keeper>,
}

impl Settings {
    pub(crate) fn new(sources: Sources, clock: Clock) -> Self {
        Self {
            sources,
            methods: vec![Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::GET],
            body_timeout: DEFAULT_BODY_TIMEOUT,
            clock,
            handshakes: Vec::new(),
            guard: None,
            replays_refused: false,
            observer: None,
            keeper: None,
        }
    }

    pub(crate) fn now(&self) -> UnixTime {
        (self.clock)()
    }

    pub(crate) fn observe(&self, observation: &Observation<'_>) {
        if let Some(observer) = &self.observer {
            observer(observation);
        }
    }

    /// Hands a refused request over, if somebody keeps them.
    pub(crate) fn keep<'a>(&self, refused: impl FnOnce() -> RefusedRequest<'a>) {
        if let Some(keeper) = &self.keeper {
            keeper(refused());
        }
    }

    pub(crate) fn answer_to(&self, refusal: Refusal) -> Response<Bytes> {
        let refused = refusal == Refusal::Replayed && self.replays_refused;
        refusal_response(refusal, if refused { StatusCode::UNAUTHORIZED } else { refusal.status() })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("sources", &self.sources)
            .field("methods", &self.methods)
            .field("body_timeout", &self.body_timeout)
            .field("handshakes", &self.handshakes)
            .field("guarded", &self.guard.is_some())
            .field("replays_refused", &self.replays_refused)
            .finish_non_exhaustive()
    }
}
