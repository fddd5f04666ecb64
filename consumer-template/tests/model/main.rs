//! Thousands of random histories, each on a real database and on a model of the contract, compared after every step.
//!
//! `HOOKPROOF_CASES=5000 cargo test -p hookproof-consumer --test model -- --nocapture` for many; a failure prints the smallest
//! history that shows it, and `HOOKPROOF_MODEL_SEED` repeats a run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[cfg(test)]
mod cases;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod work;
#[cfg(test)]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use cases::{Case, cases};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

const CASES: u32 = 150;
const CASES_VARIABLE: &str = "HOOKPROOF_CASES";
/// So many histories meet everything that can happen, whatever the seed. `.ci/run` has as many; fewer may miss what is rare.
const COVERING: u32 = 1_000;
const SEED_VARIABLE: &str = "HOOKPROOF_MODEL_SEED";

/// Runs `cases` histories. `Err`: the smallest one that was found to go wrong, and how.
fn run(cases: u32, seed: u64, plant: Option<&str>) -> Result<(), Box<(Case, String)>> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let ran = runner.run(&self::cases(), |case| check(&case, plant).map_err(TestCaseError::fail));
    ran.map_err(|error| match error {
        TestError::Fail(reason, case) => Box::new(thinned(case, reason.message().to_owned(), plant)),
        TestError::Abort(reason) => panic!("{reason}"),
    })
}

/// A store that answers with an error where none can be is a failure like any other.
fn check(case: &Case, plant: Option<&str>) -> world::Verdict {
    let checked = catch_unwind(AssertUnwindSafe(|| world::check(case, plant)));
    checked.unwrap_or_else(|_| Err("the store failed: see above".to_owned()))
}

/// Leaves out whatever is not needed for the case to fail. Shrinking does that once, before it makes the rest simpler.
fn thinned(mut case: Case, mut reason: String, plant: Option<&str>) -> (Case, String) {
    loop {
        let without_step = (0..case.operations.len()).rev().map(|step| {
            let mut case = case.clone();
            case.operations.remove(step);
            case
        });
        let without_letter = (0..case.letters.len()).filter(|_| case.letters.len() > 1).map(|letter| {
            let mut case = case.clone();
            case.letters.remove(letter);
            case
        });
        let smaller = without_step.chain(without_letter);
        let Some(found) = smaller.map(|case| (check(&case, plant), case)).find(|(said, _)| said.is_err())
        else {
            return (case, reason);
        };
        (case, reason) = (found.1, found.0.unwrap_err());
    }
}

fn history(case: &Case) -> String {
    let letters = case.letters.iter().enumerate().map(|(n, letter)| format!("  {n}: {letter:?}\n"));
    let steps = case.operations.iter().map(|operation| format!("  {operation:?}\n"));
    format!(
        "rules\n  {:?}\nletters\n{}steps\n{}",
        case.rules,
        letters.collect::<String>(),
        steps.collect::<String>()
    )
}

#[test]
fn the_store_does_what_the_contract_says_whatever_happens() {
    let cases = std::env::var(CASES_VARIABLE).map_or(CASES, |text| text.parse().unwrap());
    let seed = std::env::var(SEED_VARIABLE).map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("{SEED_VARIABLE}={seed}");
    let start = Instant::now();
    if let Err(found) = run(cases, seed, None) {
        let (case, reason) = *found;
        panic!("{reason}\n{}{SEED_VARIABLE}={seed}", history(&case));
    }
    let (seen, missing) = seen::report();
    println!("{cases} histories, {:.1} s: {seen}", start.elapsed().as_secs_f64());
    assert!(cases < COVERING || missing.is_empty(), "never happened: {missing:?}");
}

/// Faults in the database, and how many steps it takes to see each.
const PLANTS: [(&str, &str, usize); 3] = [
    (
        "a failed attempt does not count",
        "CREATE TRIGGER plant AFTER UPDATE OF state ON events WHEN old.state = 'running' AND new.state = 'pending'
             AND new.last_error = 'down'
         BEGIN UPDATE events SET attempts = 0 WHERE number = new.number; END",
        3,
    ),
    (
        "a dead letter that blocks its key is forgotten",
        "CREATE TRIGGER plant AFTER INSERT ON blockers BEGIN DELETE FROM blockers WHERE event = new.event; END",
        4,
    ),
    (
        "a late event takes the mark of what was applied last back",
        "CREATE TRIGGER plant AFTER UPDATE OF state ON events WHEN new.state = 'done' AND new.superseded = 0
         BEGIN UPDATE applied SET at = COALESCE(new.occurred_at, new.received_at), sequence = COALESCE(new.sequence, 0)
             WHERE source = new.source AND ordering_key = new.ordering_key; END",
        5,
    ),
];

/// The comparison can fail, and what it shows then is short.
#[test]
fn planted_faults_are_found_and_shrink_to_a_few_steps() {
    for (what, plant, steps) in PLANTS {
        let Err(found) = run(5_000, 1, Some(plant)) else { panic!("not noticed: {what}") };
        let (case, reason) = *found;
        println!("{what}: {reason}\n{}", history(&case));
        assert!(case.operations.len() <= steps && case.letters.len() <= 2, "{what}: {}", history(&case));
    }
}
