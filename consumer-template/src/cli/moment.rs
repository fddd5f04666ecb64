//! Moments as people type them.

use std::time::Duration;

use hookproof::{TimestampFormat, UnixTime};

use crate::clock::{Clock as _, SystemClock, millis};

/// A moment, or how long ago it was: `2h`.
pub(super) fn past(text: &str) -> Result<UnixTime, String> {
    if let Some(ago) = ago(text) {
        return Ok(UnixTime::from_millis(SystemClock.now().as_millis().saturating_sub(millis(ago))));
    }
    let moment = TimestampFormat::SecondsOrRfc3339.parse(text.as_bytes());
    moment.ok_or_else(|| "write it as 90s, 30m, 2h or 7d, or as 2026-11-20T18:03:11Z".to_owned())
}

fn ago(text: &str) -> Option<Duration> {
    let seconds = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_while_ago_is_a_number_with_its_unit() {
        let of = |text| ago(text).map(|ago| ago.as_secs());
        assert_eq!(
            (of("90s"), of("30m"), of("2h"), of("7d")),
            (Some(90), Some(1_800), Some(7_200), Some(604_800))
        );
        for text in [
            "",
            "h",
            "2",
            "-2h",
            "+2h",
            "2 h",
            "2w",
            "1.5h",
            "99999999999999999999h",
            "9999999999999999999d",
            "２h",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(past("2023-11-14T22:13:20Z"), Ok(UnixTime::from_secs(1_700_000_000)));
        assert!(past("yesterday").is_err());
    }
}
