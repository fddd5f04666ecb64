//! The rules of order from end to end: what handlers are told, what the configuration brings about, what a person gets to see.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hookproof_consumer::app::App;
use hookproof_consumer::clock::{Clock, ManualClock, SystemClock, later};
use hookproof_consumer::config::Config;
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher, End};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers, SqliteHandler};
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::inbox::{Inbox, Operator};
use hookproof_consumer::ordering::{OnFailure, StaleRule};
use hookproof_consumer::retry::Outcome;
use support::{NOW, Sqlite, accept, at, claim_one, rules, sent, settle};

/// Is not ready unless a lead was there before, or the time for that is over. Notes what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    lead: bool,
    /// Which event, whether it was stale, whether overdue.
    told: Vec<(EventNo, bool, bool)>,
}

impl Notes {
    fn see(&self, event: &Event, context: &Context) -> Result<(), Failure> {
        let mut seen = self.0.lock().unwrap();
        seen.told.push((event.number, context.stale, context.overdue));
        match event.event_id.as_ref().unwrap().value.as_str() {
            "note" if !seen.lead => Err(Failure::not_ready("no lead yet")),
            "orphan" => Err(Failure::not_ready("no lead yet")),
            "lead" => {
                seen.lead = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn told(&self) -> Vec<(EventNo, bool, bool)> {
        std::mem::take(&mut self.0.lock().unwrap().told)
    }
}

#[async_trait]
impl Handler for Notes {
    async fn handle(&self, event: &Event, context: &Context) -> Result<(), Failure> {
        self.see(event, context)
    }
}

impl SqliteHandler for Notes {
    fn apply(&self, tx: &rusqlite::Connection, event: &Event, context: &Context) -> Result<(), Failure> {
        tx.execute("INSERT INTO effects VALUES (?1)", [event.number.0]).map_err(Failure::permanent)?;
        self.see(event, context)
    }
}

/// Rounds of a dispatcher until one starts nothing; what became of the attempts.
async fn rounds(dispatcher: &mut Dispatcher, clock: &ManualClock) -> Vec<(EventNo, End)> {
    let mut ends = Vec::new();
    for _ in 0..20 {
        if dispatcher.run_once(clock.now()).await.unwrap().started == 0 {
            return ends;
        }
        ends.extend(dispatcher.idle().await.into_iter().map(|finished| (finished.event, finished.end)));
    }
    panic!("it does not end: {ends:?}");
}

/// One at a time, so that the order in which attempts end is that in which they began.
fn one_by_one() -> DispatchConfig {
    DispatchConfig { concurrency: 1, ..DispatchConfig::default() }
}

async fn a_handler_waits_for_others_and_is_told(effect: impl FnOnce(Notes) -> Effect) {
    let backend = Sqlite::start();
    backend.sql().execute_batch("CREATE TABLE effects (event INTEGER)").unwrap();
    rules(&backend, |policy| policy.not_ready_deadline = Duration::from_secs(5)).await;
    let (notes, clock) = (Notes::default(), Arc::new(ManualClock::at(at(0))));
    let handlers = Handlers::new(effect(notes.clone()));
    let mut dispatcher = Dispatcher::new(backend.shared(), handlers, one_by_one(), clock.clone());
    let note = accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    let orphan = accept(backend.inbox(), &sent("orphan").key("lead-2")).await;
    let waits = End::Settled(Outcome::NotReady { error: "no lead yet".to_owned() });
    assert_eq!(rounds(&mut dispatcher, &clock).await, [(note, waits.clone()), (orphan, waits)]);
    let lead = accept(backend.inbox(), &sent("lead").key("lead-1").occurred(2)).await;
    let done = |event| (event, End::Settled(Outcome::Done));
    assert_eq!(rounds(&mut dispatcher, &clock).await, [done(lead), done(note)]);
    let told = notes.told();
    let first = [(note, false, false), (orphan, false, false), (lead, false, false), (note, true, false)];
    assert_eq!(told, first, "the note is older than the lead that was applied");
    clock.advance(Duration::from_secs(5));
    let deadline = Outcome::Dead { reason: DeadReason::Deadline, error: "no lead yet".to_owned() };
    assert_eq!(rounds(&mut dispatcher, &clock).await, [(orphan, End::Settled(deadline))]);
    assert_eq!(notes.told(), [(orphan, false, true)]);
    backend.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outside_handler_waits_for_others_and_is_told() {
    a_handler_waits_for_others_and_is_told(Effect::outside).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_the_database_waits_for_others_and_is_told() {
    a_handler_waits_for_others_and_is_told(Effect::sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_wrote_before_it_was_not_ready_is_rolled_back() {
    let backend = Sqlite::start();
    backend.sql().execute_batch("CREATE TABLE effects (event INTEGER)").unwrap();
    let clock = Arc::new(ManualClock::at(at(0)));
    let handlers = Handlers::new(Effect::sqlite(Notes::default()));
    let mut dispatcher = Dispatcher::new(backend.shared(), handlers, one_by_one(), clock.clone());
    accept(backend.inbox(), &sent("note").key("lead-1").occurred(1)).await;
    let lead = accept(backend.inbox(), &sent("lead").key("lead-2").occurred(2)).await;
    assert_eq!(rounds(&mut dispatcher, &clock).await.len(), 2);
    let effects: Vec<i64> = {
        let conn = backend.sql();
        let mut rows = conn.prepare("SELECT event FROM effects").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(effects, [lead.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_configuration_are_those_of_the_inbox() {
    let backend = Sqlite::start();
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[sources.crm]\npath = \"/hooks/crm\"\nscheme = \"klozeo\"\n\
        keys = [{ id = \"k\", value = \"b7f1c0d94e2a4f6f8a3b5c7d9e1f2a3b\" }]\norder = { settle_ms = 60000 }\n";
    let config = Config::parse(text, &backend.folder.path().join("hookproof.toml")).unwrap();
    let handlers = Handlers::new(Effect::outside(Notes::default()));
    let app = App::start_on(config, backend.shared(), handlers).await.unwrap();
    let now = SystemClock.now();
    let event = accept(backend.inbox(), &sent("msg_1").key("lead-1").received(now.as_millis() - NOW)).await;
    let due = backend.inbox().next_due().await.unwrap();
    app.stop().await;
    assert_eq!(due, Some(later(now, Duration::from_secs(60))));
    assert_eq!(backend.inbox().show(event).await.unwrap().unwrap().summary.state, State::Pending);
}

fn hookproof(database: &Path, arguments: &[&str]) -> Output {
    let database = ["--db", database.to_str().unwrap()];
    Command::new(env!("CARGO_BIN_EXE_hookproof")).args(arguments).args(database).output().unwrap()
}

/// What it prints, its warnings included. It must succeed.
#[track_caller]
fn says(backend: &Sqlite, arguments: &[&str]) -> String {
    let output = hookproof(backend.options.path(), arguments);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_who_is_blocked_and_what_was_overtaken() {
    let backend = Sqlite::start();
    let dead = || Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() };
    rules(&backend, |policy| {
        policy.on_failure = OnFailure::Park;
        policy.stale = StaleRule::Skip;
    })
    .await;
    for (id, occurred) in [("msg_1", 1), ("msg_2", 2), ("msg_3", 3)] {
        accept(backend.inbox(), &sent(id).key("lead-1").occurred(occurred)).await;
    }
    settle(&backend, &claim_one(backend.inbox(), at(0)).await, dead(), 1).await;
    let status = says(&backend, &["status"]);
    assert!(status.contains("blocked in 1 keys") && status.contains("wait for a person"), "{status}");
    let status = says(&backend, &["status", "--json"]);
    assert!(status.contains(r#"{"blocked_events":2,"blocked_keys":1,"source":"crm"}"#), "{status}");
    assert!(says(&backend, &["dlq", "list"]).contains("2 events"));
    assert!(says(&backend, &["dlq", "show", "1"]).contains("blocks        2 events of its key"));
    let replayed = says(&backend, &["dlq", "replay", "1", "--why", "fixed"]);
    assert_eq!(replayed, "replay: 1 done, 0 not\n");
    assert!(!says(&backend, &["status"]).contains("blocked"));

    // It dies again, and this time the others do not wait.
    rules(&backend, |policy| policy.stale = StaleRule::Skip).await;
    settle(&backend, &claim_one(backend.inbox(), SystemClock.now()).await, dead(), 2).await;
    settle(&backend, &claim_one(backend.inbox(), at(3)).await, Outcome::Done, 3).await;
    let rehearsed = says(&backend, &["dlq", "replay", "1", "--dry-run"]);
    assert!(
        rehearsed.contains("would replay event 1: later events of its key were applied before"),
        "{rehearsed}"
    );
    assert!(says(&backend, &["dlq", "show", "1"]).contains("overtaken"));
    let replayed = says(&backend, &["dlq", "replay", "1"]);
    for part in
        ["event 1: later events of its key were applied before; its source skips it", "--even-if-stale"]
    {
        assert!(replayed.contains(part), "{replayed}\nlacks: {part}");
    }
    assert_eq!(says(&backend, &["dlq", "list", "--superseded"]), "Nothing was superseded.\n");
    let claimed = claim_one(backend.inbox(), SystemClock.now()).await;
    assert_eq!(claimed.event.number, EventNo(3), "the first was skipped");
    let superseded = says(&backend, &["dlq", "list", "--superseded", "--json"]);
    assert!(
        superseded.contains(r#""event_id":"msg_1""#) && superseded.contains(r#""superseded":true"#),
        "{superseded}"
    );
    assert!(says(&backend, &["dlq", "show", "1"]).contains("1, done (permanent), superseded"));
    settle(&backend, &claimed, Outcome::Done, 4).await;

    accept(backend.inbox(), &sent("msg_4").key("lead-1").occurred(4)).await;
    settle(&backend, &claim_one(backend.inbox(), at(4)).await, dead(), 4).await;
    accept(backend.inbox(), &sent("msg_5").key("lead-1").occurred(5)).await;
    settle(&backend, &claim_one(backend.inbox(), at(4)).await, Outcome::Done, 5).await;
    let replayed = says(&backend, &["dlq", "replay", "4", "--even-if-stale"]);
    assert!(replayed.contains("it is applied all the same"), "{replayed}");
    let claimed = claim_one(backend.inbox(), SystemClock.now()).await;
    assert_eq!((claimed.event.number, claimed.stale), (EventNo(4), true));
}
