//! What providers have sent and what they were told, and whether a database keeps that promise.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::process::letters::{self, Letter, Writer};

/// The lead that many events are about.
const HOT: &str = "hot";

/// One event in so many is about the hot lead; one in so many is no JSON. The others have a lead of their own each.
const HOT_EVERY: u64 = 16;
const MALFORMED_EVERY: u64 = 20;

/// All that was ever sent. An event that is not `answered` may be in the database or not: nobody was promised anything.
#[derive(Default)]
pub(crate) struct Ledger {
    sent: BTreeMap<u64, Sent>,
    answered: Vec<u64>,
    /// Events that were not answered before the last kill.
    open: Vec<u64>,
    next: u64,
    pub(crate) resent: usize,
}

struct Sent {
    letter: Letter,
    answered: bool,
}

/// A promise that a database breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Answered, and not there.
    Lost(u64),
    /// There more than once.
    Twice(u64),
    /// Not what was sent, or never sent. By its row's number.
    Altered(i64),
    /// A lead to which another number of events was applied than are done.
    Effects { lead: String, done: i64, applied: i64 },
    /// In a state in which this event cannot be.
    State(u64, String),
    /// An event whose attempts are not what its history says, or fewer than before.
    Attempts(i64),
    /// Still running for a process that was killed before the last one.
    Orphan(i64),
}

impl Ledger {
    /// Makes the number of a new event.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn send(&mut self, number: u64, letter: Letter) {
        self.sent.insert(number, Sent { letter, answered: false });
    }

    pub(crate) fn answered(&mut self, number: u64) {
        let sent = self.sent.get_mut(&number).unwrap();
        if !sent.answered {
            sent.answered = true;
            self.answered.push(number);
        }
    }

    /// How many events were answered.
    pub(crate) fn promises(&self) -> usize {
        self.answered.len()
    }

    /// An event to send again: now one that was answered, now one that was not.
    pub(crate) fn again(&mut self, random: &mut fastrand::Rng) -> Option<(u64, Letter)> {
        let from = if random.bool() { &self.answered } else { &self.open };
        let number = *random.choice(from)?;
        self.resent += 1;
        Some((number, self.sent.get(&number)?.letter.clone()))
    }

    /// Every event that was answered.
    pub(crate) fn kept(&self) -> Vec<Letter> {
        self.answered.iter().filter_map(|number| Some(self.sent.get(number)?.letter.clone())).collect()
    }

    /// The server was killed: what is not answered now may be sent again.
    pub(crate) fn killed(&mut self) {
        self.open = self.sent.iter().filter(|(_, sent)| !sent.answered).map(|(number, _)| *number).collect();
    }

    /// Everything that `database` breaks, at any moment at which no server runs on it.
    pub(crate) fn check(&self, database: &Connection) -> rusqlite::Result<Vec<Broken>> {
        let mut broken = Vec::new();
        let mut states: HashMap<u64, String> = HashMap::new();
        let mut rows = database.prepare(
            "SELECT number, state, body, body_sha256 FROM events LEFT JOIN payloads ON event = number",
        )?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get::<_, Option<_>>(2)?.unwrap_or_default();
            let hash: Option<Vec<u8>> = row.get(3)?;
            let same = |number: &u64| self.sent.get(number).is_some_and(|sent| sent.letter.body == body);
            let known = letters::numbers(&String::from_utf8_lossy(&body)).find(same);
            match known {
                Some(number) if hash.as_deref() == Some(Sha256::digest(&body).as_slice()) => {
                    if states.insert(number, row.get(1)?).is_some() {
                        broken.push(Broken::Twice(number));
                    }
                }
                _ => broken.push(Broken::Altered(row.get(0)?)),
            }
        }
        let lost = self.answered.iter().filter(|number| !states.contains_key(number));
        broken.extend(lost.map(|number| Broken::Lost(*number)));
        broken.extend(states.iter().filter(|(number, state)| !possible(**number, state)).map(wrong_state));
        broken.extend(effects(database, &states)?);
        broken.extend(attempts(database)?);
        Ok(broken)
    }
}

/// The event `number`, as it is to be sent.
pub(crate) fn write(writer: &Writer, number: u64) -> anyhow::Result<Letter> {
    match lead(number) {
        Some(lead) => writer.about(&lead, number),
        None => writer.malformed(number),
    }
}

/// The lead that an event is about; none if it is malformed.
fn lead(number: u64) -> Option<String> {
    if number.is_multiple_of(MALFORMED_EVERY) {
        None
    } else if number.is_multiple_of(HOT_EVERY) {
        Some(HOT.to_owned())
    } else {
        Some(format!("lead-{number}"))
    }
}

/// Malformed events are dead at once. Nothing lets the others fail, and a kill leaves them pending, running or done.
fn possible(number: u64, state: &str) -> bool {
    match lead(number) {
        None => state == "dead",
        Some(_) => matches!(state, "pending" | "running" | "done"),
    }
}

fn wrong_state((number, state): (&u64, &String)) -> Broken {
    Broken::State(*number, state.clone())
}

/// Exactly the events that are done were applied, each once, to its own lead.
fn effects(database: &Connection, states: &HashMap<u64, String>) -> rusqlite::Result<Vec<Broken>> {
    let mut leads: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let done = states.iter().filter(|(_, state)| *state == "done");
    for lead in done.filter_map(|(number, _)| lead(*number)) {
        leads.entry(lead).or_default().0 += 1;
    }
    let mut rows = database.prepare("SELECT lead_id, events_applied FROM leads")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        leads.entry(row.get(0)?).or_default().1 += row.get::<_, i64>(1)?;
    }
    let wrong = leads.into_iter().filter(|(_, (done, applied))| done != applied);
    Ok(wrong.map(|(lead, (done, applied))| Broken::Effects { lead, done, applied }).collect())
}

/// Every attempt is counted, ended unless its event runs, and was the last one if it succeeded.
fn attempts(database: &Connection) -> rusqlite::Result<Vec<Broken>> {
    let mut wrong = database.prepare(
        "SELECT number FROM events LEFT JOIN attempts ON event = number GROUP BY number
         HAVING attempts <> COUNT(id) OR attempts <> COALESCE(MAX(attempt), 0)
             OR SUM(outcome IS 'done') <> (state = 'done') OR SUM(id IS NOT NULL AND ended_at IS NULL) <> (state = 'running')",
    )?;
    let rows = wrong.query_map([], |row| row.get(0).map(Broken::Attempts))?;
    rows.collect()
}

/// What a later look at the same database must not fall behind.
#[derive(Default)]
pub(crate) struct Progress {
    attempts: HashMap<i64, i64>,
    last: i64,
}

impl Progress {
    /// Compares with what was seen before.
    pub(crate) fn check(&mut self, database: &Connection) -> rusqlite::Result<Vec<Broken>> {
        let mut rows = database.prepare("SELECT number, attempts FROM events")?;
        let now: HashMap<i64, i64> =
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let fewer =
            self.attempts.iter().filter(|(event, before)| now.get(event).is_none_or(|now| now < before));
        let mut broken: Vec<_> = fewer.map(|(event, _)| Broken::Attempts(*event)).collect();
        let last: i64 =
            database.query_row("SELECT COALESCE(MAX(id), 0) FROM attempts", [], |row| row.get(0))?;
        if last > self.last {
            // The new process has started to work, before which it must have taken everything back.
            let mut rows =
                database.prepare("SELECT event FROM attempts WHERE ended_at IS NULL AND id <= ?1")?;
            let orphans = rows.query_map([self.last], |row| row.get(0).map(Broken::Orphan))?;
            broken.extend(orphans.collect::<Result<Vec<_>, _>>()?);
        }
        *self = Self { attempts: now, last };
        Ok(broken)
    }
}
