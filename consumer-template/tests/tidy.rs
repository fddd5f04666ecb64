//! The rules of the house, as a test: who may know whom, what every scheme brings along, how long a file may be.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hookproof::Scheme;
use sha2::{Digest as _, Sha256};

/// Lines of code that a reader finishes.
const SOURCE_LINES: usize = 400;
const TEST_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below `folder` with that ending, as a path from the root and its text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                let shown = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((shown, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no *{ending} below {folder}");
    found.sort();
    found
}

/// The code of a file: without its unit tests and comments, which may name what they like.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The files below `folder` (but not at or below `allowed`) whose code has one of `words`.
fn offenders(folder: &str, allowed: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files(folder, ".rs") {
        if allowed.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let code = code(&text);
        found.extend(words.iter().filter(|word| code.contains(**word)).map(|word| format!("{path}: {word}")));
    }
    found
}

#[test]
fn the_core_of_the_library_knows_nothing_above_it() {
    let above = ["crate::verifier", "crate::pending", "crate::middleware", "crate::extract", "crate::sign::"];
    for file in [
        "scheme.rs",
        "scheme_builder.rs",
        "scheme_rules.rs",
        "key.rs",
        "mac.rs",
        "mac/",
        "encoding.rs",
        "timestamp.rs",
        "schemes/",
    ] {
        let path = format!("verify/src/{file}");
        for (name, text) in files("verify/src", ".rs").into_iter().filter(|(name, _)| name.starts_with(&path))
        {
            let found: Vec<_> = above.iter().filter(|word| code(&text).contains(**word)).collect();
            assert!(found.is_empty(), "{name}: {found:?}");
        }
    }
    let below_the_layer = offenders(
        "verify/src",
        &["verify/src/middleware", "verify/src/extract.rs", "verify/src/lib.rs"],
        &["middleware::", "extract::"],
    );
    assert_eq!(below_the_layer, [""; 0]);
    assert_eq!(offenders("verify/src/middleware", &[], &["crate::extract"]), [""; 0]);
}

#[test]
fn one_module_names_the_cryptography() {
    let words = ["hmac::", "sha1::", "sha2::", "subtle::"];
    assert_eq!(offenders("verify/src", &["verify/src/mac.rs", "verify/src/mac/"], &words), [""; 0]);
    assert_eq!(
        offenders("verify/src", &["verify/src/asymmetric.rs"], &["ring::signature", "use ring"]),
        [""; 0]
    );
}

/// A tag becomes public by being sent: by who signs, or who answers Zoom's question. Who verifies has no business with
/// its bytes.
#[test]
fn only_the_signer_publishes_a_tag() {
    let places = ["verify/src/sign.rs", "verify/src/handshake/zoom.rs"];
    assert_eq!(offenders("verify/src", &places, &[".publish()", "::publish("]), [""; 0]);
    assert!(!offenders("verify/src", &[], &[".publish()"]).is_empty());
}

#[test]
fn sql_is_only_where_it_belongs() {
    let places = ["consumer-template/src/inbox", "consumer-template/src/leads"];
    let words =
        ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"PRAGMA ", "\"BEGIN", ".prepare", ".execute("];
    assert_eq!(offenders("consumer-template/src", &places, &words), [""; 0]);
}

#[test]
fn axum_is_only_at_the_edge() {
    let places =
        ["consumer-template/src/ingress", "consumer-template/src/admin", "consumer-template/src/app.rs"];
    assert_eq!(offenders("consumer-template/src", &places, &["axum::"]), [""; 0]);
}

#[test]
fn the_parts_of_the_consumer_do_not_know_one_another() {
    for (part, others) in [
        ("ingress", ["crate::dispatch", "crate::admin", "crate::cli"]),
        ("dispatch", ["crate::ingress", "crate::admin", "crate::cli"]),
        ("inbox", ["crate::ingress", "crate::dispatch", "crate::cli"]),
        ("forward", ["crate::ingress", "crate::dispatch", "crate::inbox"]),
    ] {
        assert_eq!(offenders(&format!("consumer-template/src/{part}"), &[], &others), [""; 0]);
    }
}

#[test]
fn the_clock_is_read_in_two_places() {
    let places = ["consumer-template/src/clock.rs", "verify/src/middleware/layer.rs"];
    let words = ["SystemTime::now", "Timestamp::now", "Zoned::now"];
    assert_eq!(offenders("consumer-template/src", &places, &words), [""; 0]);
    assert_eq!(offenders("verify/src", &places, &words), [""; 0]);
}

/// A newcomer looks for his provider there.
#[test]
fn the_readme_names_every_preset() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for scheme in Scheme::all() {
        assert!(
            readme.contains(&format!("`{}`", scheme.name())),
            "README.md does not name {}",
            scheme.name()
        );
    }
}

#[test]
fn every_scheme_has_vectors_a_seed_and_a_line_in_the_table() {
    let seeds: Vec<_> = fs::read_dir(root().join("fuzz/seeds/verify"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    for scheme in Scheme::all() {
        let name = scheme.name();
        assert!(root().join(format!("test-vectors/v1/{name}.json")).is_file(), "{name} has no vectors");
        let seed = |seed: &std::ffi::OsString| seed.to_string_lossy().starts_with(&format!("{name}-"));
        assert!(seeds.iter().any(seed), "{name} has no seed in fuzz/seeds/verify");
    }
}

/// Whoever copies a key out of a test vector into production is stopped at start.
#[test]
fn every_key_of_the_vectors_is_known_as_published() {
    let list: BTreeSet<_> = include_str!("../src/published_keys.txt").lines().collect();
    for (path, text) in files("test-vectors/v1", ".json") {
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let groups = file["groups"].as_array().unwrap().iter();
        for key in groups.flat_map(|group| group["keys"].as_array().unwrap()) {
            let digest = Sha256::digest(key["material"].as_str().unwrap());
            let line: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(list.contains(line.as_str()), "add to src/published_keys.txt: {line} (a key of {path})");
        }
    }
}

#[test]
fn files_end_before_their_reader_does() {
    let too_long = |folder: &str, most: usize| -> Vec<String> {
        let long = files(folder, ".rs").into_iter().map(|(path, text)| (path, text.lines().count()));
        long.filter(|(_, lines)| *lines > most)
            .map(|(path, lines)| format!("{path}: {lines} lines"))
            .collect()
    };
    for (folder, most) in [
        ("verify/src", SOURCE_LINES),
        ("consumer-template/src", SOURCE_LINES),
        ("verify/tests", TEST_LINES),
        ("consumer-template/tests", TEST_LINES),
    ] {
        assert_eq!(too_long(folder, most), [""; 0]);
    }
}

#[test]
fn no_crate_allows_unsafe_code() {
    for file in ["verify/src/lib.rs", "consumer-template/src/lib.rs"] {
        assert!(fs::read_to_string(root().join(file)).unwrap().contains("#![forbid(unsafe_code)]"), "{file}");
    }
}

/// The rules can fail: each search finds what is known to be there.
#[test]
fn the_searches_find_what_is_there() {
    assert!(!offenders("verify/src", &[], &["subtle::"]).is_empty());
    assert!(!offenders("consumer-template/src", &[], &["\"SELECT "]).is_empty());
    assert!(!offenders("consumer-template/src", &[], &["axum::"]).is_empty());
    assert!(code("a\n// axum::b\n").contains('a') && !code("a\n// axum::b\n").contains("axum"));
}

/// The catalogue promises what there is: each test by its name, each flag with vectors.
#[test]
fn the_catalogue_of_attacks_names_tests_and_vectors_that_exist() {
    let page = fs::read_to_string(root().join("ATTACKS.md")).unwrap();
    let tests: String = ["verify/tests", "consumer-template/tests"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|(_, text)| text)
        .collect();
    let vectors: String = files("test-vectors/v1", ".json").into_iter().map(|(_, text)| text).collect();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")) {
        let held_by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<_> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing holds: {row}");
        for name in names {
            let exists = if name.starts_with(char::is_uppercase) {
                vectors.contains(&format!("\"{name}\""))
            } else {
                tests.contains(&format!("fn {name}("))
                    || root().join(format!("fuzz/fuzz_targets/{name}.rs")).is_file()
            };
            assert!(exists, "ATTACKS.md: there is no {name}");
        }
        rows += 1;
    }
    assert!(rows >= 38, "{rows} rows were read");
}
