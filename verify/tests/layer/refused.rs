//! What is handed to whoever keeps refused requests, and what is not.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hookproof::middleware::{RefusedRequest, Source};
use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verifier, VerifyLayer, schemes};
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};

use crate::behind::{BODY, NOW, Seen, Strict, genuine, named, on_time, request, signed, signed_at, verifier};
use crate::bodies::{Scripted, Step};

/// What was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    refusal: Refusal,
    source: Option<String>,
    body: Option<Bytes>,
    skew: Option<i64>,
}

/// The answer to `request`, and what was kept of it.
async fn kept<B: http_body::Body>(layer: VerifyLayer, request: Request<B>) -> (Seen, Vec<Kept>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (keep, headers) = (Arc::clone(&kept), request.headers().clone());
    let layer = layer.refused(move |refused: RefusedRequest<'_>| {
        assert_eq!(refused.parts.headers, headers);
        assert_eq!(refused.received_at, UnixTime::from_secs(NOW));
        let (source, skew) = (refused.source.map(str::to_owned), refused.stated_skew_millis());
        keep.lock().unwrap().push(Kept { refusal: refused.refusal, source, body: refused.body, skew });
    });
    let seen = Seen::of(layer.layer(Strict::default()).oneshot(request).await.unwrap()).await;
    let kept = std::mem::take(&mut *kept.lock().unwrap());
    (seen, kept)
}

fn one(refusal: Refusal, body: Option<&'static [u8]>, skew: Option<i64>) -> Vec<Kept> {
    let (source, body) = (Some("in".to_owned()), body.map(Bytes::from_static));
    vec![Kept { refusal, source, body, skew }]
}

fn plain(headers: HeaderMap) -> Request<Full<Bytes>> {
    request(headers, Full::from(BODY))
}

#[tokio::test]
async fn a_body_that_no_key_made_is_handed_over_whole() {
    let steps = [Step::Data(&BODY[..3]), Step::Data(&BODY[3..]), Step::Trailers(HeaderMap::new())];
    let (seen, kept) = kept(named("in"), request(signed(b"another", NOW - 7), Scripted::new(steps))).await;
    assert_eq!(kept, one(Refusal::SignatureMismatch, Some(BODY), Some(-7_000)));
    let plain =
        Seen::of(named("in").layer(Strict::default()).oneshot(plain(signed(b"another", NOW))).await.unwrap());
    let plain = plain.await;
    assert_eq!((seen.status, seen.headers, seen.body), (plain.status, plain.headers, plain.body));
}

#[tokio::test]
async fn what_is_accepted_is_not_handed_over() {
    let (seen, kept) = kept(named("in"), genuine()).await;
    assert_eq!((seen.refusal, kept), (None, vec![]));
}

#[tokio::test]
async fn for_a_bad_head_no_body_is_read_and_none_is_handed_over() {
    let undated = {
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", format!("v1={}", "0".repeat(64)).parse().unwrap());
        headers
    };
    let twice = {
        let mut headers = signed_at(NOW);
        headers.append("stripe-signature", headers["stripe-signature"].clone());
        headers
    };
    for (headers, refusal, skew) in [
        (HeaderMap::new(), Refusal::MissingHeader, None),
        (undated, Refusal::MissingTimestamp, None),
        (twice, Refusal::DuplicateHeader, None),
        (signed_at(NOW - 310), Refusal::TimestampTooOld, Some(-310_000)),
        (signed_at(NOW + 310), Refusal::TimestampTooNew, Some(310_000)),
    ] {
        let body = Scripted::new([Step::Data(BODY)]);
        let polled = body.polled();
        let (_, kept) = kept(named("in"), request(headers, body)).await;
        assert_eq!(kept, one(refusal, None, skew));
        assert_eq!(polled.load(std::sync::atomic::Ordering::Relaxed), 0, "{refusal}");
    }
}

#[tokio::test]
async fn half_a_body_is_not_handed_over() {
    let layer = || on_time(VerifyLayer::new(Source::new("in", verifier(BODY.len() - 1))));
    for (layer, steps, refusal) in [
        (named("in"), vec![Step::Data(&BODY[..3]), Step::Break], Refusal::BodyIncomplete),
        (layer(), vec![Step::Data(BODY)], Refusal::BodyTooLarge),
    ] {
        let (_, kept) = kept(layer, request(signed_at(NOW), Scripted::new(steps))).await;
        assert_eq!(kept, one(refusal, None, Some(0)));
    }
}

/// Nothing of a stranger's is tied to the decoy.
#[tokio::test]
async fn of_an_unknown_source_no_body_is_handed_over() {
    let nobody = || on_time(VerifyLayer::choosing(verifier(1 << 20), |_| None::<Source>));
    for headers in [signed_at(NOW), signed(b"another", NOW)] {
        let (_, kept) = kept(nobody(), plain(headers)).await;
        let stranger = Kept { refusal: Refusal::UnknownSource, source: None, body: None, skew: None };
        assert_eq!(kept, [stranger]);
    }
    let mut head = genuine();
    *head.method_mut() = Method::HEAD;
    let (_, kept) = kept(named("in"), head).await;
    let undecided = Kept { refusal: Refusal::MethodNotAllowed, source: None, body: None, skew: None };
    assert_eq!(kept, [undecided]);
}

/// A body is looked into behind a good signature only.
#[tokio::test]
async fn the_time_in_a_body_counts_when_its_signature_holds() {
    let body = format!(r#"{{"event":"x","timestamp":{}}}"#, NOW - 30 * 86_400).into_bytes();
    let headers = |key: &str| {
        let signer = Signer::new(&schemes::klozeo(), &Key::new("k1", key)).unwrap();
        signer.sign(&Outgoing::new(&body)).unwrap()
    };
    let (ours, other) = ("a secret of more than sixteen bytes", "another secret of enough bytes");
    let verifier = Verifier::builder(schemes::klozeo()).key(Key::new("k1", ours)).build().unwrap();
    let layer = || on_time(VerifyLayer::new(Source::new("in", verifier.clone())));
    for (key, refusal, skew) in
        [(ours, Refusal::TimestampTooOld, Some(-30 * 86_400_000)), (other, Refusal::SignatureMismatch, None)]
    {
        let (_, kept) = kept(layer(), request(headers(key), Full::<Bytes>::from(body.clone()))).await;
        assert_eq!((kept[0].refusal, kept[0].skew), (refusal, skew));
    }
}

/// A log line about it cannot leak what it holds.
#[tokio::test]
async fn its_debug_form_holds_nothing_of_the_request() {
    let printed = Arc::new(Mutex::new(String::new()));
    let print = Arc::clone(&printed);
    let layer = named("in").refused(move |refused| *print.lock().unwrap() = format!("{refused:?}"));
    layer.layer(Strict::default()).oneshot(plain(signed(b"another", NOW))).await.unwrap();
    let printed = printed.lock().unwrap().clone();
    assert!(printed.contains("SignatureMismatch") && printed.contains("\"in\""), "{printed}");
    assert!(!printed.contains("v1=") && !printed.contains("evt_1") && !printed.contains("/in"), "{printed}");
}
