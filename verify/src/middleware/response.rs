use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use crate::refusal::Refusal;

pin_project! {
    /// The body of a response: of the service behind the layer, or of the layer.
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
        Own { #[pin] body: Full<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }

    pub(crate) fn own(body: Bytes) -> Self {
        Self { kind: Kind::Own { body: Full::from(body) } }
    }
}

/// When a sender may come again whose delivery is at work or could not be looked up, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// The same bytes for every reason of one status. The reason is for those around the layer, in the extensions.
pub(crate) fn refusal_response(refusal: Refusal, status: StatusCode) -> Response<Bytes> {
    let text = match status {
        StatusCode::OK => "received\n",
        StatusCode::SERVICE_UNAVAILABLE => "service unavailable\n",
        StatusCode::PAYLOAD_TOO_LARGE => "payload too large\n",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type\n",
        StatusCode::REQUEST_TIMEOUT => "request timeout\n",
        _ => "unauthorized\n",
    };
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
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
            KindProj::Own { body } => body.poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Own { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Own { body } => body.size_hint(),
        }
    }
}
