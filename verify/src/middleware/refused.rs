use std::fmt;

use bytes::Bytes;
use http::request::Parts;

use crate::claims::stated_time;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::Freshness;
use crate::timestamp::UnixTime;
use crate::verifier::Verifier;

/// A request that was refused, for whoever keeps such requests: to show them to an operator, or to verify them again when the
/// right key is known. See [`VerifyLayer::refused`](super::VerifyLayer::refused).
///
/// # Security
///
/// Nothing of it is believed: every byte is a stranger's. And it may be genuine all the same, signature and credentials
/// included, if the mistake was ours: whoever stores it stores what may only be seen by those who may see deliveries.
#[non_exhaustive]
pub struct RefusedRequest<'a> {
    /// Why.
    pub refusal: Refusal,
    /// The source's name; `None` if the request belongs to none that is known, or was refused before that was asked.
    pub source: Option<&'a str>,
    /// The clock at receipt. A request that is verified again is verified against this moment.
    pub received_at: UnixTime,
    /// Method, target and headers as they came, and the extensions that layers before this one have added.
    pub parts: &'a Parts,
    /// The body, byte for byte. `None` unless all of it was received, for a known source, and refused then: a head that
    /// sufficed for a refusal has had no body read for it.
    pub body: Option<Bytes>,
    verifier: Option<&'a Verifier>,
}

impl<'a> RefusedRequest<'a> {
    pub(crate) fn new(refusal: Refusal, parts: &'a Parts, received_at: UnixTime) -> Self {
        Self { refusal, source: None, received_at, parts, body: None, verifier: None }
    }

    pub(crate) fn of_source(mut self, name: &'a str, verifier: &'a Verifier) -> Self {
        (self.source, self.verifier) = (Some(name), Some(verifier));
        self
    }

    pub(crate) fn with_body(mut self, body: Option<Bytes>) -> Self {
        self.body = body;
        self
    }

    /// The time that the request states minus the clock at receipt, in milliseconds: negative for one from the past. `None`
    /// where none can be read from the headers, or from a body whose signature holds.
    ///
    /// It is read when it is asked for. Unless the refusal is about the time, nothing vouches for it.
    #[must_use]
    pub fn stated_skew_millis(&self) -> Option<i64> {
        let verifier = self.verifier?;
        let time = match verifier.scheme().freshness() {
            Freshness::SignedTimestamp { .. } => stated_time(verifier, &RequestView::from(self.parts))?,
            // Only behind a good signature is a body looked into; these two are said of no other.
            Freshness::EventTime { pointer, format, .. }
                if matches!(self.refusal, Refusal::TimestampTooOld | Refusal::TimestampTooNew) =>
            {
                let text = pointer.find(self.body.as_ref()?).ok()??.into_id()?;
                format.parse(text.as_bytes())?
            }
            _ => return None,
        };
        i64::try_from(i128::from(time.as_millis()) - i128::from(self.received_at.as_millis())).ok()
    }
}

/// Without target, headers and body.
impl fmt::Debug for RefusedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedRequest")
            .field("refusal", &self.refusal)
            .field("source", &self.source)
            .field("received_at", &self.received_at)
            .finish_non_exhaustive()
    }
}
