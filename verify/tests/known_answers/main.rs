//! Known answers for the cryptography, through the library's public doors.
//!
//! The hashes have several implementations: the portable one, and one with the processor's SHA instructions, chosen
//! when the program runs. `.ci/run` runs this with either.

#![cfg(test)]

mod hmac;
mod lengths;
mod rfc;
mod wycheproof;

/// Says which implementation was tested, for whoever reads the log.
#[test]
fn backend() {
    #[expect(unexpected_cfgs, reason = "a switch of the crates sha1 and sha2, not of ours")]
    let portable = cfg!(all(sha1_backend = "soft", sha2_backend = "soft"));
    #[cfg(target_arch = "x86_64")]
    let instructions = std::arch::is_x86_feature_detected!("sha");
    #[cfg(not(target_arch = "x86_64"))]
    let instructions = false;
    let name = if instructions && !portable { "the processor's instructions" } else { "portable" };
    println!("known answers, hashes: {name}");
}
