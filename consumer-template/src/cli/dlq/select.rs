//! Which dead letters a person means.

use anyhow::bail;
use clap::Args;

use crate::cli::table::shown;
use crate::cli::when::When;
use crate::clock::{Clock as _, SystemClock};
use crate::event::DeadReason;
use crate::fingerprint::{Fingerprint, FingerprintPrefix};
use crate::inbox::{DeadLetters, Selection};

/// Which dead letters. All of these together.
#[derive(Args, Debug)]
#[group(id = "selection", multiple = true)]
pub(super) struct SelectArgs {
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only dead for this reason: malformed, conflict, attempts_exhausted, permanent or deadline.
    #[arg(long, value_parser = reason)]
    reason: Option<DeadReason>,
    /// Only dead of this failure: its fingerprint or the beginning of it, as `hookproof dlq groups` prints it.
    #[arg(long, value_name = "FINGERPRINT")]
    group: Option<FingerprintPrefix>,
    /// Only of this event type.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only of this ordering key.
    #[arg(long = "key", value_name = "KEY")]
    ordering_key: Option<String>,
    /// Only what arrived then or later: 2026-11-20T18:03:11Z, or 2h for two hours ago.
    #[arg(long, value_name = "TIME")]
    received_after: Option<When>,
    /// Only what arrived before then.
    #[arg(long, value_name = "TIME")]
    received_before: Option<When>,
}

impl SelectArgs {
    pub(super) fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    pub(super) async fn selection(&self, store: &dyn DeadLetters) -> anyhow::Result<Selection> {
        let now = SystemClock.now();
        let group = match &self.group {
            Some(prefix) => Some(the_group(store, prefix).await?),
            None => None,
        };
        Ok(Selection {
            source: self.source.clone(),
            reason: self.reason,
            group,
            event_type: self.event_type.clone(),
            ordering_key: self.ordering_key.clone(),
            received_after: self.received_after.map(|when| when.at(now)),
            received_before: self.received_before.map(|when| when.at(now)),
        })
    }
}

/// The one group that begins so.
async fn the_group(store: &dyn DeadLetters, prefix: &FingerprintPrefix) -> anyhow::Result<Fingerprint> {
    const NAMED: usize = 5;
    let typed = prefix.as_str();
    let mut groups = store.groups_named(prefix.clone(), NAMED + 1).await?;
    match groups.len() {
        0 => bail!("no dead letter is in a group that begins with {typed}: see `hookproof dlq groups`"),
        1 => Ok(groups.remove(0)),
        several => {
            let more = if several > NAMED { ", ..." } else { "" };
            let names: Vec<_> = groups.iter().take(NAMED).map(Fingerprint::as_str).collect();
            bail!("several groups begin with {typed}: {}{more}; type more of its digits", names.join(", "))
        }
    }
}

fn reason(name: &str) -> Result<DeadReason, String> {
    DeadReason::parse(name).ok_or_else(|| {
        let names: Vec<_> = DeadReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("choose one of {}", names.join(", "))
    })
}

/// A name for a cell, or a dash.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), shown)
}
