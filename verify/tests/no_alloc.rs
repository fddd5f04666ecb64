//! Verifying allocates nothing, and a body that is received costs its own bytes.

#![cfg(test)]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/sources.rs"]
mod sources;

use counting::{Counting, cost};
use hookproof::{Freshness, Outgoing, Refusal, RequestView, Verifier};
use http::HeaderMap;
use sources::{KEY, NOW, Source, at, body};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A body of some kilobytes, nested as bodies of providers are.
fn realistic(source: &Source) -> (HeaderMap, Vec<u8>) {
    let mut json: serde_json::Value = serde_json::from_slice(&body(NOW, "evt_1", "")).unwrap();
    let fields: Vec<_> =
        (0..40).map(|n| serde_json::json!({ "name": format!("field {n}"), "values": [n, n + 1] })).collect();
    json["data"] = serde_json::json!({ "lead": { "email": "ada@example.com", "fields": fields, "note": "a\nb \u{e9}" } });
    source.delivery(json.to_string().as_bytes(), "evt_1", NOW)
}

/// The presets whose signed text has to be made, or whose signature is of a public key: here memory is needed.
const MAKES_A_TEXT: [(&str, &str); 9] = [
    ("twilio", "the URL in several ways, and the sorted form"),
    ("mandrill", "the sorted form"),
    ("contentful", "the encoded path, and the list of headers"),
    ("adyen-payments", "the fields of each item"),
    ("paypal", "the checksum in decimal, and the whole text for RSA"),
    ("plaid", "the token's parts"),
    ("discord", "the whole text for Ed25519"),
    ("sendgrid", "the whole text for ECDSA"),
    ("http-message-signatures", "the signature base of each label"),
];

fn makes_a_text(source: &Source) -> bool {
    MAKES_A_TEXT.iter().any(|(name, _)| *name == source.scheme.name())
}

/// Lets this thread take its place among the readers of keys, which it does once.
fn warmed_up() {
    let (headers, body) = realistic(Source::named("github"));
    assert!(Source::named("github").verifier.verify(&headers, &body[..], at(NOW)).is_ok());
}

/// A thread allocates at most once, a few hundred bytes: threads that are gone leave their place to others.
#[test]
fn a_thread_allocates_at_most_once() {
    let (headers, body) = realistic(Source::named("github"));
    let verify = || Source::named("github").verifier.verify(&headers, &body[..], at(NOW)).map(drop);
    std::thread::scope(|scope| {
        let costs = scope.spawn(|| [cost(verify), cost(verify)]).join().unwrap();
        let [(calls, bytes, first), (calls_again, _, second)] = costs;
        assert_eq!((first, second), (Ok(()), Ok(())));
        assert!(calls <= 1 && bytes <= 1024, "{calls} allocations, {bytes} bytes");
        assert_eq!(calls_again, 0);
    });
}

#[test]
fn verifying_allocates_nothing() {
    warmed_up();
    for source in Source::all() {
        let (headers, body) = realistic(source);
        let (calls, bytes, proof) = cost(|| source.verifier.verify(&headers, &body[..], at(NOW)));
        assert!(proof.is_ok(), "{}: {proof:?}", source.scheme.name());
        if makes_a_text(source) {
            assert!(calls > 0, "{}: no exception any more", source.scheme.name());
        } else if let Freshness::EventTime { .. } = source.scheme.freshness() {
            // The JSON parser keeps a byte per level of the nested values that it passes over.
            assert!(calls <= 1 && bytes <= 8, "{}: {calls} allocations, {bytes} bytes", source.scheme.name());
        } else {
            assert_eq!((calls, bytes), (0, 0), "{}: allocations, bytes", source.scheme.name());
        }
    }
}

/// An id is kept in place, unless it is longer than any provider's.
#[test]
fn only_a_long_id_costs_memory() {
    warmed_up();
    for name in ["standard-webhooks", "github"] {
        let source = Source::named(name);
        for (length, expected) in [(1, (0, 0)), (62, (0, 0)), (63, (1, 63)), (256, (1, 256))] {
            let id = "i".repeat(length);
            let (headers, body) = source.delivery(&body(NOW, "evt_1", ""), &id, NOW);
            let (calls, bytes, proof) = cost(|| source.verifier.verify(&headers, &body[..], at(NOW)));
            assert_eq!((calls, bytes), expected, "{name}: an id of {length} bytes");
            assert_eq!(proof.unwrap().event_id().unwrap().value, id, "{name}");
        }
    }
}

/// What is made is about as long as what it is made of; a body cannot blow it up.
#[test]
fn a_text_that_is_made_is_no_longer_than_a_few_bodies() {
    for source in Source::all().filter(|source| makes_a_text(source)) {
        let (headers, body) = realistic(source);
        let (_, bytes, proof) = cost(|| source.verifier.verify(&headers, &body[..], at(NOW)).map(drop));
        assert_eq!(proof, Ok(()));
        assert!(bytes < 3 * body.len() + 8192, "{}: {bytes} for {}", source.scheme.name(), body.len());
    }
}

#[test]
fn reading_a_flat_event_time_allocates_nothing() {
    warmed_up();
    for name in ["megatronlead", "klozeo", "klozeo-guide", "leadhub"] {
        let source = Source::named(name);
        let mut json: serde_json::Value = serde_json::from_slice(&body(NOW, "evt_1", "no escapes")).unwrap();
        json.as_object_mut().unwrap().remove("notificationItems").unwrap();
        let (headers, body) = source.delivery(json.to_string().as_bytes(), "evt_1", NOW);
        let (calls, _, proof) = cost(|| source.verifier.verify(&headers, &body[..], at(NOW)));
        assert_eq!(proof.unwrap().timestamp(), Some(at(NOW)));
        assert_eq!(calls, 0, "{name}");
    }
}

#[test]
fn refusing_allocates_nothing() {
    warmed_up();
    for source in Source::all().filter(|source| !makes_a_text(source)) {
        let name = source.scheme.name();
        let (headers, body) = realistic(source);
        if name != "gitlab-token" {
            let (calls, _, verdict) = cost(|| source.verifier.verify(&headers, &body[1..], at(NOW)));
            assert_eq!(verdict.unwrap_err(), Refusal::SignatureMismatch, "{name}");
            assert_eq!(calls, 0, "{name}: another body");
        }
        let (calls, _, verdict) = cost(|| source.verifier.verify(&HeaderMap::new(), &body[..], at(NOW)));
        assert_eq!(verdict.unwrap_err(), Refusal::MissingHeader);
        assert_eq!(calls, 0, "{name}: no headers");
    }
}

/// A list of signed headers that names a long header again and again would be a text of gigabytes.
#[test]
fn a_header_is_put_into_a_text_once() {
    let source = Source::named("contentful");
    let (genuine, body) = realistic(source);
    let mut hostile = genuine.clone();
    let list = "x-contentful-signed-headers,x-contentful-timestamp".to_owned() + &",a".repeat(5_000);
    hostile.insert("x-contentful-signed-headers", list.parse().unwrap());
    hostile.insert("a", "v".repeat(10_000).parse().unwrap());
    let (_, bytes, verdict) = cost(|| source.verifier.verify(&hostile, &body[..], at(NOW)).map(drop));
    assert_eq!(verdict, Err(Refusal::MalformedHeader));
    assert!(bytes < 1 << 20, "{bytes} bytes");
}

/// A stranger's headers cost nothing before the body is there, whatever its signature would have cost.
#[test]
fn a_request_without_headers_costs_nothing() {
    warmed_up();
    // Adyen's has no headers, and a message signature's URL is put together before they are read.
    let others = ["adyen-payments", "http-message-signatures"];
    for source in Source::all().filter(|source| !others.contains(&source.scheme.name())) {
        let (calls, _, verdict) =
            cost(|| source.verifier.verify(&HeaderMap::new(), b"{}", at(NOW)).map(drop));
        assert_eq!((verdict, calls), (Err(Refusal::MissingHeader), 0), "{}", source.scheme.name());
    }
}

/// The control: the allocator does count.
#[test]
fn an_allocation_is_noticed() {
    let (calls, bytes, text) = cost(|| vec![0u8; 1000]);
    assert_eq!((calls, bytes, text.len()), (1, 1000, 1000));
}

const MIB: usize = 1 << 20;

fn github(limit: usize) -> (Source, Verifier) {
    let source = Source::of(hookproof::schemes::github());
    let key = hookproof::Key::new("k1", KEY);
    let verifier = Verifier::builder(source.scheme.clone()).key(key).body_limit(limit).build().unwrap();
    (source, verifier)
}

#[test]
fn a_large_body_costs_its_own_bytes() {
    let (source, verifier) = github(8 * MIB);
    let body = vec![b'x'; 8 * MIB];
    let headers = source.signer.sign(&Outgoing::new(&body)).unwrap();
    for declared in [true, false] {
        let (calls, peak, proof) = cost(|| {
            let mut pending = verifier.begin(RequestView::from(&headers), at(NOW))?;
            if declared {
                pending.expect_length(body.len() as u64)?;
            }
            body.chunks(16 * 1024).try_for_each(|piece| pending.update(piece))?;
            pending.finish()
        });
        assert_eq!(proof.unwrap().body().len(), body.len());
        assert!(peak <= body.len() + MIB, "declared {declared}: {peak} bytes at the peak");
        assert!(calls < 40, "declared {declared}: {calls} allocations");
    }
}

#[test]
fn a_declared_length_costs_nothing_until_its_bytes_arrive() {
    let (source, verifier) = github(8 * MIB);
    let headers = source.signer.sign(&Outgoing::new(b"")).unwrap();
    let (_, peak, pending) = cost(|| {
        let mut pending = verifier.begin(RequestView::from(&headers), at(NOW)).unwrap();
        pending.expect_length(8 * MIB as u64).unwrap();
        pending
    });
    assert!(peak < 64 * 1024, "declared, not sent: {peak} bytes");
    let (_, peak, _pending) = cost(|| {
        let mut pending = pending;
        pending.update(b"x").unwrap();
        pending
    });
    assert!(peak <= 64 * 1024, "one byte of eight million: {peak} bytes");
}

/// A body whose length is declared and whose bytes do not come.
#[cfg(feature = "tower")]
struct Promised(u64);

#[cfg(feature = "tower")]
impl http_body::Body for Promised {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

/// A thousand connections that promise eight million bytes each, and send none, cost a few kilobytes each.
#[cfg(feature = "tower")]
#[tokio::test]
async fn a_request_that_promises_a_body_costs_no_memory() {
    use http_body_util::Full;
    use tower::{Layer as _, Service as _};

    let (source, verifier) = github(8 * MIB);
    let layer = hookproof::VerifyLayer::new(verifier).clock(|| at(NOW));
    let mut service = layer.layer(tower::service_fn(|_: http::Request<Full<bytes::Bytes>>| {
        std::future::pending::<Result<http::Response<Full<bytes::Bytes>>, std::convert::Infallible>>()
    }));
    let headers = source.signer.sign(&Outgoing::new(b"")).unwrap();
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    let (_, peak, futures) = cost(|| {
        (0..1_000)
            .map(|_| {
                let mut request = http::Request::post("/").body(Promised(8 * MIB as u64)).unwrap();
                *request.headers_mut() = headers.clone();
                let mut future = Box::pin(service.call(request));
                assert!(future.as_mut().poll(&mut waker).is_pending(), "it waits for the body");
                future
            })
            .collect::<Vec<_>>()
    });
    assert!(peak < 1_000 * 8 * 1024, "{} bytes for each", peak / 1_000);
    println!("{} bytes for each request that waits", peak / futures.len());
}

#[test]
fn a_replay_guard_costs_what_it_says() {
    use hookproof::{ClaimToken, MemoryReplayGuard, ReplayGuard as _};

    const CAPACITY: usize = 5_000;
    let (source, verifier) = github(MIB);
    let headers = source.signer.sign(&Outgoing::new(b"{}")).unwrap();
    let proof = verifier.verify(&headers, b"{}", at(NOW)).unwrap();
    let guard = MemoryReplayGuard::new(std::time::Duration::from_secs(10), CAPACITY).unwrap();
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    // Five times its capacity, in time: what has ended makes room, and no more is kept than that.
    let (_, peak, ()) = cost(|| {
        for n in 0..5 * CAPACITY {
            let key = proof.replay_key(&n.to_string());
            let (token, now) = (ClaimToken::unique(), at(NOW + (n / CAPACITY) as u64 * 20));
            assert!(guard.claim(&key, token, now).as_mut().poll(&mut waker).is_ready());
            assert!(guard.commit(&key, token, now).as_mut().poll(&mut waker).is_ready());
        }
    });
    assert_eq!(guard.len(), CAPACITY, "full, and not past it");
    assert!(peak < 200 * CAPACITY, "{} bytes for each key", peak / CAPACITY);
    println!("{} bytes for each key at the most", peak / CAPACITY);
}
