//! Opening connections: every one is configured, and then asked whether it believes so.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use super::dead;
use super::fence::Fence;
use super::options::SqliteOptions;

/// The first SQLite version without the bug that can corrupt a database when its write-ahead log is reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Marks the file as ours, for `file(1)` and for whoever finds it.
const APPLICATION_ID: i32 = 0x486f_6f6b;

/// The log is cut back to this many bytes after a burst.
const WAL_BYTES: i64 = 64 * 1024 * 1024;

/// Of the connection that writes, in KiB. The replay keys that came last have room in it, see `old_keys`.
const WRITER_CACHE: i64 = 16 * 1024;

/// From one try of an operator to get the lock to the next, and how many there are: ten seconds of them at least.
const BETWEEN_TRIES: Duration = Duration::from_millis(1);
const OPERATOR_TRIES: i32 = 10_000;

/// Statements kept prepared on each connection: more than there are in this folder.
const PREPARED: usize = 128;

/// The schema, one step per file, your own tables included. A step that was released is never edited: add another one.
const MIGRATIONS: [&str; 10] = [
    include_str!("../../../migrations/0001_init.sql"),
    include_str!("../../../migrations/0002_leads.sql"),
    include_str!("../../../migrations/0003_ordering.sql"),
    include_str!("../../../migrations/0004_life.sql"),
    include_str!("../../../migrations/0005_dead_letters.sql"),
    include_str!("../../../migrations/0006_lead_facts.sql"),
    include_str!("../../../migrations/0007_refused.sql"),
    include_str!("../../../migrations/0008_retention.sql"),
    include_str!("../../../migrations/0009_refused_by_minute.sql"),
    include_str!("../../../migrations/0010_old_replay_keys.sql"),
];

/// What a step does that SQL cannot, right after its file; by the number of the file. It knows the schema as of that step.
type Fill = fn(&Connection) -> rusqlite::Result<()>;
const FILLS: [(usize, Fill); 1] = [(5, dead::backfill)];

/// Why an inbox could not be opened. All of these are for whoever operates the service.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Caused by a build against a system library.
    #[error("SQLite {found} can corrupt databases; {OLDEST_SQLITE} or newer is needed")]
    SqliteTooOld {
        /// The version that this program is linked with.
        found: i32,
    },
    /// Caused by a second server on the same file.
    #[error("another process owns {}: one server per database", path.display())]
    Owned {
        /// The lock file.
        path: PathBuf,
    },
    /// Caused by the file system: a missing folder, permissions.
    #[error("could not open {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Caused by a file system or a build that does not do what durability needs.
    #[error("SQLite setting {setting} is {found}, and must be {wanted}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// Caused by another process that reads or writes for long, such as a report on a large store: wait for it.
    #[error(
        "could not put the write-ahead log on the disk: another process is reading or writing the database"
    )]
    Busy,
    /// Caused by a downgrade.
    #[error(
        "the database has schema version {found}, this program knows {known}: it was written by a newer one"
    )]
    SchemaTooNew {
        /// The database's version.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// Caused by a command on a database that no server of this version has opened yet.
    #[error(
        "the database has schema version {found} and needs {known}: start the server once to bring it up to date"
    )]
    SchemaTooOld {
        /// The database's version.
        found: usize,
        /// The version that is needed.
        known: usize,
    },
    /// Caused by the database: not one, damaged, or on a failing disk.
    #[error("could not {doing}: {reason}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        reason: String,
    },
}

fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> OpenError {
    move |error| OpenError::Database { doing, reason: error.to_string() }
}

/// Holds the lock that makes this process the owner of a database. Released when dropped, also by the death of the process.
#[derive(Debug)]
pub(super) struct Ownership {
    _lock: File,
}

impl Ownership {
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let file = private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Owned { path }),
            Err(TryLockError::Error(error)) => Err(OpenError::File { path, reason: error.to_string() }),
        }
    }
}

/// Creates `path` for this user alone if it is not there: it holds other people's data.
fn private_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| OpenError::File { path: path.to_owned(), reason: error.to_string() })
}

/// Creates the database if it is not there, and brings its schema up to date. Only for the owner.
pub(super) fn create(options: &SqliteOptions) -> Result<(), OpenError> {
    let found = rusqlite::version_number();
    if found < OLDEST_SQLITE {
        return Err(OpenError::SqliteTooOld { found });
    }
    drop(private_file(&options.path)?);
    let mut conn = connect(options)?;
    migrate(&mut conn)?;
    // The new files' names must survive a power loss as well as their contents.
    let folder = options.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| OpenError::File { path: folder.to_owned(), reason: error.to_string() })
}

fn migrate(conn: &mut Connection) -> Result<(), OpenError> {
    let doing = "bring the schema up to date";
    // A step that builds a table anew takes it away from under the rows that refer to it. They are checked at the end, and
    // this connection is not used for anything else.
    set(conn, "foreign_keys", false, 0)?;
    let tx =
        conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(database(doing))?;
    let found = version(&tx)?;
    let known = MIGRATIONS.len();
    let Some(steps) = MIGRATIONS.get(found..) else {
        return Err(OpenError::SchemaTooNew { found, known });
    };
    for (number, step) in (found + 1..).zip(steps) {
        tx.execute_batch(step).map_err(database(doing))?;
        for (_, fill) in FILLS.iter().filter(|(of, _)| *of == number) {
            fill(&tx).map_err(database(doing))?;
        }
    }
    if !steps.is_empty()
        && tx
            .prepare("PRAGMA foreign_key_check")
            .and_then(|mut check| check.exists([]))
            .map_err(database(doing))?
    {
        return Err(OpenError::Database {
            doing,
            reason: "rows refer to rows that are not there".to_owned(),
        });
    }
    tx.pragma_update(None, "user_version", known as i64).map_err(database(doing))?;
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(database(doing))?;
    tx.commit().map_err(database(doing))
}

fn version(conn: &Connection) -> Result<usize, OpenError> {
    let version: u32 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(database("read the schema version"))?;
    Ok(version as usize)
}

/// Refuses a database that the owner has not brought to this version.
pub(super) fn assert_current(conn: &Connection) -> Result<(), OpenError> {
    let found = version(conn)?;
    let known = MIGRATIONS.len();
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Err(OpenError::SchemaTooOld { found, known }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(OpenError::SchemaTooNew { found, known }),
    }
}

/// The owner's connection that writes. `fence` keeps handlers from meddling with its transactions.
pub(super) fn writer(options: &SqliteOptions, fence: &Fence) -> Result<Connection, OpenError> {
    let mut conn = connect(options)?;
    // Negative: not in pages.
    set(&conn, "cache_size", -WRITER_CACHE, -WRITER_CACHE)?;
    sync_log(&conn)?;
    fence.install(&mut conn).map_err(database("install the fence around handlers"))?;
    Ok(conn)
}

/// Puts everything that the log holds on the disk, or fails.
///
/// After a failed sync, or a crash between a write and its sync, the log holds events that we can read and a power loss would
/// take. To take such an event for stored, and its redelivery for a duplicate, is to acknowledge what is not on the disk. And
/// syncing the log again proves nothing: after an error the system may have forgotten what it did not write. So its content is
/// written anew, into the database, and synced there.
fn sync_log(conn: &Connection) -> Result<(), OpenError> {
    let doing = "put the write-ahead log on the disk";
    let busy: i64 =
        conn.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0)).map_err(database(doing))?;
    if busy == 0 {
        return Ok(());
    }
    Err(OpenError::Busy)
}

/// An operator's connection that writes. It has more patience than the owner: nobody waits with it.
pub(super) fn operator(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let mut conn = connect(options)?;
    conn.busy_handler(Some(insist)).map_err(database("wait for the writer"))?;
    Ok(conn)
}

/// A server that is busy takes the lock again a moment after it let it go. SQLite itself tries ten times a second: it would hardly
/// ever meet that moment, and give up.
fn insist(tried: i32) -> bool {
    std::thread::park_timeout(BETWEEN_TRIES);
    tried < OPERATOR_TRIES
}

/// A connection that reads. Opened for writing, because a reader must be able to recover the log after a crash.
pub(super) fn reader(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let conn = connect(options)?;
    set(&conn, "query_only", true, 1)?;
    Ok(conn)
}

/// Opens and configures. Does not create: only the owner does.
fn connect(options: &SqliteOptions) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&options.path, flags)
        .map_err(|error| OpenError::File { path: options.path.clone(), reason: error.to_string() })?;
    conn.busy_timeout(options.busy_timeout).map_err(database("set busy_timeout"))?;
    conn.set_prepared_statement_cache_capacity(PREPARED);
    let mode: String = conn
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(database("set journal_mode"))?;
    if mode != "wal" {
        return Err(OpenError::Setting { setting: "journal_mode", found: mode, wanted: "wal".to_owned() });
    }
    let synchronous = options.synchronous as i64;
    set(&conn, "synchronous", synchronous, synchronous)?;
    set(&conn, "foreign_keys", true, 1)?;
    // What a savepoint would restore is kept in memory. In a file it is a third of all writes, outside of the database's folder.
    set(&conn, "temp_store", 2, 2)?;
    // Else a statement is planned anew whenever another value is bound to it, in the hope of statistics that are never taken.
    let stable = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    if !conn.set_db_config(stable, true).map_err(database("keep query plans"))? {
        let (found, wanted) = ("off".to_owned(), "on".to_owned());
        return Err(OpenError::Setting { setting: "query planner stability", found, wanted });
    }
    // A write through a memory map bypasses the error reporting that durability rests on.
    conn.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).map_err(database("set mmap_size"))?;
    check(&conn, "mmap_size", 0)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))
        .map_err(database("set journal_size_limit"))?;
    Ok(conn)
}

fn set(
    conn: &Connection,
    setting: &'static str,
    value: impl rusqlite::ToSql,
    wanted: i64,
) -> Result<(), OpenError> {
    conn.pragma_update(None, setting, value).map_err(database("change a setting"))?;
    check(conn, setting, wanted)
}

fn check(conn: &Connection, setting: &'static str, wanted: i64) -> Result<(), OpenError> {
    let found: i64 =
        conn.pragma_query_value(None, setting, |row| row.get(0)).map_err(database("read a setting"))?;
    if found == wanted {
        return Ok(());
    }
    Err(OpenError::Setting { setting, found: found.to_string(), wanted: wanted.to_string() })
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("a.db"));
        create(&options).unwrap();
        let conn = writer(&options, &Fence::new()).unwrap();
        // As a claim does, with a time that is another one each time.
        let mut statement = conn
            .prepare(
                "SELECT id FROM lanes WHERE running IS NULL AND blocked = 0 AND source = ?1 AND due_at <= ?2
                 ORDER BY due_at LIMIT 1",
            )
            .unwrap();
        for now in 0..10 {
            assert!(!statement.exists(("crm", now)).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
