//! Many dead letters: previews, groups, pages with bodies. And their fingerprints.

use std::time::Instant;

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::access::Access;
use super::order::OVERTAKEN;
use super::progress::Progress;
use super::read;
use super::rows::{self, from_sql};
use super::select::Conditions;
use crate::event::{DeadReason, EventNo};
use crate::fingerprint::{Fingerprint, FingerprintPrefix};
use crate::inbox::{
    DeadLetters, EventDetail, EventSummary, Filter, Group, Groups, InboxError, PAGE_BYTES, Preview,
    PreviewEntry, Selection,
};

/// Dead letters of before that are given their fingerprints in one go.
const BACKFILLED: usize = 1_000;

#[async_trait]
impl<A: Access> DeadLetters for A {
    async fn preview(&self, selection: Selection) -> Result<Preview, InboxError> {
        self.readers().read("count dead letters", move |conn| preview(conn, &selection)).await
    }

    async fn groups(&self, selection: Selection, max: usize) -> Result<Groups, InboxError> {
        self.readers().read("group dead letters", move |conn| groups(conn, &selection, max)).await
    }

    async fn groups_named(
        &self,
        prefix: FingerprintPrefix,
        max: usize,
    ) -> Result<Vec<Fingerprint>, InboxError> {
        self.readers().read("look for a group", move |conn| named(conn, &prefix, max)).await
    }

    async fn details(&self, filter: Filter) -> Result<Vec<EventDetail>, InboxError> {
        self.readers().read("read events", move |conn| details(conn, &filter)).await
    }

    async fn summary(&self, event: EventNo) -> Result<Option<EventSummary>, InboxError> {
        self.readers().read("look at an event", move |conn| read::summary(conn, event)).await
    }
}

/// The dead letters, failure by failure. Named, because the planner would rather sort them all in memory.
const BY_FAILURE: &str = "events INDEXED BY events_dead_by_failure";

fn preview(conn: &Connection, selection: &Selection) -> rusqlite::Result<Preview> {
    let which = Conditions::dead(selection);
    // A failure has one source and one reason, so there is one row for each failure to be added up, not for each dead letter.
    let sql = format!(
        "SELECT source, reason, SUM(events), SUM(overtaken), MAX(last) FROM (
             SELECT source, reason, COUNT(*) AS events, SUM({OVERTAKEN}) AS overtaken, MAX(number) AS last
             FROM {BY_FAILURE} WHERE {} GROUP BY fingerprint)
         GROUP BY source, reason ORDER BY source, reason",
        which.sql()
    );
    let mut preview = Preview::default();
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(which.values().as_slice())?;
    while let Some(row) = rows.next()? {
        preview.entries.push(PreviewEntry {
            source: row.get(0)?,
            reason: reason(row, 1)?,
            events: rows::count(row, 2)?,
            overtaken: rows::count(row, 3)?,
        });
        preview.last = preview.last.max(Some(EventNo(row.get(4)?)));
    }
    Ok(preview)
}

fn groups(conn: &Connection, selection: &Selection, max: usize) -> rusqlite::Result<Groups> {
    let which = Conditions::dead(selection);
    let sql = format!(
        "SELECT fingerprint, source, reason, events, first, last, oldest,
             (SELECT last_error FROM events WHERE number = newest), COUNT(*) OVER ()
         FROM (SELECT fingerprint, source, reason, COUNT(*) AS events, MIN(settled_at) AS first, MAX(settled_at) AS last,
                 MIN(received_at) AS oldest, MAX(number) AS newest
             FROM {BY_FAILURE} WHERE {} GROUP BY fingerprint)
         ORDER BY events DESC, fingerprint LIMIT {max}",
        which.sql()
    );
    let mut groups = Groups::default();
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(which.values().as_slice())?;
    while let Some(row) = rows.next()? {
        groups.groups.push(Group {
            fingerprint: rows::fingerprint(row, 0)?.ok_or_else(|| rows::unknown(0, "failure"))?,
            source: row.get(1)?,
            reason: reason(row, 2)?,
            events: rows::count(row, 3)?,
            first_seen: from_sql(row.get(4)?),
            last_seen: from_sql(row.get(5)?),
            oldest_received: from_sql(row.get(6)?),
            sample: row.get(7)?,
        });
        groups.total = rows::count(row, 8)?;
    }
    Ok(groups)
}

fn reason(row: &Row<'_>, column: usize) -> rusqlite::Result<DeadReason> {
    rows::reason(row, column)?.ok_or_else(|| rows::unknown(column, "reason"))
}

fn named(conn: &Connection, prefix: &FingerprintPrefix, max: usize) -> rusqlite::Result<Vec<Fingerprint>> {
    // Digits and the letters a to f: everything that begins like it comes before the same followed by a g.
    let (first, end) = (prefix.as_str(), format!("{}g", prefix.as_str()));
    conn.prepare_cached(&format!(
        "SELECT DISTINCT fingerprint FROM {BY_FAILURE} WHERE state = 'dead' AND fingerprint >= ?1 AND fingerprint < ?2
         ORDER BY fingerprint LIMIT ?3",
    ))?
    .query_map(params![first, end, rows::limit(max)], |row| {
        rows::fingerprint(row, 0)?.ok_or_else(|| rows::unknown(0, "failure"))
    })?
    .collect()
}

fn details(conn: &Connection, filter: &Filter) -> rusqlite::Result<Vec<EventDetail>> {
    let mut page = Vec::new();
    let mut bytes = 0;
    for summary in read::list(conn, filter)? {
        let detail = read::detail(conn, summary)?;
        bytes += detail.event.body.len();
        if bytes > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(detail);
    }
    Ok(page)
}

/// Gives the dead letters of before their fingerprints.
pub(super) fn backfill(conn: &Connection) -> rusqlite::Result<()> {
    let total =
        conn.query_row("SELECT COUNT(*) FROM events WHERE state = 'dead'", [], |row| rows::count(row, 0))?;
    let mut progress =
        Progress::new("finding out which dead letters are of one failure", total, Instant::now());
    let mut last = i64::MIN;
    loop {
        let dead: Vec<(i64, Fingerprint)> = conn
            .prepare_cached(
                "SELECT number, source, reason, last_error FROM events WHERE state = 'dead' AND number > ?1
                 ORDER BY number LIMIT ?2",
            )?
            .query_map(params![last, BACKFILLED as i64], |row| {
                let (source, error): (String, Option<String>) = (row.get(1)?, row.get(3)?);
                Ok((row.get(0)?, Fingerprint::of(&source, reason(row, 2)?, &error.unwrap_or_default())))
            })?
            .collect::<Result<_, _>>()?;
        let Some((number, _)) = dead.last() else {
            return Ok(());
        };
        last = *number;
        let mut update = conn.prepare_cached("UPDATE events SET fingerprint = ?2 WHERE number = ?1")?;
        for (number, fingerprint) in &dead {
            update.execute(params![number, fingerprint.as_str()])?;
        }
        progress.add(dead.len() as u64, Instant::now());
    }
}
