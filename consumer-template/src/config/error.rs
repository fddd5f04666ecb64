//! What can be wrong with a configuration.

use std::path::PathBuf;

use crate::source::SourceError;

/// What is wrong with a configuration. Caused by whoever wrote it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: create it, or name another with --config")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or has a field that does not exist.
    #[error("{path}:{line}: {problem}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 if it concerns the whole file.
        line: usize,
        /// What is wrong; never a value, which may be a key.
        problem: String,
    },
    /// A field's value cannot work.
    #[error("{field}: {problem}")]
    Field {
        /// The field, as it is written in the file.
        field: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A source cannot be built.
    #[error("sources.{name}.{error}")]
    Source {
        /// The source.
        name: String,
        /// What is wrong.
        error: SourceError,
    },
    /// Several sources cannot be built: one line each.
    #[error("{}", lines(.0))]
    Several(Vec<ConfigFileError>),
}

fn lines(errors: &[ConfigFileError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       ")
}
