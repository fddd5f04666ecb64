//! When the delivery says that it was made.

use std::time::Duration;

use http::HeaderMap;

use super::explanation::{Cause, CauseKind, TimeFinding, duration};
use super::trial::{Trial, Variation};
use crate::http_message;
use crate::pointer::Scalar;
use crate::scheme::{Freshness, Scheme, Syntax, TimestampAt};
use crate::timestamp::{TimestampFormat, UnixTime, Window, millis};
use crate::token::Token;

/// How a timestamp may be written otherwise than configured.
const FORMATS: [(TimestampFormat, &str); 3] = [
    (TimestampFormat::Seconds, "Unix seconds"),
    (TimestampFormat::Millis, "Unix milliseconds"),
    (TimestampFormat::Rfc3339, "RFC 3339"),
];

/// The text of the time that a delivery states, where its scheme has one.
pub(super) fn stated_text(scheme: &Scheme, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let scheme = scheme.family(headers);
    match &scheme.freshness {
        Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } => {
            Some(headers.get(name)?.to_str().ok()?.to_owned())
        }
        Freshness::SignedTimestamp { at: TimestampAt::SignatureField, .. } => {
            let Syntax::KeyValue { timestamp: Some(field), separator, .. } = &scheme.syntax else {
                return None;
            };
            let values = scheme.signature_headers.iter().filter_map(|name| headers.get(name)?.to_str().ok());
            let mut elements = values.flat_map(|value| value.split([*separator, ',', ';', ' ']));
            elements.find_map(|element| {
                let (name, value) = element.split_once('=')?;
                (name == field).then(|| value.to_owned())
            })
        }
        Freshness::SignedTimestamp { at: TimestampAt::Claim(pointer), .. } => {
            let mut values =
                scheme.signature_headers.iter().filter_map(|name| headers.get(name)?.to_str().ok());
            let token = values.find_map(|value| Token::read(value).ok())?;
            match pointer.find(&token.claims).ok()?? {
                Scalar::Number(digits) => Some(digits.to_owned()),
                _ => None,
            }
        }
        Freshness::SignedTimestamp { at: TimestampAt::Created, .. } => {
            let inputs = headers
                .get_all(&http_message::SIGNATURE_INPUT)
                .iter()
                .filter_map(|value| value.to_str().ok());
            let mut parameters = inputs.flat_map(|value| value.split([';', ',']));
            parameters.find_map(|parameter| parameter.trim().strip_prefix("created=").map(str::to_owned))
        }
        Freshness::EventTime { pointer, .. } => {
            pointer.find(body).ok()??.into_id().map(std::borrow::Cow::into_owned)
        }
        Freshness::None => None,
    }
}

/// The same as a moment.
pub(super) fn stated(scheme: &Scheme, headers: &HeaderMap, body: &[u8]) -> Option<UnixTime> {
    scheme.freshness_format()?.parse(stated_text(scheme, headers, body)?.as_bytes())
}

fn window(scheme: &Scheme) -> Option<Window> {
    match &scheme.freshness {
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => Some(*window),
        Freshness::None => None,
    }
}

/// Where the stated time lies, seen from the receipt.
pub(super) fn finding(trial: &Trial) -> Option<TimeFinding> {
    let (stated, window) = (stated(&trial.scheme, &trial.headers, &trial.body)?, window(&trial.scheme)?);
    let format = trial.scheme.freshness_format()?;
    Some(TimeFinding {
        stated_ms: stated.as_millis(),
        stated: TimestampFormat::Rfc3339.print(stated),
        in_the_future: stated > trial.now,
        distance_ms: stated.as_millis().abs_diff(trial.now.as_millis()),
        allowed_past_ms: millis(window.past),
        allowed_future_ms: millis(window.future),
        inside: window.check(stated, trial.now, format).is_ok(),
    })
}

/// What a time outside the window, or one that cannot be read, may come from.
pub(super) fn causes(trial: &Trial) -> Vec<Cause> {
    let unit = other_unit(trial);
    match (unit, finding(trial)) {
        (Some(unit), _) => vec![unit],
        (None, Some(found)) if !found.inside => outside(&found),
        (None, None) => unreadable(trial).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The text is a time inside the window, if it is read in another unit.
fn other_unit(trial: &Trial) -> Option<Cause> {
    let text = stated_text(&trial.scheme, &trial.headers, &trial.body)?;
    let (configured, window) = (trial.scheme.freshness_format()?, window(&trial.scheme)?);
    let inside = |format: TimestampFormat| {
        let parsed = format.parse(text.as_bytes());
        parsed.is_some_and(|time| window.check(time, trial.now, format).is_ok())
    };
    if inside(configured) {
        return None;
    }
    let (_, name) = FORMATS.into_iter().find(|(format, _)| *format != configured && inside(*format))?;
    Some(Cause::seen(
        CauseKind::TimestampUnit,
        format!(
            "The timestamp is written in {name}, and so lies inside the window; configured is {}.",
            name_of(configured)
        ),
        "Set the scheme's timestamp_format to what the provider sends.",
    ))
}

fn name_of(format: TimestampFormat) -> &'static str {
    let known = FORMATS.into_iter().find(|(known, _)| *known == format);
    known.map_or("Unix seconds or RFC 3339", |(_, name)| name)
}

fn outside(found: &TimeFinding) -> Vec<Cause> {
    let distance = duration(found.distance_ms);
    let needed = found.distance_ms.div_ceil(1000);
    let within = if Duration::from_secs(needed) <= Window::MAX {
        format!("It would have been inside with a tolerance of {needed} s.")
    } else {
        format!("No tolerance reaches that far; the longest is {} s.", Window::MAX.as_secs())
    };
    let mut causes = Vec::new();
    if let Some(zone) = zone(found.distance_ms) {
        let side = if found.in_the_future { "ahead" } else { "behind" };
        causes.push(Cause::seen(
            CauseKind::TimeZone,
            format!(
                "The time is {side} by {distance}, which is a time zone's distance of {zone}: local time may \
                 have been taken for UTC."
            ),
            "Compare the clocks and time zones of both sides in UTC. Do not widen the window for this.",
        ));
    }
    let (finding, remedy) = if found.in_the_future {
        (
            format!(
                "The timestamp lies {distance} after the receipt: the sender's clock is ahead by that much, \
                 or this one is behind. {within}"
            ),
            "Check this machine's clock against NTP first. If it is right, the provider's is wrong: tell \
             him, and widen the window only for a small distance.",
        )
    } else {
        (
            format!(
                "The timestamp lies {distance} before the receipt: it was delivered late or again, or this \
                 machine's clock is ahead. {within}"
            ),
            "Check this machine's clock against NTP. If it is right, look for a queue or proxy that holds \
             requests back, or for a replay. If you explain a delivery of the past, give the moment of its \
             receipt.",
        )
    };
    causes.push(Cause::seen(CauseKind::OutsideWindow, finding, remedy));
    causes
}

/// A distance of whole quarters of an hour, to half a minute, as far as time zones go (14 hours): `+02:00`.
fn zone(distance_ms: u64) -> Option<String> {
    const QUARTER_S: u64 = 15 * 60;
    let seconds = distance_ms / 1000;
    let quarters = (seconds + QUARTER_S / 2) / QUARTER_S;
    let near = seconds.abs_diff(quarters * QUARTER_S) <= 30;
    // Less than an hour is nobody's time zone, and the likelier cause is a wrong clock.
    (near && (4..=56).contains(&quarters)).then(|| format!("{:02}:{:02}", quarters / 4, quarters % 4 * 15))
}

fn unreadable(trial: &Trial) -> Option<Cause> {
    let (required, place) = match &trial.scheme.freshness {
        Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } => {
            (true, format!("header '{name}'"))
        }
        Freshness::SignedTimestamp { .. } => (true, "signature header".to_owned()),
        Freshness::EventTime { pointer, required, .. } => (*required, format!("body at {pointer}")),
        Freshness::None => return None,
    };
    let format = name_of(trial.scheme.freshness_format()?);
    match stated_text(&trial.scheme, &trial.headers, &trial.body) {
        None if required => Some(Cause::seen(
            CauseKind::MalformedTimestamp,
            format!("There is no timestamp in the {place}."),
            "See what the provider sends, and where; a proxy may drop headers that it does not know.",
        )),
        Some(_) => Some(Cause::seen(
            CauseKind::MalformedTimestamp,
            format!("The timestamp in the {place} is not {format}."),
            "Compare a delivery with the scheme, and set timestamp_format or the place.",
        )),
        None => None,
    }
}

/// The signed timestamp written otherwise, for the case that its text is signed in a form that is not the one presented.
pub(super) fn unit_variations(trial: &Trial) -> Vec<Variation> {
    let Freshness::SignedTimestamp { .. } = &trial.scheme.freshness else { return Vec::new() };
    let Some(text) = stated_text(&trial.scheme, &trial.headers, &trial.body) else { return Vec::new() };
    let configured = trial.scheme.freshness_format();
    let read = FORMATS.into_iter().filter(|(format, _)| format.parse(text.as_bytes()).is_some());
    let mut variations = Vec::new();
    for (presented, name) in read {
        if Some(presented) != configured {
            let cause = Cause::recomputed(
                CauseKind::TimestampUnit,
                format!("The signature holds if the timestamp is read as {name}."),
                "Set the scheme's timestamp_format to what the provider sends.",
            );
            variations.push(Variation::new(cause, move |trial| reread(trial, presented)));
        }
        let Some(time) = presented.parse(text.as_bytes()) else { continue };
        for (signed, signed_name) in FORMATS {
            let printed = signed.print(time);
            if printed == text {
                continue;
            }
            let cause = Cause::recomputed(
                CauseKind::TimestampUnit,
                format!(
                    "The signature is over the timestamp in {signed_name}, while the request carries {name}."
                ),
                "The provider signs another text than he sends. Ask him which holds; a scheme signs what is \
                 presented.",
            );
            variations.push(Variation::new(cause, move |trial| own_timestamp(trial, signed, &printed)));
        }
    }
    variations
}

fn reread(trial: &mut Trial, new: TimestampFormat) {
    if let Freshness::SignedTimestamp { format, .. } = &mut trial.scheme.freshness {
        *format = new;
    }
}

/// Puts a timestamp into a header of our own, where every syntax of a signature finds it.
pub(super) fn own_timestamp(trial: &mut Trial, format: TimestampFormat, text: &str) {
    const OWN: &str = "x-hookproof-explain-timestamp";
    let (Ok(name), Ok(value)) = (http::HeaderName::try_from(OWN), http::HeaderValue::from_str(text)) else {
        return;
    };
    trial.headers.insert(name.clone(), value);
    // A trial takes place at the time that is stated, which is inside any window.
    let window = Window::symmetric(Duration::from_secs(300));
    trial.scheme.freshness = Freshness::SignedTimestamp { at: TimestampAt::Header(name), format, window };
}

/// The format in which a text is a time between 2001 and 2100, if it is one.
pub(super) fn plausible(text: &str) -> Option<TimestampFormat> {
    const FROM: UnixTime = UnixTime::from_secs(978_307_200);
    const UNTIL: UnixTime = UnixTime::from_secs(4_102_444_800);
    let within = |format: TimestampFormat| {
        format.parse(text.as_bytes()).is_some_and(|time| (FROM..UNTIL).contains(&time))
    };
    FORMATS.into_iter().map(|(format, _)| format).find(|format| within(*format))
}
