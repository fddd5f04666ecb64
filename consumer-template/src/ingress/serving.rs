//! What connections are served with: exchanged as a whole while they are open.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::HttpBody;
use axum::http::Request;
use bytes::Bytes;
use tower::Service as _;

use crate::config::ServerConfig;

/// A router and the limits of connections, for every connection that there is.
///
/// A request is served to its end with the router that was there when its head had arrived; the next one on the same connection
/// with the one that is there then. A connection keeps the limits that it began with.
#[derive(Clone)]
pub struct Serving(Arc<ArcSwap<Current>>);

struct Current {
    router: Router,
    limits: ServerConfig,
}

impl Serving {
    /// Serves with these until they are replaced.
    #[must_use]
    pub fn new(router: Router, limits: ServerConfig) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Current { router, limits })))
    }

    /// Serves with these from the next request and the next connection on.
    pub fn replace(&self, router: Router, limits: ServerConfig) {
        self.0.store(Arc::new(Current { router, limits }));
    }

    pub(super) fn limits(&self) -> ServerConfig {
        self.0.load().limits.clone()
    }
}

/// A router is always ready, and cloning it copies a pointer.
impl<B> hyper::service::Service<Request<B>> for Serving
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = axum::routing::future::RouteFuture<Self::Error>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let mut router = self.0.load().router.clone();
        router.call(request)
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}
