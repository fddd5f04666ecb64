//! Dispatch: whatever a handler does, its event ends, others flow, and nothing runs twice at a time.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hookproof_consumer::clock::{Clock, ManualClock, SystemClock};
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher, End, Finished, Report};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::inbox::{Inbox, Operator, Rescued};
use hookproof_consumer::retry::{Outcome, RetryPolicy};
use support::{Sqlite, accept, at, sent};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

const RETRY: RetryPolicy =
    RetryPolicy { max_attempts: 3, first: Duration::from_millis(100), cap: Duration::from_secs(1) };

fn config() -> DispatchConfig {
    DispatchConfig { retry: RETRY, handler_timeout: Duration::from_secs(20), ..DispatchConfig::default() }
}

/// What a handler is to do, read from the ordering key of its event: the test's script.
#[derive(Default)]
struct Scripted {
    runs: Mutex<Vec<(EventNo, Context)>>,
    dropped: Arc<AtomicUsize>,
    release: Arc<Notify>,
    at_once: Mutex<HashMap<String, usize>>,
    most_at_once: AtomicUsize,
}

struct CountsDrop(Arc<AtomicUsize>);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[async_trait]
impl Handler for Scripted {
    async fn handle(&self, event: &Event, context: &Context) -> Result<(), Failure> {
        self.runs.lock().unwrap().push((event.number, context.clone()));
        let key = event.ordering_key.clone().unwrap_or_default();
        let running: usize = {
            let mut at_once = self.at_once.lock().unwrap();
            *at_once.entry(key.clone()).or_default() += 1;
            assert_eq!(at_once[&key], 1, "two events of one key at a time");
            at_once.values().sum()
        };
        self.most_at_once.fetch_max(running, SeqCst);
        let _dropped = CountsDrop(Arc::clone(&self.dropped));
        let result = match key.split('-').next().unwrap() {
            "panic" => {
                *self.at_once.lock().unwrap().get_mut(&key).unwrap() -= 1;
                panic!("the payload's secret")
            }
            "error" => Err(Failure::transient("down")),
            "later" => Err(Failure::retry_after(Duration::from_millis(700), "busy")),
            "never" => Err(Failure::permanent("no")),
            "hang" => {
                self.at_once.lock().unwrap().clear();
                std::future::pending().await
            }
            "wait" => {
                self.release.notified().await;
                Ok(())
            }
            "flaky" if context.attempt < 3 => Err(Failure::transient("down")),
            _ => {
                tokio::task::yield_now().await;
                Ok(())
            }
        };
        *self.at_once.lock().unwrap().entry(key).or_insert(1) -= 1;
        result
    }
}

struct Bench {
    backend: Sqlite,
    handler: Arc<Scripted>,
    clock: Arc<ManualClock>,
    dispatcher: Dispatcher,
}

fn bench(config: DispatchConfig) -> Bench {
    let backend = Sqlite::start();
    let handler = Arc::new(Scripted::default());
    let clock = Arc::new(ManualClock::at(at(0)));
    let handlers = Handlers::new(Effect::Outside(handler.clone()));
    let dispatcher = Dispatcher::new(backend.shared(), handlers, config, clock.clone());
    Bench { backend, handler, clock, dispatcher }
}

impl Bench {
    async fn accept(&self, id: &str, key: &str) -> EventNo {
        accept(self.backend.inbox(), &sent(id).key(key)).await
    }

    async fn round(&mut self) -> (Report, Vec<Finished>) {
        let report = self.dispatcher.run_once(self.clock.now()).await.unwrap();
        let finished = self.dispatcher.idle().await;
        (report, finished)
    }

    /// Rounds until nothing is left, with all the time in the world between them.
    async fn run_dry(&mut self) {
        for _ in 0..200 {
            self.round().await;
            self.clock.advance(Duration::from_secs(2));
            let counts = self.backend.inbox().counts().await.unwrap();
            if counts.of(State::Pending) + counts.of(State::Running) == 0 {
                return;
            }
        }
        panic!("events are left");
    }

    async fn state(&self, event: EventNo) -> (State, Option<DeadReason>, u32) {
        let summary = self.backend.inbox().show(event).await.unwrap().unwrap().summary;
        (summary.state, summary.reason, summary.attempts)
    }

    fn runs(&self, event: EventNo) -> usize {
        self.handler.runs.lock().unwrap().iter().filter(|(of, _)| *of == event).count()
    }
}

#[tokio::test]
async fn failing_handlers_end_dead_after_their_attempts_and_other_keys_flow() {
    let mut bench = bench(config());
    let mut bad = Vec::new();
    for kind in ["panic", "error"] {
        bad.push(bench.accept(kind, kind).await);
    }
    let permanent = bench.accept("never", "never").await;
    let mut good = Vec::new();
    for n in 0..12 {
        good.push(bench.accept(&format!("good_{n}"), &format!("good-{}", n % 4)).await);
        let behind = bench.accept(&format!("behind_{n}"), "error").await;
        if n == 0 {
            bad.push(behind);
        }
    }
    bench.round().await;
    bench.round().await;
    assert_eq!(bench.state(good[7]).await.0, State::Done, "others do not wait for the failing ones");
    bench.run_dry().await;
    for event in good {
        assert_eq!((bench.state(event).await, bench.runs(event)), ((State::Done, None, 1), 1));
    }
    let exhausted = Some(DeadReason::AttemptsExhausted);
    for event in bad {
        assert_eq!((bench.state(event).await, bench.runs(event)), ((State::Dead, exhausted, 3), 3));
    }
    let permanent_state = bench.state(permanent).await;
    assert_eq!((permanent_state, bench.runs(permanent)), ((State::Dead, Some(DeadReason::Permanent), 1), 1));
    bench.backend.assert_sound().await;
}

#[tokio::test]
async fn hanging_handlers_end_dead_after_their_attempts_and_other_keys_flow() {
    let mut bench = bench(DispatchConfig { handler_timeout: Duration::from_millis(500), ..config() });
    let hanging = [bench.accept("msg_1", "hang").await, bench.accept("msg_2", "hang").await];
    let good = bench.accept("msg_3", "good").await;
    bench.round().await;
    assert_eq!(bench.state(good).await.0, State::Done);
    bench.run_dry().await;
    for event in hanging {
        let dead = (State::Dead, Some(DeadReason::AttemptsExhausted), 3);
        assert_eq!((bench.state(event).await, bench.runs(event)), (dead, 3));
    }
    assert_eq!(bench.handler.dropped.load(SeqCst), 7, "none is left behind");
    bench.backend.assert_sound().await;
}

#[tokio::test]
async fn what_a_panic_said_is_not_kept() {
    let mut bench = bench(config());
    let event = bench.accept("msg_1", "panic").await;
    bench.round().await;
    let detail = bench.backend.inbox().show(event).await.unwrap().unwrap();
    assert_eq!(detail.attempts[0].error.as_deref(), Some("handler panicked"));
}

#[tokio::test]
async fn a_timeout_drops_the_handler_before_the_event_is_settled() {
    let mut bench = bench(DispatchConfig { handler_timeout: Duration::from_millis(50), ..config() });
    let event = bench.accept("msg_1", "hang").await;
    let (_, finished) = bench.round().await;
    assert_eq!(bench.handler.dropped.load(SeqCst), 1);
    let End::Settled(Outcome::Retry { error, .. }) = &finished[0].end else { panic!("{finished:?}") };
    assert_eq!((finished[0].event, error.as_str()), (event, "handler exceeded its timeout"));
}

#[tokio::test]
async fn the_idempotency_key_is_the_same_on_every_attempt_and_another_for_every_event() {
    let mut bench = bench(config());
    bench.accept("msg_1", "flaky").await;
    bench.accept("msg_2", "good").await;
    bench.run_dry().await;
    let runs = bench.handler.runs.lock().unwrap().clone();
    let mut keys: HashMap<EventNo, Vec<(u32, String)>> = HashMap::new();
    for (event, context) in runs {
        keys.entry(event).or_default().push((context.attempt, context.idempotency_key));
    }
    let (one, other) = (&keys[&EventNo(1)], &keys[&EventNo(2)]);
    assert_eq!(one.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(one.iter().all(|(_, key)| *key == one[0].1 && key.len() == 64));
    assert_ne!(one[0].1, other[0].1);
}

#[tokio::test]
async fn a_wait_that_the_handler_asks_for_is_kept() {
    let mut bench = bench(config());
    let event = bench.accept("msg_1", "later").await;
    bench.round().await;
    assert_eq!(
        bench.round().await.0.wait,
        Duration::from_millis(700),
        "a round says when the next one is due"
    );
    bench.clock.advance(Duration::from_millis(699));
    assert_eq!(bench.round().await.0.started, 0);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.round().await.0.started, 1);
    assert_eq!(bench.runs(event), 2);
}

#[tokio::test]
async fn no_more_handlers_run_than_allowed_and_a_round_says_how_long_to_wait() {
    let mut bench = bench(DispatchConfig { concurrency: 3, ..config() });
    for n in 0..7 {
        bench.accept(&format!("msg_{n}"), &format!("wait-{n}")).await;
    }
    let report = bench.dispatcher.run_once(at(0)).await.unwrap();
    assert_eq!((report.started, report.running, report.wait), (3, 3, config().poll));
    let report = bench.dispatcher.run_once(at(0)).await.unwrap();
    assert_eq!((report.started, report.running), (0, 3));
    until(async || bench.handler.most_at_once.load(SeqCst) == 3).await;
    for _ in 0..7 {
        bench.handler.release.notify_one();
        bench.dispatcher.run_once(at(0)).await.unwrap();
    }
    assert_eq!(bench.handler.most_at_once.load(SeqCst), 3);
}

#[tokio::test]
async fn a_round_takes_back_what_nobody_came_back_from() {
    let mut bench = bench(config());
    bench.accept("msg_1", "good").await;
    bench.backend.inbox().claim(1, Duration::from_secs(5), at(0)).await.unwrap();
    assert_eq!(bench.round().await.0.rescued, Rescued::default());
    bench.clock.advance(Duration::from_secs(5));
    let (report, finished) = bench.round().await;
    assert_eq!((report.rescued.retried, report.started), (1, 1));
    assert_eq!((finished[0].attempt, &finished[0].end), (2, &End::Settled(Outcome::Done)));
}

/// Waits, with a deadline, for something that happens in another task.
async fn until(mut what: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.expect("it did not happen");
}

fn live(backend: &Sqlite, handler: &Arc<Scripted>, config: DispatchConfig) -> Dispatcher {
    let handlers = Handlers::new(Effect::Outside(handler.clone()));
    Dispatcher::new(backend.shared(), handlers, config, Arc::new(SystemClock))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_keeps_a_lease_that_is_shorter_than_the_handler() {
    let (backend, handler) = (Sqlite::start(), Arc::new(Scripted::default()));
    let lease = Duration::from_millis(1_500);
    let dispatcher = live(&backend, &handler, DispatchConfig { lease, poll: lease / 6, ..config() });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(dispatcher.run(async { drop(stopped.await) }));
    let event = accept(backend.inbox(), &sent("msg_1").key("wait")).await;
    until(async || !handler.runs.lock().unwrap().is_empty()).await;
    tokio::time::sleep(lease * 2).await;
    handler.release.notify_one();
    until(async || backend.inbox().counts().await.unwrap().of(State::Done) == 1).await;
    assert_eq!(
        backend.inbox().show(event).await.unwrap().unwrap().attempts.len(),
        1,
        "it was not taken away"
    );
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_whose_lease_is_lost_is_dropped_and_settles_nothing() {
    let (backend, handler) = (Sqlite::start(), Arc::new(Scripted::default()));
    let lease = Duration::from_millis(120);
    let mut dispatcher = live(&backend, &handler, DispatchConfig { lease, ..config() });
    accept(backend.inbox(), &sent("msg_1").key("wait")).await;
    let now = SystemClock.now();
    dispatcher.run_once(now).await.unwrap();
    until(async || !handler.runs.lock().unwrap().is_empty()).await;
    // Somebody with a clock of its own takes it away.
    let rescued = backend.inbox().recover_orphans(3, now).await.unwrap();
    assert_eq!(rescued.retried, 1);
    let finished = timeout(Duration::from_secs(5), dispatcher.idle()).await.unwrap();
    assert_eq!(finished[0].end, End::LeaseLost);
    assert_eq!(handler.dropped.load(SeqCst), 1);
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Pending), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_wakes_the_loop_at_once() {
    let (backend, handler) = (Sqlite::start(), Arc::new(Scripted::default()));
    let dispatcher = live(&backend, &handler, DispatchConfig { poll: Duration::from_secs(600), ..config() });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(dispatcher.run(async { drop(stopped.await) }));
    for n in 0..20 {
        accept(backend.inbox(), &sent(format!("msg_{n}")).key(format!("good-{}", n % 3))).await;
        until(async || backend.inbox().counts().await.unwrap().of(State::Done) == n + 1).await;
    }
    stop.send(()).unwrap();
    timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_handlers_finish_and_claims_nothing_more() {
    let (backend, handler) = (Sqlite::start(), Arc::new(Scripted::default()));
    let dispatcher = live(&backend, &handler, config());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(dispatcher.run(async { drop(stopped.await) }));
    accept(backend.inbox(), &sent("msg_1").key("wait")).await;
    until(async || !handler.runs.lock().unwrap().is_empty()).await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    accept(backend.inbox(), &sent("msg_2").key("good")).await;
    handler.release.notify_one();
    timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    let counts = backend.inbox().counts().await.unwrap();
    assert_eq!((counts.of(State::Done), counts.of(State::Pending)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_finish_in_time_is_cut_off_and_tried_again() {
    let (backend, handler) = (Sqlite::start(), Arc::new(Scripted::default()));
    let dispatcher =
        live(&backend, &handler, DispatchConfig { drain: Duration::from_millis(100), ..config() });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(dispatcher.run(async { drop(stopped.await) }));
    let event = accept(backend.inbox(), &sent("msg_1").key("hang")).await;
    until(async || !handler.runs.lock().unwrap().is_empty()).await;
    stop.send(()).unwrap();
    timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    assert_eq!((detail.summary.state, detail.summary.attempts), (State::Pending, 1));
    let error = detail.attempts[0].error.as_deref();
    assert_eq!(error, Some("the service stopped before the handler was finished"));
    assert_eq!(handler.dropped.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_takes_back_what_was_running_when_the_process_died() {
    let mut backend = Sqlite::start();
    accept(backend.inbox(), &sent("msg_1").key("good")).await;
    let claimed = backend.inbox().claim(1, Duration::from_secs(9_999), SystemClock.now()).await.unwrap();
    assert_eq!(claimed.len(), 1);
    backend.restart();
    let handler = Arc::new(Scripted::default());
    let dispatcher = live(&backend, &handler, config());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(dispatcher.run(async { drop(stopped.await) }));
    until(async || backend.inbox().counts().await.unwrap().of(State::Done) == 1).await;
    assert_eq!(handler.runs.lock().unwrap()[0].1.attempt, 2);
    stop.send(()).unwrap();
    running.await.unwrap();
}
