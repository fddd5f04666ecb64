//! Keys and other secrets, from where the configuration says that they are.

use std::path::Path;

use hookproof::{Key, TimestampFormat, UnixTime};

use crate::config::{KeyConfig, SecretPlace};
use crate::published_keys;
use crate::source::{SourceError, wrong};

/// The keys that `entries` name, in order.
///
/// # Errors
///
/// [`SourceError`] naming the key's id, if one is not where it should be, or is a published one.
pub(crate) fn read(
    entries: &[KeyConfig],
    short_allowed: bool,
    folder: &Path,
) -> Result<Vec<Key>, SourceError> {
    let mut keys = Vec::with_capacity(entries.len());
    for entry in entries {
        let text = text(entry, folder)?;
        if published_keys::contains(&text) {
            let problem =
                format!("key '{}' is printed in public documentation: create one of your own", entry.id);
            return Err(wrong("keys", problem));
        }
        let mut key = Key::new(entry.id.as_str(), text);
        if let Some(moment) = moment(&entry.id, "not_before", entry.not_before.as_deref())? {
            key = key.not_before(moment);
        }
        if let Some(moment) = moment(&entry.id, "not_after", entry.not_after.as_deref())? {
            key = key.not_after(moment);
        }
        keys.push(if short_allowed { key.danger_allow_short_key() } else { key });
    }
    Ok(keys)
}

/// The edge of a key's validity.
fn moment(id: &str, field: &str, text: Option<&str>) -> Result<Option<UnixTime>, SourceError> {
    let Some(text) = text else { return Ok(None) };
    let moment = TimestampFormat::Rfc3339.parse(text.as_bytes()).ok_or_else(|| {
        let id = id.escape_debug();
        wrong("keys", format!("key '{id}': {field} is a time with an offset, such as 2026-11-30T00:00:00Z"))
    })?;
    Ok(Some(moment))
}

/// The text of one key.
fn text(entry: &KeyConfig, folder: &Path) -> Result<String, SourceError> {
    let KeyConfig { env, file, value, .. } = entry.clone();
    let what = format!("key '{}'", entry.id.escape_debug());
    secret(&what, &SecretPlace { env, file, value }, folder).map_err(|problem| wrong("keys", problem))
}

/// The text that is at `place`.
///
/// # Errors
///
/// What is wrong, and the remedy, as a text that begins with `what`.
pub(crate) fn secret(what: &str, place: &SecretPlace, folder: &Path) -> Result<String, String> {
    match (&place.env, &place.file, &place.value) {
        (Some(name), None, None) => {
            let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || !name.bytes().all(good) {
                // Not shown: it may be the secret itself.
                return Err(format!(
                    "{what}: env is the name of a variable, of A-Z 0-9 _; the secret itself goes into value"
                ));
            }
            match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(text),
                Ok(_) => Err(format!("{what}: the environment variable {name} is empty")),
                Err(_) => Err(format!("{what}: set the environment variable {name}")),
            }
        }
        (None, Some(path), None) => {
            let path = folder.join(path);
            std::fs::read_to_string(&path).map_err(|e| format!("{what}: cannot read {}: {e}", path.display()))
        }
        (None, None, Some(text)) => Ok(text.clone()),
        _ => Err(format!("{what}: give exactly one of env, file and value")),
    }
}
