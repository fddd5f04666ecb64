//! Events of all types about few leads, at few times, with few values: collisions and ties are what this is about.

use hookproof_consumer::event::Event;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::tables::lead_event;

/// How many cases the properties try. `HOOKPROOF_CASES=10000` is what the promise was made with.
pub(crate) fn cases(share: u32) -> u32 {
    let all = std::env::var("HOOKPROOF_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    (all / share).max(1)
}

/// An event's type and data, and when it occurred; the sequence of two events of one time may differ.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    pub(crate) data: String,
    pub(crate) occurred: u64,
    pub(crate) sequence: Option<i64>,
}

impl Told {
    pub(crate) fn event(&self) -> Event {
        Event { sequence: self.sequence, ..lead_event(self.kind, self.occurred, &self.data) }
    }
}

fn lead() -> impl Strategy<Value = char> {
    prop::sample::select(vec!['A', 'B', 'C', 'D'])
}

fn fields() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec!["name", "email", "stage", "score"]);
    prop::collection::btree_map(field, 0..3_u8, 0..3)
        .prop_map(|fields| fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect())
}

fn any_of(kinds: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop::sample::select(kinds.to_vec())
}

/// A type, and the data that goes with it.
fn story() -> Union<BoxedStrategy<(&'static str, String)>> {
    let whole = any_of(&[
        "lead.created",
        "lead.updated",
        "lead.deleted",
        "lead.restored",
        "lead.scored",
        "lead.stage_changed",
        "lead_won",
        "lead.converted",
        "lead.seen_by_nobody",
    ]);
    let whole = (whole, lead(), fields())
        .prop_map(|(kind, lead, fields)| (kind, format!(r#"{{"id":"{lead}"{fields}}}"#)));
    let changed = (lead(), fields(), 0..3_u8).prop_map(|(lead, fields, old)| {
        ("lead.updated", format!(r#"{{"id":"{lead}"{fields},"previous":{{"name":{old}}}}}"#))
    });
    let named = any_of(&["lead.stage_changed", "lead.assigned", "lead.scored", "lead_lost", "lead.odd"]);
    let named = (named, lead(), 0..3_u8).prop_map(|(kind, lead, to)| {
        (kind, format!(r#"{{"lead_id":"{lead}","to":{to},"score":{to},"kind":"fit"}}"#))
    });
    let merged = (lead(), lead(), 0..3_u8, fields()).prop_map(|(a, b, shape, fields)| {
        let data = match shape {
            0 => format!(r#"{{"id":"{a}","merged_ids":["{b}"]{fields}}}"#),
            1 => format!(r#"{{"id":"{b}","merged_into":"{a}"{fields}}}"#),
            _ => format!(r#"{{"survivor_id":"{a}","loser_id":"{b}"}}"#),
        };
        ("lead.merged", data)
    });
    let note = any_of(&["note.created", "note.updated", "note.deleted"]);
    let note = (note, lead(), 0..3_u8, 0..3_u8).prop_map(|(kind, lead, id, text)| {
        (kind, format!(r#"{{"id":"N-{id}","lead_id":"{lead}","text":{text}}}"#))
    });
    let form = (lead(), 0..3_u8, fields()).prop_map(|(lead, answer, fields)| {
        ("form.submitted", format!(r#"{{"lead":{{"id":"{lead}"{fields}}},"answer":{answer}}}"#))
    });
    let nobody = (0..3_u8).prop_map(|paid| ("invoice.paid", format!(r#"{{"amount":{paid}}}"#)));
    Union::new_weighted(vec![
        (6, whole.boxed()),
        (3, changed.boxed()),
        (3, named.boxed()),
        (4, merged.boxed()),
        (2, note.boxed()),
        (1, form.boxed()),
        (1, nobody.boxed()),
    ])
}

pub(crate) fn told() -> impl Strategy<Value = Told> {
    (story(), 0..4_u64, prop::option::of(0..2_i64)).prop_map(|((kind, data), second, sequence)| Told {
        kind,
        data,
        occurred: second * 1_000,
        sequence,
    })
}

/// Events, and the same events once more with repetitions, in another order.
pub(crate) fn told_twice(most: usize) -> impl Strategy<Value = (Vec<Told>, Vec<Told>)> {
    prop::collection::vec(told(), 1..most).prop_flat_map(|told| {
        let repeated: Vec<_> = told.iter().chain(told.iter().step_by(2)).cloned().collect();
        (Just(told), Just(repeated).prop_shuffle())
    })
}

pub(crate) fn events(told: &[Told]) -> Vec<Event> {
    told.iter().map(Told::event).collect()
}
