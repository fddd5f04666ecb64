//! Settling and rescuing: how an attempt ends.

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::breaker;
use super::job::WorkError;
use super::lanes::{self, Standing};
use super::order;
use super::rows::{self, Note, to_sql};
use crate::clock::later;
use crate::event::{DeadReason, EventNo, Step};
use crate::fingerprint::shortened;
use crate::inbox::{Lease, Rescued, Settled};
use crate::ordering::{OnFailure, OrderPolicy};
use crate::retry::Outcome;

/// Leases that one rescue takes back: the writer has other things to do.
const RESCUES: usize = 1_000;

/// What a handler says of its version is cut to this many characters.
const VERSION_CHARS: usize = 100;

const LOST: &str = "the worker did not come back: the lease ended";

/// The attempts of `event` that count.
pub(super) fn counted(conn: &Connection, event: EventNo) -> Result<u32, WorkError> {
    let attempts = conn
        .prepare_cached("SELECT attempts FROM events WHERE number = ?1")?
        .query_row([event.0], |row| row.get(0))?;
    Ok(attempts)
}

/// A handler's version as it is noted with an attempt.
pub(super) fn shown(version: &str) -> String {
    version.chars().take(VERSION_CHARS).collect()
}

pub(super) fn settle(
    conn: &Connection,
    lease: &Lease,
    outcome: &Outcome,
    now: UnixTime,
) -> Result<Settled, WorkError> {
    let Some(lane) = lanes::held(conn, lease)? else {
        return Ok(Settled::LeaseLost);
    };
    let (name, error) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Retry { error, .. } => ("retry", Some(error.as_str())),
        Outcome::NotReady { error } => ("not_ready", Some(error.as_str())),
        Outcome::Dead { error, .. } => ("dead", Some(error.as_str())),
    };
    end_attempt(conn, lease, name, error, now)?;
    let event = lease.event;
    match outcome {
        Outcome::Done => {
            rows::must_change(conn, event, Step::Complete, Note::default(), now)?;
            order::note_applied(conn, event)?;
            breaker::note(conn, &lanes::source(conn, lane)?.0, false, now)?;
            lanes::take_out_done(conn, lane, event, now)?;
        }
        Outcome::Retry { at, .. } => {
            rows::must_change(conn, event, Step::Retry, Note { error, ..Note::default() }, now)?;
            let others_pass = rules(conn, lane)?.is_some_and(|rules| rules.on_failure == OnFailure::Skip);
            let standing = if others_pass { Standing::Beside } else { Standing::InLine };
            lanes::give_back(conn, lane, event, standing, *at)?;
        }
        Outcome::NotReady { .. } => {
            let attempts = Some(counted(conn, event)?.saturating_sub(1));
            rows::must_change(conn, event, Step::Wait, Note { error, attempts, ..Note::default() }, now)?;
            forget_earlier_waits(conn, lease)?;
            let rules = order::policy(conn, &lanes::source(conn, lane)?.0)?;
            let deadline = later(now, rules.not_ready_deadline);
            lanes::park(conn, lane, event, deadline)?;
        }
        Outcome::Dead { reason, .. } => bury(conn, lane, event, *reason, error, now)?,
    }
    Ok(Settled::Applied)
}

fn bury(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    reason: DeadReason,
    error: Option<&str>,
    now: UnixTime,
) -> Result<(), WorkError> {
    let note = Note { reason: Some(reason), error, attempts: None };
    rows::must_change(conn, event, Step::Bury, note, now)?;
    block_if_parking(conn, lane, event)?;
    if reason.is_of_its_handler() {
        breaker::note(conn, &lanes::source(conn, lane)?.0, true, now)?;
    }
    lanes::take_out(conn, lane, event)
}

/// Makes the siblings of `event`, which has just died, wait for a person if that is their rule.
pub(super) fn block_if_parking(conn: &Connection, lane: i64, event: EventNo) -> Result<(), WorkError> {
    match rules(conn, lane)? {
        Some(OrderPolicy { on_failure: OnFailure::Park, .. }) => lanes::block(conn, lane, event),
        _ => Ok(()),
    }
}

/// The rules of a lane with an ordering key. Without one there are no siblings, and rules about them mean nothing.
fn rules(conn: &Connection, lane: i64) -> Result<Option<OrderPolicy>, WorkError> {
    let (source, keyed) = lanes::source(conn, lane)?;
    Ok(if keyed { Some(order::policy(conn, &source)?) } else { None })
}

/// Every sibling that is done wakes an event that is not ready: of all its attempts that came to nothing, the last one tells enough.
fn forget_earlier_waits(conn: &Connection, lease: &Lease) -> Result<(), WorkError> {
    conn.prepare_cached("DELETE FROM attempts WHERE event = ?1 AND id < ?2 AND outcome = 'not_ready'")?
        .execute(params![lease.event.0, lease.token])?;
    Ok(())
}

fn end_attempt(
    conn: &Connection,
    lease: &Lease,
    outcome: &str,
    error: Option<&str>,
    now: UnixTime,
) -> Result<(), WorkError> {
    let ended = conn
        .prepare_cached(
            "UPDATE attempts SET ended_at = ?2, outcome = ?3, error = ?4 WHERE id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![lease.token, to_sql(now), outcome, error.map(shortened)])?;
    if ended == 1 { Ok(()) } else { Err(WorkError::Broken("an attempt ended twice")) }
}

/// Takes back the leases that ended by `now`; all of them if it is `None`.
pub(super) fn rescue(
    conn: &Connection,
    expired_by: Option<UnixTime>,
    max_attempts: u32,
    now: UnixTime,
) -> Result<Rescued, WorkError> {
    let max = if expired_by.is_some() { RESCUES } else { usize::MAX };
    let mut rescued = Rescued::default();
    for lease in lanes::expired(conn, expired_by, max)? {
        let lane = lanes::held(conn, &lease)?.ok_or(WorkError::Broken("a lease without a lane"))?;
        end_attempt(conn, &lease, "lost", Some(LOST), now)?;
        if counted(conn, lease.event)? >= max_attempts {
            bury(conn, lane, lease.event, DeadReason::AttemptsExhausted, Some(LOST), now)?;
            rescued.dead += 1;
        } else {
            let note = Note { error: Some(LOST), ..Note::default() };
            rows::must_change(conn, lease.event, Step::Retry, note, now)?;
            lanes::take_back(conn, lane)?;
            rescued.retried += 1;
        }
    }
    Ok(rescued)
}
