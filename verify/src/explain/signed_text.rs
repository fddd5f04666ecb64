//! What else may have been signed than the scheme says.

use super::explanation::{Cause, CauseKind};
use super::time;
use super::trial::{Trial, Variation};
use crate::scheme::{Freshness, Location, Part};

const SEPARATORS: [&str; 8] = [".", ":", "", "\n", ",", "|", "-", "&"];

/// The most headers of which each is tried as a timestamp that is signed.
const MAX_TIMES: usize = 4;

const REMEDY: &str = "Compare with the provider's documentation: his scheme may have changed, or this is \
                      another preset. A scheme of your own says with signed() what is signed. Never leave \
                      out a timestamp or id that you rely on: whoever replays could change it.";

/// The parts left out, separated, ordered or joined otherwise.
pub(super) fn variations(trial: &Trial) -> Vec<Variation> {
    let parts = &trial.scheme.parts;
    if !parts.contains(&Part::Body) {
        // What is signed is listed by the request itself, or made of the body: there is nothing to leave out.
        return Vec::new();
    }
    let mut texts = Texts { original: parts.clone(), list: Vec::new() };
    for absent in [Part::Timestamp, Part::Id, Part::Method, Part::Url] {
        texts.add(without(parts, &absent));
    }
    texts.add(vec![Part::Body]);
    let plain: Vec<_> = parts.iter().filter(|part| !matches!(part, Part::Literal(_))).cloned().collect();
    let last_first: Vec<_> = plain.iter().rev().cloned().collect();
    for order in [plain, last_first] {
        for separator in SEPARATORS {
            texts.add(joined(&order, separator));
            if let Some(Part::Literal(start)) = parts.first() {
                texts.add([vec![Part::Literal(start.clone())], joined(&order, separator)].concat());
            }
        }
    }
    if trial.public_url.is_some() {
        texts.add(vec![Part::Url, Part::Body]);
        texts.add(vec![Part::Method, Part::Url, Part::Body]);
    }
    let mut variations: Vec<_> = texts.list.into_iter().map(|parts| signs(parts, None)).collect();
    if !matches!(trial.scheme.freshness, Freshness::SignedTimestamp { .. }) {
        variations.extend(with_time(trial));
    }
    variations
}

struct Texts {
    original: Vec<Part>,
    list: Vec<Vec<Part>>,
}

impl Texts {
    fn add(&mut self, parts: Vec<Part>) {
        if parts.contains(&Part::Body) && parts != self.original && !self.list.contains(&parts) {
            self.list.push(parts);
        }
    }
}

/// The parts without this one, and without the literal that stood after it (or, at the end, before it).
fn without(parts: &[Part], absent: &Part) -> Vec<Part> {
    let mut parts = parts.to_vec();
    if let Some(at) = parts.iter().position(|part| part == absent) {
        parts.remove(at);
        let literal = |part: Option<&Part>| matches!(part, Some(Part::Literal(_)));
        if literal(parts.get(at)) {
            parts.remove(at);
        } else if at == parts.len() && literal(parts.last()) {
            parts.pop();
        }
    }
    parts
}

fn joined(parts: &[Part], separator: &'static str) -> Vec<Part> {
    let mut out = Vec::new();
    for part in parts {
        if !out.is_empty() && !separator.is_empty() {
            out.push(Part::literal(separator));
        }
        out.push(part.clone());
    }
    out
}

/// For a scheme that signs no time: a time that stands in a header may be signed all the same.
fn with_time(trial: &Trial) -> Vec<Variation> {
    let mut times: Vec<(String, String)> = Vec::new();
    for (name, value) in &trial.headers {
        let Ok(text) = value.to_str() else { continue };
        let fields =
            text.split([',', ';', ' ']).filter_map(|field| field.split_once('=').map(|(_, value)| value));
        for candidate in std::iter::once(text).chain(fields) {
            if time::plausible(candidate).is_some() && times.len() < MAX_TIMES {
                times.push((format!("header '{name}'"), candidate.to_owned()));
            }
        }
    }
    let signed_id = matches!(trial.scheme.event_id, Some(Location::Header(_)));
    let mut variations = Vec::new();
    for (place, text) in times {
        for separator in SEPARATORS {
            for order in [[Part::Timestamp, Part::Body], [Part::Body, Part::Timestamp]] {
                variations.push(signs(joined(&order, separator), Some((place.clone(), text.clone()))));
            }
            if signed_id {
                let order = [Part::Id, Part::Timestamp, Part::Body];
                variations.push(signs(joined(&order, separator), Some((place.clone(), text.clone()))));
            }
        }
    }
    variations
}

fn signs(parts: Vec<Part>, timestamp: Option<(String, String)>) -> Variation {
    let names: Vec<_> = parts.iter().map(name).collect();
    let place = timestamp.as_ref().map(|(place, _)| format!(" (timestamp: {place})")).unwrap_or_default();
    let finding =
        format!("The signature is over {}{place}, which is not what the scheme signs.", names.join(", "));
    Variation::new(Cause::recomputed(CauseKind::SignedText, finding, REMEDY), move |trial| {
        if let Some((_, text)) = &timestamp
            && let Some(format) = time::plausible(text)
        {
            time::own_timestamp(trial, format, text);
        }
        trial.scheme.parts.clone_from(&parts);
    })
}

fn name(part: &Part) -> String {
    match part {
        Part::Literal(text) => format!("'{}'", text.escape_debug()),
        Part::Id => "id".to_owned(),
        Part::Timestamp => "timestamp".to_owned(),
        Part::Method => "method".to_owned(),
        Part::Url => "URL".to_owned(),
        Part::Body => "body".to_owned(),
        Part::UrlVariants => "URL with or without its port".to_owned(),
        Part::EncodedPath => "encoded path".to_owned(),
        Part::SignedHeaders(list) => format!("headers that '{list}' lists"),
        Part::WebhookId => "webhook id".to_owned(),
        Part::BodyCrc32 => "CRC-32 of the body".to_owned(),
        Part::Form(_) => "form fields".to_owned(),
        Part::TokenContent => "token".to_owned(),
        Part::SignatureBase => "signature base".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is tried twice takes the place of another under the limits; without the body any body would fit.
    #[test]
    fn a_text_is_tried_once_and_never_without_the_body() {
        let (time, body) = (Part::Timestamp, Part::Body);
        let mut texts = Texts { original: vec![time.clone(), body.clone()], list: Vec::new() };
        for parts in [vec![time.clone(), body.clone()], vec![body.clone()], vec![body.clone()], vec![time]] {
            texts.add(parts);
        }
        assert_eq!(texts.list, [[body]]);
    }
}
