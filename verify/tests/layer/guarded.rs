//! Each delivery once: what was done is not done again, what failed is, and what cannot be known is asked for again.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::behind::{BODY, NOW, Seen, genuine, named, on_time, request, signed, verifier};
use crate::guards::{Habit, MONTH, Moody, Notebook};
use bytes::Bytes;
use hookproof::middleware::Source;
use hookproof::{ConfigError, MemoryReplayGuard, Refusal, ReplayGuard, UnixTime, VerifyLayer, schemes};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

type Incoming = Request<Full<Bytes>>;

fn memory(capacity: usize) -> Arc<MemoryReplayGuard> {
    Arc::new(MemoryReplayGuard::new(MONTH, capacity).unwrap())
}

fn guarded(guard: impl ReplayGuard + 'static) -> VerifyLayer {
    named("in").replay_guard(guard).unwrap()
}

/// Counts its calls, and answers each with this status.
#[derive(Clone)]
struct Answers {
    status: StatusCode,
    calls: Arc<AtomicUsize>,
}

impl Answers {
    fn with(status: StatusCode) -> Self {
        Self { status, calls: Arc::default() }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn through(&self, layer: &VerifyLayer, request: Incoming) -> Seen {
        let Self { status, calls } = self.clone();
        let service = layer.layer(service_fn(move |_: Incoming| {
            calls.fetch_add(1, Ordering::Relaxed);
            let mut response = Response::new(Full::from("done"));
            *response.status_mut() = status;
            async move { Ok::<_, Infallible>(response) }
        }));
        Seen::of(service.oneshot(request).await.unwrap()).await
    }
}

fn assert_done_before(seen: &Seen) {
    assert_eq!((seen.status, seen.refusal), (StatusCode::OK, Some(Refusal::Replayed)));
    assert_eq!(seen.body, "received\n");
}

fn assert_asked_again(seen: &Seen, refusal: Refusal) {
    assert_eq!((seen.status, seen.refusal), (StatusCode::SERVICE_UNAVAILABLE, Some(refusal)));
    assert_eq!(seen.headers["retry-after"], "10");
    assert_eq!(seen.body, "service unavailable\n");
}

#[tokio::test]
async fn a_delivery_is_done_once() {
    let (layer, service) = (guarded(memory(10)), Answers::with(StatusCode::OK));
    let first = service.through(&layer, genuine()).await;
    assert_eq!((first.status, first.refusal, &*first.body), (StatusCode::OK, None, &b"done"[..]));
    for _ in 0..1_000 {
        assert_done_before(&service.through(&layer, genuine()).await);
    }
    // The provider's retry: the same event, stamped and signed anew.
    let retry = request(signed(BODY, NOW + 60), Full::from(BODY));
    assert_done_before(&service.through(&layer, retry).await);
    assert_eq!(service.calls(), 1);
    let other = br#"{"id":"evt_2"}"#;
    let other = request(signed(other, NOW), Full::from(&other[..]));
    assert_eq!(service.through(&layer, other).await.refusal, None);
    assert_eq!(service.calls(), 2, "another event");
}

/// The control: without a guard each copy is done.
#[tokio::test]
async fn without_a_guard_a_replay_passes() {
    let service = Answers::with(StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(service.through(&named("in"), genuine()).await.refusal, None);
    }
    assert_eq!(service.calls(), 3);
}

#[tokio::test]
async fn a_replay_can_be_refused_like_the_rest() {
    let (layer, service) = (guarded(memory(10)).refuse_replays(), Answers::with(StatusCode::OK));
    service.through(&layer, genuine()).await;
    let replay = service.through(&layer, genuine()).await;
    let forged = service.through(&layer, request(Default::default(), Full::from(BODY))).await;
    assert_eq!((replay.status, replay.refusal), (StatusCode::UNAUTHORIZED, Some(Refusal::Replayed)));
    assert_eq!((replay.status, replay.headers, replay.body), (forged.status, forged.headers, forged.body));
}

#[tokio::test]
async fn what_was_not_done_is_received_anew() {
    let layer = guarded(memory(1));
    let failing = [100, 302, 400, 404, 410, 422, 429, 500, 503];
    for status in failing {
        let fails = Answers::with(StatusCode::from_u16(status).unwrap());
        assert_eq!(
            fails.through(&layer, genuine()).await.status.as_u16(),
            status,
            "its answer is not changed"
        );
        assert_eq!(fails.calls(), 1, "{status}: received, though one failed before");
    }
    let broken = layer.layer(service_fn(|_: Incoming| async { Err::<Response<Full<Bytes>>, _>("broken") }));
    let mut broken = Box::pin(broken.oneshot(genuine()));
    assert_eq!(broken.as_mut().await.unwrap_err(), "broken", "and while its future is still there:");
    let works = Answers::with(StatusCode::NO_CONTENT);
    assert_eq!(works.through(&layer, genuine()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(works.calls(), 1);
    assert_done_before(&works.through(&layer, genuine()).await);
}

#[tokio::test]
async fn a_panic_gives_the_claim_back() {
    let layer = guarded(memory(1));
    #[expect(unreachable_code, reason = "it is what it says")]
    let in_its_future = service_fn(|_: Incoming| async {
        panic!("in the future");
        Ok::<Response<Full<Bytes>>, Infallible>(Response::default())
    });
    let in_its_call =
        service_fn(|_: Incoming| -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
            panic!("in the call")
        });
    let first = tokio::spawn(layer.layer(in_its_future).oneshot(genuine())).await;
    assert!(first.unwrap_err().is_panic());
    let second = tokio::spawn(layer.layer(in_its_call).oneshot(genuine())).await;
    assert!(second.unwrap_err().is_panic(), "the second was received: the first gave its claim back");
    let works = Answers::with(StatusCode::OK);
    assert_eq!(works.through(&layer, genuine()).await.refusal, None);
    assert_eq!(works.calls(), 1);
}

#[tokio::test]
async fn while_one_is_at_work_the_other_comes_again() {
    let layer = guarded(memory(10));
    let stuck = layer.layer(service_fn(|_: Incoming| pending::<Result<Response<Full<Bytes>>, Infallible>>()));
    let mut first = Box::pin(stuck.oneshot(genuine()));
    assert!(crate::polled_once(first.as_mut()).await.is_pending());
    let second = Answers::with(StatusCode::OK);
    assert_asked_again(&second.through(&layer, genuine()).await, Refusal::ReplayInProgress);
    assert_eq!(second.calls(), 0);
    drop(first);
    assert_eq!(second.through(&layer, genuine()).await.refusal, None, "its sender left");
    assert_done_before(&second.through(&layer, genuine()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_is_done() {
    for _ in 0..50 {
        let layer = guarded(memory(10));
        let calls = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let calls = Arc::clone(&calls);
                let service = layer.layer(service_fn(move |_: Incoming| {
                    let calls = Arc::clone(&calls);
                    async move {
                        calls.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                    }
                }));
                tokio::spawn(async move { service.oneshot(genuine()).await.unwrap() })
            })
            .collect();
        for task in tasks {
            let refusal = task.await.unwrap().extensions().get::<Refusal>().copied();
            assert!(
                matches!(refusal, None | Some(Refusal::Replayed | Refusal::ReplayInProgress)),
                "{refusal:?}"
            );
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_full_guard_loses_nothing() {
    let (notebook, service) = (Notebook::default(), Answers::with(StatusCode::OK));
    let now = Arc::new(AtomicUsize::new(usize::try_from(NOW).unwrap()));
    let clock = Arc::clone(&now);
    let layer = guarded(memory(1))
        .observer(notebook.observer())
        .clock(move || UnixTime::from_secs(clock.load(Ordering::Relaxed) as u64));
    assert_eq!(service.through(&layer, genuine()).await.refusal, None);
    let other = br#"{"id":"evt_2"}"#;
    let second = request(signed(other, NOW), Full::from(&other[..]));
    assert_asked_again(&service.through(&layer, second).await, Refusal::ReplayGuardUnavailable);
    assert_eq!(notebook.notes()[1].guard_error.as_deref(), Some("the replay guard is full of live entries"));
    assert_eq!(service.calls(), 1);
    let later = NOW + MONTH.as_secs() + 1;
    now.store(usize::try_from(later).unwrap(), Ordering::Relaxed);
    let again = request(signed(other, later), Full::from(&other[..]));
    assert_eq!(service.through(&layer, again).await.refusal, None, "there is room again");
}

#[tokio::test]
async fn a_guard_that_fails_is_no_duplicate_and_no_pass() {
    let (guard, notebook) = (Moody::new(Habit::Fails, Habit::Prompt), Notebook::default());
    let layer = guarded(Arc::clone(&guard)).observer(notebook.observer());
    let service = Answers::with(StatusCode::OK);
    assert_asked_again(&service.through(&layer, genuine()).await, Refusal::ReplayGuardUnavailable);
    assert_eq!(service.calls(), 0);
    assert_eq!(notebook.codes(), ["replay_guard_unavailable"]);
    assert_eq!(notebook.notes()[0].guard_error.as_deref(), Some("the replay guard failed"));
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_hangs_is_not_waited_for() {
    let guard = Moody::new(Habit::Hangs, Habit::Prompt);
    let service = Answers::with(StatusCode::OK);
    let started = tokio::time::Instant::now();
    let seen = service.through(&guarded(Arc::clone(&guard)), genuine()).await;
    assert_asked_again(&seen, Refusal::ReplayGuardUnavailable);
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!((guard.released(), guard.memory.len()), (1, 0), "what it had claimed was given back");
}

/// The work was done: a retry would surely do it again, so the answer stays, and the log is told.
#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_does_not_change_the_answer() {
    for habit in [Habit::Fails, Habit::Hangs] {
        let (guard, notebook) = (Moody::new(Habit::Prompt, habit), Notebook::default());
        let layer = guarded(Arc::clone(&guard)).observer(notebook.observer());
        let seen = Answers::with(StatusCode::OK).through(&layer, genuine()).await;
        assert_eq!((seen.status, seen.refusal, &*seen.body), (StatusCode::OK, None, &b"done"[..]));
        assert_eq!(notebook.codes(), ["accepted", "not_remembered"]);
        let notes = notebook.notes();
        assert_eq!(notes[1].source.as_deref(), Some("in"));
        assert_eq!(notes[1].key_id, notes[0].key_id);
        assert!(notes[1].scheme.is_some());
        assert_eq!((&notes[1].scheme, notes[1].skew_millis), (&notes[0].scheme, notes[0].skew_millis));
        assert!(notes[1].guard_error.is_some(), "{habit:?}");
        assert_eq!(
            guard.released(),
            0,
            "{habit:?}: given back, the copy that is on its way would be done too"
        );
    }
}

/// Two endpoints with one guard: the same delivery at both is two events.
#[tokio::test]
async fn sources_do_not_shadow_one_another() {
    let guard = memory(10);
    let service = Answers::with(StatusCode::OK);
    for name in ["first", "second"] {
        let layer = named(name).replay_guard(Arc::clone(&guard)).unwrap();
        assert_eq!(service.through(&layer, genuine()).await.refusal, None, "{name}");
        assert_done_before(&service.through(&layer, genuine()).await);
    }
    assert_eq!(service.calls(), 2);
}

#[tokio::test]
async fn what_is_refused_claims_nothing() {
    let guard = Moody::new(Habit::Prompt, Habit::Prompt);
    let (layer, service) = (guarded(Arc::clone(&guard)), Answers::with(StatusCode::OK));
    let forged = request(signed(BODY, NOW), Full::from(&b"{}"[..]));
    assert_eq!(service.through(&layer, forged).await.refusal, Some(Refusal::SignatureMismatch));
    assert_eq!((guard.memory.len(), guard.released()), (0, 0));
}

#[test]
fn a_guard_that_does_not_suit_is_refused_when_the_layer_is_built() {
    let short = Duration::from_secs(3600);
    let guard = || MemoryReplayGuard::new(short, 10).unwrap();
    let error = named("in").replay_guard(guard()).unwrap_err();
    let required = Duration::from_secs(72 * 3600);
    assert_eq!(error, ConfigError::GuardRetention { name: "in".into(), given: short, required });
    for source in [Source::from(verifier(10)), Source::new("", verifier(10))] {
        let error = VerifyLayer::new(source).replay_guard(memory(10)).unwrap_err();
        assert_eq!(error, ConfigError::SourceUnnamed);
    }
}

/// Where the source is chosen per request, only the request shows it; then nothing is lost and nothing done twice.
#[tokio::test]
async fn a_guard_that_does_not_suit_a_chosen_source_refuses_it() {
    let service = Answers::with(StatusCode::OK);
    for (name, retention) in [("in", Duration::from_secs(3600)), ("", MONTH)] {
        let source = Source::new(name, verifier(1 << 20));
        let layer = VerifyLayer::choosing(verifier(1 << 20), move |_| Some(source.clone()));
        let layer = on_time(layer).replay_guard(MemoryReplayGuard::new(retention, 10).unwrap()).unwrap();
        assert_asked_again(&service.through(&layer, genuine()).await, Refusal::ReplayGuardUnavailable);
    }
    assert_eq!(service.calls(), 0);
    assert_eq!(hookproof::required_retention(&schemes::stripe()), Duration::from_secs(72 * 3600));
}

/// The guard's futures may be sent to another thread, and so may the layer's.
#[test]
fn a_guarded_service_is_what_servers_ask_for() {
    fn server<S>(_: S)
    where
        S: Service<Incoming, Future: Send + 'static> + Clone + Send + Sync + 'static,
    {
    }
    server(guarded(memory(1)).layer(crate::behind::Strict::default()));
}
