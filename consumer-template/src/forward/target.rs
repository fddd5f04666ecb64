//! Where events are forwarded to, as far as it can be checked before the first one.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use hookproof::{KeyRing, Signer, schemes};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::{Certificate, Url};

use super::headers::is_reserved;
use super::network::Allowance;
use crate::config::{ForwardConfig, KeyConfig, SecretPlace};
use crate::keys;
use crate::source::{SourceError, wrong};

/// The most keys that an event is signed with: each costs a hash of the body.
const MAX_KEYS: usize = 4;

/// How long a request may take, unless the configuration says otherwise.
const TIMEOUT_SECONDS: u64 = 10;

/// A target whose configuration holds.
pub struct Target {
    pub(super) url: Url,
    pub(super) signers: Vec<Signer>,
    pub(super) timeout: Duration,
    pub(super) allowance: Allowance,
    pub(super) roots: Option<Vec<Certificate>>,
    pub(super) headers: HeaderMap,
    key_ids: Vec<String>,
    secrets: Vec<KeyRing>,
}

impl Target {
    /// Checks a section. Relative paths in it start at `folder`.
    ///
    /// # Errors
    ///
    /// [`SourceError`], naming the field and the remedy. No address of a name is asked for here.
    pub fn build(config: &ForwardConfig, folder: &Path) -> Result<Self, SourceError> {
        let allowed = config.allow_networks.as_deref().unwrap_or_default();
        let allowance = Allowance::parse(allowed).map_err(|problem| wrong("allow_networks", problem))?;
        let url = url(config.url.as_deref(), &allowance)?;
        let seconds = config.timeout_seconds.unwrap_or(TIMEOUT_SECONDS);
        if !(1..=300).contains(&seconds) {
            return Err(wrong("timeout_seconds", format!("{seconds} s: choose between 1 and 300")));
        }
        if config.ca_file.is_some() && url.scheme() == "http" {
            return Err(wrong("ca_file", "an http URL has no certificate to check: remove it, or use https"));
        }
        let (signers, secrets) = signers(config.keys.as_deref().unwrap_or_default(), folder)?;
        Ok(Self {
            url,
            signers,
            timeout: Duration::from_secs(seconds),
            allowance,
            roots: config.ca_file.as_deref().map(|path| roots(&folder.join(path))).transpose()?,
            headers: extra_headers(config.headers.as_ref(), folder)?,
            key_ids: config.keys.iter().flatten().map(|key| key.id.clone()).collect(),
            secrets,
        })
    }

    /// The URL without its query, which may hold a secret.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        let query = if url.query().is_some() { "?.." } else { "" };
        url.set_query(None);
        format!("{url}{query}")
    }

    /// How long a request may take, its answer included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What is allowed beside public addresses.
    #[must_use]
    pub fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// The ids of the keys that events are signed with.
    #[must_use]
    pub fn key_ids(&self) -> &[String] {
        &self.key_ids
    }

    /// The ids of a key here and a key of `ring` that are the same secret, if there are such.
    #[must_use]
    pub fn shared_with(&self, ring: &KeyRing) -> Option<(String, String)> {
        let mut shared = self.secrets.iter().filter_map(|ours| ours.shared_with(ring));
        shared.next().map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
    }

    /// Whether it goes without TLS.
    pub(super) fn plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The host, for error texts.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

fn url(text: Option<&str>, allowance: &Allowance) -> Result<Url, SourceError> {
    let wrong = |problem: String| wrong("url", problem);
    let text =
        text.ok_or_else(|| wrong("say where to post, such as https://crm.example/hooks".to_owned()))?;
    // Not shown: it may hold a password.
    let url = Url::parse(text).map_err(|error| wrong(format!("this is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("begin it with https:// or http://".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "a user or password in it would reach logs: send them as one of the headers".to_owned(),
        ));
    }
    if url.fragment().is_some() {
        return Err(wrong("what stands behind '#' is never sent: remove it".to_owned()));
    }
    if url.port() == Some(0) {
        return Err(wrong("nothing listens on port 0: give the real one".to_owned()));
    }
    let plain = url.scheme() == "http";
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    match literal {
        Some(address) => allowance.check(address, plain).map_err(|refused| wrong(refused.to_string()))?,
        None if plain && allowance.is_empty() => {
            let problem = "plain http goes to allowed networks only: use https, or say in allow_networks where this host \
                           is, such as [\"private\"]";
            return Err(wrong(problem.to_owned()));
        }
        None => {}
    }
    Ok(url)
}

/// The signers, and the secrets among their keys for comparison with others. A private key is no secret that others share.
fn signers(entries: &[KeyConfig], folder: &Path) -> Result<(Vec<Signer>, Vec<KeyRing>), SourceError> {
    if entries.is_empty() {
        let problem = "there is none: create one (printf 'whsec_%s' \"$(openssl rand -base64 32)\"), and give it to the \
                       target as well";
        return Err(wrong("keys", problem));
    }
    if entries.len() > MAX_KEYS {
        let problem = format!("{} keys: at most {MAX_KEYS}, each of which signs each event", entries.len());
        return Err(wrong("keys", problem));
    }
    for (i, entry) in entries.iter().enumerate() {
        if entry.not_before.is_some() || entry.not_after.is_some() {
            let problem = format!(
                "key '{}' signs for as long as it stands here: remove not_before and not_after",
                entry.id
            );
            return Err(wrong("keys", problem));
        }
        if entries.iter().take(i).any(|other| other.id == entry.id) {
            return Err(wrong("keys", format!("two keys have the id '{}'", entry.id)));
        }
    }
    let scheme = schemes::standard_webhooks();
    let library = |error| SourceError::Library { field: "keys", error };
    let (mut signers, mut secrets) = (Vec::new(), Vec::<KeyRing>::new());
    for key in keys::read(entries, false, folder)? {
        signers.push(Signer::new(&scheme, &key).map_err(library)?);
        let Ok(ring) = KeyRing::new(&scheme, std::slice::from_ref(&key)) else { continue };
        if let Some((other, this)) = secrets.iter().find_map(|before| before.shared_with(&ring)) {
            return Err(wrong(
                "keys",
                format!("key '{this}' is the same secret as key '{other}': remove one"),
            ));
        }
        secrets.push(ring);
    }
    Ok((signers, secrets))
}

fn roots(path: &Path) -> Result<Vec<Certificate>, SourceError> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|e| wrong("ca_file", format!("cannot read {shown}: {e}")))?;
    let problem =
        || wrong("ca_file", format!("{shown} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| problem())?;
    if certificates.is_empty() { Err(problem()) } else { Ok(certificates) }
}

fn extra_headers(
    configured: Option<&BTreeMap<String, SecretPlace>>,
    folder: &Path,
) -> Result<HeaderMap, SourceError> {
    let mut headers = HeaderMap::new();
    for (name, place) in configured.into_iter().flatten() {
        let wrong = |problem: String| wrong("headers", problem);
        // Not shown: somebody may have written the value in its place.
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("a name has characters that no header may have".to_owned()))?;
        if is_reserved(&name) || name == header::CONTENT_TYPE {
            return Err(wrong(format!(
                "'{name}' is set by hookproof or the connection: choose another name"
            )));
        }
        let text = keys::secret(&format!("'{name}'"), place, folder).map_err(wrong)?;
        let printable =
            !text.is_empty() && text.trim() == text && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let value = HeaderValue::from_str(&text).ok().filter(|_| printable);
        let mut value = value.ok_or_else(|| {
            wrong(format!("'{name}': the value is empty, has white space at an edge (as a file that ends with a newline), or a \
                           character that no header may have"))
        })?;
        value.set_sensitive(true);
        if headers.insert(&name, value).is_some() {
            return Err(wrong(format!("'{name}' is there twice")));
        }
    }
    Ok(headers)
}

/// Without keys, header values and the URL's query.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.shown_url())
            .field("keys", &self.key_ids)
            .finish_non_exhaustive()
    }
}
