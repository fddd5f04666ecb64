//! What long work says of itself while it goes on: a line in the log now and then.

use std::time::{Duration, Instant};

/// From one line to the next.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How far long work has come.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    done: u64,
    total: u64,
    told: Instant,
}

impl Progress {
    /// Nothing of `total` is done. What takes less than [`BETWEEN_LINES`] is never told of.
    pub(super) fn new(what: &'static str, total: u64, now: Instant) -> Self {
        Self { what, done: 0, total, told: now }
    }

    /// So many more are done. Whether it said so.
    pub(super) fn add(&mut self, done: u64, now: Instant) -> bool {
        self.done += done;
        if now.saturating_duration_since(self.told) < BETWEEN_LINES {
            return false;
        }
        self.told = now;
        let (done, total) = (self.done, self.total);
        tracing::info!(done, total, "{}: deliveries are accepted after it", self.what);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_every_ten_seconds_and_not_of_what_is_quick() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut progress = Progress::new("count", 100, start);
        let told: Vec<_> =
            [1, 9_999, 10_000, 19_999, 20_000].iter().map(|now| progress.add(10, at(*now))).collect();
        assert_eq!(told, [false, false, true, false, true]);
        assert_eq!((progress.done, progress.total), (50, 100));
    }
}
