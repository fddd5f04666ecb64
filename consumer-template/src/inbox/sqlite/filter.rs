//! A set of replay keys that may say "perhaps" of a key that is not in it, and never "no" of one that is.

use std::sync::atomic::{AtomicU64, Ordering};

/// For each key there is room for. With [`PROBES`], 1 key of 700 that is not in a full set is said to be perhaps.
const BITS: u64 = 16;
const PROBES: u64 = 5;

/// A Bloom filter. Replay keys are hashes: parts of one are its hashes. Who can choose what is hashed can at most have the table
/// looked at, as it would be without this.
#[derive(Debug)]
pub(super) struct Filter {
    words: Box<[AtomicU64]>,
}

impl Filter {
    /// With more than `keys` of them it says "perhaps" more often.
    pub(super) fn with_room(keys: u64) -> Self {
        let words = keys.saturating_mul(BITS).div_ceil(u64::from(u64::BITS)).max(1);
        Self { words: (0..words).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(super) fn add(&self, key: &[u8; 32]) {
        for (word, bit) in self.places(key) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// `false`: it was not added.
    pub(super) fn may_have(&self, key: &[u8; 32]) -> bool {
        self.places(key).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn places(&self, key: &[u8; 32]) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let part = |at: usize| {
            let bytes = key.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            u64::from_be_bytes(bytes.unwrap_or_default())
        };
        let (first, step) = (part(8), part(16) | 1);
        let bits = self.words.len() as u64 * u64::from(u64::BITS);
        (0..PROBES).filter_map(move |n| {
            let place = first.wrapping_add(n.wrapping_mul(step)) % bits;
            Some((self.words.get((place / 64) as usize)?, 1 << (place % 64)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> [u8; 32] {
        let mut key = [0; 32];
        key.iter_mut()
            .zip(fastrand::Rng::with_seed(n).u128(..).to_be_bytes().into_iter().cycle())
            .for_each(|(to, from)| *to = from);
        key
    }

    #[test]
    fn it_knows_every_key_and_few_others() {
        let filter = Filter::with_room(10_000);
        (0..10_000).for_each(|n| filter.add(&key(n)));
        assert!(
            (0..10_000).all(|n| filter.may_have(&key(n))),
            "a key that is forgotten is an event that runs twice"
        );
        let wrong = (10_000..110_000).filter(|n| filter.may_have(&key(*n))).count();
        assert!((20..500).contains(&wrong), "{wrong} of 100,000");
        let overfull = Filter::with_room(0);
        (0..1_000).for_each(|n| overfull.add(&key(n)));
        assert!((0..1_000).all(|n| overfull.may_have(&key(n))));
    }
}
