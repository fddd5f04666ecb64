//! The layer in a plain tower stack, without a server: three requests go in, and what comes out is shown.
//!
//! ```sh
//! cargo run --example tower --features tower
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::io::Write;

use bytes::Bytes;
use hookproof::{Key, Outgoing, Refusal, Signer, UnixTime, Verified, Verifier, VerifyLayer, schemes};
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt as _};

/// Any service that takes the verified body as it comes. The proof is in the extensions.
async fn receive(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let proof: Option<&Verified<Bytes>> = request.extensions().get();
    let text = proof.map_or_else(String::new, |proof| format!("event {:?}", proof.event_id()));
    Ok(Response::new(Full::from(text)))
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let key = Key::new("2026-11", "whsec_a secret of at least 16 bytes");
    let verifier = Verifier::builder(schemes::stripe()).key(key.clone()).build()?;
    let now = UnixTime::from_secs(1_700_000_000);
    let service = ServiceBuilder::new()
        .concurrency_limit(64)
        // The clock is the system's unless one is given; here it stands still.
        .layer(VerifyLayer::new(verifier).clock(move || now))
        .service_fn(receive);

    let body = r#"{"id":"evt_1","type":"invoice.paid"}"#;
    let headers =
        Signer::new(&schemes::stripe(), &key)?.sign(&Outgoing::new(body.as_bytes()).timestamp(now))?;
    for (what, signed, body) in [
        ("genuine", true, body),
        ("one byte changed", true, r#"{"id":"evt_2","type":"invoice.paid"}"#),
        ("unsigned", false, body),
    ] {
        let mut request = Request::post("/hooks/stripe").body(Full::<Bytes>::from(body))?;
        if signed {
            *request.headers_mut() = headers.clone();
        }
        let response = service.clone().oneshot(request).await?;
        // For the log. The caller sees the status, and the same bytes for every reason.
        let reason = response.extensions().get().map_or("accepted", |refusal: &Refusal| refusal.code());
        writeln!(out, "{what}: {}, {reason}", response.status())?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout()).await
}
