//! What a configuration can get wrong is refused when it is built, by name and with the remedy.

#![cfg(test)]

#[cfg(not(feature = "asymmetric"))]
#[path = "support/sources.rs"]
mod sources;

use std::time::Duration;

#[cfg(not(feature = "asymmetric"))]
use hookproof::Signer;
use hookproof::{ConfigError, Encoding, Key, KeyFormat, KeyRing, Part, Scheme, Verifier, schemes};

const GOOD: &str = "a secret of more than sixteen bytes";
const GOOD_BASE64: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

fn key(text: &str) -> Key {
    Key::new("k1", text)
}

fn built(scheme: Scheme, keys: impl IntoIterator<Item = Key>) -> Result<Verifier, ConfigError> {
    Verifier::builder(scheme).keys(keys).build()
}

fn error(scheme: Scheme, keys: impl IntoIterator<Item = Key>) -> ConfigError {
    built(scheme, keys).expect_err("the configuration is wrong")
}

fn in_format(format: KeyFormat) -> Scheme {
    Scheme::builder("acme").signature_header("x-signature").key_format(format).build().unwrap()
}

fn empty() -> ConfigError {
    ConfigError::EmptyKey { id: "k1".into() }
}

fn short(bytes: usize) -> ConfigError {
    ConfigError::ShortKey { id: "k1".into(), bytes, min: 16 }
}

fn white_space(place: &'static str) -> ConfigError {
    ConfigError::KeyWhitespace { id: "k1".into(), place }
}

fn undecodable(scheme: &Scheme, expected: &'static str) -> ConfigError {
    ConfigError::UndecodableKey { id: "k1".into(), scheme: scheme.name().into(), expected }
}

#[test]
fn a_ring_names_its_keys_in_order() {
    let keys = ["b", "a", "c"].map(|id| Key::new(id, format!("{GOOD}, {id}")));
    let ring = KeyRing::new(&schemes::github(), &keys).unwrap();
    assert_eq!(ring.ids().collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(format!("{ring:?}"), r#"["b", "a", "c"]"#);
}

/// The control of all refusals below: the same calls with a good key succeed.
#[test]
fn good_keys_are_accepted() {
    assert!(built(schemes::github(), [key(GOOD)]).is_ok());
    assert!(built(schemes::github(), [key(&"x".repeat(16))]).is_ok(), "16 bytes are enough");
    assert!(built(schemes::standard_webhooks(), [key(GOOD_BASE64)]).is_ok());
    let bare = GOOD_BASE64.trim_start_matches("whsec_");
    assert!(built(schemes::standard_webhooks(), [key(bare)]).is_ok(), "base64 without its prefix");
    assert!(built(in_format(KeyFormat::Hex), [key(&"0f".repeat(16))]).is_ok());
    assert!(built(in_format(KeyFormat::Base64), [key(bare)]).is_ok());
}

#[test]
fn an_empty_key_is_refused_in_every_disguise() {
    for text in ["", " ", "\t\r\n", "\u{a0}", "\0", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        let got = error(schemes::github(), [key(text)]);
        // HMAC pads with zeros, so NULs alone are the empty key; at an edge they are named first.
        let wanted = if text.starts_with('\0') { white_space("end") } else { empty() };
        assert_eq!(got, wanted, "{text:?}");
    }
    let zeros = format!("whsec_{}=", "A".repeat(43));
    for text in ["", " ", "whsec_", zeros.as_str()] {
        assert_eq!(error(schemes::standard_webhooks(), [key(text)]), empty(), "{text:?}");
    }
    assert_eq!(error(in_format(KeyFormat::Hex), [key(&"00".repeat(32))]), empty());
    assert_eq!(error(in_format(KeyFormat::Base64), [key("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")]), empty());
}

#[test]
fn an_undecodable_key_is_refused() {
    let standard = schemes::standard_webhooks();
    for text in ["whsec_!!!!", "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "not base64 at all"] {
        let wanted = undecodable(&standard, "'whsec_' and standard base64 with padding");
        assert_eq!(error(standard.clone(), [key(text)]), wanted, "{text:?}");
    }
    let hex = in_format(KeyFormat::Hex);
    for text in ["0f0", "xyz", "0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"] {
        assert_eq!(error(hex.clone(), [key(text)]), undecodable(&hex, "hexadecimal"), "{text:?}");
    }
    let base64 = in_format(KeyFormat::Base64);
    let wanted = undecodable(&base64, "standard base64 with padding");
    assert_eq!(error(base64.clone(), [key("_-_-")]), wanted, "the url-safe alphabet");
}

#[test]
fn a_short_key_is_refused_by_its_decoded_length() {
    assert_eq!(error(schemes::github(), [key(&"x".repeat(15))]), short(15));
    assert_eq!(error(schemes::standard_webhooks(), [key("whsec_AQIDBAUGBwgJCgsMDQ4P")]), short(15));
    assert_eq!(
        error(in_format(KeyFormat::Hex), [key(&"0f".repeat(15))]),
        short(15),
        "30 characters, 15 bytes"
    );
}

#[test]
fn the_short_door_opens_for_short_keys_only() {
    let open = |text: &str| key(text).danger_allow_short_key();
    assert!(built(schemes::github(), [open("x")]).is_ok(), "one byte, if that is what the provider has");
    assert_eq!(error(schemes::github(), [open("")]), empty());
    assert_eq!(error(schemes::github(), [open(" ")]), empty());
    assert_eq!(error(schemes::standard_webhooks(), [open("whsec_")]), empty());
    assert_eq!(error(schemes::github(), [open("x\n")]), white_space("end"));
}

#[test]
fn white_space_at_an_edge_is_named_and_not_trimmed() {
    for (text, place) in [
        (format!("{GOOD}\n"), "end"),
        (format!("{GOOD}\r\n"), "end"),
        (format!("{GOOD} "), "end"),
        (format!("{GOOD}\0"), "end"),
        (format!(" {GOOD}"), "start"),
        (format!("\u{a0}{GOOD}"), "start"),
    ] {
        assert_eq!(error(schemes::github(), [key(&text)]), white_space(place), "{text:?}");
    }
    assert!(built(schemes::github(), [key("white space within is fine")]).is_ok());
}

#[test]
fn keys_of_one_ring_differ() {
    let scheme = schemes::github;
    let equal = || ConfigError::EqualKeys { first: "a".into(), second: "b".into() };
    let two = |a: &str, b: &str| [Key::new("a", a), Key::new("b", b)];
    assert_eq!(error(scheme(), two(GOOD, GOOD)), equal());
    let same_id = [Key::new("a", GOOD), Key::new("a", "another secret of its own")];
    assert_eq!(error(scheme(), same_id), ConfigError::DuplicateKeyId { id: "a".into() });
    assert!(built(scheme(), two(GOOD, "another secret of its own")).is_ok());

    let tokens = schemes::gitlab_token;
    assert_eq!(error(tokens(), two(GOOD, GOOD)), equal());
    assert!(built(tokens(), two(GOOD, "another secret of its own")).is_ok());

    // HMAC pads a short key with zeros and hashes one of more than 64 bytes (RFC 2104, section 2).
    let hex = in_format(KeyFormat::Hex);
    let padded = two("0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f000000");
    assert_eq!(error(hex.clone(), padded), equal());
    // SHA-256 of 65 times the letter k.
    let hashed = "f39cdc2584758c99cf81c1f41d2572f54e17066afffc9d187aeafe5f7cbe2122";
    assert_eq!(error(hex.clone(), two(&"6b".repeat(65), hashed)), equal());
    assert!(built(hex, two(&"6b".repeat(64), hashed)).is_ok(), "64 bytes are taken as they are");
}

#[test]
fn sources_that_share_a_secret_are_found() {
    for scheme in [schemes::github(), schemes::gitlab_token()] {
        let ring = |id: &'static str, text: &str| KeyRing::new(&scheme, &[Key::new(id, text)]).unwrap();
        assert_eq!(ring("a", GOOD).shared_with(&ring("b", GOOD)), Some(("a", "b")));
        assert_eq!(ring("a", GOOD).shared_with(&ring("b", "another secret of its own")), None);
    }
}

#[test]
fn one_to_eight_keys() {
    let keys = |count: usize| (0..count).map(|n| Key::new(format!("k{n}"), format!("{GOOD} number {n}")));
    assert_eq!(error(schemes::github(), keys(0)), ConfigError::NoKeys);
    assert!(built(schemes::github(), keys(8)).is_ok());
    assert_eq!(error(schemes::github(), keys(9)), ConfigError::TooManyKeys { count: 9, max: 8 });
}

#[test]
fn key_ids_can_be_logged() {
    for (id, shown) in [("", ""), ("a b", "a b"), ("a\nb", "a\\nb"), ("é", "é")] {
        let wanted = ConfigError::BadKeyId { id: shown.into() };
        assert_eq!(error(schemes::github(), [Key::new(id, GOOD)]), wanted, "{id:?}");
    }
    let long = "k".repeat(65);
    let wanted = ConfigError::BadKeyId { id: long.clone() };
    assert_eq!(error(schemes::github(), [Key::new(long, GOOD)]), wanted);
    assert!(built(schemes::github(), [Key::new("k".repeat(64), GOOD)]).is_ok());
}

#[test]
fn a_tolerance_is_neither_zero_nor_absurd() {
    let tolerance = |scheme, tolerance| {
        let key = if matches!(scheme, Kind::Standard) { key(GOOD_BASE64) } else { key(GOOD) };
        Verifier::builder(scheme.scheme()).key(key).tolerance(tolerance).build().map(drop)
    };
    let wrong = |given, side| ConfigError::Tolerance {
        given,
        side,
        min: Duration::from_secs(1),
        max: Duration::from_secs(31 * 24 * 3600),
    };
    for given in
        [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(31 * 24 * 3600 + 1), Duration::MAX]
    {
        for kind in [Kind::Standard, Kind::EventTime] {
            assert_eq!(tolerance(kind, given), Err(wrong(given, "in the past")), "{given:?}");
        }
    }
    let future = hookproof::Window { past: Duration::from_secs(300), future: Duration::ZERO };
    let one_sided = Verifier::builder(schemes::stripe()).key(key(GOOD)).window(future).build();
    assert_eq!(one_sided.unwrap_err(), wrong(Duration::ZERO, "in the future"));
    for given in [Duration::from_secs(1), Duration::from_secs(31 * 24 * 3600)] {
        assert_eq!(tolerance(Kind::Standard, given), Ok(()), "{given:?}");
    }
    let wanted = ConfigError::NoTimestamp { scheme: "github".into() };
    assert_eq!(tolerance(Kind::Timeless, Duration::from_secs(300)), Err(wanted));
}

#[derive(Clone, Copy)]
enum Kind {
    Standard,
    EventTime,
    Timeless,
}

impl Kind {
    fn scheme(self) -> Scheme {
        match self {
            Self::Standard => schemes::standard_webhooks(),
            Self::EventTime => schemes::klozeo(),
            Self::Timeless => schemes::github(),
        }
    }
}

#[test]
fn a_signed_url_needs_the_public_url() {
    let scheme = Scheme::builder("acme")
        .signature_header("x-signature")
        .encoding(Encoding::Base64)
        .signed([Part::Url, Part::Body])
        .build()
        .unwrap();
    let wanted = ConfigError::PublicUrlMissing { scheme: "acme".into() };
    assert_eq!(error(scheme.clone(), [key(GOOD)]), wanted);
    let with = |url: &str| Verifier::builder(scheme.clone()).key(key(GOOD)).public_url(url).build().map(drop);
    for url in [
        "",
        "/hooks",
        "hooks.example.com",
        "ftp://hooks.example.com",
        "https://",
        "https://hooks.example.com?a=1",
        "https://hooks.example.com/#top",
        "https://hooks example.com",
    ] {
        assert_eq!(with(url), Err(ConfigError::PublicUrl { url: url.into() }), "{url:?}");
    }
    for url in
        ["https://hooks.example.com", "http://localhost:8080/", "https://hooks.example.com/behind/a/proxy"]
    {
        assert_eq!(with(url), Ok(()), "{url:?}");
    }
}

#[test]
fn a_body_limit_of_zero_is_refused() {
    let with =
        |bytes| Verifier::builder(schemes::github()).key(key(GOOD)).body_limit(bytes).build().map(drop);
    assert_eq!(with(0), Err(ConfigError::BodyLimit));
    assert_eq!(with(1), Ok(()));
}

/// Without the feature the presets that need it say so, by the key that shows it.
#[cfg(not(feature = "asymmetric"))]
#[test]
fn a_public_key_names_the_feature_that_it_needs() {
    let needed = ConfigError::FeatureNeeded { id: "key".into() };
    for name in sources::OF_PUBLIC_KEYS {
        let scheme = Scheme::by_name(name).unwrap();
        let (signing, verifying) = sources::keys(&scheme);
        let verifier = sources::builder(&scheme).key(verifying).build();
        assert_eq!(verifier.expect_err(name), needed, "{name}");
        assert_eq!(Signer::new(&scheme, &signing).expect_err(name), needed, "{name}");
    }
    let standard = schemes::standard_webhooks;
    let public = Key::new("key", "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=");
    assert_eq!(error(standard(), [public]), needed);
    let private = Key::new(
        "key",
        "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==",
    );
    assert_eq!(Signer::new(&standard(), &private).expect_err("no feature"), needed);
    assert_eq!(sources::Source::all().count(), sources::PRESETS, "and all the others can be built");
}
