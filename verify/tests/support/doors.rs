//! The ways in, which must agree on every request.

use std::convert::Infallible;

use bytes::Bytes;
use hookproof::{Refusal, RequestView, Verified, VerifyLayer};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{Empty, Full, StreamBody};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::vector_file::Case;

pub const COUNT: usize = 4;

type Verdict = Result<Verified<Bytes>, Refusal>;

pub fn all(case: &Case) -> [(&'static str, Verdict); COUNT] {
    let whole = Full::new(Bytes::copy_from_slice(&case.body));
    [
        ("verify", at_once(case)),
        ("incremental", in_pieces(case)),
        ("layer", through_the_layer(case, pieces(case))),
        ("layer, body with the head", through_the_layer(case, whole)),
    ]
}

fn request<B>(case: &Case, body: B) -> Request<B> {
    let mut request =
        Request::builder().method(case.method.clone()).uri(case.uri.clone()).body(body).unwrap();
    *request.headers_mut() = case.headers.clone();
    request
}

fn at_once(case: &Case) -> Verdict {
    case.verifier.verify(&request(case, ()), case.body.clone(), case.now)
}

fn in_pieces(case: &Case) -> Verdict {
    let request = request(case, ());
    let mut pending = case.verifier.begin(RequestView::from(&request), case.now)?;
    // Prime lengths, so that pieces straddle every block boundary of the hash.
    for piece in case.body.chunks(61) {
        pending.update(piece)?;
    }
    pending.finish()
}

fn through_the_layer(case: &Case, body: impl Body) -> Verdict {
    let now = case.now;
    let layer = VerifyLayer::new(case.verifier.clone()).clock(move || now);
    let service = layer.layer(service_fn(|request: Request<Full<Bytes>>| async move {
        let mut response = Response::new(Empty::<Bytes>::new());
        let proof: Verified<Bytes> = request.extensions().get().cloned().expect("the layer leaves a proof");
        response.extensions_mut().insert(proof);
        Ok::<_, Infallible>(response)
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let response = runtime.block_on(service.oneshot(request(case, body))).unwrap();
    match response.extensions().get::<Refusal>() {
        Some(refusal) => {
            assert_eq!(response.status(), refusal.status(), "{}", case.id);
            Err(*refusal)
        }
        None => Ok(response.extensions().get().cloned().expect("a proof or a refusal")),
    }
}

/// Without a length that is known before.
fn pieces(case: &Case) -> impl Body<Data = Bytes> {
    let pieces =
        case.body.chunks(997).map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))));
    StreamBody::new(Pieces(pieces.collect::<Vec<_>>().into_iter()))
}

/// An iterator as a stream that is always ready.
struct Pieces<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Pieces<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
