//! The inbox in one SQLite file: for one machine, with nothing to install beside it.
//!
//! # What it guarantees, and how
//!
//! - **Durable.** Write-ahead log, `synchronous=FULL`: a commit is on the disk before it is answered. Every connection is asked at
//!   start whether that is how it is set; a file system or build that says otherwise is refused by name ([`OpenError`]).
//! - **One writer.** One thread owns the one connection that writes, and commits what has queued up in one transaction per sync.
//!   So there is no lock to wait for between our own tasks, and nothing to race: dedup and state changes are serial.
//! - **One owner.** A lock file beside the database makes a second server on the same file an error at start, not a second
//!   worker. Commands for operators ([`SqliteOperator`]) need no lock and may run beside the server.
//! - **Hot and cold apart.** What is to be done is in two small tables (`lanes`, `queue`) that are as large as the backlog, not as the
//!   history. A claim is a few index look-ups however many events there are. The replay keys that came last are apart from the old
//!   ones, so that an accept reads no page that nobody has looked at for long.
//!
//! # What it does not
//!
//! The file must be on a local disk: network file systems do not keep SQLite's promises. The disk itself must honour a sync.
//! A handler's transaction holds the only writer, hence [`SqliteHandler`](crate::effect::SqliteHandler)s must be quick.

mod accept;
mod access;
mod answers;
mod attempts;
mod audit;
mod audit_log;
mod backend;
mod breaker;
mod check;
mod claim;
mod dead;
mod deliveries;
mod effects;
mod fence;
mod filter;
mod job;
mod lanes;
mod life;
mod mailbox;
mod old_keys;
mod open;
mod operator;
mod options;
mod order;
mod progress;
mod purge;
mod quarantine;
mod read;
mod refusals;
mod room;
mod rows;
mod select;
mod storage;
mod thread;
mod traffic;
mod upkeep;
mod writer;

pub use backend::SqliteInbox;
pub use open::OpenError;
pub use operator::SqliteOperator;
pub use options::SqliteOptions;
