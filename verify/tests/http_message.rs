//! HTTP message signatures as a receiver configures them. What they accept and refuse is in the vectors.

#![cfg(test)]
#![cfg(feature = "asymmetric")]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{
    Algorithm, Component, ConfigError, Key, Outgoing, Refusal, Scheme, SignError, Signer, UnixTime, Verifier,
    schemes,
};
use http::{HeaderMap, Request};

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ORIGIN: &str = "https://hooks.example.com";
const P256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE94Uk3oa8AoaschpG8+fUrE4FB8yOhAOeqiNTZe3HbvHWrDDX3k8L1fh3CoV9Q00ByVER/Y+G5QApGS45FNvf5A==";
const P256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdGVzdC1vbmx5LXNlbmRncmlkLWtleS1udW1iZXItMDGhRANCAAT3hSTehrwChqxyGkbz59SsTgUHzI6EA56qI1Nl7cdu8dasMNfeTwvV+HcKhX1DTQHJURH9j4blACkZLjkU29/k";

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn builder(required: &[&str], algorithm: Option<Algorithm>) -> hookproof::SchemeBuilder {
    Scheme::builder("acme").http_message(required.iter().copied(), algorithm)
}

fn verifier(scheme: Scheme, key: &str) -> Result<Verifier, ConfigError> {
    Verifier::builder(scheme).key(Key::new("k1", key)).public_url(ORIGIN).build()
}

fn request(path: &str, headers: HeaderMap) -> Request<()> {
    let mut request = Request::post(path).body(()).unwrap();
    *request.headers_mut() = headers;
    request
}

fn outgoing(body: &[u8]) -> Outgoing<'_> {
    Outgoing::new(body).url("https://hooks.example.com/in?id=7").timestamp(UnixTime::from_secs(NOW))
}

#[test]
fn what_is_signed_is_accepted_for_its_body_method_and_url() {
    let pairs = [
        (SECRET.to_owned(), SECRET.to_owned()),
        (pem("PRIVATE KEY", P256_PRIVATE), pem("PUBLIC KEY", P256_PUBLIC)),
    ];
    for (signing, verifying) in pairs {
        let scheme = schemes::http_message_signatures();
        let headers = Signer::new(&scheme, &Key::new("k1", signing)).unwrap().sign(&outgoing(b"{}")).unwrap();
        let verifier = verifier(scheme, &verifying).unwrap();
        let verdict = |path: &str, body: &[u8]| {
            let now = UnixTime::from_secs(NOW + 1);
            verifier.verify(&request(path, headers.clone()), body, now).map(|proof| proof.timestamp())
        };
        assert_eq!(verdict("/in?id=7", b"{}"), Ok(Some(UnixTime::from_secs(NOW))));
        assert_eq!(verdict("/in?id=8", b"{}"), Err(Refusal::SignatureMismatch));
        assert_eq!(verdict("/in?id=7", b"{ }"), Err(Refusal::DigestMismatch));
    }
}

#[test]
fn the_body_is_left_out_only_by_name() {
    let error = builder(&["@method"], None).build().unwrap_err().to_string();
    assert!(error.contains("content-digest") && error.contains("danger_uncovered_body"), "{error}");
    let open = builder(&["@method"], None).danger_uncovered_body().build().unwrap();
    let closed = builder(&["@method", "content-digest"], None).build().unwrap();
    let body = hookproof::Location::Body(hookproof::Pointer::new("/id").unwrap());
    assert!(closed.is_signed(&body) && !open.is_signed(&body));
    let error = Scheme::builder("acme").danger_uncovered_body().build().unwrap_err().to_string();
    assert!(error.contains("only http_message"), "{error}");
}

#[test]
fn what_cannot_be_covered_is_refused_when_the_scheme_is_built() {
    for component in
        ["@status", "@unknown", "Content-Digest", "content-type;sf", "@query-param", "", "a b", "@method;req"]
    {
        let error = builder(&["content-digest", component], None).build().unwrap_err().to_string();
        assert!(
            error.contains("http_message") && error.contains("cannot be covered"),
            "{component}: {error}"
        );
    }
    for component in ["@query-param;name=\"id\"", "@target-uri", "content-type"] {
        assert!(Component::new(component).is_some(), "{component}");
        builder(&["content-digest", component], None).build().unwrap();
    }
}

#[test]
fn the_algorithm_is_one_of_the_rfc() {
    for algorithm in [Algorithm::HmacSha1, Algorithm::EcdsaP256Der, Algorithm::SharedToken] {
        let error = builder(&["content-digest"], Some(algorithm)).build().unwrap_err().to_string();
        assert!(error.contains("RFC 9421 has no such algorithm"), "{algorithm:?}: {error}");
    }
}

/// Whoever knows the public key could sign with it, were it taken for a secret.
#[test]
fn a_public_key_is_no_secret() {
    let error = verifier(schemes::http_message_signatures(), P256_PUBLIC).unwrap_err().to_string();
    assert!(error.contains("'k1'") && error.contains("PEM"), "{error}");
    assert!(!error.contains("MFkw"), "{error}");
}

/// Its DER states lengths in the long form.
#[test]
fn a_long_public_key_is_no_secret_either() {
    let (_, rsa) = sources::pair(&Scheme::by_name("paypal").unwrap());
    let error = verifier(schemes::http_message_signatures(), rsa).unwrap_err();
    let expected = "PEM for a public key, not the base64 of its DER";
    let wanted =
        ConfigError::UndecodableKey { id: "k1".into(), scheme: "http-message-signatures".into(), expected };
    assert_eq!(error, wanted);
}

/// Around PEM it means nothing. A secret beside which it is allowed is still a secret.
#[test]
fn white_space_at_the_edge_of_a_secret_is_named() {
    let scheme = schemes::http_message_signatures;
    verifier(scheme(), &pem("PUBLIC KEY", P256_PUBLIC)).unwrap();
    let error = verifier(scheme(), &format!("{SECRET}\n")).unwrap_err();
    assert_eq!(error, ConfigError::KeyWhitespace { id: "k1".into(), place: "end" });
}

#[test]
fn a_key_of_another_algorithm_than_the_configured_one_is_refused() {
    let only = |algorithm| builder(&["content-digest"], Some(algorithm)).build().unwrap();
    verifier(only(Algorithm::HmacSha256), SECRET).unwrap();
    verifier(only(Algorithm::EcdsaP256Fixed), &pem("PUBLIC KEY", P256_PUBLIC)).unwrap();
    for (algorithm, key) in [
        (Algorithm::Ed25519, SECRET.to_owned()),
        (Algorithm::Ed25519, pem("PUBLIC KEY", P256_PUBLIC)),
        (Algorithm::HmacSha256, pem("PUBLIC KEY", P256_PUBLIC)),
        (Algorithm::RsaPssSha512, pem("PUBLIC KEY", P256_PUBLIC)),
    ] {
        let error = verifier(only(algorithm), &key).unwrap_err();
        assert!(matches!(error, ConfigError::UndecodableKey { .. }), "{algorithm:?}: {error}");
    }
}

#[test]
fn a_signer_says_what_the_delivery_lacks() {
    let scheme = builder(&["content-digest", "x-tenant"], None).build().unwrap();
    let error = Signer::new(&scheme, &Key::new("k1", SECRET)).unwrap().sign(&outgoing(b"{}")).unwrap_err();
    assert_eq!(error, SignError::Uncoverable);
}

/// A key that goes with an old header only signs no messages.
#[test]
fn a_key_that_is_bound_to_another_header_signs_no_message() {
    let scheme = builder(&["@method", "content-digest"], Some(Algorithm::HmacSha256));
    let bound = scheme.clone().alternative_signature_header("x-old").bind_key("k1", "x-old").build().unwrap();
    let scheme = scheme.build().unwrap();
    let signer = Signer::new(&scheme, &Key::new("k1", SECRET)).unwrap();
    let request = request("/in?id=7", signer.sign(&outgoing(b"{}")).unwrap());
    let verdict = |scheme| {
        verifier(scheme, SECRET).unwrap().verify(&request, b"{}", UnixTime::from_secs(NOW)).map(drop)
    };
    assert_eq!(verdict(scheme), Ok(()));
    assert_eq!(verdict(bound), Err(Refusal::SignatureMismatch));
}
