//! HMAC-SHA256 (RFC 2104) over the library's compression function.
//!
//! The library's HMAC is for any hash, and what surrounds its compressions takes as long as half of one: its buffer is
//! filled, padded and read in pieces for which the processor waits, and its states are copied. What nearly every provider
//! signs with has its own, which the tests hold against the library's, RFC 4231, Wycheproof and Python.

use std::slice;

use sha2::block_api::compress256;
use zeroize::{Zeroize as _, Zeroizing};

use super::Tag;

/// Bytes of a block of SHA-256.
pub(crate) const BLOCK: usize = 64;

/// Bytes of a digest.
const DIGEST: usize = 32;

/// Bytes of the length at the end of the last block.
const LENGTH: usize = 8;

/// The state before the first block (FIPS 180-4, section 5.3.3).
const INITIAL: State = State([
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
]);

/// The block that ends the outer hash, but for the inner digest at its beginning: the same for every message.
#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which would say so")]
const OUTER_END: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[DIGEST] = 0x80;
    let bits = (8 * (BLOCK + DIGEST) as u64).to_be_bytes();
    let mut at = 0;
    while at < LENGTH {
        block[BLOCK - LENGTH + at] = bits[at];
        at += 1;
    }
    block
};

/// What is exclusive-ored to the key for the inner and the outer hash (RFC 2104, section 2).
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/// The state of a hash. Aligned, as what is hashed is: what lies across two lines of the cache is waited for, and each block
/// waits for the state that the one before left.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct State([u32; 8]);

/// Blocks that are laid out here.
#[repr(align(64))]
pub(crate) struct Laid<T>(pub(crate) T);

/// A key: the states of both hashes after the block that is made of it. Wiped when it is dropped.
#[derive(Clone)]
pub(crate) struct Key {
    inner: State,
    outer: State,
}

impl Key {
    /// A key of any length.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => {
                let digest = Zeroizing::new(super::sha256(key));
                block.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
            }
        }
        let after = |pad: u8| {
            let mut padded = Zeroizing::new([pad; BLOCK]);
            padded.iter_mut().zip(block.iter()).for_each(|(pad, byte)| *pad ^= byte);
            let mut state = INITIAL;
            compress256(&mut state.0, slice::from_ref(&padded));
            state
        };
        Self { inner: after(INNER_PAD), outer: after(OUTER_PAD) }
    }

    /// The tag of a message of which `inner` has hashed all but this `rest`, of any length. Nothing may come after it.
    #[inline]
    pub(crate) fn finish(&self, inner: &mut Blocks, rest: &[u8]) -> Tag {
        finish(inner, &mut Blocks { state: self.outer, count: 1 }, rest)
    }
}

/// Both hashes, to their ends.
#[inline]
fn finish(inner: &mut Blocks, outer: &mut Blocks, rest: &[u8]) -> Tag {
    let (whole, rest) = rest.as_chunks();
    // Before the hash of the others: what is written just before it is read is waited for.
    let mut end = Laid([[0; BLOCK]; 2]);
    let bytes = (inner.count + whole.len() as u64) * BLOCK as u64 + rest.len() as u64;
    let count = lay_out_end(&mut end.0, rest, bytes);
    let mut outer_end = Laid(OUTER_END);
    inner.update(whole);
    inner.update(end.0.get(..count).unwrap_or_default());
    if let Some(start) = outer_end.0.first_chunk_mut() {
        *start = inner.digest();
    }
    outer.update(slice::from_ref(&outer_end.0));
    Tag::new(&outer.digest())
}

/// What a message ends with: less than a block of it, one bit, zeros, and how many bits were hashed (FIPS 180-4, section
/// 5.1.1). One block, or two where the length has no room in one; how many is returned. They are zeros before.
#[inline]
fn lay_out_end([first, second]: &mut [[u8; BLOCK]; 2], rest: &[u8], bytes: u64) -> usize {
    if let Some((start, [one, ..])) = first.split_at_mut_checked(rest.len()) {
        start.copy_from_slice(rest);
        *one = 0x80;
    }
    let (last, count) = if rest.len() < BLOCK - LENGTH { (first, 1) } else { (second, 2) };
    if let Some(end) = last.last_chunk_mut::<LENGTH>() {
        *end = (bytes * 8).to_be_bytes();
    }
    count
}

impl Drop for Key {
    fn drop(&mut self) {
        self.inner.0.zeroize();
        self.outer.0.zeroize();
    }
}

/// One of the hashes, after whole blocks, the first of which is the key's. Wiped when it is dropped.
#[derive(Default)]
pub(crate) struct Blocks {
    state: State,
    count: u64,
}

impl Blocks {
    /// Starts the inner hash of a message.
    #[inline]
    pub(crate) fn start(&mut self, key: &Key) {
        (self.state, self.count) = (key.inner, 1);
    }

    /// Takes the next blocks.
    #[inline]
    pub(crate) fn update(&mut self, blocks: &[[u8; BLOCK]]) {
        compress256(&mut self.state.0, blocks);
        self.count += blocks.len() as u64;
    }

    #[inline]
    fn digest(&self) -> [u8; DIGEST] {
        let mut digest = [0; DIGEST];
        let (words, _) = digest.as_chunks_mut();
        words.iter_mut().zip(self.state.0).for_each(|(to, word)| *to = word.to_be_bytes());
        digest
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.state.0.zeroize();
    }
}

/// A message that comes in pieces of any length.
pub(crate) struct Message {
    inner: Blocks,
    outer: Blocks,
    /// The block that is not full yet.
    block: Laid<[u8; BLOCK]>,
    /// How many bytes it has, always fewer than a block has.
    filled: usize,
}

impl Message {
    #[inline]
    pub(super) fn new(key: &Key) -> Self {
        Self {
            inner: Blocks { state: key.inner, count: 1 },
            outer: Blocks { state: key.outer, count: 1 },
            block: Laid([0; BLOCK]),
            filled: 0,
        }
    }

    #[inline]
    pub(super) fn update(&mut self, mut piece: &[u8]) {
        let Self { inner, block: Laid(block), filled, .. } = self;
        if *filled > 0 {
            let room = block.get_mut(*filled..).unwrap_or_default();
            let (now, later) = piece.split_at(room.len().min(piece.len()));
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            *filled += now.len();
            if *filled < BLOCK {
                return;
            }
            inner.update(slice::from_ref(block));
            piece = later;
        }
        let (whole, rest) = piece.as_chunks();
        inner.update(whole);
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        *filled = rest.len();
    }

    /// Nothing may come after it.
    #[inline]
    pub(super) fn finish(&mut self) -> Tag {
        let Self { inner, outer, block: Laid(block), filled } = self;
        finish(inner, outer, block.get(..*filled).unwrap_or_default())
    }
}
