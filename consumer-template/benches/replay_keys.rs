//! Whether an inbox that remembers ten million events accepts as quickly as an empty one.
//!
//! Both take turns, so that a machine that slows down slows both. `cargo bench -p hookproof-consumer --bench replay_keys -- --check`;
//! `-- --keys 100000` for a quick look. The database is made in the build's folder: a gigabyte for ten million keys.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

#[path = "fill/mod.rs"]
mod fill;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use hookproof::{Key, Outgoing, Signer, UnixTime, Verifier, schemes};
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::dispatch::Sweeper;
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{Delivery, Facts, Inbox, Incoming};
use tokio::task::JoinSet;

const KEYS: u64 = 10_000_000;

/// Deliveries that are under way at a time, each with the number of them in one turn of one inbox; and whether keys are moved to
/// the old ones meanwhile, at the pace of the sweep. Without that it is what is felt until the next move.
const LOADS: [(usize, usize, bool); 4] = [(1, 50, false), (64, 640, false), (1, 50, true), (64, 640, true)];

/// More have come before keys are moved.
const YOUNG: u64 = 1_000;
const ROUNDS: usize = 40;
const SLOWER: f64 = 1.3;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const HELP: &str = "What accepting costs when very many events are remembered, beside an empty inbox.

  --keys N    replay keys that are remembered (10000000)
  --check     exit with 1 if a limit is missed
  --help      this text";

/// Keys that lie evenly in the space of all keys, in their order, so that the table is quickly made. A new key is a hash: it
/// falls anywhere between them.
const STATEMENT: &str = "WITH RECURSIVE n(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
     INSERT INTO old_replay_keys (replay_key, body_sha256)
     SELECT unhex(printf('%016x', n * (0x7fffffffffffffff / {keys}) * 2) || hex(randomblob(24))), randomblob(32) FROM n";

fn main() -> anyhow::Result<ExitCode> {
    let (mut keys, mut check, mut measuring) = (KEYS, false, false);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => measuring = true,
            "--check" => check = true,
            "--keys" => keys = words.next().and_then(|n| n.parse().ok()).context("--keys wants a number")?,
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => {
                eprintln!("unknown argument {other:?}; --help lists the known ones");
                return Ok(ExitCode::from(2));
            }
        }
    }
    // `cargo test --all-targets` runs this too: then it only has to work.
    if measuring { measure(keys, ROUNDS, check) } else { measure(keys.min(2_000), 1, check) }
}

fn measure(keys: u64, rounds: usize, check: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (empty, full) = (folder.path().join("empty.db"), folder.path().join("full.db"));
    let start = Instant::now();
    fill::create(&full)?;
    fill::fill(&full, keys, &[&STATEMENT.replace("{keys}", &keys.to_string())])?;
    println!("{keys} keys in {:.1} s, {} MiB", start.elapsed().as_secs_f64(), full.metadata()?.len() >> 20);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let post = Post::new()?;
    let inboxes = [&empty, &full]
        .map(|path| SqliteInbox::open(SqliteOptions::new(path).with_young_keys(YOUNG)).map(Arc::new));
    let [empty, full] = inboxes;
    let (empty, full) = (empty?, full?);
    let start = Instant::now();
    while !full.is_warm() {
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
    }
    println!("known by heart after {:.1} s", start.elapsed().as_secs_f64());

    println!(
        "{:<10} {:>16} {:>16} {:>7} {:>9}   (medians of {rounds} turns)",
        "at a time", "empty, us", "full, us", "ratio", "limit"
    );
    let mut missed = false;
    for (at_a_time, deliveries, moving) in LOADS {
        let sweeps = [&empty, &full].map(|inbox| {
            let inbox: Arc<dyn Inbox> = Arc::clone(inbox) as _;
            let sweeper = Sweeper::new(inbox, Arc::new(SystemClock));
            moving.then(|| runtime.spawn(sweeper.run(std::future::pending())))
        });
        let mut times = [Vec::new(), Vec::new()];
        // The first turn of each warms up.
        for round in 0..=rounds {
            for (inbox, times) in [&empty, &full].into_iter().zip(&mut times) {
                let took = runtime.block_on(turn(inbox, &post, at_a_time, deliveries))?;
                if round > 0 {
                    times.push(took);
                }
            }
        }
        sweeps.into_iter().flatten().for_each(|sweep| sweep.abort());
        let [empty, full] = &times;
        let ratios: Vec<_> = empty.iter().zip(full).map(|(empty, full)| full / empty).collect();
        let (empty, full) = (median(empty)?, median(full)?);
        let ratio = median(&ratios)?;
        missed |= ratio > SLOWER;
        let verdict = if ratio <= SLOWER { "ok" } else { "MISSED" };
        println!(
            "{at_a_time:<10} {empty:>16.0} {full:>16.0} {ratio:>7.3} {:>9} {verdict}{}",
            format!("<= {SLOWER}"),
            if moving { ", while keys are moved" } else { "" }
        );
    }
    Ok(if check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Accepts so many new events; the median of their latencies, in microseconds.
async fn turn(
    inbox: &Arc<SqliteInbox>,
    post: &Post,
    at_a_time: usize,
    deliveries: usize,
) -> anyhow::Result<f64> {
    let mut letters: Vec<_> = (0..deliveries).map(|_| post.letter()).collect::<Result<_, _>>()?;
    let mut times = Vec::with_capacity(deliveries);
    let mut open = JoinSet::new();
    while !letters.is_empty() || !open.is_empty() {
        while open.len() < at_a_time
            && let Some(letter) = letters.pop()
        {
            let inbox = Arc::clone(inbox);
            open.spawn(async move {
                let start = Instant::now();
                let accepted = inbox.accept(letter).await?;
                anyhow::ensure!(accepted.outcome == Delivery::New, "not new");
                Ok(start.elapsed().as_secs_f64() * 1e6)
            });
        }
        if let Some(took) = open.join_next().await {
            times.push(took??);
        }
    }
    median(&times)
}

fn median(times: &[f64]) -> anyhow::Result<f64> {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("nothing was measured")
}

/// Where new events come from.
struct Post {
    signer: Signer,
    verifier: Verifier,
    now: UnixTime,
}

impl Post {
    fn new() -> anyhow::Result<Self> {
        let key = Key::new("k", SECRET);
        let scheme = schemes::standard_webhooks();
        let signer = Signer::new(&scheme, &key)?;
        Ok(Self { signer, verifier: Verifier::builder(scheme).key(key).build()?, now: SystemClock.now() })
    }

    /// An event that nobody has seen.
    fn letter(&self) -> anyhow::Result<Incoming> {
        let id = format!("msg_{:032x}", fastrand::u128(..));
        let body =
            Bytes::from_static(br#"{"type":"lead.updated","data":{"id":"lead-1","name":"Ada Example"}}"#);
        let mut outgoing = Outgoing::new(&body).timestamp(self.now);
        outgoing.id = Some(&id);
        let headers = self.signer.sign(&outgoing)?;
        let proof = self
            .verifier
            .verify(&headers, body, self.now)
            .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        Ok(Incoming::new(Arc::from("crm"), proof, Facts::default(), self.now))
    }
}
