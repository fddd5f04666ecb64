//! Changing a running dispatcher: what was begun ends as it began, what comes next is as it is now, and an inbox that does not agree
//! leaves all as it was.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hookproof_consumer::clock::SystemClock;
use hookproof_consumer::dispatch::{Control, DispatchConfig, Dispatcher, Processing};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::{Event, State};
use hookproof_consumer::inbox::{Operator, SourceRules};
use hookproof_consumer::ordering::OrderPolicy;
use support::{Sqlite, accept, sent};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Which handler ran which event.
type Ran = Arc<Mutex<Vec<(&'static str, String)>>>;

struct Named {
    name: &'static str,
    ran: Ran,
    started: Arc<Notify>,
    release: Arc<Notify>,
}

#[async_trait]
impl Handler for Named {
    async fn handle(&self, event: &Event, _: &Context) -> Result<(), Failure> {
        let id = event.event_id.as_ref().unwrap().value.clone();
        if id.starts_with("slow") {
            self.started.notify_one();
            self.release.notified().await;
        }
        self.ran.lock().unwrap().push((self.name, id));
        Ok(())
    }
}

struct Bench {
    backend: Sqlite,
    ran: Ran,
    started: Arc<Notify>,
    release: Arc<Notify>,
    control: Control,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Bench {
    /// One handler, `old`, one at a time.
    fn start() -> Self {
        let backend = Sqlite::start_with(|options| options.with_busy_timeout(Duration::from_millis(50)));
        let (ran, started, release) = (Ran::default(), Arc::default(), Arc::default());
        let old = handlers("old", &ran, &started, &release);
        let config = DispatchConfig { concurrency: 1, ..DispatchConfig::default() };
        let dispatcher = Dispatcher::new(backend.shared(), old, config, Arc::new(SystemClock));
        let control = dispatcher.control();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(dispatcher.run(async {
            let _ = stopped.await;
        }));
        Self { backend, ran, started, release, control, stop, running }
    }

    /// Another handler, `new`, two at a time, and one source.
    fn new_processing(&self) -> Processing {
        let sources =
            vec![SourceRules { source: Arc::from("crm"), order: OrderPolicy::default(), breaker: None }];
        let handlers = handlers("new", &self.ran, &self.started, &self.release);
        Processing {
            sources,
            handlers,
            config: DispatchConfig { concurrency: 2, ..DispatchConfig::default() },
        }
    }

    async fn done(&self, events: u64) {
        let done = async {
            while self.backend.inbox().counts().await.unwrap().of(State::Done) < events {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), done).await.expect("in time");
    }

    fn ran(&self) -> Vec<(&'static str, String)> {
        self.ran.lock().unwrap().clone()
    }
}

fn handlers(name: &'static str, ran: &Ran, started: &Arc<Notify>, release: &Arc<Notify>) -> Handlers {
    let (ran, started, release) = (Arc::clone(ran), Arc::clone(started), Arc::clone(release));
    Handlers::new(Effect::outside(Named { name, ran, started, release }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_ends_as_it_began_and_the_next_is_as_it_is_now() {
    let bench = Bench::start();
    let inbox = bench.backend.inbox();
    accept(inbox, &sent("slow")).await;
    bench.started.notified().await;
    let left = bench.control.change(bench.new_processing()).await.unwrap();
    assert_eq!(left, []);
    accept(inbox, &sent("next")).await;
    bench.done(1).await;
    assert_eq!(bench.ran(), [("new", "next".to_owned())], "beside the one that runs: two at a time now");
    bench.release.notify_one();
    bench.done(2).await;
    assert_eq!(bench.ran().last().unwrap(), &("old", "slow".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_does_not_agree_leaves_all_as_it_was() {
    let bench = Bench::start();
    let held = bench.backend.sql();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = bench.control.change(bench.new_processing()).await.unwrap_err().to_string();
    assert_eq!(error, "could not set the sources: database is locked");
    held.execute_batch("ROLLBACK").unwrap();
    accept(bench.backend.inbox(), &sent("msg_1")).await;
    bench.done(1).await;
    assert_eq!(bench.ran(), [("old", "msg_1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_change_after_the_end_is_told() {
    let bench = Bench::start();
    let new = bench.new_processing();
    bench.stop.send(()).unwrap();
    bench.running.await.unwrap();
    let error = bench.control.change(new).await.unwrap_err().to_string();
    assert_eq!(error, "could not change how events are processed: dispatch has stopped");
}
