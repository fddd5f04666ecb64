//! A worker that wakes when its lease is long gone, while its successor works or has worked: it changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use hookproof_consumer::clock::{Clock as _, ManualClock};
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher, End};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers, SqliteHandler};
use hookproof_consumer::event::{DeadReason, Event, EventNo, State};
use hookproof_consumer::inbox::sqlite::SqliteInbox;
use hookproof_consumer::inbox::{Claimed, Inbox as _, Operator as _, Rescued, Settled, Terms};
use hookproof_consumer::retry::{Outcome, RetryPolicy};
use support::{LEASE, Sqlite, accept, at, claim_one, sent};
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ATTEMPTS: u32 = 5;
const TERMS: Terms = Terms {
    retry: RetryPolicy { max_attempts: ATTEMPTS, first: LEASE, cap: LEASE },
    dice: 0.5,
    timeout: LEASE,
};

/// Writes a row that says who wrote it.
struct Writes {
    who: &'static str,
    ran: Arc<AtomicUsize>,
}

impl SqliteHandler for Writes {
    fn apply(&self, tx: &rusqlite::Connection, event: &Event, _: &Context) -> Result<(), Failure> {
        self.ran.fetch_add(1, SeqCst);
        tx.execute("INSERT INTO effects VALUES (?1, ?2)", (event.number.0, self.who))
            .map_err(Failure::permanent)?;
        Ok(())
    }
}

async fn run(inbox: &SqliteInbox, claimed: &Claimed, who: &'static str, ran: &Arc<AtomicUsize>) -> Settled {
    let handler = Arc::new(Writes { who, ran: Arc::clone(ran) });
    inbox.run_in_transaction(claimed, handler, TERMS, at(60_002)).await.unwrap().0
}

fn backend() -> Sqlite {
    let backend = Sqlite::start();
    backend.sql().execute_batch("CREATE TABLE effects (event INTEGER NOT NULL, who TEXT NOT NULL)").unwrap();
    backend
}

fn effects(backend: &Sqlite, event: EventNo) -> Vec<String> {
    let conn = backend.sql();
    let mut statement = conn.prepare("SELECT who FROM effects WHERE event = ?1").unwrap();
    let rows = statement.query_map([event.0], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// All that a stale worker may try, at the same time. Each attempt must be told that the lease is lost.
async fn haunt(inbox: Arc<SqliteInbox>, stale: Claimed, ran: Arc<AtomicUsize>, together: Arc<Barrier>) {
    let mut tasks = JoinSet::new();
    let lease = stale.lease;
    let error = || "stale".to_owned();
    let outcomes = [
        Outcome::Done,
        Outcome::Retry { at: at(1), error: error() },
        Outcome::NotReady { error: error() },
        Outcome::Dead { reason: DeadReason::Permanent, error: error() },
    ];
    for outcome in outcomes {
        let (inbox, together) = (Arc::clone(&inbox), Arc::clone(&together));
        tasks.spawn(async move {
            together.wait().await;
            assert_eq!(inbox.settle(&lease, outcome, at(60_002)).await.unwrap(), Settled::LeaseLost);
        });
    }
    let (extending, extends) = (Arc::clone(&inbox), Arc::clone(&together));
    tasks.spawn(async move {
        extends.wait().await;
        assert!(!extending.extend(&lease, at(9_999_999)).await.unwrap());
    });
    tasks.spawn(async move {
        together.wait().await;
        assert_eq!(run(&inbox, &stale, "stale", &ran).await, Settled::LeaseLost);
    });
    tasks.join_all().await;
}

/// Tasks of [`haunt`].
const HAUNTING: usize = 6;

/// The successor is running and settles at that very moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stale_worker_changes_nothing_while_its_successor_works() {
    let backend = backend();
    for round in 0..60 {
        let event = accept(backend.inbox(), &sent(round).key("a")).await;
        let stale = claim_one(backend.inbox(), at(0)).await;
        assert_eq!(backend.inbox().rescue(ATTEMPTS, at(60_000)).await.unwrap().retried, 1);
        let successor = claim_one(backend.inbox(), at(60_000)).await;
        let (ran, together) = (Arc::default(), Arc::new(Barrier::new(HAUNTING + 1)));
        let haunting = tokio::spawn(haunt(backend.shared(), stale, Arc::clone(&ran), Arc::clone(&together)));
        together.wait().await;
        if round % 2 == 0 {
            assert!(backend.inbox().extend(&successor.lease, at(200_000)).await.unwrap());
        }
        let settled = run(backend.inbox(), &successor, "successor", &ran).await;
        haunting.await.unwrap();
        assert_eq!(settled, Settled::Applied, "round {round}");
        assert_eq!((effects(&backend, event), ran.load(SeqCst)), (vec!["successor".to_owned()], 1));
        let detail = backend.inbox().show(event).await.unwrap().unwrap();
        let ended: Vec<_> =
            detail.attempts.iter().map(|attempt| attempt.outcome.as_deref().unwrap()).collect();
        assert_eq!((detail.summary.state, ended), (State::Done, vec!["lost", "done"]), "round {round}");
        assert_eq!(
            detail.summary.last_error.as_deref(),
            Some("the worker did not come back: the lease ended")
        );
    }
    backend.assert_sound().await;
}

/// The successor is done already, or dead, or waits for its retry.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stale_worker_changes_nothing_after_its_successor_worked() {
    let backend = backend();
    let ends = [
        (Outcome::Done, State::Done),
        (Outcome::Dead { reason: DeadReason::Permanent, error: "no".to_owned() }, State::Dead),
        (Outcome::Retry { at: at(600_000), error: "down".to_owned() }, State::Pending),
    ];
    for (n, (outcome, state)) in ends.into_iter().enumerate() {
        let event = accept(backend.inbox(), &sent(n).key(n)).await;
        let stale = claim_one(backend.inbox(), at(0)).await;
        backend.inbox().rescue(ATTEMPTS, at(60_000)).await.unwrap();
        let successor = claim_one(backend.inbox(), at(60_000)).await;
        backend.inbox().settle(&successor.lease, outcome, at(60_001)).await.unwrap();
        let before = format!("{:?}", backend.inbox().show(event).await.unwrap());
        let (ran, together) = (Arc::default(), Arc::new(Barrier::new(HAUNTING)));
        haunt(backend.shared(), stale, Arc::clone(&ran), together).await;
        let after = backend.inbox().show(event).await.unwrap();
        assert_eq!(after.as_ref().unwrap().summary.state, state);
        assert_eq!(format!("{after:?}"), before);
        assert_eq!((effects(&backend, event), ran.load(SeqCst)), (Vec::new(), 0));
    }
    backend.assert_sound().await;
}

/// The lease ends at the very moment at which its holder settles: one of the two has the event, never both.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_settles_when_it_is_rescued_wins_or_loses_as_a_whole() {
    let backend = backend();
    let mut won = 0;
    for round in 0..200 {
        let event = accept(backend.inbox(), &sent(round).key("a")).await;
        let late = claim_one(backend.inbox(), at(0)).await;
        let ran = Arc::default();
        let rescue = backend.inbox().rescue(ATTEMPTS, at(60_000));
        let run_late = run(backend.inbox(), &late, "late", &ran);
        // Whose request is there first, changes from round to round.
        let (rescued, late) = if round % 2 == 0 {
            tokio::join!(rescue, run_late)
        } else {
            let (late, rescued) = tokio::join!(run_late, rescue);
            (rescued, late)
        };
        let rescued = rescued.unwrap();
        match late {
            Settled::Applied => assert_eq!(rescued, Rescued::default()),
            Settled::LeaseLost => {
                assert_eq!(rescued, Rescued { retried: 1, dead: 0 });
                let successor = claim_one(backend.inbox(), at(60_000)).await;
                assert_eq!(run(backend.inbox(), &successor, "successor", &ran).await, Settled::Applied);
            }
        }
        won += usize::from(late == Settled::Applied);
        let who = if late == Settled::Applied { "late" } else { "successor" };
        assert_eq!((effects(&backend, event), ran.load(SeqCst)), (vec![who.to_owned()], 1), "round {round}");
    }
    assert!(0 < won && won < 200, "the late worker won {won} rounds: nothing was decided");
    backend.assert_sound().await;
}

/// Waits for its release in its first run, and counts its runs.
#[derive(Default)]
struct Sleeper {
    runs: AtomicUsize,
    asleep: Notify,
    wake: Notify,
}

#[async_trait]
impl Handler for Sleeper {
    async fn handle(&self, _: &Event, context: &Context) -> Result<(), Failure> {
        self.runs.fetch_add(1, SeqCst);
        if context.attempt > 1 {
            return Ok(());
        }
        self.asleep.notify_one();
        self.wake.notified().await;
        Err(Failure::permanent("the stale worker's verdict"))
    }
}

/// Two dispatchers on one inbox, one of which has slept too long: its verdict is not recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_that_slept_too_long_does_not_settle_what_another_has_done() {
    let (backend, sleeper) = (Sqlite::start(), Arc::new(Sleeper::default()));
    let clock = Arc::new(ManualClock::at(at(0)));
    let dispatcher = || {
        let handlers = Handlers::new(Effect::Outside(sleeper.clone()));
        Dispatcher::new(backend.shared(), handlers, DispatchConfig::default(), clock.clone())
    };
    let (mut first, mut second) = (dispatcher(), dispatcher());
    let event = accept(backend.inbox(), &sent("msg_1").key("a")).await;
    assert_eq!(first.run_once(clock.now()).await.unwrap().started, 1);
    timeout(LEASE, sleeper.asleep.notified()).await.unwrap();
    clock.advance(LEASE + Duration::from_millis(1));
    let report = second.run_once(clock.now()).await.unwrap();
    assert_eq!((report.rescued.retried, report.started), (1, 1));
    assert_eq!(second.idle().await[0].end, End::Settled(Outcome::Done));
    sleeper.wake.notify_one();
    assert_eq!(first.idle().await[0].end, End::LeaseLost);
    let detail = backend.inbox().show(event).await.unwrap().unwrap();
    assert_eq!(
        (detail.summary.state, detail.summary.reason, sleeper.runs.load(SeqCst)),
        (State::Done, None, 2)
    );
}
