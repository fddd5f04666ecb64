//! What the examples say at their tops happens: each is run as its `main` runs it.

#![cfg(test)]

#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../examples/axum.rs"]
mod axum_example;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../examples/hyper.rs"]
mod hyper_example;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../examples/multi_tenant.rs"]
mod multi_tenant;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../examples/rotation.rs"]
mod rotation;
#[expect(dead_code, reason = "the test calls what main calls")]
#[path = "../examples/tower.rs"]
mod tower_example;

use std::time::{Duration, SystemTime};

use hookproof::{Key, Outgoing, Refusal, Signer, schemes};
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

const SECRET: &str = "a secret of at least 16 bytes";

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap()
}

#[test]
fn rotation_shows_which_key_verified() {
    let mut out = Vec::new();
    rotation::run(&mut out).unwrap();
    let wanted = "\
before the rotation, signed with 2026-05: verified by 2026-05
before the rotation, signed with 2026-11: refused: signature_mismatch
during the rotation, signed with 2026-05: verified by 2026-05
during the rotation, signed with 2026-11: verified by 2026-11
after the rotation, signed with 2026-05: refused: signature_mismatch
after the rotation, signed with 2026-11: verified by 2026-11
2026-11 has verified 2 deliveries
refused: keys '2026-05' and '2027-05' are the same secret: remove one of them
";
    assert_eq!(text(out), wanted);
}

#[tokio::test]
async fn plain_tower() {
    let mut out = Vec::new();
    tower_example::run(&mut out).await.unwrap();
    let wanted = "\
genuine: 200 OK, accepted
one byte changed: 401 Unauthorized, signature_mismatch
unsigned: 401 Unauthorized, missing_header
";
    assert_eq!(text(out), wanted);
}

#[tokio::test]
async fn many_tenants() {
    let mut out = Vec::new();
    multi_tenant::run(&mut out).await.unwrap();
    let wanted = "\
not added: tenants 'eve' and 'ada' have the same secret
ada to /in/ada: 200 OK, accepted
bob to /in/bob: 200 OK, accepted
ada to /in/bob: 401 Unauthorized, signature_mismatch
ada to /in/eve: 401 Unauthorized, unknown_source
ada to /in/ada: 200 OK, replayed
";
    assert_eq!(text(out), wanted);
}

#[tokio::test]
async fn axum() {
    let app = axum_example::app(SECRET.to_owned()).unwrap();
    let body = r#"{"zen":"Design for failure."}"#;
    let signer = Signer::new(&schemes::github(), &Key::new("k", SECRET)).unwrap();
    let send = |body: &'static str, signed: &'static str| {
        let mut request = Request::post("/hooks/github").body(axum::body::Body::from(body)).unwrap();
        *request.headers_mut() = signer.sign(&Outgoing::new(signed.as_bytes())).unwrap();
        let app = app.clone();
        async move {
            let response = app.oneshot(request).await.unwrap();
            (response.status(), response.extensions().get::<Refusal>().copied())
        }
    };
    assert_eq!(send(body, body).await, (StatusCode::OK, None));
    assert_eq!(send(body, body).await, (StatusCode::OK, Some(Refusal::Replayed)));
    let mismatch = (StatusCode::UNAUTHORIZED, Some(Refusal::SignatureMismatch));
    assert_eq!(send("{}", body).await, mismatch);
    assert!(axum_example::app(String::new()).is_err(), "an empty variable is no secret");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the example runs by the system's clock, and so must who sends to it"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn plain_hyper() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = hyper_example::layer(SECRET.to_owned()).unwrap();
    tokio::spawn(async move { hyper_example::serve(listener, layer).await.map_err(|e| e.to_string()) });
    let signer = Signer::new(&schemes::slack(), &Key::new("k", SECRET)).unwrap();
    let send = async |body: &str, signed: &str| {
        let outgoing = Outgoing::new(signed.as_bytes()).timestamp(now());
        let mut text =
            format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in &signer.sign(&outgoing).unwrap() {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        exchange(address, &format!("{text}\r\n{body}")).await
    };
    let body = r#"{"type":"event_callback","event_id":"Ev1"}"#;
    let got = send(body, body).await;
    assert!(got.starts_with("HTTP/1.1 200 OK") && got.ends_with("42 bytes\n"), "{got}");
    let got = send(body, "{}").await;
    assert!(got.starts_with("HTTP/1.1 401 ") && got.ends_with("unauthorized\n"), "{got}");
    let challenge = r#"{"type":"url_verification","challenge":"abc"}"#;
    assert!(send(challenge, challenge).await.ends_with("\r\n\r\nabc"));

    let started = tokio::time::Instant::now();
    let got = exchange(address, "POST / HTTP/1.1\r\n").await;
    assert!(!got.contains("200 OK"), "{got}");
    let waited = started.elapsed().as_secs();
    assert!((4..15).contains(&waited), "who never ends his head is gone after five seconds: {waited}");
}

/// All that comes back until the peer closes.
async fn exchange(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut got = String::new();
    let read = stream.read_to_string(&mut got);
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("an end").unwrap();
    got
}
