//! Moments as people type them.

use std::time::Duration;

use hookproof::{TimestampFormat, UnixTime};

use crate::clock::millis;

/// A moment, or how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// This moment.
    At(UnixTime),
    /// So long before now.
    Ago(Duration),
}

impl When {
    /// The moment, if it is `now` now.
    pub(super) fn at(self, now: UnixTime) -> UnixTime {
        match self {
            Self::At(time) => time,
            Self::Ago(age) => UnixTime::from_millis(now.as_millis().saturating_sub(millis(age))),
        }
    }
}

/// Reads `2026-11-20T18:03:11Z`, `90s`, `30m`, `2h`, `7d` or `4w`; the latter with or without `ago`.
pub(super) fn when(text: &str) -> Result<When, String> {
    let age = text.strip_suffix("ago").map_or(text, str::trim_end);
    let seconds = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
    let of_unit = |(unit, seconds): (char, u64)| {
        let number: u64 = age.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).map(|seconds| When::Ago(Duration::from_secs(seconds)))
    };
    let parsed = seconds.into_iter().find_map(of_unit);
    let parsed = parsed.or_else(|| TimestampFormat::Rfc3339.parse(text.as_bytes()).map(When::At));
    parsed.ok_or_else(|| {
        "a moment such as 2026-11-20T18:03:11Z, or an age such as 90s, 30m, 2h or 7d".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_ages_are_read() {
        let now = UnixTime::from_millis(1_000_000_000_000);
        let before = |text: &str| when(text).map(|when| now.as_millis() - when.at(now).as_millis());
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("2h ago", 7_200),
            ("7d", 604_800),
            ("4w", 2_419_200),
        ] {
            assert_eq!(before(text), Ok(seconds * 1_000), "{text}");
        }
        assert_eq!(when("2001-09-09T01:46:40Z"), Ok(When::At(now)));
        assert_eq!(when("2001-09-09T03:46:40+02:00"), Ok(When::At(now)));
        assert_eq!(when("99999999w").map(|age| age.at(now).as_millis()), Ok(0), "before all time");
        for text in [
            "",
            "2",
            "h",
            "-2h",
            "2 h",
            "1.5h",
            "2hh",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "99999999999999999w",
        ] {
            assert!(when(text).is_err_and(|error| error.contains("2h")), "{text}");
        }
    }
}
