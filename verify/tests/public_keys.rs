//! Keys of public-key signatures: what texts they may have, and what is said of those that are none.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{ConfigError, Key, Scheme, Signer, Verifier, schemes};

const PUBLIC: &str = "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=";
const PRIVATE: &str =
    "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";

fn error(scheme: &Scheme, text: &str) -> ConfigError {
    let error = sources::builder(scheme).key(Key::new("k1", text)).build().expect_err("the key is none");
    assert!(!error.to_string().contains(text), "{error}");
    error
}

fn undecodable(scheme: &Scheme, expected: &'static str) -> ConfigError {
    ConfigError::UndecodableKey { id: "k1".into(), scheme: scheme.name().into(), expected }
}

#[test]
fn public_keys_verify_and_private_keys_sign() {
    let standard = schemes::standard_webhooks;
    assert!(Verifier::builder(standard()).key(Key::new("k1", PUBLIC)).build().is_ok());
    assert!(Signer::new(&standard(), &Key::new("k1", PRIVATE)).is_ok());
    let twice = [Key::new("a", PUBLIC), Key::new("b", PUBLIC)];
    let equal = ConfigError::EqualKeys { first: "a".into(), second: "b".into() };
    assert_eq!(Verifier::builder(standard()).keys(twice).build().expect_err("one key"), equal);
}

#[test]
fn a_key_of_the_wrong_half_is_refused() {
    let pairs = ["discord", "sendgrid", "plaid"].map(|name| {
        let scheme = Scheme::by_name(name).unwrap();
        let (signing, verifying) = sources::pair(&scheme);
        (scheme, signing, verifying)
    });
    for (scheme, private, public) in
        pairs.into_iter().chain([(schemes::standard_webhooks(), PRIVATE, PUBLIC)])
    {
        let expected = "a key to verify with: this is the sender's private key, configure the public one that belongs to it";
        assert_eq!(error(&scheme, private), undecodable(&scheme, expected), "{}", scheme.name());
        let why = "it is a public key; sign with the private one that belongs to it";
        let cannot = ConfigError::CannotSign { id: "k1".into(), why };
        assert_eq!(Signer::new(&scheme, &Key::new("k1", public)).expect_err("no private key"), cannot);
    }
}
