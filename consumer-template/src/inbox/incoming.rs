//! What the inbox accepts: a proof, and what the edge read from it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hookproof::{Identity, Metadata, Provenance, ReplayKey, UnixTime, Verified};
use sha2::{Digest, Sha256};

use crate::event::Named;

/// A verified delivery on its way into the inbox.
///
/// There is one constructor and it takes a [`Verified`], which only a passed verification makes: nothing else gets in.
#[derive(Clone)]
pub struct Incoming {
    pub(crate) source: Arc<str>,
    pub(crate) proof: Verified<Bytes>,
    pub(crate) replay_key: ReplayKey,
    pub(crate) body_sha256: [u8; 32],
    pub(crate) event_id: Option<Named>,
    pub(crate) event_type: Option<Named>,
    pub(crate) facts: Facts,
    pub(crate) received_at: UnixTime,
    pub(crate) begun: Instant,
    pub(crate) skew_ms: Option<i64>,
}

/// What the source's policies found in a verified delivery. All of it is optional.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The entity whose events are applied in order.
    pub ordering_key: Option<String>,
    /// When it happened.
    pub occurred_at: Option<UnixTime>,
    /// The provider's own counter.
    pub sequence: Option<i64>,
    /// Why the body cannot be processed, if it cannot. The event is then stored as a dead letter.
    pub malformed: Option<String>,
    /// Request headers to keep. Leave out the signature: it is not needed again, and could be replayed by whoever reads it.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Incoming {
    /// The delivery that `proof` proves, received by `source` at `received_at`.
    ///
    /// Everything that reads or hashes the body is done here, on the caller's task: the store has one writer.
    #[must_use]
    pub fn new(source: Arc<str>, proof: Verified<Bytes>, facts: Facts, received_at: UnixTime) -> Self {
        let replay_key = proof.replay_key(&source);
        let body_sha256 = Sha256::digest(proof.body()).into();
        let (event_id, event_type) = (proof.event_id().map(named), proof.event_type().map(named));
        let begun = Instant::now();
        Self {
            source,
            proof,
            replay_key,
            body_sha256,
            event_id,
            event_type,
            facts,
            received_at,
            begun,
            skew_ms: None,
        }
    }

    /// When its request began: how soon it is answered counts from there. From now unless given.
    #[must_use]
    pub fn begun_at(mut self, begun: Instant) -> Self {
        self.begun = begun;
        self
    }

    /// By how much the sender's clock is ahead, in milliseconds, where a signed timestamp says when it was sent.
    #[must_use]
    pub fn with_skew(mut self, skew_ms: Option<i64>) -> Self {
        self.skew_ms = skew_ms;
        self
    }

    pub(crate) fn identity(&self) -> &'static str {
        match self.replay_key.identity() {
            Identity::SignedId => "signed_id",
            Identity::Digest => "digest",
        }
    }
}

fn named(metadata: Metadata<'_>) -> Named {
    let signed = metadata.provenance == Provenance::Signed;
    Named { value: metadata.value.into_owned(), signed }
}

/// Without body and headers.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("source", &self.source)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Without the headers' values.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("occurred_at", &self.occurred_at)
            .field("sequence", &self.sequence)
            .field("malformed", &self.malformed)
            .finish_non_exhaustive()
    }
}
