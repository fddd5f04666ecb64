use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use crate::head::Signed;
use crate::middleware::delivery::{Afterwards, Answering, Delivery, Look, NotProven};
use crate::middleware::hold::{Claimed, Hold};
use crate::middleware::response::ResponseBody;
use crate::pending::Pending;
use crate::refusal::Refusal;
use crate::replay_guard::{GuardError, GuardFuture};
use crate::verified::Verified;

/// How many frames are taken at a time, before the timer and other tasks have their turn: frames that are always there,
/// empty ones even, must not keep a thread for themselves.
const FRAMES_PER_TURN: usize = 64;

pin_project! {
    /// Reads the head, receives and verifies the body, then calls the service behind the layer.
    pub struct ResponseFuture<S, B, ReqBody>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, S::Response, ReqBody>,
        next_body: std::marker::PhantomData<fn() -> B>,
    }
}

pin_project! {
    // What few deliveries need is in boxes: every future is as large as the largest state, and is moved.
    #[project = StateProj]
    enum State<S, F, R, ReqBody> {
        Reading {
            reader: Option<Reader<S>>,
            #[pin]
            body: ReqBody,
            // Set when the body has to be waited for: most are there with the head, and a timer costs.
            deadline: Option<Pin<Box<Sleep>>>,
        },
        Claiming {
            claim: GuardFuture<'static, Claimed>,
            proven: Option<Box<Proven<S>>>,
        },
        // Dropped in this order: the work ends before its claim is given back.
        Calling {
            #[pin]
            future: F,
            afterwards: Option<Box<Afterwards>>,
        },
        Committing {
            commit: GuardFuture<'static, ()>,
            response: Option<R>,
            afterwards: Box<Afterwards>,
        },
        Answering { answer: Answering },
        Answered { answer: Option<Response<Bytes>> },
    }
}

/// What is kept while the body arrives.
struct Reader<S> {
    service: S,
    delivery: Box<Delivery>,
    /// From the second look on.
    pending: Option<Pending>,
}

/// A genuine delivery on its way to the service.
struct Proven<S> {
    service: S,
    delivery: Box<Delivery>,
    proof: Verified<Bytes>,
}

impl<S, B, ReqBody> ResponseFuture<S, B, ReqBody>
where
    S: Service<Request<B>>,
{
    pub(crate) fn reading(service: S, delivery: Box<Delivery>, body: ReqBody) -> Self {
        let reader = Some(Reader { service, delivery, pending: None });
        Self::new(State::Reading { reader, body, deadline: None })
    }

    pub(crate) fn answered(answer: Response<Bytes>) -> Self {
        Self::new(State::answered(answer))
    }

    pub(crate) fn answering(answer: Answering) -> Self {
        Self::new(State::Answering { answer })
    }

    fn new(state: State<S, S::Future, S::Response, ReqBody>) -> Self {
        Self { state, next_body: std::marker::PhantomData }
    }
}

impl<S, B, ReqBody, ResBody> Future for ResponseFuture<S, B, ReqBody>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: From<Bytes>,
    ReqBody: Body,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const TAKEN: &str = "not polled after it was ready";
        let mut this = self.project();
        loop {
            // What a state holds as an option is taken once: the state changes right below.
            let next = match this.state.as_mut().project() {
                StateProj::Reading { reader, body, deadline } => {
                    let reading = reader.as_mut().expect(TAKEN);
                    let concluded = match reading.poll_proof(body, cx) {
                        Poll::Ready(concluded) => concluded,
                        Poll::Pending => {
                            let timeout = reading.delivery.settings.body_timeout;
                            let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
                            ready!(deadline.as_mut().poll(cx));
                            Err(Refusal::BodyTimeout.into())
                        }
                    };
                    reader.take().expect(TAKEN).conclude(concluded)
                }
                StateProj::Claiming { claim, proven } => {
                    let claimed = ready!(claim.as_mut().poll(cx));
                    proven.take().expect(TAKEN).claimed(claimed)
                }
                StateProj::Calling { future, afterwards } => {
                    let answered = ready!(future.poll(cx));
                    // Taken also where it failed: the claim ends with the work, not when somebody drops this future.
                    let afterwards = afterwards.take();
                    let response = answered?;
                    let done = afterwards.filter(|_| response.status().is_success());
                    match done.and_then(|mut done| Some((done.commit()?, done))) {
                        None => return Poll::Ready(Ok(response.map(ResponseBody::inner))),
                        Some((commit, afterwards)) => {
                            State::Committing { commit, response: Some(response), afterwards }
                        }
                    }
                }
                StateProj::Committing { commit, response, afterwards } => {
                    if let Err(error) = ready!(commit.as_mut().poll(cx)) {
                        afterwards.not_remembered(&error);
                    }
                    let response = response.take().expect(TAKEN);
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProj::Answering { answer } => {
                    return Poll::Ready(Ok(ready!(answer.as_mut().poll(cx)).map(ResponseBody::own)));
                }
                StateProj::Answered { answer } => {
                    return Poll::Ready(Ok(answer.take().expect(TAKEN).map(ResponseBody::own)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S> Reader<S> {
    /// Feeds what has arrived to the verifier; ready when the body is complete or condemned.
    fn poll_proof<ReqBody: Body>(
        &mut self,
        mut body: Pin<&mut ReqBody>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Signed, NotProven>> {
        let pending = match &mut self.pending {
            Some(pending) => pending,
            None => match self.delivery.look(body.as_mut(), cx)? {
                Look::Proven(signed) => return Poll::Ready(Ok(signed)),
                Look::Arriving(pending) => self.pending.insert(pending),
                Look::Waiting(pending) => {
                    self.pending = Some(pending);
                    return Poll::Pending;
                }
            },
        };
        for _ in 0..FRAMES_PER_TURN {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => {
                    let pending = self.pending.take().expect("it was there above");
                    return Poll::Ready(self.delivery.conclude(pending));
                }
                Some(Err(_)) => return Poll::Ready(Err(Refusal::BodyIncomplete.into())),
                Some(Ok(frame)) => {
                    // What is no data is a trailer, and counts for nothing.
                    let Ok(mut data) = frame.into_data() else { continue };
                    pending.take(&mut data)?;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What follows from the verdict.
    fn conclude<B, ReqBody>(
        self,
        concluded: Result<Signed, NotProven>,
    ) -> State<S, S::Future, S::Response, ReqBody>
    where
        S: Service<Request<B>>,
        B: From<Bytes>,
    {
        let Self { service, mut delivery, .. } = self;
        let proof = match concluded {
            Err(not_proven) => return State::answered(delivery.refuse(not_proven)),
            Ok(signed) => delivery.proof(signed),
        };
        if let Some(answer) = delivery.challenged(&proof) {
            return State::answered(answer);
        }
        match delivery.claim(&proof) {
            None => Proven { service, delivery, proof }.call(None),
            Some(Ok(claim)) => {
                let proven = Some(Box::new(Proven { service, delivery, proof }));
                State::Claiming { claim, proven }
            }
            Some(Err(refusal)) => State::answered(delivery.refuse_proven(refusal, &proof, None)),
        }
    }
}

impl<S> Proven<S> {
    /// What follows from the guard's answer.
    fn claimed<B, ReqBody>(
        self,
        claimed: Result<Claimed, GuardError>,
    ) -> State<S, S::Future, S::Response, ReqBody>
    where
        S: Service<Request<B>>,
        B: From<Bytes>,
    {
        let (refusal, error) = match claimed {
            Ok(Claimed::Ours(hold)) => return self.call(Some(hold)),
            Ok(Claimed::InProgress) => (Refusal::ReplayInProgress, None),
            Ok(Claimed::Done) => (Refusal::Replayed, None),
            Err(error) => (Refusal::ReplayGuardUnavailable, Some(error)),
        };
        State::answered(self.delivery.refuse_proven(refusal, &self.proof, error.as_ref()))
    }

    fn call<B, ReqBody>(self, hold: Option<Hold>) -> State<S, S::Future, S::Response, ReqBody>
    where
        S: Service<Request<B>>,
        B: From<Bytes>,
    {
        let Self { mut service, mut delivery, proof } = self;
        delivery.accepted(&proof);
        let afterwards = hold.map(|hold| Box::new(delivery.afterwards(&proof, hold)));
        let body = B::from(proof.body().clone());
        delivery.parts.extensions.insert(proof);
        State::Calling { future: service.call(Request::from_parts(delivery.parts, body)), afterwards }
    }
}

impl<S, F, R, ReqBody> State<S, F, R, ReqBody> {
    fn answered(answer: Response<Bytes>) -> Self {
        Self::Answered { answer: Some(answer) }
    }
}

impl<S: Service<Request<B>>, B, ReqBody> fmt::Debug for ResponseFuture<S, B, ReqBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
