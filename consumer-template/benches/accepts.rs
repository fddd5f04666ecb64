//! How many events per second are durable before they are answered, and what of that time is the store.
//!
//! Six servers take turns, so that a machine that slows down slows all of them: as shipped; as shipped, while it purges a backlog;
//! as shipped, while a person replays sixty thousand dead letters, which it then processes; with a trigger that keeps deliveries from
//! being recorded, which shows what the record costs; without a store, which is the ceiling; and with one transaction per write, which is what sharing a sync saves. They process what they accept while they accept.
//! `cargo bench -p hookproof-consumer --bench accepts`; `HOOKPROOF_BENCH_SECONDS=1` for a quick look.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

#[path = "accepts/backlog.rs"]
mod backlog;
#[path = "accepts/forgetful.rs"]
mod forgetful;
#[path = "../tests/support/process/letters.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod letters;
#[path = "accepts/load.rs"]
mod load;
#[path = "accepts/replay.rs"]
mod replay;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hookproof_consumer::app::App;
use hookproof_consumer::config::Config;
use hookproof_consumer::handler;
use hookproof_consumer::inbox::Inbox;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};

use forgetful::Forgetful;
use load::{CONNECTIONS, Measured};

const SECONDS_VARIABLE: &str = "HOOKPROOF_BENCH_SECONDS";
const SECONDS: f64 = 15.0;

/// Turns of each server. The median of each figure counts.
const ROUNDS: usize = 5;

/// More than a server with a store is expected to answer. One that answers more has its turn end earlier.
const REQUESTS_PER_SECOND: f64 = 60_000.0;

#[derive(Clone, Copy)]
enum Store {
    AsShipped,
    Purging,
    Replaying,
    Unrecorded,
    None,
    OneTransactionPerJob,
}

const STORES: [(Store, &str); 6] = [
    (Store::AsShipped, "as shipped"),
    (Store::Purging, "purging a backlog"),
    (Store::Replaying, "replaying dead letters"),
    (Store::Unrecorded, "no record of deliveries"),
    (Store::None, "without a store"),
    (Store::OneTransactionPerJob, "one transaction per job"),
];

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` runs this too: then it only has to work.
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let seconds = match std::env::var(SECONDS_VARIABLE) {
        Ok(text) => text.parse().context(SECONDS_VARIABLE)?,
        Err(_) => SECONDS,
    };
    let (rounds, time) = if measuring { (ROUNDS, seconds / ROUNDS as f64) } else { (1, 0.2) };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    println!("database on {}", file_system(folder));
    println!("{CONNECTIONS} connections, {rounds} rounds of {time:.1} s each\n");
    let requests = Arc::new(sign((time.max(0.2) * REQUESTS_PER_SECOND) as u64)?);
    let mut measured = STORES.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((store, _), measured) in STORES.into_iter().zip(&mut measured) {
            measured.push(measure(store, folder, &requests, Duration::from_secs_f64(time))?);
        }
    }
    report(&mut measured)
}

/// Events about as many leads.
fn sign(count: u64) -> anyhow::Result<Vec<Vec<u8>>> {
    let writer = letters::Writer::new()?;
    (0..count).map(|number| Ok(writer.about(&format!("lead-{number}"), number)?.request)).collect()
}

/// One turn, on a new database.
fn measure(
    store: Store,
    folder: &Path,
    requests: &Arc<Vec<Vec<u8>>>,
    time: Duration,
) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let text = format!("[server]\nlisten = \"127.0.0.1:0\"\n{}", letters::source_section());
    let config = Config::parse(&text, &folder.path().join("hookproof.toml"))?;
    let options = SqliteOptions::new(&config.store.path).with_accept_queue(config.store.accept_queue);
    let inbox: Arc<dyn Inbox> = match store {
        Store::AsShipped => Arc::new(SqliteInbox::open(options.clone())?),
        Store::Purging => {
            backlog::fill(&options)?;
            Arc::new(SqliteInbox::open(options.clone())?)
        }
        Store::Replaying => {
            replay::fill(&options)?;
            Arc::new(SqliteInbox::open(options.clone())?)
        }
        Store::Unrecorded => {
            drop(SqliteInbox::open(options.clone())?);
            rusqlite::Connection::open(options.path())?.execute_batch(
                "CREATE TRIGGER unrecorded BEFORE INSERT ON deliveries BEGIN SELECT RAISE(IGNORE); END",
            )?;
            Arc::new(SqliteInbox::open(options.clone())?)
        }
        Store::None => Arc::new(Forgetful::default()),
        Store::OneTransactionPerJob => {
            Arc::new(SqliteInbox::open(options.clone().danger_one_transaction_per_job())?)
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let app = runtime.block_on(App::start_on(config, inbox, handler::handlers()))?;
    let errand = matches!(store, Store::Replaying).then(|| replay::Errand::start(&options)).transpose()?;
    let measured = load::run(app.address(), requests, time);
    errand.map_or(Ok(()), replay::Errand::end)?;
    runtime.block_on(app.stop());
    if let Store::Purging = store {
        backlog::check(&folder.path().join("hookproof.db"))?;
    }
    measured
}

fn report(measured: &mut [Vec<Measured>; STORES.len()]) -> anyhow::Result<()> {
    println!(
        "{:<24} {:>10} {:>10} {:>10} {:>7}   (medians)",
        "server", "accepts/s", "p50 ms", "p99 ms", "ratio"
    );
    let mut shipped = None;
    for ((_, name), measured) in STORES.into_iter().zip(measured) {
        let per_second = median(measured, |one| one.per_second)?;
        let shipped = *shipped.get_or_insert(per_second);
        println!(
            "{name:<24} {per_second:>10.0} {:>10.2} {:>10.2} {:>7.2}",
            median(measured, |one| one.p50.as_secs_f64() * 1e3)?,
            median(measured, |one| one.p99.as_secs_f64() * 1e3)?,
            per_second / shipped,
        );
    }
    Ok(())
}

fn median(measured: &mut [Measured], figure: impl Fn(&Measured) -> f64) -> anyhow::Result<f64> {
    measured.sort_unstable_by(|a, b| figure(a).total_cmp(&figure(b)));
    measured.get(measured.len() / 2).map(figure).context("nothing was measured")
}

/// The folder, and what kind of file system it is on: a sync in memory costs nothing and says nothing.
fn file_system(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(mount, _)| folder.starts_with(mount));
    let kind = holding.max_by_key(|(mount, _)| mount.len()).map_or("unknown file system", |(_, kind)| kind);
    format!("{} ({kind})", folder.display())
}
