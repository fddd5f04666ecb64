//! Dead letters as files for other programs: CSV for spreadsheets, JSON Lines for scripts. Row by row, any number.

pub mod json;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clock::moment;
use crate::inbox::{EventDetail, EventSummary};

/// The columns of CSV.
pub const COLUMNS: [&str; 14] = [
    "event",
    "source",
    "event_type",
    "event_id",
    "ordering_key",
    "received_at",
    "settled_at",
    "state",
    "reason",
    "group",
    "attempts",
    "last_error",
    "attempt_history",
    "body",
];

/// Characters with which a cell is a formula to some spreadsheet (OWASP, "CSV Injection"), the full-width forms included.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '＠'];

/// A file that is being written.
///
/// # Security
///
/// In CSV, a cell that a spreadsheet would run as a formula gets an apostrophe before it. So does one that begins with an
/// apostrophe, so that whoever reads the file back can take exactly one away. Numbers are left alone.
#[derive(Debug)]
pub enum Export<W: Write> {
    /// CSV (RFC 4180).
    Csv(Box<csv::Writer<W>>),
    /// A JSON object per line. A last line without its end was cut off.
    JsonLines(W),
}

impl<W: Write> Export<W> {
    /// Starts CSV, with its header.
    ///
    /// # Errors
    ///
    /// When `out` cannot be written.
    pub fn csv(out: W) -> anyhow::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            // Some spreadsheets split at semicolons, but not inside quotes.
            .quote_style(csv::QuoteStyle::NonNumeric)
            .from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    /// Starts JSON Lines.
    pub fn json_lines(out: W) -> Self {
        Self::JsonLines(out)
    }

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn add(&mut self, event: &EventDetail) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => writer.write_record(cells(event).map(|cell| neutral(&cell)))?,
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, &json::whole(event))?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Ends the file, and returns what was written to.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(self) -> anyhow::Result<W> {
        match self {
            Self::Csv(writer) => Ok(writer.into_inner().map_err(|error| error.into_error())?),
            Self::JsonLines(mut out) => {
                out.flush()?;
                Ok(out)
            }
        }
    }
}

fn cells(detail: &EventDetail) -> [String; COLUMNS.len()] {
    let EventSummary {
        number,
        source,
        event_id,
        event_type,
        ordering_key,
        received_at,
        state,
        reason,
        fingerprint,
        ..
    } = &detail.summary;
    let attempts: serde_json::Value = detail.attempts.iter().map(json::attempt).collect();
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        number.to_string(),
        source.clone(),
        or_empty(event_type),
        or_empty(event_id),
        or_empty(ordering_key),
        moment(*received_at),
        detail.summary.settled_at.map(moment).unwrap_or_default(),
        state.to_string(),
        reason.map(|reason| reason.to_string()).unwrap_or_default(),
        fingerprint.as_ref().map(ToString::to_string).unwrap_or_default(),
        detail.summary.attempts.to_string(),
        or_empty(&detail.summary.last_error),
        attempts.to_string(),
        body_text(&detail.event.body),
    ]
}

/// Marks a body that is written as base64.
const BASE64: &str = "base64:";

/// The body as text, or as base64 with a mark where it is not text, or would be taken for marked.
fn body_text(body: &[u8]) -> String {
    match str::from_utf8(body) {
        Ok(text) if !text.starts_with(BASE64) => text.to_owned(),
        _ => format!("{BASE64}{}", STANDARD.encode(body)),
    }
}

/// The cell, so that no spreadsheet computes it.
fn neutral(cell: &str) -> String {
    let is_number = !cell.is_empty()
        && cell.bytes().enumerate().all(|(i, b)| b.is_ascii_digit() || (i == 0 && b == b'-'));
    // Spreadsheets trim before they look.
    let first = cell.trim_start_matches(' ').chars().next();
    if first.is_some_and(|c| c == '\'' || FORMULA.contains(&c)) && (!is_number || cell == "-") {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_is_read_back_as_what_it_was() {
        assert_eq!(body_text(b"{\"a\":1}"), "{\"a\":1}");
        assert_eq!(body_text(&[0xff, 0]), "base64:/wA=");
        assert_eq!(body_text(b"base64:/wA="), format!("base64:{}", STANDARD.encode("base64:/wA=")));
    }

    #[test]
    fn formulas_are_text_and_numbers_are_numbers() {
        for cell in [
            "=HYPERLINK(\"http://e\",\"x\")",
            "+1+2",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "＝1",
            "-",
            "-1+1",
            " =1+1",
            "'=1",
            "\n=1",
        ] {
            assert_eq!(neutral(cell), format!("'{cell}"));
        }
        for cell in ["", "1", "-1", "9007199254740993", "ada", "a=b"] {
            assert_eq!(neutral(cell), cell);
        }
    }

    proptest! {
        /// What a script reads back, less one apostrophe, is what was there; and no cell begins a formula.
        #[test]
        fn cells_are_safe_and_read_back(cell in any::<String>()) {
            let mut file = Vec::new();
            let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut file);
            writer.write_record([neutral(&cell), "end".to_owned()]).unwrap();
            drop(writer);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*file);
            let read = reader.records().next().unwrap().unwrap();
            let read = read.get(0).unwrap();
            prop_assert_eq!(read.strip_prefix('\'').unwrap_or(read), &cell);
            let risky = read.starts_with(FORMULA) && read.parse::<i128>().is_err() && read.bytes().skip(1).any(|b| !b.is_ascii_digit());
            prop_assert!(!risky, "{}", read);
        }
    }
}
