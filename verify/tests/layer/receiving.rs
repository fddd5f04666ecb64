//! What the tower layer lets through, what it refuses, and what it reads of a body on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::behind::{BODY, NOW, Strict, headers, layer, limited, request, signed_at};
use crate::bodies::{Scripted, Step};
use bytes::Bytes;
use hookproof::{Refusal, VerifyLayer};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, Service, ServiceExt as _};

fn whole() -> Full<Bytes> {
    Full::new(Bytes::from_static(BODY))
}

/// Status, reason, and how often the service behind was called.
struct Answer {
    status: StatusCode,
    refusal: Option<Refusal>,
    calls: usize,
    /// Everything that the peer sees beside the status.
    seen: (HeaderMap, Bytes),
}

async fn answer<B>(layer: VerifyLayer, headers: HeaderMap, body: B) -> Answer
where
    B: http_body::Body,
{
    let strict = Strict::default();
    let calls = strict.calls();
    let response = layer.layer(strict).oneshot(request(headers, body));
    let hour = Duration::from_secs(3600);
    let response = tokio::time::timeout(hour, response).await.expect("nothing ends the waiting").unwrap();
    let (status, refusal) = (response.status(), response.extensions().get::<Refusal>().copied());
    let seen = (response.headers().clone(), collected(response).await);
    Answer { status, refusal, calls: calls.load(Ordering::Relaxed), seen }
}

async fn collected<B: http_body::Body<Data = Bytes>>(response: Response<B>) -> Bytes
where
    B::Error: std::fmt::Debug,
{
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn refused<B: http_body::Body>(layer: VerifyLayer, headers: HeaderMap, body: B) -> Refusal {
    let answer = answer(layer, headers, body).await;
    let refusal = answer.refusal.expect("the refusal is in the extensions");
    assert_eq!(answer.status, refusal.status(), "{refusal}");
    assert_eq!(answer.calls, 0, "{refusal}: the service behind was called");
    refusal
}

fn asked(polled: &Arc<AtomicUsize>) -> usize {
    polled.load(Ordering::Relaxed)
}

/// Headers with one more, or a changed one.
fn with(name: header::HeaderName, value: &'static str) -> HeaderMap {
    let mut headers = headers();
    headers.append(name, HeaderValue::from_static(value));
    headers
}

#[tokio::test]
async fn a_genuine_delivery_reaches_the_service_with_its_proof() {
    let answer = answer(layer(), headers(), whole()).await;
    assert_eq!((answer.status, answer.refusal, answer.calls), (StatusCode::OK, None, 1));
    assert_eq!(answer.seen.1, BODY, "the service saw the body that was sent");
}

#[tokio::test]
async fn frames_and_trailers_do_not_matter() {
    let steps = [Step::Data(&BODY[..1]), Step::Data(b""), Step::Data(&BODY[1..]), Step::Trailers(headers())];
    let answer = answer(layer(), headers(), Scripted::new(steps)).await;
    assert_eq!((answer.refusal, answer.calls), (None, 1));
    assert_eq!(answer.seen.1, BODY);
}

/// A piece may hold on to a larger buffer: it is kept only where nothing more is waited for.
#[tokio::test]
async fn a_body_that_comes_in_one_piece_is_not_copied() {
    // One place in memory: a constant may have several.
    let body: &'static [u8] = BODY;
    let kept = answer(layer(), headers(), Full::new(Bytes::from_static(body))).await;
    assert_eq!(kept.seen.1.as_ptr(), body.as_ptr(), "it was copied");
    let (first, rest) = body.split_at(5);
    // More than was promised may follow what was promised.
    for declared in [None, Some(first.len()), Some(body.len())] {
        let pieces = Scripted::new([Step::Data(first), Step::Pause, Step::Data(rest)]);
        let pieces = match declared {
            Some(bytes) => pieces.declared(bytes as u64),
            None => pieces,
        };
        let copied = answer(layer(), headers(), pieces).await;
        assert_eq!((copied.status, &copied.seen.1[..]), (StatusCode::OK, body), "{declared:?}");
        assert_ne!(copied.seen.1.as_ptr(), body.as_ptr(), "{declared:?}");
    }
    let promised_nothing = answer(layer(), headers(), Scripted::new([Step::Data(body)])).await;
    assert_eq!(promised_nothing.seen.1, body);
    assert_ne!(promised_nothing.seen.1.as_ptr(), body.as_ptr(), "it was kept");
}

/// What is there with its head is proven at the first look; what only seems to be all is not taken for it.
#[tokio::test]
async fn a_body_that_is_all_there_is_asked_for_once() {
    let length = BODY.len() as u64;
    let ended = Scripted::new([Step::Data(BODY)]).declared(length);
    let polled = ended.polled();
    assert_eq!(answer(layer(), headers(), ended).await.refusal, None);
    assert_eq!(asked(&polled), 1);
    let with_more = Scripted::new([Step::Data(BODY), Step::Data(b"x")]).declared(length);
    assert_eq!(refused(layer(), headers(), with_more).await, Refusal::SignatureMismatch);
    let with_trailers = Scripted::new([Step::Data(BODY), Step::Trailers(headers())]).declared(length);
    assert_eq!(answer(layer(), headers(), with_trailers).await.refusal, None);
    let broken = Scripted::new([Step::Data(BODY), Step::Break]).declared(length);
    assert_eq!(refused(layer(), headers(), broken).await, Refusal::BodyIncomplete);
    let nothing = refused(layer(), headers(), Scripted::new([])).await;
    assert_eq!(nothing, Refusal::SignatureMismatch, "and it is not asked again after its end");
    let shorter = Scripted::new([Step::Data(&BODY[1..])]).declared(length);
    assert_eq!(refused(layer(), headers(), shorter).await, Refusal::SignatureMismatch);
}

#[tokio::test]
async fn a_signature_in_the_trailers_is_none() {
    let steps = [Step::Data(BODY), Step::Trailers(headers())];
    assert_eq!(refused(layer(), HeaderMap::new(), Scripted::new(steps)).await, Refusal::MissingHeader);
}

#[tokio::test]
async fn the_body_limit_is_inclusive() {
    let exact = BODY.len();
    let halves = || [Step::Data(&BODY[..5]), Step::Data(&BODY[5..])];
    for declared in [true, false] {
        let body = || {
            let body = Scripted::new(halves());
            if declared { body.declared(exact as u64) } else { body }
        };
        let at_the_bound = answer(limited(exact), headers(), body()).await;
        assert_eq!(at_the_bound.refusal, None, "declared: {declared}");
        assert_eq!(refused(limited(exact - 1), headers(), body()).await, Refusal::BodyTooLarge, "{declared}");
    }
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_not_read() {
    let body = Scripted::new([Step::Data(BODY)]).declared(BODY.len() as u64);
    let polled = body.polled();
    assert_eq!(refused(limited(BODY.len() - 1), headers(), body).await, Refusal::BodyTooLarge);
    assert_eq!(asked(&polled), 0);
}

#[tokio::test]
async fn reading_stops_where_the_limit_is_passed() {
    let body = Scripted::new([Step::Data(BODY), Step::Data(b"x"), Step::Stall]);
    let polled = body.polled();
    assert_eq!(refused(limited(BODY.len()), headers(), body).await, Refusal::BodyTooLarge);
    assert_eq!(asked(&polled), 2, "the frame that is one byte too long is the last that is read");
}

#[tokio::test]
async fn bad_headers_are_refused_before_the_body_is_read() {
    let stale = signed_at(NOW - 301);
    let malformed = {
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", HeaderValue::from_static("t=1700000000,v1=00"));
        headers
    };
    let twice = {
        let mut twice = headers();
        twice.append("stripe-signature", twice["stripe-signature"].clone());
        twice
    };
    for (headers, wanted) in [
        (HeaderMap::new(), Refusal::MissingHeader),
        (malformed, Refusal::MalformedHeader),
        (twice, Refusal::DuplicateHeader),
        (stale, Refusal::TimestampTooOld),
        (signed_at(NOW + 301), Refusal::TimestampTooNew),
        (with(header::CONTENT_ENCODING, "gzip"), Refusal::UnsupportedContentEncoding),
        (with(header::CONTENT_ENCODING, "identity, br"), Refusal::UnsupportedContentEncoding),
    ] {
        let body = Scripted::new([Step::Data(BODY)]);
        let polled = body.polled();
        assert_eq!(refused(layer(), headers, body).await, wanted);
        assert_eq!(asked(&polled), 0, "{wanted}: a frame was asked for");
    }
    // The control: with good headers it is.
    let body = Scripted::new([Step::Data(BODY)]);
    let polled = body.polled();
    assert_eq!(answer(layer(), headers(), body).await.refusal, None);
    assert_eq!(asked(&polled), 2, "the frame, and the end");
    let identity = answer(layer(), with(header::CONTENT_ENCODING, "Identity"), whole()).await;
    assert_eq!(identity.refusal, None);
}

#[tokio::test]
async fn a_broken_body_is_incomplete() {
    for steps in
        [vec![Step::Break], vec![Step::Data(&BODY[..3]), Step::Break], vec![Step::Data(BODY), Step::Break]]
    {
        assert_eq!(refused(layer(), headers(), Scripted::new(steps)).await, Refusal::BodyIncomplete);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_timed_out() {
    let started = tokio::time::Instant::now();
    let slow = || Scripted::new([Step::Data(&BODY[..3]), Step::Stall]);
    assert_eq!(refused(layer(), headers(), slow()).await, Refusal::BodyTimeout);
    assert_eq!(started.elapsed().as_secs(), 10, "the default");
    let started = tokio::time::Instant::now();
    let quick = layer().body_timeout(Duration::from_millis(250));
    assert_eq!(refused(quick, headers(), slow()).await, Refusal::BodyTimeout);
    assert_eq!(started.elapsed().as_millis() / 10, 25);
}

/// Empty frames that are always there give the timer no chance unless the layer does.
#[tokio::test]
async fn a_body_that_never_lets_go_is_timed_out() {
    let spinning = Scripted::new([Step::Data(BODY), Step::Spin]);
    let polled = spinning.polled();
    let quick = layer().body_timeout(Duration::from_millis(20));
    assert_eq!(refused(quick, headers(), spinning).await, Refusal::BodyTimeout);
    assert!(asked(&polled) > 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_midway_leaves_nothing() {
    let strict = Strict::default();
    let calls = strict.calls();
    let mut service = layer().layer(strict);
    let body = Scripted::new([Step::Data(&BODY[..3]), Step::Stall]);
    let polled = body.polled();
    let mut future = Box::pin(ready(&mut service).await.call(request(headers(), body)));
    assert!(matches!(crate::polled_once(future.as_mut()).await, Poll::Pending));
    assert_eq!((asked(&polled), Arc::strong_count(&polled)), (2, 2), "it is being read");
    drop(future);
    assert_eq!(Arc::strong_count(&polled), 1, "the body is gone");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    let held_by_service = Arc::strong_count(&calls);
    assert_eq!(held_by_service, 2, "the service, and this test: no copy of it is left");
    let response =
        ready(&mut service).await.call(request(headers(), Scripted::new([Step::Data(BODY)]))).await;
    assert_eq!(response.unwrap().status(), StatusCode::OK, "and it still works");
}

async fn ready<S>(service: &mut S) -> &mut S
where
    S: Service<Request<Scripted>>,
    S::Error: std::fmt::Debug,
{
    service.ready().await.unwrap()
}

#[tokio::test]
async fn a_refusal_does_not_wear_the_service_out() {
    let mut service = layer().layer(Strict::default());
    for _ in 0..3 {
        let bad = ready(&mut service)
            .await
            .call(request(HeaderMap::new(), Scripted::new([Step::Data(BODY)])))
            .await
            .unwrap();
        assert_eq!(bad.status(), StatusCode::UNAUTHORIZED);
        let good = ready(&mut service)
            .await
            .call(request(headers(), Scripted::new([Step::Data(BODY)])))
            .await
            .unwrap();
        assert_eq!(good.status(), StatusCode::OK);
    }
}
