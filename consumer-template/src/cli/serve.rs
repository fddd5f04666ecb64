use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::ConfigArg;
use crate::app::App;
use crate::{handler, telemetry};

/// Run the consumer until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  KLOZEO_SECRET=... hookproof serve --config hookproof.toml\n\nOn SIGTERM it stops accepting, finishes what is open and running, and exits 0. What is not finished is\ntaken up at the next start. It exits 1 when handlers hold so much that only a new process helps: let a\nsupervisor (systemd, a container's restart policy) start it again."
)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArg,
}

impl Serve {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        telemetry::start(config.log.format);
        // Before the first request, so that a stop is never missed.
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let app = App::start(config, handler::handlers()).await?;
        app.run_until(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    }
}
