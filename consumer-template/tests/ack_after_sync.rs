//! No success is answered before its event is on disk: the order of writes, syncs and answers, as the kernel saw it.
//!
//! A killed process cannot show this, for the kernel keeps what was written and not synced. See `support/trace.rs` for the rule.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the figures are half of what this is for")]

#[cfg(test)]
#[path = "support/process/mod.rs"]
mod process;
#[cfg(test)]
#[path = "support/trace.rs"]
mod trace;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use hookproof_consumer::inbox::sqlite::SqliteInbox;
use process::client::Client;
use process::hasty::Hasty;
use process::letters::{Letter, Writer};
use process::planted;
use process::server::{Server, Site};
use trace::Trace;

const EVENTS: u64 = 500;
const CONNECTIONS: u64 = 8;

/// One event in so many is posted by two connections, at about the same time.
const DOUBLED: u64 = 25;

#[test]
#[ignore = "needs strace"]
fn no_success_is_answered_before_its_event_is_synced() {
    let site = Site::new();
    let trace = run(&site, &site.serve(), "as shipped");
    assert!(trace.violations.is_empty(), "answered too early: {:?}", trace.violations);
}

#[test]
#[ignore = "needs strace"]
fn the_check_sees_a_server_that_does_not_sync() {
    let site = Site::new();
    let trace =
        run(&site, &planted::command("planted_server_that_does_not_sync", &site.config()), "without syncs");
    assert!(trace.violations.len() > trace.answers / 2, "only {} violations", trace.violations.len());
}

/// It stores and syncs everything, as a look at its database would confirm: only after the answer.
#[test]
#[ignore = "needs strace"]
fn the_check_sees_a_server_that_answers_before_it_stores() {
    let site = Site::new();
    let trace =
        run(&site, &planted::command("planted_server_that_answers_too_early", &site.config()), "too early");
    assert!(trace.violations.len() > trace.answers / 2, "only {} violations", trace.violations.len());
}

#[test]
#[ignore = "a server for the negative control, which starts it"]
fn planted_server_that_answers_too_early() {
    planted::serve(|options| Arc::new(Hasty(Arc::new(SqliteInbox::open(options).unwrap()))));
}

#[test]
#[ignore = "a server for the negative control, which starts it"]
fn planted_server_that_does_not_sync() {
    planted::serve(|options| Arc::new(SqliteInbox::open(options.danger_synchronous_normal()).unwrap()));
}

/// Posts all events to a server under the tracer, and reads what it did.
fn run(site: &Site, command: &Command, what: &str) -> Trace {
    let start = Instant::now();
    let server = Server::start_traced(traced(site, command));
    let (posted, address) = (post_all(server.address), server.address);
    assert!(server.stop().success(), "the server on {address} did not end well");
    let lines = BufReader::new(File::open(site.file("trace")).unwrap()).lines();
    let trace = Trace::read(lines.map(|line| line.unwrap()));
    println!(
        "{what}: {} responses, {} syncs, {:.2} syncs per response, {} violations, {:.1} s",
        trace.answers,
        trace.syncs,
        trace.syncs as f64 / trace.answers as f64,
        trace.violations.len(),
        start.elapsed().as_secs_f64()
    );
    assert_eq!((trace.answers, trace.unknown), (posted, 0), "the trace is incomplete");
    // What is received is other people's data, and a full or read-only `/tmp` is no reason not to receive it.
    let outside: Vec<_> = trace.written.iter().filter(|file| !file.starts_with(&site.folder())).collect();
    assert!(outside.is_empty(), "written outside of the database's folder: {outside:?}");
    trace
}

fn traced(site: &Site, command: &Command) -> Command {
    let version = Command::new("strace").arg("--version").stdout(Stdio::null()).status();
    assert!(
        version.is_ok(),
        "strace is missing, and nothing else shows what is synced: install it to run this test"
    );
    let mut traced = Command::new("strace");
    traced.args(["--follow-forks", "--seccomp-bpf", "--decode-fds=path", "--string-limit", trace::BYTES]);
    traced.args(["-e", trace::CALLS, "-o"]).arg(site.file("trace"));
    traced.arg(command.get_program()).args(command.get_args());
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced
}

/// Returns the number of successes, which is that of all requests.
fn post_all(address: SocketAddr) -> usize {
    let writer = Writer::new().unwrap();
    let letters: Vec<_> = (0..EVENTS)
        .map(|number| (number, writer.about(&format!("lead-{number}"), number).unwrap()))
        .collect();
    std::thread::scope(|scope| {
        let letters = &letters;
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|connection| scope.spawn(move || post_share(address, connection, letters)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn post_share(address: SocketAddr, connection: u64, letters: &[(u64, Letter)]) -> usize {
    let mut client = Client::connect(address).unwrap();
    let mine = |number: u64| {
        let first = number % CONNECTIONS;
        first == connection || (number.is_multiple_of(DOUBLED) && (first + 1) % CONNECTIONS == connection)
    };
    let share = letters.iter().filter(|(number, _)| mine(*number));
    share.map(|(_, letter)| assert_eq!(client.post(&letter.request).unwrap(), 200)).count()
}
