//! The guard in memory against a naive model, whatever the clock does; and what a guard must at least remember.

#![cfg(test)]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hookproof::{
    Claim, ClaimToken, ConfigError, GuardError, Key, MemoryReplayGuard, Outgoing, ReplayGuard as _,
    ReplayKey, Scheme, Signer, UnixTime, Verifier, Window, check_retention, required_retention, schemes,
};
use proptest::prelude::*;

const RETENTION_MS: u64 = 1_000;
const START_MS: u64 = 1_700_000_000_000;
const CAPACITY: usize = 3;

fn guard(capacity: usize) -> MemoryReplayGuard {
    MemoryReplayGuard::new(Duration::from_millis(RETENTION_MS), capacity).unwrap()
}

/// The guard in memory waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn claim(guard: &MemoryReplayGuard, key: &ReplayKey, token: ClaimToken, ms: u64) -> Option<Claim> {
    match at_once(guard.claim(key, token, UnixTime::from_millis(ms))) {
        Ok(claim) => Some(claim),
        Err(GuardError::Full) => None,
        Err(other) => panic!("{other}"),
    }
}

fn commit(guard: &MemoryReplayGuard, key: &ReplayKey, token: ClaimToken, ms: u64) -> bool {
    match at_once(guard.commit(key, token, UnixTime::from_millis(ms))) {
        Ok(()) => true,
        Err(GuardError::ClaimLost) => false,
        Err(other) => panic!("{other}"),
    }
}

fn keys(count: usize) -> Vec<ReplayKey> {
    static ALL: LazyLock<Vec<ReplayKey>> = LazyLock::new(|| {
        let key = Key::new("k1", "a secret of more than sixteen bytes");
        let headers = Signer::new(&schemes::github(), &key).unwrap().sign(&Outgoing::new(b"{}")).unwrap();
        let verifier = Verifier::builder(schemes::github()).key(key).build().unwrap();
        let proof = verifier.verify(&headers, b"{}", UnixTime::from_millis(START_MS)).unwrap();
        (0..60).map(|i| proof.replay_key(&i.to_string())).collect()
    });
    ALL[..count].to_vec()
}

#[derive(Clone, Debug)]
enum Step {
    Claim { key: usize, token: usize },
    Commit { key: usize, token: usize },
    Release { key: usize, token: usize },
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = (0..3, 0..6_usize, 0..3_usize).prop_map(|(kind, key, token)| match kind {
        0 => Step::Claim { key, token },
        1 => Step::Commit { key, token },
        _ => Step::Release { key, token },
    });
    let r = i64::try_from(RETENTION_MS).unwrap();
    let clock = prop_oneof![
        6 => -3..r / 2,
        2 => prop_oneof![Just(0), Just(r), Just(r + 1), Just(-r), Just(-r - 1)],
        1 => -20 * r..20 * r,
    ];
    prop::collection::vec((step, clock), 1..80)
}

/// What the guard should do, told so simply that it can be read.
struct Model {
    /// Every moment at which it was asked, in order.
    asked: Vec<u64>,
    claimed: Vec<(usize, usize)>,
    /// Which keys are done, and after how many questions they were.
    done: Vec<(usize, usize)>,
}

impl Model {
    /// The guard's own time after the first `count` questions: the latest moment seen, going on from there when the clock
    /// falls behind by more than one retention.
    fn time_after(&self, count: usize) -> u64 {
        let (mut latest, mut shift) = (0, 0);
        for asked in self.asked.iter().take(count) {
            if latest > asked + shift + RETENTION_MS {
                shift = latest - asked;
            }
            latest = latest.max(asked + shift);
        }
        latest
    }

    fn ask(&mut self, ms: u64) {
        self.asked.push(ms);
        let now = self.time_after(self.asked.len());
        let live: Vec<_> = self
            .done
            .iter()
            .copied()
            .filter(|(_, then)| now - self.time_after(*then) <= RETENTION_MS)
            .collect();
        self.done = live;
    }

    fn len(&self) -> usize {
        self.claimed.len() + self.done.len()
    }

    fn claim(&mut self, key: usize, token: usize, ms: u64) -> Option<Claim> {
        self.ask(ms);
        if self.done.iter().any(|(done, _)| *done == key) {
            return Some(Claim::Done);
        }
        if self.claimed.iter().any(|(claimed, _)| *claimed == key) {
            return Some(Claim::InProgress);
        }
        if self.len() == CAPACITY {
            return None;
        }
        self.claimed.push((key, token));
        Some(Claim::Granted)
    }

    fn commit(&mut self, key: usize, token: usize, ms: u64) -> bool {
        self.ask(ms);
        let held = self.release(key, token);
        if held {
            self.done.push((key, self.asked.len()));
        }
        held
    }

    fn release(&mut self, key: usize, token: usize) -> bool {
        let before = self.claimed.len();
        self.claimed.retain(|held| *held != (key, token));
        self.claimed.len() < before
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_does_what_the_model_does(steps in steps()) {
        let (guard, keys) = (guard(CAPACITY), keys(6));
        let tokens: Vec<_> = (0..3).map(|_| ClaimToken::unique()).collect();
        let mut model = Model { asked: Vec::new(), claimed: Vec::new(), done: Vec::new() };
        let mut ms = START_MS;
        for (step, move_by) in steps {
            ms = ms.saturating_add_signed(move_by);
            match step {
                Step::Claim { key, token } => {
                    prop_assert_eq!(claim(&guard, &keys[key], tokens[token], ms), model.claim(key, token, ms));
                }
                Step::Commit { key, token } => {
                    prop_assert_eq!(commit(&guard, &keys[key], tokens[token], ms), model.commit(key, token, ms));
                }
                Step::Release { key, token } => {
                    guard.release(&keys[key], tokens[token]);
                    model.release(key, token);
                }
            }
            prop_assert_eq!(guard.len(), model.len());
            prop_assert!(guard.len() <= CAPACITY, "more than it has room for");
        }
    }

    /// What the model could have wrong in common with the guard: nothing is forgotten early by a clock that jumps about
    /// within one retention, and nothing for ever.
    #[test]
    fn it_forgets_neither_early_nor_never(moments in prop::collection::vec(0..=RETENTION_MS, 1..60)) {
        let (guard, keys, token) = (guard(100), keys(60), ClaimToken::unique());
        for (key, moment) in keys.iter().zip(&moments) {
            prop_assert_eq!(claim(&guard, key, token, START_MS + moment), Some(Claim::Granted));
            prop_assert!(commit(&guard, key, token, START_MS + moment));
        }
        for (key, moment) in keys.iter().zip(&moments) {
            let at = START_MS + RETENTION_MS - moment;
            prop_assert_eq!(claim(&guard, key, token, at), Some(Claim::Done), "forgotten early");
        }
        let other = keys.last().unwrap();
        at_once(guard.claim(other, token, UnixTime::from_millis(START_MS + 4 * RETENTION_MS))).unwrap();
        prop_assert_eq!(guard.len(), 1, "remembered too long");
    }
}

#[test]
fn the_edge_of_the_retention_is_inclusive() {
    let (guard, keys, token) = (guard(10), keys(1), ClaimToken::unique());
    assert_eq!(claim(&guard, &keys[0], token, START_MS), Some(Claim::Granted));
    assert!(commit(&guard, &keys[0], token, START_MS));
    assert_eq!(claim(&guard, &keys[0], token, START_MS + RETENTION_MS), Some(Claim::Done));
    assert_eq!(claim(&guard, &keys[0], token, START_MS + RETENTION_MS + 1), Some(Claim::Granted));
}

/// A clock that was years ahead for a moment must not fill the guard with what never ends.
#[test]
fn a_clock_that_was_wrong_blocks_nothing_for_ever() {
    const YEARS: u64 = 12 * 365 * 24 * 3_600_000;
    let (guard, keys, token) = (guard(2), keys(3), ClaimToken::unique());
    for key in &keys[..2] {
        assert_eq!(claim(&guard, key, token, START_MS + YEARS), Some(Claim::Granted));
        assert!(commit(&guard, key, token, START_MS + YEARS));
    }
    assert_eq!(claim(&guard, &keys[2], token, START_MS), None, "both are still live");
    assert_eq!(claim(&guard, &keys[0], token, START_MS + RETENTION_MS), Some(Claim::Done));
    assert_eq!(claim(&guard, &keys[2], token, START_MS + RETENTION_MS + 1), Some(Claim::Granted));
}

/// It is full at its capacity, not before; a claim takes a place as well as what is done; and nothing makes way.
#[test]
fn a_full_guard_refuses_and_forgets_nothing() {
    let (guard, keys, token) = (guard(2), keys(3), ClaimToken::unique());
    assert_eq!(claim(&guard, &keys[0], token, START_MS), Some(Claim::Granted));
    assert!(commit(&guard, &keys[0], token, START_MS));
    assert_eq!(claim(&guard, &keys[1], token, START_MS), Some(Claim::Granted), "at the bound");
    assert_eq!(claim(&guard, &keys[2], token, START_MS), None, "one past it");
    assert_eq!(claim(&guard, &keys[0], token, START_MS), Some(Claim::Done), "still known");
    assert_eq!(claim(&guard, &keys[1], token, START_MS), Some(Claim::InProgress), "still at work");
    guard.release(&keys[1], token);
    assert_eq!(claim(&guard, &keys[2], token, START_MS), Some(Claim::Granted), "room again");
}

/// Work that takes longer than the retention is still work: its claim does not end by itself.
#[test]
fn a_claim_lasts_as_long_as_its_work() {
    let (guard, keys, token) = (guard(2), keys(1), ClaimToken::unique());
    assert_eq!(claim(&guard, &keys[0], token, START_MS), Some(Claim::Granted));
    let late = START_MS + 100 * RETENTION_MS;
    assert_eq!(claim(&guard, &keys[0], ClaimToken::unique(), late), Some(Claim::InProgress));
    assert!(commit(&guard, &keys[0], token, late));
    assert_eq!(
        claim(&guard, &keys[0], token, late + RETENTION_MS),
        Some(Claim::Done),
        "counted from its end"
    );
}

#[test]
fn tokens_differ() {
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(|| [(); 1_000].map(|()| ClaimToken::unique()))).collect();
    let tokens: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let different: std::collections::HashSet<_> = tokens.iter().map(|token| *token.as_bytes()).collect();
    assert_eq!(different.len(), 4_000);
    // The first half tells processes apart.
    let (process, _) = tokens[0].as_bytes().split_at(8);
    assert_ne!(process, [0; 8]);
    assert!(tokens.iter().all(|token| token.as_bytes().starts_with(process)));
    let in_hex: String = tokens[0].as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(format!("{:?}", tokens[0]), format!("ClaimToken({in_hex})"));
}

#[test]
fn a_guard_is_empty_until_a_claim_and_shows_no_keys() {
    let (guard, keys, token) = (guard(2), keys(1), ClaimToken::unique());
    let shown = "MemoryReplayGuard { retention: 1s, capacity: 2, .. }";
    assert!(guard.is_empty());
    assert_eq!(format!("{guard:?}"), shown);
    assert_eq!(claim(&guard, &keys[0], token, START_MS), Some(Claim::Granted));
    assert!(!guard.is_empty());
    assert_eq!(format!("{guard:?}"), shown);
    guard.release(&keys[0], token);
    assert!(guard.is_empty());
}

#[test]
fn a_guard_that_could_remember_nothing_is_refused() {
    let field = |retention, capacity| match MemoryReplayGuard::new(retention, capacity) {
        Err(ConfigError::EmptyGuard { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(Duration::ZERO, 1), "retention");
    assert_eq!(field(Duration::from_secs(1), 0), "capacity");
}

#[test]
fn the_retention_covers_horizon_and_window() {
    const HOUR: u64 = 3600;
    let of = |scheme: Scheme| required_retention(&scheme).as_secs();
    assert_eq!(of(schemes::slack()), 2 * HOUR, "its published horizon");
    assert_eq!(of(schemes::github()), 72 * HOUR, "unknown: the longest that anyone publishes");
    let two_hours = Window::symmetric(Duration::from_secs(2 * HOUR));
    let wide = schemes::slack().to_builder().window(two_hours).build().unwrap();
    assert_eq!(of(wide), 4 * HOUR, "the window is wider than the horizon: both sides of it count");
    let megatron = schemes::megatronlead();
    assert!(of(megatron.clone()) >= megatron.retry_horizon().unwrap().as_secs());
    for scheme in Scheme::all().filter(|scheme| scheme.name() != "dropbox") {
        let required = required_retention(&scheme);
        assert_eq!(check_retention("in", &scheme, required), Ok(()), "{}", scheme.name());
        let given = required - Duration::from_millis(1);
        let name = "in".to_owned();
        let error = ConfigError::GuardRetention { name, given, required };
        assert_eq!(check_retention("in", &scheme, given), Err(error), "{}", scheme.name());
    }
}

#[test]
fn the_error_names_both_numbers() {
    let hour = Duration::from_secs(3600);
    let text = check_retention("leads", &schemes::slack(), hour).unwrap_err().to_string();
    assert!(text.contains("'leads'") && text.contains("3600s") && text.contains("7200s"), "{text}");
}

#[test]
fn a_provider_without_identity_gets_no_guard() {
    let month = Duration::from_secs(30 * 24 * 3600);
    let error = check_retention("in", &schemes::dropbox(), month).unwrap_err();
    assert_eq!(error, ConfigError::NoIdentity { scheme: "dropbox".into() });
}
