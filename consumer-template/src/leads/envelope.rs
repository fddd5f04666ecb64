//! Where in a body the lead is, and what lies around it.

use std::collections::BTreeMap;

use hookproof::{BodyError, Pointer};
use serde_json::value::RawValue;

use super::topic::Topic;
use crate::effect::Failure;

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

/// Members of an envelope that say nothing of the lead, where the lead lies directly in it.
const ENVELOPE: [&str; 7] =
    ["event", "type", "event_type", "event_id", "timestamp", "occurred_at", "tenant_id"];

/// The members of a JSON object, their values as they were written: a number must not lose a digit.
#[derive(Clone, Debug, Default)]
pub(super) struct Members<'a>(pub(super) BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn from_body(body: &'a [u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body).map(Self).map_err(|_| not_an_object())
    }

    /// The object under `member`, if there is one.
    pub(super) fn object(&self, member: &str) -> Option<Self> {
        self.0.get(member).and_then(|value| Self::from_value(value))
    }

    pub(super) fn from_value(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).map(Self).ok()
    }

    /// The JSON text under the first of `names` that is there.
    pub(super) fn first(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| self.0.get(*name).copied())
    }

    /// The same, as an id.
    pub(super) fn id(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| id_of(self.0.get(*name)?))
    }

    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|member, _| !names.contains(&member.as_str()));
        self
    }

    /// The object as JSON text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

/// A text that is not empty, or an integer with all its digits.
pub(super) fn id_of(value: &RawValue) -> Option<String> {
    let text = value.get();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok().filter(|id: &String| !id.is_empty());
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// What an event holds.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// The lead's id, if it is where one was looked for.
    pub(super) lead: Option<String>,
    /// The object in which the id is, without it; where there is none, the event's data.
    pub(super) home: Members<'a>,
    /// Whether `home` is the lead itself, and not something that names it.
    pub(super) whole: bool,
    /// What lies around `home`, from the inside out.
    pub(super) around: Vec<Members<'a>>,
}

impl<'a> Envelope<'a> {
    /// Opens `body`. `place`: where the lead's id is, if the caller knows better than [`LEAD_IDS`].
    pub(super) fn open(body: &'a [u8], topic: Topic, place: Option<&str>) -> Result<Self, Failure> {
        let wrapped = exists(body, "/data")? || exists(body, "/lead")?;
        let places = match place {
            Some(place) => vec![place],
            None if topic.is_about_a_lead() => {
                LEAD_IDS.into_iter().filter(|place| !(wrapped && *place == "/id")).collect()
            }
            None => REFERENCES.to_vec(),
        };
        for found in places {
            if let Some(id) = text_at(body, found)? {
                let (parent, name) = found.rsplit_once('/').unwrap_or(("", found));
                let (home, around) = Self::descend(body, parent)?;
                let home = home.without(&[&plain(name)]);
                let whole = place.is_some() || !name.ends_with("lead_id");
                return Ok(Self { lead: Some(id), home, whole, around });
            }
        }
        let data = ["/data", "/lead", ""].into_iter().find_map(|parent| Self::descend(body, parent).ok());
        let (home, around) = data.unwrap_or_default();
        Ok(Self { lead: None, home, whole: false, around })
    }

    fn descend(body: &'a [u8], parent: &str) -> Result<(Members<'a>, Vec<Members<'a>>), Failure> {
        let root = Members::from_body(body)?;
        let mut home = root.clone().without(&ENVELOPE);
        // The envelope's own members are of no use to anybody; but they may be what leads to the home.
        let mut next = root;
        let mut around = Vec::new();
        for step in parent.split('/').filter(|step| !step.is_empty()) {
            let step = plain(step);
            let inner = next.object(&step).ok_or_else(not_an_object)?;
            around.insert(0, home.without(&[&step]));
            (next, home) = (inner.clone(), inner);
        }
        Ok((home, around))
    }

    /// `home` and what lies around it.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Members<'a>> {
        std::iter::once(&self.home).chain(&self.around)
    }
}

/// The type that the body names, for schemes that do not say where.
pub(super) fn type_in(body: &[u8]) -> Result<Option<String>, Failure> {
    for place in TYPES {
        if let Some(name) = text_at(body, place)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn plain(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
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
