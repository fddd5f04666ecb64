//! The program is killed again and again under load. What it answered is there, once, and was applied once.
//!
//! This says nothing about a loss of power: the kernel outlives the process, and keeps what was written and not synced. For that
//! see `ack_after_sync.rs`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the figures and the seed are wanted")]

#[cfg(test)]
#[path = "support/ledger.rs"]
mod ledger;
#[cfg(test)]
#[path = "kill9/planted_losses.rs"]
mod planted_losses;
#[cfg(test)]
#[path = "support/process/mod.rs"]
mod process;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use ledger::{Broken, Ledger, Progress};
use process::client::Client;
use process::hasty::Hasty;
use process::letters::Writer;
use process::planted;
use process::server::{Server, Site, look, wait_until};
use rusqlite::Connection;

/// How often the server is killed, unless the environment variable asks for more.
const CYCLES: u32 = 50;
const CYCLES_VARIABLE: &str = "HOOKPROOF_KILL9_CYCLES";

/// Repeats a run's decisions, though not its timing.
const SEED_VARIABLE: &str = "HOOKPROOF_KILL9_SEED";

const SENDERS: usize = 10;

/// The longest life of a server that listens, and of one that has just been started.
const LIFE: Duration = Duration::from_millis(300);
const BIRTH: Duration = Duration::from_millis(60);

/// A server, the providers that post to it, and what is known about them.
struct Siege {
    site: Site,
    ledger: Mutex<Ledger>,
    progress: Progress,
    random: fastrand::Rng,
}

#[test]
fn what_was_answered_survives_every_kill_and_is_applied_once() {
    let start = Instant::now();
    let mut siege = Siege::new();
    let cycles = std::env::var(CYCLES_VARIABLE).map_or(CYCLES, |text| text.parse().unwrap()).max(CYCLES);
    for cycle in 1..=cycles {
        if siege.random.u8(..) < 64 {
            Server::start_and_kill(siege.site.serve(), siege.random_time(BIRTH));
        }
        siege.live_and_die(siege.site.serve());
        let broken = siege.inspect();
        assert!(broken.is_empty(), "after kill {cycle}: {broken:?}");
    }
    let resent = siege.settle();
    assert_eq!(siege.inspect(), [], "at the end");
    let ledger = siege.ledger.into_inner().unwrap();
    let database = look(&siege.site.database());
    assert_eq!(left(&database), 0);
    println!(
        "{cycles} kills, {} events answered, {} sent again, {} attempts cut off, lost 0, applied twice 0, {:.1} s",
        ledger.promises(),
        ledger.resent + resent,
        cut_off(&database),
        start.elapsed().as_secs_f64()
    );
}

/// The same siege around a server with the fault must find that it loses events.
#[test]
fn the_siege_sees_a_server_that_answers_before_it_stores() {
    let mut siege = Siege::new();
    for cycle in 1..=CYCLES {
        let planted = planted::command("planted_server_that_answers_too_early", &siege.site.config());
        siege.live_and_die(planted);
        let broken = siege.inspect();
        let lost = broken.iter().filter(|broken| matches!(broken, Broken::Lost(_))).count();
        if lost > 0 {
            println!("answered too early: {lost} events lost at kill {cycle}");
            return;
        }
    }
    panic!("{CYCLES} kills, and no loss was seen");
}

#[test]
#[ignore = "a server for the negative control, which starts it"]
fn planted_server_that_answers_too_early() {
    planted::serve(|options| Arc::new(Hasty(Arc::new(SqliteInbox::open(options).unwrap()))));
}

impl Siege {
    fn new() -> Self {
        let seed =
            std::env::var(SEED_VARIABLE).map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
        println!("{SEED_VARIABLE}={seed}");
        Self {
            site: Site::new(),
            ledger: Mutex::default(),
            progress: Progress::default(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    fn random_time(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.random.f64())
    }

    /// Starts a server, lets everybody post to it, and kills it in the middle of that.
    fn live_and_die(&mut self, command: Command) {
        let server = Server::start(command);
        let (address, life) = (server.address, self.random_time(LIFE));
        let seeds: Vec<_> = (0..SENDERS).map(|_| self.random.u64(..)).collect();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            for seed in seeds {
                let (tell, ledger) = (tell.clone(), &self.ledger);
                scope.spawn(move || {
                    if let Err(trouble) = post_until_the_end(address, ledger, seed) {
                        let _ = tell.send(trouble);
                    }
                });
            }
            drop(tell);
            match told.recv_timeout(life) {
                Err(RecvTimeoutError::Timeout) => server.kill(),
                Err(RecvTimeoutError::Disconnected) => panic!("the server ended on its own"),
                Ok(trouble) => panic!("{trouble}"),
            }
        });
        self.ledger.lock().unwrap().killed();
    }

    /// Looks at a copy of what the kill left behind: the next server must find its log as it is.
    fn inspect(&mut self) -> Vec<Broken> {
        let copy = self.copy();
        let inbox = SqliteInbox::open(SqliteOptions::new(&copy)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(inbox.check()).unwrap(), Vec::<String>::new());
        let database = look(&copy);
        let mut broken = self.ledger.lock().unwrap().check(&database).unwrap();
        broken.extend(self.progress.check(&database).unwrap());
        broken
    }

    fn copy(&self) -> PathBuf {
        for file in ["db", "db-wal"] {
            let (from, to) = (format!("hookproof.{file}"), format!("copy.{file}"));
            let _ = std::fs::remove_file(self.site.file(&to));
            if self.site.file(&from).exists() {
                std::fs::copy(self.site.file(&from), self.site.file(&to)).unwrap();
            }
        }
        self.site.file("copy.db")
    }

    /// A last server finishes everything, is sent all answered events once more, and is stopped. Returns how many these were.
    fn settle(&self) -> usize {
        let server = Server::start(self.site.serve());
        let database = look(&self.site.database());
        wait_until("everything is processed", || left(&database) == 0);
        let before = contents(&database);
        let kept = self.ledger.lock().unwrap().kept();
        let mut client = Client::connect(server.address).unwrap();
        assert!(kept.iter().all(|letter| client.post(&letter.request).unwrap() == 200));
        assert!(contents(&database) == before, "a duplicate has changed something");
        drop(database);
        assert!(server.stop().success());
        kept.len()
    }
}

/// Posts new events and old ones until the server does not answer any more.
fn post_until_the_end(address: SocketAddr, ledger: &Mutex<Ledger>, seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let writer = Writer::new().map_err(|error| error.to_string())?;
    let Ok(mut client) = Client::connect(address) else { return Ok(()) };
    loop {
        let again = if random.u8(..) < 64 { ledger.lock().unwrap().again(&mut random) } else { None };
        let (number, letter) = again.unwrap_or_else(|| {
            let number = ledger.lock().unwrap().number();
            let letter = ledger::write(&writer, number).unwrap();
            ledger.lock().unwrap().send(number, letter.clone());
            (number, letter)
        });
        match client.post(&letter.request) {
            Ok(200) => ledger.lock().unwrap().answered(number),
            Ok(503) => {}
            Ok(status) => return Err(format!("event {number} was answered {status}")),
            Err(_) => return Ok(()),
        }
    }
}

fn left(database: &Connection) -> i64 {
    database.query_row("SELECT COUNT(*) FROM queue", [], |row| row.get(0)).unwrap()
}

fn cut_off(database: &Connection) -> i64 {
    let query = "SELECT COUNT(*) FROM attempts WHERE outcome = 'lost'";
    database.query_row(query, [], |row| row.get(0)).unwrap()
}

/// All that a duplicate must not change, as one text.
fn contents(database: &Connection) -> String {
    let query =
        "SELECT (SELECT group_concat(concat_ws(':', number, state, attempts, settled_at)) FROM events)
             || (SELECT group_concat(concat_ws(':', lead_id, updated_at, events_applied)) FROM leads)
             || (SELECT concat_ws(':', COUNT(*), MAX(id)) FROM attempts) || (SELECT COUNT(*) FROM audit)
             || (SELECT COUNT(*) FROM payloads) || (SELECT COUNT(*) FROM conflicts)";
    database.query_row(query, [], |row| row.get(0)).unwrap()
}
