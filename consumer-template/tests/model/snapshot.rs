//! What the database holds, beside what the model says that it must hold.

use std::collections::{BTreeMap, BTreeSet};

use hookproof_consumer::event::State;
use rusqlite::Connection;

use crate::contract::{Event, Forgotten, Lane, Model, Record, Standing, Totals};
use crate::support::NOW;
use crate::world::{Verdict, same};

/// Rows as text: a difference can be read.
fn rows(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The events that a query finds, by their numbers.
fn events_that(conn: &Connection, are: &str) -> BTreeSet<usize> {
    let mut statement = conn.prepare_cached(&format!("SELECT number - 1 FROM events WHERE {are}")).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, u32>(0).map(|event| event as usize)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The events that were passed over since the model was like the store, and those that died at their deadlines.
pub(crate) fn ended(conn: &Connection, model: &Model) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut superseded = events_that(conn, "superseded = 1");
    superseded.retain(|event| !model.events[*event].superseded);
    let mut expired = events_that(conn, "state = 'dead' AND reason = 'deadline'");
    expired.retain(|event| model.events[*event].state != State::Dead);
    (superseded, expired)
}

/// What is not there any more since the model was like the store.
pub(crate) fn forgotten(conn: &Connection, model: &Model) -> Forgotten {
    let mut payloads = events_that(conn, "purged_at IS NOT NULL");
    payloads.retain(|event| model.events[*event].purged.is_none());
    let there = events_that(conn, "1");
    let gone = |event: &usize| !model.events[*event].gone && !there.contains(event);
    let events: BTreeSet<_> = (0..model.events.len()).filter(gone).collect();
    // What went at once was without a payload first.
    payloads.extend(events.iter().copied().filter(|event| model.events[*event].purged.is_none()));
    let applied: BTreeSet<_> =
        rows(conn, "SELECT source || ' ' || ordering_key FROM applied").into_iter().collect();
    let position = |lane: &&Lane| matches!(lane, Lane::Key(source, key) if !applied.contains(&format!("{source} {key}")));
    let records: usize = rows(conn, "SELECT CAST(COUNT(*) AS TEXT) FROM deliveries")[0].parse().unwrap();
    Forgotten {
        payloads,
        events,
        positions: model.applied.keys().filter(position).copied().collect(),
        records: model.memory.records.len().saturating_sub(records),
    }
}

const EVENTS: &str = "SELECT concat_ws(' ', number, state, COALESCE(reason, '-'), attempts,
        iif(superseded, 'superseded', 'not'),
        (SELECT COALESCE(group_concat(COALESCE(outcome, '?') ORDER BY id), '-') FROM attempts WHERE event = number),
        (SELECT COUNT(*) FROM effects WHERE event = number),
        COALESCE(settled_at, '-'), COALESCE(delivered_at, '-'), COALESCE(purged_at, '-'),
        (SELECT COUNT(*) FROM payloads WHERE event = number))
    FROM events ORDER BY number";

const AUDIT: &str = "SELECT concat_ws(' ', COALESCE(event, source), group_concat(action ORDER BY id)) AS line
    FROM audit GROUP BY event, iif(event IS NULL, source, '') ORDER BY line";

const PAUSES: &str = "SELECT concat_ws(' ', source, cause, since) FROM pauses ORDER BY source, cause";

const OUTCOMES: &str = "SELECT concat_ws(' ', source, at, died) FROM outcomes ORDER BY source, id";

const RECORDS: &str = "SELECT concat_ws(' ', received_at, event, nth, source, answer, COALESCE(state, '-'))
    FROM deliveries ORDER BY received_at, event, nth";

const KEYS: &str = "SELECT concat_ws(' ', source, MIN(first_at), MAX(last_at), SUM(deliveries)) FROM (
        SELECT source, first_at, last_at, deliveries FROM key_uses
        UNION ALL SELECT source, received_at, received_at, 1 FROM deliveries)
    GROUP BY source ORDER BY source";

const QUARANTINE: &str =
    "SELECT concat_ws(' ', number, source, received_at, bytes) FROM quarantine ORDER BY number";

const REFUSED: &str =
    "SELECT concat_ws(' ', source, held, bytes, total, released, purged, evicted, expired, dropped)
    FROM quarantine_totals ORDER BY source";

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
    same("the audit log", &rows(conn, AUDIT), &audit(model))?;
    same("pauses", &rows(conn, PAUSES), &pauses(model))?;
    same("what became of the last events", &rows(conn, OUTCOMES), &outcomes(model))?;
    same("records", &rows(conn, RECORDS), &records(model))?;
    same("uses of keys", &rows(conn, KEYS), &keys(model))?;
    same("the quarantine", &rows(conn, QUARANTINE), &quarantine(model))?;
    same("how much was refused", &rows(conn, REFUSED), &refused(model))?;
    same("queue", &rows(conn, QUEUE), &queue(model))?;
    same("leases", &rows(conn, LEASES), &leases(model))?;
    same("blockers", &rows(conn, BLOCKERS), &blockers(model))?;
    same("what was applied last", &rows(conn, APPLIED), &applied(model))?;
    same("lanes", &rows(conn, LANES), &lanes(model))?;
    same("counts", &rows(conn, TALLIES), &tallies(model))
}

fn events(model: &Model) -> Vec<String> {
    let joined = |words: Vec<&str>| if words.is_empty() { "-".to_owned() } else { words.join(",") };
    let time = |time: Option<u64>| time.map_or("-".to_owned(), |time| (NOW + time).to_string());
    let line = |(index, event): (usize, &Event)| {
        let history = event.history.iter().map(|ended| ended.unwrap_or("?")).collect();
        format!(
            "{} {} {} {} {} {} {} {} {} {} {}",
            index + 1,
            event.state,
            event.reason.map_or("-", |reason| reason.as_str()),
            event.attempts,
            if event.superseded { "superseded" } else { "not" },
            joined(history),
            event.effects,
            time(event.settled),
            time(event.delivered),
            time(event.purged),
            u8::from(event.purged.is_none())
        )
    };
    model.events.iter().enumerate().filter(|(_, event)| !event.gone).map(line).collect()
}

/// The lines of each event and of each source.
fn audit(model: &Model) -> Vec<String> {
    let of_events = model.events.iter().enumerate();
    let of_events = of_events.map(|(index, event)| ((index + 1).to_string(), &event.audit));
    let of_sources = model.life.audit.iter().map(|(source, lines)| ((*source).to_owned(), lines));
    let all = of_events.chain(of_sources).filter(|(_, lines)| !lines.is_empty());
    let mut all: Vec<_> = all.map(|(about, lines)| format!("{about} {}", lines.join(","))).collect();
    all.sort();
    all
}

fn pauses(model: &Model) -> Vec<String> {
    let line = |((source, cause), since): (&(&str, &str), &u64)| format!("{source} {cause} {}", NOW + since);
    model.life.pauses.iter().map(line).collect()
}

fn outcomes(model: &Model) -> Vec<String> {
    let ended =
        model.life.ended.iter().flat_map(|(source, ended)| ended.iter().map(move |one| (source, one)));
    ended.map(|(source, (at, died))| format!("{source} {} {}", NOW + at, u8::from(*died))).collect()
}

fn records(model: &Model) -> Vec<String> {
    let line = |record: &Record| {
        let found = record.found.map_or("-", State::as_str);
        let (at, event) = (NOW + record.at, record.event + 1);
        format!("{at} {event} {} {} {} {found}", record.nth, record.source, record.answer)
    };
    model.memory.records.iter().map(line).collect()
}

fn keys(model: &Model) -> Vec<String> {
    let used = model.memory.used.iter();
    used.map(|(source, used)| {
        format!("{source} {} {} {}", NOW + used.first, NOW + used.last, used.deliveries)
    })
    .collect()
}

fn quarantine(model: &Model) -> Vec<String> {
    let requests = model.quarantine.requests.iter();
    requests
        .map(|one| format!("{} {} {} {}", one.number, one.source, NOW + one.received, one.bytes))
        .collect()
}

fn refused(model: &Model) -> Vec<String> {
    let totals = model.quarantine.totals.iter();
    totals
        .map(|(source, totals)| {
            let (held, bytes) = model.quarantine.held(source);
            let Totals { total, released, purged, evicted, expired, dropped } = totals;
            format!("{source} {held} {bytes} {total} {released} {purged} {evicted} {expired} {dropped}")
        })
        .collect()
}

fn queue(model: &Model) -> Vec<String> {
    let line = |(index, event): (usize, &Event)| {
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
    let line = |(index, event): (usize, &Event)| {
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
    for event in model.events.iter().filter(|event| !event.gone) {
        *counted.entry((event.source, State::as_str(event.state))).or_default() += 1;
    }
    counted.into_iter().map(|((source, state), count)| format!("{source} {state} {count}")).collect()
}
