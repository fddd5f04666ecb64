//! A key is rotated without a delivery being lost: for a while there are two, and the proof says which of them signed.
//!
//! ```sh
//! cargo run --example rotation
//! ```
//!
//! 1. Create the new key at the provider; add it here; deploy. Both verify.
//! 2. Switch the provider to it. Deliveries that he signed before, and retries of them, still come with the old one.
//! 3. When the old one has not been seen for longer than the provider re-sends, remove it. Now it is refused.

use std::error::Error;
use std::io::Write;

use hookproof::{Key, Outgoing, Signer, UnixTime, Verifier, schemes};

const BODY: &[u8] = br#"{"id":"evt_1"}"#;

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let old = Key::new("2026-05", "whsec_the secret that was there before");
    let new = Key::new("2026-11", "whsec_the secret that was made today");
    let now = UnixTime::from_secs(1_700_000_000);

    // One verifier, as a running service has it. Its clones in layers and tasks get the new keys too.
    let verifier = Verifier::builder(schemes::stripe()).key(old.clone()).build()?;
    for (step, keys) in [
        ("before", vec![old.clone()]),
        ("during", vec![old.clone(), new.clone()]),
        ("after", vec![new.clone()]),
    ] {
        verifier.replace_keys(keys)?;
        for key in [&old, &new] {
            // What the provider does.
            let signer = Signer::new(&schemes::stripe(), key)?;
            let headers = signer.sign(&Outgoing::new(BODY).timestamp(now))?;
            let verdict = match verifier.verify(&headers, BODY, now) {
                Ok(proof) => format!("verified by {}", proof.key_id()),
                Err(refusal) => format!("refused: {refusal}"),
            };
            writeln!(out, "{step} the rotation, signed with {}: {verdict}", key.id())?;
        }
    }

    for key in verifier.keys().uses() {
        writeln!(out, "{} has verified {} deliveries", key.key_id, key.count)?;
    }

    // The same secret under two names would make a rotation that is none. Then the keys stay as they were.
    if let Err(error) =
        verifier.replace_keys([old, Key::new("2027-05", "whsec_the secret that was there before")])
    {
        writeln!(out, "refused: {error}")?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}
