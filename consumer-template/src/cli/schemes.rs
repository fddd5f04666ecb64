use std::process::ExitCode;

use clap::Args;
use hookproof::{Freshness, Location, Scheme};

use super::table::{print_line, table};

/// List the presets: who signs how, and what bounds a replay.
#[derive(Args, Debug)]
pub(super) struct Schemes {
    /// Print JSON, one preset per line.
    #[arg(long)]
    json: bool,
}

impl Schemes {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut rows = table(["preset", "signature header", "time", "event id"]);
        for scheme in Scheme::all() {
            let headers: Vec<_> =
                scheme.signature_headers().iter().map(|name| name.as_str().to_owned()).collect();
            let time = match scheme.freshness() {
                Freshness::SignedTimestamp { .. } => "signed per attempt",
                Freshness::EventTime { .. } => "of the event, in the body",
                _ => "none",
            };
            let id = id_text(&scheme);
            if self.json {
                let line = serde_json::json!({
                    "name": scheme.name(), "signature_headers": headers, "time": time, "event_id": id,
                });
                print_line(line)?;
            } else {
                rows.add_row([scheme.name(), &headers_text(&headers), time, &id]);
            }
        }
        if !self.json {
            print_line(rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn headers_text(names: &[String]) -> String {
    match names {
        [] => "none: in the body".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        [first, .., last] => format!("{first} to {last}"),
    }
}

fn id_text(scheme: &Scheme) -> String {
    let Some(location) = scheme.event_id_location() else { return "none".to_owned() };
    let place = match location {
        Location::Header(name) => name.to_string(),
        Location::Body(pointer) => format!("{pointer} in the body"),
    };
    if scheme.is_signed(location) { place } else { format!("{place} (not signed)") }
}
