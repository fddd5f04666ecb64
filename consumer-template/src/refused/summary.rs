//! What a pile of refusals says: how far the clocks are apart, and what to do about each reason. Pure.

use std::time::Duration;

use hookproof::{Refusal, UnixTime};

use crate::clock::span;
use crate::inbox::{RefusalRecord, RefusalTotal};

/// Refusals of one source for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The source.
    pub source: String,
    /// The reason's code.
    pub reason: String,
    /// How many of those that are kept were selected.
    pub kept: u64,
    /// How many there were since ever.
    pub total: u64,
    /// The last one.
    pub last_at: UnixTime,
    /// The median of what the selected ones state as time minus the clock at their receipt, in seconds.
    pub median_skew_seconds: Option<i64>,
    /// What to do about it.
    pub hint: String,
}

/// One line for each total of which `records` has any, or all totals if `all`.
#[must_use]
pub fn summarise(totals: &[RefusalTotal], records: &[RefusalRecord], all: bool) -> Vec<Line> {
    let line = |total: &RefusalTotal| {
        let of_it = records.iter().filter(|row| row.source == total.source && row.reason == total.reason);
        let kept: Vec<_> = of_it.collect();
        let mut skews: Vec<_> = kept.iter().filter_map(|row| row.skew_seconds).collect();
        let median = median(&mut skews);
        let last_at = kept.iter().map(|row| row.at).max().unwrap_or(total.last_at);
        (all || !kept.is_empty()).then(|| Line {
            source: total.source.clone(),
            reason: total.reason.clone(),
            kept: kept.len() as u64,
            total: total.total,
            last_at,
            median_skew_seconds: median,
            hint: hint(&total.reason, median),
        })
    };
    totals.iter().filter_map(line).collect()
}

/// Of an even number of values, the lower one of the middle.
fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Seconds for people: `-5 min 10 s`.
#[must_use]
pub fn skew_of(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", span(Duration::from_secs(seconds.unsigned_abs())))
}

/// What to do about a reason.
#[must_use]
pub fn hint(reason: &str, median_skew_seconds: Option<i64>) -> String {
    let Some(refusal) = Refusal::ALL.into_iter().find(|refusal| refusal.code() == reason) else {
        return String::new();
    };
    if let Refusal::TimestampTooOld | Refusal::TimestampTooNew = refusal
        && let Some(skew) = median_skew_seconds
    {
        return format!(
            "clock skew: {}; set the clock (NTP), or raise tolerance_seconds if deliveries are late",
            skew_of(skew)
        );
    }
    let text = match refusal {
        Refusal::SignatureMismatch => "another key, or a changed body: run `hookproof verify` on a copy",
        Refusal::MissingHeader => {
            "no signature: not the provider, another scheme, or a proxy that drops headers"
        }
        Refusal::DuplicateHeader => "a header twice: a proxy adds one, or somebody tries two",
        Refusal::MalformedHeader | Refusal::TooManySignatures | Refusal::MalformedId => {
            "another scheme or encoding: run `hookproof verify` on a copy"
        }
        Refusal::MissingTimestamp | Refusal::MalformedTimestamp => {
            "another time format: run `hookproof verify` on a copy"
        }
        Refusal::TimestampTooOld => "an old delivery, a replay, or a wrong clock",
        Refusal::TimestampTooNew => "a wrong clock, here or there",
        Refusal::DigestMismatch | Refusal::MalformedBody => {
            "the body was changed on the way: look at proxies"
        }
        Refusal::UncoveredComponent => {
            "the signature leaves out what must be signed: see the provider's settings"
        }
        Refusal::BodyTooLarge => "raise body_limit_bytes if the provider sends bodies of that size",
        Refusal::UnsupportedContentEncoding => "compressed: switch that off at the provider or the proxy",
        Refusal::BodyTimeout | Refusal::BodyIncomplete => "a slow or broken connection; body_timeout_seconds",
        Refusal::HandshakeRefused => "a challenge that is not answered: check verify_token or origins",
        _ => "",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(reason: &str, total: u64) -> RefusalTotal {
        let at = UnixTime::from_secs(1);
        RefusalTotal {
            source: "crm".to_owned(),
            reason: reason.to_owned(),
            total,
            kept: 0,
            first_at: at,
            last_at: at,
        }
    }

    fn record(reason: &str, skew_seconds: Option<i64>) -> RefusalRecord {
        let (source, reason, method) = ("crm".to_owned(), reason.to_owned(), "POST".to_owned());
        RefusalRecord { id: 1, source, reason, at: UnixTime::from_secs(2), skew_seconds, peer: None, method }
    }

    #[test]
    fn the_median_skew_is_of_what_states_a_time() {
        for (skews, median) in [
            (&[][..], None),
            (&[None], None),
            (&[Some(-310)], Some(-310)),
            (&[Some(9), Some(-310), None], Some(-310)),
            (&[Some(i64::MAX), Some(-310), Some(-311)], Some(-310)),
        ] {
            let records: Vec<_> = skews.iter().map(|skew| record("timestamp_too_old", *skew)).collect();
            let lines = summarise(&[total("timestamp_too_old", 9)], &records, true);
            assert_eq!(lines[0].median_skew_seconds, median, "{skews:?}");
            assert_eq!((lines[0].total, lines[0].kept), (9, skews.len() as u64));
            assert_eq!(
                lines[0].hint.starts_with("clock skew: -5 min 10 s;"),
                median == Some(-310),
                "{}",
                lines[0].hint
            );
        }
    }

    #[test]
    fn only_what_was_selected_has_a_line_unless_all_is() {
        let totals = [total("missing_header", 3), total("signature_mismatch", 2)];
        let records = [record("signature_mismatch", None)];
        let reasons = |all| {
            let lines = summarise(&totals, &records, all);
            lines.into_iter().map(|line| line.reason).collect::<Vec<_>>()
        };
        assert_eq!(reasons(false), ["signature_mismatch"]);
        assert_eq!(reasons(true), ["missing_header", "signature_mismatch"]);
    }

    /// What a server of ours can refuse for has a word of advice; the rest belongs to layers that the consumer has not.
    #[test]
    fn every_reason_has_a_hint() {
        let without: Vec<_> = Refusal::ALL
            .into_iter()
            .filter(|refusal| hint(refusal.code(), None).is_empty())
            .map(Refusal::code)
            .collect();
        let others = [
            "handshake_failed",
            "method_not_allowed",
            "unknown_source",
            "replayed",
            "replay_in_progress",
            "replay_guard_unavailable",
        ];
        assert_eq!(without, others);
        assert_eq!(hint("from a newer version", None), "");
    }
}
