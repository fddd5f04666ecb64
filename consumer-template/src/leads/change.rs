//! What an event says about a lead.

use std::collections::BTreeMap;

use hookproof::{BodyError, Pointer, UnixTime};
use serde_json::value::RawValue;

use crate::effect::Failure;
use crate::event::Event;

/// Where the five lead platforms put the lead's id, the first match first.
///
/// `/id` counts only where there is neither `/data` nor `/lead`: beside those it is the id of the event.
///
/// One list for ordering and for projecting: an event must change the lead in whose order it was applied. A member that
/// says "lead" is the lead's id also beside an `id`, which may be that of a note or of the event.
pub const LEAD_IDS: [&str; 6] = ["/data/lead/id", "/data/lead_id", "/data/id", "/lead/id", "/lead_id", "/id"];

/// Of these, those that name a lead also in an event about something else: a note's own id is at `/data/id`.
const REFERENCES: [&str; 4] = ["/data/lead/id", "/lead/id", "/data/lead_id", "/lead_id"];

/// Where the event's type is in bodies whose scheme does not say.
const TYPES: [&str; 3] = ["/event", "/type", "/event_type"];

/// Members of an envelope that are not fields of the lead, where the lead lies directly in it.
const ENVELOPE: [&str; 6] = ["event", "type", "event_type", "event_id", "timestamp", "occurred_at"];

/// More fields than this in one event are refused: each is a row.
const MAX_FIELDS: usize = 256;

/// Names for the same thing in events that tell a change from one value to another.
const RENAMED: [(Kind, &str, &str); 4] = [
    (Kind::StageChanged, "to", "stage"),
    (Kind::StageChanged, "new_stage", "stage"),
    (Kind::Assigned, "to", "assigned_to"),
    (Kind::Assigned, "assignee", "assigned_to"),
];

/// What happened to the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Created,
    Deleted,
    Restored,
    StageChanged,
    Assigned,
    /// Updated, scored, converted, or whatever else: its fields say what.
    Updated,
    /// It happened to something that belongs to the lead.
    Other,
}

/// One event about one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) lead_id: String,
    pub(super) kind: Kind,
    pub(super) at: UnixTime,
    /// Names and JSON texts.
    pub(super) fields: BTreeMap<String, String>,
}

impl Change {
    /// Reads `event`. `lead_id`: where the lead's id is, if the caller knows better than [`LEAD_IDS`].
    pub(super) fn read(event: &Event, lead_id: Option<&str>) -> Result<Self, Failure> {
        let kind = kind(event)?;
        let places = match (lead_id, kind) {
            (Some(place), _) => vec![place],
            (None, Kind::Other) => REFERENCES.to_vec(),
            (None, _) => lead_ids(&event.body)?,
        };
        for place in places {
            if let Some(lead_id) = text_at(&event.body, place)? {
                let fields =
                    if kind == Kind::Other { BTreeMap::new() } else { fields(&event.body, place, kind)? };
                return Ok(Self { lead_id, kind, at: event.at(), fields });
            }
        }
        Err(Failure::permanent("the event has no lead id where one was looked for"))
    }
}

fn lead_ids(body: &[u8]) -> Result<Vec<&'static str>, Failure> {
    let wrapped = exists(body, "/data")? || exists(body, "/lead")?;
    Ok(LEAD_IDS.into_iter().filter(|place| !(wrapped && *place == "/id")).collect())
}

fn kind(event: &Event) -> Result<Kind, Failure> {
    if let Some(name) = event.kind() {
        return Ok(kind_of(name));
    }
    for place in TYPES {
        if let Some(name) = text_at(&event.body, place)? {
            return Ok(kind_of(&name));
        }
    }
    // A provider that names no type sends leads, whole.
    Ok(Kind::Updated)
}

/// `lead.stage_changed`, `lead_deleted`, `LEAD:CREATED`, `note.created`.
fn kind_of(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    let words: Vec<_> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let verb: Vec<_> = words.iter().copied().filter(|word| !matches!(*word, "lead" | "leads")).collect();
    let about_a_lead = verb.len() < words.len() || verb.len() <= 1;
    match verb.as_slice() {
        _ if !about_a_lead => Kind::Other,
        ["created" | "create" | "new" | "added" | "captured"] => Kind::Created,
        ["deleted" | "delete" | "removed" | "erased"] => Kind::Deleted,
        ["restored" | "restore" | "undeleted"] => Kind::Restored,
        ["stage", "changed"] => Kind::StageChanged,
        ["assigned" | "reassigned"] => Kind::Assigned,
        // `lead.note_deleted`: something that belongs to a lead, with an id of its own.
        [_, .., "created" | "deleted"] => Kind::Other,
        _ => Kind::Updated,
    }
}

/// The members of the object in which the id was found, without the id.
fn fields(body: &[u8], id: &str, kind: Kind) -> Result<BTreeMap<String, String>, Failure> {
    let (parent, name) = id.rsplit_once('/').unwrap_or(("", id));
    let plain = |token: &str| token.replace("~1", "/").replace("~0", "~");
    let name = plain(name);
    let mut object = Members::from_body(body)?;
    for step in parent.split('/').filter(|step| !step.is_empty()) {
        object = object.inside(&plain(step))?;
    }
    let envelope = |member: &str| parent.is_empty() && ENVELOPE.contains(&member);
    let kept = object.0.into_iter().filter(|(member, _)| *member != name && !envelope(member));
    let fields: BTreeMap<_, _> =
        kept.map(|(member, value)| (renamed(kind, member), value.get().to_owned())).collect();
    if fields.len() > MAX_FIELDS {
        return Err(Failure::permanent(format_args!("the lead has more than {MAX_FIELDS} fields")));
    }
    Ok(fields)
}

fn renamed(kind: Kind, member: String) -> String {
    let known = RENAMED.into_iter().find(|(of, from, _)| *of == kind && *from == member);
    known.map_or(member, |(_, _, to)| to.to_owned())
}

/// The members of a JSON object, their values as they were written: a number must not lose a digit.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn from_body(body: &'a [u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map(Self).map_err(|_| not_an_object())
    }

    fn inside(&self, member: &str) -> Result<Self, Failure> {
        let value = self.0.get(member).ok_or_else(not_an_object)?;
        serde_json::from_str(value.get()).map(Self).map_err(|_| not_an_object())
    }
}

fn not_an_object() -> Failure {
    Failure::permanent("the lead is not a JSON object")
}

fn text_at(body: &[u8], place: &str) -> Result<Option<String>, Failure> {
    let found = pointer(place)?.find(body).map_err(unreadable)?;
    Ok(found.and_then(hookproof::Scalar::into_id).map(std::borrow::Cow::into_owned))
}

fn exists(body: &[u8], place: &str) -> Result<bool, Failure> {
    Ok(pointer(place)?.find(body).map_err(unreadable)?.is_some())
}

fn pointer(place: &str) -> Result<Pointer, Failure> {
    Pointer::new(place)
        .ok_or_else(|| Failure::permanent("the configured place of the lead id is not a JSON pointer"))
}

fn unreadable(error: BodyError) -> Failure {
    Failure::permanent(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_however_they_are_written() {
        let cases = [
            ("lead.created", Kind::Created),
            ("LEAD_DELETED", Kind::Deleted),
            ("deleted", Kind::Deleted),
            ("lead.restored", Kind::Restored),
            ("lead.stage_changed", Kind::StageChanged),
            ("lead.assigned", Kind::Assigned),
            ("lead.scored", Kind::Updated),
            ("lead.converted", Kind::Updated),
            ("lead.note.deleted", Kind::Other),
            ("lead.status_updated", Kind::Updated),
            ("note.created", Kind::Other),
            ("note.deleted", Kind::Other),
            ("note.updated", Kind::Other),
            ("deal.won", Kind::Other),
        ];
        for (name, kind) in cases {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
