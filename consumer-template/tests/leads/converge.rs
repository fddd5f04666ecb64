//! Any permutation, repetition and grouping of the same events ends in the same leads: on the model, and on tables.

use std::collections::{BTreeMap, BTreeSet};

use hookproof_consumer::leads::model::{Key, Said, Stamp, Weight};
use hookproof_consumer::leads::{Book, Change, Kind, Lead};
use proptest::prelude::*;

use crate::generate::{cases, events, told_twice};
use crate::tables::{apply, book_of, database, holds, rows, said};

fn joined(mut one: Book, other: &Book) -> Book {
    one.join(other.clone());
    one
}

/// Anything that could stand under few keys, also what no event says: equal stamps with different values.
fn any_book() -> impl Strategy<Value = Book> {
    let key = (prop::sample::select(vec!["A", "B"]), prop::sample::select(Kind::ALL.to_vec()), "[ab]?");
    let weight = prop::sample::select(vec![Weight::Mentioned, Weight::Claimed, Weight::Final]);
    let stamp = (0..3_i64, -1..2_i64, 0..2_u8);
    prop::collection::vec((key, weight, stamp, "[xy]?"), 0..8).prop_map(|notes| {
        let mut book = Book::default();
        for ((lead, kind, name), weight, (at, sequence, event), value) in notes {
            let stamp = Stamp { at, sequence, event: [event; 32] };
            book.note(Key { lead: lead.to_owned(), kind, name }, Said { weight, stamp, value });
        }
        book
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(1)) })]

    #[test]
    fn joining_books_is_associative_commutative_and_idempotent(a in any_book(), b in any_book(), c in any_book()) {
        prop_assert_eq!(joined(joined(a.clone(), &b), &c), joined(a.clone(), &joined(b.clone(), &c)));
        prop_assert_eq!(joined(a.clone(), &b), joined(b.clone(), &a));
        prop_assert_eq!(joined(a.clone(), &a), a.clone());
        prop_assert_eq!(joined(joined(a.clone(), &b), &b), joined(a, &b));
    }

    #[test]
    fn any_order_repetition_and_grouping_makes_the_same_leads(
        (told, again) in told_twice(16), cuts in prop::collection::vec(1..6_usize, 1..8), backwards: bool,
    ) {
        let (events, again) = (events(&told), events(&again));
        let one_by_one = book_of(&events);
        // In groups, each joined on its own, and then the groups.
        let mut rest = again.as_slice();
        let mut groups = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (group, left) = rest.split_at((*cut).min(rest.len()));
            groups.push(book_of(group));
            rest = left;
        }
        if backwards {
            groups.reverse();
        }
        let grouped = groups.into_iter().fold(Book::default(), |book, group| joined(book, &group));
        prop_assert_eq!(Lead::all(&grouped), Lead::all(&one_by_one));
        prop_assert_eq!(grouped, one_by_one);
    }

    #[test]
    fn what_the_leads_are_is_what_events_in_their_true_order_would_have_made_them((told, _) in told_twice(16)) {
        let events = events(&told);
        prop_assert_eq!(Lead::all(&book_of(&events)), in_true_order(said(&events)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases(5)) })]

    #[test]
    fn the_tables_are_what_the_model_says((told, again) in told_twice(12)) {
        let (events, again) = (events(&told), events(&again));
        let (once, twice) = (database(), database());
        apply(&once, &events.iter().collect::<Vec<_>>());
        apply(&twice, &again.iter().collect::<Vec<_>>());
        prop_assert_eq!(rows(&once, "crm"), rows(&twice, "crm"));
        let mut applied = BTreeMap::new();
        for change in said(&events) {
            *applied.entry(change.lead.unwrap_or_default()).or_insert(0) += 1;
        }
        prop_assert_eq!(holds(&once, "crm", &book_of(&events), &applied), Ok(()));
    }
}

/// The same by other means: the events are sorted, each overwrites what is not heavier, and the leads that are one get one label
/// after the other until nothing changes.
fn in_true_order(mut changes: Vec<Change>) -> BTreeMap<String, Lead> {
    let stamp = |change: &Change| change.book.iter().map(|(_, said)| said.stamp).max();
    changes.sort_by_key(stamp);
    let mut facts: BTreeMap<Key, Said> = BTreeMap::new();
    for (key, said) in changes.iter().flat_map(|change| change.book.iter()) {
        if facts.get(key).is_none_or(|known| known.weight <= said.weight) {
            facts.insert(key.clone(), said.clone());
        }
    }
    let merges: Vec<_> = facts.iter().filter(|(key, _)| key.kind == Kind::Merged).collect();
    let named = facts.keys().map(|key| &key.lead).chain(merges.iter().map(|(key, _)| &key.name));
    let ids: BTreeSet<String> = named.filter(|id| !id.is_empty()).cloned().collect();
    let mut label: BTreeMap<&str, &str> = ids.iter().map(|id| (id.as_str(), id.as_str())).collect();
    for _ in 0..ids.len() {
        for (key, _) in &merges {
            let least = label[key.lead.as_str()].min(label[key.name.as_str()]);
            label.extend([(key.lead.as_str(), least), (key.name.as_str(), least)]);
        }
    }
    let mut leads = BTreeMap::new();
    for first in label.values().copied().collect::<BTreeSet<_>>() {
        let group: Vec<_> = ids.iter().filter(|id| label[id.as_str()] == first).collect();
        let roots: Vec<_> =
            group.iter().filter(|id| !merges.iter().any(|(key, _)| key.lead == ***id)).collect();
        let latest = merges
            .iter()
            .filter(|(key, _)| {
                group.contains(&&key.name) && (roots.is_empty() || roots.contains(&&&key.name))
            })
            .max_by_key(|(key, said)| (said.stamp, &key.name));
        let survivor = latest.map_or(group[0], |(key, _)| &key.name);
        for id in &group {
            let lead = if *id == survivor {
                Lead { merged_into: None, ..alive(&facts, survivor, &group) }
            } else {
                let updated_at = updated(&facts, &[*id]);
                Lead { merged_into: Some(survivor.clone()), updated_at, ..Lead::default() }
            };
            leads.insert((*id).clone(), lead);
        }
    }
    leads
}

fn updated(facts: &BTreeMap<Key, Said>, group: &[&String]) -> i64 {
    facts
        .iter()
        .filter(|(key, _)| group.contains(&&key.lead))
        .map(|(_, said)| said.stamp.at)
        .max()
        .unwrap_or(0)
}

fn alive(facts: &BTreeMap<Key, Said>, survivor: &String, group: &[&String]) -> Lead {
    let mut lead = Lead { updated_at: updated(facts, group), ..Lead::default() };
    let mut life: Vec<_> = facts
        .iter()
        .filter(|(key, _)| key.lead == *survivor)
        .filter(|(key, _)| matches!(key.kind, Kind::Created | Kind::Deleted | Kind::Restored))
        .map(|(key, said)| (said.stamp.position(), key.kind))
        .collect();
    // Among concurrent ones the deletion has the last word.
    life.sort_by_key(|(position, kind)| (*position, *kind == Kind::Deleted));
    let mut since = (i64::MIN, i64::MIN);
    let mut deletion = None;
    for (position, kind) in life {
        match kind {
            Kind::Deleted => (lead.deleted, deletion) = (true, Some(position)),
            Kind::Restored => (lead.deleted, since) = (false, (i64::MIN, i64::MIN)),
            _ if lead.deleted => (lead.deleted, since) = (false, deletion.unwrap()),
            _ => {}
        }
    }
    if lead.deleted {
        return lead;
    }
    let mut shown: Vec<_> = facts
        .iter()
        .filter(|(key, said)| group.contains(&&key.lead) && said.stamp.position() > since)
        .collect();
    shown.sort_by_key(|(_, said)| (said.weight, said.stamp));
    for (Key { kind, name, .. }, Said { weight, stamp, value }) in shown {
        let members = match kind {
            Kind::Field => &mut lead.fields,
            Kind::Score => &mut lead.scores,
            Kind::Note => &mut lead.notes,
            Kind::Form => &mut lead.forms,
            Kind::Created => {
                lead.created_at = Some(lead.created_at.map_or(stamp.at, |at: i64| at.min(stamp.at)));
                continue;
            }
            Kind::Outcome => {
                lead.outcome = Some(value.clone());
                continue;
            }
            _ => continue,
        };
        if *weight == Weight::Final {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    lead
}
