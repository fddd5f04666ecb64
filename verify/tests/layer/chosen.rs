//! Many tenants behind one layer, and what an observer is told.

use std::sync::atomic::Ordering;

use crate::behind::{BODY, NOW, Seen, Strict, on_time, request, signed};
use crate::bodies::{Scripted, Step};
use crate::guards::{Note, Notebook};
use bytes::Bytes;
use hookproof::middleware::{Outcome, Source};
use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verifier, VerifyLayer, schemes};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};

fn key(tenant: &str) -> Key {
    Key::new(format!("{tenant}-2026"), format!("the secret of tenant {tenant}, long enough"))
}

fn verifier(tenant: &str) -> Verifier {
    Verifier::builder(schemes::stripe()).key(key(tenant)).body_limit(100).build().unwrap()
}

/// Tenants `a` and `b`, by path; the decoy has the key of `decoy`.
fn layer(notebook: &Notebook) -> VerifyLayer {
    let tenants = ["a", "b"].map(|name| (format!("/in/{name}"), Source::new(name, verifier(name))));
    let choose = move |parts: &http::request::Parts| {
        tenants.iter().find(|(path, _)| path == parts.uri.path()).map(|(_, source)| source.clone())
    };
    on_time(VerifyLayer::choosing(verifier("decoy"), choose)).observer(notebook.observer())
}

fn by(tenant: &str, path: &str, secs: u64) -> Request<Full<Bytes>> {
    let outgoing = Outgoing::new(BODY).timestamp(UnixTime::from_secs(secs));
    let headers = Signer::new(&schemes::stripe(), &key(tenant)).unwrap().sign(&outgoing).unwrap();
    let mut request = request(headers, Full::from(BODY));
    *request.uri_mut() = path.parse().unwrap();
    request
}

async fn through<B: http_body::Body>(layer: &VerifyLayer, request: Request<B>) -> (Seen, usize) {
    let strict = Strict::default();
    let calls = strict.calls();
    let seen = Seen::of(layer.layer(strict).oneshot(request).await.unwrap()).await;
    (seen, calls.load(Ordering::Relaxed))
}

#[tokio::test]
async fn each_tenant_has_his_own_key() {
    let (notebook, mismatch) = (Notebook::default(), Some(Refusal::SignatureMismatch));
    let layer = layer(&notebook);
    for (signer, path, refusal) in [
        ("a", "/in/a", None),
        ("b", "/in/b", None),
        ("a", "/in/b", mismatch),
        ("b", "/in/a?tenant=b", mismatch),
        ("decoy", "/in/a", mismatch),
    ] {
        let (seen, calls) = through(&layer, by(signer, path, NOW)).await;
        assert_eq!((seen.refusal, calls), (refusal, usize::from(refusal.is_none())), "{signer} at {path}");
    }
}

#[tokio::test]
async fn a_stranger_is_refused_whatever_he_signs_with() {
    let notebook = Notebook::default();
    let layer = layer(&notebook);
    for path in ["/in/c", "/in/A", "/in/a/", "//in/a", "/in/%61", "/in/b/../a", "/"] {
        for signer in ["a", "b", "decoy"] {
            let (seen, calls) = through(&layer, by(signer, path, NOW)).await;
            assert_eq!((seen.refusal, calls), (Some(Refusal::UnknownSource), 0), "{signer} at {path}");
        }
    }
}

/// Whatever is wrong with a request, an unknown tenant's gets the same answer as a known one's, and as much of it is read.
#[tokio::test(start_paused = true)]
async fn a_stranger_cannot_be_told_from_a_bad_signature() {
    let notebook = Notebook::default();
    let layer = layer(&notebook);
    let bad = signed(b"another body", NOW);
    let stale = signed(BODY, NOW - 301);
    let encoded = {
        let mut headers = bad.clone();
        headers.insert("content-encoding", "gzip".parse().unwrap());
        headers
    };
    let long: &'static [u8] = Vec::leak(vec![b'x'; 101]);
    type Case = (&'static str, HeaderMap, fn(&'static [u8]) -> Vec<Step>);
    let cases: [Case; 7] = [
        ("unsigned", HeaderMap::new(), |_| vec![Step::Data(BODY)]),
        ("badly signed", bad.clone(), |_| vec![Step::Data(&BODY[..3]), Step::Data(&BODY[3..])]),
        ("stale", stale, |_| vec![Step::Data(BODY)]),
        ("encoded", encoded, |_| vec![Step::Data(BODY)]),
        ("too long", bad.clone(), |long| vec![Step::Data(long), Step::Stall]),
        ("broken off", bad.clone(), |_| vec![Step::Data(&BODY[..3]), Step::Break]),
        ("stalled", bad, |_| vec![Step::Data(&BODY[..3]), Step::Stall]),
    ];
    let mut statuses = std::collections::BTreeSet::new();
    for (name, headers, steps) in cases {
        let mut answers = Vec::new();
        for path in ["/in/a", "/in/nobody"] {
            let body = Scripted::new(steps(long));
            let polled = body.polled();
            let mut request = request(headers.clone(), body);
            *request.uri_mut() = path.parse().unwrap();
            let started = tokio::time::Instant::now();
            let (seen, calls) = through(&layer, request).await;
            assert_eq!(calls, 0, "{name}");
            statuses.insert(seen.status.as_u16());
            let frames = polled.load(Ordering::Relaxed);
            answers.push((seen.status, seen.headers, seen.body, frames, started.elapsed().as_millis() / 10));
        }
        assert_eq!(answers[0], answers[1], "{name}");
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [401, 408, 413, 415]);
    let unknown = notebook.notes().iter().filter(|note| note.path == "/in/nobody").count();
    assert_eq!(unknown, 7, "the control: they were strangers");
}

#[tokio::test]
async fn a_choice_by_header() {
    let choose = |parts: &http::request::Parts| {
        let name = parts.headers.get("x-tenant")?.to_str().ok()?;
        (name == "a").then(|| Source::new("a", verifier("a")))
    };
    let layer = on_time(VerifyLayer::choosing(verifier("decoy"), choose));
    let mut named = by("a", "/in", NOW);
    named.headers_mut().insert("x-tenant", "a".parse().unwrap());
    assert_eq!(through(&layer, named).await.0.status, StatusCode::OK);
    assert_eq!(through(&layer, by("a", "/in", NOW)).await.0.refusal, Some(Refusal::UnknownSource));
}

#[tokio::test]
async fn an_observer_is_told_once_what_was_decided() {
    let notebook = Notebook::default();
    let layer = layer(&notebook);
    through(&layer, by("a", "/in/a?secret=1", NOW - 7)).await;
    through(&layer, by("b", "/in/a", NOW + 7)).await;
    through(&layer, by("a", "/in/c", NOW)).await;
    let mut head = by("a", "/in/a", NOW);
    *head.method_mut() = Method::HEAD;
    through(&layer, head).await;
    let note = |outcome, source: Option<&str>, path: &str| Note {
        outcome,
        source: source.map(str::to_owned),
        scheme: source.map(|_| "stripe".to_owned()),
        key_id: None,
        skew_millis: None,
        method: "POST".into(),
        path: path.into(),
        guard_error: None,
    };
    let accepted = Note {
        key_id: Some("a-2026".into()),
        skew_millis: Some(-7_000),
        ..note(Outcome::Accepted, Some("a"), "/in/a")
    };
    let head =
        Note { method: "HEAD".into(), ..note(Outcome::Refused(Refusal::MethodNotAllowed), None, "/in/a") };
    let wanted = [
        accepted,
        note(Outcome::Refused(Refusal::SignatureMismatch), Some("a"), "/in/a"),
        note(Outcome::Refused(Refusal::UnknownSource), None, "/in/c"),
        head,
    ];
    assert_eq!(notebook.notes(), wanted);
}

#[tokio::test]
async fn methods_that_nobody_delivers_with_are_refused() {
    let notebook = Notebook::default();
    let layer = layer(&notebook);
    for (method, allowed) in [
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
        ("DELETE", true),
        ("GET", true),
        ("HEAD", false),
        ("OPTIONS", false),
        ("TRACE", false),
        ("CONNECT", false),
        ("post", false),
        ("PURGE", false),
    ] {
        let mut request = by("a", "/in/a", NOW);
        *request.method_mut() = method.parse().unwrap();
        let (seen, calls) = through(&layer, request).await;
        let refusal = (!allowed).then_some(Refusal::MethodNotAllowed);
        assert_eq!((seen.refusal, calls), (refusal, usize::from(allowed)), "{method}");
    }
    let only_post = layer.methods([Method::POST]);
    let mut delete = by("a", "/in/a", NOW);
    *delete.method_mut() = Method::DELETE;
    assert_eq!(through(&only_post, delete).await.0.refusal, Some(Refusal::MethodNotAllowed));
    assert_eq!(through(&only_post, by("a", "/in/a", NOW)).await.0.refusal, None);
}

/// What a layer was told does not reach a layer that was cloned from it before.
#[tokio::test]
async fn a_clone_has_its_own_settings() {
    let (first, second) = (Notebook::default(), Notebook::default());
    let layer = layer(&first);
    let other = layer.clone().observer(second.observer()).methods([Method::PUT]);
    through(&other, by("a", "/in/a", NOW)).await;
    through(&layer, by("a", "/in/a", NOW)).await;
    assert_eq!(second.codes(), ["method_not_allowed"]);
    assert_eq!(first.codes(), ["accepted"]);
}
