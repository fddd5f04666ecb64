//! The HTTP edge: from a socket to a row on disk, and back to a status.
//!
//! [`listener`] bounds what a connection may cost; [`router`] finds the source by its exact path and puts its [`door`], the
//! library's `VerifyLayer`, before it; [`accept`] hands the proof to the inbox and waits for the commit; [`answer`] is the one table
//! that turns the outcome into a status. [`serving`] exchanges all of it while connections are open.

pub mod accept;
pub mod answer;
pub mod door;
pub mod listener;
pub mod router;
pub mod serving;
