//! What several commands ask for in the same words.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::config::{Config, Outline, StoreConfig};
use crate::inbox::sqlite::{SqliteOperator, SqliteOptions};
use crate::inbox::{By, Life as _, LifeError};

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
    /// The configuration file; its keys are not read.
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
        if let Ok(false) = path.try_exists() {
            bail!(
                "cannot open {}: there is no such file. Start `hookproof serve` once, it creates the database; or name \
                 the file with --db",
                std::path::absolute(&path).unwrap_or(path).display()
            );
        }
        SqliteOperator::open(SqliteOptions::new(&path))
            .with_context(|| format!("cannot open {}", path.display()))
    }

    /// Opens it for a command that is about `source` alone, if it names one. That nothing is found must not mean that its
    /// name was mistyped.
    pub(super) async fn open_for(&self, source: Option<&str>) -> anyhow::Result<SqliteOperator> {
        let store = self.open()?;
        let Some(source) = source else { return Ok(store) };
        let mut known: BTreeSet<_> = store.sources().await?.into_iter().map(|status| status.source).collect();
        if let Some(outline) = self.outline()? {
            known.extend(outline.names().map(str::to_owned));
        }
        if !known.contains(source) {
            let (name, known) = (source.to_owned(), known.into_iter().collect());
            return Err(LifeError::Unknown { name, known }.into());
        }
        Ok(store)
    }

    /// What the configuration says of its sources, unless the database was named in its stead.
    pub(super) fn outline(&self) -> anyhow::Result<Option<Outline>> {
        Ok(if self.db.is_some() { None } else { Some(Outline::load(&self.config)?) })
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
