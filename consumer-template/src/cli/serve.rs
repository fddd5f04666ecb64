use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::ConfigArg;
use crate::app::App;
use crate::config::Changes;
use crate::{handler, telemetry};

/// Run the consumer until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArg,
}

const EXAMPLES: &str = "\
Examples:
  KLOZEO_SECRET=... hookproof serve --config hookproof.toml
  hookproof check-config && pkill -HUP -f 'hookproof serve'     # take a changed configuration over

On SIGTERM it stops accepting, finishes what is open and running, and exits 0. What is not finished is
taken up at the next start. It exits 1 when handlers hold so much, or the disk has not answered for so long,
that only a new process helps: let a supervisor (systemd, a container's restart policy) start it again.

On SIGHUP it reads the configuration and the keys in files again, and takes all of it over or, if anything
is wrong, nothing: then the log names the field and the remedy. No request is refused for it. The variables
of its environment stay what they were, so what is to change without a restart belongs into a file. Only a
restart changes server.listen, server.max_connections, refusals.max_rows, [store] and [log].";

impl Serve {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        telemetry::start(config.log.format)?;
        // Before the first request, so that no signal is missed.
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hangups = signal(SignalKind::hangup())?;
        // A start may have to wait for the disk, or for somebody who reads.
        let mut app = tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
            app = App::start(config, handler::handlers()) => app?,
        };
        let stuck = app.stuck();
        let why = tokio::select! {
            biased;
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            why = stuck.must_restart() => Some(why),
            () = self.reload_on(&mut hangups, &mut app) => None,
        };
        app.end(why).await?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reloads whenever a signal comes, one after the other. Does not end.
    async fn reload_on(&self, hangups: &mut Signal, app: &mut App) {
        while hangups.recv().await.is_some() {
            match self.reload(app).await {
                Ok(changes) => tracing::info!("reloaded: {changes}"),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "not reloaded: the configuration in use stays as it is");
                }
            }
        }
        std::future::pending().await
    }

    async fn reload(&self, app: &mut App) -> anyhow::Result<Changes> {
        let path = self.config.config.clone();
        let config = tokio::task::spawn_blocking(move || crate::config::Config::load(&path)).await??;
        app.reload(config).await
    }
}
