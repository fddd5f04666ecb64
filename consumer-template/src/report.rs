//! How well a source was received in a time, against limits: what its provider sees of us.
//!
//! A delivery counts when it has passed verification. It is a **success** if it was stored and answered with 2xx. It is a failure if
//! it could not be stored (503), or was stored and its sender had gone before the answer. What was refused as unproven counts for
//! neither: a stranger must not be able to spoil the figure. **Ack latency** is from the arrival of the request's head to the answer's
//! commit; the way to the provider and back is not in it.
//!
//! What is not in the store cannot count: deliveries that met no running server, and answers of the last second before a kill,
//! which then count as failures.

use std::fmt;
use std::time::Duration;

use hookproof::UnixTime;

use crate::inbox::{KeyUse, Traffic};

/// What must hold. What is `None` is not looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At least so many of 100 deliveries are successes.
    pub success_percent: f64,
    /// The mean ack latency and what 99 of 100 do not exceed.
    pub ack: Duration,
    /// At most so many new dead letters.
    pub new_dead: Option<u64>,
    /// At most so far off are 99 of 100 clocks.
    pub skew: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { success_percent: 95.0, ack: Duration::from_secs(2), new_dead: None, skew: None }
    }
}

/// A limit that was missed.
#[derive(Clone, Debug, PartialEq)]
pub enum Missed {
    /// Of 100 deliveries, so many were successes.
    Success(f64),
    /// The mean ack latency.
    MeanAck(Duration),
    /// What 99 of 100 do not exceed.
    P99Ack(Duration),
    /// New dead letters.
    NewDead(u64),
    /// What 99 of 100 do not exceed.
    Skew(Duration),
}

impl Missed {
    /// The name of the figure, for scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Success(_) => "success_percent",
            Self::MeanAck(_) => "ack_mean_ms",
            Self::P99Ack(_) => "ack_p99_ms",
            Self::NewDead(_) => "new_dead",
            Self::Skew(_) => "skew_p99_ms",
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(percent) => {
                write!(f, "{percent:.2} % of the deliveries were answered with success")
            }
            Self::MeanAck(time) => write!(f, "the mean ack latency is {}", shown(*time)),
            Self::P99Ack(time) => write!(f, "1 of 100 answers took longer than {}", shown(*time)),
            Self::NewDead(events) => write!(f, "{events} new dead letters"),
            Self::Skew(time) => write!(f, "1 of 100 timestamps is off by more than {}", shown(*time)),
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

impl Traffic {
    /// Deliveries that passed verification.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.answered + self.unanswered + self.not_stored
    }

    /// Of 100 deliveries, how many were successes; `None` if there were none.
    #[must_use]
    pub fn success_percent(&self) -> Option<f64> {
        (self.deliveries() > 0).then(|| self.answered as f64 * 100.0 / self.deliveries() as f64)
    }

    /// The mean ack latency; `None` if nothing was answered.
    #[must_use]
    pub fn mean_ack(&self) -> Option<Duration> {
        (!self.ack_us.is_empty()).then(|| Duration::from_secs_f64(self.ack_us.mean() / 1e6))
    }

    /// What 99 of 100 ack latencies do not exceed; `None` if nothing was answered.
    #[must_use]
    pub fn p99_ack(&self) -> Option<Duration> {
        (!self.ack_us.is_empty()).then(|| Duration::from_micros(self.ack_us.value_at_quantile(0.99)))
    }

    /// Which limits it misses; `None` if there is nothing to judge by.
    #[must_use]
    pub fn missed(&self, limits: &Limits) -> Option<Vec<Missed>> {
        let success = self.success_percent()?;
        let mut missed = Vec::new();
        if success < limits.success_percent {
            missed.push(Missed::Success(success));
        }
        missed.extend(self.mean_ack().filter(|mean| *mean > limits.ack).map(Missed::MeanAck));
        missed.extend(self.p99_ack().filter(|p99| *p99 > limits.ack).map(Missed::P99Ack));
        if limits.new_dead.is_some_and(|most| self.new_dead > most) {
            missed.push(Missed::NewDead(self.new_dead));
        }
        let skew = self.skew.p99().map(Duration::from_millis);
        missed.extend(skew.filter(|skew| limits.skew.is_some_and(|most| *skew > most)).map(Missed::Skew));
        Some(missed)
    }
}

/// For how long a key was not used while another key of its source was: then it is safe to remove. `None`: it is in use, or the only one.
#[must_use]
pub fn unused_for(key: &KeyUse, all: &[KeyUse], now: UnixTime) -> Option<Duration> {
    let replaced = all.iter().any(|other| other.source == key.source && other.last > key.last);
    let idle = now.as_millis().saturating_sub(key.last.as_millis());
    replaced.then(|| Duration::from_millis(idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(answered: u64, failed: u64, ack: Duration) -> Traffic {
        let mut ack_us = Traffic::none().unwrap().ack_us;
        for _ in 0..answered {
            ack_us.record(ack.as_micros() as u64).unwrap();
        }
        let (unanswered, not_stored) = (failed / 2, failed - failed / 2);
        Traffic { answered, unanswered, not_stored, ack_us, ..Traffic::none().unwrap() }
    }

    #[test]
    fn each_limit_is_missed_one_past_its_bound() {
        let (limits, quick) = (Limits::default(), Duration::from_millis(5));
        assert_eq!(traffic(95, 5, quick).missed(&limits), Some(vec![]));
        assert_eq!(traffic(94, 6, quick).missed(&limits), Some(vec![Missed::Success(94.0)]));
        assert_eq!(traffic(0, 0, quick).missed(&limits), None, "nothing to judge by");
        assert_eq!(traffic(0, 1, quick).missed(&limits), Some(vec![Missed::Success(0.0)]));
        let names = |traffic: Traffic, limits| -> Vec<_> {
            traffic.missed(&limits).unwrap().iter().map(Missed::name).collect()
        };
        let slow = Duration::from_millis(2_010);
        assert_eq!(names(traffic(9, 0, slow), limits), ["ack_mean_ms", "ack_p99_ms"]);
        let mut few = traffic(200, 0, quick);
        for _ in 0..3 {
            few.ack_us.record(9_000_000).unwrap();
        }
        assert_eq!(names(few, limits), ["ack_p99_ms"]);
        let mut rest = traffic(9, 0, quick);
        (rest.new_dead, _) = (4, rest.skew.add(-7_000));
        assert_eq!(rest.missed(&limits), Some(vec![]), "not looked at unless asked");
        let strict = Limits { new_dead: Some(3), skew: Some(Duration::from_millis(6_990)), ..limits };
        assert_eq!(names(rest, strict), ["new_dead", "skew_p99_ms"]);
    }

    #[test]
    fn a_key_is_unused_only_while_another_one_of_its_source_is_used() {
        let at = UnixTime::from_millis;
        let key = |source: &str, id: &str, last| KeyUse {
            source: source.to_owned(),
            key_id: id.to_owned(),
            first: at(0),
            last: at(last),
            deliveries: 1,
        };
        let all = [key("crm", "old", 1_000), key("crm", "new", 5_000), key("shop", "old", 1_000)];
        let idle: Vec<_> = all.iter().map(|key| unused_for(key, &all, at(9_000))).collect();
        assert_eq!(idle, [Some(Duration::from_millis(8_000)), None, None]);
    }
}
