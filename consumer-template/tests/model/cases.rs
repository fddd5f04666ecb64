//! What is tried: a provider's events with what they say of themselves, and operations on them in any order.

use std::collections::BTreeSet;
use std::time::Duration;

use hookproof_consumer::breaker::BreakerPolicy;
use hookproof_consumer::inbox::{Keep, QuarantineLimits};
use hookproof_consumer::ordering::{AtDeadline, OnFailure, OrderPolicy, StaleRule};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{Sent, sent};

pub(crate) const SOURCES: [&str; 2] = ["crm", "shop"];
const LETTERS: usize = 12;
const OPERATIONS: usize = 100;

/// A case: the rules of each source at first, the events that there may be, and what is done, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rules: [Rules; SOURCES.len()],
    pub(crate) letters: Vec<Letter>,
    pub(crate) operations: Vec<Operation>,
}

impl Case {
    /// The numbers of the letters that the case is about.
    pub(crate) fn letters_used(&self) -> BTreeSet<usize> {
        let letter = |operation: &Operation| match operation {
            Operation::Deliver { letter, .. } | Operation::Refuse { letter, .. } => {
                Some(letter.index(self.letters.len()))
            }
            _ => None,
        };
        self.operations.iter().filter_map(letter).collect()
    }
}

/// How a source is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) order: OrderPolicy,
    pub(crate) breaker: Option<BreakerPolicy>,
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
    /// The order of a source changes.
    Order {
        source: Index,
        order: OrderPolicy,
    },
    /// The configuration is read anew: these sources are in it, and no others.
    Configure {
        sources: [Option<Rules>; SOURCES.len()],
    },
    /// A person stops a source, or lets it go on.
    Pause {
        source: Index,
        resume: bool,
    },
    /// How long things are kept changes: of these sources, of those that were never named, and records.
    Keep {
        sources: [Option<Keep>; SOURCES.len()],
        others: Keep,
        records: Duration,
    },
    /// What is due is forgotten: one piece, or all that there are.
    Purge {
        rows: usize,
        hurried: bool,
        all: bool,
    },
    /// Deliveries of a letter are refused, and kept; of these sizes beside their heads.
    Refuse {
        letter: Index,
        other_body: bool,
        sizes: Vec<usize>,
        limits: QuarantineLimits,
        dropped: u64,
    },
    /// A person releases a refused request, with a proof of it or of another one.
    Release {
        request: Index,
        proven: bool,
    },
    /// Refused requests of a source that are older than that go.
    Expire {
        source: Index,
        max_age: u64,
    },
    /// A person throws away refused requests, of one source or all, that are older than that.
    ThrowAway {
        source: Option<Index>,
        older: u64,
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
    let first = proptest::option::weighted(0.7, retention());
    let operations = vec(operation(), 1..=OPERATIONS);
    (any::<[bool; 3]>(), [rules(), rules()], first, vec(letter(), 1..=LETTERS), operations).prop_map(
        |(concerns, rules, first, letters, mut operations)| {
            operations
                .retain(|operation| operation.concern().is_none_or(|concern| concerns[concern as usize]));
            if concerns[Concern::Forgetting as usize] {
                operations.splice(..0, first);
            }
            Case { rules, letters, operations }
        },
    )
}

/// What a history may be about beside deliveries and work. Few are about everything: what is rare needs others like it.
#[derive(Clone, Copy)]
enum Concern {
    Sources,
    Forgetting,
    Quarantine,
}

impl Operation {
    fn concern(&self) -> Option<Concern> {
        match self {
            Self::Configure { .. } | Self::Pause { .. } => Some(Concern::Sources),
            Self::Keep { .. } | Self::Purge { .. } => Some(Concern::Forgetting),
            Self::Refuse { .. } | Self::Release { .. } | Self::Expire { .. } | Self::ThrowAway { .. } => {
                Some(Concern::Quarantine)
            }
            _ => None,
        }
    }
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

/// The steps of the clock are those by which windows and retentions differ: what is exactly at an edge is met, too.
fn operation() -> impl Strategy<Value = Operation> {
    let index = any::<Index>;
    let lost = || prop::bool::weighted(0.15);
    let lease = || prop_oneof![1 => Just(100_u64), 3 => Just(1_000)];
    let by = prop_oneof![
        6 => Just(1_i64), 6 => Just(60), 6 => Just(150), 4 => Just(500), 2 => Just(-60), 2 => Just(-700),
        1 => Just(4_000_000)
    ];
    prop_oneof![
        12 => (index(), prop::bool::weighted(0.15))
            .prop_map(|(letter, other_body)| Operation::Deliver { letter, other_body }),
        10 => (prop_oneof![Just(1_usize), Just(2), Just(100)], lease())
            .prop_map(|(max, lease)| Operation::Claim { max, lease }),
        10 => (index(), lost(), end()).prop_map(|(lease, lost, end)| Operation::Settle { lease, lost, end }),
        4 => (index(), lost(), end()).prop_map(|(lease, lost, end)| Operation::Run { lease, lost, end }),
        1 => (index(), lost(), lease()).prop_map(|(lease, lost, by)| Operation::Extend { lease, lost, by }),
        2 => Just(Operation::Rescue),
        1 => any::<bool>().prop_map(|killed| Operation::Restart { killed }),
        2 => (index(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(event, dead, anyway)| Operation::Replay { event, dead, anyway }),
        1 => (index(), prop::bool::weighted(0.9)).prop_map(|(event, dead)| Operation::Discard { event, dead }),
        1 => (index(), order()).prop_map(|(source, order)| Operation::Order { source, order }),
        3 => (index(), prop::bool::weighted(0.6))
            .prop_map(|(source, resume)| Operation::Pause { source, resume }),
        6 => by.prop_map(|by| Operation::Clock { by }),
        2 => configured().prop_map(|sources| Operation::Configure { sources }),
        5 => forgetting(),
        5 => quarantine(),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![4 => Just(End::Done), 2 => Just(End::Transient), 2 => Just(End::Permanent), 2 => Just(End::NotReady)]
}

/// Most sources stay in the configuration.
fn configured() -> impl Strategy<Value = [Option<Rules>; SOURCES.len()]> {
    let one = || proptest::option::weighted(0.8, rules());
    [one(), one()]
}

fn forgetting() -> impl Strategy<Value = Operation> {
    let rows = prop_oneof![Just(1_usize), Just(2), Just(100)];
    prop_oneof![
        1 => retention(),
        5 => (rows, prop::bool::weighted(0.2), any::<bool>())
            .prop_map(|(rows, hurried, all)| Operation::Purge { rows, hurried, all }),
    ]
}

fn retention() -> impl Strategy<Value = Operation> {
    let records = prop_oneof![Just(Duration::from_millis(60)), Just(Duration::from_secs(3_600))];
    let one = || proptest::option::of(keep());
    ([one(), one()], keep(), records).prop_map(|(sources, others, records)| Operation::Keep {
        sources,
        others,
        records,
    })
}

fn keep() -> impl Strategy<Value = Keep> {
    let payload = prop_oneof![2 => Just(0_u64), 2 => Just(60), 1 => Just(500)];
    let longer = proptest::option::weighted(0.8, prop_oneof![Just(0_u64), Just(90), Just(1_000)]);
    // The times at which letters say that they occurred are long past; those at which they arrive are not.
    let position = prop_oneof![Just(150_u64), Just(5_000_000)];
    (payload, longer, position).prop_map(|(payload, longer, position)| Keep {
        payload: Duration::from_millis(payload),
        replay_key: longer.map(|longer| Duration::from_millis(payload + longer)),
        position: Duration::from_millis(position),
    })
}

fn quarantine() -> impl Strategy<Value = Operation> {
    let index = any::<Index>;
    let age = || prop_oneof![Just(0_u64), Just(150), Just(500)];
    let sizes = vec(prop_oneof![3 => Just(100_usize), 2 => Just(300), 1 => Just(1_000)], 1..=3);
    let limits = (1..=4_u64, prop_oneof![Just(700_u64), Just(100_000)])
        .prop_map(|(max_rows, max_bytes)| QuarantineLimits { max_rows, max_bytes, ..Default::default() });
    prop_oneof![
        4 => (index(), prop::bool::weighted(0.1), sizes, limits, 0..2_u64).prop_map(
            |(letter, other_body, sizes, limits, dropped)| {
                Operation::Refuse { letter, other_body, sizes, limits, dropped }
            }
        ),
        6 => (index(), prop::bool::weighted(0.85))
            .prop_map(|(request, proven)| Operation::Release { request, proven }),
        2 => (index(), age()).prop_map(|(source, max_age)| Operation::Expire { source, max_age }),
        2 => (proptest::option::of(index()), age())
            .prop_map(|(source, older)| Operation::ThrowAway { source, older }),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let breaker = (
        2..=5_u32,
        prop_oneof![Just(60_u64), Just(150), Just(100_000)],
        prop_oneof![3 => Just(1_u32), 2 => Just(2), 1 => Just(3)],
        1..=100_u32,
    )
        .prop_map(|(last, window, min_dead, dead_percent)| BreakerPolicy {
            last,
            window: Duration::from_millis(window),
            min_dead,
            dead_percent,
        });
    (order(), proptest::option::weighted(0.5, breaker)).prop_map(|(order, breaker)| Rules { order, breaker })
}

fn order() -> impl Strategy<Value = OrderPolicy> {
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
