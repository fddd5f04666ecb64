//! Challenges through the layer: the unsigned before verification, the signed after it, none of them to the service.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use crate::behind::{NOW, Seen, Strict, genuine, key, named, on_time, request};
use crate::guards::{Habit, Moody, Notebook};
use bytes::Bytes;
use hookproof::handshake::{AllowedOrigins, AsanaRegistration, VerifyToken};
use hookproof::middleware::{Handshake, Source};
use hookproof::{Outgoing, Refusal, Scheme, Signer, UnixTime, Verifier, VerifyLayer, schemes};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};

const SECRET: &str = "b537207f20cbfa02357cf448134da559";

async fn through(layer: &VerifyLayer, request: Request<Full<Bytes>>) -> (Seen, usize) {
    let strict = Strict::default();
    let calls = strict.calls();
    let seen = Seen::of(layer.layer(strict).oneshot(request).await.unwrap()).await;
    (seen, calls.load(Ordering::Relaxed))
}

fn get(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

fn signed(scheme: &Scheme, body: &'static str) -> Request<Full<Bytes>> {
    let outgoing = Outgoing::new(body.as_bytes()).timestamp(UnixTime::from_secs(NOW));
    let headers = Signer::new(scheme, &key()).unwrap().sign(&outgoing).unwrap();
    request(headers, Full::from(body))
}

fn layer_for(scheme: &Scheme) -> VerifyLayer {
    let verifier = Verifier::builder(scheme.clone()).key(key()).build().unwrap();
    on_time(VerifyLayer::new(Source::new("in", verifier)))
}

fn all_unsigned() -> VerifyLayer {
    named("in")
        .handshake(Handshake::meta(VerifyToken::new("the-verify-token").unwrap()))
        .handshake(Handshake::dropbox())
        .handshake(Handshake::cloud_events(AllowedOrigins::new(["eventgrid.azure.net"]).unwrap()))
}

fn options() -> Request<Full<Bytes>> {
    let mut options = get("/in");
    *options.method_mut() = Method::OPTIONS;
    options.headers_mut().insert("webhook-request-origin", "eventgrid.azure.net".parse().unwrap());
    options
}

#[tokio::test]
async fn unsigned_challenges_are_answered_before_verification() {
    let notebook = Notebook::default();
    let layer = all_unsigned().observer(notebook.observer());
    let meta = get("/in?hub.mode=subscribe&hub.challenge=77&hub.verify_token=the-verify-token");
    let (seen, calls) = through(&layer, meta).await;
    assert_eq!((seen.status, &*seen.body, calls), (StatusCode::OK, &b"77"[..], 0));
    let (seen, calls) = through(&layer, get("/in?challenge=78")).await;
    assert_eq!((seen.status, &*seen.body, calls), (StatusCode::OK, &b"78"[..], 0));
    let (seen, calls) = through(&layer, options()).await;
    assert_eq!((seen.status, calls), (StatusCode::OK, 0));
    assert_eq!(seen.headers["webhook-allowed-origin"], "eventgrid.azure.net");
    assert_eq!(notebook.codes(), ["challenged"; 3]);
    let (seen, calls) = through(&layer, genuine()).await;
    assert_eq!((seen.refusal, calls), (None, 1), "and deliveries still come through");
}

/// Without the option there is no answer: what no provider asked for is not there.
#[tokio::test]
async fn without_the_option_a_challenge_is_unsigned() {
    for (request, refusal) in [
        (get("/in?challenge=78"), Refusal::MissingHeader),
        (get("/in?hub.mode=subscribe&hub.challenge=7&hub.verify_token=x"), Refusal::MissingHeader),
        (options(), Refusal::MethodNotAllowed),
    ] {
        let (seen, calls) = through(&named("in"), request).await;
        assert_eq!((seen.refusal, calls), (Some(refusal), 0));
    }
}

#[tokio::test]
async fn a_refused_challenge_looks_like_a_bad_signature() {
    let notebook = Notebook::default();
    let layer = all_unsigned().observer(notebook.observer());
    let (bad, _) = through(&layer, get("/in")).await;
    let (refused, calls) = through(&layer, get("/in?challenge=%3Cscript%3E")).await;
    assert_eq!((refused.refusal, calls), (Some(Refusal::HandshakeRefused), 0));
    assert_eq!((refused.status, refused.headers, refused.body), (bad.status, bad.headers, bad.body));
    assert_eq!(notebook.codes(), ["missing_header", "handshake_refused"]);
}

const ZOOM: &str = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}"#;
const SLACK: &str = r#"{"type":"url_verification","challenge":"abc"}"#;
const PING: &str = r#"{"type":1}"#;
const EVENT_PING: &str = r#"{"type":0}"#;

#[tokio::test]
async fn signed_challenges_are_answered_after_their_signature() {
    for (scheme, handshake, body, status) in [
        (schemes::zoom(), Handshake::zoom(), ZOOM, 200),
        (schemes::slack(), Handshake::slack(), SLACK, 200),
        (schemes::github(), Handshake::discord_interactions(), PING, 200),
        (schemes::github(), Handshake::discord_events(), EVENT_PING, 204),
    ] {
        let (guard, notebook) = (Moody::new(Habit::Prompt, Habit::Prompt), Notebook::default());
        let layer = layer_for(&scheme).handshake(handshake).observer(notebook.observer());
        let layer = layer.replay_guard(Arc::clone(&guard)).unwrap();
        // Twice: a challenge is no delivery, and is not remembered as one.
        for _ in 0..2 {
            let (seen, calls) = through(&layer, signed(&scheme, body)).await;
            assert_eq!((seen.status.as_u16(), seen.refusal, calls), (status, None, 0), "{body}");
        }
        assert_eq!(guard.memory.len(), 0);
        assert_eq!(notebook.codes(), ["challenged"; 2]);
        assert_eq!(notebook.notes()[0].key_id.as_deref(), Some("k1"));

        let mut forged = signed(&scheme, body);
        *forged.body_mut() = Full::from(format!("{body} "));
        let (seen, calls) = through(&layer, forged).await;
        assert_eq!((seen.refusal, calls), (Some(Refusal::SignatureMismatch), 0), "{body}");
        let (seen, _) = through(&layer, request(Default::default(), Full::from(body))).await;
        assert_eq!(seen.refusal, Some(Refusal::MissingHeader), "{body}: unsigned");

        // The control: without the option it goes to the service like any delivery.
        let (seen, calls) = through(&layer_for(&scheme), signed(&scheme, body)).await;
        assert_eq!((&*seen.body, calls), (body.as_bytes(), 1));
    }
}

#[tokio::test]
async fn a_stranger_gets_no_signed_answer() {
    let decoy = Verifier::builder(schemes::slack()).key(key()).build().unwrap();
    let layer = on_time(VerifyLayer::choosing(decoy, |_| None)).handshake(Handshake::slack());
    let (seen, calls) = through(&layer, signed(&schemes::slack(), SLACK)).await;
    assert_eq!((seen.refusal, calls), (Some(Refusal::UnknownSource), 0));
}

fn hook() -> Request<Full<Bytes>> {
    Request::post("/in").header("x-hook-secret", SECRET).body(Full::default()).unwrap()
}

/// The answer waits for the store, and a second secret is refused while it does.
#[tokio::test]
async fn asanas_secret_is_stored_before_it_is_answered() {
    let registration = AsanaRegistration::new("/in");
    let (told, stored) = (Arc::new(Mutex::new(None)), Arc::new(tokio::sync::Notify::new()));
    let (keep, wait) = (Arc::clone(&told), Arc::clone(&stored));
    let handshake = Handshake::asana(registration.clone(), move |secret| {
        *keep.lock().unwrap() = Some(secret.expose().to_owned());
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok::<_, std::convert::Infallible>(())
        }
    });
    let layer = named("in").handshake(handshake);
    assert_eq!(through(&layer, hook()).await.0.refusal, Some(Refusal::HandshakeRefused), "nobody waits");

    registration.open(UnixTime::from_secs(NOW));
    let mut first = Box::pin(through(&layer, hook()));
    assert!(matches!(crate::polled_once(first.as_mut()).await, Poll::Pending));
    assert_eq!(told.lock().unwrap().as_deref(), Some(SECRET));
    assert_eq!(through(&layer, hook()).await.0.refusal, Some(Refusal::HandshakeRefused), "the second");
    stored.notify_one();
    let (seen, calls) = first.await;
    assert_eq!((seen.status, seen.refusal, calls), (StatusCode::OK, None, 0));
    assert_eq!(seen.headers["x-hook-secret"], SECRET);
}

#[tokio::test]
async fn asanas_secret_that_could_not_be_stored_is_asked_for_again() {
    let (registration, notebook) = (AsanaRegistration::new("/in"), Notebook::default());
    registration.open(UnixTime::from_secs(NOW));
    let handshake = Handshake::asana(registration, |_| async { Err::<(), _>("the store is down") });
    let layer = named("in").handshake(handshake).observer(notebook.observer());
    for _ in 0..2 {
        let (seen, _) = through(&layer, hook()).await;
        assert_eq!(seen.refusal, Some(Refusal::HandshakeFailed));
        assert_eq!(seen.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!seen.headers.contains_key("x-hook-secret"));
    }
    assert_eq!(notebook.codes(), ["handshake_failed"; 2]);
}
