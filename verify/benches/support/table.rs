//! The figures, each with the limit that it has to keep, as a table or as JSON.

use std::process::ExitCode;

use serde_json::json;

use super::arguments::Arguments;
use super::turns::Compared;

/// On which side of a ratio the limit is.
#[allow(dead_code, reason = "each bench has limits of its own kind")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// For the reader's information.
    None,
}

impl Limit {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
            Self::None => true,
        }
    }

    fn show(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most:.2}"),
            Self::AtLeast(least) => format!(">= {least:.2}"),
            Self::None => "-".to_owned(),
        }
    }
}

/// One comparison.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) against: &'static str,
    pub(crate) compared: Compared,
    pub(crate) limit: Limit,
}

impl Row {
    fn verdict(&self) -> &'static str {
        match self.limit {
            Limit::None => "",
            limit if limit.holds(self.compared.ratio) => "ok",
            _ => "MISSED",
        }
    }
}

/// Prints the rows. With `--check` a missed limit is a failure.
#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
pub(crate) fn report(arguments: &Arguments, rows: &[Row]) -> ExitCode {
    if arguments.json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        println!("{:#}", json!(rows));
    } else {
        println!(
            "{:<34} {:>10}   {:<28} {:>10} {:>7} {:>13} {:>8}",
            "what", "ns", "against", "ns", "ratio", "half between", "limit"
        );
        for row in rows {
            let Compared { first_ns, second_ns, ratio, quartiles } = row.compared;
            println!(
                "{:<34} {first_ns:>10.0}   {:<28} {second_ns:>10.0} {ratio:>7.3} {:>6.3}-{:<6.3} {:>8} {}",
                row.what,
                row.against,
                quartiles.0,
                quartiles.1,
                row.limit.show(),
                row.verdict(),
            );
        }
    }
    let missed = rows.iter().any(|row| !row.limit.holds(row.compared.ratio));
    if arguments.check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn as_json(row: &Row) -> serde_json::Value {
    let Compared { first_ns, second_ns, ratio, quartiles } = row.compared;
    let (at_most, at_least) = match row.limit {
        Limit::AtMost(most) => (Some(most), None),
        Limit::AtLeast(least) => (None, Some(least)),
        Limit::None => (None, None),
    };
    json!({
        "what": row.what, "against": row.against, "ns": first_ns, "against_ns": second_ns,
        "ratio": ratio, "quartiles": [quartiles.0, quartiles.1],
        "at_most": at_most, "at_least": at_least, "holds": row.limit.holds(ratio),
    })
}
