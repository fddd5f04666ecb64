//! What `hookproof verify` needs of a configuration.

use std::path::Path;
use std::time::Duration;

use hookproof::explain::Explainer;
use hookproof::{Key, Scheme};

use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::config::sections::{File, SourceConfig};
use crate::keys;
use crate::source::{SourceError, scheme, window};

/// A source of a configuration, ready to explain its deliveries; the other sources' keys are tried too.
#[derive(Debug)]
pub struct Explained {
    /// Explains.
    pub explainer: Explainer,
    /// What a reader of the explanation should know besides.
    pub notes: Vec<String>,
}

impl Explained {
    /// Reads the source `name`, or the one with the path of `path_and_query`. Unlike `serve` it takes a source whose keys do not
    /// decode: the explanation says so.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`] if the file cannot be read, has no such source, or its keys cannot be read.
    pub fn load(path: &Path, name: Option<&str>, path_and_query: &str) -> Result<Self, ConfigFileError> {
        let file = File::load(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let posted_to = path_and_query.split('?').next().unwrap_or_default();
        let (name, source) = find(&file, name, posted_to)?;
        let error = |error| ConfigFileError::Source { name: name.to_owned(), error };
        let mut explainer = explainer_of(source, folder).map_err(error)?;
        let mut notes = Vec::new();
        if source.path != posted_to {
            notes.push(format!(
                "It was posted to another path than that of source '{name}', {}: `serve` would not have \
                 taken it for this source.",
                source.path
            ));
        }
        for (other, config) in file.sources.iter().filter(|(other, _)| *other != name) {
            match parts(config, folder) {
                Ok((scheme, keys)) => {
                    explainer = explainer.other_source(
                        format!("source '{other}'"),
                        scheme,
                        keys,
                        config.public_url.clone(),
                    );
                }
                Err(_) => {
                    notes.push(format!("Source '{other}' was not tried: its keys cannot be read here."))
                }
            }
        }
        Ok(Self { explainer, notes })
    }
}

fn find<'f>(
    file: &'f File,
    name: Option<&str>,
    posted_to: &str,
) -> Result<(&'f str, &'f SourceConfig), ConfigFileError> {
    let names = || file.sources.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let wanted = |(own, source): &(&String, &SourceConfig)| match name {
        Some(name) => *own == name,
        None => source.path == posted_to,
    };
    let found = file.sources.iter().find(wanted).map(|(name, source)| (name.as_str(), source));
    found.ok_or_else(|| match name {
        Some(name) => field("--source", format!("there is no source '{name}': choose one of {}", names())),
        None => field("--source", format!("no source has the request's path: name one of {}", names())),
    })
}

/// Explains deliveries as the source would judge them.
fn explainer_of(config: &SourceConfig, folder: &Path) -> Result<Explainer, SourceError> {
    let (scheme, keys) = parts(config, folder)?;
    let mut explainer = Explainer::new(scheme.clone()).keys(keys).accept_undated();
    if let Some(seconds) = config.tolerance_seconds {
        explainer = explainer.window(window(&scheme, Duration::from_secs(seconds))?);
    }
    if let Some(bytes) = config.body_limit_bytes {
        explainer = explainer.body_limit(bytes);
    }
    if let Some(url) = &config.public_url {
        explainer = explainer.public_url(url);
    }
    if let Some(id) = &config.webhook_id {
        explainer = explainer.webhook_id(id);
    }
    Ok(explainer)
}

/// The scheme and the keys, as they are configured.
fn parts(config: &SourceConfig, folder: &Path) -> Result<(Scheme, Vec<Key>), SourceError> {
    Ok((scheme(config)?, keys::read(&config.keys, config.danger_allow_short_key, folder)?))
}
