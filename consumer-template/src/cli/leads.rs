//! What the worked example made of the events.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hookproof::UnixTime;
use serde::Serialize;
use serde_json::value::RawValue;

use super::args::StoreArg;
use super::table::{moment, print_line, shown, table};
use crate::leads::{Entry, Lead, Register};

/// Look at the leads that the lead platforms' events made.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hookproof leads list --config hookproof.toml\n  hookproof leads list --source klozeo --all --json\n  hookproof leads show klozeo L-17\n\nReads the database; the server may be running or not. Keys are not needed."
)]
pub(super) struct Leads {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
}

/// List leads by source and id, and the events that name none.
#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    store: StoreArg,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Also deleted leads, and those that were merged into another one.
    #[arg(long)]
    all: bool,
    /// Print JSON, one lead per line; events that name no lead are left out.
    #[arg(long)]
    json: bool,
}

/// Show one lead: all that its events say.
#[derive(Args, Debug)]
struct Show {
    #[command(flatten)]
    store: StoreArg,
    /// The source.
    source: String,
    /// The lead's id.
    lead: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Leads {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::List(command) => command.run().await?,
            Command::Show(command) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn open(store: &StoreArg, source: Option<&str>) -> anyhow::Result<Register> {
    // Says what is wrong with a database that is not there, or not of this version.
    drop(store.open_for(source).await?);
    Register::open(&store.path()?).context("cannot read the leads")
}

impl List {
    async fn run(&self) -> anyhow::Result<()> {
        let register = open(&self.store, self.source.as_deref()).await?;
        let mut rows = table(["source", "lead", "name", "email", "state", "updated", "events"]);
        let mut after = (String::new(), String::new());
        loop {
            let page = register.page(self.source.as_deref(), self.all, (&after.0, &after.1))?;
            let Some((source, id, _)) = page.last() else { break };
            after = (source.clone(), id.clone());
            for (source, id, lead) in &page {
                if self.json {
                    print_line(json(source, id, lead, None)?)?;
                } else {
                    rows.add_row(cells(source, id, lead));
                }
            }
        }
        if self.json {
            return Ok(());
        }
        print_line(if after.0.is_empty() { "No leads.".to_owned() } else { rows.to_string() })?;
        let strays = register.strays()?.into_iter();
        for stray in strays.filter(|stray| self.source.as_ref().is_none_or(|source| *source == stray.source))
        {
            let (source, name) = (shown(&stray.source), shown(&stray.event_type));
            print_line(format_args!(
                "{source}: events of type '{name}' name no lead, the latest {}",
                time(stray.at)
            ))?;
        }
        Ok(())
    }
}

impl Show {
    async fn run(&self) -> anyhow::Result<()> {
        let entry = open(&self.store, None).await?.show(&self.source, &self.lead)?;
        let entry = entry.with_context(|| {
            format!("no event of '{}' named a lead '{}'", shown(&self.source), shown(&self.lead))
        })?;
        if self.json {
            return Ok(print_line(json(&self.source, &self.lead, &entry.lead, Some(&entry))?)?);
        }
        let lead = &entry.lead;
        let mut facts = vec![
            ("lead", format!("{}, {}", shown(&self.lead), state(lead))),
            ("source", shown(&self.source)),
            ("updated", time(lead.updated_at)),
        ];
        facts.extend(lead.created_at.map(|at| ("created", time(at))));
        if !entry.merged_from.is_empty() {
            let ids: Vec<_> = entry.merged_from.iter().map(|id| shown(id)).collect();
            facts.push(("merged from", ids.join(", ")));
        }
        facts.push(("applied", format!("{} events", lead.events_applied)));
        for (name, value) in facts {
            print_line(format_args!("{name:<12} {value}"))?;
        }
        let mut rows = table(["kind", "name", "value"]);
        let kinds =
            [("field", &lead.fields), ("score", &lead.scores), ("note", &lead.notes), ("form", &lead.forms)];
        for (kind, members) in kinds {
            for (name, value) in members {
                rows.add_row([kind.to_owned(), shown(name), shown(value)]);
            }
        }
        for (name, at, said) in &entry.events {
            rows.add_row(["event".to_owned(), shown(name), format!("{} {}", time(*at), shown(said))]);
        }
        Ok(print_line(rows)?)
    }
}

fn cells(source: &str, id: &str, lead: &Lead) -> [String; 7] {
    let field = |name: &str| lead.fields.get(name).map_or_else(|| "-".to_owned(), |json| plain(json));
    [
        shown(source),
        shown(id),
        field("name"),
        field("email"),
        state(lead),
        time(lead.updated_at),
        lead.events_applied.to_string(),
    ]
}

/// What became of a lead, in a word or two.
pub(super) fn state(lead: &Lead) -> String {
    match (&lead.merged_into, &lead.outcome) {
        (Some(survivor), _) => format!("merged into {}", shown(survivor)),
        _ if lead.deleted => "deleted".to_owned(),
        (None, Some(outcome)) => shown(outcome),
        (None, None) => "active".to_owned(),
    }
}

/// A JSON text on a terminal: of a string its characters, of anything else the text.
pub(super) fn plain(json: &str) -> String {
    serde_json::from_str::<String>(json).map_or_else(|_| shown(json), |text| shown(&text))
}

fn time(at: i64) -> String {
    moment(UnixTime::from_millis(u64::try_from(at).unwrap_or(0)))
}

/// A lead as JSON, its values as the providers wrote them: a number must not lose a digit.
#[derive(Serialize)]
struct Json<'a> {
    source: &'a str,
    lead: &'a str,
    merged_into: Option<&'a str>,
    created_at: Option<String>,
    updated_at: String,
    deleted: bool,
    outcome: Option<&'a str>,
    fields: BTreeMap<&'a str, Option<&'a RawValue>>,
    scores: BTreeMap<&'a str, Option<&'a RawValue>>,
    notes: BTreeMap<&'a str, Option<&'a RawValue>>,
    forms: BTreeMap<&'a str, Option<&'a RawValue>>,
    events_applied: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_from: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventJson<'a>>>,
}

#[derive(Serialize)]
struct EventJson<'a> {
    r#type: &'a str,
    latest: String,
    said: Option<&'a RawValue>,
}

fn json(source: &str, id: &str, lead: &Lead, entry: Option<&Entry>) -> anyhow::Result<String> {
    let line = serde_json::to_string(&Json {
        source,
        lead: id,
        merged_into: lead.merged_into.as_deref(),
        created_at: lead.created_at.map(time),
        updated_at: time(lead.updated_at),
        deleted: lead.deleted,
        outcome: lead.outcome.as_deref(),
        fields: members(&lead.fields),
        scores: members(&lead.scores),
        notes: members(&lead.notes),
        forms: members(&lead.forms),
        events_applied: lead.events_applied,
        merged_from: entry.map(|entry| entry.merged_from.as_slice()),
        events: entry.map(|entry| entry.events.iter().map(event).collect()),
    })?;
    // A provider may send its JSON over several lines. Outside of strings a line break is but a space, and inside it is escaped.
    Ok(line.replace(['\n', '\r'], " "))
}

fn event((name, at, said): &(String, i64, String)) -> EventJson<'_> {
    EventJson { r#type: name, latest: time(*at), said: raw(said) }
}

fn members(texts: &BTreeMap<String, String>) -> BTreeMap<&str, Option<&RawValue>> {
    texts.iter().map(|(name, text)| (name.as_str(), raw(text))).collect()
}

fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}
