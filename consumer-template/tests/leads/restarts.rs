//! The same through the inbox: events arrive in any order and number, in groups, handlers fail after they wrote, and the server dies
//! with events in hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::clock::ManualClock;
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher};
use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{Event, State};
use hookproof_consumer::handler;
use hookproof_consumer::inbox::{Claimed, Delivery, Inbox, Operator, Terms};
use hookproof_consumer::leads::{Change, Leads};
use hookproof_consumer::ordering::{OrderPolicy, StaleRule};
use hookproof_consumer::retry::RetryPolicy;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::generate::{Told, cases, told_twice};
use crate::support::{LEASE, Sent, Sqlite, at, sent, sent_by_klozeo};
use crate::tables::{book_of, holds, load, said};

/// More than the crashes of a case: no event is to die of them.
const ATTEMPTS: u32 = 1_000;

/// What happens between two groups of arrivals.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// How many deliveries arrive, at once.
    arrive: usize,
    /// How many events are claimed.
    claim: usize,
    /// After how many of these the server dies, if it does; the others are in hand then.
    die_after: Option<usize>,
    /// Whether the handler fails after it wrote.
    fail: bool,
}

fn round() -> impl Strategy<Value = Round> {
    (1..6_usize, 0..5_usize, prop::option::weighted(0.3, 0..4_usize), prop::bool::weighted(0.2))
        .prop_map(|(arrive, claim, die_after, fail)| Round { arrive, claim, die_after, fail })
}

/// Writes, and then fails.
struct Failing;

impl SqliteHandler for Failing {
    fn apply(&self, tx: &Connection, event: &Event, context: &Context) -> Result<(), Failure> {
        Leads::new().apply(tx, event, context)?;
        Err(Failure::transient("on purpose"))
    }
}

/// One case on a database that others have used: each has a source of its own.
struct Case<'a> {
    backend: &'a mut Sqlite,
    source: &'static str,
    done: BTreeMap<[u8; 32], Arc<Event>>,
}

impl Case<'_> {
    fn delivery(&self, told: &Told, all: &[Told]) -> Sent {
        // What is told twice in the same words is one event.
        let id = all.iter().position(|other| format!("{other:?}") == format!("{told:?}")).unwrap();
        let body = format!(r#"{{"type":"{}","data":{}}}"#, told.kind, told.data);
        let sent = sent(format!("e{id}")).to(self.source).body(body).occurred(told.occurred);
        // Two lines, so that what is claimed together commits together; which lead is in which does not matter.
        let sent = sent.key(id % 2);
        match told.sequence {
            Some(sequence) => sent.sequence(sequence),
            None => sent,
        }
    }

    async fn arrive(&self, deliveries: Vec<Sent>) {
        let mut tasks = JoinSet::new();
        for delivery in deliveries {
            let inbox = self.backend.shared();
            tasks.spawn(async move { inbox.accept(delivery.incoming()).await.unwrap().outcome });
        }
        for outcome in tasks.join_all().await {
            assert!(matches!(outcome, Delivery::New | Delivery::Duplicate { .. }), "{outcome:?}");
        }
    }

    /// Runs the handler on these, all at once.
    async fn run(&mut self, claimed: Vec<Claimed>, fail: bool, now: u64) {
        let mut tasks = JoinSet::new();
        for claimed in claimed {
            let inbox = self.backend.shared();
            let handler: Arc<dyn SqliteHandler> =
                if fail { Arc::new(Failing) } else { Arc::new(Leads::new()) };
            let retry = RetryPolicy { max_attempts: ATTEMPTS, ..RetryPolicy::default() };
            let terms = Terms { retry, dice: 0.5, timeout: Duration::from_secs(5) };
            tasks.spawn(async move {
                inbox.run_in_transaction(&claimed, handler, terms, at(now)).await.unwrap();
                claimed.event
            });
        }
        for event in tasks.join_all().await {
            if !fail {
                self.done.insert(event.replay_key, event);
            }
        }
    }

    async fn play(&mut self, again: &[Told], rounds: &[Round]) {
        let rules = OrderPolicy { stale: StaleRule::Apply, ..OrderPolicy::default() };
        self.backend.inbox().set_order(vec![(Arc::from(self.source), rules)]).await.unwrap();
        let mut left = again;
        for round in rounds.iter().cycle() {
            if left.is_empty() {
                break;
            }
            let (now, rest) = left.split_at(round.arrive.min(left.len()));
            left = rest;
            self.arrive(now.iter().map(|told| self.delivery(told, again)).collect()).await;
            let mut claimed = self.backend.inbox().claim(round.claim, LEASE, at(10)).await.unwrap();
            let in_hand = claimed.split_off(round.die_after.unwrap_or(claimed.len()).min(claimed.len()));
            self.run(claimed, round.fail, 10).await;
            if round.die_after.is_some() {
                drop(in_hand);
                self.backend.restart();
                self.backend.inbox().recover_orphans(ATTEMPTS, at(10)).await.unwrap();
            }
        }
        // Every retry is due by then.
        let later = 24 * 3_600_000;
        loop {
            let claimed = self.backend.inbox().claim(50, LEASE, at(later)).await.unwrap();
            if claimed.is_empty() {
                break;
            }
            self.run(claimed, false, later).await;
        }
    }
}

#[test]
fn through_crashes_of_the_inbox_the_tables_are_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = RefCell::new(Sqlite::start());
    let played = RefCell::new(0_u32);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(20)) };
    let stories = (told_twice(10), prop::collection::vec(round(), 1..6));
    let result = TestRunner::new(config).run(&stories, |((told, again), rounds)| {
        let mut backend = backend.borrow_mut();
        *played.borrow_mut() += 1;
        let source: &'static str = Box::leak(format!("case-{}", played.borrow()).into_boxed_str());
        let mut case = Case { backend: &mut backend, source, done: BTreeMap::new() };
        runtime.block_on(case.play(&again, &rounds));
        let events: Vec<_> = case.done.into_values().collect();
        let distinct: std::collections::BTreeSet<_> = told.iter().map(|told| format!("{told:?}")).collect();
        prop_assert_eq!(events.len(), distinct.len(), "each event is applied in the end");
        let mut applied = BTreeMap::new();
        for Change { lead, .. } in said(events.iter().map(AsRef::as_ref)) {
            *applied.entry(lead.unwrap_or_default()).or_insert(0) += 1;
        }
        prop_assert_eq!(
            holds(&backend.sql(), source, &book_of(events.iter().map(AsRef::as_ref)), &applied),
            Ok(())
        );
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
    runtime.block_on(backend.borrow().assert_sound());
}

#[tokio::test]
async fn through_the_dispatcher_each_event_is_applied_exactly_once() {
    let backend = Sqlite::start();
    let inbox = backend.inbox();
    for n in 0..30 {
        let data = format!(r#"{{"id":{},"n":{n}}}"#, n % 3);
        let delivery = sent_by_klozeo("lead.updated", &data).key(n % 3).occurred(n);
        for _ in 0..3 {
            inbox.accept(delivery.incoming()).await.unwrap();
        }
    }
    inbox.accept(sent_by_klozeo("lead.updated", "{}").incoming()).await.unwrap();
    inbox.accept(sent_by_klozeo("invoice.paid", "{}").incoming()).await.unwrap();
    inbox.accept(sent("elsewhere").incoming()).await.unwrap();
    let clock = Arc::new(ManualClock::at(at(0)));
    let mut dispatcher =
        Dispatcher::new(backend.shared(), handler::handlers(), DispatchConfig::default(), clock);
    // Ten events of each of three leads, one after the other, and a round for good measure.
    for _ in 0..11 {
        dispatcher.run_once(at(60)).await.unwrap();
        dispatcher.idle().await;
    }
    let conn = backend.sql();
    let applied: Vec<_> = (0..3).map(|id| load(&conn, &id.to_string()).events_applied).collect();
    assert_eq!(applied, [10, 10, 10]);
    assert_eq!(load(&conn, "2").fields["n"], "29");
    let counts = inbox.counts().await.unwrap();
    assert_eq!((counts.of(State::Done), counts.of(State::Dead)), (32, 1));
    backend.assert_sound().await;
}

/// Why the presets of lead platforms apply what is late: the rule `skip` leaves out what only that event tells.
#[tokio::test]
async fn under_the_rule_skip_the_order_of_arrival_matters() {
    let first = sent_by_klozeo("lead.created", r#"{"id":"x","email":"a"}"#).key("x").occurred(1);
    let second = sent_by_klozeo("lead.stage_changed", r#"{"lead_id":"x","to":"won"}"#).key("x").occurred(2);
    let mut emails = Vec::new();
    for (stale, order) in [
        (StaleRule::Skip, [&first, &second]),
        (StaleRule::Skip, [&second, &first]),
        (StaleRule::Apply, [&second, &first]),
    ] {
        let mut backend = Sqlite::start();
        let rules = OrderPolicy { stale, ..OrderPolicy::default() };
        backend.inbox().set_order(vec![(Arc::from("crm"), rules)]).await.unwrap();
        let mut case = Case { backend: &mut backend, source: "crm", done: BTreeMap::new() };
        for delivery in order {
            case.arrive(vec![delivery.clone()]).await;
            let claimed = case.backend.inbox().claim(5, LEASE, at(10)).await.unwrap();
            case.run(claimed, false, 10).await;
        }
        emails.push(load(&backend.sql(), "x").fields.get("email").cloned());
    }
    assert_eq!(emails, [Some("\"a\"".to_owned()), None, Some("\"a\"".to_owned())]);
}
