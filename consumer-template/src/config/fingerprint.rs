//! Whether a source is configured as it was: also when a file changed that it names, and not its section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

/// The fields that name a file whose content counts.
const FILES: [&str; 2] = ["file", "ca_file"];

/// What a source was built from. Equal ones are built alike. Made with keys among other things, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprint").finish_non_exhaustive()
    }
}

/// The fingerprint of each source of the file, the sections that it shares with others included.
pub(super) fn of_sources(file: &Table, folder: &Path) -> BTreeMap<String, Fingerprint> {
    let sources = file.get("sources").and_then(Value::as_table);
    sources
        .into_iter()
        .flatten()
        .map(|(name, section)| {
            let mut hash = Sha256::new();
            add(&mut hash, section, folder);
            let forwards = section.get("forward").is_some();
            let of_all = ["breaker", "retention"].into_iter().filter_map(|name| file.get(name));
            let shared = of_all.chain(file.get("forward").filter(|_| forwards));
            shared.for_each(|section| add(&mut hash, section, folder));
            (name.clone(), Fingerprint(hash.finalize().into()))
        })
        .collect()
}

/// Adds a value; each piece after its length, so that no two values are one text.
fn add(hash: &mut Sha256, value: &Value, folder: &Path) {
    let mut piece = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        Value::Table(table) => {
            piece(format!("table of {}", table.len()).as_bytes());
            for (name, value) in table {
                hash_named(hash, name, value, folder);
            }
        }
        Value::Array(values) => {
            piece(format!("list of {}", values.len()).as_bytes());
            values.iter().for_each(|value| add(hash, value, folder));
        }
        other => piece(other.to_string().as_bytes()),
    }
}

fn hash_named(hash: &mut Sha256, name: &str, value: &Value, folder: &Path) {
    add(hash, &Value::String(name.to_owned()), folder);
    add(hash, value, folder);
    if let Some(path) = value.as_str().filter(|_| FILES.contains(&name)) {
        // One that cannot be read was an error before.
        let content = std::fs::read(folder.join(path)).unwrap_or_default();
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, folder: &Path) -> Fingerprint {
        of_sources(&text.parse().unwrap(), folder).remove("a").unwrap()
    }

    #[test]
    fn what_changes_a_source_changes_its_fingerprint_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "one").unwrap();
        let text = "[server]\nlisten = \"x\"\n[breaker]\nlast = 3\n[forward]\nurl = \"u\"\n\
                    [sources.a]\npath = \"/a\"\nkeys = [{ id = \"k\", file = \"key\" }]\nforward = { ca_file = \"ca\" }\n\
                    [sources.b]\npath = \"/b\"\n";
        let before = of(text, folder.path());
        for (from, to) in [("\"x\"", "\"y\""), ("\"/b\"", "\"/c\""), ("[server]", "# [server]\n[log]")] {
            assert!(of(&text.replacen(from, to, 1), folder.path()) == before, "{to}");
        }
        for (from, to) in [
            ("\"/a\"", "\"/x\""),
            ("\"k\"", "\"l\""),
            ("last = 3", "last = 4"),
            ("\"u\"", "\"v\""),
            ("path = \"/a\"", "path = \"/a\"\nx = 1"),
        ] {
            assert!(of(&text.replacen(from, to, 1), folder.path()) != before, "{to}");
        }
        std::fs::write(folder.path().join("ca"), "a certificate").unwrap();
        let with_ca = of(text, folder.path());
        assert!(with_ca != before, "a file that a source names");
        std::fs::write(folder.path().join("key"), "two").unwrap();
        assert!(of(text, folder.path()) != with_ca, "a key in a file");
        let shared = "[forward]\nurl = \"u\"\n[sources.a]\npath = \"/a\"\n";
        assert!(
            of(shared, folder.path()) == of(&shared.replace("\"u\"", "\"v\""), folder.path()),
            "it does not forward"
        );
        assert_eq!(format!("{before:?}"), "Fingerprint { .. }");
    }
}
