//! A moment in the past, as people type it.

use std::time::Duration;

use hookproof::UnixTime;
use jiff::{SpanRelativeTo, Timestamp};

use crate::clock::{Clock as _, SystemClock, millis};

/// `24h`, `7d`, `90m`: so long ago; or a moment (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Ago(Duration),
    At(UnixTime),
}

impl Since {
    pub(super) fn moment(self) -> UnixTime {
        match self {
            Self::Ago(ago) => {
                UnixTime::from_millis(SystemClock.now().as_millis().saturating_sub(millis(ago)))
            }
            Self::At(at) => at,
        }
    }
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "give a time such as 24h, 7d or 2026-11-20T08:00:00Z".to_owned();
        if let Ok(at) = text.parse::<Timestamp>() {
            let millis = u64::try_from(at.as_millisecond()).map_err(|_| wrong())?;
            return Ok(Self::At(UnixTime::from_millis(millis)));
        }
        let span: jiff::Span = text.parse().map_err(|_| wrong())?;
        let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        Duration::try_from(ago).map(Self::Ago).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_typed_as_people_do() {
        for (text, seconds) in [("24h", 86_400), ("7d", 604_800), ("1h30m", 5_400), ("1w", 604_800)] {
            assert_eq!(text.parse(), Ok(Since::Ago(Duration::from_secs(seconds))), "{text}");
        }
        let at = UnixTime::from_millis(1_700_000_000_000);
        assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(Since::At(at)));
        for text in ["", "24", "h", "-1h", "yesterday", "1960-01-01T00:00:00Z", "99999999999999999999h"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }
}
