//! Strict, bounded decoding of what a stranger presents.
//!
//! One signature has one text per encoding: base64 with padding and zero spare bits, hex of the exact length.
//! Lenient decoders give an attacker many texts for one signature, and a truncated one for free.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::base64_exact::{base64_exact, base64_len};

/// The longest signature that is kept in place: an HMAC-SHA256's 32 bytes.
const IN_PLACE: usize = 32;

/// The longest signature of a fixed length: Ed25519's and ECDSA's 64 bytes.
const LONGEST_FIXED: usize = 64;

/// How a signature's bytes are written in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Two hexadecimal digits per byte, in either case.
    Hex,
    /// Standard base64 with padding; url-safe letters, spare bits and white space are refused.
    Base64,
    /// Base64 of the hexadecimal text: what PHP's `base64_encode(hash_hmac(..))` yields.
    Base64OfHex,
}

/// A presented signature, decoded. Public data: whoever sent the request knows it.
#[derive(Clone, Debug)]
pub(crate) enum SignatureBytes {
    /// A tag, in place: HMAC schemes allocate nothing.
    Short { bytes: [u8; IN_PLACE], len: u8 },
    /// What does not fit there.
    Long(Vec<u8>),
}

impl SignatureBytes {
    /// To be decoded into.
    #[inline]
    pub(crate) fn zeros() -> Self {
        Self::Short { bytes: [0; IN_PLACE], len: 0 }
    }

    pub(crate) fn short(tag: [u8; IN_PLACE]) -> Self {
        Self::Short { bytes: tag, len: IN_PLACE as u8 }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { bytes, len } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Encoding {
    /// Decodes `text` if it stands for as many bytes as `lengths` allows.
    pub(crate) fn decode(self, text: &[u8], lengths: &RangeInclusive<usize>) -> Option<SignatureBytes> {
        let mut signature = SignatureBytes::zeros();
        self.decode_into(text, lengths, &mut signature)?;
        Some(signature)
    }

    /// The same, in place. If it is `None`, what is in `signature` means nothing.
    #[inline]
    pub(crate) fn decode_into(
        self,
        text: &[u8],
        lengths: &RangeInclusive<usize>,
        signature: &mut SignatureBytes,
    ) -> Option<()> {
        let (longest, fixed) = (*lengths.end(), lengths.start() == lengths.end());
        if let SignatureBytes::Short { bytes, len } = signature
            && fixed
            && longest <= IN_PLACE
        {
            *len = longest as u8;
            return self.decode_exact(text, bytes.get_mut(..longest)?);
        }
        *signature = SignatureBytes::Long(self.decode_long(text, lengths)?);
        Some(())
    }

    /// How long the text of so many bytes is.
    #[inline]
    pub(crate) fn text_len(self, bytes: usize) -> usize {
        match self {
            Self::Hex => 2 * bytes,
            Self::Base64 => base64_len(bytes),
            Self::Base64OfHex => base64_len(2 * bytes),
        }
    }

    /// The signatures of public keys.
    fn decode_long(self, text: &[u8], lengths: &RangeInclusive<usize>) -> Option<Vec<u8>> {
        let longest = *lengths.end();
        if *lengths.start() == longest {
            let mut bytes = vec![0; longest];
            return self.decode_exact(text, &mut bytes).map(|()| bytes);
        }
        let readable = self == Self::Base64 && text.len() <= longest.div_ceil(3) * 4;
        let bytes = readable.then(|| STANDARD.decode(text).ok()).flatten()?;
        lengths.contains(&bytes.len()).then_some(bytes)
    }

    /// Decodes `text` if it stands for exactly as many bytes as `target` has.
    #[inline]
    fn decode_exact(self, text: &[u8], target: &mut [u8]) -> Option<()> {
        match self {
            Self::Hex => hex_exact(text, target),
            Self::Base64 => base64_exact(text, target),
            Self::Base64OfHex => {
                let mut digits = [0; 2 * LONGEST_FIXED];
                let digits = digits.get_mut(..2 * target.len())?;
                base64_exact(text, digits)?;
                // The encoder prints small letters; other digits under the base64 would be a second text.
                if digits.iter().any(u8::is_ascii_uppercase) {
                    return None;
                }
                hex_exact(digits, target)
            }
        }
    }

    /// Writes `bytes` as a provider would.
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => to_hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64OfHex => STANDARD.encode(to_hex(bytes)),
        }
    }
}

#[inline]
fn hex_exact(text: &[u8], target: &mut [u8]) -> Option<()> {
    // The decoder would pass over a `0x`.
    if text.len() != 2 * target.len() || text.starts_with(b"0x") {
        return None;
    }
    const_hex::decode_to_slice(text, target).ok()
}

/// Whether all bytes fit. Sixteen are looked at at once, or eight; the last overlap those before them.
#[inline]
fn all_bytes(bytes: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    let all = |bytes: &[u8]| bytes.iter().fold(0, |misfits, byte| misfits | u8::from(!fits(*byte))) == 0;
    if let Some(last) = bytes.last_chunk::<16>() {
        bytes.as_chunks::<16>().0.iter().all(|sixteen| all(sixteen)) && all(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        all(first) && all(last)
    } else {
        all(bytes)
    }
}

/// Where the first of such bytes is. Eight are looked at at once: lists are too short for more.
#[inline]
pub(crate) fn find_byte(text: &[u8], wanted: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (eights, rest) = text.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        // The first lane that is zero is the first whose high bit is set by the subtraction.
        let differences = u64::from_le_bytes(*eight) ^ (ONES * u64::from(wanted));
        let zeros = differences.wrapping_sub(ONES) & !differences & (ONES << 7);
        if zeros != 0 {
            return Some(8 * index + zeros.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == wanted).map(|place| text.len() - rest.len() + place)
}

/// Whether two names are the same. Names are too short for a call to be worth it: words, the last of which overlaps the
/// one before.
#[inline]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(last), Some(other)) => {
            last == other && a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).all(|(a, b)| a == b)
        }
        _ => a.iter().zip(b).all(|(a, b)| a == b),
    }
}

/// Copies a text to a place of its length. Texts are too short for a call to be worth it: words, the last of which
/// overlaps the one before.
#[inline]
pub(crate) fn copy_short(to: &mut [u8], from: &[u8]) {
    debug_assert_eq!(to.len(), from.len(), "a place of its length");
    match from.len() {
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        4..8 => copy_words::<4>(to, from),
        8..16 => copy_words::<8>(to, from),
        16..32 => copy_words::<16>(to, from),
        32..=64 => copy_words::<32>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// The same for one or two words of this length.
#[inline]
fn copy_words<const LEN: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<LEN>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<LEN>(), from.last_chunk()) {
        *to = *from;
    }
}

/// Whether all is printable ASCII.
#[inline]
pub(crate) fn is_printable(bytes: &[u8]) -> bool {
    all_bytes(bytes, |byte| (0x20..=0x7e).contains(&byte))
}

/// Whether every byte may stand in a signed id.
#[inline]
pub(crate) fn is_id(bytes: &[u8]) -> bool {
    all_bytes(bytes, is_id_byte)
}

/// A byte that a signed id may have. No `.`: it separates the signed parts, so an id with one could be cut elsewhere
/// (Standard Webhooks 1.0.0, "signature scheme").
pub(crate) fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Whether this is standard base64 with padding and zero spare bits, of any length.
pub(crate) fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}

/// Decodes a configured key, of any length.
pub(crate) fn base64_key(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes a configured key, of any length.
pub(crate) fn hex_key(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

/// Lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Decodes a part of a JSON Web Token: base64 for URLs, without padding (RFC 7515, section 2).
pub(crate) fn base64_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Writes a part of a JSON Web Token.
pub(crate) fn to_base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(encoding: Encoding, text: &[u8], len: usize) -> Option<SignatureBytes> {
        encoding.decode(text, &(len..=len))
    }

    #[test]
    fn hex_takes_either_case_and_nothing_else() {
        for text in ["00ff", "00FF", "00fF"] {
            assert_eq!(exact(Encoding::Hex, text.as_bytes(), 2).unwrap().as_slice(), [0, 255]);
        }
        for text in ["", "0", "00f", "00ff0", "00ff00", "0x0f", " 0ff", "00f\u{66}\u{301}", "٠٠ff"] {
            assert!(exact(Encoding::Hex, text.as_bytes(), 2).is_none(), "{text:?}");
        }
    }

    #[test]
    fn base64_has_one_text_per_value() {
        let ok = STANDARD.encode([7u8; 32]);
        assert_eq!(exact(Encoding::Base64, ok.as_bytes(), 32).unwrap().as_slice(), [7; 32]);
        let spare_bits = ok.replace("c=", "d=");
        assert_ne!(ok, spare_bits);
        for text in [
            &spare_bits,
            ok.trim_end_matches('='),
            &format!("{ok}="),
            &format!("{ok} "),
            &ok.replace('c', "-"),
        ] {
            assert!(exact(Encoding::Base64, text.as_bytes(), 32).is_none(), "{text}");
        }
    }

    #[test]
    fn base64_of_hex_is_88_characters_for_32_bytes() {
        let text = Encoding::Base64OfHex.encode(&[0xab; 32]);
        assert_eq!(text.len(), 88);
        assert_eq!(exact(Encoding::Base64OfHex, text.as_bytes(), 32).unwrap().as_slice(), [0xab; 32]);
        let capitals = STANDARD.encode(to_hex(&[0xab; 32]).to_uppercase());
        assert!(exact(Encoding::Base64OfHex, capitals.as_bytes(), 32).is_none());
        let raw = Encoding::Base64.encode(&[0xab; 32]);
        assert!(exact(Encoding::Base64OfHex, raw.as_bytes(), 32).is_none());
    }

    #[test]
    fn a_length_beyond_the_buffer_is_no_panic() {
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64OfHex] {
            assert!(exact(encoding, &[b'a'; 400], 65).is_none());
        }
    }

    /// Neighbours that differ in one bit are what subtracting from all lanes at once could confuse.
    #[test]
    fn the_first_of_a_byte_is_found_wherever_it_is() {
        for len in 0..40 {
            for place in 0..=len {
                for (wanted, other) in
                    [(b',', b'-'), (b',', b','.wrapping_sub(1)), (b' ', 0xa0), (b',', !b','), (0, 1), (1, 0)]
                {
                    let mut text = vec![other; len];
                    text.iter_mut().skip(place).step_by(3).for_each(|byte| *byte = wanted);
                    let expected = text.iter().position(|byte| *byte == wanted);
                    assert_eq!(find_byte(&text, wanted), expected, "{wanted} in {text:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_is_copied_whole_and_nothing_beside_it() {
        for len in 0..=130 {
            let from: Vec<u8> = (1..).take(len).collect();
            let mut to = vec![0; len + 2];
            copy_short(&mut to[1..=len], &from);
            assert_eq!(to, [&[0], &from[..], &[0]].concat());
        }
    }

    #[test]
    fn a_text_is_as_long_as_it_is_said_to_be() {
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64OfHex] {
            for len in 0..=70 {
                assert_eq!(
                    encoding.encode(&vec![7; len]).len(),
                    encoding.text_len(len),
                    "{encoding:?} of {len}"
                );
            }
        }
    }

    #[test]
    fn one_byte_that_does_not_fit_is_found_wherever_it_is() {
        for len in 0..=50 {
            assert!(is_printable(&vec![b' '; len]));
            for place in 0..len {
                let mut text = vec![b'~'; len];
                text[place] = 0x7f;
                assert!(!is_printable(&text), "{len} bytes, the one at {place}");
            }
        }
    }

    #[test]
    fn names_are_the_same_if_no_byte_differs() {
        for len in 0..40 {
            let name: Vec<u8> = (b'A'..).take(len).collect();
            assert!(same_bytes(&name, &name.clone()));
            assert!(!same_bytes(&name, &[&name[..], b"x"].concat()));
            for place in 0..len {
                let mut other = name.clone();
                other[place] ^= 0x20;
                assert!(!same_bytes(&name, &other), "{len} bytes, the one at {place}");
            }
        }
    }
}
