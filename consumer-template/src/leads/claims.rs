//! Which fields of a lead an event claims, and which it only mentions.
//!
//! An update that says what was before claims what changed. The rest of the lead, which it repeats, was true at that time as well,
//! but an event that is still on its way may know better: so that is only mentioned.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::envelope::{Envelope, Members};
use super::model::Weight;
use super::topic::Topic;
use crate::effect::Failure;

/// More fields than this in one event are refused: each is a row.
pub(super) const MAX_FIELDS: usize = 256;

/// Objects of values that were before: their names are what changed.
const BEFORE: [&str; 7] =
    ["previous", "previous_attributes", "previous_values", "old", "old_values", "before", "original"];

/// Beside those, objects of what is now, where it is not in the lead itself.
const AFTER: [&str; 4] = ["new", "new_values", "after", "current"];

/// What changed: a list of names, `{"stage": "won"}`, `{"stage": ["new", "won"]}` or `{"stage": {"old": "new", "new": "won"}}`.
const CHANGES: [&str; 5] = ["changes", "changed", "changed_fields", "updated_fields", "diff"];

/// The new value in a change that is an object.
const NEW: [&str; 5] = ["new", "to", "after", "new_value", "current"];

/// A step from one value of a field to another: the field, the names of the new value, and those of the old one.
type Step = (&'static str, [&'static str; 3], [&'static str; 4]);
const STAGE: Step =
    ("stage", ["to", "new_stage", "to_stage"], ["from", "old_stage", "previous_stage", "from_stage"]);
const OWNER: Step = (
    "assigned_to",
    ["to", "assignee", "new_owner"],
    ["from", "old_assignee", "previous_assignee", "old_owner"],
);

/// Names and JSON texts.
pub(super) type Claims = BTreeMap<String, (Weight, String)>;

/// What `envelope` says of the lead's fields. `not_fields`: members of its home that are something else.
pub(super) fn read(envelope: &Envelope<'_>, topic: Topic, not_fields: &[&str]) -> Result<Claims, Failure> {
    let is_the_leads = envelope.whole || (topic.is_about_a_lead() && topic != Topic::Unknown);
    if !is_the_leads {
        return Ok(Claims::new());
    }
    let mut home = envelope.home.clone().without(not_fields);
    let mut claims = Claims::new();
    if let Some((field, new, old)) = step(topic) {
        // A whole lead may have a field `from` of its own.
        let stated = envelope.layers().find_map(|layer| layer.first(&new));
        if home.first(&new).is_some() || !envelope.whole {
            home = home.without(&new).without(&old);
        }
        if let Some(value) = stated {
            claims.insert(field.to_owned(), (Weight::Claimed, value.get().to_owned()));
        }
    }
    let changed = if tells_changes(topic) { changed(envelope) } else { None };
    if changed.is_some() {
        home = home.without(&BEFORE).without(&CHANGES).without(&AFTER);
    }
    let changed = changed.as_ref();
    for (name, value) in &home.0 {
        let weight = match changed {
            _ if matches!(topic, Topic::Deleted | Topic::Note { .. } | Topic::Elsewhere) => Weight::Mentioned,
            Some(changed) if !changed.contains_key(name) => Weight::Mentioned,
            _ => Weight::Claimed,
        };
        claims.entry(name.clone()).or_insert_with(|| (weight, value.get().to_owned()));
    }
    for (name, value) in changed.into_iter().flatten() {
        if let Some(value) = value {
            claims.entry(name.clone()).or_insert_with(|| (Weight::Claimed, (*value).to_owned()));
        }
    }
    if claims.len() > MAX_FIELDS {
        return Err(Failure::permanent(format_args!("the lead has more than {MAX_FIELDS} fields")));
    }
    Ok(claims)
}

const fn step(topic: Topic) -> Option<Step> {
    match topic {
        Topic::StageChanged => Some(STAGE),
        Topic::Assigned => Some(OWNER),
        _ => None,
    }
}

const fn tells_changes(topic: Topic) -> bool {
    matches!(
        topic,
        Topic::Updated | Topic::Scored | Topic::StageChanged | Topic::Assigned | Topic::Outcome(_)
    )
}

/// The names of what changed, each with its new value where that is said there; `None` if the event does not tell changes.
fn changed<'a>(envelope: &Envelope<'a>) -> Option<BTreeMap<String, Option<&'a str>>> {
    for layer in envelope.layers() {
        if let Some(before) = BEFORE.iter().find_map(|name| layer.object(name)) {
            let now = AFTER.iter().find_map(|name| layer.object(name)).unwrap_or_default();
            let names = before.0.into_keys();
            return Some(names.map(|name| (name.clone(), now.first(&[&name]).map(RawValue::get))).collect());
        }
        if let Some(changes) = CHANGES.iter().find_map(|name| changes(layer.first(&[name])?)) {
            return Some(changes);
        }
    }
    None
}

fn changes(value: &RawValue) -> Option<BTreeMap<String, Option<&str>>> {
    if let Some(members) = Members::from_value(value) {
        return Some(members.0.into_iter().map(|(name, value)| (name, Some(new_value(value)))).collect());
    }
    let names: Vec<String> = serde_json::from_str(value.get()).ok()?;
    Some(names.into_iter().map(|name| (name, None)).collect())
}

/// The new one of a pair or of an object that names it; else the value is the new one.
fn new_value(value: &RawValue) -> &str {
    if let Ok([_, new]) = serde_json::from_str::<[&RawValue; 2]>(value.get()) {
        return new.get();
    }
    Members::from_value(value).and_then(|members| members.first(&NEW)).unwrap_or(value).get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(body: &str, topic: Topic) -> (String, String) {
        let envelope = Envelope::open(body.as_bytes(), topic, None).unwrap();
        let claims = read(&envelope, topic, &[]).unwrap();
        let of = |wanted| {
            let fields = claims.iter().filter(|(_, (weight, _))| *weight == wanted);
            fields.map(|(name, (_, value))| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        (of(Weight::Claimed), of(Weight::Mentioned))
    }

    #[test]
    fn an_update_claims_what_changed_and_mentions_the_rest() {
        let cases = [
            (r#"{"data":{"id":1,"a":1,"b":2}}"#, "a=1 b=2", ""),
            (r#"{"data":{"id":1,"a":1,"b":2,"previous":{"b":1}}}"#, "b=2", "a=1"),
            (r#"{"data":{"id":1,"a":1,"b":2},"previous_attributes":{"b":1}}"#, "b=2", "a=1"),
            (r#"{"data":{"lead":{"id":1,"a":1,"b":2},"changed_fields":["b"]}}"#, "b=2", "a=1"),
            (r#"{"lead":{"id":1,"a":1,"b":2},"changes":{"b":{"old":1,"new":2}}}"#, "b=2", "a=1"),
            (r#"{"lead":{"id":1,"b":2},"changes":{"b":[1,2]}}"#, "b=2", ""),
            (
                r#"{"data":{"lead_id":1,"changes":{"b":{"from":1,"to":2},"c":[3,4],"d":5}}}"#,
                "b=2 c=4 d=5",
                "",
            ),
            (r#"{"data":{"lead_id":1,"old":{"b":1},"new":{"b":2,"z":9}}}"#, "b=2", ""),
            // The lead itself knows best what is now; two tags are no pair of old and new.
            (r#"{"data":{"id":1,"tags":["x","y"],"changes":{"tags":["x","y"]}}}"#, r#"tags=["x","y"]"#, ""),
            // Fields that happen to be called so.
            (r#"{"data":{"id":1,"old":true,"changed":"yes"}}"#, r#"changed="yes" old=true"#, ""),
            (r#"{"data":{"id":1,"a":1,"changes":{}}}"#, "", "a=1"),
        ];
        for (body, claims, mentions) in cases {
            assert_eq!(claimed(body, Topic::Updated), (claims.to_owned(), mentions.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_step_from_one_value_to_another_claims_the_other() {
        let cases = [
            (r#"{"data":{"lead_id":1,"from":"new","to":"won"}}"#, r#"stage="won""#),
            (
                r#"{"data":{"lead":{"id":1,"from":"a@b"},"from":"new","to":"won"}}"#,
                r#"from="a@b" stage="won""#,
            ),
            (r#"{"lead":{"id":1,"stage":"won"},"old_stage":"new"}"#, r#"stage="won""#),
            (r#"{"data":{"id":1,"new_stage":"won","by":"ann"}}"#, r#"by="ann" stage="won""#),
        ];
        for (body, claims) in cases {
            assert_eq!(claimed(body, Topic::StageChanged), (claims.to_owned(), String::new()), "{body}");
        }
        let body = r#"{"data":{"lead_id":1,"assignee":"ann","previous_assignee":"bob"}}"#;
        assert_eq!(claimed(body, Topic::Assigned).0, r#"assigned_to="ann""#);
    }

    #[test]
    fn what_is_not_about_the_lead_claims_nothing() {
        let whole = r#"{"data":{"lead":{"id":1,"a":1},"text":"hello"}}"#;
        let named = r#"{"data":{"lead_id":1,"text":"hello"}}"#;
        assert_eq!(claimed(whole, Topic::Note { gone: false }), (String::new(), "a=1".to_owned()));
        assert_eq!(claimed(whole, Topic::Unknown).0, "a=1");
        for topic in [Topic::Note { gone: false }, Topic::Form, Topic::Elsewhere, Topic::Unknown] {
            assert_eq!(claimed(named, topic), (String::new(), String::new()), "{topic:?}");
        }
    }
}
