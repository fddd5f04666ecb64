use super::*;

/// Neither a part of a tag nor one with more after it is the tag, and none makes the comparison panic.
#[test]
fn a_tag_has_its_length() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let state = MacState::new(hash, b"a secret of at least 16 bytes");
        let tag = state.tag_of(b"message".as_slice());
        let published = tag.as_slice().to_vec();
        assert!(bool::from(tag.matches(&published)));
        for len in (0..=MAX_TAG_BYTES + 1).filter(|len| *len != published.len()) {
            let other: Vec<_> = published.iter().chain(&[0; 64]).copied().take(len).collect();
            assert!(!bool::from(tag.matches(&other)), "{len} bytes");
        }
    }
}
