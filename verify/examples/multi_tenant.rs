//! One endpoint for many tenants, each with a key of his own, chosen by the path. Who does not exist here looks from
//! outside like who signs badly.
//!
//! ```sh
//! cargo run --example multi_tenant --features tower
//! ```

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hookproof::middleware::Source;
use hookproof::{
    ConfigError, Key, MemoryReplayGuard, Outgoing, Refusal, ReplayGuard, Signer, Verifier, VerifyLayer,
    check_retention, schemes,
};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};

const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

/// The tenants, in memory: the layer asks for one with every request, also a stranger's.
#[derive(Clone, Default)]
struct Tenants(Arc<RwLock<HashMap<String, Source>>>);

impl Tenants {
    /// Adds a tenant while the server runs, or refuses what is wrong with him before the first request meets it.
    fn add(&self, name: &str, secret: &str, guard: &impl ReplayGuard) -> Result<(), Box<dyn Error>> {
        let verifier = Verifier::builder(schemes::github()).key(Key::new("2026-11", secret)).build()?;
        check_retention(name, verifier.scheme(), guard.retention())?;
        let mut tenants = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for other in tenants.values() {
            if verifier.keys().shared_with(&other.verifier().keys()).is_some() {
                // Each could send in the other's name.
                return Err(format!("tenants '{name}' and '{}' have the same secret", other.name()).into());
            }
        }
        tenants.insert(format!("/in/{name}"), Source::new(name, verifier));
        Ok(())
    }

    fn of(&self, parts: &Parts) -> Option<Source> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(parts.uri.path()).cloned()
    }
}

/// Like a tenant's, but nobody's: what comes to nobody is verified by it, and refused.
fn decoy() -> Result<Verifier, ConfigError> {
    Verifier::builder(schemes::github())
        .key(Key::new("decoy", "this lets nobody in, so it is no secret"))
        .build()
}

async fn receive(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("done\n")))
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let guard = Arc::new(MemoryReplayGuard::new(RETENTION, 100_000)?);
    let (tenants, keys) =
        (Tenants::default(), ["the secret of ada, long enough", "the secret of bob, long enough"]);
    tenants.add("ada", keys[0], &guard)?;
    tenants.add("bob", keys[1], &guard)?;
    if let Err(error) = tenants.add("eve", keys[0], &guard) {
        writeln!(out, "not added: {error}")?;
    }

    let layer = VerifyLayer::choosing(decoy()?, move |parts| tenants.of(parts)).replay_guard(guard)?;
    let service = layer.layer(service_fn(receive));
    for (signer, path) in
        [("ada", "/in/ada"), ("bob", "/in/bob"), ("ada", "/in/bob"), ("ada", "/in/eve"), ("ada", "/in/ada")]
    {
        let key = Key::new(signer, if signer == "ada" { keys[0] } else { keys[1] });
        let headers = Signer::new(&schemes::github(), &key)?.sign(&Outgoing::new(b"{}"))?;
        let mut request = Request::post(path).body(Full::<Bytes>::from("{}"))?;
        *request.headers_mut() = headers;
        let response = service.clone().oneshot(request).await?;
        let reason = response.extensions().get().map_or("accepted", |refusal: &Refusal| refusal.code());
        writeln!(out, "{signer} to {path}: {}, {reason}", response.status())?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout()).await
}
