//! Storing a delivery: the dedup decision, the event, its payload and its place in line, in one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{self, About};
use super::deliveries;
use super::job::WorkError;
use super::lanes::{self, Place};
use super::old_keys::OldKeys;
use super::order;
use super::room::Room;
use super::rows::{self, Note, encode_headers, to_sql};
use crate::event::{DeadReason, EventNo, State, Step};
use crate::fingerprint::{Fingerprint, shortened};
use crate::inbox::{Accepted, By, Delivery, DeliveryNo, Incoming};

/// The actor that the audit log names when a redelivery revives a dead letter.
const PROVIDER: &str = "provider";

/// What an event takes besides its body, roughly: its rows and their places in the indexes.
const ROWS_BYTES: usize = 2_048;

/// `old`: what the owner knows of the old replay keys; who does not know looks for each among them.
pub(super) fn accept(
    conn: &Connection,
    incoming: &Incoming,
    room: &Room,
    old: Option<&OldKeys>,
) -> Result<(Accepted, DeliveryNo), WorkError> {
    let (accepted, found) = decide(conn, incoming, room, old)?;
    Ok((accepted, deliveries::record(conn, incoming, accepted, found)?))
}

/// Stores what is new. Besides the answer: the state in which the delivery found its event, if that was known.
fn decide(
    conn: &Connection,
    incoming: &Incoming,
    room: &Room,
    old: Option<&OldKeys>,
) -> Result<(Accepted, Option<State>), WorkError> {
    // The key is taken first, by a statement that cannot be raced. That it came first decides everything else.
    let take = if old.is_none_or(|old| old.may_have(incoming.replay_key.as_bytes())) {
        "INSERT INTO replay_keys (replay_key, body_sha256) SELECT ?1, ?2
             WHERE NOT EXISTS (SELECT 1 FROM old_replay_keys WHERE replay_key = ?1) ON CONFLICT (replay_key) DO NOTHING"
    } else {
        "INSERT INTO replay_keys (replay_key, body_sha256) VALUES (?1, ?2) ON CONFLICT (replay_key) DO NOTHING"
    };
    let first =
        conn.prepare_cached(take)?.execute(params![incoming.replay_key.as_bytes(), incoming.body_sha256])?;
    if first == 1 {
        let event = store(
            conn,
            incoming,
            room,
            incoming.facts.malformed.as_deref().map(|why| (DeadReason::Malformed, why)),
        )?;
        conn.prepare_cached("UPDATE replay_keys SET event = ?2 WHERE replay_key = ?1")?
            .execute(params![incoming.replay_key.as_bytes(), event.0])?;
        if let Some(old) = old {
            old.count_young();
        }
        return Ok((Accepted { event, outcome: Delivery::New }, None));
    }
    match known(conn, incoming)? {
        Some(event) => again(conn, event, incoming),
        None => Ok((conflict(conn, incoming, room)?, None)),
    }
}

/// The event that has this replay key and this body, if there is one.
fn known(conn: &Connection, incoming: &Incoming) -> Result<Option<EventNo>, WorkError> {
    let event = conn
        .prepare_cached(
            "SELECT event FROM replay_keys WHERE replay_key = ?1 AND body_sha256 = ?2
             UNION ALL SELECT event FROM old_replay_keys WHERE replay_key = ?1 AND body_sha256 = ?2
             UNION ALL SELECT event FROM conflicts WHERE replay_key = ?1 AND body_sha256 = ?2",
        )?
        .query_row(params![incoming.replay_key.as_bytes(), incoming.body_sha256], |row| row.get(0))
        .optional()?;
    Ok(event.map(EventNo))
}

/// Another delivery of an event that we have.
fn again(
    conn: &Connection,
    event: EventNo,
    incoming: &Incoming,
) -> Result<(Accepted, Option<State>), WorkError> {
    let (state, reason) = conn
        .prepare_cached("SELECT state, reason FROM events WHERE number = ?1")?
        .query_row([event.0], |row| Ok((rows::state(row, 0)?, rows::reason(row, 1)?)))?;
    if state == State::Dead && reason.is_some_and(DeadReason::revived_by_redelivery) {
        revive(conn, event, false, incoming.received_at)?
            .map_err(|_| WorkError::Broken("a dead letter was not dead"))?;
        let by = By::new(PROVIDER, "delivered again");
        audit::note(conn, About::Event(event), "revive", &by, incoming.received_at)?;
        return Ok((Accepted { event, outcome: Delivery::Revived }, Some(state)));
    }
    Ok((Accepted { event, outcome: Delivery::Duplicate { state } }, Some(state)))
}

/// The replay key is taken by another body. One of the two is not what the provider meant; we cannot know which.
fn conflict(conn: &Connection, incoming: &Incoming, room: &Room) -> Result<Accepted, WorkError> {
    let why = "an event with this replay key came before, with another body";
    let event = store(conn, incoming, room, Some((DeadReason::Conflict, why)))?;
    conn.prepare_cached("INSERT INTO conflicts (replay_key, body_sha256, event) VALUES (?1, ?2, ?3)")?
        .execute(params![incoming.replay_key.as_bytes(), incoming.body_sha256, event.0])?;
    Ok(Accepted { event, outcome: Delivery::Conflict })
}

/// Writes the event: pending and in line, or dead at once.
fn store(
    conn: &Connection,
    incoming: &Incoming,
    room: &Room,
    dead: Option<(DeadReason, &str)>,
) -> Result<EventNo, WorkError> {
    room.check(conn, incoming.proof.body().len().saturating_add(ROWS_BYTES))?;
    let (id, kind) = (incoming.event_id.as_ref(), incoming.event_type.as_ref());
    let facts = &incoming.facts;
    let received_at = to_sql(incoming.received_at);
    let state = if dead.is_some() { State::Dead } else { State::Pending };
    let failure = dead.map(|(reason, why)| Fingerprint::of(&incoming.source, reason, why));
    let event = conn
        .prepare_cached(
            "INSERT INTO events (source, scheme, key_id, replay_key, identity, event_id, event_id_signed, event_type,
                 event_type_signed, ordering_key, occurred_at, sequence, received_at, state, reason, last_error, settled_at,
                 fingerprint)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) RETURNING number",
        )?
        .query_row(
            params![
                incoming.source,
                incoming.proof.scheme(),
                incoming.proof.key_id(),
                incoming.replay_key.as_bytes(),
                incoming.identity(),
                id.map(|id| &id.value),
                id.is_some_and(|id| id.signed),
                kind.map(|kind| &kind.value),
                kind.is_some_and(|kind| kind.signed),
                facts.ordering_key,
                facts.occurred_at.map(to_sql),
                facts.sequence,
                received_at,
                state.as_str(),
                dead.map(|(reason, _)| reason.as_str()),
                dead.map(|(_, why)| shortened(why)),
                dead.map(|_| received_at),
                failure.as_ref().map(Fingerprint::as_str),
            ],
            |row| row.get(0).map(EventNo),
        )?;
    conn.prepare_cached("INSERT INTO payloads (event, body_sha256, headers, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            event.0,
            incoming.body_sha256,
            encode_headers(&facts.headers),
            incoming.proof.body().as_ref()
        ])?;
    if dead.is_none() {
        let ordering_key = facts.ordering_key.as_deref();
        let window = match ordering_key {
            Some(_) => order::policy(conn, &incoming.source)?.settle,
            None => Duration::ZERO,
        };
        let place = Place {
            source: &incoming.source,
            ordering_key,
            at: facts.occurred_at.unwrap_or(incoming.received_at),
            sequence: facts.sequence,
            window,
            even_if_stale: false,
        };
        lanes::enqueue(conn, event, &place, incoming.received_at)?;
    }
    Ok(event)
}

/// Gives a dead letter new attempts: pending, in line, counted from 1 again; whom it blocked goes on behind it. `Err(state)` inside: it
/// is not dead.
pub(super) fn revive(
    conn: &Connection,
    event: EventNo,
    even_if_stale: bool,
    now: hookproof::UnixTime,
) -> Result<Result<(), State>, WorkError> {
    let note = Note { attempts: Some(0), ..Note::default() };
    if let Err(state) = rows::change(conn, event, Step::Revive, note, now)? {
        return Ok(Err(state));
    }
    let (source, ordering_key, at, sequence) = conn
        .prepare_cached(
            "SELECT source, ordering_key, COALESCE(occurred_at, received_at), sequence FROM events WHERE number = ?1",
        )?
        .query_row([event.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                rows::from_sql(row.get(2)?),
                row.get::<_, Option<i64>>(3)?,
            ))
        })?;
    let ordering_key = ordering_key.as_deref();
    let place = Place { source: &source, ordering_key, at, sequence, window: Duration::ZERO, even_if_stale };
    lanes::enqueue(conn, event, &place, now)?;
    lanes::unblock(conn, event)?;
    Ok(Ok(()))
}
