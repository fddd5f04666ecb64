//! What a book says a lead is.

use std::collections::{BTreeMap, BTreeSet};

use super::merges;
use super::model::{Book, Key, Kind, Said, Weight};

/// A lead, as far as its events tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// The lead that it is part of since it was merged: always the last one of a chain. Then the rest is there, not here.
    pub merged_into: Option<String>,
    /// When it was first created, if an event said so; Unix milliseconds, like all times here.
    pub created_at: Option<i64>,
    /// The time of its latest event.
    pub updated_at: i64,
    /// Whether it is deleted. Then nothing of what it was is shown.
    pub deleted: bool,
    /// `won`, `lost`, `converted` or `open`, if an event said so.
    pub outcome: Option<String>,
    /// Its fields, as JSON text.
    pub fields: BTreeMap<String, String>,
    /// Its scores by what they measure, as JSON text.
    pub scores: BTreeMap<String, String>,
    /// Its notes by their id, as JSON text.
    pub notes: BTreeMap<String, String>,
    /// Its form submissions by their id, as JSON text.
    pub forms: BTreeMap<String, String>,
    /// How many events were applied to this id. Not a function of their content: it shows whether each was applied exactly once.
    pub events_applied: i64,
}

impl Lead {
    /// All leads of a book. A function of the book alone.
    #[must_use]
    pub fn all(book: &Book) -> BTreeMap<String, Self> {
        let mut leads = BTreeMap::new();
        for (survivor, ids) in merges::groups(book) {
            for id in ids.iter().filter(|id| **id != survivor) {
                let updated_at = latest(book, [id]);
                let merged_into = Some(survivor.clone());
                leads.insert(id.clone(), Self { merged_into, updated_at, ..Self::default() });
            }
            let lead = Self::standing_for(book, &survivor, &ids);
            leads.insert(survivor, lead);
        }
        leads
    }

    /// The life of a group is that of its survivor: platforms delete a lead that they merged into another one.
    fn standing_for(book: &Book, survivor: &str, ids: &BTreeSet<String>) -> Self {
        let life = Life::of(book, survivor);
        let mut lead =
            Self { updated_at: latest(book, ids), deleted: life == Life::Deleted, ..Self::default() };
        let mut known: BTreeMap<(Kind, &str), &Said> = BTreeMap::new();
        for (key, said) in ids.iter().flat_map(|id| book.of(id)) {
            if !life.shows(said) {
                continue;
            }
            if key.kind == Kind::Created {
                lead.created_at = Some(lead.created_at.map_or(said.stamp.at, |at| at.min(said.stamp.at)));
            }
            let known = known.entry((key.kind, &key.name)).or_insert(said);
            *known = said.max(known);
        }
        for ((kind, name), said) in known {
            let into = match kind {
                Kind::Field => &mut lead.fields,
                Kind::Score => &mut lead.scores,
                Kind::Note if said.weight != Weight::Final => &mut lead.notes,
                Kind::Form => &mut lead.forms,
                Kind::Outcome => {
                    lead.outcome = Some(said.value.clone());
                    continue;
                }
                _ => continue,
            };
            into.insert(name.to_owned(), said.value.clone());
        }
        lead
    }
}

fn latest<'a>(book: &Book, ids: impl IntoIterator<Item = &'a String>) -> i64 {
    ids.into_iter().flat_map(|id| book.of(id)).map(|(_, said)| said.stamp.at).max().unwrap_or(0)
}

/// Whether a lead is there, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// It was never deleted, or a later restoration took that back.
    Whole,
    /// It was created once more after this position, at which it was deleted. What was before is gone.
    Anew((i64, i64)),
    /// Updates do not bring it back, however late; nor does what happened at the same time.
    Deleted,
}

impl Life {
    fn of(book: &Book, lead: &str) -> Self {
        let position = |kind| {
            let said = book.of(lead).filter(|(key, _)| key.kind == kind);
            said.map(|(_, said)| said.stamp.position()).max()
        };
        match (position(Kind::Deleted), position(Kind::Restored), position(Kind::Created)) {
            (None, ..) => Self::Whole,
            (deleted, restored, _) if restored > deleted => Self::Whole,
            (Some(deleted), _, Some(created)) if created > deleted => Self::Anew(deleted),
            _ => Self::Deleted,
        }
    }

    fn shows(self, said: &Said) -> bool {
        match self {
            Self::Whole => true,
            Self::Anew(since) => said.stamp.position() > since,
            Self::Deleted => false,
        }
    }
}

/// The types of the events that came about a lead, and about those that were merged into it: the time of the latest, and what it
/// said if this example knows nothing of the type.
#[must_use]
pub(super) fn events_of(book: &Book) -> BTreeMap<&str, &Said> {
    let mut events: BTreeMap<&str, &Said> = BTreeMap::new();
    for (Key { name, .. }, said) in book.iter().filter(|(key, _)| key.kind == Kind::Event) {
        let latest = events.entry(name).or_insert(said);
        *latest = said.max(latest);
    }
    events
}
