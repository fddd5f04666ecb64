//! The writer under faults that no caller can cause from outside.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::SqliteInbox;
use super::super::fence::Fence;
use super::super::job::{Job, Task, WorkError};
use super::super::mailbox::Slot;
use super::super::open::{self, OpenError};
use super::super::options::SqliteOptions;
use super::Writer;
use crate::inbox::InboxError;

type Answer<T> = tokio::sync::oneshot::Receiver<Result<T, InboxError>>;

/// What is left behind may still write: nobody else may, until it has ended.
#[test]
fn the_database_is_owned_as_long_as_somebody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("inbox.db"));
    let mut inbox = SqliteInbox::open(options.clone()).unwrap();
    inbox.writer.worker.patience = Duration::from_millis(50);
    let (go, wait) = channel::<()>();
    let hold = move |_: &Connection, _: Option<&str>| {
        let _ = wait.recv();
        Ok(())
    };
    inbox.hand_over("test", hold).unwrap();
    drop(inbox);
    let opened = SqliteInbox::open(options.clone());
    assert!(matches!(opened, Err(OpenError::Owned { .. })), "{opened:?}");
    drop(go);
    let began = Instant::now();
    while SqliteInbox::open(options.clone()).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "it is never given up");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// An event that is claimed for nobody would have had an attempt.
#[test]
fn what_is_only_for_who_asked_is_not_done_when_they_have_gone() {
    let bench = bench();
    let go = bench.occupy();
    let note = |n: i64| {
        move |conn: &Connection, _: Option<&str>| Ok(conn.execute("INSERT INTO notes (n) VALUES (?1)", [n])?)
    };
    let ((gone, answer), (waits, waiting)) = (Task::new("test", note(1)), Task::new("test", note(2)));
    drop(answer);
    for task in [gone, waits] {
        bench.writer.mailbox.push(Slot::Control, Box::new(task.while_wanted())).unwrap();
    }
    drop(go);
    assert_eq!(waiting.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(bench.notes(), [2]);
}

struct Bench {
    folder: TempDir,
    writer: Writer,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("inbox.db"));
    open::create(&options).unwrap();
    let writer = Writer::start(options, Fence::new(), None).unwrap();
    let bench = Bench { folder, writer };
    let created = bench.push(|conn, _| Ok(conn.execute_batch("CREATE TABLE notes (n INTEGER)")?));
    created.blocking_recv().unwrap().unwrap();
    bench
}

impl Bench {
    fn push<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, Option<&str>) -> Result<T, WorkError> + Send + 'static,
    ) -> Answer<T> {
        let (task, answer) = Task::new("test", work);
        self.writer.mailbox.push(Slot::Control, Box::new(task)).unwrap();
        answer
    }

    fn note(&self, n: i64) -> Answer<usize> {
        self.push(move |conn, _| Ok(conn.execute("INSERT INTO notes (n) VALUES (?1)", [n])?))
    }

    /// Keeps the writer busy until the sender is dropped, so that what follows is one batch.
    fn occupy(&self) -> Sender<()> {
        let (go, wait) = channel::<()>();
        drop(self.push(move |_, _| {
            let _ = wait.recv();
            Ok(())
        }));
        go
    }

    fn notes(&self) -> Vec<i64> {
        let notes = self.push(|conn, _| {
            let mut statement = conn.prepare("SELECT n FROM notes ORDER BY n")?;
            let notes = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(notes)
        });
        notes.blocking_recv().unwrap().unwrap()
    }
}

fn text<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    answer.blocking_recv().unwrap().unwrap_err().to_string()
}

/// Drops it on a thread of its own; tells when that is done.
fn dropped(writer: Writer) -> Receiver<()> {
    let (done, told) = channel();
    std::thread::spawn(move || {
        drop(writer);
        done.send(())
    });
    told
}

/// What is queued is finished; what does not come back is left behind.
#[test]
fn the_last_owner_waits_for_what_is_queued_but_not_for_ever() {
    let bench = bench();
    let (go, path) = (bench.occupy(), bench.folder.path().join("inbox.db"));
    drop(bench.note(1));
    let Bench { folder, writer } = bench;
    let dropped = dropped(writer);
    let still = dropped.recv_timeout(Duration::from_millis(50));
    assert_eq!(still, Err(RecvTimeoutError::Timeout), "something is queued");
    drop(go);
    dropped.recv().unwrap();
    let noted = Connection::open(&path).unwrap().query_row("SELECT n FROM notes", [], |row| row.get(0));
    assert_eq!(noted, Ok(1));
    drop(folder);

    let held = self::bench();
    let _until_the_end = held.occupy();
    let Bench { folder: _folder, mut writer } = held;
    let (patience, began) = (Duration::from_millis(300), Instant::now());
    writer.worker.patience = patience;
    assert_eq!(self::dropped(writer).recv_timeout(Duration::from_secs(30)), Ok(()), "it waits for ever");
    assert!(began.elapsed() >= patience, "it waited for {:?} only", began.elapsed());
}

#[test]
fn a_failing_or_panicking_job_is_undone_alone() {
    let bench = bench();
    let go = bench.occupy();
    let before = bench.note(1);
    let failing = bench.push(|conn, _| -> Result<(), _> {
        conn.execute("INSERT INTO notes (n) VALUES (100)", [])?;
        Err(WorkError::Broken("on purpose"))
    });
    let panicking = bench.push(|conn, _| -> Result<(), _> {
        conn.execute("INSERT INTO notes (n) VALUES (101)", [])?;
        panic!("on purpose")
    });
    let after = bench.note(2);
    drop(go);
    assert_eq!(before.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(text(failing), "could not test: on purpose");
    assert_eq!(text(panicking), "could not test: the writer's job panicked");
    assert_eq!(after.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(bench.notes(), [1, 2]);
}

#[test]
fn when_the_transaction_is_lost_nobody_is_told_otherwise_and_the_next_one_works() {
    let bench = bench();
    let go = bench.occupy();
    let before = bench.note(1);
    let culprit = bench.push(|conn, _| -> Result<(), _> { Ok(conn.execute_batch("ROLLBACK")?) });
    let after = bench.note(2);
    drop(go);
    for answer in [text(before), text(culprit), text(after)] {
        assert_eq!(answer, "could not test: the transaction is gone");
    }
    assert_eq!(bench.note(3).blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(bench.notes(), [3]);
}

#[test]
fn what_a_reopened_connection_finds_in_the_log_is_put_on_the_disk_first() {
    let bench = bench();
    let path = bench.folder.path().join("inbox.db");
    // A reader keeps the log from being folded in when the writer's connection is dropped.
    let reader = Connection::open(&path).unwrap();
    let tables = || -> i64 { reader.query_row("SELECT COUNT(*) FROM notes", [], |row| row.get(0)).unwrap() };
    bench.note(1).blocking_recv().unwrap().unwrap();
    let without_log = || {
        let copy = bench.folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let notes = Connection::open(&copy)
            .unwrap()
            .query_row("SELECT COUNT(*) FROM notes", [], |row| row.get::<_, i64>(0));
        notes.unwrap_or(0)
    };
    assert_eq!((tables(), without_log()), (1, 0), "it is in the log only");
    let lost = bench.push(|conn, _| -> Result<(), _> { Ok(conn.execute_batch("ROLLBACK")?) });
    assert_eq!(text(lost), "could not test: the transaction is gone");
    // A duplicate writes nothing, so no commit of its own would sync what it relies on.
    assert_eq!(bench.notes(), [1]);
    assert_eq!(without_log(), 1);
}

#[test]
fn a_full_disk_is_an_error_and_what_comes_when_there_is_space_is_stored() {
    let bench = bench();
    let limit = |pages: i64| {
        let limited = bench.push(move |conn, _| {
            Ok(conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
        });
        limited.blocking_recv().unwrap().unwrap();
    };
    let fill = || {
        bench.push(|conn, _| {
            conn.execute_batch("CREATE TABLE blobs (b BLOB)")?;
            Ok(conn.execute("INSERT INTO blobs (b) VALUES (zeroblob(100000))", [])?)
        })
    };
    limit(1);
    assert_eq!(text(fill()), "could not test: database or disk is full");
    limit(1_000_000);
    assert_eq!(fill().blocking_recv().unwrap().unwrap(), 1);
}

#[test]
fn a_database_that_cannot_be_reopened_is_an_error_until_it_can() {
    let bench = bench();
    let (path, away) = (bench.folder.path().join("inbox.db"), bench.folder.path().join("away.db"));
    bench.note(1).blocking_recv().unwrap().unwrap();
    let lost = bench.push(move |conn, _| -> Result<(), _> {
        // Everything into the main file, so that it can be moved.
        conn.execute_batch("ROLLBACK; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    });
    assert_eq!(text(lost), "could not test: the transaction is gone");
    std::fs::rename(&path, &away).unwrap();
    assert!(text(bench.note(2)).starts_with("could not test: could not open "));
    assert!(text(bench.note(3)).starts_with("could not test: could not open "));
    std::fs::rename(&away, &path).unwrap();
    let begun = Instant::now();
    assert_eq!(bench.note(4).blocking_recv().unwrap().unwrap(), 1);
    assert!(begun.elapsed() < Duration::from_secs(3), "it does not wait for ever");
    assert_eq!(bench.notes(), [1, 4]);
}

#[test]
fn closing_finishes_what_is_queued() {
    let bench = bench();
    let go = bench.occupy();
    let queued: Vec<_> = (0..50).map(|n| bench.note(n)).collect();
    let Bench { folder, writer } = bench;
    let mailbox = Arc::clone(&writer.mailbox);
    let closing = std::thread::spawn(move || drop(writer));
    drop(go);
    closing.join().unwrap();
    assert!(queued.into_iter().all(|answer| answer.blocking_recv().unwrap().is_ok()));
    let (task, _) = Task::new("test", |_: &Connection, _: Option<&str>| Ok(()));
    let refused = mailbox.push(Slot::Control, Box::new(task)).unwrap_err();
    assert!(matches!(refused, InboxError::Closed), "{refused}");
    drop(folder);
}

/// A fault in the writer itself, outside of what a job does.
struct Fatal;

impl Job for Fatal {
    fn run(&mut self, _: &Connection, _: Option<&str>) -> Result<(), WorkError> {
        Ok(())
    }

    fn fail(&mut self, _: &str) {}

    fn reply(self: Box<Self>) {
        panic!("the writer has a fault");
    }
}

#[test]
fn nobody_waits_for_a_writer_that_has_broken_off() {
    let mut bench = bench();
    let go = bench.occupy();
    bench.writer.mailbox.push(Slot::Control, Box::new(Fatal)).unwrap();
    let queued = bench.note(1);
    drop(go);
    assert!(queued.blocking_recv().is_err(), "its caller is told that nobody will answer");
    assert!(bench.writer.worker.thread.take().unwrap().join().is_err(), "it has broken off");
    let (task, _) = Task::new("test", |_: &Connection, _: Option<&str>| Ok(()));
    let refused = bench.writer.mailbox.push(Slot::Control, Box::new(task)).unwrap_err();
    assert!(matches!(refused, InboxError::Closed), "{refused}");
}

impl SqliteInbox {
    /// Has the writer break off.
    pub(crate) fn break_off(&self) {
        self.writer.mailbox.push(Slot::Control, Box::new(Fatal)).unwrap();
    }
}
