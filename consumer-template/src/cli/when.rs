//! Moments as people type them.

use std::str::FromStr;
use std::time::Duration;

use hookproof::{TimestampFormat, UnixTime};
use jiff::{Span, SpanRelativeTo};

use crate::clock::{Clock as _, SystemClock, millis};

/// A moment (RFC 3339), or how long ago it is: `2h`, `7d ago`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// This moment.
    At(UnixTime),
    /// So long before now. A day has 24 hours.
    Ago(Duration),
}

impl When {
    /// The moment, by the clock of this machine.
    pub(super) fn moment(self) -> UnixTime {
        self.at(SystemClock.now())
    }

    /// The moment, if it is `now` now.
    pub(super) fn at(self, now: UnixTime) -> UnixTime {
        match self {
            Self::At(time) => time,
            Self::Ago(age) => UnixTime::from_millis(now.as_millis().saturating_sub(millis(age))),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = TimestampFormat::Rfc3339.parse(text.as_bytes()).map(Self::At);
        moment.or_else(|| ago(text)).ok_or_else(|| {
            "a moment such as 2026-11-20T18:03:11Z, or an age such as 90s, 30m, 2h or 7d".to_owned()
        })
    }
}

fn ago(text: &str) -> Option<When> {
    let age = text.strip_suffix("ago").map_or(text, str::trim_end);
    let span: Span = age.parse().ok()?;
    let age = Duration::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()?;
    Some(When::Ago(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_ages_are_read() {
        let now = UnixTime::from_millis(1_000_000_000_000);
        let before = |text: &str| text.parse::<When>().map(|when| now.as_millis() - when.at(now).as_millis());
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("2h ago", 7_200),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("4w", 2_419_200),
        ] {
            assert_eq!(before(text), Ok(seconds * 1_000), "{text}");
        }
        assert_eq!("2001-09-09T01:46:40Z".parse(), Ok(When::At(now)));
        assert_eq!("2001-09-09T03:46:40+02:00".parse(), Ok(When::At(now)));
        let long = When::Ago(Duration::from_secs(u64::MAX));
        assert_eq!(long.at(now).as_millis(), 0, "before all time");
        for text in [
            "",
            "2",
            "h",
            "-2h",
            "2hh",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "1960-01-01T00:00:00Z",
            "99999999999999999999h",
        ] {
            assert!(text.parse::<When>().is_err_and(|error| error.contains("2h")), "{text}");
        }
    }
}
