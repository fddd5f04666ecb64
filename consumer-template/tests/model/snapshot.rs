//! What the database holds, beside what the model says that it must hold.

use std::collections::BTreeMap;

use hookproof_consumer::event::State;
use rusqlite::Connection;

use crate::contract::{Lane, Model, Standing};
use crate::support::NOW;
use crate::world::{Verdict, same};

/// Rows as text: a difference can be read.
fn rows(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The events that were passed over.
pub(crate) fn superseded(conn: &Connection) -> Vec<usize> {
    let mut statement = conn.prepare_cached("SELECT number - 1 FROM events WHERE superseded = 1").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, u32>(0).map(|event| event as usize)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

const EVENTS: &str = "SELECT concat_ws(' ', number, state, COALESCE(reason, '-'), attempts,
        iif(superseded, 'superseded', 'not'),
        (SELECT COALESCE(group_concat(COALESCE(outcome, '?') ORDER BY id), '-') FROM attempts WHERE event = number),
        (SELECT COALESCE(group_concat(action ORDER BY id), '-') FROM audit WHERE event = number),
        (SELECT COUNT(*) FROM effects WHERE event = number))
    FROM events ORDER BY number";

const QUEUE: &str = "SELECT concat_ws(' ', event, standing, due_at, COALESCE(ready_by, '-'), even_if_stale)
    FROM queue ORDER BY event";

const LEASES: &str = "SELECT concat_ws(' ', running, token, lease_until) FROM lanes WHERE running IS NOT NULL ORDER BY running";

const BLOCKERS: &str =
    "SELECT concat_ws(' ', event, (SELECT blocked FROM lanes WHERE id = lane)) FROM blockers ORDER BY event";

const APPLIED: &str =
    "SELECT concat_ws(' ', source, ordering_key, at, sequence) FROM applied ORDER BY source, ordering_key";

const LANES: &str = "SELECT concat_ws(' ', source, COALESCE(ordering_key, '-'), blocked, COUNT(*)) FROM lanes
    GROUP BY source, ordering_key, blocked ORDER BY source, ordering_key, blocked";

const TALLIES: &str =
    "SELECT concat_ws(' ', source, state, events) FROM tallies WHERE events > 0 ORDER BY source, state";

pub(crate) fn compare(conn: &Connection, model: &Model) -> Verdict {
    same("events", &rows(conn, EVENTS), &events(model))?;
    same("queue", &rows(conn, QUEUE), &queue(model))?;
    same("leases", &rows(conn, LEASES), &leases(model))?;
    same("blockers", &rows(conn, BLOCKERS), &blockers(model))?;
    same("what was applied last", &rows(conn, APPLIED), &applied(model))?;
    same("lanes", &rows(conn, LANES), &lanes(model))?;
    same("counts", &rows(conn, TALLIES), &tallies(model))
}

fn events(model: &Model) -> Vec<String> {
    let joined = |words: Vec<&str>| if words.is_empty() { "-".to_owned() } else { words.join(",") };
    let line = |(index, event): (usize, &crate::contract::Event)| {
        let history = event.history.iter().map(|ended| ended.unwrap_or("?")).collect();
        format!(
            "{} {} {} {} {} {} {} {}",
            index + 1,
            event.state,
            event.reason.map_or("-", |reason| reason.as_str()),
            event.attempts,
            if event.superseded { "superseded" } else { "not" },
            joined(history),
            joined(event.audit.clone()),
            event.effects
        )
    };
    model.events.iter().enumerate().map(line).collect()
}

fn queue(model: &Model) -> Vec<String> {
    let line = |(index, event): (usize, &crate::contract::Event)| {
        let wait = event.wait?;
        let standing = match wait.standing {
            Standing::InLine => 0,
            Standing::Beside => 1,
            Standing::Parked => 2,
        };
        let ready_by = wait.ready_by.map_or("-".to_owned(), |by| (NOW + by).to_string());
        Some(format!("{} {standing} {} {ready_by} {}", index + 1, NOW + wait.due, u8::from(wait.anyway)))
    };
    model.events.iter().enumerate().filter_map(line).collect()
}

fn leases(model: &Model) -> Vec<String> {
    let line = |(index, event): (usize, &crate::contract::Event)| {
        let lease = event.lease?;
        Some(format!("{} {} {}", index + 1, lease.token, NOW + lease.until))
    };
    model.events.iter().enumerate().filter_map(line).collect()
}

fn blockers(model: &Model) -> Vec<String> {
    let blocking = model.events.iter().enumerate().filter(|(_, event)| event.blocks);
    blocking.map(|(index, _)| format!("{} 1", index + 1)).collect()
}

fn applied(model: &Model) -> Vec<String> {
    let line = |(lane, (at, sequence)): (&Lane, &(u64, i64))| match lane {
        Lane::Key(source, key) => format!("{source} {key} {} {sequence}", NOW + at),
        Lane::Alone(event) => format!("event {event} has no key"),
    };
    model.applied.iter().map(line).collect()
}

/// A lane is there as long as there is something in it, or something that blocks it.
fn lanes(model: &Model) -> Vec<String> {
    let mut lanes = BTreeMap::new();
    for event in model.events.iter().filter(|event| event.wait.is_some() || event.blocks) {
        *lanes.entry((event.source, event.lane)).or_insert(false) |= event.blocks;
    }
    let mut counted: BTreeMap<(&str, Option<u8>, bool), usize> = BTreeMap::new();
    for ((source, lane), blocked) in lanes {
        let key = if let Lane::Key(_, key) = lane { Some(key) } else { None };
        *counted.entry((source, key, blocked)).or_default() += 1;
    }
    let line = |((source, key, blocked), count): ((&str, Option<u8>, bool), usize)| {
        let key = key.map_or("-".to_owned(), |key| key.to_string());
        format!("{source} {key} {} {count}", u8::from(blocked))
    };
    counted.into_iter().map(line).collect()
}

fn tallies(model: &Model) -> Vec<String> {
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for event in &model.events {
        *counted.entry((event.source, State::as_str(event.state))).or_default() += 1;
    }
    counted.into_iter().map(|((source, state), count)| format!("{source} {state} {count}")).collect()
}
