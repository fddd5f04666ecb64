//! Every contradiction that a scheme is refused for, by the field that it names and the remedy that it gives.

#![cfg(test)]

use std::time::Duration;

use hookproof::{
    Algorithm, ConfigError, Encoding, FormOrder, Key, KeyFormat, Part, Pointer, Scheme, SchemeBuilder,
    Syntax, TimestampFormat, Verifier, Version, schemes,
};

fn plain() -> SchemeBuilder {
    Scheme::builder("acme").signature_header("x-signature")
}

fn token() -> SchemeBuilder {
    let body_sha256 = Pointer::new("/digest").unwrap();
    plain()
        .syntax(Syntax::JsonWebToken { body_sha256 })
        .key_format(KeyFormat::JsonWebKey)
        .signed([Part::TokenContent])
}

fn items() -> SchemeBuilder {
    Scheme::builder("acme").syntax(Syntax::AdyenItems).signed([])
}

fn shared_token() -> SchemeBuilder {
    plain().algorithm(Algorithm::SharedToken).signed([])
}

fn version(name: &'static str, algorithm: Algorithm) -> Version {
    Version { name: name.into(), algorithm }
}

fn listed(name: &'static str, separator: char) -> SchemeBuilder {
    let versions = vec![version(name, Algorithm::HmacSha256)];
    plain().syntax(Syntax::KeyValue { versions, timestamp: None, separator })
}

/// The field and the text with which it is refused.
fn fault(builder: SchemeBuilder) -> (&'static str, String) {
    match builder.build() {
        Err(ConfigError::Scheme { scheme, field, problem }) => {
            assert_eq!(scheme, "acme");
            (field, problem)
        }
        other => panic!("refused as a scheme is what was wanted: {other:?}"),
    }
}

fn assert_fault(builder: SchemeBuilder, field: &str, problem: &str) {
    assert_eq!(fault(builder), (field, problem.to_owned()));
}

/// The controls: each is a builder of below with its fault mended.
#[test]
fn the_neighbours_of_the_faults_are_accepted() {
    let claim = |format| token().timestamp_claim("/time", format);
    let mut good = vec![
        plain(),
        items(),
        shared_token(),
        listed("v1", ','),
        listed("v1", ';'),
        listed("v1", ' '),
        plain().prefix("v1 = "),
        plain().required_header("x-version", "1"),
        plain().event_time_at("/at", TimestampFormat::Seconds),
        plain().signed([Part::BodyCrc32]),
        plain().signed([Part::Form(FormOrder::Distinct)]),
        plain().algorithm(Algorithm::HmacSha1),
        plain().alternative_signature_header("x-other").bind_key("old", "x-other"),
        plain().event_id_header("x-id").preferred_family("acme-", "x-"),
        plain().algorithm(Algorithm::Ed25519).key_format(KeyFormat::Hex),
        plain()
            .algorithm(Algorithm::RsaPkcs1Sha256)
            .key_format(KeyFormat::PublicKey)
            .encoding(Encoding::Base64),
    ];
    good.extend([claim(TimestampFormat::Seconds), claim(TimestampFormat::Millis)]);
    good.push(token().event_time_at("/at", TimestampFormat::Seconds));
    for builder in good {
        assert!(builder.clone().build().is_ok(), "{builder:?}");
    }
}

#[test]
fn the_body_is_signed_once_in_one_form() {
    let once = "the body occurs twice; it arrives once";
    assert_fault(plain().signed([Part::Body, Part::BodyCrc32]), "signed", once);
    assert_fault(plain().signed([Part::Form(FormOrder::Arrival), Part::Body]), "signed", once);
    let unsigned = "add Part::Body: an unsigned body proves nothing";
    assert_fault(plain().signed([Part::WebhookId]), "signed", unsigned);
    assert_fault(plain().algorithm(Algorithm::Ed25519).signed([]), "signed", unsigned);
}

#[test]
fn what_says_by_itself_what_is_signed_takes_no_parts() {
    let problem = "a message signature, a token, a shared secret and Adyen's items say by themselves what is signed: give no parts";
    for builder in [token(), items(), shared_token()] {
        assert_fault(builder.clone().signed([Part::Body]), "signed", problem);
        assert_fault(builder.signed([Part::TokenContent, Part::Body]), "signed", problem);
    }
}

#[test]
fn a_token_is_signed_by_its_content() {
    let problem = "Part::TokenContent and Syntax::JsonWebToken belong together";
    assert_fault(token().signed([]), "signed", problem);
    assert_fault(token().signed([Part::TokenContent, Part::TokenContent]), "signed", problem);
    assert_fault(plain().signed([Part::TokenContent, Part::Body]), "signed", problem);
    assert_fault(plain().signed([Part::TokenContent, Part::TokenContent, Part::Body]), "signed", problem);
    assert_fault(shared_token().signed([Part::TokenContent]), "signed", problem);
    let problem = "Part::SignatureBase and Syntax::HttpMessage belong together";
    for count in 1..3 {
        let parts = [vec![Part::SignatureBase; count], vec![Part::Body]].concat();
        assert_fault(plain().signed(parts), "signed", problem);
    }
}

#[test]
fn a_claim_is_a_number_of_its_own_in_a_token() {
    let claim = |pointer, format| token().timestamp_claim(pointer, format);
    let problem = "only a Syntax::JsonWebToken has claims";
    assert_fault(
        plain().timestamp_claim("/iat", TimestampFormat::Seconds).signed([Part::Timestamp, Part::Body]),
        "timestamp_claim",
        problem,
    );
    assert_eq!(fault(plain().timestamp_claim("iat", TimestampFormat::Seconds)).0, "timestamp_claim");
    let two = "the time and the body's digest are two claims, and neither stands inside the other";
    for pointer in ["/digest", "/digest/time"] {
        assert_fault(claim(pointer, TimestampFormat::Seconds), "timestamp_claim", two);
    }
    let number = "a claim holds its time as a number: choose Seconds or Millis";
    assert_fault(claim("/time", TimestampFormat::Rfc3339), "timestamp_format", number);
}

#[test]
fn a_timestamp_in_the_signature_is_not_signed_by_a_list_of_headers() {
    let list = || http::HeaderName::from_static("x-signed-headers");
    let parts = || [Part::SignedHeaders(list()), Part::literal("\n"), Part::Body];
    let problem = "add Part::Timestamp: a timestamp that is not signed can be changed by whoever replays";
    assert_fault(plain().key_value("t", "v1").signed(parts()), "signed", problem);
    let in_a_header = plain().timestamp_header("x-time", TimestampFormat::Seconds).signed(parts());
    assert!(in_a_header.build().is_ok(), "the list must name it, so it is signed");
}

/// Where a replayer can change the body, or the one field of it, its time says nothing.
#[test]
fn an_event_time_stands_in_a_signed_body() {
    let problem = "the body is not signed as it is, so a time within can be changed by whoever replays";
    let crc = plain().signed([Part::BodyCrc32]);
    let form = plain().signed([Part::Form(FormOrder::Distinct)]);
    for builder in [crc, form, items(), shared_token()] {
        let builder = builder.event_time_at("/at", TimestampFormat::Seconds);
        assert_fault(builder, "event_time_at", problem);
    }
}

#[test]
fn a_list_can_be_read_again() {
    let problem = "names are printable ASCII without what separates; use a separator such as ',' that occurs in no value";
    for (name, separator) in [
        ("v1", '='),
        ("v1", 'a'),
        ("v1", '+'),
        ("v1", ':'),
        ("v1", 'é'),
        ("v=1", ','),
        ("v,1", ','),
        ("ü", ','),
    ] {
        assert_fault(listed(name, separator), "syntax", problem);
    }
    for name in ["v,1", "v 1", "v\n1"] {
        let versions = vec![version(name, Algorithm::HmacSha256)];
        assert_fault(plain().syntax(Syntax::Versioned { versions }), "syntax", problem);
    }
    let versions = vec![version("v1", Algorithm::HmacSha256)];
    let timestamp = Some("t=".into());
    assert_fault(plain().syntax(Syntax::KeyValue { versions, timestamp, separator: ',' }), "syntax", problem);
}

#[test]
fn what_stands_in_a_header_is_printable() {
    let problem = "use printable ASCII: another prefix is never in a header";
    assert_fault(plain().prefix("v1\n"), "prefix", problem);
    assert_fault(plain().prefix_sha1("é="), "prefix", problem);
    let problem = "give a value of printable ASCII, without white space at its edges";
    for value in ["1\n", "é", " 1", "1 "] {
        assert_fault(plain().required_header("x-version", value), "required_header", problem);
    }
    assert_eq!(fault(plain().required_header("x version", "1")).0, "required_header");
}

#[test]
fn a_shared_secret_stands_alone() {
    let versions = vec![version("v1", Algorithm::SharedToken)];
    let problem = "a shared secret stands in a header by itself, not in a list";
    assert_fault(plain().syntax(Syntax::Versioned { versions }).signed([]), "syntax", problem);
}

#[test]
fn keys_and_encodings_are_of_the_algorithms_kind() {
    use Algorithm::{EcdsaP256Der, Ed25519, HmacSha256, RsaPkcs1Sha256};
    let problem = "the algorithms need keys that this format cannot hold";
    for (algorithm, format) in [
        (Ed25519, KeyFormat::Utf8),
        (RsaPkcs1Sha256, KeyFormat::Base64),
        (EcdsaP256Der, KeyFormat::Hex),
        (EcdsaP256Der, KeyFormat::StandardWebhooks),
        (HmacSha256, KeyFormat::PublicKey),
        (HmacSha256, KeyFormat::JsonWebKey),
        (Ed25519, KeyFormat::JsonWebKey),
        (RsaPkcs1Sha256, KeyFormat::JsonWebKey),
    ] {
        let builder = plain().algorithm(algorithm).key_format(format).encoding(Encoding::Base64);
        assert_fault(builder, "key_format", problem);
    }
    let both = vec![version("v1", HmacSha256), version("v1a", Ed25519)];
    let mixed = plain().syntax(Syntax::Versioned { versions: both }).key_format(KeyFormat::Hex);
    assert_fault(mixed, "key_format", problem);
    assert_eq!(fault(items().key_format(KeyFormat::PublicKey)).0, "key_format");
    for format in [KeyFormat::Hex, KeyFormat::Base64, KeyFormat::StandardWebhooks, KeyFormat::PublicKey] {
        assert_fault(shared_token().key_format(format), "key_format", problem);
    }

    let problem = "signatures of this algorithm are written in Encoding::Base64";
    for encoding in [Encoding::Hex, Encoding::Base64OfHex] {
        for algorithm in [EcdsaP256Der, RsaPkcs1Sha256] {
            let builder = plain().algorithm(algorithm).key_format(KeyFormat::PublicKey).encoding(encoding);
            assert_fault(builder, "encoding", problem);
        }
    }
}

#[test]
fn a_key_is_bound_to_one_of_two_headers() {
    let problem = "name one of exactly two signature headers";
    let two = || plain().alternative_signature_header("x-other");
    assert_fault(plain().bind_key("old", "x-signature"), "bind_key", problem);
    assert_fault(two().bind_key("old", "x-third"), "bind_key", problem);
    assert_fault(
        two().alternative_signature_header("x-third").bind_key("old", "x-third"),
        "bind_key",
        problem,
    );
    assert_eq!(fault(two().bind_key("old", "x third")).0, "bind_key");
}

#[test]
fn a_family_renames_every_header() {
    let problem = "every header of the scheme must begin with what the family's prefix stands for";
    for builder in [
        plain().preferred_family("acme-", "y-"),
        plain().preferred_family("a b", "x-"),
        plain().event_id_header("id").preferred_family("acme-", "x-"),
        plain().required_header("version", "1").preferred_family("acme-", "x-"),
        plain()
            .signed([Part::SignedHeaders(http::HeaderName::from_static("list")), Part::Body])
            .preferred_family("acme-", "x-"),
        schemes::http_message_signatures().to_builder().name("acme").preferred_family("x-", "s"),
    ] {
        assert_fault(builder, "preferred_family", problem);
    }
}

#[test]
fn a_signature_has_one_place() {
    let problem = "Adyen's signatures stand in the body: name no header";
    assert_fault(items().signature_header("x-signature"), "signature_header", problem);
    let problem = "say which header holds the signature";
    assert_fault(Scheme::builder("acme"), "signature_header", problem);
    assert_fault(Scheme::builder("acme").algorithm(Algorithm::SharedToken), "signature_header", problem);
    let problem = "one header cannot hold two different things";
    assert_fault(plain().required_header("x-signature", "1"), "signature_header", problem);
    let listed =
        plain().signed([Part::SignedHeaders(http::HeaderName::from_static("x-signature")), Part::Body]);
    assert_fault(listed, "signature_header", problem);
}

/// No duration is too long to add to.
#[test]
fn a_retry_horizon_without_end_is_refused_and_no_panic() {
    let timed = plain().event_time_at("/at", TimestampFormat::Seconds).retry_horizon(Duration::MAX);
    let error = timed.retry_horizon(Duration::MAX).build().unwrap_err();
    assert!(matches!(error, ConfigError::Tolerance { given: Duration::MAX, .. }), "{error}");
    assert!(plain().retry_horizon(Duration::MAX).build().is_ok(), "nothing depends on it");
}

#[test]
fn a_webhook_id_goes_with_the_schemes_that_sign_it() {
    let key = || Key::new("k1", "a secret of more than sixteen bytes");
    let signs_it = plain().signed([Part::WebhookId, Part::literal("|"), Part::Body]).build().unwrap();
    let with = |scheme: &Scheme, id: &str| {
        Verifier::builder(scheme.clone()).key(key()).webhook_id(id).build().map(drop)
    };
    assert_eq!(with(&signs_it, "1TESTONLY-0123_W"), Ok(()));
    let missing = Verifier::builder(signs_it.clone()).key(key()).build().map(drop).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "scheme 'acme' signs the webhook's id: set webhook_id to the id that the provider shows for it"
    );
    for (id, shown) in [("", ""), ("a b", "a b"), ("a|b", "a|b"), ("a\n", "a\\n"), ("é", "é")] {
        let error = with(&signs_it, id).unwrap_err();
        let problem = "copy the id that the provider shows, of A-Z a-z 0-9 _ and -";
        assert_eq!(error.to_string(), format!("webhook_id '{shown}': {problem}"));
    }
    let error = with(&schemes::github(), "1TESTONLY").unwrap_err();
    assert_eq!(error.to_string(), "webhook_id '1TESTONLY': the scheme signs no webhook id: remove it");
}

#[test]
fn a_shared_secret_fits_a_header() {
    let expected = "at most 1,024 characters of printable ASCII, as a header holds them";
    let with =
        |text: &str| Verifier::builder(schemes::gitlab_token()).key(Key::new("k1", text)).build().map(drop);
    assert_eq!(with(&"x".repeat(1024)), Ok(()));
    for text in ["a secret with an é in it", "a secret with\na line break", &"x".repeat(1025)] {
        let error = ConfigError::UndecodableKey { id: "k1".into(), scheme: "gitlab-token".into(), expected };
        assert_eq!(with(text), Err(error), "{text}");
    }
}
