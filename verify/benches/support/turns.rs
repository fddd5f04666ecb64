//! Two ways to do the same take turns, in slices so short that what else the machine does hits both.

use std::time::{Duration, Instant};

/// How long each works before it is the other's turn, and how often that is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) slice: Duration,
    pub(crate) rounds: usize,
}

/// What two took, in nanoseconds per repetition, and the ratio of the first to the second. Medians over the rounds; the
/// ratio's median is of the ratios of neighbours, which a machine that slows down leaves alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    pub(crate) first_ns: f64,
    pub(crate) second_ns: f64,
    pub(crate) ratio: f64,
    /// Between which a half of the ratios lies.
    pub(crate) quartiles: (f64, f64),
}

/// Lets both work in the order 1 2 2 1, so that a drift during a round cancels out.
pub(crate) fn compare(plan: Plan, mut first: impl FnMut(), mut second: impl FnMut()) -> Compared {
    let first_times = fitting(plan.slice, &mut first);
    let second_times = fitting(plan.slice, &mut second);
    let mut rounds = Vec::with_capacity(plan.rounds);
    for _ in 0..plan.rounds {
        let before = nanoseconds(first_times, &mut first);
        let between = nanoseconds(second_times, &mut second) + nanoseconds(second_times, &mut second);
        let after = nanoseconds(first_times, &mut first);
        rounds.push(((before + after) / 2.0, between / 2.0));
    }
    of(rounds)
}

/// The medians of rounds, each of which gives what the first and the second took.
pub(crate) fn of(rounds: Vec<(f64, f64)>) -> Compared {
    let ratios = || rounds.iter().map(|(first, second)| first / second).collect();
    Compared {
        first_ns: quantile(rounds.iter().map(|(first, _)| *first).collect(), 0.5),
        second_ns: quantile(rounds.iter().map(|(_, second)| *second).collect(), 0.5),
        ratio: quantile(ratios(), 0.5),
        quartiles: (quantile(ratios(), 0.25), quantile(ratios(), 0.75)),
    }
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// How often `work` can be done in a slice, once warm.
fn fitting(slice: Duration, work: &mut impl FnMut()) -> u32 {
    let (mut times, mut least) = (1, Duration::MAX);
    while least < slice / 2 || least == Duration::MAX {
        if least != Duration::MAX {
            times *= 2;
        }
        least = (0..3).map(|_| elapsed(times, work)).min().unwrap_or_default();
    }
    times
}

fn nanoseconds(times: u32, work: &mut impl FnMut()) -> f64 {
    elapsed(times, work).as_secs_f64() * 1e9 / f64::from(times)
}

fn elapsed(times: u32, work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed()
}
