//! The handler that keeps the table of leads.

use rusqlite::Connection;

use super::change::Change;
use super::table;
use crate::effect::{Context, Failure, SqliteHandler};
use crate::event::Event;

/// The schemes of the five lead platforms.
pub const SCHEMES: [&str; 8] = [
    "megatronlead",
    "klozeo",
    "klozeo-guide",
    "leadhub",
    "leadhub-timestamped",
    "metalocator",
    "metalocator-raw",
    "devsphere",
];

/// Merges lead events into the tables `leads` and `lead_facts`.
#[derive(Clone, Debug, Default)]
pub struct Leads {
    lead_id: Option<String>,
}

impl Leads {
    /// Looks for the lead's id where the platforms put it: [`LEAD_IDS`](super::LEAD_IDS).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for the lead's id at `pointer` only, such as `/data/contact/id`; its fields are what lies beside it.
    #[must_use]
    pub fn with_lead_id_at(pointer: impl Into<String>) -> Self {
        Self { lead_id: Some(pointer.into()) }
    }
}

impl SqliteHandler for Leads {
    fn version(&self) -> &str {
        concat!("leads ", env!("CARGO_PKG_VERSION"))
    }

    fn apply(&self, tx: &Connection, event: &Event, _: &Context) -> Result<(), Failure> {
        let change = Change::read(event, self.lead_id.as_deref())?;
        table::apply(tx, &event.source, change).map_err(Failure::transient)
    }
}
