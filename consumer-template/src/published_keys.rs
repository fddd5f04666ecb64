//! Keys that anyone can read: those of our test vectors and of providers' documentation.
//!
//! Kept as SHA-256, one per line, so that this list is no list of keys. A test holds it against the vectors.

use sha2::{Digest, Sha256};

const LIST: &str = include_str!("published_keys.txt");

/// Whether `text` is such a key, with or without the prefix that a base64 secret may have.
#[must_use]
pub(crate) fn contains(text: &str) -> bool {
    let text = text.trim();
    let bare = text.strip_prefix("whsec_").unwrap_or(text);
    is_listed(text) || is_listed(bare) || is_listed(&format!("whsec_{bare}"))
}

fn is_listed(text: &str) -> bool {
    let digest = Sha256::digest(text);
    let line = digest.iter().fold(String::with_capacity(64), |line, byte| line + &format!("{byte:02x}"));
    LIST.lines().any(|known| known == line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both texts are the same key.
    #[test]
    fn a_key_is_known_with_and_without_its_prefix() {
        let key = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let listed =
            [key, key.trim_start_matches("whsec_")].into_iter().filter(|text| is_listed(text)).count();
        assert!(listed > 0, "the vectors have this key");
        assert!(contains(key) && contains(key.trim_start_matches("whsec_")));
        assert!(!contains("whsec_") && !contains("whsec_a key that nobody has published"));
    }
}
