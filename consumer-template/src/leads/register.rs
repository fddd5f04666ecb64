//! Reading the tables from outside, while the server may be running.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::lead::{Lead, events_of};
use super::table;

/// The leads of a database, to look at.
#[derive(Debug)]
pub struct Register {
    conn: Connection,
}

/// A lead with its key, and what else is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What its events come to; of the id that was asked for, also if that was merged into another lead.
    pub lead: Lead,
    /// The ids of the leads that were merged into it.
    pub merged_from: Vec<String>,
    /// The types of its events and of those of the leads with which it was merged, each with the time of the latest and, if
    /// nothing is known of the type, what that said, as JSON text.
    pub events: Vec<(String, i64, String)>,
}

/// Events that name no lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The configured source.
    pub source: String,
    /// Their type.
    pub event_type: String,
    /// When the latest occurred.
    pub at: i64,
}

impl Register {
    /// The largest page.
    pub const MAX_PAGE: usize = 100;

    /// Opens the database at `path`, which must be there.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        // For writing, because a reader must be able to recover the log after a crash.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(Self { conn })
    }

    /// The next leads after (source, id), at most [`Register::MAX_PAGE`], each with its key; of one source if it is named.
    /// Deleted leads and those that are part of another one only if `all`.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn page(
        &self,
        source: Option<&str>,
        all: bool,
        after: (&str, &str),
    ) -> rusqlite::Result<Vec<(String, String, Lead)>> {
        table::page(&self.conn, source, all, after, Self::MAX_PAGE)
    }

    /// One lead, whole; `None` if no event named it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn show(&self, source: &str, lead_id: &str) -> rusqlite::Result<Option<Entry>> {
        let Some(lead) = Lead::load(&self.conn, source, lead_id)? else {
            return Ok(None);
        };
        let book = table::load_group(&self.conn, source, lead_id)?;
        let events = events_of(&book).into_iter();
        let events =
            events.map(|(name, said)| (name.to_owned(), said.stamp.at, said.value.clone())).collect();
        let merged_from = Lead::merged_from(&self.conn, source, lead_id)?.into_iter().collect();
        Ok(Some(Entry { lead, merged_from, events }))
    }

    /// The events that name no lead, by source and type.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn strays(&self) -> rusqlite::Result<Vec<Stray>> {
        let strays = table::strays(&self.conn)?.into_iter();
        Ok(strays.map(|(source, event_type, at)| Stray { source, event_type, at }).collect())
    }
}
