//! What a server, or a log, sees of the layer around a service.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{Empty, Full};
use tower::{Layer as _, Service as _, ServiceExt, service_fn};

use super::behind::{genuine, layer, request};

async fn created(_: Request<Full<Bytes>>) -> Result<Response<Empty<Bytes>>, std::convert::Infallible> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// A server that is told so sends an answer in one piece, and keeps HTTP/2 from an empty frame.
#[tokio::test]
async fn an_answer_that_is_empty_is_at_its_end() {
    let service = layer().layer(service_fn(created));
    let inner = service.clone().oneshot(genuine()).await.unwrap();
    assert_eq!(inner.status(), StatusCode::CREATED);
    assert!(inner.body().is_end_stream(), "the service's own");

    let refused = service.oneshot(request(HeaderMap::new(), Full::new(Bytes::new()))).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(!refused.body().is_end_stream(), "a refusal has a text");
}

/// Neither needs anything of what it wraps; a request in flight shows nothing.
#[tokio::test]
async fn services_and_requests_in_flight_can_be_printed() {
    let mut service = layer().layer(service_fn(created));
    let shown = format!("{service:?}");
    assert!(shown.starts_with("VerifyService { inner: ServiceFn") && shown.contains("stripe"), "{shown}");
    let ready = ServiceExt::<Request<Full<Bytes>>>::ready(&mut service).await.unwrap();
    let in_flight = ready.call(genuine());
    assert_eq!(format!("{in_flight:?}"), "ResponseFuture { .. }");
}
