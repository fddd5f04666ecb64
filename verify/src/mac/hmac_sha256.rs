//! HMAC-SHA256 (RFC 2104) over the library's compression function.
//!
//! The library's HMAC is for any hash, and what surrounds its compressions takes as long as half of one: its buffer is
//! filled, padded and read in pieces for which the processor waits, and its states are copied. What nearly every provider
//! signs with has its own, which the tests hold against the library's, RFC 4231, Wycheproof and Python.

use std::slice;

use sha2::block_api::compress256;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a block of SHA-256.
pub(crate) const BLOCK: usize = 64;

/// Bytes of a digest.
const DIGEST: usize = 32;

/// Bytes of the length at the end of the last block.
const LENGTH: usize = 8;

/// The state before the first block (FIPS 180-4, section 5.3.3).
const INITIAL: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What is exclusive-ored to the key for the inner and the outer hash (RFC 2104, section 2).
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

type State = [u32; 8];

/// The HMAC of a message of which whole blocks have come; without any, a key of which the schedule is computed. Wiped when
/// it is dropped.
#[derive(Clone)]
pub(crate) struct Hmac {
    inner: State,
    outer: State,
    /// Of the message.
    blocks: u64,
}

impl Hmac {
    /// A key of any length.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => {
                let digest = Zeroizing::new(super::sha256(key));
                block.iter_mut().zip(*digest).for_each(|(to, from)| *to = from);
            }
        }
        let after = |pad: u8| {
            let padded = Zeroizing::new(block.map(|byte| byte ^ pad));
            let mut state = INITIAL;
            compress256(&mut state, slice::from_ref(&padded));
            state
        };
        Self { inner: after(INNER_PAD), outer: after(OUTER_PAD), blocks: 0 }
    }

    /// Takes the next blocks.
    #[inline]
    pub(crate) fn update(&mut self, blocks: &[[u8; BLOCK]]) {
        compress256(&mut self.inner, blocks);
        self.blocks += blocks.len() as u64;
    }

    /// Takes all that is left of the message. Nothing may come after it.
    #[inline]
    pub(crate) fn finish(&mut self, rest: &[u8]) -> [u8; DIGEST] {
        let (blocks, rest) = rest.as_chunks();
        self.update(blocks);
        let bytes = (1 + self.blocks) * BLOCK as u64 + rest.len() as u64;
        let digest = last_blocks(&mut self.inner, rest, bytes);
        last_blocks(&mut self.outer, &digest, (BLOCK + DIGEST) as u64)
    }
}

impl Drop for Hmac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// The digest of a hash of which `rest` is what follows the last whole block, and `bytes` counts all that was hashed: one
/// bit, zeros, and the length (FIPS 180-4, section 5.1.1).
#[inline]
fn last_blocks(state: &mut State, rest: &[u8], bytes: u64) -> [u8; DIGEST] {
    let mut block = [0; BLOCK];
    if let Some((start, [one, ..])) = block.split_at_mut_checked(rest.len()) {
        start.copy_from_slice(rest);
        *one = 0x80;
    }
    if rest.len() >= BLOCK - LENGTH {
        // No room for the length: it gets a block of its own.
        compress256(state, slice::from_ref(&block));
        block = [0; BLOCK];
    }
    if let Some(end) = block.last_chunk_mut::<LENGTH>() {
        *end = (bytes * 8).to_be_bytes();
    }
    compress256(state, slice::from_ref(&block));
    let mut digest = [0; DIGEST];
    let (words, _) = digest.as_chunks_mut();
    words.iter_mut().zip(state).for_each(|(to, word)| *to = word.to_be_bytes());
    digest
}

/// The same for a message that comes in pieces of any length.
pub(crate) struct Message {
    hmac: Hmac,
    /// The block that is not full yet.
    block: [u8; BLOCK],
    /// How many bytes it has, always fewer than a block has.
    filled: usize,
}

impl Message {
    #[inline]
    pub(super) fn new(ready: &Hmac) -> Self {
        Self { hmac: ready.clone(), block: [0; BLOCK], filled: 0 }
    }

    #[inline]
    pub(super) fn update(&mut self, mut piece: &[u8]) {
        let Self { hmac, block, filled } = self;
        if *filled > 0 {
            let room = block.get_mut(*filled..).unwrap_or_default();
            let (now, later) = piece.split_at(room.len().min(piece.len()));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            *filled += now.len();
            if *filled < BLOCK {
                return;
            }
            hmac.update(slice::from_ref(block));
            piece = later;
        }
        let (blocks, rest) = piece.as_chunks();
        if !blocks.is_empty() {
            hmac.update(blocks);
        }
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        *filled = rest.len();
    }

    /// Nothing may come after it.
    #[inline]
    pub(super) fn finish(&mut self) -> [u8; DIGEST] {
        self.hmac.finish(self.block.get(..self.filled).unwrap_or_default())
    }
}
