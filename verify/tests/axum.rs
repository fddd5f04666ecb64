//! The layer and the extractors as they are written in axum programs.

#![cfg(test)]

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use hookproof::handshake::VerifyToken;
use hookproof::middleware::{Handshake, Source};
use hookproof::{
    Key, MemoryReplayGuard, Outgoing, Refusal, Signer, UnixTime, Verified, VerifiedBytes, VerifiedJson,
    Verifier, VerifyLayer, schemes,
};
use http::StatusCode;
use http_body_util::BodyExt as _;
use tower::{ServiceBuilder, ServiceExt as _};

const BODY: &str = r#"{"event":"lead.created"}"#;
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn key() -> Key {
    Key::new("2026-11", "a secret of more than sixteen bytes")
}

fn layer() -> VerifyLayer {
    let verifier = Verifier::builder(schemes::stripe()).key(key()).build().unwrap();
    VerifyLayer::new(verifier).clock(|| NOW)
}

fn signed(path: &str, body: &'static str) -> Request {
    let signer = Signer::new(&schemes::stripe(), &key()).unwrap();
    let mut request = Request::post(path).body(Body::from(body)).unwrap();
    *request.headers_mut() = signer.sign(&Outgoing::new(body.as_bytes()).timestamp(NOW)).unwrap();
    request
}

fn unsigned(path: &str) -> Request {
    Request::post(path).body(Body::from(BODY)).unwrap()
}

async fn send(app: &Router, request: Request) -> (StatusCode, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn receive(VerifiedBytes(proof): VerifiedBytes) -> String {
    format!("{} {}", proof.key_id(), proof.body().len())
}

const RECEIVED: &str = "2026-11 24";

/// What is behind the layer answers only what is signed.
async fn assert_guarded(app: &Router, path: &str) {
    assert_eq!(send(app, signed(path, BODY)).await, (StatusCode::OK, RECEIVED.to_owned()));
    assert_eq!(send(app, unsigned(path)).await, (StatusCode::UNAUTHORIZED, "unauthorized\n".to_owned()));
}

#[tokio::test]
async fn on_a_router() {
    assert_guarded(&Router::new().route("/in", post(receive)).layer(layer()), "/in").await;
}

#[tokio::test]
async fn on_the_routes_of_a_router() {
    let app = Router::new()
        .route("/in", post(receive))
        .route_layer(layer())
        .route("/health", post(|| async { "ok" }));
    assert_guarded(&app, "/in").await;
    assert_eq!(
        send(&app, unsigned("/health")).await,
        (StatusCode::OK, "ok".to_owned()),
        "added after the layer"
    );
    assert_eq!(send(&app, unsigned("/none")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn on_one_method_router() {
    assert_guarded(&Router::new().route("/in", post(receive).layer(layer())), "/in").await;
}

#[tokio::test]
async fn on_a_nested_router() {
    let inner = Router::new().route("/in", post(receive)).layer(layer());
    let app = Router::new().nest("/hooks", inner).route("/open", post(|| async { "open" }));
    assert_guarded(&app, "/hooks/in").await;
    assert_eq!(send(&app, unsigned("/open")).await.0, StatusCode::OK, "beside it nothing is verified");
}

#[tokio::test]
async fn with_state() {
    async fn stateful(State(name): State<&'static str>, VerifiedBytes(proof): VerifiedBytes) -> String {
        format!("{name}: {}", proof.key_id())
    }
    let app = Router::new().route("/in", post(stateful)).layer(layer()).with_state("leads");
    assert_eq!(send(&app, signed("/in", BODY)).await, (StatusCode::OK, "leads: 2026-11".to_owned()));
}

/// A layer in front sees the refusal; one behind sees the proof.
#[tokio::test]
async fn in_a_service_builder() {
    async fn tell(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        if let Some(refusal) = response.extensions().get::<Refusal>() {
            let code = refusal.code().parse().unwrap();
            response.headers_mut().insert("x-told", code);
        }
        response
    }
    let stack = ServiceBuilder::new()
        .layer(from_fn(tell))
        .map_request(|request: Request| request)
        .layer(layer())
        .layer(Extension("behind"));
    let app = Router::new().route("/in", post(receive)).layer(stack);
    assert_guarded(&app, "/in").await;
    let response = app.oneshot(unsigned("/in")).await.unwrap();
    assert_eq!(response.headers()["x-told"], "missing_header");
}

/// `from_fn` takes axum's own body, so the layer before it has to make one.
#[tokio::test]
async fn before_a_from_fn() {
    async fn count(request: Request, next: Next) -> Response {
        let proof = request.extensions().get::<Verified<Bytes>>().expect("verified before it is here");
        assert_eq!(proof.body(), BODY.as_bytes());
        next.run(request).await
    }
    let stack = ServiceBuilder::new().layer(layer().with_body::<Body>()).layer(from_fn(count));
    assert_guarded(&Router::new().route("/in", post(receive)).layer(stack), "/in").await;
}

/// Handlers that read the body as they always did get the verified bytes.
#[tokio::test]
async fn the_body_is_handed_on() {
    let app = Router::new().route("/in", post(|body: String| async move { body })).layer(layer());
    assert_eq!(send(&app, signed("/in", BODY)).await, (StatusCode::OK, BODY.to_owned()));
}

#[derive(serde::Deserialize)]
struct LeadCreated {
    event: String,
}

async fn typed(VerifiedJson { value, proof }: VerifiedJson<LeadCreated>) -> String {
    format!("{} {}", value.event, proof.key_id())
}

#[tokio::test]
async fn json_is_parsed_behind_the_proof() {
    let app = Router::new().route("/in", post(typed)).layer(layer());
    assert_eq!(send(&app, signed("/in", BODY)).await, (StatusCode::OK, "lead.created 2026-11".to_owned()));
    for body in [r#"{"other":1}"#, r#"{"event":1}"#, "not json", "", r#"{"event":"a"} trailing"#] {
        let answer = send(&app, signed("/in", body)).await;
        assert_eq!(
            answer,
            (StatusCode::UNPROCESSABLE_ENTITY, String::new()),
            "{body}: genuine, not expected"
        );
    }
    assert_eq!(send(&app, unsigned("/in")).await.0, StatusCode::UNAUTHORIZED);
}

/// A handler that asks for a proof cannot run without the layer.
#[tokio::test]
async fn without_the_layer_nothing_is_received() {
    let app = Router::new().route("/bytes", post(receive)).route("/json", post(typed));
    for path in ["/bytes", "/json"] {
        assert_eq!(send(&app, signed(path, BODY)).await, (StatusCode::INTERNAL_SERVER_ERROR, String::new()));
    }
}

fn source(name: &str) -> Source {
    Source::new(name, Verifier::builder(schemes::stripe()).key(key()).build().unwrap())
}

fn guard() -> MemoryReplayGuard {
    MemoryReplayGuard::new(std::time::Duration::from_secs(30 * 24 * 3600), 100).unwrap()
}

/// All options at once, with state, as a program has them. What a handler refuses with 422 is not done.
#[tokio::test]
async fn with_every_option() {
    let token = VerifyToken::new("the token in Meta's settings").unwrap();
    let layer = VerifyLayer::new(source("stripe-main"))
        .clock(|| NOW)
        .body_timeout(std::time::Duration::from_secs(3))
        .methods([http::Method::POST])
        .handshake(Handshake::meta(token))
        .handshake(Handshake::slack())
        .observer(|seen| assert!(seen.path.starts_with("/in")))
        .replay_guard(guard())
        .unwrap();
    let app = Router::new().route("/in", post(receive)).route("/in/typed", post(typed)).layer(layer);
    let app: Router = app.with_state(());
    assert_eq!(send(&app, signed("/in", BODY)).await, (StatusCode::OK, RECEIVED.to_owned()));
    assert_eq!(send(&app, signed("/in", BODY)).await, (StatusCode::OK, "received\n".to_owned()));
    for _ in 0..2 {
        let answer = send(&app, signed("/in/typed", "not json")).await;
        assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY, "received anew each time");
    }
    let query = "/in?hub.mode=subscribe&hub.challenge=77&hub.verify_token=the+token+in+Meta%27s+settings";
    let asked = Request::get(query).body(Body::empty()).unwrap();
    assert_eq!(send(&app, asked).await, (StatusCode::OK, "77".to_owned()));
    let preflight = Request::options("/in").body(Body::empty()).unwrap();
    assert_eq!(send(&app, preflight).await.0, StatusCode::UNAUTHORIZED);
}

/// A layer inside a nested router sees the path without the prefix; one around it sees all of it.
#[tokio::test]
async fn tenants_by_path() {
    let tenants = |prefix: &'static str| {
        let (a, decoy) = (source("a"), source("decoy").verifier().clone());
        VerifyLayer::choosing(decoy, move |parts| {
            (parts.uri.path().strip_prefix(prefix)? == "/a").then(|| a.clone())
        })
        .clock(|| NOW)
    };
    let routes = Router::new().route("/{tenant}", post(receive));
    let inside = Router::new().nest("/hooks", routes.clone().layer(tenants("")));
    let around = Router::new().nest("/hooks", routes).layer(tenants("/hooks"));
    for app in [inside, around] {
        assert_guarded(&app, "/hooks/a").await;
        assert_eq!(send(&app, signed("/hooks/b", BODY)).await.0, StatusCode::UNAUTHORIZED);
    }
}

/// The service that a guarded layer makes is one that can be boxed, cloned and shared.
#[tokio::test]
async fn in_a_stack_of_layers() {
    let stack = ServiceBuilder::new()
        .concurrency_limit(8)
        .layer(VerifyLayer::new(source("stripe-main")).clock(|| NOW).replay_guard(guard()).unwrap())
        .service_fn(|request: Request<http_body_util::Full<Bytes>>| async move {
            let proof = request.extensions().get::<Verified<Bytes>>().expect("a proof");
            Ok::<_, std::convert::Infallible>(Response::new(Body::from(proof.key_id().to_owned())))
        });
    let boxed = tower::util::BoxCloneSyncService::new(stack);
    for wanted in ["2026-11", "received\n"] {
        let response = boxed.clone().oneshot(signed("/in", BODY)).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), wanted);
    }
}
