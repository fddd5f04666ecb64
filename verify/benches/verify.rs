//! What `verify()` costs beside the one thing that cannot be left out, and beside other crates.
//!
//! Each figure is a ratio of two that take turns in the same run: the machine may be slow, and slower a second later.
//! `cargo bench -p hookproof --bench verify`; `-- --help` says more.

mod support;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use hookproof::{UnixTime, Verifier};
use support::arguments::Arguments;
use support::deliveries::{Delivery, GITHUB, Provider, STANDARD_WEBHOOKS, STRIPE};
use support::table::{Limit, Row, report};
use support::turns::{Plan, compare};
use webhook_verify::{Provider as Peer, Secret};

/// Bytes of a body, and how much longer than the bare proof verifying it may take.
const SIZES: [(usize, f64); 3] = [(256, 1.30), (1024, 1.10), (64 * 1024, 1.02)];

/// From this many bytes on the hash is all that there is to measure, and the same in every crate that has a fast one.
const HASH_ALONE: usize = 64 * 1024;

const AGAINST_STANDARDWEBHOOKS: f64 = 4.0;
const AGAINST_WEBHOOK_VERIFY: f64 = 1.2;

const MEASURING: Plan = Plan { slice: Duration::from_micros(40), rounds: 3001 };
const TRYING: Plan = Plan { slice: Duration::from_micros(40), rounds: 5 };

/// Deliveries to measure: a name, a provider, and how many other keys the verifier tries.
const CASES: [(&str, &Provider, usize); 4] = [
    ("github", &GITHUB, 0),
    ("stripe", &STRIPE, 0),
    ("standard-webhooks", &STANDARD_WEBHOOKS, 0),
    ("github, 3 keys", &GITHUB, 2),
];

fn main() -> ExitCode {
    let about = "What verifying costs, as ratios to the bare HMAC and to other crates.";
    let arguments = match Arguments::read_or_exit(about) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    if let Some((name, times)) = &arguments.repeat {
        return repeat(name, *times);
    }
    let plan = if arguments.measuring { MEASURING } else { TRYING };
    let now = system_clock();
    let mut rows = Vec::new();
    let mut compare = |what: String, row: &dyn Fn(String) -> Row| {
        if what.contains(&arguments.only) {
            rows.push(row(what));
        }
    };
    for (name, provider, others) in CASES {
        for size in SIZES {
            let row = |what| beside_raw(plan, what, (provider, others), size, now);
            compare(format!("{name}, {} B", size.0), &row);
        }
    }
    for (size, _) in SIZES {
        compare(format!("standardwebhooks, {size} B"), &|what| beside_standardwebhooks(plan, what, size));
    }
    let peers = [Peer::GitHub, Peer::Stripe, Peer::StandardWebhooks];
    for ((name, provider, _), peer) in CASES.into_iter().zip(peers) {
        for (size, _) in SIZES {
            let row = |what| beside_webhook_verify(plan, what, (provider, peer), size);
            compare(format!("webhook-verify: {name}, {size} B"), &row);
        }
    }
    report(&arguments, &rows)
}

fn beside_raw(
    plan: Plan,
    what: String,
    (provider, other_keys): (&Provider, usize),
    (size, limit): (usize, f64),
    now: UnixTime,
) -> Row {
    let delivery = provider.deliver(size, now);
    let verifier = provider.verifier(other_keys);
    let raw = delivery.raw_proof();
    let keys = 1 + other_keys;
    let compared = compare(
        plan,
        || assert!(verifies(&verifier, &delivery, now)),
        || {
            for _ in 0..keys {
                assert!(raw());
            }
        },
    );
    let against = if keys == 1 { "raw HMAC-SHA256" } else { "raw HMAC-SHA256, per key" };
    Row { what, against, compared, limit: Limit::AtMost(limit) }
}

/// It reads the clock by itself, so we do too.
fn beside_standardwebhooks(plan: Plan, what: String, size: usize) -> Row {
    let delivery = STANDARD_WEBHOOKS.deliver(size, system_clock());
    let verifier = STANDARD_WEBHOOKS.verifier(0);
    let peer = standardwebhooks::Webhook::new(STANDARD_WEBHOOKS.secret).expect("a good secret");
    let compared = compare(
        plan,
        || assert!(peer.verify(black_box(&delivery.body), black_box(&delivery.headers)).is_ok()),
        || assert!(verifies(&verifier, &delivery, system_clock())),
    );
    Row { what, against: "hookproof", compared, limit: Limit::AtLeast(AGAINST_STANDARDWEBHOOKS) }
}

/// It reads the clock by itself, so we do too.
fn beside_webhook_verify(plan: Plan, what: String, (provider, peer): (&Provider, Peer), size: usize) -> Row {
    let delivery = provider.deliver(size, system_clock());
    let verifier = provider.verifier(0);
    let secret = Secret::new(provider.secret);
    let compared = compare(
        plan,
        || {
            let (headers, body) = (black_box(&delivery.headers), black_box(&delivery.body));
            let options = webhook_verify::VerifyOptions::default();
            assert!(webhook_verify::verify(peer, headers, body, &secret, options).is_ok());
        },
        || assert!(verifies(&verifier, &delivery, system_clock())),
    );
    let limit = if size < HASH_ALONE { Limit::AtLeast(AGAINST_WEBHOOK_VERIFY) } else { Limit::None };
    Row { what, against: "hookproof", compared, limit }
}

fn verifies(verifier: &Verifier, delivery: &Delivery, now: UnixTime) -> bool {
    let (headers, body) = (black_box(&delivery.headers), black_box(&delivery.body[..]));
    black_box(&verifier.verify(headers, body, now)).is_ok()
}

#[expect(clippy::disallowed_methods, reason = "a bench is an edge: deliveries are signed and verified now")]
fn system_clock() -> UnixTime {
    SystemTime::now().into()
}

/// `github/256` or `raw/256`, so many times.
#[expect(clippy::print_stderr, reason = "a program for people")]
fn repeat(name: &str, times: u64) -> ExitCode {
    let (what, size) = name.split_once('/').unwrap_or((name, "256"));
    let provider = CASES.iter().find(|(case, ..)| *case == what);
    let (Some(size), Some((_, provider, other_keys))) =
        (size.parse().ok(), provider.or_else(|| CASES.first().filter(|_| what == "raw")))
    else {
        eprintln!("--repeat wants raw or one of {:?}, '/', and bytes", CASES.map(|(name, ..)| name));
        return ExitCode::from(2);
    };
    let now = UnixTime::from_secs(1_700_000_000);
    let delivery = provider.deliver(size, now);
    let verifier = provider.verifier(*other_keys);
    let raw = delivery.raw_proof();
    for _ in 0..times {
        assert!(if what == "raw" { raw() } else { verifies(&verifier, &delivery, now) });
    }
    ExitCode::SUCCESS
}
