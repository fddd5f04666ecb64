//! Dead letters, many at a time: replay all, discard all, go through them. For one at a time see [`Operator`].
//!
//! Replaying goes from the oldest to the newest, one short transaction each: the server keeps working meanwhile, and an interrupted
//! run has replayed what it has replayed. The order in which events of one key run is not that of the replay but that of
//! the events.

use hookproof::UnixTime;

use crate::event::{DeadReason, EventNo, State};
use crate::inbox::{By, EventSummary, Filter, IfStale, InboxError, Operator, OperatorError, Replayed};

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
    /// Of those that were replayed, how many are older than what was applied of their keys.
    pub stale: usize,
    /// Those that somebody else had moved in the meantime.
    pub skipped: usize,
}

/// Gives all selected dead letters new attempts.
///
/// # Errors
///
/// When the store failed. What was replayed until then is replayed.
pub async fn replay_all(
    operator: &dyn Operator,
    selection: &Selection,
    if_stale: IfStale,
    by: &By,
    now: UnixTime,
) -> Result<Moved, OperatorError> {
    let mut pages = Pages::new(operator, selection).await?;
    let mut moved = Moved::default();
    while let Some(page) = pages.next().await? {
        for event in page {
            let replayed = operator.replay(event.number, if_stale, by.clone(), now).await;
            moved.stale +=
                usize::from(replayed.as_ref().is_ok_and(|replayed| *replayed != Replayed::InOrder));
            moved.count(replayed.map(|_| ()))?;
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
        Self::of(operator, filter).await
    }

    /// The events that `filter` selects now, from the oldest.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn of(operator: &'a dyn Operator, filter: Filter) -> Result<Self, InboxError> {
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
