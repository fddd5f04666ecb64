//! The composition root: builds everything, starts it, exchanges it on reload, drains it on stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::{Clock, SystemClock};
use crate::config::{Changes, Config};
use crate::dispatch::{Control, Dispatcher, Processing, Stuck, Sweeper};
use crate::effect::{Effect, Handlers};
use crate::inbox::sqlite::{SqliteInbox, SqliteOptions};
use crate::inbox::{Inbox, Pause, SourceStatus};
use crate::ingress::listener::{Listener, stopped};
use crate::ingress::router::router;
use crate::ingress::serving::Serving;
use crate::refused::{Collector, Recorder};

/// How long to wait for what still can be finished when something is stuck.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// A running consumer. Dropping it without [`stop`](Self::stop) loses no event, but cuts requests and handlers off.
#[derive(Debug)]
pub struct App {
    parts: Parts,
    config: Config,
    address: SocketAddr,
    serving: Serving,
    control: Control,
    stop_ingress: watch::Sender<bool>,
    stop_dispatch: watch::Sender<bool>,
    ingress: JoinHandle<()>,
    dispatch: JoinHandle<()>,
    stop_recorder: watch::Sender<bool>,
    recorder: JoinHandle<()>,
    sweep: JoinHandle<()>,
    stuck: Stuck,
}

/// What a configuration is put together with: the same before and after a reload.
struct Parts {
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
    compiled_in: Handlers,
    refused: Arc<Collector>,
}

impl App {
    /// Opens the database and the port that `config` names, and starts.
    ///
    /// # Errors
    ///
    /// When the database does not open (another process owns it, it cannot sync) or the address cannot be bound.
    pub async fn start(config: Config, handlers: Handlers) -> anyhow::Result<Self> {
        let options = SqliteOptions::new(&config.store.path)
            .with_accept_queue(config.store.accept_queue)
            .with_max_bytes(config.store.max_bytes);
        Self::start_on(config, open(options).await?, handlers).await
    }

    /// Starts on an inbox that is open already.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, or the inbox does not take the sources' rules.
    pub async fn start_on(config: Config, inbox: Arc<dyn Inbox>, handlers: Handlers) -> anyhow::Result<Self> {
        let refused = Arc::new(Collector::default());
        let parts = Parts { inbox, clock: Arc::new(SystemClock), compiled_in: handlers, refused };
        let listen = config.server.listen;
        let listener =
            Listener::bind(&config.server).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let left = parts.inbox.configure(config.rules(), parts.clock.now()).await;
        warn_of(&left.context("cannot store the rules of the sources")?);
        parts.keep(&config).await?;
        remind_of(&parts.inbox.sources().await.context("cannot read which sources are paused")?);
        let serving = Serving::new(parts.router(&config), config.server.clone());
        let (stop_ingress, ingress_stopped) = watch::channel(false);
        let (stop_dispatch, dispatch_stopped) = watch::channel(false);
        let (stop_recorder, recorder_stopped) = watch::channel(false);
        let recorder = Recorder::new(
            Arc::clone(&parts.refused),
            Arc::clone(&parts.inbox),
            Arc::clone(&parts.clock),
            config.refusals.max_rows,
        );
        let sweeper = Sweeper::new(Arc::clone(&parts.inbox), Arc::clone(&parts.clock));
        let dispatcher = Dispatcher::new(
            Arc::clone(&parts.inbox),
            parts.handlers(&config),
            config.dispatch,
            Arc::clone(&parts.clock),
        );
        let (control, stuck) = (dispatcher.control(), dispatcher.stuck());
        let recorder =
            stuck.spawn("the recorder of refusals broke off", recorder.run(told(recorder_stopped)));
        let sweep = stuck.spawn("the sweep broke off", sweeper.run(told(dispatch_stopped.clone())));
        let dispatch = stuck.spawn("dispatch broke off", dispatcher.run(told(dispatch_stopped)));
        let ingress = stuck.spawn("ingress broke off", listener.serve(serving.clone(), ingress_stopped));
        tracing::info!(%address, sources = config.sources.len(), "listening");
        Ok(Self {
            parts,
            config,
            address,
            serving,
            control,
            stop_ingress,
            stop_dispatch,
            stop_recorder,
            ingress,
            dispatch,
            recorder,
            sweep,
            stuck,
        })
    }

    /// Has `config` take the place of the configuration in use, without losing a request or an attempt: those that are open are
    /// finished under the one that they began with. All of it, or in case of an error nothing.
    ///
    /// # Errors
    ///
    /// When it differs in a field that only a restart can change, or the store failed.
    pub async fn reload(&mut self, config: Config) -> anyhow::Result<Changes> {
        let changes = config.changes_from(&self.config)?;
        let new = Processing {
            sources: config.rules(),
            handlers: self.parts.handlers(&config),
            config: config.dispatch,
        };
        self.parts.keep(&config).await?;
        // Handlers first: nothing of a new source may arrive before there is what runs for it.
        warn_of(&self.control.change(new).await?);
        self.serving.replace(self.parts.router(&config), config.server.clone());
        self.config = config;
        Ok(changes)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Works until `stop` resolves, then stops.
    ///
    /// # Errors
    ///
    /// When only a new process helps: see [`Stuck`]. Caused by handlers that block, or a disk that hangs; end the process then, and
    /// start it again.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let why = tokio::select! {
            () = stop => None,
            why = self.stuck.must_restart() => Some(why),
        };
        self.end(why).await
    }

    /// Tells when only a new process helps.
    #[must_use]
    pub fn stuck(&self) -> Stuck {
        self.stuck.clone()
    }

    /// Stops; `stuck`: why only a new process helps, if that is the reason.
    ///
    /// # Errors
    ///
    /// When it is.
    pub async fn end(self, stuck: Option<&'static str>) -> anyhow::Result<()> {
        let watched = self.stuck.clone();
        let mut stop = pin!(self.stop());
        let why = match stuck {
            Some(why) => why,
            None => tokio::select! {
                biased;
                () = &mut stop => match watched.why() {
                    Some(why) => anyhow::bail!("{why}: start it again"),
                    None => return Ok(()),
                },
                // It was about to stop, and cannot.
                why = watched.must_restart() => why,
            },
        };
        // What is stuck does not stop; what is not is given a little time.
        if timeout(LAST_GRACE, stop).await.is_err() {
            tracing::warn!("not everything could be finished");
        }
        anyhow::bail!("{why}: start it again")
    }

    /// Stops accepting, lets open requests and running handlers finish within their limits, and closes the database.
    pub async fn stop(self) {
        self.stop_ingress.send_replace(true);
        note(self.ingress.await, "ingress");
        // After the last request that could be refused.
        self.stop_recorder.send_replace(true);
        note(self.recorder.await, "the recorder of refusals");
        self.stop_dispatch.send_replace(true);
        note(self.dispatch.await, "dispatch");
        // Nobody asks the store any more, so nobody would notice that it does not answer.
        match timeout(LAST_GRACE, self.sweep).await {
            Ok(ended) => note(ended, "sweep"),
            Err(_) => tracing::warn!("the sweep does not end: it is left behind"),
        }
        tracing::info!("stopped");
    }
}

impl Parts {
    async fn keep(&self, config: &Config) -> anyhow::Result<()> {
        let kept = self.inbox.set_retention(config.retention.clone()).await;
        kept.context("cannot store how long things are kept")
    }

    fn router(&self, config: &Config) -> Router {
        let body_timeout = Duration::from_secs(config.server.body_timeout_seconds);
        router(&config.sources, &self.inbox, &self.clock, &self.refused, body_timeout)
    }

    fn handlers(&self, config: &Config) -> Handlers {
        config.forwards.iter().fold(self.compiled_in.clone(), |handlers, forward| {
            let forwarder = forward.forwarder.clone();
            tracing::info!(source = %forward.source, url = forwarder.target().shown_url(), "forwards");
            handlers.replace_source(&forward.source, Effect::outside(forwarder))
        })
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// As [`stopped`], for a part that has nothing else to ask.
async fn told(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
}

/// Opens the database on a thread that may wait for the disk.
async fn open(options: SqliteOptions) -> anyhow::Result<Arc<dyn Inbox>> {
    let path = options.path().display().to_string();
    let inbox = tokio::task::spawn_blocking(move || SqliteInbox::open(options)).await?;
    Ok(Arc::new(inbox.with_context(|| format!("cannot use {path} as store.path"))?))
}

/// Somebody took a source away and not what had come for it.
fn warn_of(left: &[SourceStatus]) {
    for SourceStatus { source, pending, running, .. } in left {
        tracing::warn!(
            source,
            pending,
            running,
            "this source is not configured any more: its events wait until it is again"
        );
    }
}

/// Somebody paused a source, or its breaker did, and it still is.
fn remind_of(sources: &[SourceStatus]) {
    for SourceStatus { source, pause, pending, .. } in sources {
        if let Some(Pause { actor, why, .. }) = pause {
            tracing::warn!(
                source,
                pending,
                actor,
                why,
                "this source is paused until `hookproof source resume`"
            );
        }
    }
}

fn note(ended: Result<(), tokio::task::JoinError>, part: &'static str) {
    if let Err(error) = ended {
        tracing::error!(%error, part, "broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::handlers;

    async fn started(folder: &std::path::Path) -> (App, Arc<SqliteInbox>) {
        let text = "[server]\nlisten = \"127.0.0.1:0\"\n[sources.klozeo]\npath = \"/in\"\nscheme = \"klozeo\"\n\
                    keys = [{ id = \"k1\", value = \"whsec_a-secret-for-a-test-and-nothing-else\" }]\n";
        let config = Config::parse(text, &folder.join("hookproof.toml")).unwrap();
        let inbox = Arc::new(SqliteInbox::open(SqliteOptions::new(folder.join("inbox.db"))).unwrap());
        (App::start_on(config, inbox.clone(), handlers()).await.unwrap(), inbox)
    }

    async fn end_of(work: impl Future<Output = anyhow::Result<()>>) -> String {
        let ended = timeout(Duration::from_secs(20), work).await.expect("it ends by itself");
        ended.map_or_else(|error| error.to_string(), |()| "well".to_owned())
    }

    #[tokio::test]
    async fn it_does_not_go_on_without_a_writer() {
        let folder = tempfile::tempdir().unwrap();
        let (app, inbox) = started(folder.path()).await;
        inbox.break_off();
        assert_eq!(
            end_of(app.run_until(std::future::pending())).await,
            "the inbox is closed: start it again"
        );
    }

    #[tokio::test]
    async fn what_breaks_off_while_it_stops_is_no_good_end() {
        let folder = tempfile::tempdir().unwrap();
        let (app, _inbox) = started(folder.path()).await;
        app.stuck.spawn("a part broke off", async { panic!("a fault") });
        tokio::task::yield_now().await;
        assert_eq!(end_of(app.end(None)).await, "a part broke off: start it again");
        let folder = tempfile::tempdir().unwrap();
        let (app, _inbox) = started(folder.path()).await;
        assert_eq!(end_of(app.end(None)).await, "well");
    }

    /// A disk may hang while nothing else asks it any more.
    #[tokio::test]
    async fn a_sweep_that_hangs_does_not_keep_it_from_ending() {
        let folder = tempfile::tempdir().unwrap();
        let (mut app, _inbox) = started(folder.path()).await;
        app.sweep = tokio::spawn(std::future::pending());
        assert_eq!(end_of(app.end(None)).await, "well");
    }
}
