//! When a source pauses by itself: too many of its last events died of their handler. Pure: what became of them goes in, a verdict
//! comes out.
//!
//! An outage of what a handler calls, or a bug in it, turns a stream of events into as many dead letters, each of which a person
//! has to replay. A source that is paused keeps them pending instead. There is no probe: an attempt that fails costs an event one
//! of its attempts, and whoever resumes the source says so in the audit log.

use std::time::Duration;

use hookproof::UnixTime;

use crate::clock::{later, millis};

/// The most events that a breaker may look at: as many rows are kept of each source.
pub const MAX_LAST: u32 = 1_000;

/// When a source pauses by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// How many of the last events count at most.
    pub last: u32,
    /// How old they may be.
    pub window: Duration,
    /// Fewer dead ones than this never trip it.
    pub min_dead: u32,
    /// How many of them must be dead, in percent.
    pub dead_percent: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { last: 20, window: Duration::from_secs(600), min_dead: 10, dead_percent: 50 }
    }
}

/// What became of an event that its handler finished with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: UnixTime,
    /// It is a dead letter; otherwise it is done.
    pub died: bool,
}

/// Why a breaker tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// How many events died.
    pub dead: u32,
    /// Of how many.
    pub of: u32,
    /// Within how long.
    pub window: Duration,
}

impl BreakerPolicy {
    /// Whether the source pauses, after an event of it died at `now`. `ended` are its last events, the newest first.
    ///
    /// An event that ended at the very edge of the window is inside; so is one from before a clock was set back.
    #[must_use]
    pub fn verdict(&self, ended: impl IntoIterator<Item = Ended>, now: UnixTime) -> Option<Tripped> {
        let (mut dead, mut of) = (0, 0);
        let counted = usize::try_from(self.last).unwrap_or(usize::MAX);
        for ended in ended.into_iter().take(counted).filter(|ended| later(ended.at, self.window) >= now) {
            of += 1;
            dead += u32::from(ended.died);
        }
        let too_many =
            u64::from(dead) * 100 >= u64::from(of) * u64::from(self.dead_percent) && dead >= self.min_dead;
        (too_many && dead > 0).then_some(Tripped { dead, of, window: self.window })
    }
}

/// For the audit log and whoever reads it.
impl std::fmt::Display for Tripped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dead, of, window } = self;
        write!(f, "{dead} of its last {of} events died within {} s", millis(*window).div_ceil(1000))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    /// The newest first, one second apart: `x` died, `.` is done.
    fn ended(ends: &str) -> Vec<Ended> {
        let at = |age: usize| UnixTime::from_millis(NOW - 1000 * u64::try_from(age).unwrap());
        ends.chars().enumerate().map(|(age, c)| Ended { at: at(age), died: c == 'x' }).collect()
    }

    fn verdict(policy: BreakerPolicy, ends: &str) -> Option<(u32, u32)> {
        policy.verdict(ended(ends), UnixTime::from_millis(NOW)).map(|tripped| (tripped.dead, tripped.of))
    }

    #[test]
    fn the_table_of_verdicts() {
        let default = BreakerPolicy::default();
        let small = BreakerPolicy { last: 4, min_dead: 2, ..default };
        let second = Duration::from_secs(1);
        let rows = [
            (default, "", None),
            (default, "xxxxxxxxx", None),
            (default, "xxxxxxxxxx", Some((10, 10))),
            (default, "xxxxxxxxxx..........", Some((10, 20))),
            (default, "xxxxxxxxx...........", None),
            (default, "xxxxxxxxxx..........xxxxxxxxxx", Some((10, 20))),
            (default, "xxxxxxxxx...........xxxxxxxxxx", None),
            (small, "x...", None),
            (small, "xx..", Some((2, 4))),
            (small, "x..xx", Some((2, 4))),
            (small, "x...x", None),
            (BreakerPolicy { dead_percent: 100, ..small }, "xxx.", None),
            (BreakerPolicy { dead_percent: 100, ..small }, "xxxx", Some((4, 4))),
            (BreakerPolicy { dead_percent: 75, ..small }, "xxx.", Some((3, 4))),
            (BreakerPolicy { dead_percent: 76, ..small }, "xxx.", None),
            (BreakerPolicy { window: second, ..small }, "xx", Some((2, 2))),
            (BreakerPolicy { window: second, ..small }, "x.x", None),
            (BreakerPolicy { window: second, ..small }, "xxx.", Some((2, 2))),
            (BreakerPolicy { min_dead: 1, ..small }, "x", Some((1, 1))),
            (BreakerPolicy { min_dead: 0, dead_percent: 0, ..small }, "....", None),
        ];
        for (policy, ends, expected) in rows {
            assert_eq!(verdict(policy, ends), expected, "{ends} under {policy:?}");
        }
        let future = Ended { at: UnixTime::from_millis(u64::MAX), died: true };
        let clock_was_set_back = small.verdict([future; 2], UnixTime::from_millis(NOW));
        assert_eq!(
            clock_was_set_back.map(|tripped| tripped.to_string()).unwrap(),
            "2 of its last 2 events died within 600 s"
        );
    }

    proptest! {
        /// What a verdict promises, told in another way than it is computed.
        #[test]
        fn it_trips_exactly_when_enough_of_the_last_ones_are_dead(
            ends in vec((0_u64..2_000, any::<bool>()), 0..60),
            last in 1_u32..40, min_dead in 1_u32..20, dead_percent in 1_u32..=100, window in 1_u64..2_000,
        ) {
            let policy = BreakerPolicy { last, window: Duration::from_millis(window), min_dead, dead_percent };
            let all: Vec<_> = ends.iter()
                .map(|(age, died)| Ended { at: UnixTime::from_millis(NOW - age), died: *died }).collect();
            let recent: Vec<_> = ends.iter().take(last as usize).filter(|(age, _)| *age <= window).collect();
            let dead = recent.iter().filter(|(_, died)| *died).count();
            let enough = dead >= min_dead as usize && dead as f64 / recent.len() as f64 >= f64::from(dead_percent) / 100.0;
            let tripped = policy.verdict(all.clone(), UnixTime::from_millis(NOW));
            prop_assert_eq!(tripped.is_some(), enough);
            // One more death never un-trips it, while as many count.
            if tripped.is_some() {
                let more = std::iter::once(Ended { at: UnixTime::from_millis(NOW), died: true }).chain(all);
                let one_more = BreakerPolicy { last: last + 1, ..policy };
                prop_assert!(one_more.verdict(more, UnixTime::from_millis(NOW)).is_some());
            }
        }
    }
}
