//! The consumer in a process of its own, which can be killed.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::letters;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a configuration and room for a database. On the disk that holds the build, not in memory.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        // A kill uses up the attempt that is running: no event may run out of them here.
        Self::with("max_attempts = 1000\n")
    }

    /// One whose configuration has these lines in its section on dispatch.
    pub(crate) fn with(dispatch: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[dispatch]\n{dispatch}{}",
            letters::source_section()
        );
        std::fs::write(folder.path().join("hookproof.toml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.file("hookproof.toml")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.file("hookproof.db")
    }

    /// The program as it is shipped.
    pub(crate) fn serve(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookproof"));
        command.arg("serve").arg("--config").arg(self.config());
        command
    }
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pid: u32,
    pub(crate) address: SocketAddr,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("pid", &self.pid).field("address", &self.address).finish()
    }
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .env("HOOKPROOF_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let address = address(child.stderr.take().unwrap());
        let mut server = Self { pid: child.id(), child, address: SocketAddr::from(([0, 0, 0, 0], 0)) };
        server.address = address.unwrap_or_else(|log| panic!("{command:?} did not start: {log}"));
        server
    }

    /// The same under a tracer, whose only child the server is.
    pub(crate) fn start_traced(command: Command) -> Self {
        let mut server = Self::start(command);
        let tracer = server.child.id();
        let children = format!("/proc/{tracer}/task/{tracer}/children");
        server.pid = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
        server
    }

    /// Starts it and kills it after a while, whatever it is doing by then. It must not have ended before.
    pub(crate) fn start_and_kill(mut command: Command, after: Duration) {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + after;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "{command:?} ended on its own: {ended:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As a power cut does, for the process.
    pub(crate) fn kill(mut self) {
        signal(self.pid, "KILL");
        self.child.wait().unwrap();
    }

    /// As an operator does.
    pub(crate) fn stop(mut self) -> ExitStatus {
        signal(self.pid, "TERM");
        let mut ended = None;
        wait_until("the server ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            signal(self.pid, "KILL");
            let _ = self.child.wait();
        }
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Where the log says that it listens; else the log. Goes on reading, so that the server never waits for a full pipe.
fn address(log: ChildStderr) -> Result<SocketAddr, String> {
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
    let deadline = Instant::now() + PATIENCE;
    let mut read = String::new();
    loop {
        match hear.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => match listening(&line) {
                Some(address) => return Ok(address),
                None => read += &format!("{line}\n"),
            },
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(read),
        }
    }
}

fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening address=")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Asks again and again whether it is so.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A connection that looks into a database, which somebody else may have open.
pub(crate) fn look(database: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(database).unwrap()
}
