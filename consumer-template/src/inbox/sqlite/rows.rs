//! Between rows and values: times, states, events, and the one statement that changes a state.

use std::sync::Arc;

use bytes::Bytes;
use hookproof::UnixTime;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::job::WorkError;
use crate::event::{DeadReason, Event, EventNo, Named, State, Step, transition};
use crate::fingerprint::{Fingerprint, shortened};

/// Times beyond the year 292,000,000 are all the same to us.
pub(super) fn to_sql(time: UnixTime) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// What SQLite counts is not negative.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A number of rows, as a LIMIT.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let name: String = row.get(column)?;
    State::parse(&name).ok_or_else(|| unknown(column, "state"))
}

pub(super) fn reason(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<DeadReason>> {
    let name: Option<String> = row.get(column)?;
    name.map(|name| DeadReason::parse(&name).ok_or_else(|| unknown(column, "reason"))).transpose()
}

pub(super) fn fingerprint(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Fingerprint>> {
    let digits: Option<String> = row.get(column)?;
    digits.map(|digits| digits.parse().map_err(|_| unknown(column, "failure"))).transpose()
}

pub(super) fn unknown(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("an unknown {what}").into())
}

/// What a step writes besides the state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note<'a> {
    pub(super) reason: Option<DeadReason>,
    pub(super) error: Option<&'a str>,
    pub(super) attempts: Option<u32>,
}

/// Takes an event from the state it is in to the one that `step` leads to. `Ok(Err(state))`: it does not lead anywhere from there.
///
/// The only statement that changes a state, as [`transition`] is the only function that knows which changes there are.
pub(super) fn change(
    conn: &Connection,
    event: EventNo,
    step: Step,
    note: Note<'_>,
    now: UnixTime,
) -> Result<Result<State, State>, WorkError> {
    let from = conn
        .prepare_cached("SELECT state FROM events WHERE number = ?1")?
        .query_row([event.0], |row| state(row, 0))?;
    let Some(to) = transition(from, step) else {
        return Ok(Err(from));
    };
    let settled_at = (!matches!(to, State::Pending | State::Running)).then(|| to_sql(now));
    let failure = if to == State::Dead { failure(conn, event, note)? } else { None };
    let changed = conn
        .prepare_cached(
            "UPDATE events SET state = ?3, reason = COALESCE(?4, reason), last_error = COALESCE(?5, last_error),
                 attempts = COALESCE(?6, attempts), settled_at = ?7, superseded = ?8,
                 fingerprint = COALESCE(?9, fingerprint)
             WHERE number = ?1 AND state = ?2",
        )?
        .execute(params![
            event.0,
            from.as_str(),
            to.as_str(),
            note.reason.map(DeadReason::as_str),
            note.error.map(shortened),
            note.attempts,
            settled_at,
            step == Step::Supersede,
            failure.as_ref().map(Fingerprint::as_str),
        ])?;
    if changed == 1 { Ok(Ok(to)) } else { Err(WorkError::Broken("a state changed under the writer")) }
}

/// The fingerprint of the failure of which `event` dies. What `note` does not say stands in the event.
fn failure(conn: &Connection, event: EventNo, note: Note<'_>) -> rusqlite::Result<Option<Fingerprint>> {
    conn.prepare_cached("SELECT source, reason, last_error FROM events WHERE number = ?1")?.query_row(
        [event.0],
        |row| {
            let (source, known): (String, Option<String>) = (row.get(0)?, row.get(2)?);
            let error = note.error.or(known.as_deref()).unwrap_or_default();
            let reason = note.reason.map_or_else(|| reason(row, 1), |reason| Ok(Some(reason)))?;
            Ok(reason.map(|reason| Fingerprint::of(&source, reason, error)))
        },
    )
}

/// As [`change`], for steps that the queue says are legal.
pub(super) fn must_change(
    conn: &Connection,
    event: EventNo,
    step: Step,
    note: Note<'_>,
    now: UnixTime,
) -> Result<State, WorkError> {
    change(conn, event, step, note, now)?
        .map_err(|_| WorkError::Broken("the queue and the state of an event contradict each other"))
}

/// An event with its payload. An error if that was purged: no handler gets an event without.
pub(super) fn load(conn: &Connection, event: EventNo) -> rusqlite::Result<Event> {
    load_with(conn, event, "JOIN")
}

/// An event with its payload, or with an empty one if that was purged.
pub(super) fn load_to_show(conn: &Connection, event: EventNo) -> rusqlite::Result<Event> {
    load_with(conn, event, "LEFT JOIN")
}

fn load_with(conn: &Connection, event: EventNo, join: &str) -> rusqlite::Result<Event> {
    conn.prepare_cached(&format!(
        "SELECT source, scheme, key_id, replay_key, event_id, event_id_signed, event_type, event_type_signed,
             ordering_key, occurred_at, sequence, received_at, COALESCE(headers, x''), COALESCE(body, x'')
         FROM events {join} payloads ON payloads.event = events.number WHERE number = ?1"
    ))?
    .query_row([event.0], |row| {
        Ok(Event {
            number: event,
            source: Arc::from(row.get::<_, String>(0)?),
            scheme: row.get(1)?,
            key_id: row.get(2)?,
            replay_key: row.get(3)?,
            event_id: named(row, 4)?,
            event_type: named(row, 6)?,
            ordering_key: row.get(8)?,
            occurred_at: row.get::<_, Option<i64>>(9)?.map(from_sql),
            sequence: row.get(10)?,
            received_at: from_sql(row.get(11)?),
            headers: decode_headers(row.get_ref(12)?.as_blob()?),
            body: Bytes::from(row.get::<_, Vec<u8>>(13)?),
        })
    })
}

fn named(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Named>> {
    let signed = row.get(column + 1)?;
    Ok(row.get::<_, Option<String>>(column)?.map(|value| Named { value, signed }))
}

/// Headers as they are on the wire: readable in any SQLite shell, and exact.
pub(super) fn encode_headers(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    // HTTP allows none of these, so nothing is left out that came from a request.
    let breaks = |bytes: &[u8]| bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let writable = headers
        .iter()
        .filter(|(name, value)| !name.contains(':') && !breaks(name.as_bytes()) && !breaks(value));
    let mut text = Vec::new();
    for (name, value) in writable {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
    }
    text
}

pub(super) fn decode_headers(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let line = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        Some((String::from_utf8_lossy(name).into_owned(), value.strip_prefix(b": ")?.to_vec()))
    };
    text.split(|byte| *byte == b'\n').filter_map(|text| line(text.strip_suffix(b"\r")?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_byte_for_byte_and_cannot_make_new_ones() {
        let kept = [
            ("x-a".to_owned(), b"1: 2".to_vec()),
            ("x-b".to_owned(), vec![0xff, b' ', 0x00]),
            ("x-a".to_owned(), vec![]),
        ];
        assert_eq!(decode_headers(&encode_headers(&kept)), kept);
        let forged = [("x-a".to_owned(), b"1\r\nx-evil: 2".to_vec()), ("x-b: 1".to_owned(), b"2".to_vec())];
        assert_eq!(decode_headers(&encode_headers(&forged)), []);
    }

    #[test]
    fn times_stop_at_the_ends() {
        assert_eq!(to_sql(UnixTime::from_millis(u64::MAX)), i64::MAX);
        assert_eq!(from_sql(-1), UnixTime::from_millis(0));
    }
}
