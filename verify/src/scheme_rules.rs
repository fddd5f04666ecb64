//! What no scheme may be: impossible, or unsafe by its own description.

use http::HeaderName;

use crate::config_error::ConfigError;
use crate::encoding::Encoding;
use crate::http_message::registered_name;
use crate::part::Part;
use crate::scheme::{Algorithm, Freshness, KeyFormat, Location, Scheme, Syntax, TimestampAt};
use crate::timestamp::{TimestampFormat, Window};

/// What makes a scheme impossible or unsafe, most telling first.
pub(crate) fn contradictions(scheme: &Scheme) -> Option<(&'static str, &'static str)> {
    let has = |part: &Part| scheme.parts.iter().filter(|p| *p == part).count();
    let of_body = scheme.parts.iter().filter(|part| part.is_of_body()).count();
    let signed_at = match &scheme.freshness {
        Freshness::SignedTimestamp { at, .. } => Some(at),
        _ => None,
    };
    let signed_time = signed_at.is_some();
    // A token's claims are signed, and a list of signed headers must name the timestamp's.
    let elsewhere = match signed_at {
        Some(TimestampAt::Claim(_) | TimestampAt::Created) => true,
        Some(TimestampAt::Header(_)) => {
            scheme.parts.iter().any(|part| matches!(part, Part::SignedHeaders(_)))
        }
        _ => false,
    };
    let in_signature = matches!(signed_at, Some(TimestampAt::SignatureField));
    let list_time = matches!(&scheme.syntax, Syntax::KeyValue { timestamp: Some(_), .. });
    let is_token = matches!(&scheme.syntax, Syntax::JsonWebToken { .. });
    let in_body = scheme.syntax == Syntax::AdyenItems;
    let is_message = matches!(&scheme.syntax, Syntax::HttpMessage { .. });
    let without_body = is_token || in_body || is_message || scheme.algorithms() == [Algorithm::SharedToken];
    let checks = [
        (name_is_bad(&scheme.name), "name", "use 1 to 64 characters of a-z 0-9 and '-'"),
        (
            scheme.signature_headers.is_empty() && !in_body,
            "signature_header",
            "say which header holds the signature",
        ),
        (
            in_body && !scheme.signature_headers.is_empty(),
            "signature_header",
            "Adyen's signatures stand in the body: name no header",
        ),
        (of_body == 0 && !without_body, "signed", "add Part::Body: an unsigned body proves nothing"),
        (of_body > 1, "signed", "the body occurs twice; it arrives once"),
        (
            without_body
                && scheme.parts.iter().any(|part| !matches!(part, Part::TokenContent | Part::SignatureBase)),
            "signed",
            "a message signature, a token, a shared secret and Adyen's items say by themselves what is signed: give no parts",
        ),
        (
            has(&Part::TokenContent) != usize::from(is_token),
            "signed",
            "Part::TokenContent and Syntax::JsonWebToken belong together",
        ),
        (
            has(&Part::SignatureBase) != usize::from(is_message),
            "signed",
            "Part::SignatureBase and Syntax::HttpMessage belong together",
        ),
        (
            matches!(signed_at, Some(TimestampAt::Created)) != is_message,
            "syntax",
            "Syntax::HttpMessage has its time in the parameter 'created', and nothing else has: use http_message",
        ),
        (
            is_message
                && scheme.algorithms().into_iter().any(|algorithm| registered_name(algorithm).is_none()),
            "http_message",
            "RFC 9421 has no such algorithm",
        ),
        (
            uncovered(scheme),
            "http_message",
            "require 'content-digest', or the body can be exchanged; danger_uncovered_body allows it",
        ),
        (
            matches!(signed_at, Some(TimestampAt::Claim(_))) && !is_token,
            "timestamp_claim",
            "only a Syntax::JsonWebToken has claims",
        ),
        (
            claims_overlap(scheme),
            "timestamp_claim",
            "the time and the body's digest are two claims, and neither stands inside the other",
        ),
        (
            matches!(signed_at, Some(TimestampAt::Claim(_)))
                && scheme.freshness_format() == Some(TimestampFormat::Rfc3339),
            "timestamp_format",
            "a claim holds its time as a number: choose Seconds or Millis",
        ),
        (
            matches!(scheme.freshness, Freshness::EventTime { .. }) && has(&Part::Body) == 0 && !is_token,
            "event_time_at",
            "the body is not signed as it is, so a time within can be changed by whoever replays",
        ),
        (
            has(&Part::Timestamp) > 0 && !signed_time,
            "signed",
            "Part::Timestamp needs timestamp_header or key_value to say where it is",
        ),
        (
            has(&Part::Timestamp) == 0 && signed_time && !elsewhere,
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
            !list_can_be_read(&scheme.syntax),
            "syntax",
            "names are printable ASCII without what separates; use a separator such as ',' that occurs in no value",
        ),
        (
            !prefix_is_printable(&scheme.syntax),
            "prefix",
            "use printable ASCII: another prefix is never in a header",
        ),
        (
            scheme.required_headers.iter().any(|(_, value)| !is_printable(value) || value.trim() != value),
            "required_header",
            "give a value of printable ASCII, without white space at its edges",
        ),
        (
            uses(scheme, Algorithm::HmacSha1) && uses(scheme, Algorithm::HmacSha256),
            "syntax",
            "HMAC-SHA1 and HMAC-SHA256 in one list: a key has one hash, so make two schemes of it",
        ),
        (
            uses(scheme, Algorithm::SharedToken) && !matches!(scheme.syntax, Syntax::Plain { .. }),
            "syntax",
            "a shared secret stands in a header by itself, not in a list",
        ),
        (!key_format_fits(scheme), "key_format", "the algorithms need keys that this format cannot hold"),
        (
            scheme.algorithms().iter().any(|algorithm| {
                let lengths = algorithm.signature_len();
                !is_message && lengths.start() != lengths.end() && scheme.encoding != Encoding::Base64
            }),
            "encoding",
            "signatures of this algorithm are written in Encoding::Base64",
        ),
        (
            scheme.bound_key.as_ref().is_some_and(|bound| {
                scheme.signature_headers.len() != 2 || !scheme.signature_headers.contains(&bound.header)
            }),
            "bind_key",
            "name one of exactly two signature headers",
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
    scheme.algorithms().contains(&algorithm)
}

/// Whether a key in the scheme's format can be one for its algorithms.
fn key_format_fits(scheme: &Scheme) -> bool {
    use Algorithm::{EcdsaP256Der, EcdsaP256Fixed, Ed25519};

    scheme.algorithms().into_iter().all(|algorithm| match scheme.key_format {
        // What is sent is the text itself.
        format if algorithm == Algorithm::SharedToken => format == KeyFormat::Utf8,
        KeyFormat::Utf8 | KeyFormat::Base64 => !algorithm.is_public_key(),
        KeyFormat::Hex => {
            // Secrets and public keys look alike in it, so it cannot hold both.
            let one_kind =
                scheme.algorithms().iter().all(|other| other.is_public_key() == algorithm.is_public_key());
            one_kind && (algorithm == Ed25519 || !algorithm.is_public_key())
        }
        KeyFormat::StandardWebhooks => algorithm == Ed25519 || !algorithm.is_public_key(),
        KeyFormat::PublicKey => algorithm.is_public_key(),
        KeyFormat::PublicKeyOrSecret => matches!(scheme.syntax, Syntax::HttpMessage { .. }),
        KeyFormat::JsonWebKey => matches!(algorithm, EcdsaP256Der | EcdsaP256Fixed),
    })
}

/// Whether a message signature need not cover the body, and nobody said that it need not.
fn uncovered(scheme: &Scheme) -> bool {
    let Syntax::HttpMessage { required, uncovered_body, .. } = &scheme.syntax else { return false };
    !uncovered_body && !required.iter().any(|component| component.name() == "content-digest")
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

/// Whether each name can be found again in a list that is made of them.
fn list_can_be_read(syntax: &Syntax) -> bool {
    let (versions, timestamp, between, after_name) = match syntax {
        Syntax::KeyValue { versions, timestamp, separator } => {
            (versions, timestamp.as_ref(), *separator, '=')
        }
        Syntax::Versioned { versions } => (versions, None, ' ', ','),
        _ => return true,
    };
    // Signatures and times are written in letters, digits and these.
    let in_values = between.is_ascii_alphanumeric() || "+/=:.-".contains(between);
    let fits = |name: &str| is_printable(name) && !name.contains([between, after_name]);
    let mut names = versions.iter().map(|version| &version.name).chain(timestamp);
    is_printable(between.encode_utf8(&mut [0; 4])) && !in_values && names.all(|name| fits(name))
}

fn prefix_is_printable(syntax: &Syntax) -> bool {
    !matches!(syntax, Syntax::Plain { prefix, .. } if !is_printable(prefix))
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

fn claims_overlap(scheme: &Scheme) -> bool {
    match (&scheme.syntax, &scheme.freshness) {
        (
            Syntax::JsonWebToken { body_sha256 },
            Freshness::SignedTimestamp { at: TimestampAt::Claim(time), .. },
        ) => body_sha256.overlaps(time),
        _ => false,
    }
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
