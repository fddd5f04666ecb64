//! The one thread that writes.
//!
//! Whatever has queued up while the last transaction was synced goes into the next one: under load, hundreds of events share
//! one sync. Each job has a savepoint of its own, so that a failing one takes nobody along. Replies leave after the commit.
//!
//! When a transaction as a whole is lost through one job's fault (an interrupted handler, a handler whose rows break a deferred
//! constraint), all jobs of the batch run again, each in a transaction of its own. So a job must be able to run twice; what it
//! wrote the first time is gone. When it is lost through the disk's fault, every job gets the error, and the connection is
//! dropped and opened again: after a failed sync nobody knows what its cache is worth.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::fence::Fence;
use super::job::{Job, WorkError};
use super::mailbox::Mailbox;
use super::open::{self, OpenError, Ownership};
use super::options::SqliteOptions;
use super::thread::Worker;

/// How long to wait after a failure to reopen the database: this much, doubling, up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How long a start waits for other processes that read or write the database.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// The writer thread. Dropping it finishes what is queued and waits for the thread, as long as [`Worker`] does.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) mailbox: Arc<Mailbox>,
    worker: Worker,
}

impl Writer {
    pub(super) fn start(
        options: SqliteOptions,
        fence: Fence,
        ownership: Option<Arc<Ownership>>,
    ) -> Result<Self, OpenError> {
        let conn = first(&options, &fence)?;
        let mailbox = Arc::new(Mailbox::new(options.accept_queue));
        let desk = Desk {
            mailbox: Arc::clone(&mailbox),
            options,
            fence,
            conn: Some(conn),
            pause: FIRST_PAUSE,
            _ownership: ownership,
        };
        let worker = Worker::start("inbox-writer", move || desk.serve());
        let worker = worker
            .map_err(|error| OpenError::Database { doing: "start the writer", reason: error.to_string() })?;
        Ok(Self { mailbox, worker })
    }
}

/// The connection to begin with. Somebody's report on a large store ends sometime: a start outlives it.
fn first(options: &SqliteOptions, fence: &Fence) -> Result<Connection, OpenError> {
    let end = Instant::now() + START_PATIENCE;
    loop {
        match open::writer(options, fence) {
            Err(OpenError::Busy) if Instant::now() < end => {
                tracing::warn!("waiting to start: another process is reading or writing the database");
                std::thread::park_timeout(FIRST_PAUSE);
            }
            opened => return opened,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.mailbox.close();
        self.worker.wait();
    }
}

struct Desk {
    mailbox: Arc<Mailbox>,
    options: SqliteOptions,
    fence: Fence,
    conn: Option<Connection>,
    pause: Duration,
    /// Given up when the connection is closed, however long that takes: nobody else may write until then.
    _ownership: Option<Arc<Ownership>>,
}

impl Desk {
    fn serve(mut self) {
        // Callers must not wait for ever for a thread that is gone.
        let _closes = CloseOnDrop(Arc::clone(&self.mailbox));
        while let Some(mut batch) = self.mailbox.take(self.options.max_batch) {
            let reopened = self.run(&mut batch);
            batch.into_iter().for_each(Job::reply);
            if !reopened {
                self.mailbox.pause(self.pause);
                self.pause = self.pause.saturating_mul(2).min(MAX_PAUSE);
            }
        }
    }

    /// Runs the jobs and leaves a result in each. `false`: there is no connection, and the disk needs time.
    fn run(&mut self, batch: &mut [Box<dyn Job>]) -> bool {
        let conn = match self.conn.take().map_or_else(|| open::writer(&self.options, &self.fence), Ok) {
            Ok(conn) => conn,
            Err(error) => {
                tracing::error!(%error, "the inbox cannot be reopened");
                fail_all(batch, &error.to_string());
                return false;
            }
        };
        self.pause = FIRST_PAUSE;
        match run_batch(&conn, batch) {
            Health::Sound => self.conn = Some(conn),
            Health::Suspect => tracing::error!("the inbox's connection is dropped and opened again"),
        }
        true
    }
}

struct CloseOnDrop(Arc<Mailbox>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close_and_clear();
    }
}

/// Whether a connection can be used again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Sound,
    Suspect,
}

/// How a transaction ended.
enum Ended {
    Committed,
    /// Lost through the fault of a job, which can run again and knows why.
    Spoiled(String),
    /// Lost through the fault of the store.
    Failed(String, Health),
}

fn run_batch(conn: &Connection, batch: &mut [Box<dyn Job>]) -> Health {
    match transaction(conn, batch, None) {
        Ended::Committed => Health::Sound,
        Ended::Failed(reason, health) => {
            fail_all(batch, &reason);
            health
        }
        Ended::Spoiled(_) => run_each_alone(conn, batch),
    }
}

fn run_each_alone(conn: &Connection, batch: &mut [Box<dyn Job>]) -> Health {
    let mut rest = batch.iter_mut();
    for job in rest.by_ref() {
        if run_alone(conn, job) == Health::Suspect {
            // What this connection says from now on is worth nothing.
            rest.for_each(|job| job.fail("the database failed under another job"));
            return Health::Suspect;
        }
    }
    Health::Sound
}

/// A job that spoils its own transaction is told why, and may then write something else instead.
fn run_alone(conn: &Connection, job: &mut Box<dyn Job>) -> Health {
    let mut refused: Option<String> = None;
    for _ in 0..3 {
        match transaction(conn, std::slice::from_mut(job), refused.as_deref()) {
            Ended::Committed => return Health::Sound,
            Ended::Spoiled(reason) => refused = Some(reason),
            Ended::Failed(reason, health) => {
                job.fail(&reason);
                return health;
            }
        }
    }
    job.fail(&refused.unwrap_or_default());
    Health::Sound
}

fn transaction(conn: &Connection, batch: &mut [Box<dyn Job>], refused: Option<&str>) -> Ended {
    if let Err(error) = conn.execute_batch("BEGIN IMMEDIATE") {
        return Ended::Failed(error.to_string(), health_after(&error));
    }
    for job in batch.iter_mut() {
        if let Err(error) = run_job(conn, job.as_mut(), refused) {
            roll_back(conn);
            return match error {
                WorkError::Again(reason) => Ended::Spoiled(reason),
                other => Ended::Failed(other.to_string(), Health::Suspect),
            };
        }
    }
    match conn.execute_batch("COMMIT") {
        Ok(()) => Ended::Committed,
        Err(error) => {
            roll_back(conn);
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                Ended::Spoiled(error.to_string())
            } else {
                Ended::Failed(error.to_string(), Health::Suspect)
            }
        }
    }
}

/// Runs one job under its savepoint. `Err` only if the transaction is lost; a job's own failure is the job's result.
fn run_job(conn: &Connection, job: &mut dyn Job, refused: Option<&str>) -> Result<(), WorkError> {
    conn.execute_batch("SAVEPOINT job")?;
    let ran = catch_unwind(AssertUnwindSafe(|| job.run(conn, refused)))
        .unwrap_or(Err(WorkError::Broken("the writer's job panicked")));
    if conn.is_autocommit() {
        // SQLite has rolled back everything, not only this job.
        return Err(ran.err().unwrap_or(WorkError::Broken("the transaction is gone")));
    }
    if let Err(error) = ran {
        job.fail(&error.to_string());
        conn.execute_batch("ROLLBACK TO job")?;
    }
    conn.execute_batch("RELEASE job")?;
    Ok(())
}

fn roll_back(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(error) = conn.execute_batch("ROLLBACK")
    {
        tracing::warn!(%error, "a rollback failed");
    }
}

fn fail_all(batch: &mut [Box<dyn Job>], reason: &str) {
    batch.iter_mut().for_each(|job| job.fail(reason));
}

/// Waiting in vain for another process says nothing against the connection.
fn health_after(error: &rusqlite::Error) -> Health {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Health::Sound,
        _ => Health::Suspect,
    }
}

#[cfg(test)]
mod tests;
