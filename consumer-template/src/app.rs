//! The composition root: builds everything, starts it, drains it on stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::dispatch::{Dispatcher, Stuck};
use crate::effect::{Effect, Handlers};
use crate::inbox::Inbox;
use crate::inbox::sqlite::{SqliteInbox, SqliteOptions};
use crate::ingress::listener::Listener;
use crate::ingress::router::router;

/// How long to wait for what still can be finished when something is stuck.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// A running consumer. Dropping it without [`stop`](Self::stop) loses no event, but cuts requests and handlers off.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    stop_ingress: watch::Sender<bool>,
    stop_dispatch: watch::Sender<bool>,
    ingress: JoinHandle<()>,
    dispatch: JoinHandle<()>,
    stuck: Stuck,
}

impl App {
    /// Opens the database and the port that `config` names, and starts.
    ///
    /// # Errors
    ///
    /// When the database does not open (another process owns it, it cannot sync) or the address cannot be bound.
    pub async fn start(config: Config, handlers: Handlers) -> anyhow::Result<Self> {
        let options = SqliteOptions::new(&config.store.path).with_accept_queue(config.store.accept_queue);
        Self::start_on(config, open(options).await?, handlers).await
    }

    /// Starts on an inbox that is open already.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, or the inbox does not take the sources' rules.
    pub async fn start_on(config: Config, inbox: Arc<dyn Inbox>, handlers: Handlers) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let listen = config.server.listen;
        let listener =
            Listener::bind(&config.server).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let order = config.sources.iter().map(|source| (Arc::clone(&source.name), source.order)).collect();
        inbox.set_order(order).await.context("cannot store the rules of the sources")?;
        let body_timeout = Duration::from_secs(config.server.body_timeout_seconds);
        let app = router(&config.sources, &inbox, &clock, body_timeout);
        let (stop_ingress, ingress_stopped) = watch::channel(false);
        let (stop_dispatch, mut dispatch_stopped) = watch::channel(false);
        let handlers = config.forwards.into_iter().fold(handlers, |handlers, forward| {
            tracing::info!(source = %forward.source, url = forward.forwarder.target().shown_url(), "forwards");
            handlers.replace_source(&forward.source, Effect::outside(forward.forwarder))
        });
        let dispatcher = Dispatcher::new(inbox, handlers, config.dispatch, clock);
        let stuck = dispatcher.stuck();
        let dispatch = tokio::spawn(dispatcher.run(async move {
            // An error means that the app is gone: that is a stop too.
            let _ = dispatch_stopped.wait_for(|stop| *stop).await;
        }));
        let ingress = tokio::spawn(listener.serve(app, ingress_stopped));
        tracing::info!(%address, sources = config.sources.len(), "listening");
        Ok(Self { address, stop_ingress, stop_dispatch, ingress, dispatch, stuck })
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
    /// When only a new process helps: see [`Stuck`]. Caused by handlers that block; end the process then, and start it again.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let why = tokio::select! {
            () = stop => None,
            why = self.stuck.must_restart() => Some(why),
        };
        let Some(why) = why else {
            self.stop().await;
            return Ok(());
        };
        // What is stuck does not stop; what is not is given a little time.
        if timeout(LAST_GRACE, self.stop()).await.is_err() {
            tracing::warn!("not everything could be finished");
        }
        anyhow::bail!("{why}: start it again")
    }

    /// Stops accepting, lets open requests and running handlers finish within their limits, and closes the database.
    pub async fn stop(self) {
        self.stop_ingress.send_replace(true);
        note(self.ingress.await, "ingress");
        self.stop_dispatch.send_replace(true);
        note(self.dispatch.await, "dispatch");
        tracing::info!("stopped");
    }
}

/// Opens the database on a thread that may wait for the disk.
async fn open(options: SqliteOptions) -> anyhow::Result<Arc<dyn Inbox>> {
    let path = options.path().display().to_string();
    let inbox = tokio::task::spawn_blocking(move || SqliteInbox::open(options)).await?;
    Ok(Arc::new(inbox.with_context(|| format!("cannot use {path} as store.path"))?))
}

fn note(ended: Result<(), tokio::task::JoinError>, part: &'static str) {
    if let Err(error) = ended {
        tracing::error!(%error, part, "broke off");
    }
}
