//! The incremental form: the signature is computed while the body arrives.

use std::fmt;

use bytes::Bytes;

use crate::claims::Claims;
use crate::key::VerifyingKey;
use crate::mac::MacState;
use crate::refusal::Refusal;
use crate::signature_list::Candidates;
use crate::timestamp::UnixTime;
use crate::verified::{Observed, Verified};
use crate::verifier::{Verdicts, Verifier, mac_matches, split_at_body};

/// The step in which the buffer first grows: a declared length costs no memory until its bytes arrive.
const FIRST_STEP: usize = 64 * 1024;

/// A delivery whose headers were accepted and whose body is arriving. Made by [`Verifier::begin`].
///
/// It keeps the body itself, so that the bytes which were signed and the bytes in the proof cannot differ.
#[must_use = "a body counts only after finish()"]
pub struct Pending {
    verifier: Verifier,
    candidates: Candidates,
    observed: Observed,
    now: UnixTime,
    /// One running MAC per key; `None` for public keys, which need the whole message at once.
    macs: Vec<Option<MacState>>,
    #[cfg(feature = "asymmetric")]
    before: Vec<u8>,
    after: Vec<u8>,
    body: Vec<u8>,
    expected: usize,
}

impl Pending {
    pub(crate) fn new(verifier: Verifier, claims: &Claims<'_>, now: UnixTime) -> Self {
        let (before, after) = split_at_body(&verifier.scheme_arc().parts);
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        claims.feed(before, &mut |bytes| head.extend_from_slice(bytes));
        claims.feed(after, &mut |bytes| tail.extend_from_slice(bytes));
        let start = |key: &VerifyingKey| match key {
            VerifyingKey::Mac(ready) => {
                let mut mac = ready.clone();
                mac.update(&head);
                Some(mac)
            }
            #[cfg(feature = "asymmetric")]
            VerifyingKey::Ed25519(_) => None,
        };
        let macs = verifier.keys().keys().iter().map(|key| start(&key.verifying)).collect();
        let (candidates, observed) = (claims.candidates, claims.observed.clone());
        Self {
            candidates,
            observed,
            now,
            macs,
            #[cfg(feature = "asymmetric")]
            before: head,
            after: tail,
            body: Vec::new(),
            expected: 0,
            verifier,
        }
    }

    /// Says how long the body will be, in bytes (from `Content-Length`). Reserves nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::BodyTooLarge`] if that is more than the verifier's limit.
    pub fn expect_length(&mut self, bytes: u64) -> Result<(), Refusal> {
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= self.verifier.body_limit() => {
                self.expected = bytes;
                Ok(())
            }
            _ => Err(Refusal::BodyTooLarge),
        }
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    ///
    /// [`Refusal::BodyTooLarge`] as soon as the body is longer than the verifier's limit.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        if piece.len() > self.verifier.body_limit() - self.body.len() {
            return Err(Refusal::BodyTooLarge);
        }
        for mac in self.macs.iter_mut().flatten() {
            mac.update(piece);
        }
        self.reserve(piece.len());
        self.body.extend_from_slice(piece);
        Ok(())
    }

    /// Grows to the declared length, but never further ahead of what has arrived than that again.
    fn reserve(&mut self, more: usize) {
        let needed = self.body.len() + more;
        if needed > self.body.capacity() {
            let ahead = (2 * needed).max(FIRST_STEP);
            let bound = if self.expected >= needed { self.expected } else { self.verifier.body_limit() };
            self.body.reserve_exact(ahead.min(bound) - self.body.len());
        }
    }

    /// The proof, now that the body is complete.
    ///
    /// # Errors
    ///
    /// [`Refusal::SignatureMismatch`], or what an event time in the body is refused for.
    pub fn finish(self) -> Result<Verified<Bytes>, Refusal> {
        let mut verdicts = Verdicts::new();
        for (key, mac) in self.verifier.keys().keys().iter().zip(self.macs) {
            verdicts.push(match (mac, &key.verifying) {
                (Some(mut mac), _) => {
                    mac.update(&self.after);
                    mac_matches(mac, &self.candidates)
                }
                #[cfg(feature = "asymmetric")]
                (None, VerifyingKey::Ed25519(public)) => {
                    let message = [&*self.before, &*self.body, &*self.after].concat();
                    crate::asymmetric::ed25519_matches(public, &message, &self.candidates)
                }
                _ => crate::mac::no(),
            });
        }
        let body = Bytes::from(self.body);
        self.verifier.conclude(&verdicts, body, self.observed, self.now)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("verifier", &self.verifier).field("bytes", &self.body.len()).finish()
    }
}
