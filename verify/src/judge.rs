//! The fold over keys and signatures: everything is compared, nothing ends early, and the verdict is read last.

use crate::algorithm::AlgorithmSet;
use crate::claims::Claims;
use crate::key_ring::{KeyRing, MAX_KEYS, RingKey, VerifyingKey};
use crate::mac::{Choice, Hash, Tag, Text, Verdict, any_bit};
use crate::scheme::Algorithm;
use crate::signature_list::{Candidates, MAX_SIGNATURES};
use crate::timestamp::UnixTime;

/// Every key that counts now, with every message that may have been signed and every signature presented for it. One tag
/// may have been computed before: of the first message, with the key of this index.
#[inline]
pub(crate) fn judge(
    ring: &KeyRing,
    candidates: &Candidates,
    (claims, of_body): (&Claims<'_>, &[u8]),
    now: UnixTime,
    computed: Option<&(usize, Tag)>,
) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for message in 0..claims.messages() {
        for (index, key) in ring.keys().iter().enumerate() {
            if !key.is_valid_at(now) {
                continue;
            }
            let verdict = match computed {
                Some((of_key, tag)) if (0, *of_key) == (message, index) => {
                    tag_matches(Hash::Sha256, tag, candidates.presented(key, message))
                }
                _ => judge_one(key, candidates, message, &claims.text(message, of_body)),
            };
            verdicts.set(message, index, verdict);
        }
    }
    verdicts
}

/// Whether `key` made any of the candidates over this message.
#[inline(never)] // Most tags are computed ahead, and then this is only in the way.
pub(crate) fn judge_one(key: &RingKey, candidates: &Candidates, message: usize, text: &impl Text) -> Verdict {
    let presented = candidates.presented(key, message);
    match &key.verifying {
        VerifyingKey::Mac(ready) => tag_matches(ready.hash(), &ready.tag_of(text), presented),
        VerifyingKey::Token(token) => presented
            .filter(|(algorithms, _)| algorithms.contains(Algorithm::SharedToken))
            .fold(Verdict::NO, |any, (_, digest)| any.or(token.matches(digest))),
        #[cfg(feature = "asymmetric")]
        VerifyingKey::Public(public) => {
            let mut whole = Vec::new();
            text.feed(|bytes| whole.extend_from_slice(bytes));
            presented.fold(Verdict::NO, |any, (algorithms, signature)| {
                any.or(crate::mac::public_verdict(public.verifies(algorithms, &whole, signature)))
            })
        }
    }
}

/// Whether any HMAC candidate is this tag. Every candidate is compared; none ends the loop early.
#[inline]
pub(crate) fn tag_matches<'c>(
    hash: Hash,
    tag: &Tag,
    presented: impl Iterator<Item = (AlgorithmSet, &'c [u8])>,
) -> Verdict {
    let mut any = Verdict::NO;
    for (algorithms, signature) in presented {
        if algorithms.contains(hash.algorithm()) {
            any = any.or(tag.matches(signature));
        }
    }
    any
}

/// A bit per message and key. All are in before the first is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Verdicts(u64);

const _: () = assert!(MAX_SIGNATURES * MAX_KEYS <= u64::BITS as usize);

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self(0)
    }

    #[inline]
    pub(crate) fn set(&mut self, message: usize, key: usize, verdict: Verdict) {
        if message < MAX_SIGNATURES && key < MAX_KEYS {
            self.0 |= verdict.bit() << (message * MAX_KEYS + key);
        }
    }

    pub(crate) fn any(self) -> Choice {
        any_bit(self.0)
    }

    /// All of them turned to no, unless `condition` holds.
    pub(crate) fn only_if(self, condition: Choice) -> Self {
        let mask = 0_u64.wrapping_sub(u64::from(condition.unwrap_u8()));
        Self(self.0 & mask)
    }

    /// The first message that was signed, and the first key that signed it. The only place that looks: the way through
    /// it depends on the verdicts, and no address does.
    #[inline]
    pub(crate) fn winner(self, keys: &[RingKey]) -> Option<(usize, &RingKey)> {
        if self.0 == 0 {
            return None;
        }
        (0..MAX_SIGNATURES).find_map(|message| {
            let signed = |(index, _): &(usize, &RingKey)| self.0 >> (message * MAX_KEYS + index) & 1 == 1;
            keys.iter().enumerate().find(signed).map(|(_, key)| (message, key))
        })
    }
}
