//! Printing for people, and for scripts.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};

use comfy_table::ColumnConstraint::{Absolute, Hidden, LowerBoundary};
use comfy_table::TableComponent::{
    HorizontalLines, LeftBorderIntersections, MiddleIntersections, RightBorderIntersections,
};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table, Width};
use indicatif::{ProgressBar, ProgressStyle};

pub(super) use crate::clock::moment;
use crate::telemetry::is_plain;

/// A table with a header.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    for between_rows in
        [HorizontalLines, MiddleIntersections, LeftBorderIntersections, RightBorderIntersections]
    {
        table.remove_style(between_rows);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// What the last column of a table that is made narrow has at least, in characters.
const LEAST: u16 = 30;

/// Prints `rows` so that on a terminal nothing breaks but the last column, which has two lines of what is left. What there is no
/// room for is left out, in the order of `least_useful`, and said to be.
pub(super) fn print_fitted(mut rows: Table, least_useful: &[&str]) -> std::io::Result<()> {
    let hidden = fit(&mut rows, least_useful);
    print_line(rows)?;
    if !hidden.is_empty() {
        eprint_line(format_args!(
            "No room for: {}. A wider terminal shows it, or --json.",
            hidden.join(", ")
        ));
    }
    Ok(())
}

/// Makes `rows` as narrow as the terminal, if there is one, and returns the names of the columns that are left out.
fn fit<'a>(rows: &mut Table, least_useful: &[&'a str]) -> Vec<&'a str> {
    let Some(width) = rows.width() else { return Vec::new() };
    let names: Vec<_> =
        rows.header().iter().flat_map(|row| row.cell_iter()).map(|cell| cell.content()).collect();
    let contents = rows.column_max_content_widths();
    let last = contents.len().saturating_sub(1);
    // One between any two columns.
    let mut needed = u16::try_from(last).unwrap_or(u16::MAX);
    for ((index, column), content) in rows.column_iter_mut().enumerate().zip(contents) {
        let least = if index == last { content.min(LEAST) } else { content };
        let padded = least.saturating_add(column.padding_width());
        needed = needed.saturating_add(padded);
        let width = Width::Fixed(padded);
        let keep = if index == last { LowerBoundary(width) } else { Absolute(width) };
        column.set_constraint(keep);
    }
    let mut hidden = Vec::new();
    for name in least_useful {
        let Some(index) = names.iter().position(|named| named == name) else { continue };
        if needed <= width {
            break;
        }
        if let Some(column) = rows.column_mut(index) {
            if let Some(Absolute(Width::Fixed(padded))) = column.constraint() {
                needed -= padded + 1;
            }
            column.set_constraint(Hidden);
            hidden.push(*name);
        }
    }
    rows.set_truncation_indicator("…");
    rows.row_iter_mut().for_each(|row| {
        row.max_height(2);
    });
    hidden
}

/// A line on standard output.
pub(super) fn print_line(line: impl fmt::Display) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// A line on standard error. That nobody reads it is no reason to stop.
pub(super) fn eprint_line(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A foreign text on a terminal: no control characters, no direction overrides, cut to a width that a table bears.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 120;
    let mut out: String = text.chars().take(MOST).map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

/// A bar for long work, where somebody watches; hidden for short work and for scripts.
pub(super) fn progress(steps: u64) -> ProgressBar {
    if steps < 20 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}");
    ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_table_breaks_no_word_and_leaves_out_what_matters_least() {
        let at = "2026-11-21T07:22:00.123Z";
        let error = "the CRM answered 503 Service Unavailable and said that it would be back, with all of its data, very early tomorrow morning";
        let print = |width| {
            let mut rows = table(["event", "key", "received", "reason", "error"]);
            rows.set_width(width).add_row(["1024", "lead-of-a-long-name", at, "attempts_exhausted", error]);
            let hidden = fit(&mut rows, &["key", "received"]);
            (rows.to_string(), hidden)
        };
        for (width, out) in [
            (61, &["key", "received"][..]),
            (87, &["key", "received"]),
            (88, &["key"]),
            (109, &["key"]),
            (110, &[]),
        ] {
            let (text, hidden) = print(width);
            assert_eq!(hidden, out, "{width}: {text}");
            assert_eq!(text.contains(at), !out.contains(&"received"), "{width}: {text}");
            assert_eq!(text.contains("lead-of-a-long-name"), !out.contains(&"key"), "{width}: {text}");
            for whole in ["1024", "attempts_exhausted", "the CRM answered 503 Service", "…"] {
                assert!(text.contains(whole), "{width}: {text}\nlacks: {whole}");
            }
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{width}: {text}");
            assert_eq!(text.lines().filter(|line| line.contains("morning")).count(), 0, "two lines: {text}");
        }
        let (text, hidden) = print(300);
        assert!(hidden.is_empty() && text.contains(error), "{text}");
    }

    #[test]
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(shown("a\x1b[2Jb\u{9b}c\r\n\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}\u{fffd}d");
        assert_eq!(shown(&"é".repeat(121)), "é".repeat(120) + "…");
    }
}
