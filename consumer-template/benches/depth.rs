//! Whether a deep queue is as good as a shallow one: how soon a restarted process has done its first events, how much memory it
//! takes, and what a claim costs beside one from a queue that is nearly worked off.
//!
//! `cargo bench -p hookproof-consumer --bench depth -- --check`; `-- --events 50000` for a quick look. The database is made in
//! the build's folder and takes a gigabyte for a million events.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

#[path = "fill/mod.rs"]
mod fill;
#[path = "depth/worker.rs"]
mod worker;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};

/// Queued events, unless the command line says otherwise.
const EVENTS: u64 = 1_000_000;

const FIRST_SECONDS: f64 = 3.0;
const MEMORY_MIB: f64 = 256.0;
const SLOWER: f64 = 1.3;

/// Events of the queue that is nearly worked off, and claims from both. They leave it full enough for whole claims.
const SHALLOW: u64 = 20_000;
const TURNS: usize = 60;

const HELP: &str = "What a deep queue costs: time to the first event, memory, claims.

  --events N   queued events (1000000)
  --check      exit with 1 if a limit is missed
  --help       this text";

/// Half of the events have keys, ten for each; the sources are of unequal size.
const STATEMENTS: [&str; 5] = [
    "WITH RECURSIVE n(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
     INSERT INTO events (number, source, scheme, key_id, replay_key, identity, ordering_key, received_at, state)
     SELECT n, iif(n % 7, 'crm', 'shop'), 'devsphere', 'k', unhex(printf('%064x', n * 2654435761)), 'digest',
            iif(n % 2, NULL, 'lead-' || (n / 20)), 1700000000000 + n, 'pending' FROM n",
    "INSERT INTO payloads (event, body_sha256, headers, body)
     SELECT number, replay_key, x'', CAST(printf('{\"event\":\"lead.updated\",\"n\":%d,\"pad\":\"%0200d\"}', number, 0) AS BLOB)
     FROM events WHERE number BETWEEN ?1 AND ?2",
    "INSERT INTO old_replay_keys (replay_key, body_sha256, event)
     SELECT replay_key, replay_key, number FROM events WHERE number BETWEEN ?1 AND ?2 ORDER BY replay_key",
    "INSERT INTO lanes (source, ordering_key, due_at)
     SELECT source, ordering_key, MIN(received_at) FROM events WHERE number BETWEEN ?1 AND ?2
     GROUP BY source, COALESCE(ordering_key, number)
     ON CONFLICT (source, ordering_key) WHERE ordering_key IS NOT NULL DO NOTHING",
    "INSERT INTO queue (lane, at, sequence, event, due_at)
     SELECT COALESCE(
                (SELECT id FROM lanes WHERE lanes.source = events.source AND lanes.ordering_key = events.ordering_key),
                (SELECT id FROM lanes WHERE lanes.ordering_key IS NULL AND lanes.source = events.source AND running IS NULL
                 AND blocked = 0 AND lanes.due_at = received_at)),
            received_at, 0, number, received_at
     FROM events WHERE number BETWEEN ?1 AND ?2",
];

fn main() -> anyhow::Result<ExitCode> {
    let (mut events, mut check, mut measuring) = (EVENTS, false, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => measuring = true,
            "--check" => check = true,
            "--events" => {
                events = words.next().and_then(|n| n.parse().ok()).context("--events wants a number")?
            }
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            worker::COMMAND => {
                let path = words.next().context("no database")?;
                let events = words.next().and_then(|n| n.parse().ok()).context("no number")?;
                return worker::run(Path::new(&path), events).map(|()| ExitCode::SUCCESS);
            }
            other => {
                eprintln!("unknown argument {other:?}; --help lists the known ones");
                return Ok(ExitCode::from(2));
            }
        }
    }
    // `cargo test --all-targets` runs this too: then it only has to work.
    measure(if measuring { events } else { events.min(2_000) }, check)
}

fn measure(events: u64, check: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let start = Instant::now();
    let (deep, shallow) =
        (queue(folder.path(), "deep", events)?, queue(folder.path(), "shallow", SHALLOW.min(events))?);
    let seconds = start.elapsed().as_secs_f64();
    println!("{events} events queued in {seconds:.1} s, {} MiB", deep.metadata()?.len() >> 20);

    let start = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args([worker::COMMAND.as_ref(), deep.as_os_str()])
        .arg((events / 10).min(worker::EVENTS).to_string())
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let said = worker::listen(child.stdout.take().context("no output")?, start)?;
    anyhow::ensure!(child.wait()?.success() && said.done > 0, "the worker failed");
    println!("{} events done by the process that was started", said.done);

    let limits = [
        ("start to the first events done, s", said.first_seconds, FIRST_SECONDS),
        ("most memory of the process, MiB", said.memory_kib as f64 / 1024.0, MEMORY_MIB),
        ("a claim at depth against one near the end", slower(&deep, &shallow)?, SLOWER),
    ];
    let mut missed = false;
    for (what, figure, most) in limits {
        let verdict = if figure <= most { "ok" } else { "MISSED" };
        missed |= figure > most;
        println!("{what:<46} {figure:>8.2}   <= {most:<6} {verdict}");
    }
    Ok(if check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn queue(folder: &Path, name: &str, events: u64) -> anyhow::Result<PathBuf> {
    let path = folder.join(name).with_extension("db");
    fill::create(&path)?;
    fill::fill(&path, events, &STATEMENTS)?;
    Ok(path)
}

/// How much longer a claim takes in the deep queue. Both take turns, so that a machine that slows down slows both.
fn slower(deep: &Path, shallow: &Path) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (deep, shallow) =
        (SqliteInbox::open(SqliteOptions::new(deep))?, SqliteInbox::open(SqliteOptions::new(shallow))?);
    let (deep, shallow) = (Arc::new(deep), Arc::new(shallow));
    let (mut deep_us, mut shallow_us, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let both = runtime.block_on(async {
            anyhow::Ok((worker::claim_and_settle(&deep).await?, worker::claim_and_settle(&shallow).await?))
        })?;
        let (Some(at_depth), Some(near_the_end)) = both else { break };
        // The first turn of each warms up.
        if turn > 0 {
            deep_us.push(at_depth);
            shallow_us.push(near_the_end);
            ratios.push(at_depth / near_the_end);
        }
    }
    let (deep_us, shallow_us) = (median(deep_us)?, median(shallow_us)?);
    println!(
        "a claim of 100, median of {TURNS} turns: {deep_us:.0} us at depth, {shallow_us:.0} us near the end"
    );
    median(ratios)
}

fn median(mut figures: Vec<f64>) -> anyhow::Result<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().context("nothing was measured")
}
