//! What a person sees while dead letters are moved.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar};
use tokio::time::Instant;

use crate::cli::table::{eprint_line, progress};
use crate::dead_letters::Observer;
use crate::event::EventNo;
use crate::inbox::{OperatorError, Replayed};
use crate::ordering::StaleRule;

/// Without a terminal there is a line every so often.
const EVERY: Duration = Duration::from_secs(10);

/// So many lines are printed about single dead letters. Further ones are counted: nobody reads a million lines.
const LINES: u64 = 20;

pub(super) const STALE: &str = "later events of its key were applied before";

/// A bar on a terminal, else a line now and then; and a line for each dead letter that is out of the ordinary.
pub(super) struct Watch {
    verb: &'static str,
    bar: ProgressBar,
    began: Instant,
    told: Instant,
    seen: u64,
    total: u64,
    notes: u64,
}

impl Watch {
    pub(super) fn new(verb: &'static str) -> Self {
        let now = Instant::now();
        Self { verb, bar: ProgressBar::hidden(), began: now, told: now, seen: 0, total: 0, notes: 0 }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
        if self.notes > LINES {
            eprint_line(format_args!("... and {} more such lines", self.notes - LINES));
        }
    }

    fn note(&mut self, line: impl std::fmt::Display) {
        self.notes += 1;
        if self.notes <= LINES {
            self.bar.suspend(|| eprint_line(line));
        }
    }

    fn step(&mut self) {
        self.seen += 1;
        self.bar.inc(1);
        if !std::io::stderr().is_terminal() && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            eprint_line(status(self.verb, self.seen, self.total, self.began.elapsed()));
        }
    }
}

/// How far it is, and how long the rest will take at this pace.
fn status(verb: &str, seen: u64, total: u64, took: Duration) -> String {
    let left = total.saturating_sub(seen);
    let rest = took.as_secs_f64() / (seen.max(1) as f64) * (left as f64);
    let rest = Duration::try_from_secs_f64(rest).unwrap_or(Duration::MAX);
    format!("{verb}: {seen} of {total}, about {} left", HumanDuration(rest))
}

impl Observer for Watch {
    fn begins(&mut self, total: u64) {
        let now = Instant::now();
        (self.total, self.bar, self.began, self.told) = (total, progress(total), now, now);
    }

    fn moved(&mut self, event: EventNo, replayed: Option<Replayed>) {
        self.step();
        if let Some(consequence) = replayed.and_then(consequence) {
            self.note(format_args!("event {event}: {STALE}; {consequence}"));
        }
    }

    fn skipped(&mut self, _: EventNo, why: &OperatorError) {
        self.step();
        self.note(format_args!("error: {why}"));
    }
}

/// What a replay of an event that was overtaken leads to.
fn consequence(replayed: Replayed) -> Option<&'static str> {
    match replayed {
        Replayed::InOrder => None,
        Replayed::Stale(StaleRule::Apply) => Some("its source applies it like any other"),
        Replayed::Stale(StaleRule::Flag) => Some("it is applied, and its handler is told"),
        Replayed::Stale(StaleRule::Skip) => {
            Some("its source skips it: it will be done without being applied; --even-if-stale would apply it")
        }
        Replayed::StaleConfirmed => Some("it is applied all the same"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_from_what_was_done() {
        let status = |seen, total, secs| status("replay", seen, total, Duration::from_secs(secs));
        assert_eq!(status(250, 1_000, 10), "replay: 250 of 1000, about 30 seconds left");
        assert_eq!(status(0, 0, 0), "replay: 0 of 0, about 0 seconds left");
        assert_eq!(status(1, 1_000_000, 60), "replay: 1 of 1000000, about 2 years left");
    }
}
