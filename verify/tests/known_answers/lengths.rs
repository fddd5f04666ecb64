//! Every length of a message up to some blocks, and a long one, against Python's hmac (`lengths.py`).

use sha2::{Digest as _, Sha256};

use crate::hmac::{Hash, sign};

/// Per hash: SHA-256 over the tags of all lengths, and the tag of the long message.
const ANSWERS: &str = include_str!("lengths.txt");

/// 1 MiB.
const LONG: usize = 1 << 20;

#[test]
fn messages_of_every_length() {
    let key: Vec<u8> = (1..=32).collect();
    let message: Vec<u8> = (0..LONG).map(|i| u8::try_from((7 * i + 13) % 251).unwrap()).collect();
    for (hash, line) in [Hash::Sha1, Hash::Sha256].into_iter().zip(ANSWERS.lines()) {
        let [name, every, long] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(format!("{hash:?}").to_lowercase(), name);
        let tag = |length| sign(hash, &key, &message[..length]).unwrap();
        let mut digest = Sha256::new();
        (0..=4096).for_each(|length| digest.update(tag(length)));
        assert_eq!(hex::encode(digest.finalize()), every, "{name}, 0 to 4096 bytes");
        assert_eq!(hex::encode(tag(LONG)), long, "{name}, 1 MiB");
    }
}
