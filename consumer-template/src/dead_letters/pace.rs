//! How fast dead letters are moved.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

/// So many at most, in a second.
const FASTEST: u32 = 10_000;

/// At most so many dead letters per second or minute, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    every: Duration,
}

/// Caused by whoever typed it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a rate is a number per second or minute, such as 50/s or 600/m, and at most {FASTEST}/s")]
pub struct NotARate;

impl Rate {
    /// The time from one dead letter to the next.
    #[must_use]
    pub const fn every(self) -> Duration {
        self.every
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = text.split_once('/').ok_or(NotARate)?;
        let number: u32 = number.parse().map_err(|_| NotARate)?;
        let unit = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            _ => return Err(NotARate),
        };
        let every = unit.checked_div(number).ok_or(NotARate)?;
        if every < Duration::from_secs(1) / FASTEST { Err(NotARate) } else { Ok(Self { every }) }
    }
}

/// When the next one may be moved.
pub(super) enum Pace {
    /// At even times.
    Even(Interval),
    /// After as long a pause as the last one took.
    HalfTheTime {
        /// When the last one was begun.
        began: Option<Instant>,
    },
}

impl Pace {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        let Some(rate) = rate else { return Self::HalfTheTime { began: None } };
        let mut ticks = interval(rate.every());
        // What was missed is not caught up on: it is a limit, not a plan.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Even(ticks)
    }

    /// Waits until the next one may be moved.
    pub(super) async fn turn(&mut self) {
        match self {
            Self::Even(ticks) => drop(ticks.tick().await),
            Self::HalfTheTime { began } => {
                if let Some(began) = began {
                    sleep(began.elapsed()).await;
                }
                *began = Some(Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_strictly() {
        let every = |text: &str| text.parse::<Rate>().map(|rate| rate.every().as_micros());
        assert_eq!(every("50/s"), Ok(20_000));
        assert_eq!(every("600/m"), Ok(100_000));
        assert_eq!((every("1/m"), every("10000/s")), (Ok(60_000_000), Ok(100)));
        for text in
            ["", "50", "0/s", "-1/s", "10001/s", "1/h", "1 /s", "1/s ", "/s", "1.5/s", "99999999999/m"]
        {
            assert_eq!(every(text), Err(NotARate), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_and_without_one_half_of_the_time_is_left_to_others() {
        let start = Instant::now();
        let mut pace = Pace::new("50/s".parse().ok());
        for _ in 0..=100 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(2));
        // One that takes long is not made up for.
        sleep(Duration::from_secs(1)).await;
        let start = Instant::now();
        for _ in 0..=50 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let (start, mut pace) = (Instant::now(), Pace::new(None));
        for _ in 0..10 {
            pace.turn().await;
            sleep(Duration::from_millis(7)).await;
        }
        assert_eq!(start.elapsed(), Duration::from_millis(7 * 19));
    }
}
