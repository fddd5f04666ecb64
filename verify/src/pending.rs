//! The incremental form: the signature is computed while the body arrives.

use std::fmt;
use std::mem;
use std::sync::Arc;

use arc_swap::Guard;
#[cfg(feature = "tower")]
use bytes::Buf;
use bytes::Bytes;

use crate::claims::{Claims, Then, of_body};
use crate::head::{Head, Signed};
use crate::judge::{Verdicts, judge_one, tag_matches};
use crate::key_ring::{KeyRing, RingKey, VerifyingKey};
use crate::mac::{RunningMac, Text};
use crate::part::Part;
use crate::refusal::Refusal;
use crate::signature_list::Candidates;
use crate::timestamp::UnixTime;
use crate::verified::{Observed, Verified};
use crate::verifier::{Conclusion, Verifier};

/// The step in which the buffer first grows: a declared length costs no memory until its bytes arrive.
const FIRST_STEP: usize = 65_536;

/// A delivery whose headers were accepted and whose body is arriving. Made by [`Verifier::begin`].
///
/// It keeps the body itself, so that the bytes which were signed and the bytes in the proof cannot differ.
#[must_use = "a body counts only after finish()"]
pub struct Pending(Box<Arriving>);

/// In a box, because it is large and its owner moves it from state to state.
struct Arriving {
    verifier: Verifier,
    ring: Arc<KeyRing>,
    candidates: Candidates,
    observed: Observed,
    then: Then,
    now: UnixTime,
    /// One running MAC per key, where the body is signed as it comes and one text is; `None` where a key has none, or
    /// does not count.
    macs: Vec<Option<RunningMac>>,
    /// What is signed after the body, for them.
    tail: Vec<u8>,
    /// What is signed before and after the body, for each text that may have been signed, where keys have no MAC.
    around: Vec<(Vec<u8>, Vec<u8>)>,
    body: Received,
    expected: usize,
}

/// What there is of the body.
enum Received {
    Gathered(Vec<u8>),
    /// All of it came in one piece, which need not be copied.
    #[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "the layer gets pieces that can be kept"))]
    Whole(Bytes),
}

impl Head<'_> {
    /// For a body that is still coming: what the headers say is copied from them.
    pub(crate) fn into_pending(self, observed: Observed) -> Pending {
        let Self { verifier, ring, claims, candidates, now } = self;
        let mut arriving = Box::new(Arriving {
            verifier: verifier.clone(),
            ring: Guard::into_inner(ring),
            candidates,
            observed,
            then: Then::Nothing,
            now,
            macs: Vec::new(),
            tail: Vec::new(),
            around: Vec::new(),
            body: Received::Gathered(Vec::new()),
            expected: 0,
        });
        claims.read_metadata(&mut arriving.observed);
        arriving.start(claims);
        Pending(arriving)
    }
}

impl Pending {
    /// Says how long the body will be, in bytes (from `Content-Length`). Reserves nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::BodyTooLarge`] if that is more than the verifier's limit.
    pub fn expect_length(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.expect(self.0.verifier.check_length(bytes)?);
        Ok(())
    }

    /// The same for a length that was checked.
    pub(crate) fn expect(&mut self, bytes: usize) {
        self.0.expected = bytes;
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    ///
    /// [`Refusal::BodyTooLarge`] as soon as the body is longer than the verifier's limit.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        self.0.hash(piece)?;
        self.0.gather(piece);
        Ok(())
    }

    /// Takes the next piece of the body. Most bodies come in one.
    #[cfg(feature = "tower")]
    pub(crate) fn take(&mut self, piece: &mut impl Buf) -> Result<(), Refusal> {
        let length = piece.remaining();
        // A piece whose rest is waited for must be copied: it may hold on to a buffer that is larger.
        if self.0.body.as_slice().is_empty() && length == self.0.expected {
            let body = piece.copy_to_bytes(length);
            self.0.hash(&body)?;
            self.0.body = Received::Whole(body);
            return Ok(());
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            let length = chunk.len();
            self.update(chunk)?;
            piece.advance(length);
        }
        Ok(())
    }

    /// The proof, now that the body is complete.
    ///
    /// # Errors
    ///
    /// [`Refusal::SignatureMismatch`], or what an event time in the body is refused for.
    pub fn finish(self) -> Result<Verified<Bytes>, Refusal> {
        let mut observed = Observed::default();
        let signed = self.conclude(&mut observed).map_err(|(refusal, _)| refusal)?;
        Ok(signed.into_proof(observed))
    }

    /// As [`finish`](Self::finish), with the body also where it is not proven.
    pub(crate) fn conclude(mut self, observed: &mut Observed) -> Result<Signed, (Refusal, Bytes)> {
        let mut macs = mem::take(&mut self.0.macs);
        *observed = mem::take(&mut self.0.observed);
        let arriving = &*self.0;
        let Arriving { verifier, ring, then, now, .. } = arriving;
        let body = arriving.body.as_slice();
        let of_body = &*of_body(verifier.scheme(), then, body);
        let verdicts = arriving.verdicts(&mut macs, of_body);
        let conclusion = Conclusion { ring, verdicts, then, of_body, now: *now };
        let settled = verifier.settle(&conclusion, body, observed).map(Arc::clone);
        let body = match mem::replace(&mut self.0.body, Received::Gathered(Vec::new())) {
            Received::Gathered(body) => Bytes::from(body),
            Received::Whole(body) => body,
        };
        Signed::new(settled, body)
    }
}

impl Received {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Gathered(body) => body,
            Self::Whole(body) => body,
        }
    }
}

impl Arriving {
    fn hash(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        if piece.len() > self.verifier.body_limit() - self.body.as_slice().len() {
            return Err(Refusal::BodyTooLarge);
        }
        for mac in self.macs.iter_mut().flatten() {
            mac.update(piece);
        }
        Ok(())
    }

    /// Adds a piece to what there is, which grows to the declared length, but never further ahead of what has arrived than
    /// that again.
    fn gather(&mut self, piece: &[u8]) {
        if let Received::Whole(whole) = &mut self.body {
            self.body = Received::Gathered(mem::take(whole).into());
        }
        let Received::Gathered(body) = &mut self.body else { return };
        let needed = body.len() + piece.len();
        if needed > body.capacity() {
            let ahead = (2 * needed).max(FIRST_STEP);
            let bound = if self.expected >= needed { self.expected } else { self.verifier.body_limit() };
            body.reserve_exact(ahead.min(bound) - body.len());
        }
        body.extend_from_slice(piece);
    }

    /// Starts the MACs, and keeps what cannot be fed to one yet.
    fn start(&mut self, claims: Claims<'_>) {
        let (before, after) = claims.around_body();
        let text = |parts: &[Part], message| {
            let mut text = Vec::new();
            claims.feed(parts, message, &[], &mut |bytes: &[u8]| text.extend_from_slice(bytes));
            text
        };
        let in_pieces = self.verifier.scheme().body_part() == Some(&Part::Body) && claims.messages() == 1;
        let mut start = |key: &RingKey| match &key.verifying {
            VerifyingKey::Mac(ready) if in_pieces && key.is_valid_at(self.now) => {
                let mut mac = ready.start();
                claims.feed(before, 0, &[], &mut |bytes: &[u8]| mac.update(bytes));
                Some(mac)
            }
            _ => None,
        };
        self.macs = self.ring.keys().iter().map(&mut start).collect();
        if self.macs.iter().any(Option::is_none) {
            let messages = 0..claims.messages();
            self.around = messages.map(|message| (text(before, message), text(after, message))).collect();
        }
        self.tail = text(after, 0);
        self.then = claims.into_then();
    }

    fn verdicts(&self, macs: &mut [Option<RunningMac>], of_body: &[u8]) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (index, (key, mac)) in self.ring.keys().iter().zip(macs).enumerate() {
            if let Some(mac) = mac {
                mac.update(&self.tail);
                let (hash, tag) = (mac.hash(), mac.finish());
                verdicts.set(0, index, tag_matches(hash, &tag, self.candidates.presented(key, 0)));
            } else if key.is_valid_at(self.now) {
                for (message, (before, after)) in self.around.iter().enumerate() {
                    let arrived = Arrived { before, of_body, after };
                    verdicts.set(message, index, judge_one(key, &self.candidates, message, &arrived));
                }
            }
        }
        verdicts
    }
}

struct Arrived<'p> {
    before: &'p [u8],
    of_body: &'p [u8],
    after: &'p [u8],
}

impl Text for Arrived<'_> {
    fn feed(&self, sink: impl FnMut(&[u8])) {
        [self.before, self.of_body, self.after].into_iter().for_each(sink);
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arriving { verifier, body, .. } = &*self.0;
        f.debug_struct("Pending").field("verifier", verifier).field("bytes", &body.as_slice().len()).finish()
    }
}
