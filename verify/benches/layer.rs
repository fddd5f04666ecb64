//! How many requests a router answers with `VerifyLayer` before it, for each that it answers without.
//!
//! In one process without a network, where the hash itself is most of what there is, and over connections on the
//! loopback, which is what a service does. Router and handler are the same, and take turns in one run.
//! `cargo bench -p hookproof --bench layer --features axum`; `-- --help` says more.

mod support;

#[path = "layer/loopback.rs"]
mod loopback;

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use hookproof::{UnixTime, VerifyLayer};
use http::{Request, Response, StatusCode};
use loopback::Threads;
use support::arguments::Arguments;
use support::deliveries::{Delivery, GITHUB, Provider, STANDARD_WEBHOOKS, STRIPE};
use support::table::{Limit, Row, report};
use support::turns::{Plan, compare};
use tower::ServiceExt as _;

const BYTES: usize = 1024;

/// The share of requests per second that has to be left.
const SHARE: f64 = 0.93;

const MEASURING: Plan = Plan { slice: Duration::from_micros(100), rounds: 1001 };
const TRYING: Plan = Plan { slice: Duration::from_micros(100), rounds: 3 };

const PROVIDERS: [(&str, &Provider); 3] =
    [("github", &GITHUB), ("stripe", &STRIPE), ("standard-webhooks", &STANDARD_WEBHOOKS)];

#[expect(clippy::print_stderr, reason = "a program for people")]
fn main() -> ExitCode {
    let about = "What a router answers with VerifyLayer before it, as a share of what it answers without.";
    let arguments = match Arguments::read_or_exit(about) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    if arguments.repeat.is_some() {
        eprintln!("--repeat is for the other bench: here there is nothing to do by itself");
        return ExitCode::from(2);
    }
    let mut rows = Vec::new();
    for (name, provider) in PROVIDERS {
        if name.contains(&arguments.only) {
            rows.extend(in_process(&arguments, name, provider));
            rows.extend(over_loopback(&arguments, name, provider));
        }
    }
    report(&arguments, &rows)
}

/// What a user has behind the layer.
async fn receive(body: Bytes) -> &'static str {
    black_box(&body);
    "ok\n"
}

fn bare() -> Router {
    Router::new().route("/", post(receive))
}

fn verifying(provider: &Provider) -> Router {
    bare().layer(VerifyLayer::new(provider.verifier(0)))
}

/// A router whose handler computes the HMAC of the body, and has nothing before it.
fn hashing(delivery: &Delivery) -> Router {
    let hash = delivery.hashing();
    let receive = move |body: Bytes| {
        hash(&body);
        receive(body)
    };
    Router::new().route("/", post(receive))
}

/// Without a limit: no layer can hash a kilobyte in less than a tenth of the time that a router takes in memory. The
/// second row tells the layer's share of that: its rival verifies by hand in the handler, with a key that is ready.
fn in_process(arguments: &Arguments, name: &str, provider: &Provider) -> [Row; 2] {
    let plan = if arguments.measuring { MEASURING } else { TRYING };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let delivery = provider.deliver(BYTES, system_clock());
    let request = Sent::new(&delivery);
    let (bare, verifying) = (bare(), verifying(provider));
    let raw = delivery.raw_proof();
    let without = || answer(&bare, &request);
    let with = || answer(&verifying, &request);
    let by_hand = || {
        assert!(raw());
        answer(&bare, &request);
    };
    let row =
        |against, compared| Row { what: format!("{name}, in memory"), against, compared, limit: Limit::None };
    [
        row("with the layer", compare(plan, without, with)),
        row("HMAC by hand / layer", compare(plan, by_hand, with)),
    ]
}

/// Requests per second over the loopback, and the processor time of the server for each: served as an axum service is,
/// by all cores, which the client has to share; and by one thread, of which the client has none. The last row tells what no
/// layer can leave out.
fn over_loopback(arguments: &Arguments, name: &str, provider: &Provider) -> [Row; 5] {
    let delivery = provider.deliver(BYTES, system_clock());
    let compare =
        |threads, router| loopback::compare(threads, (bare(), router), &delivery, arguments.measuring);
    let served = compare(Threads::Default, verifying(provider));
    let by_one = compare(Threads::One, verifying(provider));
    let hashed = compare(Threads::One, hashing(&delivery));
    let row = |what: &str, against, compared, limit| Row {
        what: format!("{name}, {what}"),
        against,
        compared,
        limit,
    };
    let processor = "server's processor time";
    [
        row("over loopback", "with the layer", served.elapsed, Limit::AtLeast(SHARE)),
        row(processor, "with the layer", served.processor, Limit::None),
        row("one thread", "with the layer", by_one.elapsed, Limit::None),
        row(processor, "with the layer", by_one.processor, Limit::None),
        row("one thread", "HMAC of the body alone", hashed.elapsed, Limit::None),
    ]
}

/// A request in the pieces that can be sent again.
struct Sent<'a> {
    delivery: &'a Delivery,
    body: Bytes,
}

impl<'a> Sent<'a> {
    fn new(delivery: &'a Delivery) -> Self {
        Self { delivery, body: Bytes::from(delivery.body.clone()) }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::post("/").body(Body::from(self.body.clone())).expect("a good request");
        *request.headers_mut() = self.delivery.headers.clone();
        request
    }
}

/// Everything is there already, so nothing has to be waited for.
fn answer(router: &Router, sent: &Sent<'_>) {
    let mut future = pin!(router.clone().oneshot(sent.request()));
    let answer: Result<Response<Body>, Infallible> = loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break answer;
        }
    };
    let Ok(response) = black_box(answer);
    assert_eq!(response.status(), StatusCode::OK);
}

#[expect(clippy::disallowed_methods, reason = "a bench is an edge: deliveries are signed and verified now")]
fn system_clock() -> UnixTime {
    SystemTime::now().into()
}
