//! Dead letters, many at a time: go through them, replay them, discard them. Used by the command line and by whoever else lets a
//! person act. For one at a time see [`Operator`](crate::inbox::Operator).
//!
//! - From the oldest to the newest, one short transaction each: the server keeps working meanwhile, and a run that is stopped, or
//!   breaks off, has done what it has done. Run it again and it goes on.
//! - Those that there are at the start. What dies meanwhile is not among them: what is replayed and dies again would never end.
//! - The order in which events of one key run is not that of the replay but that of the events.
//! - A page of numbers is in memory, never all of them: a million dead letters take time, not space.

mod pace;

use std::pin::{Pin, pin};

use thiserror::Error;

use self::pace::Pace;
pub use self::pace::{NotARate, Rate};
use crate::clock::Clock;
use crate::event::EventNo;
use crate::inbox::{
    By, DeadLetters, EventDetail, EventSummary, Filter, IfStale, InboxError, OperatorError, Replayed,
    Selection,
};

/// What is done to dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// They get new attempts.
    Replay(IfStale),
    /// They are not to be processed.
    Discard,
}

/// To which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// To these events.
    These(Vec<EventNo>),
    /// To all that are selected.
    Selected(Selection),
}

/// Something to be done to dead letters.
#[derive(Clone, Debug)]
pub struct Task {
    /// What.
    pub action: Action,
    /// To which.
    pub which: Which,
    /// Who does it, and why.
    pub by: By,
    /// How fast at most. If it is not given, the store is left alone for as long as it was kept busy: what others want to store must
    /// not wait for a person's errand.
    pub rate: Option<Rate>,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Dead letters that were replayed or discarded.
    pub moved: u64,
    /// Of those that were replayed, how many are older than what was applied of their keys.
    pub stale: u64,
    /// Those that are not there, or that somebody else had moved in the meantime.
    pub skipped: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// The store failed on the way. What was moved until then is moved.
#[derive(Clone, Debug, Error)]
#[error("broke off after {} dead letters", moved.moved)]
pub struct BrokeOff {
    /// What was done before.
    pub moved: Moved,
    /// Why it broke off.
    #[source]
    pub error: OperatorError,
}

/// Watches a task go on. Every method does nothing unless written.
pub trait Observer: Send {
    /// It begins. `total`: how many dead letters there are to move.
    fn begins(&mut self, total: u64) {
        let _ = total;
    }

    /// One was replayed, or discarded (`None`).
    fn moved(&mut self, event: EventNo, replayed: Option<Replayed>) {
        let _ = (event, replayed);
    }

    /// One was not.
    fn skipped(&mut self, event: EventNo, why: &OperatorError) {
        let _ = (event, why);
    }
}

/// Nobody watches.
impl Observer for () {}

impl Task {
    /// Does it, until it is done or `stop` resolves: between two dead letters, never in the midst of one.
    ///
    /// # Errors
    ///
    /// [`BrokeOff`] when the store failed.
    pub async fn run(
        self,
        store: &dyn DeadLetters,
        clock: &dyn Clock,
        stop: impl Future<Output = ()>,
        observer: &mut dyn Observer,
    ) -> Result<Moved, BrokeOff> {
        let mut moved = Moved::default();
        match self.go(store, clock, pin!(stop), observer, &mut moved).await {
            Ok(()) => Ok(moved),
            Err(error) => Err(BrokeOff { moved, error }),
        }
    }

    async fn go<S: Future<Output = ()>>(
        self,
        store: &dyn DeadLetters,
        clock: &dyn Clock,
        mut stop: Pin<&mut S>,
        observer: &mut dyn Observer,
        moved: &mut Moved,
    ) -> Result<(), OperatorError> {
        let mut numbers = Numbers::of(self.which, store, observer).await?;
        let mut pace = Pace::new(self.rate);
        while let Some(event) = numbers.next(store).await? {
            tokio::select! {
                biased;
                () = &mut stop => {
                    moved.stopped = true;
                    return Ok(());
                }
                () = pace.turn() => {}
            }
            let (by, now) = (self.by.clone(), clock.now());
            let done = match self.action {
                Action::Replay(if_stale) => store.replay(event, if_stale, by, now).await.map(Some),
                Action::Discard => store.discard(event, by, now).await.map(|()| None),
            };
            match done {
                Ok(replayed) => {
                    moved.moved += 1;
                    moved.stale += u64::from(replayed.is_some_and(|replayed| replayed != Replayed::InOrder));
                    observer.moved(event, replayed);
                }
                Err(error @ (OperatorError::NotDead { .. } | OperatorError::NotFound(_))) => {
                    moved.skipped += 1;
                    observer.skipped(event, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The numbers of what is to be moved, a page of them at a time.
struct Numbers {
    page: std::vec::IntoIter<EventNo>,
    pages: Option<Pages>,
}

impl Numbers {
    async fn of(
        which: Which,
        store: &dyn DeadLetters,
        observer: &mut dyn Observer,
    ) -> Result<Self, InboxError> {
        Ok(match which {
            Which::These(numbers) => {
                observer.begins(numbers.len() as u64);
                Self { page: numbers.into_iter(), pages: None }
            }
            Which::Selected(selection) => {
                let preview = store.preview(selection.clone()).await?;
                observer.begins(preview.total());
                let pages = preview.last.map(|last| Pages::up_to(last, Filter::dead().selecting(selection)));
                Self { page: Vec::new().into_iter(), pages }
            }
        })
    }

    async fn next(&mut self, store: &dyn DeadLetters) -> Result<Option<EventNo>, InboxError> {
        loop {
            if let Some(number) = self.page.next() {
                return Ok(Some(number));
            }
            let Some(pages) = &mut self.pages else { return Ok(None) };
            match pages.next(store).await? {
                Some(page) => {
                    let numbers: Vec<_> = page.iter().map(|event| event.number).collect();
                    self.page = numbers.into_iter();
                }
                None => return Ok(None),
            }
        }
    }
}

/// The events of a filter that there are at the start, from the oldest, page by page.
#[derive(Clone, Debug)]
pub struct Pages {
    filter: Filter,
    over: bool,
}

impl Pages {
    /// The events that `filter` selects now.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn of(store: &dyn DeadLetters, filter: Filter) -> Result<Self, InboxError> {
        let newest = Filter { newest_first: true, limit: 1, ..filter.clone() };
        let last = store.list(newest).await?.first().map(|event| event.number);
        let over = last.is_none();
        Ok(Self { filter: Filter { up_to: last, ..filter }, over })
    }

    fn up_to(last: EventNo, filter: Filter) -> Self {
        Self { filter: Filter { up_to: Some(last), ..filter }, over: false }
    }

    /// The next page, without bodies; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn next(&mut self, store: &dyn DeadLetters) -> Result<Option<Vec<EventSummary>>, InboxError> {
        if self.over {
            return Ok(None);
        }
        let page = store.list(self.filter.clone()).await?;
        Ok(self.turn(page.last().map(|event| event.number)).then_some(page))
    }

    /// The next page with all that is known; `None` after the last. Each page is read at a moment of its own, so that a long export does
    /// not keep the store from cleaning up behind itself.
    ///
    /// # Errors
    ///
    /// When the store failed.
    pub async fn next_details(
        &mut self,
        store: &dyn DeadLetters,
    ) -> Result<Option<Vec<EventDetail>>, InboxError> {
        if self.over {
            return Ok(None);
        }
        let page = store.details(self.filter.clone()).await?;
        Ok(self.turn(page.last().map(|detail| detail.summary.number)).then_some(page))
    }

    fn turn(&mut self, last: Option<EventNo>) -> bool {
        self.over = last.is_none();
        self.filter.after = last;
        !self.over
    }
}
