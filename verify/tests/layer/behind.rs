//! A service behind the layer that insists on tower's contract, and requests for it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hookproof::{Key, Outgoing, Signer, UnixTime, Verified, Verifier, VerifyLayer, schemes};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use tower::Service;

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const BODY: &[u8] = br#"{"id":"evt_1"}"#;

/// Panics when it is called without having been polled ready; a clone is not ready. Answers with the verified body.
#[derive(Default)]
pub(crate) struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    pub(crate) fn calls(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.calls)
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false, calls: self.calls() }
    }
}

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.ready, "called without being polled ready");
        self.ready = false;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let proof = request.extensions().get::<Verified<Bytes>>().expect("a proof is in the extensions");
        ready(Ok(Response::new(Full::new(proof.body().clone()))))
    }
}

fn key() -> Key {
    Key::new("k1", "a secret of more than sixteen bytes")
}

pub(crate) fn layer() -> VerifyLayer {
    limited(1 << 20)
}

pub(crate) fn limited(body_limit: usize) -> VerifyLayer {
    let verifier = Verifier::builder(schemes::stripe()).key(key()).body_limit(body_limit).build().unwrap();
    VerifyLayer::new(verifier).clock(|| UnixTime::from_secs(NOW))
}

/// The headers of a genuine delivery of [`BODY`].
pub(crate) fn headers() -> HeaderMap {
    signed_at(NOW)
}

pub(crate) fn signed_at(secs: u64) -> HeaderMap {
    let outgoing = Outgoing::new(BODY).timestamp(UnixTime::from_secs(secs));
    Signer::new(&schemes::stripe(), &key()).unwrap().sign(&outgoing).unwrap()
}

pub(crate) fn request<B>(headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::post("/in").body(body).unwrap();
    *request.headers_mut() = headers;
    request
}
