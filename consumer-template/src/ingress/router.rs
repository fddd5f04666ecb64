//! From a path to a source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, on_service, post};
use hookproof::{Refusal, VerifyLayer};
use tower::Layer as _;

use crate::clock::Clock;
use crate::inbox::Inbox;
use crate::ingress::accept::{Begun, Endpoint, accept};
use crate::ingress::answer::not_found;
use crate::source::Source;

/// One route per source, each behind its own verifier; everything else is 404.
pub fn router(
    sources: &[Source],
    inbox: &Arc<dyn Inbox>,
    clock: &Arc<dyn Clock>,
    body_timeout: Duration,
) -> Router {
    let mut router = Router::new();
    for source in sources {
        let now = Arc::clone(clock);
        let mut verify =
            VerifyLayer::new(source.verifier.clone()).body_timeout(body_timeout).clock(move || now.now());
        let mut methods = MethodFilter::POST;
        if let Some(handshake) = &source.handshake {
            verify = verify.handshake(handshake.clone());
            // Challenges come by `GET` and `OPTIONS`, too. What is none is refused like a bad signature.
            methods = methods.or(MethodFilter::GET).or(MethodFilter::OPTIONS);
        }
        let endpoint =
            Endpoint { source: source.clone(), inbox: Arc::clone(inbox), clock: Arc::clone(clock) };
        // Around these methods alone: another one is 405 before it is looked at.
        let verified = verify.layer(post(accept).with_state(endpoint));
        let route =
            on_service(methods, verified).layer(from_fn_with_state(Arc::clone(&source.name), note_refusal));
        router = router.route(&source.path, route);
    }
    router.fallback(not_found)
}

/// Notes when a request began. The reason of a refusal goes into the log, never into the answer.
async fn note_refusal(
    axum::extract::State(source): axum::extract::State<Arc<str>>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Begun(Instant::now()));
    let response = next.run(request).await;
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        tracing::warn!(%source, reason = refusal.code(), "refused");
    }
    response
}
