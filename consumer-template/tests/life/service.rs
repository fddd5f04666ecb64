//! The binary in a process of its own, whose configuration changes while it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hookproof::{Key, Outgoing, Signer, schemes};
use tempfile::TempDir;

use super::client::Client;

const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than a server takes to notice what another process did: what it was to begin, it would have begun by then.
pub const POLLS: Duration = Duration::from_millis(1_500);

/// Lets time pass in which nothing may happen.
pub fn wait(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
}

/// Keys. None of them may ever be in a log.
pub const OLD: &str = "canary-old-5d1f0e8a7c3b49d2a6e4";
pub const NEW: &str = "canary-new-e2c4a6081b3d5f7090a1";
pub const OTHER: &str = "canary-other-0b1c2d3e4f506172";

/// A source whose keys are in files of these names.
pub fn source(name: &str, keys: &[&str], more: &str) -> String {
    let keys: Vec<_> = keys.iter().map(|file| format!("{{ id = \"{file}\", file = \"{file}\" }}")).collect();
    let keys = keys.join(", ");
    format!("[sources.{name}]\npath = \"/hooks/{name}\"\nscheme = \"devsphere\"\nkeys = [{keys}]\n{more}\n")
}

/// A running server and its folder, where the key files `old`, `new` and `other` are.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
    lines: Receiver<String>,
    read: Mutex<String>,
    pub folder: Arc<TempDir>,
}

impl Service {
    /// Starts it with these sections.
    pub fn start(sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, key) in [("old", OLD), ("new", NEW), ("other", OTHER)] {
            std::fs::write(folder.path().join(name), key).unwrap();
        }
        write_config(&folder, sections);
        Self::start_in(Arc::new(folder))
    }

    /// Stops it and starts it again with these sections.
    pub fn restart(self, sections: &str) -> Self {
        let folder = Arc::clone(&self.folder);
        self.stop();
        write_config(&folder, sections);
        Self::start_in(folder)
    }

    fn start_in(folder: Arc<TempDir>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookproof"))
            .args(["serve", "--config", config(&folder).to_str().unwrap()])
            .env("HOOKPROOF_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (say, lines) = mpsc::channel();
        std::thread::spawn(move || {
            log.lines().map_while(Result::ok).for_each(|line| drop(say.send(line)));
        });
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut service = Self { child, address, lines, read: Mutex::default(), folder };
        let line = service.says("listening address=");
        let (_, rest) = line.split_once("address=").unwrap();
        service.address = rest.split_whitespace().next().unwrap().parse().unwrap();
        service
    }

    /// Has it read these sections.
    pub fn reload(&self, sections: &str) {
        write_config(&self.folder, sections);
        self.hang_up();
    }

    /// Has it read what is in its folder.
    pub fn hang_up(&self) {
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// The next line of its log that has `part` in it.
    #[track_caller]
    pub fn says(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut read = self.read.lock().unwrap();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("no line with {part:?} in:\n{read}") };
            read.push_str(&line);
            read.push('\n');
            if line.contains(part) {
                return line;
            }
        }
    }

    /// What it has logged as far as was waited for.
    pub fn said(&self) -> String {
        self.read.lock().unwrap().clone()
    }

    /// Posts as the provider does that has this key. The status.
    pub fn post(&self, source: &str, key: &str, body: &str) -> u16 {
        Client::connect(self.address).unwrap().post(&request(source, key, body)).unwrap()
    }

    /// A command beside the server.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hookproof"))
            .args(arguments)
            .args(["--config", config(&self.folder).to_str().unwrap()])
            .env("USER", "ann")
            .output()
            .unwrap()
    }

    /// What a command that succeeds prints.
    #[track_caller]
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out.into_owned()
    }

    /// What `source list` says of a source.
    #[track_caller]
    pub fn source(&self, name: &str) -> serde_json::Value {
        let lines = self.prints(&["source", "list", "--json"]);
        let mut lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.find(|line| line["source"] == name).unwrap()
    }

    /// How many of its events are in this state.
    pub fn events(&self, source: &str, state: &str) -> u64 {
        let lines = self.prints(&["status", "--json"]);
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let of = lines.filter(|line| line["source"] == source && line["state"] == state);
        of.filter_map(|line| line["events"].as_u64()).sum()
    }

    /// Waits until that many of its events are in this state.
    #[track_caller]
    pub fn reaches(&self, source: &str, state: &str, events: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.events(source, state) != events {
            assert!(
                Instant::now() < deadline,
                "{} of {source} are {state}, not {events}",
                self.events(source, state)
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Stops it as an operator does. What it logged, in which no key is.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let mut log = std::mem::take(&mut *self.read.lock().unwrap());
        log.extend(self.lines.iter().map(|line| line + "\n"));
        assert!(!log.contains("canary"), "{log}");
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(folder: &TempDir) -> PathBuf {
    folder.path().join("hookproof.toml")
}

/// Replaces the configuration at once: a server must never read half of one.
fn write_config(folder: &TempDir, sections: &str) {
    let text = if sections.contains("[server]") {
        sections.to_owned()
    } else {
        format!("[server]\nlisten = \"127.0.0.1:0\"\n{sections}")
    };
    let new = folder.path().join("new.toml");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, config(folder)).unwrap();
}

pub fn request(source: &str, key: &str, body: &str) -> Vec<u8> {
    let signer = Signer::new(&schemes::devsphere(), &Key::new("k", key)).unwrap();
    let signature = signer.sign(&Outgoing::new(body.as_bytes())).unwrap()["x-signature"].clone();
    let signature = signature.to_str().unwrap();
    let head = format!("POST /hooks/{source} HTTP/1.1\r\nhost: x\r\nx-signature: {signature}\r\n");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A lead event with a number of its own.
pub fn lead(n: impl std::fmt::Display) -> String {
    format!(r#"{{"type":"lead.created","timestamp":1800000000,"data":{{"id":"L-{n}"}}}}"#)
}

/// A target that answers every request with `status`, until the status is changed.
pub struct Target {
    pub address: SocketAddr,
    status: Arc<AtomicUsize>,
    posts: Arc<AtomicUsize>,
}

impl Target {
    pub fn saying(status: usize) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (status, posts) = (Arc::new(AtomicUsize::new(status)), Arc::new(AtomicUsize::new(0)));
        let (says, counts) = (Arc::clone(&status), Arc::clone(&posts));
        std::thread::spawn(move || {
            for stream in socket.incoming() {
                let mut stream = stream.unwrap();
                let mut seen = Vec::new();
                let mut chunk = [0; 4096];
                while !seen.ends_with(b"}}") {
                    match stream.read(&mut chunk) {
                        Ok(n) if n > 0 => seen.extend_from_slice(&chunk[..n]),
                        _ => break,
                    }
                }
                counts.fetch_add(1, SeqCst);
                let status = says.load(SeqCst);
                let _ =
                    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { address, status, posts }
    }

    pub fn say(&self, status: usize) {
        self.status.store(status, SeqCst);
    }

    pub fn posts(&self) -> usize {
        self.posts.load(SeqCst)
    }

    /// The line of a source that forwards to it.
    pub fn forward(&self) -> String {
        let key = "keys = [{ id = \"t\", value = \"whsec_8aEeCQFCaHaFzQUtWpVTfDPTK4Y4uK9Y\" }]";
        format!("forward = {{ url = \"http://{}/\", {key}, allow_networks = [\"loopback\"] }}", self.address)
    }
}
