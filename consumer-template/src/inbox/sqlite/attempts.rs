//! Claiming, settling and rescuing: the life of an attempt.

use std::sync::Arc;
use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::job::WorkError;
use super::lanes;
use super::rows::{self, Note, shortened, to_sql};
use crate::event::{DeadReason, EventNo, Step};
use crate::inbox::{Claimed, Lease, Rescued, Settled};
use crate::retry::Outcome;

/// Leases that one rescue takes back: the writer has other things to do.
const RESCUES: usize = 1_000;

const LOST: &str = "the worker did not come back: the lease ended";

pub(super) fn claim(
    conn: &Connection,
    max: usize,
    lease: Duration,
    now: UnixTime,
) -> Result<Vec<Claimed>, WorkError> {
    lanes::due(conn, max, now)?
        .into_iter()
        .map(|(lane, event)| start(conn, lane, event, lease, now))
        .collect()
}

/// Opens an attempt. Counted here and not at its end: a handler that kills the process has had it.
fn start(
    conn: &Connection,
    lane: i64,
    event: EventNo,
    lease: Duration,
    now: UnixTime,
) -> Result<Claimed, WorkError> {
    let attempt = attempts(conn, event)? + 1;
    rows::must_change(conn, event, Step::Claim, Note { attempts: Some(attempt), ..Note::default() }, now)?;
    let token: i64 = conn
        .prepare_cached("INSERT INTO attempts (event, attempt, started_at) VALUES (?1, ?2, ?3) RETURNING id")?
        .query_row(params![event.0, attempt, to_sql(now)], |row| row.get(0))?;
    let lease = lanes::lease(conn, lane, event, token, lease, now)?;
    Ok(Claimed { event: Arc::new(rows::load(conn, event)?), lease, attempt })
}

fn attempts(conn: &Connection, event: EventNo) -> Result<u32, WorkError> {
    let attempts = conn
        .prepare_cached("SELECT attempts FROM events WHERE number = ?1")?
        .query_row([event.0], |row| row.get(0))?;
    Ok(attempts)
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
        Outcome::Dead { error, .. } => ("dead", Some(error.as_str())),
    };
    end_attempt(conn, lease, name, error, now)?;
    let event = lease.event;
    match outcome {
        Outcome::Done => {
            rows::must_change(conn, event, Step::Complete, Note::default(), now)?;
            lanes::take_out(conn, lane, event)?;
        }
        Outcome::Retry { at, .. } => {
            rows::must_change(conn, event, Step::Retry, Note { error, ..Note::default() }, now)?;
            lanes::give_back(conn, lane, event, *at)?;
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
    lanes::take_out(conn, lane, event)
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
        if attempts(conn, lease.event)? >= max_attempts {
            bury(conn, lane, lease.event, DeadReason::AttemptsExhausted, Some(LOST), now)?;
            rescued.dead += 1;
        } else {
            let note = Note { error: Some(LOST), ..Note::default() };
            rows::must_change(conn, lease.event, Step::Retry, note, now)?;
            lanes::give_back(conn, lane, lease.event, now)?;
            rescued.retried += 1;
        }
    }
    Ok(rescued)
}
