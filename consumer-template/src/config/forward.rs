//! `[forward]` and `[sources.<name>.forward]`: where events go.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::clock::SystemClock;
use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::config::sections::{KeyConfig, SecretPlace, SourceConfig};
use crate::forward::{Forwarder, SystemNames, Target};
use crate::source::{Source, SourceError};

/// A target. `[sources.<name>.forward]` says that the source forwards; what it leaves out comes from `[forward]`, which
/// forwards nothing by itself.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardConfig {
    /// Where to post.
    pub url: Option<String>,
    /// The keys to sign with: `whsec_` and base64, or a private `whsk_`. More than one during a rotation.
    pub keys: Option<Vec<KeyConfig>>,
    /// How long a request may take, its answer included. 10 unless given.
    pub timeout_seconds: Option<u64>,
    /// The addresses beside public ones: `loopback`, `private`, `link-local`, `shared`, or networks such as `10.1.0.0/16`.
    pub allow_networks: Option<Vec<String>>,
    /// The certificates of the authorities to trust, in PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Headers to send besides.
    pub headers: Option<BTreeMap<String, SecretPlace>>,
}

impl ForwardConfig {
    /// This, and what it leaves out from `default`.
    fn or(&self, default: &Self) -> Self {
        let (own, default) = (self.clone(), default.clone());
        Self {
            url: own.url.or(default.url),
            keys: own.keys.or(default.keys),
            timeout_seconds: own.timeout_seconds.or(default.timeout_seconds),
            allow_networks: own.allow_networks.or(default.allow_networks),
            ca_file: own.ca_file.or(default.ca_file),
            headers: own.headers.or(default.headers),
        }
    }

    /// Whether the field of that name is here.
    fn has(&self, field: &str) -> bool {
        match field {
            "url" => self.url.is_some(),
            "keys" => self.keys.is_some(),
            "timeout_seconds" => self.timeout_seconds.is_some(),
            "allow_networks" => self.allow_networks.is_some(),
            "ca_file" => self.ca_file.is_some(),
            "headers" => self.headers.is_some(),
            _ => false,
        }
    }

    fn is_empty(&self) -> bool {
        !["url", "keys", "timeout_seconds", "allow_networks", "ca_file", "headers"]
            .iter()
            .any(|field| self.has(field))
    }
}

/// Without the URL, whose query may hold a secret.
impl fmt::Debug for ForwardConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardConfig").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// A source whose events are forwarded.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The source.
    pub source: Arc<str>,
    /// What posts its events.
    pub forwarder: Forwarder,
}

/// The targets of all `sections`, checked also against what else is configured.
pub(super) fn build_forwards(
    default: &ForwardConfig,
    sections: &BTreeMap<String, SourceConfig>,
    sources: &[Source],
    handler_timeout: Duration,
    folder: &Path,
) -> Result<Vec<Forward>, ConfigFileError> {
    let mut forwards = Vec::new();
    for (name, own) in sections.iter().filter_map(|(name, section)| Some((name, section.forward.as_ref()?))) {
        let place = |error: SourceError| {
            let (at, problem) = error.into_parts();
            // The mistake is where the value is. What is nowhere is missing from the source.
            let shared = !own.has(at) && default.has(at);
            let section = if shared { "forward".to_owned() } else { format!("sources.{name}.forward") };
            field(&format!("{section}.{at}"), problem)
        };
        let target = Target::build(&own.or(default), folder).map_err(place)?;
        check(&target, sources, handler_timeout).map_err(place)?;
        let forwarder =
            Forwarder::new(target, Arc::new(SystemNames), Arc::new(SystemClock)).map_err(place)?;
        forwards.push(Forward { source: name.as_str().into(), forwarder });
    }
    if forwards.is_empty() && !default.is_empty() {
        let problem = "no source forwards: add `forward = {}` to those that do, or remove this section";
        return Err(field("forward", problem));
    }
    Ok(forwards)
}

fn check(target: &Target, sources: &[Source], handler_timeout: Duration) -> Result<(), SourceError> {
    if target.timeout() >= handler_timeout {
        let problem = format!(
            "{} s is not below dispatch.handler_timeout_seconds ({} s), which would cut the request off without saying why: \
             lower this, or raise that",
            target.timeout().as_secs(),
            handler_timeout.as_secs()
        );
        return Err(crate::source::wrong("timeout_seconds", problem));
    }
    for source in sources {
        if let Some((ours, theirs)) = target.shared_with(&source.verifier.keys()) {
            let problem = format!(
                "key '{ours}' is the same secret as key '{theirs}' of source '{}': its provider could send to the target \
                 without us, and the target to us; create another",
                source.name
            );
            return Err(crate::source::wrong("keys", problem));
        }
    }
    Ok(())
}
