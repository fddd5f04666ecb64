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
mod steps;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod work;
#[cfg(test)]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use cases::{Case, End, Operation, Rules, cases};
use hookproof_consumer::ordering::OrderPolicy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

const CASES: u32 = 150;
const CASES_VARIABLE: &str = "HOOKPROOF_CASES";
/// So many histories meet everything that can happen, whatever the seed. `.ci/run` has as many; fewer may miss what is rare.
const COVERING: u32 = 1_000;
/// So few steps that every run of them is left out, and any two.
const FEW: usize = 8;
const SEED_VARIABLE: &str = "HOOKPROOF_MODEL_SEED";

/// Runs `cases` histories. `Err`: the smallest one that was found to go wrong, and how.
fn run(cases: u32, seed: u64, plant: Option<&str>) -> Result<(), Box<(Case, String)>> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
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

/// Leaves out whatever is not needed for the case to fail, until it takes all that is left. Instead of shrinking, which leaves out
/// one step at a time of a history that is still long.
fn thinned(mut case: Case, mut reason: String, plant: Option<&str>) -> (Case, String) {
    loop {
        let checked = smaller(&case).map(|case| (check(&case, plant), case));
        let Some((said, found)) = { checked }.find(|(said, _)| said.is_err()) else { return (case, reason) };
        (case, reason) = (found, said.unwrap_err());
    }
}

/// The case without some of its steps, with an end in place of another, or with the usual rules.
fn smaller(case: &Case) -> impl Iterator<Item = Case> {
    let without_steps = left_out(case.operations.len()).map(|left_out| {
        let kept = case.operations.iter().enumerate().filter(|(step, _)| !left_out.contains(step));
        Case { operations: kept.map(|(_, operation)| operation.clone()).collect(), ..case.clone() }
    });
    let with_an_end = (0..case.operations.len()).filter_map(|step| {
        let mut case = case.clone();
        match &mut case.operations[step] {
            Operation::Settle { end, .. } | Operation::Run { end, .. } if *end == End::Transient => {
                *end = End::Permanent
            }
            _ => return None,
        }
        Some(case)
    });
    let usual = Rules { order: OrderPolicy::default(), breaker: None };
    let unusual = (0..case.rules.len()).filter(move |source| case.rules[*source] != usual);
    let with_usual_rules = unusual.map(move |source| {
        let mut case = case.clone();
        case.rules[source] = usual;
        case
    });
    without_steps.chain(with_an_end).chain(with_usual_rules)
}

/// Steps to leave out of so many: half of them first. Of a few every run, and any two.
fn left_out(steps: usize) -> impl Iterator<Item = Vec<usize>> {
    let is_short = steps <= FEW;
    let sizes: Vec<_> = if is_short {
        (1..steps).rev().collect()
    } else {
        std::iter::successors(Some(steps / 2), |size| Some(size / 2)).take_while(|size| *size > 0).collect()
    };
    let runs = sizes.into_iter().flat_map(move |size| {
        let begins = (0..steps).step_by(if is_short { 1 } else { size });
        begins.map(move |from| (from..steps.min(from + size)).collect())
    });
    let pairs =
        (0..if is_short { steps } else { 0 }).flat_map(|one| (0..one).map(move |other| vec![other, one]));
    runs.chain(pairs)
}

fn history(case: &Case) -> String {
    let letters = case.letters_used();
    let letters = letters.into_iter().map(|letter| format!("  {letter}: {:?}\n", case.letters[letter]));
    let steps = case.operations.iter().map(|operation| format!("  {operation:?}\n"));
    format!(
        "rules\n  {:?}\nletters (of {})\n{}steps\n{}",
        case.rules,
        case.letters.len(),
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
const PLANTS: [(&str, &str, usize); 7] = [
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
        6,
    ),
    (
        "a breaker still counts what was before a resume",
        "CREATE TRIGGER plant BEFORE DELETE ON outcomes WHEN NOT EXISTS (SELECT 1 FROM pauses WHERE source = old.source)
             AND (SELECT COUNT(*) FROM outcomes WHERE source = old.source) <= (SELECT last FROM breakers WHERE source = old.source)
         BEGIN SELECT RAISE(IGNORE); END",
        6,
    ),
    (
        "a person resumes what is not configured any more",
        "CREATE TRIGGER plant AFTER DELETE ON pauses BEGIN DELETE FROM pauses WHERE source = old.source; END",
        3,
    ),
    (
        "the position of a key goes with the event that made it",
        "CREATE TRIGGER plant AFTER DELETE ON events
         BEGIN DELETE FROM applied WHERE source = old.source AND ordering_key = old.ordering_key; END",
        7,
    ),
    (
        "the number of a refused request is given again",
        "CREATE TRIGGER plant AFTER DELETE ON quarantine BEGIN DELETE FROM sqlite_sequence WHERE name = 'quarantine'; END",
        4,
    ),
];

/// The comparison can fail, and what it shows then is short.
#[test]
fn planted_faults_are_found_and_shrink_to_a_few_steps() {
    for (what, plant, steps) in PLANTS {
        let start = Instant::now();
        let Err(found) = run(5_000, 1, Some(plant)) else { panic!("not noticed: {what}") };
        let (case, reason) = *found;
        println!("{what}: {reason}\n{}", history(&case));
        println!("{:.1} s", start.elapsed().as_secs_f64());
        assert!(
            case.operations.len() <= steps && case.letters_used().len() <= 3,
            "{what}: {}",
            history(&case)
        );
    }
}
