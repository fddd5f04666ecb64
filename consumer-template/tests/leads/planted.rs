//! The property can fail: four mistakes that such code is made with, and the few events that show each.

use std::collections::{BTreeMap, BTreeSet};

use hookproof_consumer::leads::model::{Key, Said};
use hookproof_consumer::leads::{Book, Change, Kind, Lead};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::generate::{Told, events, told_twice};
use crate::tables::{book_of, said};

/// A way to make leads of what events say, in the order in which they come.
type Way = fn(Vec<Change>) -> BTreeMap<String, Lead>;

fn right(changes: Vec<Change>) -> BTreeMap<String, Lead> {
    let books = changes.into_iter().map(|change| change.book);
    Lead::all(&books.fold(Book::default(), |mut book, next| {
        book.join(next);
        book
    }))
}

fn leads(facts: BTreeMap<Key, Said>) -> BTreeMap<String, Lead> {
    let mut book = Book::default();
    for (key, said) in facts {
        book.note(key, said);
    }
    Lead::all(&book)
}

fn overwriting(changes: Vec<Change>, if_newer: fn(&Said, &Said) -> bool) -> BTreeMap<Key, Said> {
    let mut facts = BTreeMap::new();
    for (key, said) in changes.iter().flat_map(|change| change.book.iter()) {
        if facts.get(key).is_none_or(|known| if_newer(said, known)) {
            facts.insert(key.clone(), said.clone());
        }
    }
    facts
}

/// What comes last wins.
fn by_arrival(changes: Vec<Change>) -> BTreeMap<String, Lead> {
    leads(overwriting(changes, |_, _| true))
}

/// What happened last wins, and of two things of the same time the one that comes last.
fn ties_by_arrival(changes: Vec<Change>) -> BTreeMap<String, Lead> {
    let newer = |new: &Said, known: &Said| {
        (new.weight, new.stamp.position()) >= (known.weight, known.stamp.position())
    };
    leads(overwriting(changes, newer))
}

/// A deletion removes the row; what comes later makes it anew.
fn without_tombstones(changes: Vec<Change>) -> BTreeMap<String, Lead> {
    let mut facts: BTreeMap<Key, Said> = BTreeMap::new();
    for change in changes {
        if change.book.iter().any(|(key, _)| key.kind == Kind::Deleted) {
            facts.retain(|key, _| Some(&key.lead) != change.lead.as_ref());
            continue;
        }
        for (key, said) in change.book.iter() {
            let known = facts.entry(key.clone()).or_insert_with(|| said.clone());
            *known = said.clone().max(known.clone());
        }
    }
    leads(facts)
}

/// A merge moves what is known by then, and later events one step.
fn one_step(changes: Vec<Change>) -> BTreeMap<String, Lead> {
    let mut went: BTreeMap<String, String> = BTreeMap::new();
    let mut facts: BTreeMap<Key, Said> = BTreeMap::new();
    for (key, said) in changes.iter().flat_map(|change| change.book.iter()) {
        if key.kind == Kind::Merged {
            went.insert(key.lead.clone(), key.name.clone());
            let known = std::mem::take(&mut facts);
            for (mut known, said) in known {
                if known.lead == key.lead {
                    known.lead = key.name.clone();
                }
                let place = facts.entry(known).or_insert_with(|| said.clone());
                *place = said.clone().max(place.clone());
            }
            continue;
        }
        let lead = went.get(&key.lead).unwrap_or(&key.lead).clone();
        let place = facts.entry(Key { lead, ..key.clone() }).or_insert_with(|| said.clone());
        *place = said.clone().max(place.clone());
    }
    leads(facts)
}

fn rng() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}

/// The smallest events that end in different leads, in the two orders.
fn counterexample(way: Way) -> Option<(Vec<Told>, Vec<Told>)> {
    let config =
        Config { cases: 300, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    let property = |(told, again): (Vec<Told>, Vec<Told>)| {
        let same = way(said(&events(&told))) == way(said(&events(&again)));
        if same { Ok(()) } else { Err(TestCaseError::fail("another table")) }
    };
    match TestRunner::new_with_rng(config, rng()).run(&told_twice(10), property) {
        Ok(()) => None,
        Err(TestError::Fail(_, example)) => Some(example),
        Err(abort) => panic!("{abort}"),
    }
}

#[test]
fn each_planted_mistake_is_found_with_few_events() {
    assert!(counterexample(right).is_none());
    let ways: [(&str, Way, usize); 4] = [
        ("arrival wins", by_arrival, 2),
        ("arrival breaks ties", ties_by_arrival, 2),
        ("no tombstones", without_tombstones, 2),
        ("merges go one step", one_step, 3),
    ];
    for (name, way, few) in ways {
        let Some((told, again)) = counterexample(way) else { panic!("{name}: not found") };
        let distinct: BTreeSet<_> = told.iter().map(|told| format!("{told:?}")).collect();
        println!("{name}: {} events\n  {told:?}\n  {again:?}", distinct.len());
        assert!(distinct.len() <= few, "{name}: {told:#?}");
    }
}

/// The same events, looked at by the way that is right: the examples above are no accident of the generator.
#[test]
fn the_generator_makes_leads_of_all_kinds() {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = TestRunner::new_with_rng(Config::default(), rng());
    let (mut merged, mut deleted, mut notes, mut forms, mut ties) = (0, 0, 0, 0, 0);
    for _ in 0..500 {
        let (told, _) = told_twice(16).new_tree(&mut runner).unwrap().current();
        let leads = Lead::all(&book_of(&events(&told)));
        merged += leads.values().filter(|lead| lead.merged_into.is_some()).count();
        deleted += leads.values().filter(|lead| lead.deleted).count();
        notes += leads.values().filter(|lead| !lead.notes.is_empty()).count();
        forms += leads.values().filter(|lead| !lead.forms.is_empty()).count();
        let positions: BTreeSet<_> = told.iter().map(|told| (told.occurred, told.sequence)).collect();
        ties += usize::from(positions.len() < told.len());
    }
    for (what, count) in
        [("merged", merged), ("deleted", deleted), ("notes", notes), ("forms", forms), ("ties", ties)]
    {
        assert!(count > 50, "{what}: {count} in 500 cases");
    }
}
