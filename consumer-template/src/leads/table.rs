//! The tables: `lead_facts`, which is the book, and `leads`, which is what it comes to.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::change::Change;
use super::lead::Lead;
use super::model::{Book, Key, Kind, Said, Stamp, Weight};

/// Joins what `change` says into the book of `source`, and writes the leads anew that this changes.
pub(super) fn apply(conn: &Connection, source: &str, change: Change) -> rusqlite::Result<()> {
    let mut book = Book::default();
    let mut known = BTreeSet::new();
    for lead in change.book.leads() {
        // Of a group, whoever is asked for brings all.
        if !known.contains(&lead) {
            let group = load_group(conn, source, &lead)?;
            known.extend(group.leads());
            book.join(group);
        }
    }
    if change.lead.is_none() {
        book.join(load_group(conn, source, "")?);
    }
    let news = book.join(change.book);
    let regrouped = news.iter().any(|key| key.kind == Kind::Merged);
    for key in news {
        if let Some(said) = book.get(&key) {
            write_fact(conn, source, &key, said)?;
        }
    }
    for (id, lead) in Lead::all(&book) {
        let applied = i64::from(change.lead.as_ref() == Some(&id));
        // Where a lead went changes with its group only.
        if lead.merged_into.is_some() && applied == 0 && !regrouped {
            continue;
        }
        write_lead(conn, source, &id, &Lead { events_applied: applied, ..lead })?;
    }
    Ok(())
}

/// What was said of a lead and of all with which it was merged; under the empty id, the events that name no lead.
pub(super) fn load_group(conn: &Connection, source: &str, lead: &str) -> rusqlite::Result<Book> {
    let mut facts = conn.prepare_cached(
        "WITH RECURSIVE merged (lead_id) AS (
             SELECT ?2
             UNION SELECT name FROM lead_facts JOIN merged USING (lead_id) WHERE source = ?1 AND kind = 'merged'
             UNION SELECT lead_facts.lead_id FROM lead_facts JOIN merged ON name = merged.lead_id
                 WHERE source = ?1 AND kind = 'merged')
         SELECT lead_id, kind, name, weight, at, sequence, event, value FROM lead_facts
             WHERE source = ?1 AND lead_id IN (SELECT lead_id FROM merged)",
    )?;
    let mut book = Book::default();
    let mut rows = facts.query([source, lead])?;
    while let Some(row) = rows.next()? {
        let (key, said) = fact(row)?;
        book.note(key, said);
    }
    Ok(book)
}

fn fact(row: &Row<'_>) -> rusqlite::Result<(Key, Said)> {
    let strange = |column, what: &str| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("unknown {what}").into())
    };
    let kind = Kind::parse(row.get_ref(1)?.as_str()?).ok_or_else(|| strange(1, "kind"))?;
    let weight = Weight::from_number(row.get(3)?).ok_or_else(|| strange(3, "weight"))?;
    let stamp = Stamp { at: row.get(4)?, sequence: row.get(5)?, event: row.get(6)? };
    let key = Key { lead: row.get(0)?, kind, name: row.get(2)? };
    Ok((key, Said { weight, stamp, value: row.get(7)? }))
}

fn write_fact(conn: &Connection, source: &str, key: &Key, said: &Said) -> rusqlite::Result<()> {
    let Stamp { at, sequence, event } = &said.stamp;
    let kind = key.kind.as_str();
    conn.prepare_cached(
        "INSERT INTO lead_facts (source, lead_id, kind, name, weight, at, sequence, event, value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (source, lead_id, kind, name) DO UPDATE SET weight = excluded.weight, at = excluded.at,
             sequence = excluded.sequence, event = excluded.event, value = excluded.value",
    )?
    .execute(params![
        source,
        key.lead,
        kind,
        key.name,
        said.weight as i64,
        at,
        sequence,
        event,
        said.value
    ])?;
    Ok(())
}

/// `events_applied` is added to what it was.
fn write_lead(conn: &Connection, source: &str, id: &str, lead: &Lead) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO leads (source, lead_id, merged_into, created_at, updated_at, deleted, outcome, fields, scores, notes,
             forms, events_applied)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (source, lead_id) DO UPDATE SET merged_into = excluded.merged_into, created_at = excluded.created_at,
             updated_at = excluded.updated_at, deleted = excluded.deleted, outcome = excluded.outcome,
             fields = excluded.fields, scores = excluded.scores, notes = excluded.notes, forms = excluded.forms,
             events_applied = leads.events_applied + excluded.events_applied
         WHERE excluded.events_applied > 0 OR (leads.merged_into, leads.created_at, leads.updated_at, leads.deleted,
                 leads.outcome, leads.fields, leads.scores, leads.notes, leads.forms)
             IS NOT (excluded.merged_into, excluded.created_at, excluded.updated_at, excluded.deleted, excluded.outcome,
                 excluded.fields, excluded.scores, excluded.notes, excluded.forms)",
    )?
    .execute(params![
        source,
        id,
        lead.merged_into,
        lead.created_at,
        lead.updated_at,
        lead.deleted,
        lead.outcome,
        object(&lead.fields),
        object(&lead.scores),
        object(&lead.notes),
        object(&lead.forms),
        lead.events_applied,
    ])?;
    Ok(())
}

/// The values are JSON texts as the providers wrote them, and stay so.
fn object(members: &BTreeMap<String, String>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

fn members(row: &Row<'_>, column: usize) -> rusqlite::Result<BTreeMap<String, String>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))?;
    Ok(members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
}

/// The columns of [`lead`].
const COLUMNS: &str =
    "source, lead_id, merged_into, created_at, updated_at, deleted, outcome, fields, scores, notes, forms,
     events_applied";

/// A source, an id, and what is there.
pub(super) type Line = (String, String, Lead);

fn lead(row: &Row<'_>) -> rusqlite::Result<Line> {
    let lead = Lead {
        merged_into: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        deleted: row.get(5)?,
        outcome: row.get(6)?,
        fields: members(row, 7)?,
        scores: members(row, 8)?,
        notes: members(row, 9)?,
        forms: members(row, 10)?,
        events_applied: row.get(11)?,
    };
    Ok((row.get(0)?, row.get(1)?, lead))
}

impl Lead {
    /// The lead with that id, if an event named it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load(conn: &Connection, source: &str, lead_id: &str) -> rusqlite::Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM leads WHERE source = ?1 AND lead_id = ?2");
        let found = conn.prepare_cached(&sql)?.query_row([source, lead_id], lead).optional()?;
        Ok(found.map(|(_, _, lead)| lead))
    }

    /// All leads, by source and id, each with its key; deleted and merged ones, too.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load_all(conn: &Connection) -> rusqlite::Result<Vec<(String, String, Self)>> {
        let sql = format!("SELECT {COLUMNS} FROM leads ORDER BY source, lead_id");
        conn.prepare_cached(&sql)?.query_map([], lead)?.collect()
    }

    /// The ids of the leads that are part of this one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn merged_from(conn: &Connection, source: &str, lead_id: &str) -> rusqlite::Result<BTreeSet<String>> {
        conn.prepare_cached("SELECT lead_id FROM leads WHERE source = ?1 AND merged_into = ?2")?
            .query_map([source, lead_id], |row| row.get(0))?
            .collect()
    }
}

/// One page of leads: those of `source` if it is given, after a (source, id), and without those that are gone unless `all`.
pub(super) fn page(
    conn: &Connection,
    source: Option<&str>,
    all: bool,
    after: (&str, &str),
    most: usize,
) -> rusqlite::Result<Vec<Line>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM leads WHERE (?1 IS NULL OR source = ?1) AND (source, lead_id) > (?2, ?3)
             AND (?4 OR (deleted = 0 AND merged_into IS NULL)) ORDER BY source, lead_id LIMIT ?5"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    conn.prepare_cached(&sql)?.query_map(params![source, after.0, after.1, all, most], lead)?.collect()
}

/// The types of the events that name no lead, with their source and the time of the latest.
pub(super) fn strays(conn: &Connection) -> rusqlite::Result<Vec<(String, String, i64)>> {
    conn.prepare_cached("SELECT source, name, at FROM lead_facts WHERE lead_id = '' ORDER BY source, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
