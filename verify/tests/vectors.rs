//! The known answers of `test-vectors/v1`, each through three doors: `verify()`, the incremental form, and the tower layer,
//! with the body in pieces and with the body beside its head.
//!
//! `HOOKPROOF_EXTRA_VECTORS=<folder>` adds every `*.json` of a folder. A folder without any is an error, and a scheme
//! without a preset is named.

#![expect(
    unreachable_pub,
    reason = "a test binary has no outside; its modules still say what is their surface"
)]

#[cfg(test)]
#[path = "support/doors.rs"]
mod doors;
#[cfg(test)]
#[path = "support/vector_file.rs"]
mod vector_file;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hookproof::{Refusal, Scheme};
use vector_file::{Case, load};

fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/v1")
}

/// Runs the cases through all doors and returns a line for each disagreement.
fn failures(cases: &[Case]) -> Vec<String> {
    let mut failures = Vec::new();
    for case in cases {
        for (door, verdict) in doors::all(case) {
            if let Err(why) = case.judge(&verdict) {
                failures.push(format!("{} ({door}): {why}", case.id));
            }
        }
    }
    failures
}

fn assert_all_agree(cases: &[Case]) {
    let failures = failures(cases);
    assert!(failures.is_empty(), "{} disagree:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn our_vectors_agree_through_three_doors() {
    let (cases, without_preset) = load(&own_folder(), false);
    assert!(without_preset.is_empty(), "vectors without a preset: {without_preset:?}");
    assert_all_agree(&cases);
    println!("{} vectors through {} doors", cases.len(), doors::COUNT);
}

#[test]
fn every_preset_has_at_least_fifteen_vectors_of_both_kinds() {
    let (cases, _) = load(&own_folder(), false);
    for scheme in Scheme::all() {
        let of_scheme: Vec<_> = cases.iter().filter(|case| case.scheme == scheme.name()).collect();
        let valid = of_scheme.iter().filter(|case| case.valid).count();
        assert!(of_scheme.len() >= 15, "{}: {} vectors", scheme.name(), of_scheme.len());
        assert!(
            valid > 0 && valid < of_scheme.len(),
            "{}: {valid} valid of {}",
            scheme.name(),
            of_scheme.len()
        );
    }
}

#[test]
fn extra_vectors_agree_through_three_doors() {
    let Some(folder) = std::env::var_os("HOOKPROOF_EXTRA_VECTORS") else {
        println!("HOOKPROOF_EXTRA_VECTORS is not set: no foreign vectors in this run");
        return;
    };
    let (cases, without_preset) = load(Path::new(&folder), true);
    for name in &without_preset {
        println!("no preset: {name}");
    }
    assert_all_agree(&cases);
    println!("{} foreign vectors, {} schemes without a preset", cases.len(), without_preset.len());
}

/// The check itself can fail: a vector whose verdict, reason or key is turned around is reported by every door.
#[test]
fn a_wrong_expectation_is_reported() {
    let (mut cases, _) = load(&own_folder(), false);
    for case in &mut cases {
        case.turn_around();
    }
    assert_eq!(failures(&cases).len(), cases.len() * doors::COUNT);
}

/// Every reason that headers and body can cause occurs, so that none of them is untested by accident.
#[test]
fn every_reason_has_a_vector() {
    let (cases, _) = load(&own_folder(), false);
    let seen: BTreeSet<_> = cases.iter().filter_map(|case| case.reason.as_deref()).collect();
    let by_transport = [
        "body_too_large",
        "body_timeout",
        "body_incomplete",
        "method_not_allowed",
        "unknown_source",
        "handshake_refused",
        "handshake_failed",
        "replayed",
        "replay_in_progress",
        "replay_guard_unavailable",
    ];
    for refusal in Refusal::ALL {
        assert!(seen.contains(refusal.code()) || by_transport.contains(&refusal.code()), "{refusal}");
    }
}
