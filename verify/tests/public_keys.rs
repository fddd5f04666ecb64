//! Keys of public-key signatures: what texts they may have, and what is said of those that are none.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookproof::{ConfigError, Key, Scheme, Signer, Verifier, schemes};
use sources::{NOW, Source, at};

const PUBLIC: &str = "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=";
const PRIVATE: &str =
    "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";

/// Of the RSA key of `paypal` in `key_pairs.rs`, signed with that key.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIICpTCCAY2gAwIBAgIBATANBgkqhkiG9w0BAQsFADAWMRQwEgYDVQQDDAtwYXlw
YWwudGVzdDAeFw0yMzAxMDEwMDAwMDBaFw0zMzAxMDEwMDAwMDBaMBYxFDASBgNV
BAMMC3BheXBhbC50ZXN0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
yjEKRAMTTcYavx7kvSsymc8BqNoHpgbvcWVueQfjMQfsXwU+NAdZUNOTWxJf+Lyu
QYVpBX66DVUoY/3lhdHRcOJs9jVuiZVEjp12nifwM89nlGUezNpsQLqXBJa+pHU0
ftpO2sW8IXTqFeQaUzchEcnxW283wQbCkN40x/9ZPmgqP9QHq9+WhP0Sfl6W605A
jnMC/e3MNzmw2vU/XHoY9VVWFHguMEdhgBG5Rpa6Tm2RxzhT0P10Vbu+8d9+Wq9W
PUa8aAjSt7LlZ42uKuMMreQWQDBesZSn2S77e7ffmhW3p5BPI6zcsR2khF7NnEd4
+K8Yp3gawXMJ9ru1ymH+GwIDAQABMA0GCSqGSIb3DQEBCwUAA4IBAQB4OiKT9olF
HXp9xANJrphcnNpGsVxPyLCTA5scxC8PsYQkTIdVXKhSsmQPZkaj2x6fp4GudiCN
kv2/hndOgak/YmlQu6FbDvuRkSmTS2Pkuxnpo8SJFnXjkk9EuiwSTLoeFoFNViBI
5H9yV7RfJQmndbespoo4F+NNIQ+w/QPXRcUkuFY2AObB4Q2jFU5OmL9DQ9QqM9bf
8yAQ99Z7vcOnRRRfN/bJMkhLLuvZVYBnV0LyWduIoZMiiaqGqilj+3Oy/IZ/h/rB
+eKNtcG1lZ0C8H7Wg7vzqyo8tQbDSX9hQPcmYbu0DZJdvaDtJtF1ilqUE0c6enlY
0vwbkdMGZ+Br
-----END CERTIFICATE-----
";

/// A key on another curve than the one that signatures are on.
const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEhn+q02PjCk/zmpx77rwnZHNHcuAovv+kaRRJkkt686i1xud6v2vNMg+wALKr\
     Pc/HJ02xwDx6+hs+VBFrBsarvfmK2w2/a1ER4nM33cdgPT1pt8iXPKe5LJfIasJx61+g";

/// A key on the curve secp256k1, whose points are written as those of P-256 are.
const SECP256K1: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEeb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0\
     SKaFVBmcR9CP+xDUuA==";

/// The key of `sendgrid` in `key_pairs.rs`, its point compressed, which `ring` does not read.
const COMPRESSED: &str = "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAC94Uk3oa8AoaschpG8+fUrE4FB8yOhAOeqiNTZe3HbvE=";

const IN_PEM: &str = "a public key or certificate in PEM, or base64 of a public key in DER";
const OF_THE_KIND: &str = "a public key of the kind that the scheme signs with";
const OF_A_JWK: &str = "a JSON Web Key with kty EC, crv P-256, x and y";
const NO_PRIVATE_KEY: &str =
    "a key to verify with: this is the sender's private key, configure the public one that belongs to it";

fn scheme(name: &str) -> Scheme {
    Scheme::by_name(name).unwrap()
}

fn build(scheme: &Scheme, text: &str) -> Result<Verifier, ConfigError> {
    sources::builder(scheme).key(Key::new("k1", text)).build()
}

/// That `text` is no key of this scheme, and that the error says what is one, and shows nothing of it.
fn assert_refused(scheme: &Scheme, text: &str, expected: &'static str) {
    let error = build(scheme, text).expect_err("it is no key");
    let shown = error.to_string();
    assert_eq!(shown, format!("key 'k1' is not {expected}, as scheme '{}' needs it", scheme.name()));
    let pieces = text.split(['\n', '"']).filter(|piece| piece.len() > 11);
    for piece in pieces {
        assert!(!shown.contains(piece), "{shown}");
    }
}

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let head = match len {
        0..=127 => vec![tag, u8::try_from(len).unwrap()],
        128..=255 => vec![tag, 0x81, u8::try_from(len).unwrap()],
        _ => [&[tag, 0x82][..], &u16::try_from(len).unwrap().to_be_bytes()].concat(),
    };
    [head, content.to_vec()].concat()
}

/// An RSA public key with these numbers, as base64 of `SubjectPublicKeyInfo`.
fn rsa(modulus: &[u8], exponent: &[u8]) -> String {
    // An integer whose first bit is set has a zero before it.
    let number =
        |bytes: &[u8]| der(2, &if bytes[0] > 127 { [&[0][..], bytes].concat() } else { bytes.to_vec() });
    let numbers = der(0x30, &[number(modulus), number(exponent)].concat());
    let algorithm = hex::decode("300d06092a864886f70d0101010500").unwrap();
    STANDARD.encode(der(0x30, &[algorithm, der(3, &[&[0][..], &numbers].concat())].concat()))
}

/// Odd, and of this many bytes.
fn modulus(bytes: usize) -> Vec<u8> {
    vec![0xab; bytes]
}

#[test]
fn public_keys_verify_and_private_keys_sign() {
    let standard = schemes::standard_webhooks;
    assert!(build(&standard(), PUBLIC).is_ok());
    assert!(Signer::new(&standard(), &Key::new("k1", PRIVATE)).is_ok());
    let twice = [Key::new("a", PUBLIC), Key::new("b", PUBLIC)];
    let equal = ConfigError::EqualKeys { first: "a".into(), second: "b".into() };
    assert_eq!(Verifier::builder(standard()).keys(twice).build().expect_err("one key"), equal);
}

#[test]
fn a_key_of_the_wrong_half_is_refused() {
    let pairs = ["discord", "sendgrid", "paypal", "plaid"].map(|name| {
        let (signing, verifying) = sources::pair(&scheme(name));
        (scheme(name), signing, verifying)
    });
    for (scheme, private, public) in
        pairs.into_iter().chain([(schemes::standard_webhooks(), PRIVATE, PUBLIC)])
    {
        assert_refused(&scheme, private, NO_PRIVATE_KEY);
        let why = "it is a public key; sign with the private one that belongs to it";
        let cannot = ConfigError::CannotSign { id: "k1".into(), why };
        assert_eq!(Signer::new(&scheme, &Key::new("k1", public)).expect_err("no private key"), cannot);
    }
    let (in_der, _) = sources::pair(&scheme("sendgrid"));
    assert_refused(&scheme("sendgrid"), &pem("PRIVATE KEY", in_der), NO_PRIVATE_KEY);
}

/// Every text of the key verifies what the private key signs.
#[test]
fn a_public_key_has_several_texts() {
    for (name, other_texts) in [("sendgrid", vec![]), ("paypal", vec![CERTIFICATE.to_owned()])] {
        let source = Source::named(name);
        let (_, in_der) = sources::pair(&source.scheme);
        let (headers, body) = source.delivery(b"{}", "evt_1", NOW);
        let in_pem = pem("PUBLIC KEY", in_der);
        let with_crlf = in_pem.replace('\n', "\r\n");
        let with_newline = format!("{in_der}\n");
        for text in [in_der.to_owned(), with_newline, in_pem, with_crlf].into_iter().chain(other_texts) {
            let verifier = build(&source.scheme, &text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(verifier.verify(&headers, &body, at(NOW)).map(drop), Ok(()), "{text}");
        }
    }
}

#[test]
fn what_is_no_public_key_is_refused() {
    let (sendgrid, paypal, plaid) = (scheme("sendgrid"), scheme("paypal"), scheme("plaid"));
    let (_, p256) = sources::pair(&sendgrid);
    let (_, rsa_key) = sources::pair(&paypal);
    let (_, jwk) = sources::pair(&plaid);
    assert_refused(&sendgrid, rsa_key, OF_THE_KIND);
    assert_refused(&paypal, p256, OF_THE_KIND);
    assert_refused(&sendgrid, CERTIFICATE, OF_THE_KIND);
    let garbage = [
        "a shared secret of sixteen bytes",
        "AAECAwQFBgcICQoLDA0ODw==",
        P384,
        SECP256K1,
        COMPRESSED,
        p256.split_at(4).1,
        &pem("PUBLIC KEY", p256.split_at(4).1),
        &pem("EC PRIVATE KEY", p256),
        &pem("CERTIFICATE", p256),
        "-----BEGIN PUBLIC KEY-----",
        jwk,
        PUBLIC,
    ];
    for text in garbage {
        assert_refused(&sendgrid, text, IN_PEM);
    }
    let kty = jwk.replace("EC", "RSA");
    let curve = jwk.replace("P-256", "P-384");
    let short = jwk.replace("KedcKRmLrk2Y", "KedcKRmL");
    for text in [p256, "{}", "[]", "null", &kty, &curve, &short, &pem("PUBLIC KEY", p256)] {
        assert_refused(&plaid, text, OF_A_JWK);
    }
    let discord = scheme("discord");
    for text in ["00112233445566778899aabbccddeeff", &"ab".repeat(33)] {
        assert_refused(&discord, text, "64 hexadecimal digits of an Ed25519 public key");
    }
    assert_refused(&discord, PUBLIC, "hexadecimal");
    for text in ["", " ", "\n"] {
        assert_eq!(build(&sendgrid, text).expect_err("empty"), ConfigError::EmptyKey { id: "k1".into() });
    }
}

#[test]
fn a_key_in_the_form_of_standard_webhooks_has_its_length() {
    let standard = schemes::standard_webhooks();
    for text in ["whpk_AQIDBA==", "whpk_", "whpk_!!!!", &PRIVATE.replace("whsk_", "whpk_")] {
        assert_refused(&standard, text, "'whpk_' and base64 of 32 bytes");
    }
    for text in ["whsk_AQIDBA==", &PUBLIC.replace("whpk_", "whsk_")] {
        assert_refused(&standard, text, "'whsk_' and base64 of 64 bytes");
    }
}

/// These sign with the same texts as Standard Webhooks, and with secrets alone.
#[test]
fn a_public_key_of_a_provider_without_is_refused() {
    for name in ["gitlab", "openai"] {
        for text in [PUBLIC, PRIVATE] {
            assert_refused(&scheme(name), text, "a secret: the scheme has no public-key signatures");
        }
    }
}

/// `ring` looks at keys when it verifies, so without a check here each of these would refuse everything, silently.
#[test]
fn a_key_that_could_verify_nothing_is_refused() {
    let paypal = scheme("paypal");
    let expected = "an RSA key of 2,048 to 4,096 bits with an odd exponent";
    for (modulus, exponent) in [
        (modulus(128), &[1, 0, 1][..]),
        (modulus(255), &[1, 0, 1]),
        (modulus(513), &[1, 0, 1]),
        (vec![0xaa; 256], &[1, 0, 1]),
        (modulus(256), &[1]),
        (modulus(256), &[2]),
        (modulus(256), &[1, 0, 0]),
        (modulus(256), &[1, 0, 0, 0, 1]),
    ] {
        assert_refused(&paypal, &rsa(&modulus, exponent), expected);
    }
    for (modulus, exponent) in [(modulus(256), &[3][..]), (modulus(512), &[1, 0, 1])] {
        assert!(build(&paypal, &rsa(&modulus, exponent)).is_ok(), "the control");
    }
    let (_, p256) = sources::pair(&scheme("sendgrid"));
    let mut off_curve = STANDARD.decode(p256).unwrap();
    *off_curve.last_mut().unwrap() ^= 1;
    assert_refused(&scheme("sendgrid"), &STANDARD.encode(off_curve), "a point on the curve P-256");
    let (_, jwk) = sources::pair(&scheme("plaid"));
    assert_refused(&scheme("plaid"), &jwk.replace("vkOyEHs", "vkOyEHo"), "a point on the curve P-256");
}

/// With these anyone could sign: half of a signature can be chosen so that the key does not matter.
#[test]
fn an_ed25519_key_of_small_order_is_refused() {
    let expected = "an Ed25519 key of full order: anyone can sign for it";
    let ends = |first: &str, within: &str, last: &str| format!("{first}{}{last}", within.repeat(30));
    let points = [
        ends("00", "00", "00"),
        ends("00", "00", "80"),
        ends("01", "00", "00"),
        ends("01", "00", "80"),
        ends("ec", "ff", "7f"),
        ends("ed", "ff", "ff"),
        ends("ee", "ff", "7f"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".to_owned(),
    ];
    for point in points {
        assert_refused(&scheme("discord"), &point, expected);
        let in_base64 = format!("whpk_{}", STANDARD.encode(hex::decode(&point).unwrap()));
        assert_refused(&schemes::standard_webhooks(), &in_base64, expected);
    }
}

/// A token names its key as the JSON Web Key does, whatever the key is called in the logs.
#[test]
fn a_token_is_signed_in_the_name_of_its_key() {
    let plaid = scheme("plaid");
    let (private, public) = sources::pair(&plaid);
    let named = |text: &str| text.replace(r#""kid": "key""#, r#""kid": "6c5516e1""#);
    for (private, public, id) in
        [(named(private), named(public), "2026-11"), (private.into(), public.into(), "key")]
    {
        let signer = Signer::new(&plaid, &Key::new(id, private)).unwrap();
        let verifier = Verifier::builder(plaid.clone()).key(Key::new(id, public)).build().unwrap();
        let headers = signer.sign(&hookproof::Outgoing::new(b"{}").timestamp(at(NOW))).unwrap();
        assert_eq!(verifier.verify(&headers, b"{}", at(NOW)).unwrap().key_id(), id);
    }
    let unnamed = |text: &str| text.replace(r#", "kid": "key""#, "");
    let verifier = Verifier::builder(plaid.clone()).key(Key::new("other", unnamed(public))).build().unwrap();
    let (headers, body) = Source::named("plaid").delivery(b"{}", "evt_1", NOW);
    let refusal = verifier.verify(&headers, &body, at(NOW)).unwrap_err();
    assert_eq!(refusal, hookproof::Refusal::SignatureMismatch, "without a name of its own it has its id's");
}

/// PayPal's padding is PKCS#1 v1.5, that of RFC 9421 is PSS: each for its own, and neither verifies the other's.
#[test]
fn one_rsa_key_signs_messages_with_another_padding() {
    let (private, public) = sources::pair(&scheme("paypal"));
    let (private, public) = (pem("PRIVATE KEY", private), pem("PUBLIC KEY", public));
    let of_messages = Scheme::builder("acme")
        .http_message(["content-digest"], Some(hookproof::Algorithm::RsaPssSha512))
        .build()
        .unwrap();
    let signer = Signer::new(&of_messages, &Key::new("k1", private)).unwrap();
    let verifier = build(&of_messages, &public).unwrap();
    let outgoing = hookproof::Outgoing::new(b"{}").url(sources::URL).timestamp(at(NOW));
    let headers = signer.sign(&outgoing).unwrap();
    assert_eq!(verifier.verify(&headers, b"{}", at(NOW)).map(drop), Ok(()));
    let refusal = verifier.verify(&headers, b"{ }", at(NOW)).unwrap_err();
    assert_eq!(refusal, hookproof::Refusal::DigestMismatch, "the control");
}

/// An Ed25519 key in the form of a certificate's has 32 bytes, whatever its envelope says.
#[test]
fn an_ed25519_key_in_pem_has_its_length() {
    let messages = schemes::http_message_signatures();
    let public = STANDARD.decode(PUBLIC.trim_start_matches("whpk_")).unwrap();
    let in_pem = |bytes: &[u8]| {
        let algorithm = hex::decode("300506032b6570").unwrap();
        let bits = der(3, &[&[0][..], bytes].concat());
        pem("PUBLIC KEY", &STANDARD.encode(der(0x30, &[algorithm, bits].concat())))
    };
    assert!(build(&messages, &in_pem(&public)).is_ok(), "the control");
    for wrong in [&public[..31], &[&public[..], &[1]].concat()] {
        assert_refused(&messages, &in_pem(wrong), IN_PEM);
    }
}

/// Wherever a token of one's own has its claims, what is signed is accepted.
#[test]
fn a_token_of_ones_own_has_its_claims_where_it_says() {
    use hookproof::{KeyFormat, Part, Pointer, Syntax, TimestampFormat, UnixTime};
    let (private, public) = sources::pair(&scheme("plaid"));
    for (digest, time, format) in [
        ("/digest", "/at", TimestampFormat::Millis),
        ("/of/body", "/of/time", TimestampFormat::Seconds),
        ("/a~1b", "/0/1", TimestampFormat::Seconds),
    ] {
        let scheme = Scheme::builder("acme")
            .signature_header("x-token")
            .syntax(Syntax::JsonWebToken { body_sha256: Pointer::new(digest).unwrap() })
            .key_format(KeyFormat::JsonWebKey)
            .signed([Part::TokenContent])
            .timestamp_claim(time, format)
            .build()
            .unwrap();
        let signer = Signer::new(&scheme, &Key::new("key", private)).unwrap();
        let verifier = Verifier::builder(scheme).key(Key::new("key", public)).build().unwrap();
        let now = UnixTime::from_secs(NOW);
        let headers = signer.sign(&hookproof::Outgoing::new(b"{}").timestamp(now)).unwrap();
        assert_eq!(verifier.verify(&headers, b"{}", now).unwrap().timestamp(), Some(now), "{digest}, {time}");
        assert_eq!(verifier.verify(&headers, b"{ }", now).unwrap_err(), hookproof::Refusal::DigestMismatch);
    }
}
