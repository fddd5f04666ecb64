//! A real inbox and the model of one, side by side. Each operation is done to both, and then they must hold the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hookproof_consumer::effect::{Context, Failure, SqliteHandler};
use hookproof_consumer::event::{self, EventNo};
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{
    Budget, By, Claimed, IfStale, Inbox as _, Life as _, Operator as _, OperatorError, Purge as _, Settled,
    Terms,
};
use hookproof_consumer::ordering::OrderPolicy;
use hookproof_consumer::retry::RetryPolicy;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::cases::{Case, End, Letter, Operation, SOURCES};
use crate::contract::Model;
use crate::seen::{saw, saw_all, saw_delivery, saw_given};
use crate::snapshot;
use crate::support::{NOW, at};
use crate::work::{ATTEMPTS, FIRST_WAIT, Given};

/// Longer than all steps back together: time does not go below zero.
const START: u64 = 1_000_000;

const RETRY: RetryPolicy = RetryPolicy {
    max_attempts: ATTEMPTS,
    first: Duration::from_millis(FIRST_WAIT),
    cap: Duration::from_secs(3_600),
};
const TERMS: Terms = Terms { retry: RETRY, dice: 1.0, timeout: Duration::from_secs(30) };

/// Where the handlers of these tests write. No key: a second row of an event is seen.
const EFFECTS: &str = "CREATE TABLE effects (event INTEGER NOT NULL)";

/// A new database, made once: each case starts from a copy. In memory where there is such a folder, for only a loss of power
/// would tell the difference.
static EMPTY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = folder();
    let path = folder.path().join("empty.db");
    drop(SqliteInbox::open(SqliteOptions::new(&path)).unwrap());
    Connection::open(&path).unwrap().execute_batch(EFFECTS).unwrap();
    (folder, path)
});

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(crate) type Verdict = Result<(), String>;

/// Whether `got` is what the model says.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Verdict {
    if got == expected {
        return Ok(());
    }
    Err(format!("{what}\n     got: {got:?}\nexpected: {expected:?}"))
}

pub(crate) struct World {
    folder: TempDir,
    path: PathBuf,
    inbox: Option<SqliteInbox>,
    onlooker: Option<Connection>,
    model: Model,
    letters: Vec<Letter>,
    now: u64,
    /// Every lease that was ever given, the latest last.
    given: Vec<Claimed>,
    processes: usize,
}

/// Does the whole case. `plant` may spoil the database first, to see whether that is noticed.
pub(crate) fn check(case: &Case, plant: Option<&str>) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut world = World::new(&case.letters, plant);
    runtime.block_on(async {
        for (source, rules) in SOURCES.into_iter().zip(case.rules) {
            world.set_rules(source, rules).await;
        }
        for (step, operation) in case.operations.iter().enumerate() {
            let said = world.step(operation).await;
            said.map_err(|wrong| format!("step {} ({operation:?}): {wrong}", step + 1))?;
        }
        saw_all(&world.model);
        world.run_dry().await.map_err(|wrong| format!("afterwards: {wrong}"))
    })
}

impl World {
    fn new(letters: &[Letter], plant: Option<&str>) -> Self {
        let folder = folder();
        let path = folder.path().join("0.db");
        std::fs::copy(&EMPTY.1, &path).unwrap();
        if let Some(sql) = plant {
            Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        }
        let (letters, given) = (letters.to_vec(), Vec::new());
        let model = Model::default();
        let mut world = Self {
            folder,
            path,
            inbox: None,
            onlooker: None,
            model,
            letters,
            now: START,
            given,
            processes: 0,
        };
        world.open();
        world
    }

    fn open(&mut self) {
        let options = SqliteOptions::new(&self.path).with_young_keys(1);
        self.inbox = Some(SqliteInbox::open(options).unwrap());
        self.onlooker = Some(Connection::open(&self.path).unwrap());
    }

    fn inbox(&self) -> &SqliteInbox {
        self.inbox.as_ref().unwrap()
    }

    async fn step(&mut self, operation: &Operation) -> Verdict {
        let now = self.now;
        match operation {
            Operation::Deliver { letter, other_body } => {
                let number = letter.index(self.letters.len());
                self.deliver(number, *other_body).await?;
            }
            Operation::Claim { max, lease } => self.claim(*max, *lease).await?,
            Operation::Settle { lease, lost, end } => {
                let Some(claimed) = self.choose(lease, *lost) else { return Ok(()) };
                self.settle(claimed, *end, false).await?;
            }
            Operation::Run { lease, lost, end } => {
                let Some(claimed) = self.choose(lease, *lost) else { return Ok(()) };
                self.settle(claimed, *end, true).await?;
            }
            Operation::Extend { lease, lost, by } => {
                let Some(claimed) = self.choose(lease, *lost) else { return Ok(()) };
                let extended = self.inbox().extend(&claimed.lease, at(now + by)).await.unwrap();
                let held = self.model.held(claimed.lease.token);
                same("whether the lease was extended", &extended, &held.is_some())?;
                saw(if extended { "lease extended" } else { "lease lost" });
                if let Some(lease) = held.and_then(|event| self.model.events[event].lease.as_mut()) {
                    lease.until = now + by;
                }
            }
            Operation::Rescue => {
                let rescued = self.inbox().rescue(ATTEMPTS, at(now)).await.unwrap();
                same("what was rescued", &rescued, &self.model.rescue(Some(now)))?;
            }
            Operation::Restart { killed } => self.restart(*killed).await?,
            Operation::Replay { event, dead, anyway } => {
                let Some(event) = self.letter(event, *dead) else { return Ok(()) };
                let if_stale = if *anyway { IfStale::Apply } else { IfStale::FollowRule };
                let number = EventNo(event as i64 + 1);
                let said = self.inbox().replay(number, if_stale, By::new("ann", "why"), at(now)).await;
                said.as_ref().err().inspect(|_| saw("replay refused"));
                same("the replay", &said.map_err(not_dead), &self.model.replay(event, *anyway, now))?;
            }
            Operation::Discard { event, dead } => {
                let Some(event) = self.letter(event, *dead) else { return Ok(()) };
                let said =
                    self.inbox().discard(EventNo(event as i64 + 1), By::new("ann", "why"), at(now)).await;
                said.as_ref().err().inspect(|_| saw("discard refused"));
                same("the discard", &said.map_err(not_dead), &self.model.discard(event))?;
            }
            Operation::Rules { source, rules } => {
                self.set_rules(SOURCES[source.index(SOURCES.len())], *rules).await
            }
            Operation::Pause { source, resume } => {
                let source = SOURCES[source.index(SOURCES.len())];
                self.pause(source, *resume).await?;
            }
            Operation::Clock { by } => self.now = now.saturating_add_signed(*by),
        }
        self.compare().await
    }

    async fn deliver(&mut self, number: usize, other_body: bool) -> Verdict {
        let letter = self.letters[number];
        // No retention is set: all that it may do is to move replay keys on, and that must make no difference.
        let budget = Budget { rows: 1, time: Duration::from_secs(5) };
        let purged = self.inbox().purge(budget, at(self.now)).await.unwrap();
        same("what was purged", &purged.is_something(), &false)?;
        let incoming = letter.delivery(number, other_body, self.now).incoming();
        let accepted = self.inbox().accept(incoming).await.unwrap();
        let (event, delivery) = self.model.deliver(number, &letter, other_body, self.now);
        saw_delivery(delivery);
        same("the event", &accepted.event, &EventNo(event as i64 + 1))?;
        same("the answer to the delivery", &accepted.outcome, &delivery)
    }

    async fn claim(&mut self, max: usize, lease: u64) -> Verdict {
        let claimed = self.inbox().claim(max, Duration::from_millis(lease), at(self.now)).await.unwrap();
        let given: Vec<_> = claimed.iter().map(given).collect();
        let superseded = self.superseded();
        let newest = self.given.last().map_or(0, |claimed| claimed.lease.token);
        if given.iter().any(|given| given.token <= newest) {
            return Err(format!("a token came again: {given:?}, after {newest}"));
        }
        let Some(model) = self.model.claim(max, lease, self.now, &given, &superseded) else {
            let waiting = self.model.waiting();
            return Err(format!(
                "no order of claims leads to {given:?} with {superseded:?} passed over; first in line, and due: \
                 {waiting:?}"
            ));
        };
        self.model = model;
        given.iter().for_each(saw_given);
        self.given.extend(claimed);
        Ok(())
    }

    /// What was passed over just now.
    fn superseded(&self) -> BTreeSet<usize> {
        let all = snapshot::superseded(self.onlooker.as_ref().unwrap());
        all.into_iter().filter(|event| !self.model.events[*event].superseded).collect()
    }

    async fn settle(&mut self, claimed: Claimed, end: End, in_database: bool) -> Verdict {
        let now = self.now;
        let settled = if in_database {
            let handler = Arc::new(Writes(end));
            self.inbox().run_in_transaction(&claimed, handler, TERMS, at(now)).await.unwrap().0
        } else {
            let outcome = match failure(end) {
                None => hookproof_consumer::retry::Outcome::Done,
                Some(failure) => claimed.outcome_of(&failure, &RETRY, at(now), TERMS.dice),
            };
            self.inbox().settle(&claimed.lease, outcome, at(now)).await.unwrap()
        };
        let held = self.model.held(claimed.lease.token);
        let expected = if held.is_some() { Settled::Applied } else { Settled::LeaseLost };
        same("whether the lease was held", &settled, &expected)?;
        match held {
            Some(event) => drop(self.model.settle(event, end, in_database, now)),
            None => saw("lease lost"),
        }
        Ok(())
    }

    async fn restart(&mut self, killed: bool) -> Verdict {
        if killed {
            saw("killed");
            // What a kill leaves: the files as they are, the log not folded in.
            self.processes += 1;
            let copy = self.folder.path().join(format!("{}.db", self.processes));
            for ending in ["db", "db-wal"] {
                let file = self.path.with_extension(ending);
                if file.exists() {
                    std::fs::copy(file, copy.with_extension(ending)).unwrap();
                }
            }
            self.path = copy;
        }
        (self.inbox, self.onlooker, self.model.served) = (None, None, None);
        self.open();
        self.compare().await?;
        let recovered = self.inbox().recover_orphans(ATTEMPTS, at(self.now)).await.unwrap();
        same("what was recovered", &recovered, &self.model.rescue(None))
    }

    async fn pause(&mut self, source: &'static str, resume: bool) -> Verdict {
        let (by, now) = (By::new("ann", "why"), at(self.now));
        if resume {
            let resumed = self.inbox().resume(source, by, now).await;
            same("whether it was paused", &resumed.is_ok(), &self.model.paused.remove(source))
        } else {
            let paused = self.inbox().pause(source, by, now).await;
            saw("pause");
            same("whether it was not paused", &paused.is_ok(), &self.model.paused.insert(source))
        }
    }

    async fn set_rules(&mut self, source: &'static str, rules: OrderPolicy) {
        self.inbox().set_order(vec![(Arc::from(source), rules)]).await.unwrap();
        self.model.set_rules(source, rules);
    }

    /// A lease that is held, or one that is lost.
    fn choose(&self, index: &proptest::sample::Index, lost: bool) -> Option<Claimed> {
        let fits = |claimed: &&Claimed| self.model.held(claimed.lease.token).is_none() == lost;
        let fitting: Vec<_> = self.given.iter().filter(fits).collect();
        (!fitting.is_empty()).then(|| (*index.get(&fitting)).clone())
    }

    fn letter(&self, index: &proptest::sample::Index, dead: bool) -> Option<usize> {
        let fits = |event: &usize| !dead || self.model.events[*event].state == event::State::Dead;
        let fitting: Vec<_> = (0..self.model.events.len()).filter(fits).collect();
        (!fitting.is_empty()).then(|| *index.get(&fitting))
    }

    async fn compare(&self) -> Verdict {
        let next = self.inbox().next_due().await.unwrap().map(|due| due.as_millis() - NOW);
        same("when something is due next", &next, &self.model.next_due())?;
        snapshot::compare(self.onlooker.as_ref().unwrap(), &self.model)
    }

    /// Nothing is lost: with time, and a person for what is blocked, all of it is done or dead, in its order.
    async fn run_dry(&mut self) -> Verdict {
        for source in SOURCES {
            self.pause(source, true).await?;
            self.set_rules(source, OrderPolicy::default()).await;
        }
        while let Some(due) = self.model.next_due() {
            self.now = self.now.max(due);
            let rescued = self.inbox().rescue(ATTEMPTS, at(self.now)).await.unwrap();
            same("what was rescued", &rescued, &self.model.rescue(Some(self.now)))?;
            self.claim(100, 1_000).await?;
            self.compare().await?;
            let held = |claimed: &&Claimed| self.model.held(claimed.lease.token).is_some();
            let held: Vec<_> = self.given.iter().filter(held).cloned().collect();
            for claimed in held {
                self.settle(claimed, End::Done, true).await?;
            }
            self.compare().await?;
        }
        let unfinished: Vec<_> = self.model.events.iter().filter(|event| event.wait.is_some()).collect();
        if !unfinished.is_empty() {
            return Err(format!("nobody will ever claim {unfinished:?}"));
        }
        same("what is wrong with the store", &self.inbox().check().await.unwrap(), &Vec::new())
    }
}

fn given(claimed: &Claimed) -> Given {
    Given {
        event: claimed.event.number.0 as usize - 1,
        token: claimed.lease.token,
        until: claimed.lease.until.as_millis() - NOW,
        attempt: claimed.attempt,
        stale: claimed.stale,
        overdue: claimed.overdue,
    }
}

fn not_dead(error: OperatorError) -> event::State {
    match error {
        OperatorError::NotDead { state, .. } => state,
        other => panic!("{other}"),
    }
}

fn failure(end: End) -> Option<Failure> {
    match end {
        End::Done => None,
        End::Transient => Some(Failure::transient("down")),
        End::Permanent => Some(Failure::permanent("no")),
        End::NotReady => Some(Failure::not_ready("not yet")),
    }
}

/// Writes a row, and then comes to its end.
struct Writes(End);

impl SqliteHandler for Writes {
    fn apply(&self, tx: &Connection, event: &event::Event, _: &Context) -> Result<(), Failure> {
        tx.execute("INSERT INTO effects (event) VALUES (?1)", [event.number.0])
            .map_err(Failure::permanent)?;
        failure(self.0).map_or(Ok(()), Err)
    }
}
