//! The tables `leads` and `lead_fields`: how a change is merged, and how a lead is read.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::change::{Change, Kind};

/// A lead, as far as its events tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// When it was created, if an event said so.
    pub created_at: Option<i64>,
    /// The time of its latest event.
    pub updated_at: i64,
    /// Whether it is deleted.
    pub deleted: bool,
    /// How many events were applied.
    pub events_applied: i64,
    /// Its fields, as JSON text.
    pub fields: BTreeMap<String, String>,
}

impl Lead {
    /// All leads, by source and id, each with its key.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load_all(conn: &Connection) -> rusqlite::Result<Vec<(String, String, Self)>> {
        let mut keys = conn.prepare_cached("SELECT source, lead_id FROM leads ORDER BY source, lead_id")?;
        let keys = keys.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut leads = Vec::new();
        for key in keys {
            let (source, lead_id) = key?;
            if let Some(lead) = Self::load(conn, &source, &lead_id)? {
                leads.push((source, lead_id, lead));
            }
        }
        Ok(leads)
    }

    /// The lead with that id, if an event named it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load(conn: &Connection, source: &str, lead_id: &str) -> rusqlite::Result<Option<Self>> {
        let lead = conn
            .prepare_cached(
                "SELECT created_at, updated_at, deleted, events_applied FROM leads WHERE source = ?1 AND lead_id = ?2",
            )?
            .query_row([source, lead_id], |row| {
                Ok(Self {
                    created_at: row.get(0)?,
                    updated_at: row.get(1)?,
                    deleted: row.get(2)?,
                    events_applied: row.get(3)?,
                    fields: BTreeMap::new(),
                })
            })
            .optional()?;
        let Some(mut lead) = lead else {
            return Ok(None);
        };
        let mut statement =
            conn.prepare_cached("SELECT field, value FROM lead_fields WHERE source = ?1 AND lead_id = ?2")?;
        let fields = statement.query_map([source, lead_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        lead.fields = fields.collect::<Result<_, _>>()?;
        Ok(Some(lead))
    }
}

/// Merges `change` into what is known. The order of merges does not matter.
pub(super) fn merge(conn: &Connection, source: &str, change: &Change) -> rusqlite::Result<()> {
    let at = i64::try_from(change.at.as_millis()).unwrap_or(i64::MAX);
    let when = |kind| (change.kind == kind).then_some(at);
    conn.prepare_cached(
        "INSERT INTO leads (source, lead_id, created_at, updated_at, deleted_at, restored_at, events_applied)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
         ON CONFLICT (source, lead_id) DO UPDATE SET
             created_at = MIN(COALESCE(created_at, excluded.created_at), COALESCE(excluded.created_at, created_at)),
             updated_at = MAX(updated_at, excluded.updated_at),
             deleted_at = MAX(COALESCE(deleted_at, excluded.deleted_at), COALESCE(excluded.deleted_at, deleted_at)),
             restored_at = MAX(COALESCE(restored_at, excluded.restored_at), COALESCE(excluded.restored_at, restored_at)),
             events_applied = events_applied + 1",
    )?
    .execute(params![
        source,
        change.lead_id,
        when(Kind::Created),
        at,
        when(Kind::Deleted),
        when(Kind::Restored)
    ])?;
    let mut field = conn.prepare_cached(
        "INSERT INTO lead_fields (source, lead_id, field, value, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (source, lead_id, field) DO UPDATE SET value = excluded.value, at = excluded.at
             WHERE (excluded.at, excluded.value) > (lead_fields.at, lead_fields.value)",
    )?;
    for (name, value) in &change.fields {
        field.execute(params![source, change.lead_id, name, value, at])?;
    }
    Ok(())
}
