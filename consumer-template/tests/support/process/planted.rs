//! Servers with a planted fault, for negative controls: a check that cannot fail proves nothing.
//!
//! Such a server is an ignored test of the test's own binary, which the test starts as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hookproof_consumer::app::App;
use hookproof_consumer::config::Config;
use hookproof_consumer::effect::Handlers;
use hookproof_consumer::inbox::Inbox;
use hookproof_consumer::inbox::sqlite::SqliteOptions;
use hookproof_consumer::{handler, telemetry};
use tokio::signal::unix::{SignalKind, signal};

/// Names the configuration. Without it, a planted server does nothing: nobody asked for it.
const CONFIG: &str = "HOOKPROOF_PLANTED_CONFIG";

/// Starts the ignored test `name` as a server.
pub(crate) fn command(name: &str, config: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", name, "--nocapture"]).env(CONFIG, config);
    command
}

/// The body of such a test: as `hookproof serve`, on an inbox of its own.
pub(crate) fn serve(inbox: impl FnOnce(SqliteOptions) -> Arc<dyn Inbox>) {
    serve_with(inbox, handler::handlers());
}

/// The same with handlers of its own.
pub(crate) fn serve_with(inbox: impl FnOnce(SqliteOptions) -> Arc<dyn Inbox>, handlers: Handlers) {
    let Some(path) = std::env::var_os(CONFIG).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let config = Config::load(&path).unwrap();
        telemetry::start(config.log.format).unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let inbox = inbox(SqliteOptions::new(&config.store.path));
        let app = App::start_on(config, inbox, handlers).await.unwrap();
        app.run_until(async {
            terminate.recv().await;
        })
        .await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended.unwrap();
}
