//! Whoever does not have the key is refused: any headers, any body, any preset; and both doors agree on why.
#![no_main]

use std::sync::LazyLock;

use hookproof::{UnixTime, Verifier};
use hookproof_fuzz::{NOW, in_pieces, read_request, strangers};
use libfuzzer_sys::fuzz_target;

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(strangers::verifiers);

fuzz_target!(|data: &[u8]| {
    let Some((choice, headers, body)) = read_request(data) else { return };
    let verifier = &VERIFIERS[usize::from(choice) % VERIFIERS.len()];
    let now = UnixTime::from_secs(NOW);
    let at_once = verifier.verify(&headers, body, now).map(drop);
    let step = u8::try_from(data.len() % 67).unwrap_or(1);
    let by_and_by = in_pieces(verifier, &headers, body, now, step).map(drop);
    assert_eq!(at_once, by_and_by, "the doors disagree");
    let refusal = at_once.expect_err("accepted without the key");
    assert!(refusal.status().is_client_error(), "{refusal}");
});
