//! Running a handler inside the transaction that settles its event.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hookproof::UnixTime;
use rusqlite::Connection;

use super::attempts;
use super::fence::Fence;
use super::job::WorkError;
use super::lanes;
use crate::effect::{Context, SqliteHandler};
use crate::inbox::{Claimed, Settled, Terms};
use crate::retry::{Failure, Outcome};

const LATE: &str = "handler exceeded the transaction timeout";

/// One event's handler, which may have to run again when somebody else's fault costs it its transaction.
pub(super) struct Run {
    pub(super) claimed: Claimed,
    pub(super) context: Context,
    pub(super) handler: Arc<dyn SqliteHandler>,
    pub(super) terms: Terms,
    pub(super) fence: Fence,
    pub(super) now: UnixTime,
    /// What this handler did wrong in a transaction that it took down. It is not run again, only settled.
    pub(super) fault: Option<Failure>,
}

impl Run {
    pub(super) fn run(
        &mut self,
        conn: &Connection,
        refused: Option<&str>,
    ) -> Result<(Settled, Outcome), WorkError> {
        if let Some(reason) = refused {
            let text = || format!("the handler's rows were refused at commit: {reason}");
            self.fault.get_or_insert_with(|| Failure::Transient(text()));
        }
        // A handler whose lease is lost must not run at all: its successor's effects are, or will be, the ones that count.
        if lanes::held(conn, &self.claimed.lease)?.is_none() {
            return Ok((Settled::LeaseLost, Outcome::Done));
        }
        let outcome = match self.apply(conn)? {
            Ok(()) => Outcome::Done,
            Err(failure) => self.claimed.outcome_of(&failure, &self.terms.retry, self.now, self.terms.dice),
        };
        let settled = attempts::settle(conn, &self.claimed.lease, &outcome, self.now)?;
        Ok((settled, outcome))
    }

    /// Runs the handler under a savepoint, and undoes what it wrote if it fails.
    fn apply(&mut self, conn: &Connection) -> Result<Result<(), Failure>, WorkError> {
        if let Some(fault) = &self.fault {
            return Ok(Err(fault.clone()));
        }
        conn.execute_batch("SAVEPOINT effect")?;
        let closed = self.fence.close(self.terms.timeout);
        let ran =
            catch_unwind(AssertUnwindSafe(|| self.handler.apply(conn, &self.claimed.event, &self.context)));
        let interrupted = closed.has_interrupted();
        drop(closed);
        let mut result = ran.unwrap_or_else(|_| Err(Failure::transient("handler panicked")));
        if interrupted && result.is_err() {
            result = Err(Failure::transient(LATE));
        }
        if conn.is_autocommit() {
            // SQLite undoes the whole transaction when it interrupts a statement that writes.
            let fault = result.err().unwrap_or_else(|| Failure::transient(LATE));
            let reason = fault.text().to_owned();
            self.fault = Some(fault);
            return Err(WorkError::Again(reason));
        }
        if result.is_err() {
            conn.execute_batch("ROLLBACK TO effect")?;
        }
        conn.execute_batch("RELEASE effect")?;
        Ok(result)
    }
}
