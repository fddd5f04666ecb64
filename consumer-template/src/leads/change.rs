//! What an event says about leads.

use serde_json::value::RawValue;

use super::claims;
use super::envelope::{self, Envelope, Members, id_of};
use super::model::{Book, Key, Kind, Said, Stamp, Weight};
use super::topic::Topic;
use crate::effect::Failure;
use crate::event::Event;

/// More leads than this in one merge are refused.
const MAX_MERGED: usize = 256;

/// Who a lead was merged into.
const SURVIVOR: [&str; 9] = [
    "merged_into",
    "merged_into_id",
    "into",
    "into_id",
    "survivor",
    "survivor_id",
    "winner_id",
    "target_id",
    "primary_id",
];

/// Who was merged into it: an id, or a list of them.
const LOSERS: [&str; 9] = [
    "merged_ids",
    "merged_lead_ids",
    "merged_id",
    "merged_from",
    "losers",
    "loser_ids",
    "loser_id",
    "duplicate_ids",
    "duplicate_id",
];

/// What a score measures, where it says so.
const SCORE_KINDS: [&str; 2] = ["score_kind", "score_type"];
const SCORE_KINDS_OF_ITS_OWN: [&str; 3] = ["kind", "type", "model"];

/// One event, as far as it is about leads.
#[derive(Clone, Debug)]
pub struct Change {
    /// The lead that it is about, if it names one.
    pub lead: Option<String>,
    /// What it says.
    pub book: Book,
}

impl Change {
    /// Reads `event`. `lead_id`: where the lead's id is, if the caller knows better than [`LEAD_IDS`](super::LEAD_IDS).
    ///
    /// # Errors
    ///
    /// [`Failure::Permanent`] if the event is about a lead and names none, or says more than the limits allow.
    pub fn read(event: &Event, lead_id: Option<&str>) -> Result<Self, Failure> {
        let in_body = if event.kind().is_none() { envelope::type_in(&event.body)? } else { None };
        let name = event.kind().or(in_body.as_deref());
        // A provider that names no type sends leads, whole.
        let topic = name.map_or(Topic::Updated, Topic::of);
        let envelope = Envelope::open(&event.body, topic, lead_id)?;
        let merge = (topic == Topic::Merged).then(|| Merge::read(&envelope)).transpose()?;
        let lead = merge.as_ref().and_then(|merge| merge.lead.clone()).or_else(|| envelope.lead.clone());
        if lead.is_none() && topic.needs_a_lead() {
            return Err(Failure::permanent("the event has no lead id where one was looked for"));
        }
        let mut says = Says {
            stamp: Stamp::of(event),
            id: event.idempotency_key(),
            lead: lead.clone().unwrap_or_default(),
            book: Book::default(),
        };
        let unknown = matches!(topic, Topic::Unknown | Topic::Elsewhere) && !envelope.whole && lead.is_some();
        let text = if unknown { envelope.home.text() } else { String::new() };
        says.claim(Kind::Event, name.unwrap_or_default(), text);
        if lead.is_some() {
            says.what_happened(topic, &envelope);
            says.fields(topic, &envelope)?;
        }
        for (loser, survivor) in merge.iter().flat_map(Merge::links) {
            says.lead = loser.to_owned();
            says.claim(Kind::Merged, survivor, String::new());
        }
        Ok(Self { lead, book: says.book })
    }
}

/// A book in the making: everything in it has one stamp.
struct Says {
    stamp: Stamp,
    /// The event's, for what has no id of its own.
    id: String,
    lead: String,
    book: Book,
}

impl Says {
    fn say(&mut self, kind: Kind, name: &str, weight: Weight, value: String) {
        let key = Key { lead: self.lead.clone(), kind, name: name.to_owned() };
        self.book.note(key, Said { weight, stamp: self.stamp, value });
    }

    fn claim(&mut self, kind: Kind, name: &str, value: String) {
        self.say(kind, name, Weight::Claimed, value);
    }

    fn what_happened(&mut self, topic: Topic, envelope: &Envelope<'_>) {
        let this_event = self.id.clone();
        match topic {
            Topic::Created => self.claim(Kind::Created, &this_event, String::new()),
            Topic::Deleted => self.claim(Kind::Deleted, "", String::new()),
            Topic::Restored => self.claim(Kind::Restored, "", String::new()),
            Topic::Outcome(outcome) => self.claim(Kind::Outcome, "", outcome.to_owned()),
            Topic::Note { gone } => {
                let note = part(envelope, "note");
                match note.id(&["id", "note_id"]) {
                    Some(id) if gone => self.say(Kind::Note, &id, Weight::Final, String::new()),
                    // Without an id nobody can say which one is gone.
                    None if gone => {}
                    id => self.claim(Kind::Note, &id.unwrap_or(this_event), note.text()),
                }
            }
            Topic::Form => {
                let form = part(envelope, "submission");
                let id = form.id(&["submission_id", "id"]).unwrap_or(this_event);
                self.claim(Kind::Form, &id, form.text());
            }
            _ => {}
        }
    }

    fn fields(&mut self, topic: Topic, envelope: &Envelope<'_>) -> Result<(), Failure> {
        let mut not_fields = Vec::new();
        if topic == Topic::Merged {
            not_fields.extend(SURVIVOR.iter().chain(&LOSERS));
        }
        let mut measures = None;
        if topic == Topic::Scored {
            not_fields.extend(SCORE_KINDS.iter().chain(&["old_score", "previous_score"]));
            measures = envelope.home.id(&SCORE_KINDS);
            if !envelope.whole {
                not_fields.extend(&SCORE_KINDS_OF_ITS_OWN);
                measures = measures.or_else(|| envelope.home.id(&SCORE_KINDS_OF_ITS_OWN));
            }
        }
        for (name, (weight, value)) in claims::read(envelope, topic, &not_fields)? {
            let scores = if name == "scores" { serde_json::from_str(&value).ok().map(Members) } else { None };
            if let Some(scores) = scores {
                scores
                    .0
                    .iter()
                    .for_each(|(name, score)| self.say(Kind::Score, name, weight, score.get().to_owned()));
            } else if matches!(name.as_str(), "score" | "lead_score" | "new_score") {
                self.say(Kind::Score, measures.as_deref().unwrap_or("score"), weight, value);
            } else {
                self.say(Kind::Field, &name, weight, value);
            }
        }
        Ok(())
    }
}

/// The note or submission of an event: under its name, or what lies around the lead, or what names it.
fn part<'a>(envelope: &Envelope<'a>, name: &str) -> Members<'a> {
    let named = envelope.layers().find_map(|layer| layer.object(name));
    named.unwrap_or_else(|| match envelope.around.first() {
        Some(around) if envelope.whole => around.clone(),
        _ => envelope.home.clone(),
    })
}

/// Who was merged into whom.
struct Merge {
    /// The lead that the event is about: the one whose fields it has.
    lead: Option<String>,
    survivor: Option<String>,
    losers: Vec<String>,
}

impl Merge {
    fn read(envelope: &Envelope<'_>) -> Result<Self, Failure> {
        let first = |names: &[&str]| {
            let stated = envelope.layers().find_map(|layer| layer.first(names));
            stated.map(ids_of).unwrap_or_default()
        };
        let (stated, mut losers) = (first(&SURVIVOR).into_iter().next(), first(&LOSERS));
        if losers.len() > MAX_MERGED {
            return Err(Failure::permanent(format_args!("more than {MAX_MERGED} leads are merged")));
        }
        let lead = envelope.lead.clone();
        let is_the_merges_own =
            |id: &String| stated.is_some() && stated.as_ref() != Some(id) && !losers.contains(id);
        let lead = if losers.is_empty() { lead } else { lead.filter(|id| !is_the_merges_own(id)) };
        if losers.is_empty() && stated.is_some() {
            losers.extend(lead.clone());
        }
        let survivor = stated.or_else(|| lead.clone());
        Ok(Self { lead: lead.or_else(|| survivor.clone()), survivor, losers })
    }

    fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.survivor.iter().flat_map(|into| self.losers.iter().map(move |loser| (loser, into)));
        pairs.filter(|(loser, into)| loser != into).map(|(loser, into)| (loser.as_str(), into.as_str()))
    }
}

/// An id, an object with one, or a list of these.
fn ids_of(value: &RawValue) -> Vec<String> {
    let one = |value: &RawValue| id_of(value).or_else(|| Members::from_value(value)?.id(&["id", "lead_id"]));
    match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        Ok(list) => list.into_iter().filter_map(one).collect(),
        Err(_) => one(value).into_iter().collect(),
    }
}
