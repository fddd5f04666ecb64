use http::Method;

use crate::refusal::Refusal;
use crate::replay_guard::GuardError;

/// What the layer decided about a request, for the log and the metrics. It holds nothing of body and headers.
///
/// There is one for every request, and a second one only for [`Outcome::NotRemembered`]. A request whose sender left before
/// a decision is not observed. The path, the method and every other text but `source`,
/// `scheme` and `key_id` were chosen by whoever sent the request: escape them in a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observation<'a> {
    /// What was decided.
    pub outcome: Outcome,
    /// The source's name; `None` if the request belongs to none that is known, or was decided before that was asked.
    pub source: Option<&'a str>,
    /// The scheme's name, under the same condition.
    pub scheme: Option<&'a str>,
    /// The key that verified; `None` unless the signature held.
    pub key_id: Option<&'a str>,
    /// Signed time minus the clock at receipt, in milliseconds: negative for a delivery from the past. `None` unless the
    /// signature held and covers a time. Where that is the time of the event, this is the event's age.
    pub skew_millis: Option<i64>,
    /// The method.
    pub method: &'a Method,
    /// The path, without the query.
    pub path: &'a str,
    /// What is wrong with the replay guard, where that is the reason.
    pub guard_error: Option<&'a GuardError>,
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The delivery was handed on.
    Accepted,
    /// A provider's challenge was answered.
    Challenged,
    /// The request was refused; or, with [`Refusal::Replayed`], answered without the service behind.
    Refused(Refusal),
    /// The service behind did the delivery, but the guard could not record it: a replay will be done again. The answer was
    /// not changed, because a retry would surely be done again.
    NotRemembered,
}

impl Outcome {
    /// A stable word for a log or a label: `accepted`, `challenged`, `not_remembered`, or the refusal's code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Challenged => "challenged",
            Self::Refused(refusal) => refusal.code(),
            Self::NotRemembered => "not_remembered",
        }
    }
}
