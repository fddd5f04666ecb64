//! Reading the audit log.

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::access::Access;
use super::rows::{self, from_sql, to_sql};
use super::select::Conditions;
use crate::event::EventNo;
use crate::inbox::{AuditEntry, AuditFilter, AuditLog, InboxError, page_size};

#[async_trait]
impl<A: Access> AuditLog for A {
    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, InboxError> {
        self.readers().read("read the audit log", move |conn| page(conn, &filter)).await
    }
}

fn page(conn: &Connection, filter: &AuditFilter) -> rusqlite::Result<Vec<AuditEntry>> {
    let AuditFilter { event, source, actor, action, since, until, before, limit } = filter.clone();
    let mut which = Conditions::default();
    which.and("event = :event", ":event", event.map(|EventNo(number)| number));
    which.and("source = :source", ":source", source);
    which.and("actor = :actor", ":actor", actor);
    which.and("action = :action", ":action", action);
    which.and("at >= :since", ":since", since.map(to_sql));
    which.and("at < :until", ":until", until.map(to_sql));
    which.and("id < :before", ":before", before);
    which.name(":limit", rows::limit(page_size(limit, AuditFilter::MAX_LIMIT)));
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE {} ORDER BY id DESC LIMIT :limit", which.sql());
    conn.prepare_cached(&sql)?.query_map(which.values().as_slice(), entry)?.collect()
}

/// All lines about an event, the oldest first.
pub(super) fn of_event(conn: &Connection, event: EventNo) -> rusqlite::Result<Vec<AuditEntry>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE event = ?1 ORDER BY id"))?
        .query_map([event.0], entry)?
        .collect()
}

const COLUMNS: &str = "id, at, event, source, actor, action, why";

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.get(0)?,
        at: from_sql(row.get(1)?),
        event: row.get::<_, Option<i64>>(2)?.map(EventNo),
        source: row.get(3)?,
        actor: row.get(4)?,
        action: row.get(5)?,
        why: row.get(6)?,
    })
}
