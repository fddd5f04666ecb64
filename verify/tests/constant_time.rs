//! Verifying neither branches nor indexes on what is secret: valgrind's memcheck sees to it, told that the key is
//! uninitialised memory. What is computed from it is then uninitialised too, down to the verdict.
//!
//! `constant_time/` is the program that it watches. The library in it is the one that ships, through its public doors.
//! What this cannot see: the SHA instructions of a processor (valgrind has none, so the portable code runs), and
//! instructions whose own time depends on their operands.

#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};

/// As shipped, and unoptimised: the compiler replaces some faulty comparisons by good ones, but may not always.
const PROFILES: [&str; 2] = ["ct", "ct0"];

/// Runs the program under valgrind. Its errors are made the exit code 9.
fn watch(profile: &str, what: &str) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/constant_time");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("constant-time");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--profile", profile, "--target-dir"])
        .arg(&target)
        .current_dir(&folder)
        // Code for this very processor may have instructions that valgrind does not know.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success(), "the program does not build");
    Command::new("valgrind")
        .args(["--error-exitcode=9", "--error-limit=no"])
        .arg(format!("--suppressions={}", folder.join("verdict.supp").display()))
        .arg(target.join(profile).join("hookproof-constant-time"))
        .arg(what)
        .output()
        .expect("valgrind is installed")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The number before `word` in `line`.
fn count(line: &str, word: &str) -> usize {
    let before = line.split(word).next().unwrap().trim_end();
    before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("no number of{word} in: {line}"))
}

/// How often valgrind met what `verdict.supp` lets pass.
fn verdicts_seen(report: &str) -> usize {
    let line = report.lines().find(|line| line.contains("ERROR SUMMARY")).expect("valgrind sums up");
    count(line.split("suppressed: ").nth(1).unwrap(), " from")
}

#[test]
#[ignore = "needs valgrind"]
fn nothing_but_the_verdict_depends_on_the_key() {
    for profile in PROFILES {
        let output = watch(profile, "shipped");
        let (lines, report) = (text(&output.stdout), text(&output.stderr));
        let leaks: Vec<_> = lines.lines().filter(|line| count(line, " errors") > 0).collect();
        assert!(output.status.success() && leaks.is_empty(), "{profile}: {leaks:#?}\n{report}");
        let told: usize = lines.lines().map(|line| count(line, " verdicts")).sum();
        // Fewer: the key's bits do not reach the verdict, and the silence means nothing. More: it tells more than it may.
        assert_eq!(
            verdicts_seen(&report),
            told,
            "{profile}: verdicts read, and verdicts that there are\n{report}"
        );
        assert!(lines.lines().count() > 100, "{profile}: hardly anything was tried:\n{lines}");
        println!("constant time, {profile}: {} deliveries, {told} verdicts, 0 errors", lines.lines().count());
    }
}

/// The control. Each of them has been in somebody's webhook library.
#[test]
#[ignore = "needs valgrind"]
fn faulty_comparisons_are_seen() {
    for profile in PROFILES {
        let output = watch(profile, "planted");
        let (lines, report) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(9), "{profile}:\n{lines}\n{report}");
        let errors = |name: &str| {
            let line = lines.lines().find(|line| line.ends_with(&format!("errors: {name}")));
            count(line.unwrap_or_else(|| panic!("{profile}: '{name}' is missing from\n{lines}")), " errors")
        };
        for name in [
            "slices with ==",
            "hex with ==",
            "hex in constant time",
            "a loop that returns early",
            "any() over keys",
        ] {
            assert!(errors(name) > 0, "{profile}: '{name}' was not reported");
            println!("faulty comparison, {profile}: {name}: {} errors", errors(name));
        }
        // Why there are two profiles: optimised, this one becomes a comparison without branches.
        if profile == "ct0" {
            assert!(errors("arrays with ==") > 0, "arrays with == was not reported");
        }
        assert_eq!(errors("bytes in constant time"), 0, "{profile}: the right comparison was reported");
    }
}
