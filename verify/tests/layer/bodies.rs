//! Bodies that do what a test says, and tell what was asked of them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

pub(crate) enum Step {
    Data(&'static [u8]),
    Trailers(HeaderMap),
    Break,
    /// Nothing yet, but soon.
    Pause,
    /// Nothing more, for ever.
    Stall,
    /// Empty frames, for ever, each of them at once.
    Spin,
}

pub(crate) struct Scripted {
    steps: VecDeque<Step>,
    declared: Option<u64>,
    ended: bool,
    polled: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), declared: None, ended: false, polled: Arc::default() }
    }

    pub(crate) fn declared(mut self, bytes: u64) -> Self {
        self.declared = Some(bytes);
        self
    }

    /// How often a frame was asked for; its strong count tells whether the body is still held.
    pub(crate) fn polled(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.polled)
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = self.polled.fetch_add(1, Ordering::Relaxed);
        assert!(polled < 50_000_000, "nothing ends the reading");
        match self.steps.pop_front() {
            None => {
                assert!(!std::mem::replace(&mut self.ended, true), "asked again after it had ended");
                Poll::Ready(None)
            }
            Some(Step::Data(piece)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece))))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Break) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            Some(Step::Pause) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Stall) => {
                self.steps.push_front(Step::Stall);
                Poll::Pending
            }
            Some(Step::Spin) => {
                self.steps.push_front(Step::Spin);
                Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
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
