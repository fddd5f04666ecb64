//! A real inbox and the model of one, side by side. Each operation is done to both, and then they must hold the same.

use std::path::PathBuf;
use std::sync::LazyLock;

use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{Claimed, Inbox as _};
use hookproof_consumer::ordering::OrderPolicy;
use proptest::sample::Index;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::cases::{Case, End, Letter, Operation, Rules, SOURCES};
use crate::contract::Model;
use crate::seen::{saw, saw_all};
use crate::snapshot;
use crate::support::{NOW, at, folder_in_memory};
use crate::work::ATTEMPTS;

/// Longer than all steps back together: time does not go below zero.
const START: u64 = 1_000_000;

/// More than are used in a comparison: none of them is prepared anew at every step.
const STATEMENTS: usize = 64;

/// Where the handlers of these tests write. No key: a second row of an event is seen.
const EFFECTS: &str = "CREATE TABLE effects (event INTEGER NOT NULL)";

/// A new database, made once: each case starts from a copy. In memory where there is such a folder, for only a loss of power
/// would tell the difference.
static EMPTY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = folder_in_memory();
    let path = folder.path().join("empty.db");
    drop(SqliteInbox::open(SqliteOptions::new(&path)).unwrap());
    Connection::open(&path).unwrap().execute_batch(EFFECTS).unwrap();
    (folder, path)
});

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
    pub(crate) onlooker: Option<Connection>,
    pub(crate) model: Model,
    pub(crate) letters: Vec<Letter>,
    pub(crate) now: u64,
    /// Every lease that was ever given, the latest last.
    pub(crate) given: Vec<Claimed>,
    processes: usize,
}

/// Does the whole case. `plant` may spoil the database first, to see whether that is noticed.
pub(crate) fn check(case: &Case, plant: Option<&str>) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut world = World::new(&case.letters, plant);
    runtime.block_on(async {
        world.configure(&case.rules.map(Some)).await?;
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
        let folder = folder_in_memory();
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
        self.inbox = Some(SqliteInbox::open(SqliteOptions::new(&self.path).with_young_keys(1)).unwrap());
        let onlooker = Connection::open(&self.path).unwrap();
        onlooker.set_prepared_statement_cache_capacity(STATEMENTS);
        self.onlooker = Some(onlooker);
    }

    pub(crate) fn inbox(&self) -> &SqliteInbox {
        self.inbox.as_ref().unwrap()
    }

    async fn step(&mut self, operation: &Operation) -> Verdict {
        match operation {
            Operation::Deliver { letter, other_body } => {
                let number = letter.index(self.letters.len());
                self.deliver(number, *other_body).await?;
            }
            Operation::Claim { max, lease } => self.claim(*max, *lease).await?,
            Operation::Settle { lease, lost, end } => self.settle_one(lease, *lost, *end, false).await?,
            Operation::Run { lease, lost, end } => self.settle_one(lease, *lost, *end, true).await?,
            Operation::Extend { lease, lost, by } => self.extend(lease, *lost, *by).await?,
            Operation::Rescue => self.rescue().await?,
            Operation::Restart { killed } => self.restart(*killed).await?,
            Operation::Replay { event, dead, anyway } => self.replay(event, *dead, *anyway).await?,
            Operation::Discard { event, dead } => self.discard(event, *dead).await?,
            Operation::Order { source, order } => self.set_order(named(source), *order).await,
            Operation::Configure { sources } => self.configure(sources).await?,
            Operation::Pause { source, resume } => self.pause(named(source), *resume).await?,
            Operation::Keep { sources, others, records } => self.keep(sources, *others, *records).await,
            Operation::Purge { rows, hurried, all } => self.purge(*rows, *hurried, *all).await?,
            Operation::Refuse { letter, other_body, sizes, limits, dropped } => {
                let number = letter.index(self.letters.len());
                self.refuse((number, *other_body), sizes, *limits, *dropped).await;
            }
            Operation::Release { request, proven } => self.release(request, *proven).await?,
            Operation::Expire { source, max_age } => self.expire(named(source), *max_age).await,
            Operation::ThrowAway { source, older } => {
                self.throw_away(source.as_ref().map(named), *older).await?;
            }
            Operation::Clock { by } => self.now = self.now.saturating_add_signed(*by),
        }
        self.compare().await
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
        self.model.forget_the_walk();
        self.open();
        self.compare().await?;
        let recovered = self.inbox().recover_orphans(ATTEMPTS, at(self.now)).await.unwrap();
        same("what was recovered", &recovered, &self.model.rescue(None, self.now))
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
        }
        self.configure(&[Some(Rules { order: OrderPolicy::default(), breaker: None }); SOURCES.len()])
            .await?;
        while let Some(due) = self.model.next_due() {
            self.now = self.now.max(due);
            self.rescue().await?;
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

/// A source that an index chooses.
fn named(index: &Index) -> &'static str {
    SOURCES[index.index(SOURCES.len())]
}
