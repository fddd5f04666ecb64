//! Printing for people, and for scripts.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};

use comfy_table::TableComponent::{
    HorizontalLines, LeftBorderIntersections, MiddleIntersections, RightBorderIntersections,
};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};

pub(super) use crate::clock::moment;

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

fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
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
    fn foreign_text_cannot_move_the_cursor() {
        assert_eq!(shown("a\x1b[2Jb\u{9b}c\r\n\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}\u{fffd}d");
        assert_eq!(shown(&"é".repeat(121)), "é".repeat(120) + "…");
    }
}
