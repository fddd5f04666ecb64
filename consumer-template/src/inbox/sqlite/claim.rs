//! Claiming: whose turn it is, which event comes first, and what is passed over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::attempts;
use super::breaker;
use super::job::WorkError;
use super::lanes::{self, First};
use super::life;
use super::order;
use super::rows::{self, Note, to_sql};
use crate::effect::Versions;
use crate::event::{DeadReason, Step};
use crate::inbox::Claimed;
use crate::ordering::{AtDeadline, StaleRule};

/// Events that one claim takes back into line, or passes over. The writer has other things to do; the next claim goes on.
const SWEPT: usize = 1_000;

/// The source that was served last. In memory only: after a restart the turns begin anew, and nobody has lost anything.
#[derive(Debug, Default)]
pub(super) struct Turn(Mutex<Option<String>>);

impl Turn {
    /// `sources`, which are sorted, beginning with the one after that which was served last.
    fn order(&self, mut sources: Vec<String>) -> VecDeque<String> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_deref() {
            let served = sources.partition_point(|source| source.as_str() <= last);
            sources.rotate_left(served);
        }
        sources.into()
    }

    fn served(&self, source: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(source.to_owned());
    }
}

pub(super) fn claim(
    conn: &Connection,
    max: usize,
    lease: Duration,
    now: UnixTime,
    turn: &Turn,
    versions: Option<&dyn Versions>,
) -> Result<Vec<Claimed>, WorkError> {
    bring_back(conn, now)?;
    let mut turns = turn.order(lanes::sources(conn)?);
    let mut claimed = Vec::new();
    let mut to_pass_over = SWEPT;
    while claimed.len() < max
        && let Some(source) = turns.pop_front()
    {
        if let Some((lane, first)) = next_of(conn, &source, &mut to_pass_over, now)? {
            claimed.push(start(conn, (&source, lane, &first), lease, now, versions)?);
            turn.served(&source);
            turns.push_back(source);
        }
    }
    Ok(claimed)
}

/// The next event of `source` that is to run. What its stale rule passes over is done on the way.
fn next_of(
    conn: &Connection,
    source: &str,
    to_pass_over: &mut usize,
    now: UnixTime,
) -> Result<Option<(i64, First)>, WorkError> {
    while let Some(lane) = lanes::due(conn, source, now)? {
        let first = lanes::first(conn, lane)?;
        let skipped =
            first.stale && !first.even_if_stale && order::policy(conn, source)?.stale == StaleRule::Skip;
        if !skipped {
            return Ok(Some((lane, first)));
        }
        if *to_pass_over == 0 {
            return Ok(None);
        }
        *to_pass_over -= 1;
        rows::must_change(conn, first.event, Step::Supersede, Note::default(), now)?;
        lanes::take_away(conn, lane, first.event)?;
    }
    Ok(None)
}

/// Opens an attempt. Counted here and not at its end: a handler that kills the process has had it.
fn start(
    conn: &Connection,
    (source, lane, first): (&str, i64, &First),
    lease: Duration,
    now: UnixTime,
    versions: Option<&dyn Versions>,
) -> Result<Claimed, WorkError> {
    let event = first.event;
    let attempt = attempts::counted(conn, event)? + 1;
    rows::must_change(conn, event, Step::Claim, Note { attempts: Some(attempt), ..Note::default() }, now)?;
    let claimed = Arc::new(rows::load(conn, event)?);
    let handler = versions.map(|versions| attempts::shown(&versions.of(&claimed)));
    let token: i64 = conn
        .prepare_cached(
            "INSERT INTO attempts (event, attempt, started_at, handler) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        )?
        .query_row(params![event.0, attempt, to_sql(now), handler], |row| row.get(0))?;
    let lease = lanes::lease(conn, lane, event, token, lease, now)?;
    let stale = first.stale && order::policy(conn, source)?.stale != StaleRule::Apply;
    let overdue = first.ready_by.is_some_and(|by| by <= now);
    Ok(Claimed { event: claimed, lease, attempt, stale, overdue })
}

/// Takes back into line what stood beside it until now: retries that let others pass, and what was not ready until its deadline.
fn bring_back(conn: &Connection, now: UnixTime) -> Result<(), WorkError> {
    for beside in lanes::beside(conn, SWEPT, now)? {
        let event = beside.event;
        let source = &beside.source;
        if beside.parked
            && order::policy(conn, source)?.at_deadline == AtDeadline::Dead
            // What it waits for cannot run while its source is paused: no reason to die.
            && !life::is_paused(conn, source)?
        {
            let note = Note { reason: Some(DeadReason::Deadline), ..Note::default() };
            rows::must_change(conn, event, Step::Expire, note, now)?;
            attempts::block_if_parking(conn, beside.lane, event)?;
            lanes::take_away(conn, beside.lane, event)?;
            breaker::note(conn, source, true, now)?;
            tracing::warn!(%event, reason = %DeadReason::Deadline, "dead letter");
        } else {
            lanes::back_in_line(conn, beside.lane, event)?;
        }
    }
    Ok(())
}
