//! Writing to the audit log: the table `audit`, to which lines are only ever added.

use hookproof::UnixTime;
use rusqlite::{Connection, params};

use super::job::WorkError;
use super::rows::to_sql;
use crate::event::EventNo;
use crate::inbox::By;

/// What somebody did something to.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Event(EventNo),
    Source(&'a str),
}

/// Adds a line, in the transaction of what it tells of.
pub(super) fn note(
    conn: &Connection,
    about: About<'_>,
    action: &str,
    by: &By,
    now: UnixTime,
) -> Result<(), WorkError> {
    let By { actor, why } = by;
    let added = match about {
        About::Event(event) => conn
            .prepare_cached(
                "INSERT INTO audit (at, source, event, actor, action, why)
                     SELECT ?1, source, number, ?3, ?4, ?5 FROM events WHERE number = ?2",
            )?
            .execute(params![to_sql(now), event.0, actor, action, why])?,
        About::Source(source) => conn
            .prepare_cached("INSERT INTO audit (at, source, actor, action, why) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![to_sql(now), source, actor, action, why])?,
    };
    if added == 1 { Ok(()) } else { Err(WorkError::Broken("a line of the audit log about no event")) }
}
