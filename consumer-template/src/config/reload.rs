//! From one configuration to another, while the server runs: what may change, what may not, and what did.

use std::fmt;

use crate::config::check::field;
use crate::config::error::ConfigFileError;
use crate::config::load::Config;
use crate::config::refused::RefusalsConfig;
use crate::config::sections::{LogFormat, ServerConfig, StoreConfig};

/// What differs between two configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The sources that are not configured as they were, keys and shared sections included.
    pub changed: Vec<String>,
    /// The sources that are new.
    pub added: Vec<String>,
    /// The sources that are gone.
    pub removed: Vec<String>,
    /// Whether any limit in `[server]` or `[dispatch]` changed.
    pub limits: bool,
}

impl Config {
    /// What changes if this configuration takes the place of `old` in a running server.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError`], naming each field that only a restart can change.
    pub fn changes_from(&self, old: &Self) -> Result<Changes, ConfigFileError> {
        // Every field by name: whoever adds one has to say here what becomes of it.
        let Self {
            server,
            store,
            dispatch,
            log,
            refusals,
            retention: _,
            sources,
            forwards: _,
            breakers: _,
            fingerprints,
        } = self;
        let ServerConfig {
            listen,
            max_connections,
            header_timeout_seconds: _,
            body_timeout_seconds: _,
            max_headers: _,
            max_header_bytes: _,
        } = server;
        let name = |format: LogFormat| if format == LogFormat::Json { "json" } else { "text" };
        let StoreConfig { path, accept_queue, max_bytes } = store;
        let RefusalsConfig { max_rows } = refusals;
        let fixed = [
            fixed("server.listen", listen, &old.server.listen),
            fixed("server.max_connections", max_connections, &old.server.max_connections),
            fixed("store.path", &path.display(), &old.store.path.display()),
            fixed("store.accept_queue", accept_queue, &old.store.accept_queue),
            fixed("store.max_bytes", &in_bytes(*max_bytes), &in_bytes(old.store.max_bytes)),
            fixed("refusals.max_rows", max_rows, &old.refusals.max_rows),
            fixed("log.format", &name(log.format), &name(old.log.format)),
        ];
        let mut errors: Vec<_> = fixed.into_iter().flatten().collect();
        match errors.len() {
            0 => {}
            1 => return Err(errors.remove(0)),
            _ => return Err(ConfigFileError::Several(errors)),
        }
        let mut changes =
            Changes { limits: *dispatch != old.dispatch || *server != old.server, ..Changes::default() };
        for source in sources {
            let name = source.name.to_string();
            match old.fingerprints.get(&name) {
                None => changes.added.push(name),
                before if before != fingerprints.get(&name) => changes.changed.push(name),
                Some(_) => {}
            }
        }
        let gone = old.fingerprints.keys().filter(|name| !fingerprints.contains_key(*name));
        changes.removed = gone.cloned().collect();
        Ok(changes)
    }
}

fn in_bytes(max: Option<u64>) -> String {
    max.map_or_else(|| "no limit".to_owned(), |max| max.to_string())
}

/// An error if they differ.
fn fixed(name: &str, new: &impl fmt::Display, old: &impl fmt::Display) -> Option<ConfigFileError> {
    let (new, old) = (new.to_string(), old.to_string());
    (new != old).then(|| {
        field(
            name,
            format!("cannot change from {old} to {new} while the server runs: restart it, or put it back"),
        )
    })
}

/// As the log says it: `2 sources changed, 1 added`.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (names, verb) in [(&self.changed, "changed"), (&self.added, "added"), (&self.removed, "removed")]
        {
            let noun = if names.len() == 1 { "source " } else { "sources " };
            match names.len() {
                0 => {}
                n if parts.is_empty() => parts.push(format!("{n} {noun}{verb}")),
                n => parts.push(format!("{n} {verb}")),
            }
        }
        if self.limits {
            parts.push("limits changed".to_owned());
        }
        f.write_str(&if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_a_line_of_a_log() {
        let names = |n: usize| vec!["a".to_owned(); n];
        let of = |changed, added, removed, limits| {
            let changes =
                Changes { changed: names(changed), added: names(added), removed: names(removed), limits };
            changes.to_string()
        };
        assert_eq!(of(0, 0, 0, false), "nothing changed");
        assert_eq!(of(2, 1, 0, false), "2 sources changed, 1 added");
        assert_eq!(of(0, 1, 2, true), "1 source added, 2 removed, limits changed");
        assert_eq!(of(0, 0, 0, true), "limits changed");
    }
}
