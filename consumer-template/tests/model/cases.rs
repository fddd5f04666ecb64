//! What is tried: a provider's events with what they say of themselves, and operations on them in any order.

use hookproof_consumer::ordering::{AtDeadline, OnFailure, OrderPolicy, StaleRule};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{Sent, sent};

use std::time::Duration;

pub(crate) const SOURCES: [&str; 2] = ["crm", "shop"];
const LETTERS: usize = 12;
const OPERATIONS: usize = 80;

/// A case: the rules of each source at first, the events that there may be, and what is done, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: [OrderPolicy; SOURCES.len()],
    pub(crate) letters: Vec<Letter>,
    pub(crate) operations: Vec<Operation>,
}

/// What a provider says of one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    pub(crate) source: &'static str,
    pub(crate) key: Option<u8>,
    pub(crate) occurred: Option<u64>,
    pub(crate) sequence: Option<i64>,
    pub(crate) malformed: bool,
}

/// One operation. An [`Index`] chooses among those that there are; where there are none, nothing happens.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// A delivery of a letter with one of two bodies. It is new, a duplicate or a conflict, as the case may be.
    Deliver {
        letter: Index,
        other_body: bool,
    },
    /// A worker asks for work.
    Claim {
        max: usize,
        lease: u64,
    },
    /// A worker reports. `lost` chooses among the leases that are not held any more.
    Settle {
        lease: Index,
        lost: bool,
        end: End,
    },
    /// A worker runs a handler in the transaction.
    Run {
        lease: Index,
        lost: bool,
        end: End,
    },
    /// A worker's heartbeat.
    Extend {
        lease: Index,
        lost: bool,
        by: u64,
    },
    /// Expired leases are taken back.
    Rescue,
    /// The process is killed (nothing is closed), and the next one recovers; or it is stopped, and the next one recovers.
    Restart {
        killed: bool,
    },
    /// A person acts on a dead letter, or on an event that is none.
    Replay {
        event: Index,
        dead: bool,
        anyway: bool,
    },
    Discard {
        event: Index,
        dead: bool,
    },
    /// The rules of a source change.
    Rules {
        source: Index,
        rules: OrderPolicy,
    },
    /// A person stops a source, or lets it go on.
    Pause {
        source: Index,
        resume: bool,
    },
    /// The clock goes on, or is set back.
    Clock {
        by: i64,
    },
}

/// What a handler comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Transient,
    Permanent,
    NotReady,
}

impl Letter {
    /// The delivery that carries it. `number` is its id.
    pub(crate) fn delivery(&self, number: usize, other_body: bool, now: u64) -> Sent {
        let mut delivery = sent(number).to(self.source).received(now);
        if other_body {
            delivery = delivery.body(r#"{"type":"lead.updated"}"#);
        }
        if let Some(key) = self.key {
            delivery = delivery.key(key);
        }
        if let Some(occurred) = self.occurred {
            delivery = delivery.occurred(occurred);
        }
        if let Some(sequence) = self.sequence {
            delivery = delivery.sequence(sequence);
        }
        if self.malformed { delivery.malformed("not what it should be") } else { delivery }
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    ([rules(), rules()], vec(letter(), 1..=LETTERS), vec(operation(), 1..=OPERATIONS))
        .prop_map(|(rules, letters, operations)| Case { rules, letters, operations })
}

fn letter() -> impl Strategy<Value = Letter> {
    let source = prop_oneof![4 => Just(SOURCES[0]), 1 => Just(SOURCES[1])];
    let key = prop_oneof![5 => Just(Some(0_u8)), 2 => Just(Some(1)), 1 => Just(None)];
    let occurred = proptest::option::weighted(0.8, 0..4_u64);
    let sequence = proptest::option::of(0..2_i64);
    let malformed = prop::bool::weighted(0.05);
    (source, key, occurred, sequence, malformed).prop_map(|(source, key, occurred, sequence, malformed)| {
        Letter { source, key, occurred, sequence, malformed }
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let index = any::<Index>;
    let lost = || prop::bool::weighted(0.15);
    let lease = || prop_oneof![1 => Just(100_u64), 3 => Just(1_000)];
    let by = prop_oneof![
        3 => Just(1_i64), 3 => Just(60), 3 => Just(150), 2 => Just(500), 1 => Just(-60), 1 => Just(-700)
    ];
    prop_oneof![
        12 => (index(), prop::bool::weighted(0.1))
            .prop_map(|(letter, other_body)| Operation::Deliver { letter, other_body }),
        10 => (prop_oneof![Just(1_usize), Just(2), Just(100)], lease())
            .prop_map(|(max, lease)| Operation::Claim { max, lease }),
        10 => (index(), lost(), end()).prop_map(|(lease, lost, end)| Operation::Settle { lease, lost, end }),
        4 => (index(), lost(), end()).prop_map(|(lease, lost, end)| Operation::Run { lease, lost, end }),
        1 => (index(), lost(), lease()).prop_map(|(lease, lost, by)| Operation::Extend { lease, lost, by }),
        2 => Just(Operation::Rescue),
        1 => any::<bool>().prop_map(|killed| Operation::Restart { killed }),
        2 => (index(), prop::bool::weighted(0.9), any::<bool>())
            .prop_map(|(event, dead, anyway)| Operation::Replay { event, dead, anyway }),
        1 => (index(), prop::bool::weighted(0.9)).prop_map(|(event, dead)| Operation::Discard { event, dead }),
        1 => (index(), rules()).prop_map(|(source, rules)| Operation::Rules { source, rules }),
        2 => (index(), any::<bool>()).prop_map(|(source, resume)| Operation::Pause { source, resume }),
        6 => by.prop_map(|by| Operation::Clock { by }),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![4 => Just(End::Done), 2 => Just(End::Transient), 2 => Just(End::Permanent), 2 => Just(End::NotReady)]
}

fn rules() -> impl Strategy<Value = OrderPolicy> {
    let settle = prop_oneof![2 => Just(0_u64), 1 => Just(100)];
    let stale = prop::sample::select(StaleRule::ALL);
    let on_failure = prop::sample::select(OnFailure::ALL);
    let not_ready = prop_oneof![Just(120_u64), Just(700)];
    let at_deadline = prop::sample::select(AtDeadline::ALL);
    (settle, stale, on_failure, not_ready, at_deadline).prop_map(
        |(settle, stale, on_failure, not_ready, at_deadline)| OrderPolicy {
            settle: Duration::from_millis(settle),
            stale,
            on_failure,
            not_ready_deadline: Duration::from_millis(not_ready),
            at_deadline,
        },
    )
}
