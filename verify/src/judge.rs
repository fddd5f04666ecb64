//! The fold over keys and signatures: everything is compared, nothing ends early, and the verdict is read last.

use crate::algorithm::AlgorithmSet;
use crate::key_ring::{KeyRing, MAX_KEYS, RingKey, VerifyingKey};
use crate::mac::{Choice, MacState, no};
use crate::scheme::Algorithm;
use crate::signature_list::{Candidates, MAX_SIGNATURES};
use crate::timestamp::UnixTime;

/// Writes the message of this index, piece by piece, into the sink.
pub(crate) type Feed<'f> = &'f dyn Fn(usize, &mut dyn FnMut(&[u8]));

/// Every key that counts now, with every message that may have been signed and every signature presented for it.
pub(crate) fn judge(
    ring: &KeyRing,
    candidates: &Candidates,
    messages: usize,
    feed: Feed<'_>,
    now: UnixTime,
) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for message in 0..messages {
        for (index, key) in ring.keys().iter().enumerate() {
            if key.is_valid_at(now) {
                verdicts.set(message, index, judge_one(key, candidates, message, feed));
            }
        }
    }
    verdicts
}

/// Whether `key` made any of the candidates over this message.
pub(crate) fn judge_one(key: &RingKey, candidates: &Candidates, message: usize, feed: Feed<'_>) -> Choice {
    let presented = candidates.presented(key, message);
    match &key.verifying {
        VerifyingKey::Mac(ready) => {
            let mut mac = ready.clone();
            feed(message, &mut |bytes| mac.update(bytes));
            mac_matches(mac, presented)
        }
        VerifyingKey::Token(token) => presented
            .filter(|(algorithms, _)| algorithms.contains(Algorithm::SharedToken))
            .fold(no(), |any, (_, digest)| any | token.matches(digest)),
        #[cfg(feature = "asymmetric")]
        VerifyingKey::Public(public) => {
            let mut text = Vec::new();
            feed(message, &mut |bytes| text.extend_from_slice(bytes));
            presented.fold(no(), |any, (algorithms, signature)| {
                any | crate::mac::public_verdict(public.verifies(algorithms, &text, signature))
            })
        }
    }
}

/// Whether any HMAC candidate is this key's tag. Every candidate is compared; none ends the loop early.
pub(crate) fn mac_matches<'c>(
    mac: MacState,
    presented: impl Iterator<Item = (AlgorithmSet, &'c [u8])>,
) -> Choice {
    let wanted = mac.hash().algorithm();
    let tag = mac.finish();
    presented
        .filter(|(algorithms, _)| algorithms.contains(wanted))
        .fold(no(), |any, (_, presented)| any | tag.matches(presented))
}

/// One verdict per message and key.
pub(crate) struct Verdicts {
    each: [[Choice; MAX_KEYS]; MAX_SIGNATURES],
    /// How many messages and keys there are verdicts on at most. The rest of the table says no.
    messages: usize,
    keys: usize,
}

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self { each: [[no(); MAX_KEYS]; MAX_SIGNATURES], messages: 0, keys: 0 }
    }

    pub(crate) fn set(&mut self, message: usize, key: usize, verdict: Choice) {
        if let Some(slot) = self.each.get_mut(message).and_then(|keys| keys.get_mut(key)) {
            *slot = verdict;
            self.messages = self.messages.max(message + 1);
            self.keys = self.keys.max(key + 1);
        }
    }

    /// For each message a verdict per key.
    fn given(&self) -> impl Iterator<Item = &[Choice]> {
        let keys = self.keys;
        self.each.iter().take(self.messages).map(move |verdicts| verdicts.get(..keys).unwrap_or_default())
    }

    pub(crate) fn any(&self) -> Choice {
        self.given().flatten().fold(no(), |any, verdict| any | *verdict)
    }

    /// All of them turned to no, unless `condition` holds.
    pub(crate) fn only_if(mut self, condition: Choice) -> Self {
        self.each.iter_mut().flatten().for_each(|verdict| *verdict &= condition);
        self
    }

    /// The first message that was signed, and the first key that signed it. All verdicts are in before the first is
    /// looked at.
    pub(crate) fn winner<'k>(&self, keys: &'k [RingKey]) -> Option<(usize, &'k RingKey)> {
        if !bool::from(self.any()) {
            return None;
        }
        self.given().enumerate().find_map(|(message, verdicts)| {
            let signed = keys.iter().zip(verdicts).find(|(_, verdict)| bool::from(**verdict));
            signed.map(|(key, _)| (message, key))
        })
    }
}
