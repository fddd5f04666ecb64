//! Base64 of as many bytes as are expected: a presented signature, which is public.
//!
//! The library's decoder is for any length, with padding or without, and takes its time to prepare. Where the length is
//! known, a group of letters is four looks into a table, and whether any was no letter is asked once, at the end.

/// What is no letter. No values that are letters' have all its bits together.
const NONE: u8 = 0xff;

/// What each letter of the standard alphabet stands for (RFC 4648, section 4).
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which would say so")]
static VALUES: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut values, mut value) = ([NONE; 256], 0);
    while value < letters.len() {
        values[letters[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Decodes `text` if it is the text that stands for exactly as many bytes as `target` has: padded, and with zero spare
/// bits. If it is `None`, what is in `target` means nothing.
pub(crate) fn base64_exact(text: &[u8], target: &mut [u8]) -> Option<()> {
    let padding: &[u8] = match target.len() % 3 {
        0 => b"",
        1 => b"==",
        _ => b"=",
    };
    if text.len() != target.len().div_ceil(3) * 4 {
        return None;
    }
    let (groups, last) = text.strip_suffix(padding)?.as_chunks::<4>();
    let (targets, rest) = target.as_chunks_mut::<3>();
    let mut seen = 0;
    for (group, target) in groups.iter().zip(targets) {
        let (bytes, values) = three_bytes(*group);
        *target = bytes;
        seen |= values;
    }
    if !last.is_empty() {
        // An `A` is zeros, which is what the bits beside the last byte have to be.
        let mut group = [b'A'; 4];
        group.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        let (bytes, values) = three_bytes(group);
        let (bytes, spare) = bytes.split_at_checked(rest.len())?;
        seen |= spare.iter().fold(values, |seen, bits| if *bits == 0 { seen } else { NONE });
        rest.copy_from_slice(bytes);
    }
    (seen != NONE).then_some(())
}

/// What a group of letters stands for, and all bits that are in their values.
#[inline]
fn three_bytes(group: [u8; 4]) -> ([u8; 3], u8) {
    let [a, b, c, d] = group.map(|letter| VALUES.get(usize::from(letter)).copied().unwrap_or(NONE));
    let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
    let [_, bytes @ ..] = bits.to_be_bytes();
    (bytes, a | b | c | d)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::base64_exact;

    /// What the library makes of it, which is as strict.
    fn expected(text: &[u8], len: usize) -> Option<Vec<u8>> {
        STANDARD.decode(text).ok().filter(|bytes| bytes.len() == len)
    }

    fn ours(text: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut target = vec![0; len];
        base64_exact(text, &mut target).map(|()| target)
    }

    #[test]
    fn every_byte_in_every_place_is_judged_as_the_library_does() {
        for len in [1, 2, 3, 20, 32, 64] {
            let bytes: Vec<u8> = (0..len as u8).map(|n| n.wrapping_mul(37)).collect();
            let text = STANDARD.encode(&bytes).into_bytes();
            assert_eq!(ours(&text, len), Some(bytes));
            for place in 0..text.len() {
                for byte in 0..=u8::MAX {
                    let mut text = text.clone();
                    text[place] = byte;
                    assert_eq!(ours(&text, len), expected(&text, len), "{:?}", text.escape_ascii());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_judged_as_the_library_does(bytes in prop::collection::vec(any::<u8>(), 0..70), text in "[A-Za-z0-9+/=_-]{0,12}") {
            let encoded = STANDARD.encode(&bytes);
            prop_assert_eq!(ours(encoded.as_bytes(), bytes.len()), Some(bytes.clone()));
            for text in [text.clone(), format!("{encoded}{text}"), encoded.trim_end_matches('=').to_owned()] {
                for len in [0, 1, 2, 3, 7, bytes.len()] {
                    prop_assert_eq!(ours(text.as_bytes(), len), expected(text.as_bytes(), len), "{}", text);
                }
            }
        }
    }
}
