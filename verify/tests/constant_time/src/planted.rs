//! Comparisons as they should not be written. Each must be reported, or the silence about the library means nothing.

use std::hint::black_box;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::memcheck::{make_public, make_secret, secret_bits, watched};

/// A comparison of the secret tag with the bytes and the text that were presented.
type Comparison = fn(&[u8; 32], &[u8], &str) -> bool;

/// What a comparison came to.
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) errors: usize,
}

const PLANTED: [(&str, Comparison); 6] = [
    ("slices with ==", |tag, presented, _| *black_box(&tag[..]) == *presented),
    ("arrays with ==", |tag, presented, _| {
        <[u8; 32]>::try_from(presented).is_ok_and(|presented| *tag == presented)
    }),
    ("hex with ==", |tag, _, text| hex::encode(tag) == text),
    ("hex in constant time", |tag, _, text| whether(hex::encode(tag).as_bytes().ct_eq(text.as_bytes()))),
    ("a loop that returns early", |tag, presented, _| {
        for (a, b) in tag.iter().zip(presented) {
            if a != b {
                return false;
            }
        }
        true
    }),
    ("bytes in constant time", |tag, presented, _| whether(tag.ct_eq(presented))),
];

pub(crate) fn all() -> Vec<Report> {
    let keys = [[1_u8; 32], [2; 32], [3; 32]].map(black_box);
    let genuine = tag(&keys[2]);
    let (bytes, text) = (genuine.to_vec(), hex::encode(genuine));
    make_secret(keys.as_flattened());
    let secret = tag(&keys[2]);
    assert_eq!(secret_bits(&secret), 256, "the tag of a secret key is not secret: nothing would be reported");
    assert_eq!(secret_bits(&bytes), 0, "what is presented is not public");

    let mut reports = Vec::new();
    for (name, compare) in PLANTED {
        let (result, errors) = watched(|| black_box(compare)(&secret, black_box(&bytes), black_box(&text)));
        assert!(make_public(result), "{name}");
        reports.push(Report { name, errors });
    }
    let (result, errors) = watched(|| keys.iter().any(|key| whether(tag(key).ct_eq(black_box(&bytes)))));
    assert!(make_public(result), "any()");
    reports.push(Report { name: "any() over keys", errors });
    reports
}

fn tag(key: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(b"a body").finalize().into_bytes().into()
}

/// Without a branch of its own: what is reported is the comparison.
fn whether(choice: Choice) -> bool {
    choice.into()
}
