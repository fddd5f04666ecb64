//! Public-key signatures, by `ring`. Everything here is public: keys, messages, signatures.

use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::mac::{Choice, no, public_verdict};
use crate::scheme::Algorithm;
use crate::signature_list::Candidates;

/// Whether any ed25519 candidate is this key's signature over `message`.
pub(crate) fn ed25519_matches(public: &[u8; 32], message: &[u8], candidates: &Candidates) -> Choice {
    let key = UnparsedPublicKey::new(&ED25519, public);
    let holds = |signature: &[u8]| public_verdict(key.verify(message, signature).is_ok());
    candidates.of(Algorithm::Ed25519).fold(no(), |any, signature| any | holds(signature))
}

/// Signs with a private key of 64 bytes, seed and public key; `None` if the two do not belong together.
pub(crate) fn ed25519_sign(private: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let (seed, public) = private.split_at_checked(32)?;
    let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
    Some(pair.sign(message).as_ref().to_vec())
}
