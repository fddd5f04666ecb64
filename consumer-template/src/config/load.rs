//! From the file to a configuration that holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hookproof::Signer;

use crate::breaker::BreakerPolicy;
use crate::config::breaker::build_breakers;
use crate::config::check::{build_sources, check_server, check_store, dispatch_config, field, parse_error};
use crate::config::error::ConfigFileError;
use crate::config::fingerprint::{self, Fingerprint};
use crate::config::forward::{Forward, build_forwards};
use crate::config::refused::{RefusalsConfig, check_refusals};
use crate::config::retention;
use crate::config::sections::{File, LogConfig, ServerConfig, StoreConfig};
use crate::dispatch::DispatchConfig;
use crate::inbox::{Retention, SourceRules};
use crate::source::Source;

/// A configuration that holds: every source is built, every check passed.
#[derive(Debug)]
pub struct Config {
    /// The listener.
    pub server: ServerConfig,
    /// The store; its path is absolute or relative to the working folder.
    pub store: StoreConfig,
    /// The workers.
    pub dispatch: DispatchConfig,
    /// The log.
    pub log: LogConfig,
    /// What is kept of refusals.
    pub refusals: RefusalsConfig,
    /// How long what is finished is kept.
    pub retention: Retention,
    /// The endpoints.
    pub sources: Vec<Source>,
    /// Those of them whose events are forwarded.
    pub forwards: Vec<Forward>,
    /// When each source pauses by itself; those that are not in it never do.
    pub breakers: BTreeMap<Arc<str>, BreakerPolicy>,
    pub(super) fingerprints: BTreeMap<String, Fingerprint>,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`], naming the first field that is wrong and the remedy.
    pub fn load(path: &Path) -> Result<Self, ConfigFileError> {
        Self::parse(&read(path)?, path)
    }

    /// Checks a configuration that is in memory.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        let (file, folder) = (File::parse(text, path)?, path.parent().unwrap_or(Path::new("")));
        let table = text.parse().map_err(|error| parse_error(path, text, &error))?;
        Self::build(file, &table, folder)
    }

    /// How the events of each source are processed.
    #[must_use]
    pub fn rules(&self) -> Vec<SourceRules> {
        let rules = |source: &Source| SourceRules {
            source: Arc::clone(&source.name),
            order: source.order,
            breaker: self.breakers.get(&source.name).copied(),
        };
        self.sources.iter().map(rules).collect()
    }

    fn build(file: File, table: &toml::Table, folder: &Path) -> Result<Self, ConfigFileError> {
        let mut store = file.store;
        store.path = folder.join(store.path);
        check_server(&file.server)?;
        check_store(&store)?;
        let refusals = check_refusals(file.refusals)?;
        let dispatch = dispatch_config(&file.dispatch)?;
        let sources = build_sources(&file.sources, folder)?;
        let retention = retention::build(file.retention, &file.sources, &sources)?;
        let forwards =
            build_forwards(&file.forward, &file.sources, &sources, dispatch.handler_timeout, folder)?;
        let breakers = build_breakers(&file.breaker, &file.sources)?;
        let fingerprints = fingerprint::of_sources(table, folder);
        let (server, log) = (file.server, file.log);
        Ok(Self {
            server,
            store,
            dispatch,
            log,
            refusals,
            retention,
            sources,
            forwards,
            breakers,
            fingerprints,
        })
    }
}

/// What `hookproof send` needs to post to a source of a configuration.
#[derive(Debug)]
pub struct Target {
    /// Signs as the source's provider, with its first key.
    pub signer: Signer,
    /// The preset's name.
    pub scheme: String,
    /// The URL of the source, as `serve` would listen.
    pub url: String,
    /// The URL that the provider calls, where the source has one.
    pub public_url: Option<String>,
    /// The id that the provider gave the endpoint; empty where the source has none.
    pub webhook_id: String,
}

impl Target {
    /// Reads what concerns the source `name`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read, has no such source, or its first key cannot sign.
    pub fn load(path: &Path, name: &str) -> Result<Self, ConfigFileError> {
        let file = File::load(path)?;
        let Some(source) = file.sources.get(name) else {
            let names: Vec<_> = file.sources.keys().map(String::as_str).collect();
            return Err(field(
                "--source",
                format!("there is no source '{name}': choose one of {}", names.join(", ")),
            ));
        };
        let error = |error| ConfigFileError::Source { name: name.to_owned(), error };
        let folder = path.parent().unwrap_or(Path::new(""));
        let (scheme, signer) = Source::signer(source, folder).map_err(error)?;
        let mut listen = file.server.listen;
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let public_url =
            source.public_url.as_deref().map(|url| format!("{}{}", url.trim_end_matches('/'), source.path));
        Ok(Self {
            signer,
            scheme,
            url: format!("http://{listen}{}", source.path),
            public_url,
            webhook_id: source.webhook_id.clone().unwrap_or_default(),
        })
    }
}

fn read(path: &Path) -> Result<String, ConfigFileError> {
    std::fs::read_to_string(path).map_err(|source| ConfigFileError::Read { path: path.to_owned(), source })
}

impl File {
    pub(super) fn load(path: &Path) -> Result<Self, ConfigFileError> {
        Self::parse(&read(path)?, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        toml::from_str(text).map_err(|e| parse_error(path, text, &e))
    }
}

/// What the file says of its sources without their keys.
#[derive(Debug)]
pub struct Outline {
    /// By name: whether it has a quarantine.
    quarantines: BTreeMap<String, bool>,
}

impl Outline {
    /// Reads it alone: whoever looks after dead letters need not hold the keys.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read or has a field that does not exist.
    pub fn load(path: &Path) -> Result<Self, ConfigFileError> {
        let sources = File::load(path)?.sources.into_iter();
        Ok(Self { quarantines: sources.map(|(name, source)| (name, source.quarantine.is_some())).collect() })
    }

    /// The sources' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.quarantines.keys().map(String::as_str)
    }

    /// Whether what is refused to `source` is kept; `None` if there is no such source.
    #[must_use]
    pub fn has_quarantine(&self, source: &str) -> Option<bool> {
        self.quarantines.get(source).copied()
    }
}

impl StoreConfig {
    /// Reads `[store]` alone: whoever looks after dead letters need not hold the keys.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read or has a field that does not exist.
    pub fn load(path: &Path) -> Result<Self, ConfigFileError> {
        let mut store = File::load(path)?.store;
        store.path = path.parent().unwrap_or(Path::new("")).join(store.path);
        Ok(store)
    }
}
