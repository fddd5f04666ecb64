use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use crate::middleware::response::{ResponseBody, refusal_response};
use crate::pending::Pending;
use crate::refusal::Refusal;

/// How many frames are taken at a time, before the timer and other tasks have their turn: frames that are always there,
/// empty ones even, must not keep a thread for themselves.
const FRAMES_PER_TURN: usize = 64;

pin_project! {
    /// Receives and verifies the body, then calls the service behind the layer.
    pub struct ResponseFuture<S, B, ReqBody>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, ReqBody>,
        next_body: std::marker::PhantomData<fn() -> B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F, ReqBody> {
        Reading {
            reader: Option<Reader<S>>,
            #[pin]
            body: ReqBody,
            #[pin]
            deadline: Sleep,
        },
        Calling { #[pin] future: F },
        Refused { refusal: Option<Refusal> },
    }
}

/// What is kept while the body arrives.
struct Reader<S> {
    service: S,
    parts: Parts,
    pending: Pending,
}

impl<S, B, ReqBody> ResponseFuture<S, B, ReqBody>
where
    S: Service<Request<B>>,
{
    pub(crate) fn reading(
        service: S,
        parts: Parts,
        body: ReqBody,
        pending: Pending,
        timeout: Duration,
    ) -> Self {
        let reader = Some(Reader { service, parts, pending });
        Self {
            state: State::Reading { reader, body, deadline: sleep(timeout) },
            next_body: std::marker::PhantomData,
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { state: State::Refused { refusal: Some(refusal) }, next_body: std::marker::PhantomData }
    }
}

impl<S, B, ReqBody, ResBody> Future for ResponseFuture<S, B, ReqBody>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: From<Bytes>,
    ReqBody: Body,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Reading { reader, body, deadline } => {
                    let outcome = match poll_body(reader, body, cx) {
                        Poll::Ready(outcome) => outcome,
                        Poll::Pending => {
                            ready!(deadline.poll(cx));
                            Err(Refusal::BodyTimeout)
                        }
                    };
                    // The reader is taken once: the state changes right below.
                    match (outcome, reader.take()) {
                        (Ok(()), Some(reader)) => hand_on(reader),
                        (Err(refusal), _) => State::Refused { refusal: Some(refusal) },
                        (Ok(()), None) => State::Refused { refusal: None },
                    }
                }
                StateProj::Calling { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProj::Refused { refusal } => {
                    let refusal = refusal.take().expect("not polled after it was ready");
                    return Poll::Ready(Ok(refusal_response(refusal)));
                }
            };
            this.state.set(next);
        }
    }
}

/// Feeds what has arrived to the verifier; ready when the body is complete or condemned.
fn poll_body<S, ReqBody: Body>(
    reader: &mut Option<Reader<S>>,
    mut body: Pin<&mut ReqBody>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Refusal>> {
    let Some(Reader { pending, .. }) = reader else { return Poll::Ready(Err(Refusal::BodyIncomplete)) };
    for _ in 0..FRAMES_PER_TURN {
        match ready!(body.as_mut().poll_frame(cx)) {
            None => return Poll::Ready(Ok(())),
            Some(Err(_)) => return Poll::Ready(Err(Refusal::BodyIncomplete)),
            Some(Ok(frame)) => {
                // What is no data is a trailer, and counts for nothing.
                let Ok(mut data) = frame.into_data() else { continue };
                while data.has_remaining() {
                    let piece = data.chunk();
                    let length = piece.len();
                    if let Err(refusal) = pending.update(piece) {
                        return Poll::Ready(Err(refusal));
                    }
                    data.advance(length);
                }
            }
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// The verdict, and if it is good the call of the service behind.
fn hand_on<S, B, ReqBody>(reader: Reader<S>) -> State<S, S::Future, ReqBody>
where
    S: Service<Request<B>>,
    B: From<Bytes>,
{
    let Reader { mut service, mut parts, pending } = reader;
    match pending.finish() {
        Err(refusal) => State::Refused { refusal: Some(refusal) },
        Ok(proof) => {
            let body = B::from(proof.body().clone());
            parts.extensions.insert(proof);
            State::Calling { future: service.call(Request::from_parts(parts, body)) }
        }
    }
}

impl<S: Service<Request<B>>, B, ReqBody> fmt::Debug for ResponseFuture<S, B, ReqBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
