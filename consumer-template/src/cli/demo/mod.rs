//! The demo: the real consumer on a temporary database and a free port, real signed HTTP, and a promise behind each line.

mod scene;
mod story;

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::table::print_line;
use crate::config::LogFormat;
use crate::telemetry;

/// See it work: one command, no set-up. Exits non-zero if anything is not as promised.
#[derive(Args, Debug)]
#[command(
    after_help = "Starts the consumer on a temporary SQLite file and a free port of 127.0.0.1, posts signed events of five\nlead platforms to it (good, doubled, tampered, stale, out of order, merged, poisoned), and checks what was answered, what\nwas stored and what became of it. Nothing is left behind. HOOKPROOF_LOG=info shows the consumer's own log."
)]
pub(super) struct Demo {}

impl Demo {
    pub(super) async fn run(&self) -> anyhow::Result<ExitCode> {
        if std::env::var_os(telemetry::FILTER_VARIABLE).is_some() {
            telemetry::start(LogFormat::Text)?;
        }
        let start = Instant::now();
        let mut scene = scene::Scene::open().await?;
        story::tell(&mut scene).await?;
        let (kept, broken) = scene.close().await;
        print_line("")?;
        if broken == 0 {
            let seconds = start.elapsed().as_secs_f64();
            print_line(format_args!("All {kept} promises kept, in {seconds:.1} s."))?;
            print_line("Next: hookproof serve --help, and consumer-template/README.md to make it yours.")?;
            return Ok(ExitCode::SUCCESS);
        }
        print_line(format_args!("{broken} of {} promises were NOT kept.", kept + broken))?;
        Ok(ExitCode::FAILURE)
    }
}
