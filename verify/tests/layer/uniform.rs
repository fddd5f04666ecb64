//! Every reason has one face: whoever is refused learns the status, and nothing of why.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::behind::{BODY, NOW, Seen, Strict, genuine, named, on_time, request, signed, signed_at, verifier};
use crate::bodies::{Scripted, Step};
use crate::guards::{Habit, MONTH, Moody};
use bytes::Bytes;
use hookproof::handshake::{AsanaRegistration, VerifyToken};
use hookproof::middleware::{Handshake, Source};
use hookproof::{
    Key, MemoryReplayGuard, Outgoing, Refusal, Signer, UnixTime, Verifier, VerifyLayer, schemes,
};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};

const KEY: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

async fn seen<B: http_body::Body>(layer: &VerifyLayer, request: Request<B>) -> Seen {
    Seen::of(layer.layer(Strict::default()).oneshot(request).await.unwrap()).await
}

fn plain(headers: HeaderMap) -> Request<Full<Bytes>> {
    request(headers, Full::from(BODY))
}

fn empty() -> Full<Bytes> {
    Full::default()
}

fn changed(name: &'static str, value: &'static str) -> HeaderMap {
    let mut headers = signed_at(NOW);
    headers.insert(name, HeaderValue::from_static(value));
    headers
}

/// A layer for Standard Webhooks, and the headers of a delivery to it.
fn standard() -> (VerifyLayer, HeaderMap) {
    let key = Key::new("k1", KEY);
    let outgoing = Outgoing::new(BODY).id("evt_1").timestamp(UnixTime::from_secs(NOW));
    let headers = Signer::new(&schemes::standard_webhooks(), &key).unwrap().sign(&outgoing).unwrap();
    let verifier = Verifier::builder(schemes::standard_webhooks()).key(key).build().unwrap();
    (on_time(VerifyLayer::new(verifier)), headers)
}

/// A genuine body without the event time that its scheme needs.
fn undated() -> (VerifyLayer, Request<Full<Bytes>>) {
    let key = Key::new("k1", "a secret of more than sixteen bytes");
    let body = b"not json";
    let headers = Signer::new(&schemes::klozeo(), &key).unwrap().sign(&Outgoing::new(body)).unwrap();
    let verifier = Verifier::builder(schemes::klozeo()).key(key).build().unwrap();
    (on_time(VerifyLayer::new(verifier)), request(headers, Full::from(&body[..])))
}

async fn by_headers() -> Vec<Seen> {
    let layer = named("in");
    let twice = {
        let mut headers = signed_at(NOW);
        headers.append("stripe-signature", headers["stripe-signature"].clone());
        headers
    };
    let many = {
        let list: String = std::iter::repeat_n(format!(",v1={}", "0".repeat(64)), 9).collect();
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", format!("t={NOW}{list}").parse().unwrap());
        headers
    };
    let undated = {
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", format!("v1={}", "0".repeat(64)).parse().unwrap());
        headers
    };
    let mut all = Vec::new();
    for headers in [
        HeaderMap::new(),
        twice,
        many,
        undated,
        changed("stripe-signature", "v1=0"),
        changed(
            "stripe-signature",
            "t=+1,v1=0000000000000000000000000000000000000000000000000000000000000000",
        ),
        signed_at(NOW - 301),
        signed_at(NOW + 301),
        signed(b"another body", NOW),
        changed("content-encoding", "gzip"),
    ] {
        all.push(seen(&layer, plain(headers)).await);
    }
    let (standard, mut headers) = standard();
    headers.insert("webhook-id", HeaderValue::from_static("evt.1"));
    all.push(seen(&standard, plain(headers)).await);
    all
}

/// A layer for HTTP message signatures, and the headers of a delivery to it.
fn message() -> (VerifyLayer, HeaderMap) {
    let key = Key::new("k1", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
    let scheme = schemes::http_message_signatures();
    let outgoing =
        Outgoing::new(BODY).url("https://hooks.example.com/in").timestamp(UnixTime::from_secs(NOW));
    let headers = Signer::new(&scheme, &key).unwrap().sign(&outgoing).unwrap();
    let verifier =
        Verifier::builder(scheme).key(key).public_url("https://hooks.example.com").build().unwrap();
    (on_time(VerifyLayer::new(verifier)), headers)
}

async fn by_digest() -> Vec<Seen> {
    let (layer, headers) = message();
    let mut uncovered = headers.clone();
    let input = format!("sig1=(\"@method\");created={NOW}");
    uncovered.insert("signature-input", input.parse().unwrap());
    vec![
        seen(&layer, request(headers, Full::<Bytes>::from("another body"))).await,
        seen(&layer, plain(uncovered)).await,
    ]
}

async fn by_body() -> Vec<Seen> {
    let steps = |steps: Vec<Step>| request(signed_at(NOW), Scripted::new(steps));
    let (undated, request) = undated();
    let short = on_time(VerifyLayer::new(verifier(BODY.len() - 1)));
    let quick = named("in").body_timeout(Duration::from_millis(1));
    vec![
        seen(&named("in"), steps(vec![Step::Data(BODY), Step::Break])).await,
        seen(&undated, request).await,
        seen(&short, steps(vec![Step::Data(BODY)])).await,
        seen(&quick, steps(vec![Step::Stall])).await,
    ]
}

async fn by_options() -> Vec<Seen> {
    let mut all = Vec::new();
    let mut head = genuine();
    *head.method_mut() = Method::HEAD;
    all.push(seen(&named("in"), head).await);
    let nobody = VerifyLayer::choosing(verifier(1 << 20), |_| None::<Source>);
    all.push(seen(&on_time(nobody), genuine()).await);
    let token = VerifyToken::new("the token in Meta's settings").unwrap();
    let asked = Request::get("/in?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1");
    all.push(seen(&named("in").handshake(Handshake::meta(token)), asked.body(empty()).unwrap()).await);

    let guard = || MemoryReplayGuard::new(MONTH, 10).unwrap();
    let refusing = named("in").replay_guard(guard()).unwrap().refuse_replays();
    seen(&refusing, genuine()).await;
    all.push(seen(&refusing, genuine()).await);

    let failing = named("in").replay_guard(Moody::new(Habit::Fails, Habit::Prompt)).unwrap();
    all.push(seen(&failing, genuine()).await);
    let busy = named("in").replay_guard(guard()).unwrap();
    let stuck = busy.layer(tower::service_fn(|_: Request<Full<Bytes>>| {
        std::future::pending::<Result<http::Response<Full<Bytes>>, std::convert::Infallible>>()
    }));
    let mut first = Box::pin(stuck.oneshot(genuine()));
    assert!(crate::polled_once(first.as_mut()).await.is_pending());
    all.push(seen(&busy, genuine()).await);

    let registration = AsanaRegistration::new("/in");
    registration.open(UnixTime::from_secs(NOW));
    let unstored = Handshake::asana(registration, |_| async { Err::<(), _>("the store is down") });
    let secret = Request::post("/in").header("x-hook-secret", "0123456789abcdef");
    all.push(seen(&named("in").handshake(unstored), secret.body(empty()).unwrap()).await);
    all
}

#[tokio::test]
async fn every_reason_of_a_status_looks_the_same() {
    let mut all = by_headers().await;
    all.extend(by_digest().await);
    all.extend(by_body().await);
    all.extend(by_options().await);
    let mut faces = BTreeMap::new();
    let mut reasons = BTreeMap::new();
    for seen in all {
        let refusal = seen.refusal.expect("each of them is refused");
        let status = seen.status.as_u16();
        let face = (seen.headers, seen.body);
        assert_eq!(*faces.entry(status).or_insert(face.clone()), face, "{refusal}");
        assert!(reasons.insert(refusal.code(), status).is_none(), "{refusal} twice");
    }
    let mut wanted: BTreeMap<_, _> =
        Refusal::ALL.iter().map(|refusal| (refusal.code(), refusal.status().as_u16())).collect();
    wanted.insert("replayed", 401);
    assert_eq!(reasons, wanted, "every reason there is");
    let (headers, body) = &faces[&401];
    assert_eq!((headers.len(), &**body), (1, &b"unauthorized\n"[..]));
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    let bodies: std::collections::BTreeSet<_> = faces.values().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies.len(), faces.len(), "the control: another status has another text");
}
