//! Dead letters, many at a time: the engine that moves them, and the files that they are written to.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::error::Error as _;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookproof_consumer::clock::ManualClock;
use hookproof_consumer::dead_letters::{Action, Moved, Observer, Task, Which};
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers, VERSION};
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::export::{COLUMNS, Export, json};
use hookproof_consumer::fingerprint::Fingerprint;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOperator, SqliteOptions};
use hookproof_consumer::inbox::{
    By, DeadLetters, Filter, IfStale, Operator, OperatorError, Replayed, Selection,
};
use hookproof_consumer::leads::Leads;
use hookproof_consumer::ordering::StaleRule;
use hookproof_consumer::retry::Outcome;
use support::{Sqlite, accept, at, claim_one, sent, settle};
use tokio::sync::Notify;

const REPLAY: Action = Action::Replay(IfStale::FollowRule);

fn task(action: Action, which: Which) -> Task {
    Task { action, which, by: By::new("ann", "fixed"), rate: None }
}

fn all() -> Which {
    Which::Selected(Selection::default())
}

/// Everything that an observer is told.
#[derive(Default)]
struct Notes {
    total: Option<u64>,
    moved: Vec<(i64, Option<Replayed>)>,
    skipped: Vec<String>,
    /// Told when so many have been moved.
    enough: Option<(usize, Arc<Notify>)>,
}

impl Observer for Notes {
    fn begins(&mut self, total: u64) {
        self.total = Some(total);
    }
    fn moved(&mut self, event: EventNo, replayed: Option<Replayed>) {
        self.moved.push((event.0, replayed));
        if let Some((enough, stop)) = &self.enough
            && self.moved.len() == *enough
        {
            stop.notify_one();
        }
    }
    fn skipped(&mut self, _: EventNo, why: &OperatorError) {
        self.skipped.push(why.to_string());
    }
}

async fn run(store: &dyn DeadLetters, task: Task) -> (Moved, Notes) {
    let mut notes = Notes::default();
    let moved = task.run(store, &ManualClock::at(at(1)), pending(), &mut notes).await.unwrap();
    (moved, notes)
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_move_by_the_hundred_and_only_those_that_were_there() {
    let backend = Sqlite::start();
    let inbox = backend.inbox();
    for n in 0..250 {
        let source = if n % 5 == 0 { "shop" } else { "crm" };
        accept(inbox, &sent(n).to(source).malformed("no")).await;
    }
    let crm = Which::Selected(Selection {
        source: Some("crm".to_owned()),
        reason: Some(DeadReason::Malformed),
        ..Selection::default()
    });
    let (moved, notes) = run(inbox, task(REPLAY, crm.clone())).await;
    assert_eq!(moved, Moved { moved: 200, ..Moved::default() });
    assert_eq!((notes.total, notes.moved.len()), (Some(200), 200));
    assert!(notes.moved.is_sorted_by_key(|(event, _)| *event), "from the oldest");
    let (moved, notes) = run(inbox, task(REPLAY, crm)).await;
    assert_eq!((moved, notes.total), (Moved::default(), Some(0)), "it can be run again");
    let (moved, _) = run(inbox, task(Action::Discard, all())).await;
    assert_eq!(moved, Moved { moved: 50, ..Moved::default() });
    assert_eq!(inbox.counts().await.unwrap().of(State::Pending), 200);
    let audit = inbox.show(EventNo(1)).await.unwrap().unwrap().audit;
    assert_eq!((audit[0].actor.as_str(), audit[0].why.as_str(), audit[0].at), ("ann", "fixed", at(1)));
    backend.assert_sound().await;
}

/// What is replayed and dies again at once is not replayed again: the run would never end.
#[tokio::test(flavor = "multi_thread")]
async fn what_dies_again_meanwhile_waits_for_the_next_run() {
    struct Dies<'a>(&'a Sqlite);
    impl Observer for Dies<'_> {
        fn moved(&mut self, _: EventNo, _: Option<Replayed>) {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    let claimed = claim_one(self.0.inbox(), at(2)).await;
                    let dead = Outcome::Dead { reason: DeadReason::Permanent, error: "again".to_owned() };
                    settle(self.0, &claimed, dead, 3).await;
                    // And another one dies for the first time.
                    accept(self.0.inbox(), &sent(format!("new_{}", claimed.event.number)).malformed("no"))
                        .await;
                });
            });
        }
    }
    let backend = Sqlite::start();
    for n in 0..150 {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let task = task(REPLAY, all());
    let moved =
        task.run(backend.inbox(), &ManualClock::at(at(1)), pending(), &mut Dies(&backend)).await.unwrap();
    assert_eq!(moved, Moved { moved: 150, ..Moved::default() });
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Dead), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_not_dead_are_told_apart_and_the_others_are_moved() {
    let backend = Sqlite::start();
    let inbox = backend.inbox();
    let late = accept(inbox, &sent("late").key("a").occurred(5).malformed("no")).await;
    let done = accept(inbox, &sent("done").key("a").occurred(9)).await;
    settle(&backend, &claim_one(inbox, at(0)).await, Outcome::Done, 1).await;
    let events = vec![late, done, EventNo(99)];
    let (moved, notes) = run(inbox, task(REPLAY, Which::These(events))).await;
    assert_eq!(moved, Moved { moved: 1, stale: 1, skipped: 2, stopped: false });
    assert_eq!(notes.moved, [(late.0, Some(Replayed::Stale(StaleRule::Flag)))]);
    assert_eq!(
        notes.skipped,
        ["event 2 is done: only dead letters can be replayed or discarded", "there is no event 99"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_stopped_between_two_dead_letters_and_goes_on_when_it_is_run_again() {
    let backend = Sqlite::start();
    for n in 0..30 {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let stop = Arc::new(Notify::new());
    let mut notes = Notes { enough: Some((7, Arc::clone(&stop))), ..Notes::default() };
    let discard = task(Action::Discard, all());
    let clock = ManualClock::at(at(1));
    let moved = discard.run(backend.inbox(), &clock, stop.notified(), &mut notes).await.unwrap();
    assert_eq!(moved, Moved { moved: 7, stopped: true, ..Moved::default() });
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Discarded), 7);
    // A stop does not wait for the next turn, which is a minute away.
    let began = Instant::now();
    let slow = Task { rate: Some("1/m".parse().unwrap()), ..task(Action::Discard, all()) };
    let soon = tokio::time::sleep(Duration::from_millis(50));
    let moved = slow.run(backend.inbox(), &clock, soon, &mut ()).await.unwrap();
    assert_eq!((moved.moved, moved.stopped), (1, true));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let (moved, _) = run(backend.inbox(), task(Action::Discard, all())).await;
    assert_eq!((moved.moved, moved.stopped), (22, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_on_the_way_says_how_far_it_came() {
    let backend = Sqlite::start();
    for n in 0..5 {
        accept(backend.inbox(), &sent(n).malformed("no")).await;
    }
    let trigger = "CREATE TRIGGER spoil BEFORE INSERT ON audit WHEN new.event = 4 BEGIN SELECT RAISE(ABORT, 'spoiled'); END";
    backend.sql().execute_batch(trigger).unwrap();
    // From another process, whose connection is not kept after a failure.
    let operator = SqliteOperator::open(backend.options.clone()).unwrap();
    let clock = ManualClock::at(at(1));
    let error = task(REPLAY, all()).run(&operator, &clock, pending(), &mut ()).await.unwrap_err();
    assert_eq!((error.to_string(), error.moved.moved), ("broke off after 3 dead letters".to_owned(), 3));
    assert_eq!(error.source().unwrap().to_string(), "could not replay an event: spoiled");
    assert_eq!(backend.inbox().counts().await.unwrap().of(State::Dead), 2, "the fourth one is as it was");
    backend.sql().execute_batch("DROP TRIGGER spoil").unwrap();
    let moved = task(REPLAY, all()).run(&operator, &clock, pending(), &mut ()).await.unwrap();
    assert_eq!(moved.moved, 2);
    backend.assert_sound().await;
}

const ATTACKS: [&str; 16] = [
    "=HYPERLINK(\"http://e\",\"x\")",
    "+1+2",
    "-1-2",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "＠SUM(1)",
    " =1",
    "'=1",
    "\"=1",
    ",=1",
    ";=1",
    "a, \"b\"\r\n=c",
];

/// Every column that a stranger can write into, with everything that a spreadsheet would compute; read back by another program.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_cannot_make_a_spreadsheet_compute_and_is_read_back_as_it_was() {
    let backend = Sqlite::start();
    for (n, text) in ATTACKS.iter().enumerate() {
        let body = format!(r#"{{"type":{}}}"#, serde_json::to_string(text).unwrap());
        let delivery = sent(n).key(text).malformed(text).body(body);
        accept(backend.inbox(), &delivery).await;
        accept(backend.inbox(), &sent(format!("body_{n}")).body((*text).to_owned()).malformed("no")).await;
    }
    let mut csv = Export::csv(Vec::new()).unwrap();
    let mut lines = Export::json_lines(Vec::new());
    let details = backend.inbox().details(Filter::dead()).await.unwrap();
    assert_eq!(details.len(), 2 * ATTACKS.len());
    for detail in &details {
        csv.add(detail).unwrap();
        lines.add(detail).unwrap();
    }
    let (csv, lines) = (csv.finish().unwrap(), String::from_utf8(lines.finish().unwrap()).unwrap());
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
    let column = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
    let mut seen = 0;
    for (row, detail) in reader.records().map(Result::unwrap).zip(&details) {
        for cell in &row {
            let first = cell.trim_start_matches(' ').chars().next();
            let computed = first.is_some_and(|c| "=+-@＝＋＠\t\r\n".contains(c));
            assert!(!computed, "{cell:?}");
        }
        let read = |name: &str| {
            let cell = &row[column(name)];
            cell.strip_prefix('\'').unwrap_or(cell).to_owned()
        };
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        assert_eq!(read("ordering_key"), or_empty(&detail.summary.ordering_key));
        assert_eq!(read("event_type"), or_empty(&detail.summary.event_type));
        assert_eq!(read("last_error"), or_empty(&detail.summary.last_error));
        assert_eq!(read("body").as_bytes(), detail.event.body);
        assert_eq!(read("group"), detail.summary.fingerprint.as_ref().unwrap().as_str());
        seen += 1;
    }
    assert_eq!(seen, details.len());
    let read: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, details.iter().map(json::whole).collect::<Vec<_>>());
    assert!(lines.ends_with('\n'), "a last line without its end was cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_the_history_of_attempts() {
    let backend = Sqlite::start();
    accept(backend.inbox(), &sent("msg_1")).await;
    let claimed = claim_one(backend.inbox(), at(0)).await;
    settle(&backend, &claimed, Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() }, 30)
        .await;
    let details = backend.inbox().details(Filter::dead()).await.unwrap();
    let mut csv = Export::csv(Vec::new()).unwrap();
    csv.add(&details[0]).unwrap();
    let csv = csv.finish().unwrap();
    let row = csv::Reader::from_reader(csv.as_slice()).into_records().next().unwrap().unwrap();
    let attempts: serde_json::Value = serde_json::from_str(&row[12]).unwrap();
    let expected = serde_json::json!([{
        "attempt": 1, "handler": null, "started_at": "2023-11-14T22:13:20Z", "ended_at": "2023-11-14T22:13:20.03Z",
        "took_ms": 30, "outcome": "dead", "error": "no",
    }]);
    assert_eq!(attempts, expected);
    assert_eq!(json::whole(&details[0])["attempt_history"], expected);
}

struct Fails(Option<&'static str>);

#[async_trait::async_trait]
impl Handler for Fails {
    fn version(&self) -> &str {
        self.0.unwrap_or(VERSION)
    }
    async fn handle(&self, _: &Event, _: &Context) -> Result<(), Failure> {
        Err(Failure::permanent("no"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_handler_ran_its_version_is_in_the_history() {
    let backend = Sqlite::start();
    let (long, cut) = ("é".repeat(150).leak(), "é".repeat(100));
    let handlers = Handlers::new(Effect::outside(Fails(None)))
        .on_source("own", Effect::outside(Fails(Some("crm 2.1"))))
        .on_source("long", Effect::outside(Fails(Some(long))))
        .on_source("leads", Effect::sqlite(Leads::new()));
    for source in ["crm", "own", "long", "leads"] {
        accept(backend.inbox(), &sent(source).to(source)).await;
    }
    let clock = Arc::new(ManualClock::at(at(0)));
    let mut dispatcher = Dispatcher::new(backend.shared(), handlers, DispatchConfig::default(), clock);
    dispatcher.run_once(at(0)).await.unwrap();
    dispatcher.idle().await;
    let mut versions = Vec::new();
    for detail in backend.inbox().details(Filter::default()).await.unwrap() {
        versions.push((detail.summary.source, detail.attempts[0].handler.clone().unwrap()));
    }
    let expected = [
        ("crm", VERSION),
        ("own", "crm 2.1"),
        ("long", &cut),
        ("leads", concat!("leads ", env!("CARGO_PKG_VERSION"))),
    ];
    assert_eq!(versions, expected.map(|(source, version)| (source.to_owned(), version.to_owned())));
}

/// A database of the version before, with more dead letters than are given their fingerprints in one go.
#[tokio::test(flavor = "multi_thread")]
async fn the_dead_letters_of_before_are_given_their_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    for step in [
        include_str!("../migrations/0001_init.sql"),
        include_str!("../migrations/0002_leads.sql"),
        include_str!("../migrations/0003_ordering.sql"),
    ] {
        conn.execute_batch(step).unwrap();
    }
    conn.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         INSERT INTO events (source, scheme, key_id, replay_key, identity, received_at, state, reason, last_error, settled_at)
             SELECT 'crm', 'klozeo', 'k', randomblob(32), 'digest', i,
                 CASE WHEN i % 5 = 0 THEN 'discarded' ELSE 'dead' END, 'permanent', 'no lead ' || i, i FROM n;
         INSERT INTO payloads SELECT number, randomblob(32), x'', x'' FROM events;
         INSERT INTO replay_keys SELECT replay_key, body_sha256, number FROM events JOIN payloads ON event = number;
         PRAGMA user_version = 3; PRAGMA journal_mode = wal;",
    )
    .unwrap();
    drop(conn);
    let inbox = SqliteInbox::open(SqliteOptions::new(&path)).unwrap();
    let groups = inbox.groups(Selection::default(), 9).await.unwrap();
    assert_eq!((groups.total, groups.groups[0].events), (1, 2_000));
    assert_eq!(groups.groups[0].fingerprint, Fingerprint::of("crm", DeadReason::Permanent, "no lead 1"));
    assert_eq!(inbox.check().await.unwrap(), Vec::<String>::new());
    let unnamed = rusqlite::Connection::open(&path).unwrap();
    unnamed.execute("UPDATE events SET fingerprint = NULL WHERE number = 7", []).unwrap();
    assert_eq!(inbox.check().await.unwrap(), ["1 dead letters without the fingerprint of their failure"]);
}
