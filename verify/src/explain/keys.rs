//! What else the text of a key may have been meant to be.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::explanation::{Cause, CauseKind};
use super::trial::Variation;
use crate::key::Key;
use crate::scheme::{KeyFormat, Scheme};

type Secret<T> = Zeroizing<T>;

/// A way in which the text may have been altered before it came here.
struct Edit {
    kind: CauseKind,
    /// Follows "the key's text".
    name: &'static str,
    edit: fn(&str) -> Option<String>,
}

const EDITS: [Edit; 14] = [
    Edit { kind: CauseKind::KeyEncoding, name: "", edit: |text| Some(text.to_owned()) },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " without the white space around it",
        edit: |text| Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()),
    },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " without a byte order mark before it",
        edit: |text| text.strip_prefix('\u{feff}').map(|text| text.trim().to_owned()),
    },
    Edit { kind: CauseKind::KeyPrefix, name: " without its prefix", edit: without_prefix },
    Edit {
        kind: CauseKind::KeyPrefix,
        name: " with 'whsec_' before it",
        edit: |text| Some(format!("whsec_{text}")),
    },
    Edit { kind: CauseKind::KeyText, name: " without the quotes around it", edit: unquoted },
    Edit { kind: CauseKind::KeyText, name: " after the '=' of a pasted 'NAME=...'", edit: of_assignment },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " with a newline (LF) after it",
        edit: |text| Some(format!("{text}\n")),
    },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " with CR LF after it",
        edit: |text| Some(format!("{text}\r\n")),
    },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " with a space after it",
        edit: |text| Some(format!("{text} ")),
    },
    Edit {
        kind: CauseKind::KeyWhitespace,
        name: " without the white space inside it",
        edit: |text| Some(text.chars().filter(|c| !c.is_whitespace()).collect()),
    },
    Edit {
        kind: CauseKind::KeyText,
        name: " in small letters",
        edit: |text| Some(text.to_ascii_lowercase()),
    },
    Edit { kind: CauseKind::KeyText, name: " in capitals", edit: |text| Some(text.to_ascii_uppercase()) },
    Edit { kind: CauseKind::KeyText, name: " with its HTML entities replaced", edit: without_entities },
];

/// A way in which text becomes bytes.
struct Reading {
    /// The format of schemes that read so.
    format: Option<KeyFormat>,
    /// Follows "taken".
    name: &'static str,
    read: fn(&str) -> Option<Vec<u8>>,
}

const READINGS: [Reading; 5] = [
    Reading {
        format: Some(KeyFormat::Utf8),
        name: "as plain text",
        read: |text| Some(text.as_bytes().to_vec()),
    },
    Reading {
        format: Some(KeyFormat::Base64),
        name: "as base64",
        read: |text| lenient_base64(text, &STANDARD).filter(|_| text.len().is_multiple_of(4)),
    },
    Reading {
        format: None,
        name: "as base64 without padding, or in URL-safe letters",
        read: |text| lenient_base64(text, &STANDARD).or_else(|| lenient_base64(text, &URL_SAFE)),
    },
    Reading { format: Some(KeyFormat::Hex), name: "as hexadecimal", read: |text| hex::decode(text).ok() },
    Reading { format: None, name: "as base64 of a text that ends in a newline", read: base64_of_line },
];

fn without_prefix(text: &str) -> Option<String> {
    let known = ["whsec_", "whsk_", "sk_", "v1,whsec_", "sha256="]
        .into_iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    known.or_else(|| text.rsplit_once('_').map(|(_, rest)| rest)).map(str::to_owned)
}

fn unquoted(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned);
    ['"', '\'', '`'].into_iter().find_map(inner)
}

fn of_assignment(text: &str) -> Option<String> {
    let (name, value) = text.trim().split_once('=')?;
    let is_name = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let value = value.trim();
    (is_name && !name.is_empty()).then(|| unquoted(value).unwrap_or_else(|| value.to_owned()))
}

fn without_entities(text: &str) -> Option<String> {
    text.contains('&').then(|| {
        let pairs =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#39;", "'"), ("&amp;", "&")];
        pairs.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
    })
}

fn lenient_base64(text: &str, alphabet: &Alphabet) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

/// What `echo secret | base64` makes: of the line, not of the secret.
fn base64_of_line(text: &str) -> Option<Vec<u8>> {
    let bytes = lenient_base64(text, &STANDARD)?;
    let line = bytes.strip_suffix(b"\n")?;
    Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// Every key with its text edited, read as the scheme reads it; then read otherwise; then both.
pub(super) fn variations(scheme: &Scheme, keys: &[Key]) -> Vec<Variation> {
    let mut variations = Vec::new();
    for key in keys {
        let text = key.text();
        for edit in &EDITS {
            variations.extend(edited(key, edit, text));
        }
        for edit in &EDITS {
            let Some(edited) = (edit.edit)(text).map(Secret::new) else { continue };
            for reading in &READINGS {
                variations.extend(read_as(scheme, key, edit, reading, &edited));
            }
        }
    }
    variations
}

fn edited(key: &Key, edit: &Edit, text: &str) -> Option<Variation> {
    let edited = Secret::new((edit.edit)(text)?);
    if *edited == text {
        return None;
    }
    let cause = Cause::recomputed(
        edit.kind,
        format!("The signature is made with key '{}', its text taken{}.", key.id(), edit.name),
        format!("Configure the key's text{}, or correct it at the provider.", edit.name),
    );
    let new = Key::new(key.id(), edited.as_str());
    Some(Variation::new(cause, move |trial| trial.keys = vec![new.clone()]))
}

fn read_as(scheme: &Scheme, key: &Key, edit: &Edit, reading: &Reading, text: &str) -> Option<Variation> {
    let bytes = Secret::new((reading.read)(text)?);
    let own = match scheme.key_format {
        KeyFormat::StandardWebhooks => Some(KeyFormat::Base64),
        other => Some(other),
    };
    let kind = if reading.format == own { edit.kind } else { CauseKind::KeyEncoding };
    let cause = Cause::recomputed(
        kind,
        format!(
            "The signature is made with key '{}', its text{} taken {}.",
            key.id(),
            edit.name,
            reading.name
        ),
        format!(
            "{} Check that the preset is the provider's; for a scheme of your own, set its key_format to how \
             the provider reads the secret.",
            expectation(scheme.key_format)
        ),
    );
    // As hexadecimal any bytes can be given to a verifier, also those that no text of a configuration stands for.
    let new = Key::new(key.id(), hex::encode(&*bytes));
    Some(Variation::new(cause, move |trial| {
        trial.keys = vec![new.clone()];
        trial.scheme.key_format = KeyFormat::Hex;
    }))
}

fn expectation(format: KeyFormat) -> &'static str {
    match format {
        KeyFormat::Utf8 => "This scheme takes a key's text as it is, prefix included.",
        KeyFormat::Hex => "This scheme reads a key as hexadecimal.",
        KeyFormat::Base64 => "This scheme reads a key as standard base64 with padding.",
        KeyFormat::PublicKey => {
            "This scheme reads a public key or certificate in PEM, or the base64 of its DER."
        }
        KeyFormat::PublicKeyOrSecret => {
            "This scheme reads a public key in PEM, or a secret in standard base64."
        }
        KeyFormat::JsonWebKey => "This scheme reads a JSON Web Key on P-256.",
        KeyFormat::StandardWebhooks => {
            "This scheme reads a key as 'whsec_' and standard base64 with padding."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before the '=' stands the name of a variable; anything else is a part of the secret.
    #[test]
    fn an_assignment_has_a_name() {
        for text in ["SECRET=abc", " HOOK_SECRET_2='abc' ", "_=abc", "S3=\"abc\""] {
            assert_eq!(of_assignment(text).as_deref(), Some("abc"), "{text}");
        }
        for text in ["=abc", "secret=abc", "HOOK-SECRET=abc", "hook_2=abc", "SECRET abc"] {
            assert_eq!(of_assignment(text), None, "{text}");
        }
    }
}
