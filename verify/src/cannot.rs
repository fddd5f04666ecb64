//! What the types of this crate must not be able to do. Each ability on these lists would turn a mistake that does not
//! compile into one that does.
//!
//! A MAC that can be compared with `==` is compared so one day. A key that can be printed ends in a log. A proof that
//! can be made elsewhere proves nothing:
//!
//! ```compile_fail,E0451
//! let forged = hookproof::Verified { body: "not signed", facts: todo!() };
//! ```
//!
//! ```compile_fail,E0624
//! let forged = hookproof::Verified::new("not signed", todo!());
//! ```
//!
//! ```compile_fail,E0423
//! let unchecked = hookproof::Pending(todo!());
//! ```
//!
//! ```compile_fail,E0603
//! fn prove(signed: hookproof::head::Signed) -> hookproof::Verified<bytes::Bytes> {
//!     signed.into_proof(todo!())
//! }
//! ```
//!
//! ```compile_fail,E0616
//! fn swap(mut proof: hookproof::Verified<&[u8]>) {
//!     proof.body = b"not signed";
//! }
//! ```
//!
//! ```compile_fail,E0369
//! fn same(a: &hookproof::Key, b: &hookproof::Key) -> bool {
//!     a == b
//! }
//! ```
//!
//! (The compiler of the stable channel does not compare the numbers of the errors; the nightly one, in `.ci/run`, does.)

#[cfg(test)]
mod tests {
    use std::borrow::{Borrow, BorrowMut};
    use std::fmt::{Debug, Display, LowerHex};
    use std::hash::Hash;
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};

    use serde::{Deserialize, Serialize};

    use crate::key::KeyBytes;
    use crate::key_ring::{RingKey, VerifyingKey};
    use crate::mac::{MacState, Tag, TokenDigest};
    use crate::{Key, KeyRing, Pending, Signer, Verified, Verifier};

    /// Whether a type implements a trait: an inherent constant comes before one of a trait, where its bounds hold.
    macro_rules! can {
        ($type:ty: $ability:path) => {{
            struct Probe<T: ?Sized>(PhantomData<T>);
            #[allow(dead_code, reason = "unused where the type has the ability")]
            trait Otherwise {
                const CAN: bool = false;
            }
            impl<T: ?Sized> Otherwise for Probe<T> {}
            #[allow(
                dead_code,
                reason = "it is used where the type has the ability: some have, in the control"
            )]
            #[allow(dead_code, reason = "unused where it has not")]
            impl<T: ?Sized + $ability> Probe<T> {
                const CAN: bool = true;
            }
            Probe::<$type>::CAN
        }};
    }

    /// The abilities that the types have, of those listed.
    macro_rules! abilities {
        ([$($type:ty),+ $(,)?] $abilities:tt) => {{
            let mut found = Vec::<&str>::new();
            $(abilities!(@each found, $type, $abilities);)+
            found
        }};
        (@each $found:ident, $type:ty, [$($ability:path),+ $(,)?]) => {
            $(if can!($type: $ability) {
                $found.push(concat!(stringify!($type), ": ", stringify!($ability)));
            })+
        };
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_tag_can_only_be_compared_in_constant_time() {
        let found = abilities!([Tag] [
            PartialEq<Tag>, PartialEq<[u8]>, PartialEq<&'static [u8]>, PartialEq<[u8; 32]>, PartialEq<Vec<u8>>,
            PartialOrd<Tag>, Hash, Deref, AsRef<[u8]>, Borrow<[u8]>, Into<Vec<u8>>, Into<[u8; 32]>, IntoIterator,
            Clone, Debug, Display, LowerHex, Serialize, Default,
        ]);
        assert_eq!(found, NOTHING);
    }

    #[test]
    fn secrets_cannot_be_compared_or_shown() {
        let found = abilities!([Key, KeyRing, Signer, Verifier, KeyBytes, RingKey, VerifyingKey, MacState, TokenDigest] [
            Copy, Hash, Deref, AsRef<[u8]>, AsRef<str>, Borrow<[u8]>, Borrow<str>, Into<Vec<u8>>, Into<String>, Display,
            LowerHex, Serialize, Default,
        ]);
        assert_eq!(found, NOTHING);
        assert!(
            !can!(Key: PartialEq<Key>) && !can!(Key: PartialEq<str>) && !can!(Key: PartialEq<&'static str>)
        );
        assert!(!can!(KeyRing: PartialEq<KeyRing>) && !can!(Key: PartialOrd<Key>));
        assert!(!can!(KeyBytes: PartialEq<KeyBytes>) && !can!(MacState: PartialEq<MacState>));
        assert!(!can!(VerifyingKey: PartialEq<VerifyingKey>) && !can!(RingKey: PartialEq<RingKey>));
        // What `Debug` prints of the public ones, `tests/redacted.rs` looks at.
        assert_eq!(abilities!([KeyBytes, RingKey, VerifyingKey, MacState, TokenDigest][Debug]), NOTHING);
    }

    #[test]
    fn a_proof_cannot_be_made_or_changed_elsewhere() {
        let found = abilities!([Verified<Vec<u8>>, Verified<&'static [u8]>, Pending] [
            Default, From<Vec<u8>>, From<&'static [u8]>, Deserialize<'static>, DerefMut, AsMut<[u8]>, AsMut<Vec<u8>>,
            BorrowMut<[u8]>,
        ]);
        assert_eq!(found, NOTHING);
    }

    /// The control: what is there is found.
    #[test]
    fn an_ability_would_be_noticed() {
        assert_eq!(abilities!([u8, Vec<u8>] [Copy, Deref]), ["u8: Copy", "Vec<u8>: Deref"]);
        assert_eq!(abilities!([Key] [Clone, Debug, Copy]), ["Key: Clone", "Key: Debug"]);
        assert!(can!(Vec<u8>: PartialEq<[u8]>) && can!(String: Deserialize<'static>) && can!(u8: LowerHex));
        assert!(can!(Verified<Vec<u8>>: AsRef<[u8]>) && !can!(Verified<String>: AsMut<[u8]>));
    }
}
