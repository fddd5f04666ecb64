//! A sender can leave at any time: then the request's future is dropped, at whichever `await` it is.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use crate::behind::{BODY, genuine, headers, named, request};
use crate::bodies::{Scripted, Step};
use crate::guards::{Habit, Moody};
use crate::polled_once;
use bytes::Bytes;
use hookproof::Refusal;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// How far the work of one delivery came.
#[derive(Clone, Default)]
struct Work {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Work {
    fn count(&self) -> (usize, usize) {
        (self.begun.load(Ordering::Relaxed), self.ended.load(Ordering::Relaxed))
    }

    async fn run(self) -> Result<Response<Full<Bytes>>, Infallible> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.ended.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(Full::from("done")))
    }
}

fn in_pieces() -> Request<impl Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static> {
    let steps = [Step::Pause, Step::Data(&BODY[..4]), Step::Pause, Step::Data(&BODY[4..]), Step::Pause];
    request(headers(), Scripted::new(steps))
}

/// Drops the future after `polls` polls, unless it is ready before: then its status.
async fn polled<F>(future: F, polls: usize) -> Option<StatusCode>
where
    F: Future<Output = Result<Response<hookproof::middleware::ResponseBody<Full<Bytes>>>, Infallible>>,
{
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if let Poll::Ready(response) = polled_once(future.as_mut()).await {
            return Some(response.unwrap().status());
        }
    }
    None
}

#[tokio::test]
async fn wherever_it_is_dropped_what_was_not_done_is_received_anew() {
    let mut seen = Vec::new();
    for polls in 0.. {
        assert!(polls < 50, "it never ends");
        let guard = Moody::new(Habit::Dawdles, Habit::Dawdles);
        let work = Work::default();
        let again = work.clone();
        let layer = named("in").replay_guard(Arc::clone(&guard)).unwrap();
        let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| again.clone().run()));
        let status = polled(service.clone().oneshot(in_pieces()), polls).await;
        let (begun, ended) = work.count();
        let retry = service.oneshot(in_pieces()).await.unwrap();
        let refusal = retry.extensions().get::<Refusal>().copied();
        let remembered = guard.memory.len();
        assert_eq!(remembered, 1, "after {polls} polls and a retry");
        if let Some(status) = status {
            assert_eq!((status, refusal), (StatusCode::OK, Some(Refusal::Replayed)));
            break;
        }
        if ended == 1 {
            // Done, and on the way to be recorded: the claim must outlive the request, or it is done twice.
            assert!(
                matches!(refusal, Some(Refusal::ReplayInProgress | Refusal::Replayed)),
                "{polls}: {refusal:?}"
            );
            assert_eq!(work.count(), (1, 1));
        } else {
            assert_eq!((retry.status(), refusal), (StatusCode::OK, None), "after {polls} polls");
            assert_eq!(work.count(), (begun + 1, 1));
        }
        seen.push((begun, ended));
    }
    // Dropped before the work, in it, and after it: none of the three is missing.
    seen.dedup();
    assert_eq!(seen, [(0, 0), (1, 0), (1, 1)]);
}

/// A guard that has claimed, and whose answer is never heard: the request leaves, and the claim with it.
#[tokio::test(start_paused = true)]
async fn dropped_while_the_guard_claims() {
    let guard = Moody::new(Habit::Hangs, Habit::Prompt);
    let layer = named("in").replay_guard(Arc::clone(&guard)).unwrap();
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| Work::default().run()));
    let mut first = Box::pin(service.oneshot(genuine()));
    assert!(polled_once(first.as_mut()).await.is_pending());
    assert_eq!((guard.memory.len(), guard.released()), (1, 0), "claimed");
    drop(first);
    assert_eq!((guard.memory.len(), guard.released()), (0, 1), "and given back");
}

#[tokio::test]
async fn dropped_while_the_body_arrives() {
    let guard = Moody::new(Habit::Prompt, Habit::Prompt);
    let work = Work::default();
    let layer = named("in").replay_guard(Arc::clone(&guard)).unwrap();
    let behind = work.clone();
    let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| behind.clone().run()));
    let body = Scripted::new([Step::Data(&BODY[..3]), Step::Stall]);
    let polled = body.polled();
    let mut future = Box::pin(service.oneshot(request(headers(), body)));
    assert!(polled_once(future.as_mut()).await.is_pending());
    drop(future);
    assert_eq!(Arc::strong_count(&polled), 1, "the body is gone");
    assert_eq!((guard.memory.len(), guard.released(), work.count()), (0, 0, (0, 0)), "nothing was claimed");
}

/// The answer's body is sent after the record: a sender that leaves during it has been told, and is not told again.
#[tokio::test]
async fn dropped_while_the_answer_is_sent() {
    let guard = Moody::new(Habit::Prompt, Habit::Prompt);
    let layer = named("in").replay_guard(Arc::clone(&guard)).unwrap();
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| Work::default().run()));
    let response = service.clone().oneshot(genuine()).await.unwrap();
    drop(response);
    let retry = service.oneshot(genuine()).await.unwrap();
    assert_eq!(retry.extensions().get::<Refusal>(), Some(&Refusal::Replayed));
    assert_eq!(retry.into_body().collect().await.unwrap().to_bytes(), "received\n");
}
