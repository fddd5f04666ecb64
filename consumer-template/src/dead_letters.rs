//! Dead letters, many at a time: replay all, discard all, export. For one at a time see [`Operator`].
//!
//! Replaying goes from the oldest to the newest, one short transaction each: the server keeps working meanwhile, and an interrupted
//! run has replayed what it has replayed. The order in which events of one key run is not that of the replay but that of
//! the events.

use std::io::Write;

use hookproof::UnixTime;
use thiserror::Error;

use crate::event::{DeadReason, EventNo, State};
use crate::inbox::{By, EventSummary, Filter, InboxError, Operator, OperatorError};

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only of this source.
    pub source: Option<String>,
    /// Only dead for this reason.
    pub reason: Option<DeadReason>,
}

/// What became of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Dead letters that were replayed or discarded.
    pub moved: usize,
    /// Those that somebody else had moved in the meantime.
    pub skipped: usize,
}

/// Why an export ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// Caused by where the export is written to: a full disk, a closed pipe.
    #[error("could not write the export: {0}")]
    Output(String),
}

/// Gives all selected dead letters new attempts.
///
/// # Errors
///
/// When the store failed. What was replayed until then is replayed.
pub async fn replay_all(
    operator: &dyn Operator,
    selection: &Selection,
    by: &By,
    now: UnixTime,
) -> Result<Moved, OperatorError> {
    let mut pages = Pages::new(operator, selection).await?;
    let mut moved = Moved::default();
    while let Some(page) = pages.next().await? {
        for event in page {
            moved.count(operator.replay(event.number, by.clone(), now).await)?;
        }
    }
    Ok(moved)
}

/// Marks all selected dead letters as not to be processed.
///
/// # Errors
///
/// When the store failed. What was discarded until then is discarded.
pub async fn discard_all(
    operator: &dyn Operator,
    selection: &Selection,
    by: &By,
    now: UnixTime,
) -> Result<Moved, OperatorError> {
    let mut pages = Pages::new(operator, selection).await?;
    let mut moved = Moved::default();
    while let Some(page) = pages.next().await? {
        for event in page {
            moved.count(operator.discard(event.number, by.clone(), now).await)?;
        }
    }
    Ok(moved)
}

impl Moved {
    fn count(&mut self, result: Result<(), OperatorError>) -> Result<(), OperatorError> {
        match result {
            Ok(()) => self.moved += 1,
            Err(OperatorError::NotDead { .. } | OperatorError::NotFound(_)) => self.skipped += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Writes the selected dead letters as CSV, without their bodies. Returns how many there were.
///
/// Cells that a spreadsheet would take for a formula get a leading apostrophe: their content comes from strangers.
///
/// # Errors
///
/// When the store or the output failed.
pub async fn export_csv(
    operator: &dyn Operator,
    selection: &Selection,
    output: impl Write,
) -> Result<usize, ExportError> {
    let unwritable = |error: csv::Error| ExportError::Output(error.to_string());
    let mut csv = csv::Writer::from_writer(output);
    csv.write_record(COLUMNS).map_err(unwritable)?;
    let mut pages = Pages::new(operator, selection).await?;
    let mut events = 0;
    while let Some(page) = pages.next().await? {
        for event in page {
            csv.write_record(cells(&event).map(neutral)).map_err(unwritable)?;
            events += 1;
        }
    }
    csv.flush().map_err(|error| ExportError::Output(error.to_string()))?;
    Ok(events)
}

const COLUMNS: [&str; 9] = [
    "number",
    "source",
    "event_id",
    "event_type",
    "ordering_key",
    "received_at_ms",
    "reason",
    "attempts",
    "last_error",
];

fn cells(event: &EventSummary) -> [String; 9] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        event.number.to_string(),
        event.source.clone(),
        text(&event.event_id),
        text(&event.event_type),
        text(&event.ordering_key),
        event.received_at.as_millis().to_string(),
        event.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        event.attempts.to_string(),
        text(&event.last_error),
    ]
}

/// A cell that no spreadsheet computes. Full-width forms are taken for the plain ones by some.
fn neutral(cell: String) -> String {
    let formula = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(formula) { format!("'{cell}") } else { cell }
}

/// The selected dead letters that there are at the start, page by page. Not those that die meanwhile: what is replayed and dies
/// again would never end.
pub struct Pages<'a> {
    operator: &'a dyn Operator,
    filter: Filter,
    last: Option<EventNo>,
}

impl<'a> Pages<'a> {
    /// The dead letters that `selection` selects now.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn new(operator: &'a dyn Operator, selection: &Selection) -> Result<Self, InboxError> {
        let filter = Filter {
            source: selection.source.clone(),
            state: Some(State::Dead),
            reason: selection.reason,
            ..Filter::default()
        };
        let newest = Filter { newest_first: true, limit: 1, ..filter.clone() };
        let last = operator.list(newest).await?.first().map(|event| event.number);
        Ok(Self { operator, filter, last })
    }

    /// The next page, the oldest first; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn next(&mut self) -> Result<Option<Vec<EventSummary>>, InboxError> {
        let Some(last) = self.last else {
            return Ok(None);
        };
        let mut page = self.operator.list(self.filter.clone()).await?;
        page.retain(|event| event.number <= last);
        self.filter.after = page.last().map(|event| event.number);
        Ok(self.filter.after.is_some().then_some(page))
    }
}

impl std::fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("filter", &self.filter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutral_and_everything_else_is_as_it_was() {
        for cell in ["=HYPERLINK(\"http://e\",\"x\")", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"]
        {
            assert_eq!(neutral(cell.to_owned()), format!("'{cell}"));
        }
        for cell in ["", "1", "lead.created", "a=b", "'=1"] {
            assert_eq!(neutral(cell.to_owned()), cell);
        }
    }
}
