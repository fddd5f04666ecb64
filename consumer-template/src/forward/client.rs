//! The HTTP client of a target: no redirects, no proxies, and no address that was not checked.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::{Allowance, NotAllowed};
use super::target::Target;

/// How long a connection may take to be made, unless the target's timeout is shorter.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection that nobody uses is kept. Most servers close theirs after 60 s or more; a request that meets a closing
/// connection is an attempt lost.
const KEEP: Duration = Duration::from_secs(30);

/// Who knows the addresses of a name.
#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of `host`; their ports mean nothing.
    ///
    /// # Errors
    ///
    /// When the name is not known, or nobody answers who would know it.
    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver, with its `hosts` file.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// A client for `target` alone.
pub(super) fn client(target: &Target, names: Arc<dyn Names>) -> reqwest::Result<reqwest::Client> {
    crate::sender::install_tls();
    let plain = target.plain();
    let guard = Guard { names, allowance: Arc::new(target.allowance.clone()), plain };
    let builder = reqwest::Client::builder()
        .dns_resolver(guard)
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would resolve the name itself, and connect to what it likes.
        .no_proxy()
        .retry(reqwest::retry::never())
        .http1_only()
        .timeout(target.timeout)
        .connect_timeout(target.timeout.min(CONNECT))
        .pool_idle_timeout(KEEP);
    match &target.roots {
        Some(roots) => builder.tls_certs_only(roots.clone()),
        // Does without the system's certificates, which a small image does not have.
        None if plain => builder.tls_certs_only([]),
        None => builder,
    }
    .build()
}

/// Lets only addresses through that are allowed. What it returns is what is connected to: nobody asks again in between.
struct Guard {
    names: Arc<dyn Names>,
    allowance: Arc<Allowance>,
    plain: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allowance, plain) = (Arc::clone(&self.names), Arc::clone(&self.allowance), self.plain);
        Box::pin(async move {
            let addresses = names.addresses(name.as_str()).await?;
            // One that is not allowed among others that are is no mistake of whoever runs the target: connect to none.
            for address in &addresses {
                allowance.check(address.ip(), plain)?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// Why there is no answer, for the operator. Without the URL, whose query may be a secret.
pub(super) fn why(error: &reqwest::Error, target: &Target) -> String {
    let host = target.host();
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<NotAllowed>()) {
        return format!("not sent: {host} resolves to {refused}");
    }
    let root = causes(error).last().map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => format!("no connection to {host} in time"),
        (true, false) => format!("no connection to {host}: {root}"),
        (false, true) => format!("no answer from {host} within {} s", target.timeout.as_secs()),
        (false, false) => format!("the connection to {host} broke: {root}"),
    }
}

/// What lies behind `error`, the root last.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |error: &&(dyn Error + 'static)| (*error).source())
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("allowance", &self.allowance).finish_non_exhaustive()
    }
}
