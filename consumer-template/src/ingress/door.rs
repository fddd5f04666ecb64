//! The door of a source: the one way to a proof, for what comes now and for what is verified again.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Error as BadRequest, HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use bytes::Bytes;
use hookproof::{Refusal, UnixTime, Verified, VerifyLayer};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::inbox::{Head, Incoming, Quarantined};
use crate::source::Source;

/// What verifies the deliveries of `source`, and answers its challenges.
pub(crate) fn door(
    source: &Source,
    body_timeout: Duration,
    clock: impl Fn() -> UnixTime + Send + Sync + 'static,
) -> VerifyLayer {
    let door = VerifyLayer::new(source.verifier.clone()).body_timeout(body_timeout).clock(clock);
    match &source.handshake {
        Some(handshake) => door.handshake(handshake.clone()),
        None => door,
    }
}

/// What a request turned out to be that was refused before.
#[derive(Debug)]
pub enum Again {
    /// Genuine: the inbox may have it.
    Genuine(Box<Incoming>),
    /// A provider's challenge. It was for the moment in which it came.
    Challenge,
    /// Refused, as before or for another reason.
    Refused(Refusal),
}

/// Sends a request through the door of its source again, at the clock of its receipt: what was too old then is too old, and a
/// key counts if it was valid then.
///
/// # Errors
///
/// When the request cannot be put together: the database was edited.
pub async fn verify_again(source: &Source, quarantined: &Quarantined) -> Result<Again, BadRequest> {
    let received_at = quarantined.summary.received_at;
    let request = request(&quarantined.head, quarantined.body.clone())?;
    let headers = request.headers().clone();
    let proof = Arc::new(Mutex::new(None));
    let behind = Arc::clone(&proof);
    let behind = service_fn(move |mut request: Request<Body>| {
        let proof = request.extensions_mut().remove::<Verified<Bytes>>();
        *behind.lock().unwrap_or_else(PoisonError::into_inner) = proof;
        ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    // The body is here already, so no time passes.
    let door = door(source, Duration::from_secs(1), move || received_at).with_body().layer(behind);
    let answer = door.oneshot(request).await.unwrap_or_else(|never| match never {});
    if let Some(refusal) = answer.extensions().get::<Refusal>() {
        return Ok(Again::Refused(*refusal));
    }
    let proof = proof.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(proof.map_or(Again::Challenge, |proof| {
        let facts = source.facts(&proof, &headers);
        Again::Genuine(Box::new(Incoming::new(Arc::clone(&source.name), proof, facts, received_at)))
    }))
}

fn request(head: &Head, body: Bytes) -> Result<Request<Body>, BadRequest> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::from_bytes(head.method.as_bytes())?;
    *request.uri_mut() = head.target.parse::<Uri>()?;
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_bytes(value)?);
    }
    *request.headers_mut() = headers;
    Ok(request)
}
