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

/// Around the ends of blocks, where padding and the length go, and with keys that are and are not hashed first.
#[test]
fn our_hmac_is_the_librarys_in_whatever_pieces_a_message_comes() {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(300).collect();
    for key_len in [0, 1, 31, 32, 63, 64, 65, 200] {
        let key = &bytes[..key_len];
        let state = MacState::new(Hash::Sha256, key);
        for len in 0..=200 {
            let message = &bytes[..len];
            let mut library = Hmac::<Sha256>::new_from_slice(key).unwrap();
            library.update(message);
            let expected = library.finalize().into_bytes();
            assert_eq!(
                state.tag_of(message).as_slice(),
                &expected[..],
                "{key_len} bytes of key, {len} in one"
            );
            for size in [1, 7, 63, 64, 65, 128] {
                let mut running = state.start();
                message.chunks(size).for_each(|piece| running.update(piece));
                let tag = running.finish();
                assert_eq!(
                    tag.as_slice(),
                    &expected[..],
                    "{key_len} bytes of key, {len} in pieces of {size}"
                );
            }
        }
    }
}
