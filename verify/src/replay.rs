//! What identifies an event, so that it is done once.

use std::fmt;

use crate::mac::Digest;

/// 32 bytes that identify an event of a source, derived from authenticated bytes only.
///
/// Store it under a unique index: the second insert is a retry or a replay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayKey {
    bytes: [u8; 32],
    identity: Identity,
}

/// What a [`ReplayKey`] was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// The provider's event id, which is signed. The same id with another body is a conflict to look at.
    SignedId,
    /// The signed bytes: the provider signs no id. The same key always means the same bytes.
    Digest,
}

impl ReplayKey {
    pub(crate) fn new(source: &str, identity: Identity, content: &[u8], context: Option<&[u8; 32]>) -> Self {
        let mut digest = Digest::new("hookproof/replay-key/1");
        digest.field(source.as_bytes());
        digest.field(match identity {
            Identity::SignedId => b"id",
            Identity::Digest => b"digest",
        });
        digest.field(content);
        digest.field(context.map_or(&[], |context| context.as_slice()));
        Self { bytes: digest.finish(), identity }
    }

    /// The key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// What it was made of.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }
}

/// Lower-case hexadecimal: also a stable idempotency key for calls that the event causes.
impl fmt::Display for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayKey({self})")
    }
}
