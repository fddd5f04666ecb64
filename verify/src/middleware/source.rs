use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use crate::config_error::ConfigError;
use crate::replay::ReplayKey;
use crate::replay_guard::check_retention;
use crate::verified::Verified;
use crate::verifier::Verifier;

/// A verifier, and the name of the endpoint that it stands at.
///
/// The name is in what an observer sees, and in every replay key: give each endpoint its own.
#[derive(Clone, Debug)]
pub struct Source {
    name: Option<Arc<str>>,
    verifier: Verifier,
}

impl Source {
    /// A named source. An empty name is none.
    pub fn new(name: impl Into<Arc<str>>, verifier: Verifier) -> Self {
        Self { name: Some(name.into()).filter(|name| !name.is_empty()), verifier }
    }

    /// The name, or that of the scheme where none was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.verifier.scheme().name())
    }

    /// The verifier.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Whether a guard with this retention may remember for this source.
    pub(crate) fn check_guard(&self, retention: Duration) -> Result<(), ConfigError> {
        let name = self.name.as_deref().ok_or(ConfigError::SourceUnnamed)?;
        check_retention(name, self.verifier.scheme(), retention)
    }

    pub(crate) fn replay_key(&self, proof: &Verified<Bytes>) -> ReplayKey {
        proof.replay_key(self.name())
    }
}

/// A source without a name: enough for a layer without a replay guard.
impl From<Verifier> for Source {
    fn from(verifier: Verifier) -> Self {
        Self { name: None, verifier }
    }
}

type Choose = Arc<dyn Fn(&Parts) -> Option<Source> + Send + Sync>;

/// Where a request's source comes from.
#[derive(Clone)]
pub(crate) enum Sources {
    Fixed(Source),
    Chosen { choose: Choose, decoy: Source },
}

impl Sources {
    /// The source of this request, where that is chosen for each; `None` also where none was found.
    pub(crate) fn choose(&self, parts: &Parts) -> Option<Source> {
        match self {
            Self::Fixed(_) => None,
            Self::Chosen { choose, .. } => choose(parts),
        }
    }

    /// By whom a request is verified, and whether that is its own source: a stranger's request is verified too, by the
    /// decoy.
    pub(crate) fn source<'a>(&'a self, chosen: Option<&'a Source>) -> (&'a Source, bool) {
        match (chosen, self) {
            (Some(source), _) | (None, Self::Fixed(source)) => (source, true),
            (None, Self::Chosen { decoy, .. }) => (decoy, false),
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(source) => source.fmt(f),
            Self::Chosen { decoy, .. } => {
                f.debug_struct("Chosen").field("decoy", decoy).finish_non_exhaustive()
            }
        }
    }
}
