//! The model: a book of what was said of leads, and how two books become one.
//!
//! ```text
//!   lead   kind     name      said
//!   L-1    field    email     claimed, 12:00:05, "ada@example.com"
//!   L-1    note     N-7       final,   12:00:09
//!   L-2    merged   L-1       claimed, 12:00:07
//! ```
//!
//! Under each (lead, kind, name) a book holds one [`Said`], the greatest that it ever heard. That is all there is to merging: the
//! greater of two is the same whoever is asked first, how often, and in which company. So a book depends on which events it
//! heard, and on nothing else. Whatever you add to the model stays true as long as [`Said`] has a total order.

use std::collections::{BTreeMap, BTreeSet};

use hookproof::UnixTime;

use crate::event::Event;

/// When something was said: by event time, then the provider's counter, then the event's replay key. The last is arbitrary, but the
/// same on every machine and in every order, and no two events share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Unix milliseconds.
    pub at: i64,
    /// The provider's counter, else 0.
    pub sequence: i64,
    /// The replay key of the event that said it.
    pub event: [u8; 32],
}

impl Stamp {
    /// The stamp of everything that `event` says.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self { at: to_millis(event.at()), sequence: event.sequence.unwrap_or(0), event: event.replay_key }
    }

    /// What the provider knows of the order: two events with the same position are concurrent.
    #[must_use]
    pub const fn position(&self) -> (i64, i64) {
        (self.at, self.sequence)
    }
}

fn to_millis(at: UnixTime) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

/// How much a statement weighs. The heavier one wins, whenever it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Said in passing: a field that an update repeats without having changed it. Counts where nothing else is known.
    Mentioned = 0,
    /// What the event is about.
    Claimed = 1,
    /// Not to be taken back: a note that was deleted.
    Final = 2,
}

impl Weight {
    /// The weight with that number.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Mentioned),
            1 => Some(Self::Claimed),
            2 => Some(Self::Final),
            _ => None,
        }
    }
}

/// What was said under a key. The order of the members is the order by which one statement is greater than another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// How much it weighs.
    pub weight: Weight,
    /// When it was said.
    pub stamp: Stamp,
    /// A JSON text, a word, or nothing where saying it is enough.
    pub value: String,
}

/// What kind of thing was said of a lead. What its name and its value are depends on the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was created. By event, because the earliest counts as well as the latest.
    Created,
    /// It was deleted.
    Deleted,
    /// A deletion was taken back.
    Restored,
    /// It was merged into another one, whose id is the name.
    Merged,
    /// `won`, `lost`, `converted` or `open`: the value.
    Outcome,
    /// A field, by name.
    Field,
    /// A score, by what it measures.
    Score,
    /// A note, by its id. One of weight [`Weight::Final`] is deleted.
    Note,
    /// A form that was submitted, by the id of the submission.
    Form,
    /// An event of the type that is the name came. Of types that this example knows nothing of, the value is what they said.
    Event,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Deleted,
        Self::Restored,
        Self::Merged,
        Self::Outcome,
        Self::Field,
        Self::Score,
        Self::Note,
        Self::Form,
        Self::Event,
    ];

    /// The name that is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Merged => "merged",
            Self::Outcome => "outcome",
            Self::Field => "field",
            Self::Score => "score",
            Self::Note => "note",
            Self::Form => "form",
            Self::Event => "event",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The lead's id; empty for events that name no lead.
    pub lead: String,
    /// What kind of thing is said.
    pub kind: Kind,
    /// Which one of its kind.
    pub name: String,
}

/// What was said of the leads of one source. See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    said: BTreeMap<Key, Said>,
}

impl Book {
    /// Notes one statement, if it is greater than what stands there. `true` if it was.
    pub fn note(&mut self, key: Key, said: Said) -> bool {
        if self.said.get(&key).is_some_and(|known| *known >= said) {
            return false;
        }
        self.said.insert(key, said);
        true
    }

    /// Joins `other` into this book, and returns the keys under which that changed something.
    ///
    /// Associative, commutative and idempotent, as far as the resulting book is concerned.
    pub fn join(&mut self, other: Self) -> Vec<Key> {
        let news = other.said.into_iter();
        news.filter_map(|(key, said)| self.note(key.clone(), said).then_some(key)).collect()
    }

    /// What stands under `key`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Said> {
        self.said.get(key)
    }

    /// Everything, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Said)> {
        self.said.iter()
    }

    /// Everything that was said of one lead under its own id.
    pub fn of<'a>(&'a self, lead: &str) -> impl Iterator<Item = (&'a Key, &'a Said)> + use<'a> {
        let first = Key { lead: lead.to_owned(), kind: Kind::Created, name: String::new() };
        let lead = lead.to_owned();
        self.said.range(first..).take_while(move |(key, _)| key.lead == lead)
    }

    /// The ids of all leads that are named, also of those of which nothing is known but that another one was merged into them.
    #[must_use]
    pub fn leads(&self) -> BTreeSet<String> {
        let named = |key: &Key| {
            let survivor = (key.kind == Kind::Merged).then(|| key.name.clone());
            [Some(key.lead.clone()), survivor].into_iter().flatten().filter(|id| !id.is_empty())
        };
        self.said.keys().flat_map(named).collect()
    }
}
