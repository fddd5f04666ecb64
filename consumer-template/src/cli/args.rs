//! What several commands ask for in the same words.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::config::{Config, StoreConfig};
use crate::inbox::By;
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};

/// Where the configuration is.
#[derive(Args, Debug)]
pub(super) struct ConfigArg {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", default_value = "hookproof.toml", env = "HOOKPROOF_CONFIG")]
    pub(super) config: PathBuf,
}

impl ConfigArg {
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config)?)
    }
}

/// Which database.
#[derive(Args, Debug)]
pub(super) struct StoreArg {
    /// The configuration file; only its [store] is read.
    #[arg(long, short, value_name = "FILE", default_value = "hookproof.toml", env = "HOOKPROOF_CONFIG")]
    config: PathBuf,
    /// The SQLite file, instead of the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
}

impl StoreArg {
    pub(super) fn path(&self) -> anyhow::Result<PathBuf> {
        Ok(match &self.db {
            Some(path) => path.clone(),
            None => StoreConfig::load(&self.config)?.path,
        })
    }

    pub(super) fn open(&self) -> anyhow::Result<SqliteOperator> {
        let path = self.path()?;
        SqliteOperator::open(SqliteOptions::new(&path))
            .with_context(|| format!("cannot open {}", path.display()))
    }
}

/// Who acts.
#[derive(Args, Debug)]
pub(super) struct ActorArg {
    /// Who does it, for the audit log.
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
}

impl ActorArg {
    pub(super) fn by(&self, why: impl Into<String>) -> By {
        By::new(&self.actor, why)
    }
}
