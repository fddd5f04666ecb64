//! What no scheme may be: impossible, or unsafe by its own description.

use http::HeaderName;

use crate::config_error::ConfigError;
use crate::scheme::{Algorithm, Freshness, KeyFormat, Location, Part, Scheme, Syntax, TimestampAt};
use crate::timestamp::{TimestampFormat, Window};

/// What makes a scheme impossible or unsafe, most telling first.
pub(crate) fn contradictions(scheme: &Scheme) -> Option<(&'static str, &'static str)> {
    let has = |part: &Part| scheme.parts.iter().filter(|p| *p == part).count();
    let signed_time = matches!(scheme.freshness, Freshness::SignedTimestamp { .. });
    let in_signature =
        matches!(scheme.freshness, Freshness::SignedTimestamp { at: TimestampAt::SignatureField, .. });
    let list_time = matches!(&scheme.syntax, Syntax::KeyValue { timestamp: Some(_), .. });
    let checks = [
        (name_is_bad(&scheme.name), "name", "use 1 to 64 characters of a-z 0-9 and '-'"),
        (scheme.signature_headers.is_empty(), "signature_header", "say which header holds the signature"),
        (has(&Part::Body) == 0, "signed", "add Part::Body: an unsigned body proves nothing"),
        (has(&Part::Body) > 1, "signed", "Part::Body occurs twice; it arrives once"),
        (
            has(&Part::Timestamp) > 0 && !signed_time,
            "signed",
            "Part::Timestamp needs timestamp_header or key_value to say where it is",
        ),
        (
            has(&Part::Timestamp) == 0 && signed_time,
            "signed",
            "add Part::Timestamp: a timestamp that is not signed can be changed by whoever replays",
        ),
        (
            has(&Part::Id) > 0 && !matches!(scheme.event_id, Some(Location::Header(_))),
            "signed",
            "Part::Id needs event_id_header to say where it is",
        ),
        (
            id_runs_on(&scheme.parts),
            "signed",
            "part Part::Id from its neighbours with a Part::Literal on each side: next to it a character no id has, \
             such as '.'",
        ),
        (in_signature && !list_time, "key_value", "the signature header has no field for the timestamp"),
        (
            no_versions(&scheme.syntax),
            "syntax",
            "a list needs at least one version, each with a name of its own",
        ),
        (
            uses(scheme, Algorithm::HmacSha1) && uses(scheme, Algorithm::HmacSha256),
            "syntax",
            "HMAC-SHA1 and HMAC-SHA256 in one list: a key has one hash, so make two schemes of it",
        ),
        (
            uses(scheme, Algorithm::Ed25519) && scheme.key_format != KeyFormat::StandardWebhooks,
            "key_format",
            "Ed25519 needs a public key: only KeyFormat::StandardWebhooks can hold one, as 'whpk_'",
        ),
        (a_header_has_two_roles(scheme), "signature_header", "one header cannot hold two different things"),
        (
            scheme.freshness_format() == Some(TimestampFormat::SecondsOrRfc3339) && signed_time,
            "timestamp_format",
            "a signed timestamp has one format: two could be confused where no separator follows",
        ),
    ];
    checks.into_iter().find(|(wrong, ..)| *wrong).map(|(_, field, problem)| (field, problem))
}

fn name_is_bad(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.is_empty() || name.len() > 64 || !name.bytes().all(good)
}

/// An id that runs into its neighbour could be cut elsewhere and leave the signed text the same. Text that is fixed
/// from the start needs no mark.
fn id_runs_on(parts: &[Part]) -> bool {
    let marks = |part: Option<&Part>, edge: fn(&[u8]) -> Option<&u8>| match part {
        Some(Part::Literal(text)) => {
            edge(text.as_bytes()).is_some_and(|byte| !crate::encoding::is_id_byte(*byte))
        }
        _ => false,
    };
    let fixed = |parts: &[Part]| parts.iter().all(|part| matches!(part, Part::Literal(_)));
    parts.iter().enumerate().filter(|(_, part)| **part == Part::Id).any(|(at, _)| {
        let (before, after) = parts.split_at_checked(at).unwrap_or_default();
        let begins = fixed(before) || marks(before.last(), |text| text.last());
        !begins || !marks(after.get(1), |text| text.first())
    })
}

fn uses(scheme: &Scheme, algorithm: Algorithm) -> bool {
    match &scheme.syntax {
        Syntax::Plain { algorithm: only, .. } => *only == algorithm,
        Syntax::KeyValue { versions, .. } | Syntax::Versioned { versions } => {
            versions.iter().any(|version| version.algorithm == algorithm)
        }
    }
}

fn no_versions(syntax: &Syntax) -> bool {
    let (Syntax::KeyValue { versions, .. } | Syntax::Versioned { versions }) = syntax else { return false };
    let mut names: Vec<_> = versions.iter().map(|version| &version.name).collect();
    if let Syntax::KeyValue { timestamp: Some(timestamp), .. } = syntax {
        names.push(timestamp);
    }
    names.sort();
    versions.is_empty()
        || names.iter().any(|name| name.is_empty())
        || names.windows(2).any(|pair| pair.first() == pair.last())
}

fn a_header_has_two_roles(scheme: &Scheme) -> bool {
    let mut names: Vec<_> = scheme.headers_read().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

pub(crate) fn check_window(freshness: &Freshness) -> Result<(), ConfigError> {
    let (Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. }) = freshness else {
        return Ok(());
    };
    for (given, side) in [(window.past, "in the past"), (window.future, "in the future")] {
        if !(Window::MIN..=Window::MAX).contains(&given) {
            return Err(ConfigError::Tolerance { given, side, min: Window::MIN, max: Window::MAX });
        }
    }
    Ok(())
}

impl Scheme {
    pub(crate) fn freshness_format(&self) -> Option<TimestampFormat> {
        match &self.freshness {
            Freshness::SignedTimestamp { format, .. } | Freshness::EventTime { format, .. } => Some(*format),
            Freshness::None => None,
        }
    }
}
