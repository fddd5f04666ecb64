//! Which failures are the same failure: a fingerprint of where, why and how an event died. Pure.
//!
//! A broken dependency kills a thousand events with a thousand texts: the same words around other numbers. What differs from event
//! to event is taken out before the text is hashed:
//!
//! | taken out | becomes |
//! |---|---|
//! | what stands in quotes: `"ada@example.com"`, `'L-17'`, `` `status` `` | `"#"` |
//! | words with a digit in them: numbers, ids, times, IP addresses, UUIDs | `#` |
//! | e-mail addresses, URLs, paths that begin with a slash | `#` |
//! | hexadecimal words of eight or more letters | `#` |
//!
//! An HTTP status stays where it is called one (`answered 503`, `status: 404`): a refusal and an outage are not the same failure. The
//! event's payload is never looked at, only what the handler said.
//!
//! Fingerprints are stored. Whoever changes what is taken out adds a migration that computes them anew.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::event::DeadReason;

/// Hexadecimal digits of a fingerprint: 64 bits, so that among a million kinds of failure no two are likely to share one.
pub const DIGITS: usize = 16;

/// How much of an error is kept, in bytes. The rest says nothing: in a log, too, a failure is the one that the store knows.
const ERROR_BYTES: usize = 2_000;

/// The words after which a number of three digits is an HTTP status.
const STATUS_WORDS: [&str; 4] = ["answered", "code", "http", "status"];

/// The shortest word of the letters a to f that is taken for a hexadecimal number.
const HEX_LETTERS: usize = 8;

/// The fingerprint of a failure: [`DIGITS`] hexadecimal digits in lower case. Begins with the same digits as whatever people type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

/// Not a fingerprint, nor the beginning of one. Caused by whoever typed it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "the beginning of a fingerprint is 1 to {DIGITS} of the digits 0-9 and a-f, as `hookproof dlq groups` prints it"
)]
pub struct NotAFingerprint;

/// As much of an error as is kept.
pub(crate) fn shortened(error: &str) -> &str {
    (0..=error.len().min(ERROR_BYTES)).rev().find_map(|end| error.get(..end)).unwrap_or_default()
}

impl Fingerprint {
    /// The fingerprint of the failure of an event of `source`, which died for `reason` with `error`.
    #[must_use]
    pub fn of(source: &str, reason: DeadReason, error: &str) -> Self {
        let mut hash = Sha256::new();
        // Each piece with its length, so that nothing can move from one to the next.
        for piece in ["failure/1", source, reason.as_str(), &normalised(shortened(error))] {
            hash.update((piece.len() as u64).to_be_bytes());
            hash.update(piece.as_bytes());
        }
        let hex = hash.finalize().iter().take(DIGITS / 2).fold(String::new(), |mut hex, byte| {
            use fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self(hex)
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As many of its digits as a table has room for. Enough to type, unless two groups begin alike.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let FingerprintPrefix(digits) = text.parse()?;
        if digits.len() == DIGITS { Ok(Self(digits)) } else { Err(NotAFingerprint) }
    }
}

/// The beginning of a fingerprint, as a person types it: at least one digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FingerprintPrefix(String);

impl FingerprintPrefix {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FingerprintPrefix {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.to_ascii_lowercase();
        let hex = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if hex && (1..=DIGITS).contains(&digits.len()) { Ok(Self(digits)) } else { Err(NotAFingerprint) }
    }
}

/// `error` without what differs from event to event: see the [module](self).
#[must_use]
pub fn normalised(error: &str) -> String {
    let mut out = String::with_capacity(error.len());
    let mut rest = error;
    let mut after_status_word = false;
    while let Some(first) = rest.chars().next() {
        let word = word(rest);
        let taken = if let Some(quote) = quoted(out.chars().next_back(), rest) {
            out.push_str("\"#\"");
            quote
        } else if !word.is_empty() {
            let keep = if after_status_word { is_status(word) || !varies(word) } else { !varies(word) };
            out.push_str(if keep { word } else { "#" });
            after_status_word = STATUS_WORDS.iter().any(|status| word.eq_ignore_ascii_case(status));
            word.len()
        } else {
            // A run of blanks is one blank.
            if !first.is_whitespace() {
                out.push(first);
            } else if !out.ends_with(' ') {
                out.push(' ');
            }
            first.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.trim().to_owned()
}

/// How long the quoted text is with which `rest` begins; `before` is what stands before it. An apostrophe inside a word is none.
fn quoted(before: Option<char>, rest: &str) -> Option<usize> {
    let (open, close) = match rest.chars().next()? {
        quote @ ('"' | '`' | '\'') => (quote, quote),
        '“' => ('“', '”'),
        '‘' => ('‘', '’'),
        '«' => ('«', '»'),
        _ => return None,
    };
    let inside_word = |c: Option<char>| open == '\'' && c.is_some_and(|c| c.is_alphanumeric() || c == '#');
    if inside_word(before) {
        return None;
    }
    let inner = rest.get(open.len_utf8()..)?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        let end = at + c.len_utf8();
        if c == close && !escaped && !inside_word(inner.get(end..).and_then(|rest| rest.chars().next())) {
            return Some(open.len_utf8() + end);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// The word with which `text` begins: letters and digits, and what joins them in ids, times, addresses and paths.
fn word(text: &str) -> &str {
    let joins = |c: char| matches!(c, '_' | '-' | '.' | ':' | '/' | '@' | '%' | '+' | '~' | '?' | '&' | '=');
    let run = text.find(|c: char| !c.is_alphanumeric() && !joins(c)).unwrap_or(text.len());
    let run = text.get(..run).unwrap_or_default();
    let begins_with_path = run.starts_with('/') || run.starts_with("~/");
    if !begins_with_path && !run.starts_with(char::is_alphanumeric) {
        return "";
    }
    // What ends a sentence is not part of its last word.
    run.trim_end_matches(|c: char| joins(c) && c != '/')
}

fn varies(word: &str) -> bool {
    let hex = || word.len() >= HEX_LETTERS && word.bytes().all(|b| b.is_ascii_hexdigit());
    word.chars().any(char::is_numeric)
        || word.contains('@')
        || word.contains("://")
        || (word.len() > 1 && word.starts_with(['/', '~']))
        || hex()
}

fn is_status(word: &str) -> bool {
    word.len() == 3
        && word.bytes().all(|b| b.is_ascii_digit())
        && matches!(word.as_bytes().first(), Some(b'1'..=b'5'))
}

#[cfg(test)]
mod tests;
