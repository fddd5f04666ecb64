//! From a path to a source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, on_service, post};
use tower::Layer as _;
use tower::util::MapRequestLayer;

use crate::clock::Clock;
use crate::inbox::Inbox;
use crate::ingress::accept::{Begun, Endpoint, accept};
use crate::ingress::answer::not_found;
use crate::ingress::door::door;
use crate::refused::Collector;
use crate::source::Source;

/// One route per source, each behind its own verifier; everything else is 404. What is refused is noted by `refused`: the reason
/// goes into the log, never into the answer.
pub fn router(
    sources: &[Source],
    inbox: &Arc<dyn Inbox>,
    clock: &Arc<dyn Clock>,
    refused: &Collector,
    body_timeout: Duration,
) -> Router {
    let mut router = Router::new();
    for source in sources {
        let now = Arc::clone(clock);
        let desk = refused.desk(&source.name, source.quarantine);
        let door = door(source, body_timeout, move || now.now()).refused(move |request| desk.note(request));
        let mut methods = MethodFilter::POST;
        if source.handshake.is_some() {
            // Challenges come by `GET` and `OPTIONS`, too. What is none is refused like a bad signature.
            methods = methods.or(MethodFilter::GET).or(MethodFilter::OPTIONS);
        }
        let endpoint =
            Endpoint { source: source.clone(), inbox: Arc::clone(inbox), clock: Arc::clone(clock) };
        // Around these methods alone: another one is 405 before it is looked at.
        let verified = door.layer(post(accept).with_state(endpoint));
        let timed = MapRequestLayer::new(|mut request: Request| {
            request.extensions_mut().insert(Begun(Instant::now()));
            request
        });
        router = router.route(&source.path, on_service(methods, verified).layer(timed));
    }
    router.fallback(not_found)
}
