use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use crate::refusal::Refusal;

pin_project! {
    /// The body of a response: of the service behind the layer, or of a refusal.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Refusal { #[pin] body: Full<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }
}

/// The same bytes for every reason of one status. The reason is for those around the layer, in the extensions.
pub(crate) fn refusal_response<B>(refusal: Refusal) -> Response<ResponseBody<B>> {
    let text = match refusal.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => "payload too large\n",
        http::StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type\n",
        http::StatusCode::REQUEST_TIMEOUT => "request timeout\n",
        _ => "unauthorized\n",
    };
    let body = Kind::Refusal { body: Full::from(text) };
    let mut response = Response::new(ResponseBody { kind: body });
    *response.status_mut() = refusal.status();
    let plain = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.extensions_mut().insert(refusal);
    response
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.project().kind.project() {
            KindProj::Inner { body } => body.poll_frame(cx),
            KindProj::Refusal { body } => body.poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Refusal { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Refusal { body } => body.size_hint(),
        }
    }
}
