//! A request of which the head was read, and the body may still be coming.

use std::sync::Arc;

use arc_swap::Guard;
use bytes::Bytes;

use crate::ahead::Ahead;
use crate::claims::Claims;
use crate::judge::judge;
use crate::key_ring::KeyRing;
use crate::mac::Tag;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::signature_list::Candidates;
use crate::timestamp::UnixTime;
use crate::verified::{Facts, Observed, SignedBy, Verified};
use crate::verifier::{Conclusion, Verifier};

/// What all doors begin with: the keys as they are now, and what the headers say. Large, so it is filled where it is.
pub(crate) struct Head<'a> {
    pub(crate) verifier: &'a Verifier,
    pub(crate) ring: Guard<Arc<KeyRing>>,
    pub(crate) claims: Claims<'a>,
    pub(crate) candidates: Candidates,
    pub(crate) now: UnixTime,
}

impl<'a> Head<'a> {
    /// Of which nothing has been read.
    #[inline(always)]
    pub(crate) fn new(verifier: &'a Verifier, request: &'a RequestView<'a>, now: UnixTime) -> Self {
        Self {
            verifier,
            ring: verifier.ring(),
            claims: Claims::new(verifier, request),
            candidates: Candidates::default(),
            now,
        }
    }

    /// Everything that can be refused without the body.
    #[inline]
    pub(crate) fn read(&mut self, observed: &mut Observed) -> Result<(), Refusal> {
        self.claims.find_headers();
        self.claims.read((&self.ring, self.now), &mut self.candidates, observed, || {})
    }

    /// The same, and who signed this body with what the headers say, which is hashed meanwhile.
    #[inline]
    pub(crate) fn read_and_prove(
        &mut self,
        body: &[u8],
        observed: &mut Observed,
    ) -> Result<Arc<SignedBy>, Refusal> {
        let Self { ring, claims, candidates, now, .. } = self;
        claims.find_headers();
        let mut ahead = Ahead::default();
        ahead.begin(claims, (ring, *now), body);
        let meanwhile = || ahead.step();
        claims.read((ring, *now), candidates, observed, meanwhile)?;
        let computed = ahead.finish(claims.accepted());
        self.prove(body, observed, computed.as_ref())
    }

    /// Who signed this body with what the headers say, and what else was `observed`. The head was read and accepted. One
    /// tag may have been computed before, with the key of this index.
    #[inline]
    pub(crate) fn prove(
        &self,
        body: &[u8],
        observed: &mut Observed,
        computed: Option<&(usize, Tag)>,
    ) -> Result<Arc<SignedBy>, Refusal> {
        let Self { verifier, ring, claims, candidates, now } = self;
        let scheme = verifier.scheme();
        let made_of_body;
        let of_body = if scheme.plan.plain_body {
            body
        } else {
            made_of_body = claims.of_body(scheme, body);
            &made_of_body
        };
        let verdicts = judge(ring, candidates, (claims, of_body), *now, computed);
        // Not before: the processor does this while the hash is still being computed.
        claims.read_metadata(observed);
        let conclusion = Conclusion { ring, verdicts, then: claims.then(), of_body, now: *now };
        verifier.settle(&conclusion, body, observed).map(Arc::clone)
    }

    /// The same for a body that can be kept; it is given back with a refusal.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn signed(&self, body: Bytes, observed: &mut Observed) -> Result<Signed, (Refusal, Bytes)> {
        Signed::new(self.prove(&body, observed, None), body)
    }
}

/// A body, and who signed it: a proof but for what was observed, which is large and stays where it is until the proof is
/// needed in one piece.
pub(crate) struct Signed {
    by: Arc<SignedBy>,
    body: Bytes,
}

impl Signed {
    /// What [`Verifier::settle`] found of this body; with a refusal the body is given back.
    #[inline]
    pub(crate) fn new(
        settled: Result<Arc<SignedBy>, Refusal>,
        body: Bytes,
    ) -> Result<Self, (Refusal, Bytes)> {
        match settled {
            Ok(by) => Ok(Self { by, body }),
            Err(refusal) => Err((refusal, body)),
        }
    }

    /// With what was observed as it was signed.
    #[inline]
    pub(crate) fn into_proof(self, observed: Observed) -> Verified<Bytes> {
        Verified::new(self.body, Facts { signed_by: self.by, observed })
    }
}
