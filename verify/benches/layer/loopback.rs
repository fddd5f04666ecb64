//! Two servers in one runtime, and one client on a thread of its own that keeps connections to both and asks them in turns.
//!
//! The client sends bytes that were made before: what it costs must not hide what the server costs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::deliveries::Delivery;
use crate::support::turns::{self, Compared};

const CONNECTIONS: usize = 16;

/// Requests of one turn on each connection.
const EACH: usize = 64;

/// The requests per second of the first for each of the second, and the like of the processor time.
pub(crate) struct Measured {
    pub(crate) elapsed: Compared,
    pub(crate) processor: Compared,
}

/// What one turn took for each request, in nanoseconds.
#[derive(Clone, Copy)]
struct Turn {
    elapsed: f64,
    processor: f64,
}

/// What the servers run on.
#[derive(Clone, Copy)]
pub(crate) enum Threads {
    /// As `#[tokio::main]` has it: as many as the machine has cores.
    Default,
    One,
}

pub(crate) fn compare(
    threads: Threads,
    (first, second): (Router, Router),
    delivery: &Delivery,
    measuring: bool,
) -> Measured {
    let server = Server::start(threads, [first, second]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request: Arc<[u8]> = on_the_wire(delivery).into();
    let [mut first, mut second] = server.addresses.map(|address| runtime.block_on(connect(address)));
    let turn = |streams: &mut Vec<TcpStream>| {
        let (start, before) = (Instant::now(), server.processor_time());
        *streams = runtime.block_on(ask(std::mem::take(streams), &request));
        let elapsed = start.elapsed();
        // The server has nothing more to do and lets go of its processor; only then its time is written down.
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        let requests = (CONNECTIONS * EACH) as f64;
        let processor = server.processor_time() - before;
        Turn { elapsed: elapsed.as_secs_f64() * 1e9 / requests, processor: processor / requests }
    };
    let mut rounds = Vec::new();
    for _ in 0..if measuring { 201 } else { 2 } {
        rounds.push([turn(&mut first), turn(&mut second), turn(&mut second), turn(&mut first)]);
    }
    let means = |figure: fn(&Turn) -> f64| {
        let mean = |[a, b, c, d]: &[Turn; 4]| ((figure(a) + figure(d)) / 2.0, (figure(b) + figure(c)) / 2.0);
        turns::of(rounds.iter().map(mean).collect())
    };
    Measured { elapsed: means(|turn| turn.elapsed), processor: means(|turn| turn.processor) }
}

struct Server {
    addresses: [SocketAddr; 2],
    /// Where the kernel counts the time of each thread.
    statistics: Arc<Mutex<Vec<PathBuf>>>,
}

impl Server {
    /// On threads that end with the program.
    fn start(threads: Threads, routers: [Router; 2]) -> Self {
        let statistics = Arc::new(Mutex::new(Vec::new()));
        let started = Arc::clone(&statistics);
        let count_this_thread = move || {
            let thread = std::fs::canonicalize("/proc/thread-self").expect("Linux says which thread this is");
            started.lock().expect("no thread panics with it").push(thread.join("schedstat"));
        };
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            count_this_thread();
            let mut runtime = match threads {
                Threads::Default => tokio::runtime::Builder::new_multi_thread(),
                Threads::One => tokio::runtime::Builder::new_current_thread(),
            };
            let runtime = runtime.enable_all().on_thread_start(count_this_thread).build().expect("a runtime");
            runtime.block_on(async {
                let mut servers = JoinSet::new();
                let mut addresses = Vec::new();
                for router in routers {
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                    addresses.push(listener.local_addr().expect("the port's number"));
                    servers.spawn(async move { axum::serve(listener, router).await });
                }
                tell.send(addresses).expect("somebody listens");
                while servers.join_next().await.is_some() {}
            });
        });
        let addresses = told.recv().expect("the server starts");
        Self { addresses: addresses.try_into().expect("two routers, two addresses"), statistics }
    }

    /// Nanoseconds for which the threads have run.
    fn processor_time(&self) -> f64 {
        let nanoseconds = |thread: &PathBuf| -> f64 {
            let text = std::fs::read_to_string(thread).expect("the kernel counts");
            text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).expect("a number")
        };
        self.statistics.lock().expect("no thread panics with it").iter().map(nanoseconds).sum()
    }
}

fn on_the_wire(delivery: &Delivery) -> Vec<u8> {
    let mut request = b"POST / HTTP/1.1\r\n".to_vec();
    for (name, value) in &delivery.headers {
        request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    request.extend(&delivery.body);
    request
}

async fn connect(address: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a connected socket");
        streams.push(stream);
    }
    streams
}

/// Each connection has one request at a time.
async fn ask(streams: Vec<TcpStream>, request: &Arc<[u8]>) -> Vec<TcpStream> {
    let mut connections = JoinSet::new();
    for mut stream in streams {
        let request = Arc::clone(request);
        connections.spawn(async move {
            let mut answer = [0; 1024];
            for _ in 0..EACH {
                stream.write_all(&request).await.expect("the server reads");
                let mut length = 0;
                while !answer.get(..length).is_some_and(|answer| answer.ends_with(b"\r\n\r\nok\n")) {
                    let room = answer.get_mut(length..).unwrap_or_default();
                    let read = stream.read(room).await.expect("the server answers");
                    assert!(read > 0, "not an answer of success: {}", String::from_utf8_lossy(&answer));
                    length += read;
                }
            }
            stream
        });
    }
    connections.join_all().await
}
