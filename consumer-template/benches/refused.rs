//! What a flood of forged requests costs the deliveries beside it, and what of that is the writing of refusals.
//!
//! Four servers take turns: without a flood; with one, of which nothing is written (what is left is the cost of answering it); with
//! one, as shipped; and with one whose requests are all wanted for the quarantine.
//! `cargo bench -p hookproof-consumer --bench refused`; `HOOKPROOF_BENCH_SECONDS=4` for a quick look.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

#[path = "../tests/support/process/letters.rs"]
#[expect(dead_code, reason = "tests use the rest")]
mod letters;
#[path = "accepts/load.rs"]
mod load;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use hookproof_consumer::clock::{Clock, SystemClock};
use hookproof_consumer::config::Config;
use hookproof_consumer::inbox::Inbox;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::ingress::listener::Listener;
use hookproof_consumer::ingress::router::router;
use hookproof_consumer::ingress::serving::Serving;
use hookproof_consumer::refused::{Collector, Recorder};
use tokio::sync::watch;

use load::Measured;

const SECONDS_VARIABLE: &str = "HOOKPROOF_BENCH_SECONDS";
const SECONDS: f64 = 40.0;
const ROUNDS: usize = 5;
const REQUESTS_PER_SECOND: f64 = 20_000.0;

/// Connections that do nothing but send forged requests.
const FLOODERS: usize = 8;

#[derive(Clone, Copy)]
struct Turn {
    name: &'static str,
    flood: bool,
    written: bool,
    quarantine: &'static str,
}

const TURNS: [Turn; 4] = [
    Turn { name: "no flood", flood: false, written: true, quarantine: "" },
    Turn { name: "flood, nothing written", flood: true, written: false, quarantine: "" },
    Turn { name: "flood, as shipped", flood: true, written: true, quarantine: "" },
    Turn { name: "flood, quarantine", flood: true, written: true, quarantine: "quarantine = {}\n" },
];

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` runs this too: then it only has to work.
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let seconds = match std::env::var(SECONDS_VARIABLE) {
        Ok(text) => text.parse().context(SECONDS_VARIABLE)?,
        Err(_) => SECONDS,
    };
    let (rounds, time) = if measuring { (ROUNDS, seconds / (ROUNDS * TURNS.len()) as f64) } else { (1, 0.2) };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let writer = letters::Writer::new()?;
    let sign = |number| Ok(writer.about(&format!("lead-{number}"), number)?.request);
    let requests: anyhow::Result<Vec<_>> = (0..(time * REQUESTS_PER_SECOND) as u64).map(sign).collect();
    let requests = Arc::new(requests?);
    // Another body under a signature: it is refused after all of it was hashed.
    let mut forged = writer.about("lead-0", 0)?.request;
    *forged.last_mut().context("an empty request")? ^= 1;
    let mut measured = TURNS.map(|_| Vec::new());
    for _ in 0..rounds {
        for (turn, measured) in TURNS.into_iter().zip(&mut measured) {
            measured.push(measure(turn, folder, &requests, &forged, Duration::from_secs_f64(time))?);
        }
    }
    report(&mut measured)
}

/// One turn, on a new database: accepts, and forged requests per second.
fn measure(
    turn: Turn,
    folder: &Path,
    requests: &Arc<Vec<Vec<u8>>>,
    forged: &[u8],
    time: Duration,
) -> anyhow::Result<(Measured, f64)> {
    let folder = tempfile::tempdir_in(folder)?;
    let text =
        format!("[server]\nlisten = \"127.0.0.1:0\"\n{}{}", letters::source_section(), turn.quarantine);
    let config = Config::parse(&text, &folder.path().join("hookproof.toml"))?;
    let inbox: Arc<dyn Inbox> = Arc::new(SqliteInbox::open(SqliteOptions::new(&config.store.path))?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let refused = Arc::new(Collector::default());
    let app = router(&config.sources, &inbox, &clock, &refused, Duration::from_secs(10));
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(Listener::bind(&config.server))?;
    let address = listener.local_addr()?;
    let serving = runtime.spawn(listener.serve(Serving::new(app, config.server.clone()), stopped.clone()));
    if turn.written {
        let recorder = Recorder::new(refused, inbox, clock, config.refusals.max_rows);
        let mut stopped = stopped;
        runtime.spawn(recorder.run(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }));
    }
    let flood = Flood::start(if turn.flood { FLOODERS } else { 0 }, address, forged);
    let measured = load::run(address, requests, time);
    let refused = flood.stop();
    stop.send_replace(true);
    runtime.block_on(serving)?;
    Ok((measured?, refused as f64 / time.as_secs_f64()))
}

struct Flood {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<std::io::Result<()>>>,
}

impl Flood {
    fn start(connections: usize, address: SocketAddr, forged: &[u8]) -> Self {
        let (over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let one = |_| {
            let (over, answered, forged) = (Arc::clone(&over), Arc::clone(&answered), forged.to_vec());
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address)?;
                let mut answer = [0; 1024];
                while !over.load(Ordering::Relaxed) {
                    stream.write_all(&forged)?;
                    // One small write: it arrives at once.
                    let length = stream.read(&mut answer)?;
                    assert!(answer.starts_with(b"HTTP/1.1 401 ") && length > 0, "not refused");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        };
        let threads = (0..connections).map(one).collect();
        Self { over, answered, threads }
    }

    /// How many requests were refused.
    fn stop(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            assert!(thread.join().is_ok_and(|ended| ended.is_ok()), "the flood broke off");
        }
        self.answered.load(Ordering::Relaxed)
    }
}

fn report(measured: &mut [Vec<(Measured, f64)>; 4]) -> anyhow::Result<()> {
    println!(
        "{:<24} {:>10} {:>10} {:>10} {:>11}   (medians)",
        "server", "accepts/s", "p50 ms", "p99 ms", "refused/s"
    );
    for (turn, measured) in TURNS.into_iter().zip(measured) {
        println!(
            "{:<24} {:>10.0} {:>10.2} {:>10.2} {:>11.0}",
            turn.name,
            median(measured, |(one, _)| one.per_second)?,
            median(measured, |(one, _)| one.p50.as_secs_f64() * 1e3)?,
            median(measured, |(one, _)| one.p99.as_secs_f64() * 1e3)?,
            median(measured, |(_, refused)| *refused)?,
        );
    }
    Ok(())
}

fn median<T>(measured: &mut [T], figure: impl Fn(&T) -> f64) -> anyhow::Result<f64> {
    measured.sort_unstable_by(|a, b| figure(a).total_cmp(&figure(b)));
    measured.get(measured.len() / 2).map(figure).context("nothing was measured")
}
