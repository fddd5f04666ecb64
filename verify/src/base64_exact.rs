//! Base64 of as many bytes as are expected: a presented signature, which is public.
//!
//! The library's decoder is for any length, with padding or without, and takes its time to prepare. Where the length is
//! known, a group of letters is four looks into tables, and whether any was no letter is asked once, at the end.

/// What is no letter: a bit beyond the three bytes of a group.
const NONE: u32 = 1 << 31;

/// The bits that each letter of the standard alphabet stands for (RFC 4648, section 4) in each place of a group, as they
/// lie in the three bytes.
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which would say so")]
static BITS: [[u32; 256]; 4] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut place) = ([[NONE; 256]; 4], 0);
    while place < 4 {
        let mut value = 0;
        while value < letters.len() {
            let [_, bytes @ ..] = ((value as u32) << (18 - 6 * place)).to_be_bytes();
            bits[place][letters[value] as usize] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
            value += 1;
        }
        place += 1;
    }
    bits
};

/// How many letters stand for so many bytes.
#[inline]
pub(crate) const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Decodes `text` if it is the text that stands for exactly as many bytes as `target` has: padded, and with zero spare
/// bits. If it is `None`, what is in `target` means nothing.
pub(crate) fn base64_exact(text: &[u8], target: &mut [u8]) -> Option<()> {
    // Those of an HMAC-SHA256, for which the loop is laid out.
    match (<&[u8; 44]>::try_from(text), <&mut [u8; 32]>::try_from(&mut *target)) {
        (Ok(text), Ok(target)) => decode(text, target),
        _ => decode(text, target),
    }
}

#[inline(always)]
fn decode(text: &[u8], target: &mut [u8]) -> Option<()> {
    if text.len() != base64_len(target.len()) {
        return None;
    }
    let (groups, _) = text.as_chunks::<4>();
    let mut seen = 0;
    for (index, group) in groups.iter().take(target.len() / 3).enumerate() {
        let bits = bits_of(*group);
        seen |= bits;
        let rest = target.get_mut(3 * index..)?;
        let bytes @ [first, second, third, _] = bits.to_le_bytes();
        if let Some(place) = rest.first_chunk_mut() {
            // The fourth is written again.
            *place = bytes;
        } else if let Some(place) = rest.first_chunk_mut() {
            *place = [first, second, third];
        }
    }
    // An `A` is zeros, which is what the bits beside the last byte have to be.
    let (_, rest) = target.as_chunks_mut::<3>();
    let spare = match (rest, groups.last()) {
        ([], _) => 0,
        ([only], Some(&[a, b, b'=', b'='])) => {
            let bits = bits_of([a, b, b'A', b'A']);
            seen |= bits;
            let [first, spare @ .., _] = bits.to_le_bytes();
            *only = first;
            u16::from_le_bytes(spare)
        }
        ([first, second], Some(&[a, b, c, b'='])) => {
            let bits = bits_of([a, b, c, b'A']);
            seen |= bits;
            let spare;
            [*first, *second, spare, _] = bits.to_le_bytes();
            spare.into()
        }
        _ => return None,
    };
    (seen < NONE && spare == 0).then_some(())
}

/// What a group of letters stands for, in the lower three bytes. [`NONE`] is part of it if one of them is no letter.
#[inline(always)]
fn bits_of([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &BITS;
    let of = |bits: &[u32; 256], letter: u8| bits.get(usize::from(letter)).copied().unwrap_or(NONE);
    of(first, a) | of(second, b) | of(third, c) | of(fourth, d)
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

    /// Two that are no letters must not make up for one another.
    #[test]
    fn two_bytes_that_are_no_letters_are_refused_wherever_they_are() {
        for len in [20, 32, 64] {
            let text = STANDARD.encode(vec![0x5a; len]).into_bytes();
            for first in 0..text.len() {
                for second in 0..first {
                    let mut text = text.clone();
                    (text[first], text[second]) = (b'!', b'!');
                    assert_eq!(ours(&text, len), None, "{:?}", text.escape_ascii());
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
