//! What the story is played on: the consumer, a sender for each source, and a look into the database.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use hookproof::UnixTime;
use rusqlite::Connection;
use tempfile::TempDir;

use super::super::table::print_line;
use crate::app::App;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Target};
use crate::effect::{Context, Effect, Failure, Handlers, SqliteHandler};
use crate::event::{Event, State};
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};
use crate::inbox::{Counts, EventSummary, Filter, Operator as _};
use crate::leads::{Lead, Leads};
use crate::samples::{self, Sample};
use crate::sender::{self, Endpoint, Faults, Sender, Signed};

/// How long the consumer may take to get to a state that the story waits for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The five lead platforms: source, preset, key id.
pub(super) const SOURCES: [&str; 5] = ["megatronlead", "klozeo", "leadhub", "metalocator", "devsphere"];

pub(super) struct Scene {
    app: App,
    senders: BTreeMap<String, (Target, Sender)>,
    operator: SqliteOperator,
    bug_fixed: Arc<AtomicBool>,
    numbers: u64,
    kept: usize,
    broken: usize,
    folder: TempDir,
}

impl Scene {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("hookproof-demo-").tempdir().context("no temporary folder")?;
        let file = folder.path().join("hookproof.toml");
        std::fs::write(&file, config_text())?;
        let bug_fixed = Arc::new(AtomicBool::new(false));
        let handlers =
            Handlers::new(Effect::sqlite(Buggy { fixed: Arc::clone(&bug_fixed), leads: Leads::new() }));
        let app = App::start(Config::load(&file)?, handlers).await?;
        let mut senders = BTreeMap::new();
        for name in SOURCES {
            let target = Target::load(&file, name)?;
            let url = format!("http://{}/hooks/{name}", app.address());
            senders.insert(name.to_owned(), (target, Sender::new(url, PATIENCE)?));
        }
        let operator = SqliteOperator::open(SqliteOptions::new(folder.path().join("hookproof.db")))?;
        Ok(Self { app, senders, operator, bug_fixed, numbers: 0, kept: 0, broken: 0, folder })
    }

    /// Stops the consumer, and says how many promises were kept and broken.
    pub(super) async fn close(self) -> (usize, usize) {
        self.app.stop().await;
        drop(self.folder);
        (self.kept, self.broken)
    }

    pub(super) fn address(&self) -> impl Display + use<> {
        self.app.address()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn now(&self) -> UnixTime {
        SystemClock.now()
    }

    pub(super) fn fix_the_bug(&self) {
        self.bug_fixed.store(true, Ordering::SeqCst);
    }

    pub(super) fn operator(&self) -> &SqliteOperator {
        &self.operator
    }

    /// Prints a line of the story with a mark, and remembers whether it was as promised.
    pub(super) fn promise(&mut self, kept: bool, line: impl Display) -> anyhow::Result<()> {
        if kept {
            self.kept += 1;
        } else {
            self.broken += 1;
        }
        print_line(format_args!("  {} {line}", if kept { "ok    " } else { "BROKEN" }))?;
        Ok(())
    }

    /// A lead event of `source`, signed.
    pub(super) fn lead(
        &mut self,
        source: &str,
        event_type: &str,
        id: &str,
        fields: &[(&str, &str)],
        age: Duration,
        faults: Faults,
    ) -> anyhow::Result<Signed> {
        let now = sender::dated(self.now(), faults);
        let at = UnixTime::from_millis(now.as_millis().saturating_sub(crate::clock::millis(age)));
        let (target, _) = self.senders.get(source).context("a source of the demo")?;
        let sample =
            samples::lead(&target.scheme, &samples::Lead { id, event_type, at, fields }, self.numbers);
        self.numbers += 1;
        Ok(sender::sign(&target.signer, &sample, Endpoint::default(), now, faults)?)
    }

    /// Bytes of our choice, signed.
    pub(super) fn raw(&mut self, source: &str, body: &str) -> anyhow::Result<Signed> {
        let (target, _) = self.senders.get(source).context("a source of the demo")?;
        let sample = Sample { body: body.as_bytes().to_vec(), id: "raw".into(), event_type: "raw".into() };
        Ok(sender::sign(&target.signer, &sample, Endpoint::default(), self.now(), Faults::default())?)
    }

    pub(super) async fn post(&self, source: &str, signed: &Signed) -> anyhow::Result<u16> {
        Ok(self.sender(source)?.post(signed).await?.status)
    }

    pub(super) fn sender(&self, source: &str) -> anyhow::Result<&Sender> {
        let (_, sender) = self.senders.get(source).context("a source of the demo")?;
        Ok(sender)
    }

    pub(super) async fn counts(&self) -> anyhow::Result<Counts> {
        Ok(self.operator.counts().await?)
    }

    pub(super) async fn dead(&self) -> anyhow::Result<Vec<EventSummary>> {
        Ok(self.operator.list(Filter::dead()).await?)
    }

    /// Waits until nothing is pending or running.
    pub(super) async fn settled(&self) -> anyhow::Result<bool> {
        let quiet = async {
            loop {
                let counts = self.counts().await?;
                if counts.of(State::Pending) + counts.of(State::Running) == 0 {
                    return Ok(true);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, quiet).await.unwrap_or(Ok(false))
    }

    pub(super) fn leads(&self) -> anyhow::Result<Vec<(String, String, Lead)>> {
        let conn = Connection::open(self.folder.path().join("hookproof.db"))?;
        Ok(Lead::load_all(&conn)?)
    }
}

fn config_text() -> String {
    let mut text = String::from(
        "[server]\nlisten = \"127.0.0.1:0\"\n[dispatch]\nmax_attempts = 3\nretry_first_seconds = 0.05\n\
         retry_cap_seconds = 0.1\n",
    );
    for name in SOURCES {
        let secret: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
        text += &format!(
            "[sources.{name}]\npath = \"/hooks/{name}\"\nscheme = \"{name}\"\n\
             keys = [{{ id = \"demo\", value = \"{secret}\" }}]\n"
        );
    }
    text
}

/// The projection of leads, with a bug: it does not know one status, until somebody fixes that.
struct Buggy {
    fixed: Arc<AtomicBool>,
    leads: Leads,
}

impl SqliteHandler for Buggy {
    fn apply(&self, tx: &Connection, event: &Event, context: &Context) -> Result<(), Failure> {
        let poisoned = event.body.windows(6).any(|window| window == b"poison");
        // The write comes first, so that the failure has something to take back.
        self.leads.apply(tx, event, context)?;
        if poisoned && !self.fixed.load(Ordering::SeqCst) {
            return Err(Failure::transient("unknown status (the demo's bug)"));
        }
        Ok(())
    }
}
