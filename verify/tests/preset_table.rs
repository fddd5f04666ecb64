//! The table of presets in the documentation is what the presets say.
//!
//! `HOOKPROOF_WRITE=1 cargo test -p hookproof --test preset_table` writes it anew.

#![cfg(test)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookproof::{DigestScope, Freshness, Location, Part, Scheme, Syntax, TimestampAt};

const HEAD: &str = "//! | preset | signature | what is signed | time, and its window | what identifies an event | re-sent for |";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schemes/mod.rs")
}

#[test]
fn the_table_is_what_the_presets_say() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(HEAD).expect("the table's head");
    let after = rest.find("\n//!\n").map(|at| rest.split_at(at).1).expect("an empty line after the table");
    let wanted = format!("{before}{}{after}", table());
    if std::env::var_os("HOOKPROOF_WRITE").is_some() {
        std::fs::write(page(), &wanted).unwrap();
    }
    assert!(text == wanted, "schemes/mod.rs: the table is out of date; see the top of this test");
}

fn table() -> String {
    let mut table = format!("{HEAD}\n//! |---|---|---|---|---|---|");
    for scheme in Scheme::all() {
        let row = [
            link(&scheme),
            place(&scheme),
            signed(&scheme),
            time(&scheme),
            identity(&scheme),
            horizon(&scheme),
        ];
        write!(table, "\n//! | {} |", row.join(" | ")).unwrap();
    }
    table
}

fn link(scheme: &Scheme) -> String {
    match scheme.name() {
        // Names that the language has taken.
        "line" => "[`line`](fn@line)".to_owned(),
        "box" => "[`box`](box_)".to_owned(),
        name if name.contains('-') => format!("[`{name}`]({})", name.replace('-', "_")),
        name => format!("[`{name}`]"),
    }
}

fn place(scheme: &Scheme) -> String {
    match scheme.signature_headers() {
        [] => "in the body".to_owned(),
        [only] => format!("`{only}`"),
        [first, second] => format!("`{first}`, `{second}`"),
        [first, .., last] => format!("`{first}` to `{last}`"),
    }
}

fn signed(scheme: &Scheme) -> String {
    match scheme.syntax() {
        Syntax::AdyenItems => return "eight fields of each item".to_owned(),
        Syntax::JsonWebToken { .. } => return "a token with the time and the body's digest".to_owned(),
        Syntax::HttpMessage { .. } => return "what is configured, with the body's digest".to_owned(),
        _ => {}
    }
    let words: Vec<_> = scheme.signed_parts().iter().filter_map(word).collect();
    if words.is_empty() { "**nothing**".to_owned() } else { words.join(", ") }
}

fn word(part: &Part) -> Option<&'static str> {
    Some(match part {
        Part::Id => "id",
        Part::Timestamp => "time",
        Part::Method => "method",
        Part::Url | Part::UrlVariants => "URL",
        Part::EncodedPath => "path",
        Part::SignedHeaders(_) => "listed headers",
        Part::WebhookId => "webhook id",
        Part::Body => "body",
        Part::BodyCrc32 => "CRC-32 of the body",
        Part::Form(_) => "form",
        _ => return None,
    })
}

fn time(scheme: &Scheme) -> String {
    let (place, window) = match scheme.freshness() {
        Freshness::SignedTimestamp { at, window, .. } => {
            let place = match at {
                TimestampAt::Header(name) => format!("`{name}`"),
                TimestampAt::SignatureField => "in the signature".to_owned(),
                TimestampAt::Claim(pointer) => format!("claim `{pointer}`"),
                _ => "parameter `created`".to_owned(),
            };
            (place, window)
        }
        Freshness::EventTime { pointer, window, required, .. } => {
            let place = if *required { "of the event," } else { "of the event, where sent," };
            (format!("{place} `{pointer}`"), window)
        }
        _ => return "none: keep replay keys".to_owned(),
    };
    if window.past == window.future {
        format!("{place}, {}", span(window.past))
    } else {
        format!("{place}, {} back, {} ahead", span(window.past), span(window.future))
    }
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        secs if secs >= 48 * 3600 && secs % 86_400 == 0 => format!("{} days", secs / 86_400),
        secs if secs >= 3600 => format!("{} h", secs / 3600),
        secs => format!("{secs} s"),
    }
}

fn identity(scheme: &Scheme) -> String {
    if let Some(location) = scheme.event_id_location()
        && scheme.is_signed(location)
    {
        return match location {
            Location::Header(name) => format!("header `{name}`, signed"),
            Location::Body(pointer) => format!("`{pointer}` in the body"),
        };
    }
    match (scheme.identity(), signed(scheme).as_str()) {
        (_, "**nothing**") => "digest of the body, which nobody vouches for".to_owned(),
        (DigestScope::SignedBytes, "body") | (DigestScope::Body, _) => "digest of the body".to_owned(),
        (_, what) => format!("digest of {what}"),
    }
}

fn horizon(scheme: &Scheme) -> String {
    scheme.retry_horizon().map_or("not published".to_owned(), span)
}
