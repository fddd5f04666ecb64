//! Running handlers on events: claim, run, settle, and take back what got stuck.
//!
//! [`Dispatcher::run`] is a thin loop: it wakes when something arrives, when something is due, when a handler ends, and at least once
//! per [`poll`](DispatchConfig::poll) (a person may have replayed an event from another process). All the work is in
//! [`Dispatcher::run_once`], which returns a report, and is what tests call.
//!
//! - At most [`concurrency`](DispatchConfig::concurrency) handlers run at a time, and at most one per ordering key.
//! - An outside handler runs on a thread of its own. A panic, an overrun of its timeout and a returned failure are all the same
//!   to the event: a failed attempt. What a panic said is not kept: it may quote the payload. One that blocks its thread past its
//!   timeout is left behind there; see [`Stuck`] for how long that may go on.
//! - After a start that found running events, the first attempts run one at a time: whatever ended the process before shall cost
//!   only itself its attempts.
//! - While it runs, its lease is extended every third of the lease's length. If the lease is lost, the handler is dropped.
//! - On stop nothing more is claimed, running handlers have [`drain`](DispatchConfig::drain) to finish, and what is left is cut off and
//!   settled as a failed attempt.
//!
//! What it does is changed between two rounds ([`Control`]): an event is run by the handler that was there when it was claimed.
//! Beside it the [`Sweeper`] takes away what the inbox need not keep any longer, a little at a time.
//!
//! Handlers with effects in the database run inside the inbox instead: see
//! [`Inbox::run_in_transaction`](crate::inbox::Inbox::run_in_transaction).

mod attempt;
mod change;
mod config;
mod dispatcher;
mod stuck;
mod sweep;

pub use attempt::{End, Finished};
pub use change::{Control, Processing};
pub use config::DispatchConfig;
pub use dispatcher::{Dispatcher, Report};
pub use stuck::Stuck;
pub use sweep::{PIECE, Sweeper};
