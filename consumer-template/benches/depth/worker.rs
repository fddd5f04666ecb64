//! The process that is measured: it starts on a full database, does the first events as the service does, and then many others.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::dispatch::{DispatchConfig, Dispatcher};
use hookproof_consumer::effect::{Context, Effect, Failure, Handler, Handlers};
use hookproof_consumer::event::{Event, State};
use hookproof_consumer::inbox::sqlite::{SqliteInbox, SqliteOptions};
use hookproof_consumer::inbox::{Inbox as _, Operator as _, Settled};
use hookproof_consumer::retry::Outcome;
use tokio::task::JoinSet;

/// The argument that starts it.
pub(crate) const COMMAND: &str = "worker";

/// Events of one claim: as many as may share a transaction when they are settled.
const CLAIM: usize = 100;
const LEASE: Duration = Duration::from_secs(3_600);

/// Events that the process does at most before its memory is read. More of the same would not change it.
pub(crate) const EVENTS: u64 = 20_000;

/// What it says of itself.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) first_seconds: f64,
    pub(crate) done: u64,
    pub(crate) memory_kib: u64,
}

/// Reads what a worker says that was started at `start`.
pub(crate) fn listen(output: impl Read, start: Instant) -> anyhow::Result<Said> {
    let mut said = Said::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let (what, figure) = line.split_once(' ').with_context(|| line.clone())?;
        match what {
            "first" => said.first_seconds = start.elapsed().as_secs_f64(),
            "done" => said.done = figure.parse()?,
            "memory" => said.memory_kib = figure.parse()?,
            other => anyhow::bail!("the worker said {other}"),
        }
    }
    Ok(said)
}

struct Nothing;

#[async_trait]
impl Handler for Nothing {
    async fn handle(&self, _: &Event, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

pub(crate) fn run(path: &Path, events: u64) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let inbox = Arc::new(SqliteInbox::open(SqliteOptions::new(path))?);
        let handlers = Handlers::new(Effect::outside(Nothing));
        let config = DispatchConfig::default();
        let mut dispatcher = Dispatcher::new(inbox.clone(), handlers, config, Arc::new(SystemClock));
        inbox.recover_orphans(config.retry.max_attempts, SystemClock.now()).await?;
        let report = dispatcher.run_once(SystemClock.now()).await?;
        let finished = dispatcher.idle().await;
        anyhow::ensure!(report.started > 0 && finished.len() == report.started, "nothing was done");
        println!("first done");
        while inbox.counts().await?.of(State::Done) < events && claim_and_settle(&inbox).await?.is_some() {}
        println!("done {}", inbox.counts().await?.of(State::Done));
        println!("memory {}", memory_kib()?);
        Ok(())
    })
}

/// Claims some events and settles them, as many workers do. How long the claim took, in microseconds; `None`: nothing is due.
pub(crate) async fn claim_and_settle(inbox: &Arc<SqliteInbox>) -> anyhow::Result<Option<f64>> {
    let asked = Instant::now();
    let claimed = inbox.claim(CLAIM, LEASE, SystemClock.now()).await?;
    let took = asked.elapsed().as_secs_f64() * 1e6;
    let any = !claimed.is_empty();
    let mut settles = JoinSet::new();
    for claimed in claimed {
        let inbox = Arc::clone(inbox);
        settles.spawn(async move { inbox.settle(&claimed.lease, Outcome::Done, SystemClock.now()).await });
    }
    while let Some(settled) = settles.join_next().await {
        anyhow::ensure!(settled?? == Settled::Applied, "a lease was lost");
    }
    Ok(any.then_some(took))
}

/// The most memory that this process ever had.
fn memory_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
