//! Handlers that do not come back, and hold what they run on.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hookproof_consumer::app::App;
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::config::Config;
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers, SqliteHandler};
use hookproof_consumer::event::{Event, State};
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{Inbox as _, Operator as _, Terms};
use tokio::time::timeout;

use crate::process::client::Client;
use crate::process::letters::{SOURCE, Writer};
use crate::process::planted;
use crate::process::server::{Server, Site, look, signal, wait_until};
use crate::script::{self, NOTES};
use crate::support::{Sqlite, accept, sent};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn handlers_that_block_hang_panic_or_fail_end_dead_while_the_service_answers_and_others_are_done() {
    let site = Site::with(
        "concurrency = 4\nmax_attempts = 2\nhandler_timeout_seconds = 1\nlease_seconds = 4\n\
         retry_first_seconds = 0.1\nretry_cap_seconds = 0.1\n",
    );
    let mut command = planted::command("script::server", &site.config());
    command.env(NOTES, site.file("notes"));
    let server = Server::start(command);
    let (writer, mut client) = (Writer::new().unwrap(), Client::connect(server.address).unwrap());
    // More of them than processors, and than handlers at a time.
    let bad: Vec<_> = ["block", "hang", "panic", "error"]
        .iter()
        .flat_map(|kind| (0..5).map(move |n| format!("{kind}-{n}")))
        .collect();
    let good: Vec<_> = (0..20).map(|n| format!("good-{n}")).collect();
    for (number, key) in (0..).zip(bad.iter().chain(&good)) {
        let letter = writer.about(key, number).unwrap();
        let start = Instant::now();
        assert_eq!(client.post(&letter.request).unwrap(), 200);
        assert!(start.elapsed() < Duration::from_secs(5), "{key} was answered after {:?}", start.elapsed());
    }
    let database = look(&site.database());
    wait_until("everything is finished", || script::unfinished(&database) == 0);
    let (ends, runs) = (script::ends(&database), script::runs(&site.file("notes")));
    for key in bad {
        assert_eq!((ends[&key].as_str(), runs[&key]), ("dead attempts_exhausted 2 retry,dead", 2), "{key}");
    }
    for key in good {
        assert_eq!((ends[&key].as_str(), runs[&key]), ("done 1 done", 1), "{key}");
    }
    assert!(server.stop().success(), "blocked threads keep nobody from stopping");
}

/// A gate that blocks threads until it is opened, also when a test fails.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>, Arc<AtomicBool>);

impl Gate {
    fn block(&self) {
        self.1.store(true, Ordering::Release);
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }

    async fn is_held(&self) {
        while !self.1.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

#[async_trait]
impl Handler for Gate {
    async fn handle(&self, _: &Event, _: &Context) -> Result<(), Failure> {
        self.block();
        Ok(())
    }
}

impl SqliteHandler for Gate {
    fn apply(&self, _: &rusqlite::Connection, _: &Event, _: &Context) -> Result<(), Failure> {
        self.block();
        Ok(())
    }
}

fn impatient() -> DispatchConfig {
    DispatchConfig {
        concurrency: 64,
        lease: Duration::from_secs(3),
        handler_timeout: Duration::from_millis(200),
        drain: Duration::from_millis(100),
        ..DispatchConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_blocked_threads_end_the_dispatcher_and_one_less_does_not() {
    for (events, ends) in [(63, false), (64, true)] {
        let (backend, gate) = (Sqlite::start(), Gate::default());
        for n in 0..events {
            accept(backend.inbox(), &sent(n).key(n)).await;
        }
        let handlers = Handlers::new(Effect::outside(gate.clone()));
        let config = DispatchConfig { retry: never_again(), ..impatient() };
        let dispatcher = Dispatcher::new(backend.shared(), handlers, config, Arc::new(SystemClock));
        let stuck = dispatcher.stuck();
        let running = tokio::spawn(dispatcher.run(std::future::pending()));
        let told = timeout(PATIENCE, async {
            tokio::select! {
                why = stuck.must_restart() => Some(why),
                () = dead(&backend, events) => None,
            }
        });
        let (told, blocked) = (told.await.unwrap(), stuck.threads());
        gate.open();
        assert_eq!(blocked, events);
        assert_eq!(told, ends.then_some("handlers block too many threads"));
        if ends {
            timeout(PATIENCE, running).await.expect("it ends by itself").unwrap();
        } else {
            running.abort();
        }
        timeout(PATIENCE, free(&stuck)).await.expect("threads that come back are not counted");
    }
}

fn never_again() -> hookproof_consumer::retry::RetryPolicy {
    hookproof_consumer::retry::RetryPolicy { max_attempts: 1, ..Default::default() }
}

async fn dead(backend: &Sqlite, events: usize) {
    while backend.inbox().counts().await.unwrap().of(State::Dead) < events as u64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The verdict that must not come has had its time.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

async fn free(stuck: &hookproof_consumer::dispatch::Stuck) {
    while stuck.threads() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_holds_the_store_ends_the_dispatcher() {
    let (backend, gate) = (Sqlite::start(), Gate::default());
    let event = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let handlers = Handlers::new(Effect::sqlite(gate.clone()));
    let dispatcher = Dispatcher::new(backend.shared(), handlers, impatient(), Arc::new(SystemClock));
    let stuck = dispatcher.stuck();
    let running = tokio::spawn(dispatcher.run(std::future::pending()));
    let why = timeout(PATIENCE, stuck.must_restart()).await.unwrap();
    assert!(why.starts_with("the store does not answer"), "{why}");
    let accepted =
        timeout(Duration::from_millis(100), backend.inbox().accept(sent("msg_2").incoming())).await;
    assert!(accepted.is_err(), "nothing is answered that is not stored");
    gate.open();
    timeout(PATIENCE, running).await.expect("it ends by itself").unwrap();
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    assert_eq!(detail.summary.attempts, 1, "the attempt was counted before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_nobody_waits_for_any_more_is_no_attempt() {
    let (backend, gate) = (Sqlite::start(), Gate::default());
    accept(backend.inbox(), &sent("msg_0").key("b")).await;
    let holding = hold(&backend, &gate).await;
    let claim = || backend.inbox().claim(1, Duration::from_secs(60), SystemClock.now());
    assert!(timeout(Duration::from_millis(50), claim()).await.is_err(), "the store is held");
    gate.open();
    holding.await.unwrap();
    let claimed = claim().await.unwrap();
    assert_eq!(claimed.iter().map(|claimed| claimed.attempt).collect::<Vec<_>>(), [1]);
}

/// Has a handler hold the store.
async fn hold(backend: &Sqlite, gate: &Gate) -> tokio::task::JoinHandle<()> {
    accept(backend.inbox(), &sent("msg_1").key("a")).await;
    let now = SystemClock.now();
    let claimed = backend.inbox().claim(1, Duration::from_secs(60), now).await.unwrap().pop().unwrap();
    let (inbox, held) = (backend.shared(), Arc::new(gate.clone()));
    let terms = Terms { retry: never_again(), dice: 0.0, timeout: PATIENCE };
    let holding = tokio::spawn(async move {
        inbox.run_in_transaction(&claimed, held, terms, now).await.unwrap();
    });
    gate.is_held().await;
    holding
}

/// No handler of this dispatcher holds it, and nobody calls: it asks by itself, and notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_answer_ends_a_dispatcher_that_has_nothing_to_do() {
    let (backend, gate) = (Sqlite::start(), Gate::default());
    let holding = hold(&backend, &gate).await;
    let dispatcher = Dispatcher::new(
        backend.shared(),
        Handlers::new(Effect::outside(gate.clone())),
        impatient(),
        Arc::new(SystemClock),
    );
    let stuck = dispatcher.stuck();
    let running = tokio::spawn(dispatcher.run(std::future::pending()));
    let why = timeout(PATIENCE, stuck.must_restart()).await;
    let ended = timeout(PATIENCE, running).await;
    gate.open();
    assert!(why.unwrap().starts_with("the store does not answer"));
    ended.expect("it ends by itself").unwrap();
    holding.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_store_is_held_ends_with_an_error_that_says_what_to_do() {
    let site = Site::with("handler_timeout_seconds = 1\nlease_seconds = 2\n");
    let config = Config::load(&site.config()).unwrap();
    let inbox = Arc::new(SqliteInbox::open(SqliteOptions::new(site.database())).unwrap());
    accept(inbox.as_ref(), &sent("msg_1").to(SOURCE)).await;
    let gate = Gate::default();
    let app = App::start_on(config, inbox, Handlers::new(Effect::sqlite(gate.clone()))).await.unwrap();
    let ended = timeout(PATIENCE, app.run_until(std::future::pending())).await;
    gate.open();
    let error = ended.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("the store does not answer") && error.ends_with(": start it again"), "{error}");
}

/// A start waits a minute for somebody who reads what is in the log of the database. Whoever stops it does not.
#[test]
fn a_start_that_waits_can_be_stopped() {
    let site = Site::new();
    drop(SqliteInbox::open(SqliteOptions::new(site.database())).unwrap());
    let reader = look(&site.database());
    look(&site.database()).execute_batch("CREATE TABLE brief (n); DROP TABLE brief").unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM events").unwrap();
    let mut command = site.serve();
    let mut child =
        command.env("HOOKPROOF_LOG", "info").stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("waiting to start")), "it did not wait");
    signal(child.id(), "TERM");
    let mut ended = None;
    wait_until("the server ends", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert!(ended.unwrap().success());
}
