//! Tower's contract: the service that was polled ready is the one that is called, and what it reserved is given back.

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::behind::{BODY, Strict, headers, layer, named, request};
use crate::bodies::{Scripted, Step};
use crate::guards::{Habit, Moody};
use bytes::Bytes;
use hookproof::Refusal;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::{Layer as _, Service, ServiceExt as _};

fn genuine() -> Request<Scripted> {
    request(headers(), Scripted::new([Step::Data(BODY)]))
}

fn stalled() -> Request<Scripted> {
    request(headers(), Scripted::new([Step::Data(&BODY[..3]), Step::Stall]))
}

/// Whether the service is ready now.
async fn is_ready<S: Service<Request<Scripted>>>(service: &mut S) -> bool {
    poll_fn(|cx| Poll::Ready(service.poll_ready(cx).is_ready())).await
}

/// Sends good and bad requests one after the other, each after asking for readiness.
async fn exercise<S, B>(mut service: S)
where
    S: Service<Request<Scripted>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
{
    for round in 0..3 {
        let good = service.ready().await.unwrap().call(genuine()).await.unwrap();
        assert_eq!(good.status(), StatusCode::OK, "round {round}");
        let unsigned = request(HeaderMap::new(), Scripted::new([Step::Data(BODY)]));
        let bad = service.ready().await.unwrap().call(unsigned).await.unwrap();
        assert_eq!(bad.status(), StatusCode::UNAUTHORIZED, "round {round}");
    }
}

#[tokio::test]
async fn a_service_that_insists() {
    exercise(layer().layer(Strict::default())).await;
}

#[tokio::test]
async fn concurrency_limit() {
    exercise(layer().layer(ConcurrencyLimit::new(Strict::default(), 1))).await;
}

#[tokio::test]
async fn buffer() {
    exercise(layer().layer(Buffer::new(Strict::default(), 1))).await;
}

/// `LoadShed` answers "overloaded" when it is called without having been polled ready.
#[tokio::test]
async fn load_shed() {
    exercise(layer().layer(LoadShed::new(ConcurrencyLimit::new(Strict::default(), 1)))).await;
}

/// While a body arrives its place is taken; refused, dropped or answered, it is free again.
#[tokio::test]
async fn a_place_is_held_while_the_body_arrives_and_then_given_back() {
    let mut service = layer().layer(ConcurrencyLimit::new(Strict::default(), 1));
    let mut other = service.clone();
    assert!(is_ready(&mut service).await);
    let reading = service.call(stalled());
    assert!(!is_ready(&mut other).await, "the only place is taken");
    drop(reading);
    assert!(is_ready(&mut other).await, "dropped");
    other.call(genuine()).await.unwrap();
    assert!(is_ready(&mut service).await, "answered");
    let mut refused = Box::pin(service.call(request(HeaderMap::new(), Scripted::new([]))));
    assert!(crate::polled_once(refused.as_mut()).await.is_ready());
    assert!(is_ready(&mut other).await, "refused by its headers, it holds no place");
    drop(refused);
}

/// What a replay guard answers without the service holds no place, and what waits for the guard does.
#[tokio::test]
async fn a_place_is_given_back_by_a_replay_too() {
    let guard = Moody::new(Habit::Dawdles, Habit::Dawdles);
    let guarded = named("in").replay_guard(guard).unwrap();
    exercise(guarded.layer(Strict::default())).await;
    let mut service = guarded.layer(ConcurrencyLimit::new(Strict::default(), 1));
    let mut other = service.clone();
    assert!(is_ready(&mut service).await);
    let mut replay = Box::pin(service.call(genuine()));
    assert!(crate::polled_once(replay.as_mut()).await.is_pending());
    assert!(!is_ready(&mut other).await, "the guard is being asked");
    assert_eq!(replay.await.unwrap().extensions().get(), Some(&Refusal::Replayed));
    assert!(is_ready(&mut other).await, "answered");
}

/// The control: a layer that calls the clone, as is easily written, is caught by the services above.
#[derive(Clone)]
struct CallsTheClone<S>(S);

impl<S: Service<Request<Full<Bytes>>> + Clone> Service<Request<Scripted>> for CallsTheClone<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Scripted>) -> S::Future {
        self.0.clone().call(request.map(|_| Full::from(BODY)))
    }
}

#[tokio::test]
#[should_panic(expected = "called without being polled ready")]
async fn calling_the_clone_is_caught() {
    exercise(CallsTheClone(Strict::default())).await;
}

#[tokio::test]
async fn calling_the_clone_is_caught_by_load_shed() {
    let mut service = CallsTheClone(LoadShed::new(ConcurrencyLimit::new(Strict::default(), 1)));
    let error = service.ready().await.unwrap().call(genuine()).await.unwrap_err();
    assert!(error.is::<tower::load_shed::error::Overloaded>(), "{error}");
}
