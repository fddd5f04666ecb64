//! Run under valgrind by `tests/constant_time.rs`, which also says how to run it by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a check that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the test reads it")]

mod memcheck;
mod planted;
mod shipped;
#[path = "../../support/sources.rs"]
mod sources;

fn main() {
    assert!(memcheck::is_watching(), "run this under valgrind, on x86-64 Linux");
    match std::env::args().nth(1).as_deref() {
        Some("shipped") => {
            for report in shipped::all() {
                println!("{} errors, {} verdicts: {}", report.errors, report.verdicts, report.name);
            }
        }
        Some("planted") => {
            for report in planted::all() {
                println!("{} errors: {}", report.errors, report.name);
            }
        }
        _ => panic!("say 'shipped' or 'planted'"),
    }
}
