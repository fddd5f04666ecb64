//! The answers that the standards print: RFC 4231 for SHA-256, RFC 2202 for SHA-1.

use crate::hmac::{Hash, accepts, sign};

/// Number, key, message, tag in hex (which is truncated in one case).
type Case = (u8, Vec<u8>, Vec<u8>, &'static str);

fn rfc_4231() -> [Case; 7] {
    [
        (
            1,
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            2,
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            3,
            vec![0xaa; 20],
            vec![0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            4,
            (1..=25).collect(),
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (5, vec![0x0c; 20], b"Test With Truncation".to_vec(), "a3b6167473100ee06e0c796c2955552b"),
        (
            6,
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            7,
            vec![0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs \
              to be hashed before being used by the HMAC algorithm."
                .to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ]
}

fn rfc_2202() -> [Case; 7] {
    [
        (1, vec![0x0b; 20], b"Hi There".to_vec(), "b617318655057264e28bc0b6fb378c8ef146be00"),
        (
            2,
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (3, vec![0xaa; 20], vec![0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (4, (1..=25).collect(), vec![0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
        (5, vec![0x0c; 20], b"Test With Truncation".to_vec(), "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
        (
            6,
            vec![0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ),
        (
            7,
            vec![0xaa; 80],
            b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data".to_vec(),
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        ),
    ]
}

#[test]
fn the_answers_of_the_standards() {
    let cases = rfc_4231().map(|case| (Hash::Sha256, case)).into_iter();
    for (hash, (number, key, message, answer)) in cases.chain(rfc_2202().map(|case| (Hash::Sha1, case))) {
        let name = format!("{hash:?}, case {number}");
        let answer = hex::decode(answer).unwrap();
        let tag = sign(hash, &key, &message).unwrap();
        assert_eq!(tag[..answer.len()], answer, "{name}");
        assert!(accepts(hash, &key, &message, &tag), "{name}");
        // The standard truncates one of them. A receiver that takes fewer bytes can be guessed at.
        assert_eq!(accepts(hash, &key, &message, &answer), answer.len() == hash.tag_bytes(), "{name}");
        for at in 0..tag.len() {
            let mut other = tag.clone();
            other[at] ^= 0x80;
            assert!(!accepts(hash, &key, &message, &other), "{name}: byte {at} counts");
        }
    }
}
