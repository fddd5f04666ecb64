//! However a body is cut into frames, with trailers, pauses and empty frames between, the layer's verdict is that of
//! the one shot; a body over the limit or broken off is refused as such.
#![no_main]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use arbitrary::Arbitrary;
use bytes::Bytes;
use hookproof::{Refusal, UnixTime, Verified, Verifier, VerifyLayer};
use hookproof_fuzz::{NOW, Source, body_for, source};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Empty, Full};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::{Layer as _, ServiceExt as _, service_fn};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Fixed fields first, the body last: `make_seeds.py` writes the same layout.
#[derive(Arbitrary, Debug)]
struct Input {
    source: u8,
    genuine: bool,
    declared: bool,
    limit: u16,
    cuts: [u8; 16],
    body: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let source = source(input.source);
    let time = UnixTime::from_secs(NOW);
    let (headers, body) = source.delivery(&body_for(&source.scheme, time, &input.body), "evt_1", time);
    let body = if input.genuine { body } else { [&body, &b" "[..]].concat() };
    let script = Script::new(&input, &body);
    let expected = script.expected(&source.verifier, &headers, usize::from(input.limit));
    assert_eq!(through(source, &input, headers, script), expected);
});

type Verdict = Result<Bytes, Refusal>;

fn through(source: &Source, input: &Input, headers: HeaderMap, script: Script) -> Verdict {
    let layer =
        VerifyLayer::new(source.with_body_limit(usize::from(input.limit))).clock(|| UnixTime::from_secs(NOW));
    let service = layer.layer(service_fn(|request: Request<Full<Bytes>>| async move {
        let mut response = Response::new(Empty::<Bytes>::new());
        let proof: Verified<Bytes> = request.extensions().get().cloned().expect("the layer leaves a proof");
        response.extensions_mut().insert(proof);
        Ok::<_, Infallible>(response)
    }));
    let mut request = Request::post("/").body(script).expect("a request");
    *request.headers_mut() = headers;
    let response = run(service.oneshot(request)).expect("infallible");
    match response.extensions().get::<Refusal>() {
        Some(refusal) => {
            assert_eq!(response.status(), refusal.status());
            Err(*refusal)
        }
        None => Ok(response
            .extensions()
            .get::<Verified<Bytes>>()
            .cloned()
            .expect("a proof or a refusal")
            .into_body()),
    }
}

/// Polls to the end. The bodies here are always woken, so there is nothing to wait for.
fn run<F: Future>(future: F) -> F::Output {
    let _time = RUNTIME.enter();
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// What the connection does, step by step.
enum Step {
    Data(Bytes),
    Trailers,
    Pause,
    Break,
}

/// A body that follows a script.
struct Script {
    steps: VecDeque<Step>,
    declared: Option<u64>,
}

impl Script {
    /// Each cut takes its high bits as a length, and its low bits say what stands before that piece.
    fn new(input: &Input, body: &[u8]) -> Self {
        let (mut steps, mut rest) = (VecDeque::new(), body);
        for cut in input.cuts {
            match cut & 15 {
                13 => steps.push_back(Step::Pause),
                14 => steps.push_back(Step::Trailers),
                15 if cut == 0xff => steps.push_back(Step::Break),
                _ => {}
            }
            // None at all leaves the body in one piece, as most are.
            if cut == 0 {
                continue;
            }
            let (piece, after) = rest.split_at(usize::from(cut >> 4).min(rest.len()));
            steps.push_back(Step::Data(Bytes::copy_from_slice(piece)));
            rest = after;
        }
        steps.push_back(Step::Data(Bytes::copy_from_slice(rest)));
        Self { steps, declared: input.declared.then_some(body.len() as u64) }
    }

    /// The verdict that the whole body deserves, and before it whatever ends the transfer first.
    fn expected(&self, verifier: &Verifier, headers: &HeaderMap, limit: usize) -> Verdict {
        let limit = limit.max(1) as u64;
        if self.declared.is_some_and(|length| length > limit) {
            return Err(Refusal::BodyTooLarge);
        }
        let mut body = Vec::new();
        for step in &self.steps {
            match step {
                Step::Data(piece) => body.extend_from_slice(piece),
                Step::Break => return Err(Refusal::BodyIncomplete),
                Step::Trailers | Step::Pause => {}
            }
            if body.len() as u64 > limit {
                return Err(Refusal::BodyTooLarge);
            }
        }
        verifier.verify(headers, Bytes::from(body), UnixTime::from_secs(NOW)).map(Verified::into_body)
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(piece)) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            Some(Step::Trailers) => Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new())))),
            Some(Step::Break) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
