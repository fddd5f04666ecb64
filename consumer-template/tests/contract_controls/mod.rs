//! Whether the suite says what the contract says, and whether its tests can fail.

mod controls;
mod sentences;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::Sqlite;
use controls::{Control, controls};
use sentences::SENTENCES;

/// The sentences of the contract, as they stand in the documentation of `inbox`.
fn contract() -> Vec<String> {
    let page = include_str!("../../src/inbox/mod.rs");
    let lines = page.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let mut paragraphs = vec![String::new()];
    for line in lines.skip_while(|line| !line.starts_with("**Accept.**")) {
        let (starts, text) = line.strip_prefix("- ").map_or((line.is_empty(), line), |text| (true, text));
        if starts {
            paragraphs.push(String::new());
        }
        let paragraph = paragraphs.last_mut().unwrap();
        *paragraph += text;
        paragraph.push(' ');
    }
    let mut sentences = Vec::new();
    for paragraph in paragraphs.iter().map(|paragraph| paragraph.trim()).filter(|text| !text.is_empty()) {
        // A name in asterisks stands before the first sentence of some.
        let named = paragraph.starts_with('*').then(|| paragraph.split_once("* ")).flatten();
        let text = named.map_or(paragraph, |(_, text)| text);
        sentences.extend(text.split_inclusive(". ").map(|sentence| sentence.trim().to_owned()));
    }
    sentences
}

/// The text of all tests of this crate.
fn all_tests(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &all_tests(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn every_sentence_of_the_contract_has_tests_and_every_test_a_sentence() {
    let contract = contract();
    assert!(contract.len() > 50, "{contract:#?}");
    for (sentence, (begins, tests)) in contract.iter().zip(SENTENCES) {
        assert!(sentence.starts_with(begins), "\"{begins}..\" is listed where the contract says: {sentence}");
        assert!(!tests.is_empty(), "{sentence}");
    }
    assert_eq!(contract.len(), SENTENCES.len(), "list the last ones in `contract_controls/sentences.rs`");
    let tests = all_tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    for name in SENTENCES.iter().flat_map(|(_, tests)| *tests) {
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

/// A test without a fault that it sees may be one that cannot fail.
#[test]
fn every_test_of_the_contract_has_a_control() {
    let tests: BTreeSet<_> = super::TESTS.iter().copied().collect();
    let seen: BTreeSet<_> = controls().flat_map(|control| control.seen_by).copied().collect();
    assert_eq!(seen.difference(&tests).collect::<Vec<_>>(), [&""; 0], "no such tests");
    assert_eq!(tests.difference(&seen).collect::<Vec<_>>(), [&""; 0], "no control: see `controls/`");
}

/// Runs a test on a store with this fault. If it failed: how.
fn notices(test: &'static str, sql: &str) -> Option<String> {
    let mut backend = Sqlite::start_in_memory();
    backend.sql().execute_batch(sql).unwrap();
    let run = move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(super::run(test, &mut backend));
    };
    let said = std::thread::spawn(run).join().err()?;
    let fixed = said.downcast_ref::<&str>().map(|said| (*said).to_owned());
    Some(said.downcast_ref::<String>().cloned().or(fixed).unwrap_or_default())
}

/// Words of SQLite. A store that cannot write fails every test: that is a mistake in the fault, and no test has noticed anything.
const BROKEN: [&str; 3] = ["constraint failed", "no such", "has no column"];

#[test]
fn every_fault_is_noticed_by_its_tests() {
    let mut wrong = Vec::new();
    for Control { fault, sql, seen_by } in controls() {
        for test in *seen_by {
            match notices(test, sql) {
                None => wrong.push(format!("{test} does not notice that {fault}")),
                Some(said) if BROKEN.iter().any(|word| said.contains(word)) => {
                    wrong.push(format!("{fault}: {test} fails for another reason: {said}"));
                }
                Some(said) => println!("{fault}: {test}\n{said}\n"),
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// It is the faults that are noticed, and not the way in which the tests are run here.
#[test]
fn without_a_fault_nothing_is_noticed() {
    for test in super::TESTS.iter().step_by(7) {
        assert_eq!(notices(test, ""), None, "{test}");
    }
}
