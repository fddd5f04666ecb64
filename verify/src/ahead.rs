//! Hashing ahead of what is read.
//!
//! Each round of a hash waits for the one before it. The processor does other work meanwhile, but finds it only among the
//! next two hundred instructions or so. So a block is hashed, a piece of the head is read, another block is hashed, and so
//! on, wherever the signed text is known as soon as the headers are found. What reading costs is then for the larger part
//! done in the hash's time.
//!
//! Nothing is believed for that. A head that is refused has cost a few blocks more, at most one for each signature and two;
//! and if the text that is accepted is not the one that was hashed, it is hashed anew.

use std::mem;
use std::ptr;
use std::slice;

use crate::claims::Claims;
use crate::encoding::copy_short;
use crate::key_ring::{KeyRing, VerifyingKey};
use crate::mac::{BLOCK, Blocks, HmacSha256, Laid, Tag};
use crate::part::Part;
use crate::timestamp::UnixTime;

/// What the signed text has of the headers, as they present it: before any of it was checked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) timestamp: &'a [u8],
}

impl Told<'_> {
    /// Whether these are the very same bytes of the same headers.
    #[inline]
    fn is(self, other: Told<'_>) -> bool {
        let same = |a: &[u8], b: &[u8]| ptr::eq(a, b) || (a.is_empty() && b.is_empty());
        same(self.id, other.id) && same(self.timestamp, other.timestamp)
    }
}

/// The MAC of the first key that counts. Filled where it is, for what was moved just before it is read is waited for.
#[derive(Default)]
pub(crate) struct Ahead<'k, 'a> {
    key: Option<(usize, &'k HmacSha256)>,
    told: Told<'a>,
    blocks: Blocks,
    /// What of the body has not been hashed.
    rest: &'a [u8],
}

impl<'k, 'a> Ahead<'k, 'a> {
    /// Hashes the first block, if it can be known yet.
    #[inline]
    pub(crate) fn begin(
        &mut self,
        claims: &Claims<'a>,
        (ring, now): (&'k KeyRing, UnixTime),
        body: &'a [u8],
    ) -> Option<()> {
        let before = claims.told(&mut self.told)?;
        let (index, first) = ring.keys().iter().enumerate().find(|(_, key)| key.is_valid_at(now))?;
        let VerifyingKey::Mac(ready) = &first.verifying else { return None };
        let key = ready.in_blocks()?;
        let mut block = Laid([0; BLOCK]);
        let mut room = &mut block.0[..];
        for part in before {
            let text = match part {
                Part::Literal(text) => text.as_bytes(),
                Part::Id => self.told.id,
                Part::Timestamp => self.told.timestamp,
                _ => return None,
            };
            let (here, after) = mem::take(&mut room).split_at_mut_checked(text.len())?;
            copy_short(here, text);
            room = after;
        }
        self.rest = body;
        self.blocks.start(key);
        if room.len() < BLOCK {
            let (start, after) = body.split_at_checked(room.len())?;
            copy_short(room, start);
            self.blocks.update(slice::from_ref(&block.0));
            self.rest = after;
        }
        self.key = Some((index, key));
        Some(())
    }

    /// Hashes one more block, if there is one.
    #[inline]
    pub(crate) fn step(&mut self) {
        if self.key.is_some()
            && let Some((block, rest)) = self.rest.split_first_chunk()
        {
            self.blocks.update(slice::from_ref(block));
            self.rest = rest;
        }
    }

    /// Hashes the rest. The key's index in the ring, and its tag; `None` if what was accepted is not what was hashed: a list
    /// may have been passed over, in favour of another with another timestamp.
    #[inline]
    pub(crate) fn finish(&mut self, accepted: Told<'_>) -> Option<(usize, Tag)> {
        let (index, key) = self.key?;
        if !self.told.is(accepted) {
            return None;
        }
        Some((index, key.finish(&mut self.blocks, self.rest)))
    }
}

#[cfg(test)]
mod tests;
