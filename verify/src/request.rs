//! The view of a request that a scheme reads: method, path and query, headers.

use http::{HeaderMap, Method, Request, request::Parts};

/// What of a request is needed to verify it. Borrowed; cheap to make from [`http`] types.
///
/// ```
/// let request = http::Request::post("/hooks/github?x=1").body(()).unwrap();
/// let view = hookproof::RequestView::from(&request);
/// assert_eq!(view.path_and_query, "/hooks/github?x=1");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method; only a few schemes sign it.
    pub method: &'a Method,
    /// Path and query exactly as received; only a few schemes sign it, together with the verifier's public URL.
    pub path_and_query: &'a str,
    /// The headers, in order, with duplicates.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestView<'a> {
    #[inline]
    fn new(method: &'a Method, uri: &'a http::Uri, headers: &'a HeaderMap) -> Self {
        // An absolute-form target (`GET http://other/..`) names a host that the sender chose: only its path counts.
        let path_and_query = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Self { method, path_and_query, headers }
    }
}

impl<'a> From<&'a Parts> for RequestView<'a> {
    #[inline]
    fn from(parts: &'a Parts) -> Self {
        Self::new(&parts.method, &parts.uri, &parts.headers)
    }
}

impl<'a, B> From<&'a Request<B>> for RequestView<'a> {
    #[inline]
    fn from(request: &'a Request<B>) -> Self {
        Self::new(request.method(), request.uri(), request.headers())
    }
}

impl<'a> From<&'a HeaderMap> for RequestView<'a> {
    /// For schemes that sign neither method nor URL: a `POST` to `/`.
    #[inline]
    fn from(headers: &'a HeaderMap) -> Self {
        Self { method: &Method::POST, path_and_query: "/", headers }
    }
}
