use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::request::Parts;
use http::{Method, Response, Uri};
use http_body::Body;

use crate::head::{Head, Signed};
use crate::middleware::challenge::Before;
use crate::middleware::hold::{Claimed, Hold};
use crate::middleware::observation::{Observation, Outcome};
use crate::middleware::refused::RefusedRequest;
use crate::middleware::settings::Settings;
use crate::middleware::source::Source;
use crate::pending::Pending;
use crate::refusal::Refusal;
use crate::replay_guard::{GuardError, GuardFuture};
use crate::request::RequestView;
use crate::timestamp::UnixTime;
use crate::verified::{Observed, Verified};

/// A request on its way through the layer: what was decided for it, and where that is told.
pub(crate) struct Delivery {
    pub(crate) settings: Arc<Settings>,
    /// Where sources are chosen. The one that all requests have is not copied: counting its users costs.
    chosen: Option<Source>,
    pub(crate) parts: Parts,
    now: UnixTime,
    /// What was learnt from the request, for its proof.
    observed: Observed,
}

/// A verdict that is none of a proof.
pub(crate) struct NotProven {
    pub(crate) refusal: Refusal,
    /// All of the body, where it was received before the verdict.
    body: Option<Bytes>,
}

/// What came of a first look at a request.
pub(crate) enum Look {
    Proven(Signed),
    /// Some of it is here; the rest may be, too.
    Arriving(Pending),
    /// There was nothing to read yet.
    Waiting(Pending),
}

impl From<Refusal> for NotProven {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, body: None }
    }
}

/// What follows from the head of a request.
pub(crate) enum Begun {
    /// The body is to be received. In a box, for it goes from state to state.
    Receiving(Box<Delivery>),
    /// The head sufficed.
    Answered(Response<Bytes>),
    /// The head sufficed, and something is to be stored before it is answered.
    Answering(Answering),
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

impl Delivery {
    /// What is decided before any header is read that a scheme has.
    pub(crate) fn begin(settings: Arc<Settings>, parts: Parts) -> Begun {
        let now = settings.now();
        if let Some(begun) = challenge(&settings, &parts, now) {
            return begun;
        }
        if !settings.methods.contains(&parts.method) {
            let refusal = Refusal::MethodNotAllowed;
            settings.observe(&observation(Outcome::Refused(refusal), &parts.method, &parts.uri));
            settings.keep(|| RefusedRequest::new(refusal, &parts, now));
            return Begun::Answered(settings.answer_to(refusal));
        }
        let chosen = settings.sources.choose(&parts);
        let observed = Observed::default();
        Begun::Receiving(Box::new(Self { settings, chosen, parts, now, observed }))
    }

    /// Reads the headers, and then what has arrived of the body. Most bodies are there with their headers, in one piece:
    /// they are proven where they are, and nothing is kept for the next look.
    pub(crate) fn look<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Result<Look, NotProven> {
        let request = RequestView::from(&self.parts);
        let (source, _) = self.settings.sources.source(self.chosen.as_ref());
        let verifier = source.verifier();
        let mut head = Head::new(verifier, &request, self.now);
        head.read(&mut self.observed)?;
        // The body knows the length that the framing promises; a header may be missing or lie.
        let length = body.size_hint().exact().map(|bytes| verifier.check_length(bytes)).transpose()?;
        let polled = body.as_mut().poll_frame(cx);
        let waiting = polled.is_pending();
        let (whole, piece) = match polled {
            Poll::Pending => (None, None),
            Poll::Ready(None) => (Some(Bytes::new()), None),
            Poll::Ready(Some(Err(_))) => return Err(Refusal::BodyIncomplete.into()),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) if length == Some(data.remaining()) && body.is_end_stream() => {
                    (Some(data.copy_to_bytes(data.remaining())), None)
                }
                // What is no data is a trailer, and counts for nothing.
                data => (None, data.ok()),
            },
        };
        if let Some(body) = whole {
            let concluded = head.signed(body, &mut self.observed);
            return self.if_known(concluded).map(Look::Proven);
        }
        let mut pending = head.into_pending(mem::take(&mut self.observed));
        pending.expect(length.unwrap_or_default());
        piece.map_or(Ok(()), |mut piece| pending.take(&mut piece))?;
        Ok(if waiting { Look::Waiting(pending) } else { Look::Arriving(pending) })
    }

    /// The verdict about a body that came by and by.
    pub(crate) fn conclude(&mut self, pending: Pending) -> Result<Signed, NotProven> {
        let concluded = pending.conclude(&mut self.observed);
        self.if_known(concluded)
    }

    /// The decoy's verdict is never a good one.
    fn if_known(&self, concluded: Result<Signed, (Refusal, Bytes)>) -> Result<Signed, NotProven> {
        match concluded {
            Ok(signed) if self.known().is_some() => Ok(signed),
            Ok(_) => Err(Refusal::UnknownSource.into()),
            Err((refusal, body)) => Err(NotProven { refusal, body: Some(body) }),
        }
    }

    /// The proof, once.
    #[inline]
    pub(crate) fn proof(&mut self, signed: Signed) -> Verified<Bytes> {
        signed.into_proof(mem::take(&mut self.observed))
    }

    /// By whom it is verified.
    fn source(&self) -> &Source {
        self.settings.sources.source(self.chosen.as_ref()).0
    }

    /// The same, if it is its own source and not the decoy.
    fn known(&self) -> Option<&Source> {
        let (source, its_own) = self.settings.sources.source(self.chosen.as_ref());
        its_own.then_some(source)
    }

    /// The answer, if this is a signed challenge.
    pub(crate) fn challenged(&self, proof: &Verified<Bytes>) -> Option<Response<Bytes>> {
        let verifier = self.source().verifier();
        let answer = self.settings.handshakes.iter().find_map(|each| each.after(verifier, proof))?;
        Some(match answer {
            Ok(answer) => {
                self.observe(Outcome::Challenged, Some(proof), None);
                answer
            }
            Err(refusal) => self.refuse_proven(refusal, proof, None),
        })
    }

    /// Asks the replay guard, if there is one.
    pub(crate) fn claim(
        &self,
        proof: &Verified<Bytes>,
    ) -> Option<Result<GuardFuture<'static, Claimed>, Refusal>> {
        let guard = self.settings.guard.as_ref()?;
        // Checked when the layer was built, but for a source that was chosen just now.
        if self.source().check_guard(guard.retention()).is_err() {
            return Some(Err(Refusal::ReplayGuardUnavailable));
        }
        let key = self.source().replay_key(proof);
        Some(Ok(Hold::claim(Arc::clone(guard), key, self.settings.now())))
    }

    pub(crate) fn refuse(&self, NotProven { refusal, body }: NotProven) -> Response<Bytes> {
        self.refuse_as(refusal, body, None, None)
    }

    /// A refusal of what is genuine.
    pub(crate) fn refuse_proven(
        &self,
        refusal: Refusal,
        proof: &Verified<Bytes>,
        error: Option<&GuardError>,
    ) -> Response<Bytes> {
        self.refuse_as(refusal, None, Some(proof), error)
    }

    fn refuse_as(
        &self,
        refusal: Refusal,
        body: Option<Bytes>,
        proof: Option<&Verified<Bytes>>,
        guard_error: Option<&GuardError>,
    ) -> Response<Bytes> {
        // The log tells a wrong address from a wrong key; the answer does not.
        let known = self.known();
        let of_stranger = known.is_none() && refusal.status() == http::StatusCode::UNAUTHORIZED;
        let refusal = if of_stranger { Refusal::UnknownSource } else { refusal };
        self.observe(Outcome::Refused(refusal), proof, guard_error);
        self.settings.keep(|| {
            let refused = RefusedRequest::new(refusal, &self.parts, self.now);
            match known {
                Some(source) => refused.of_source(source.name(), source.verifier()).with_body(body),
                None => refused,
            }
        });
        self.settings.answer_to(refusal)
    }

    pub(crate) fn accepted(&self, proof: &Verified<Bytes>) {
        self.observe(Outcome::Accepted, Some(proof), None);
    }

    fn observe(&self, outcome: Outcome, proof: Option<&Verified<Bytes>>, guard_error: Option<&GuardError>) {
        let known = self.known();
        self.settings.observe(&Observation {
            source: known.map(Source::name),
            scheme: known.map(|source| source.verifier().scheme().name()),
            key_id: proof.map(Verified::key_id),
            skew_millis: proof.and_then(|proof| skew(proof, self.now)),
            guard_error,
            ..observation(outcome, &self.parts.method, &self.parts.uri)
        });
    }

    /// What is needed when the service has answered.
    pub(crate) fn afterwards(&self, proof: &Verified<Bytes>, hold: Hold) -> Afterwards {
        Afterwards {
            settings: Arc::clone(&self.settings),
            source: self.source().clone(),
            method: self.parts.method.clone(),
            uri: self.parts.uri.clone(),
            key_id: proof.key_id().to_owned(),
            skew_millis: skew(proof, self.now),
            hold: Some(hold),
        }
    }
}

/// What is left to do when the service behind has answered. Dropped before, it gives the claim back.
pub(crate) struct Afterwards {
    settings: Arc<Settings>,
    source: Source,
    method: Method,
    uri: Uri,
    key_id: String,
    skew_millis: Option<i64>,
    hold: Option<Hold>,
}

impl Afterwards {
    /// Records that the delivery was done.
    pub(crate) fn commit(&mut self) -> Option<GuardFuture<'static, ()>> {
        let now = self.settings.now();
        self.hold.take().map(|hold| hold.commit(now))
    }

    pub(crate) fn not_remembered(&self, error: &GuardError) {
        self.settings.observe(&Observation {
            source: Some(self.source.name()),
            scheme: Some(self.source.verifier().scheme().name()),
            key_id: Some(&self.key_id),
            skew_millis: self.skew_millis,
            guard_error: Some(error),
            ..observation(Outcome::NotRemembered, &self.method, &self.uri)
        });
    }
}

/// What is done about an unsigned challenge, if this is one.
fn challenge(settings: &Arc<Settings>, parts: &Parts, now: UnixTime) -> Option<Begun> {
    let before = settings.handshakes.iter().find_map(|each| each.before(parts, now))?;
    let (settings, method, uri) = (Arc::clone(settings), parts.method.clone(), parts.uri.clone());
    // An answer that waits for something outlives the request.
    let parts = settings.keeper.is_some().then(|| parts.clone());
    let conclude = move |answer: Result<Response<Bytes>, Refusal>| {
        let outcome =
            answer.as_ref().map_or_else(|refusal| Outcome::Refused(*refusal), |_| Outcome::Challenged);
        settings.observe(&observation(outcome, &method, &uri));
        answer.unwrap_or_else(|refusal| {
            if let Some(parts) = &parts {
                settings.keep(|| RefusedRequest::new(refusal, parts, now));
            }
            settings.answer_to(refusal)
        })
    };
    Some(match before {
        Before::Answer(answer) => Begun::Answered(conclude(answer)),
        Before::Wait(stored) => Begun::Answering(Box::pin(async move { conclude(stored.await) })),
    })
}

fn observation<'a>(outcome: Outcome, method: &'a Method, uri: &'a Uri) -> Observation<'a> {
    Observation {
        outcome,
        source: None,
        scheme: None,
        key_id: None,
        skew_millis: None,
        method,
        path: uri.path(),
        guard_error: None,
    }
}

/// Signed time minus clock, in milliseconds.
fn skew(proof: &Verified<Bytes>, now: UnixTime) -> Option<i64> {
    let (signed, now) = (i128::from(proof.timestamp()?.as_millis()), i128::from(now.as_millis()));
    i64::try_from(signed - now).ok()
}
