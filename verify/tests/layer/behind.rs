//! A service behind the layer that insists on tower's contract, and requests for it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hookproof::middleware::Source;
use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verified, Verifier, VerifyLayer, schemes};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
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

pub(crate) fn key() -> Key {
    Key::new("k1", "a secret of more than sixteen bytes")
}

pub(crate) fn layer() -> VerifyLayer {
    limited(1 << 20)
}

pub(crate) fn limited(body_limit: usize) -> VerifyLayer {
    on_time(VerifyLayer::new(verifier(body_limit)))
}

/// With a name, for what needs one.
pub(crate) fn named(name: &str) -> VerifyLayer {
    on_time(VerifyLayer::new(Source::new(name, verifier(1 << 20))))
}

pub(crate) fn on_time(layer: VerifyLayer) -> VerifyLayer {
    layer.clock(|| UnixTime::from_secs(NOW))
}

pub(crate) fn verifier(body_limit: usize) -> Verifier {
    Verifier::builder(schemes::stripe()).key(key()).body_limit(body_limit).build().unwrap()
}

/// The headers of a genuine delivery of [`BODY`].
pub(crate) fn headers() -> HeaderMap {
    signed_at(NOW)
}

pub(crate) fn signed_at(secs: u64) -> HeaderMap {
    signed(BODY, secs)
}

pub(crate) fn signed(body: &[u8], secs: u64) -> HeaderMap {
    let outgoing = Outgoing::new(body).timestamp(UnixTime::from_secs(secs));
    Signer::new(&schemes::stripe(), &key()).unwrap().sign(&outgoing).unwrap()
}

pub(crate) fn request<B>(headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::post("/in").body(body).unwrap();
    *request.headers_mut() = headers;
    request
}

/// A genuine delivery of [`BODY`].
pub(crate) fn genuine() -> Request<Full<Bytes>> {
    request(headers(), Full::new(Bytes::from_static(BODY)))
}

/// Status, reason, and all that the peer sees.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) async fn of<B: http_body::Body<Data = Bytes>>(response: Response<B>) -> Self
    where
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let refusal = parts.extensions.get().copied();
        Self { status: parts.status, refusal, headers: parts.headers, body }
    }
}
