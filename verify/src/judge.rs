//! The fold over keys and signatures: everything is compared, nothing ends early, and the verdict is read last.

use crate::key_ring::{RingKey, VerifyingKey};
use crate::mac::{Choice, Hash, MacState, no};
use crate::scheme::Algorithm;
use crate::signature_list::Candidates;

/// Writes the message of this index, piece by piece, into the sink.
pub(crate) type Feed<'f> = &'f dyn Fn(usize, &mut dyn FnMut(&[u8]));

/// Whether `key` made any of the candidates, over any of the `messages`.
pub(crate) fn judge(key: &RingKey, candidates: &Candidates, messages: usize, feed: Feed<'_>) -> Choice {
    (0..messages).fold(no(), |any, index| {
        any | match &key.verifying {
            VerifyingKey::Mac(ready) => {
                let mut mac = ready.clone();
                feed(index, &mut |bytes| mac.update(bytes));
                mac_matches(mac, presented(key, candidates))
            }
            VerifyingKey::Token(token) => presented(key, candidates)
                .filter(|(algorithm, _)| *algorithm == Algorithm::SharedToken)
                .fold(no(), |any, (_, digest)| any | token.matches(digest)),
            #[cfg(feature = "asymmetric")]
            VerifyingKey::Public(public) => {
                let mut message = Vec::new();
                feed(index, &mut |bytes| message.extend_from_slice(bytes));
                let holds = |(algorithm, signature)| {
                    crate::mac::public_verdict(public.verifies(algorithm, &message, signature))
                };
                presented(key, candidates).fold(no(), |any, candidate| any | holds(candidate))
            }
        }
    })
}

/// The candidates that `key` may verify, as algorithm and bytes.
pub(crate) fn presented<'c>(
    key: &RingKey,
    candidates: &'c Candidates,
) -> impl Iterator<Item = (Algorithm, &'c [u8])> {
    candidates.for_key(key).map(|candidate| (candidate.algorithm, candidate.signature.as_slice()))
}

/// Whether any HMAC candidate is this key's tag. Every candidate is compared; none ends the loop early.
pub(crate) fn mac_matches<'c>(
    mac: MacState,
    candidates: impl Iterator<Item = (Algorithm, &'c [u8])>,
) -> Choice {
    let wanted = match mac.hash() {
        Hash::Sha1 => Algorithm::HmacSha1,
        Hash::Sha256 => Algorithm::HmacSha256,
    };
    let tag = mac.finish();
    candidates
        .filter(|(algorithm, _)| *algorithm == wanted)
        .fold(no(), |any, (_, presented)| any | tag.matches(presented))
}

/// One verdict per key of the ring, in its order.
pub(crate) struct Verdicts {
    each: [Choice; crate::key_ring::MAX_KEYS],
    len: usize,
}

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self { each: [no(); crate::key_ring::MAX_KEYS], len: 0 }
    }

    pub(crate) fn push(&mut self, verdict: Choice) {
        if let Some(slot) = self.each.get_mut(self.len) {
            *slot = verdict;
            self.len += 1;
        }
    }

    pub(crate) fn any(&self) -> Choice {
        self.each.iter().fold(no(), |any, verdict| any | *verdict)
    }

    /// All of them turned to no, unless `condition` holds.
    pub(crate) fn only_if(mut self, condition: Choice) -> Self {
        self.each.iter_mut().for_each(|verdict| *verdict &= condition);
        self
    }

    /// All verdicts are in before the first is looked at.
    pub(crate) fn winner<'k>(&self, keys: &'k [RingKey]) -> Option<&'k RingKey> {
        if !bool::from(self.any()) {
            return None;
        }
        keys.iter().zip(&self.each).find(|(_, verdict)| bool::from(**verdict)).map(|(key, _)| key)
    }
}
