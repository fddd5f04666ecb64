use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use zeroize::Zeroizing;

use crate::handshake::text::{header_value, is_plain};
use crate::key::{Key, MIN_KEY_BYTES};
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::timestamp::UnixTime;

const HOOK_SECRET: HeaderName = HeaderName::from_static("x-hook-secret");

/// The registration of one Asana webhook: the only time at which its secret is taken.
///
/// Asana sends the secret once, in the header `X-Hook-Secret` of a `POST` to the URL, while the call that creates the
/// webhook is still waiting; the answer repeats the header. A receiver that takes a secret whenever one comes lets anyone
/// plant his own, and then sign with it. Here one is taken only between [`open`](Self::open) and its deadline, only at this
/// path, and only the first.
///
/// 1. [`open`](Self::open), then call Asana to create the webhook.
/// 2. [`take`](Self::take) the secret, store it, and only then send [`HookSecret::answer`]: it does not come again.
/// 3. Build the [`Verifier`](crate::Verifier) with [`HookSecret::to_key`].
///
/// Source: Asana/developer-docs, webhooks.
///
/// # Security
///
/// Who knows the path and hits the open window can still be first. Then the genuine secret is refused, and the call that
/// creates the webhook fails: discard what was taken when it does. Make paths that cannot be guessed, and deadlines short.
#[derive(Clone)]
pub struct AsanaRegistration {
    path: Arc<str>,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Pending { until: UnixTime },
    Taken { until: UnixTime },
}

impl AsanaRegistration {
    /// For the webhook whose URL has this path, compared byte for byte with what arrives (inside a nested router or behind
    /// a proxy, perhaps without a prefix). Closed.
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), state: Arc::new(Mutex::new(State::Closed)) }
    }

    /// Waits for a secret, until then. A secret that was taken before is forgotten here.
    pub fn open(&self, until: UnixTime) {
        *self.state() = State::Pending { until };
    }

    /// Waits no longer.
    pub fn close(&self) {
        *self.state() = State::Closed;
    }

    /// Waits again, with the same deadline, after a secret that was taken and could not be stored.
    pub fn give_back(&self) {
        let mut state = self.state();
        if let State::Taken { until } = *state {
            *state = State::Pending { until };
        }
    }

    /// The secret that this request brings, if it is the one that is waited for.
    ///
    /// # Errors
    ///
    /// [`Refusal::HandshakeRefused`] if nobody waits, it is too late, it is the second, or it is no secret.
    pub fn take(&self, request: RequestView<'_>, now: UnixTime) -> Result<Option<HookSecret>, Refusal> {
        let path = request.path_and_query.split_once('?').map_or(request.path_and_query, |(path, _)| path);
        if *request.method != Method::POST || path != &*self.path {
            return Ok(None);
        }
        let Some(text) = header_value(request.headers, HOOK_SECRET.as_str())? else { return Ok(None) };
        if text.len() < MIN_KEY_BYTES || !is_plain(text) {
            return Err(Refusal::HandshakeRefused);
        }
        let mut state = self.state();
        match *state {
            State::Pending { until } if now <= until => {
                *state = State::Taken { until };
                Ok(Some(HookSecret(Zeroizing::new(text.to_owned()))))
            }
            _ => Err(Refusal::HandshakeRefused),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AsanaRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsanaRegistration").field("path", &self.path).field("state", &*self.state()).finish()
    }
}

/// A secret that Asana sent. Not printable, and wiped when it is dropped.
pub struct HookSecret(Zeroizing<String>);

impl HookSecret {
    /// The text, to be stored where secrets are.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key to verify with.
    pub fn to_key(&self, id: impl Into<Arc<str>>) -> Key {
        Key::new(id, self.0.as_str())
    }

    /// The answer that Asana waits for. Send it when the secret is stored.
    #[must_use]
    pub fn answer(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        // Plain text is a header value.
        if let Ok(mut value) = HeaderValue::from_str(&self.0) {
            value.set_sensitive(true);
            response.headers_mut().insert(HOOK_SECRET, value);
        }
        response
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(..)")
    }
}
