//! Servers with a planted fault, for negative controls: a check that cannot fail proves nothing.
//!
//! Such a server is an ignored test of the test's own binary, which the test starts as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use hookproof_consumer::app::App;
use hookproof_consumer::config::Config;
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
    let Some(path) = std::env::var_os(CONFIG).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::load(&path).unwrap();
        telemetry::start(config.log.format);
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let inbox = inbox(SqliteOptions::new(&config.store.path));
        let app = App::start_on(config, inbox, handler::handlers()).await.unwrap();
        terminate.recv().await;
        app.stop().await;
    });
}
