//! What the provider signs is accepted, exactly within the window; with one bit of it changed it is refused.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use hookproof::{Freshness, Metadata, Refusal, UnixTime, Verified, Window};
use hookproof_fuzz::{NOW, SOURCES, Source, body_for, in_pieces};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

/// Fixed fields first, the body last: `make_seeds.py` writes the same layout.
#[derive(Arbitrary, Debug)]
struct Input {
    source: u8,
    key: [u8; 24],
    id: [u8; 8],
    edge: u8,
    age: i32,
    what: u8,
    at: u16,
    bit: u8,
    step: u8,
    body: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let fixed = &SOURCES[usize::from(input.source) % SOURCES.len()];
    // A fixed pair stays; the others take the input's key, unless it is none.
    let own = if fixed.is_pair { None } else { Source::new(fixed.scheme.clone(), &input.key) };
    let source = match &own {
        Some(own) => own,
        None if fixed.is_pair => fixed,
        None => return,
    };
    let window = window(source);
    let time = UnixTime::from_secs(NOW.saturating_add_signed(-age(&input, window)));
    let id = hex::encode(input.id);
    let (headers, body) = source.delivery(&body_for(&source.scheme, time, &input.body), &id, time);

    let verdict = both_doors(source, &headers, &body, input.step);
    assert_eq!(verdict.as_ref().map(drop), expected(window, time).as_ref().map(drop));
    let Ok(proof) = verdict else { return };
    assert_eq!(*proof.body(), body, "the proven body is the one that was sent");
    assert_eq!(proof.timestamp(), window.map(|_| time));
    flip(source, &headers, &body, &input, &proof);
});

fn window(source: &Source) -> Option<Window> {
    match source.scheme.freshness() {
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => Some(*window),
        _ => None,
    }
}

/// Seconds before now: anywhere, and often just at an edge of the window.
fn age(input: &Input, window: Option<Window>) -> i64 {
    let window = window.unwrap_or(Window::symmetric(Window::MIN));
    let secs = |side: std::time::Duration| i64::try_from(side.as_secs()).expect("a short time");
    let near = i64::from(input.age % 3);
    match input.edge % 4 {
        0 => near,
        1 => secs(window.past) + near,
        2 => -secs(window.future) + near,
        _ => i64::from(input.age) % 600_000,
    }
}

/// The window, said another way than the library says it.
fn expected(window: Option<Window>, time: UnixTime) -> Result<(), Refusal> {
    let Some(window) = window else { return Ok(()) };
    let (time, now) = (i128::from(time.as_secs()), i128::from(NOW));
    if now - time > i128::from(window.past.as_secs()) {
        Err(Refusal::TimestampTooOld)
    } else if time - now > i128::from(window.future.as_secs()) {
        Err(Refusal::TimestampTooNew)
    } else {
        Ok(())
    }
}

fn both_doors(
    source: &Source,
    headers: &HeaderMap,
    body: &[u8],
    step: u8,
) -> Result<Verified<Bytes>, Refusal> {
    let now = UnixTime::from_secs(NOW);
    let at_once = source.verifier.verify(headers, Bytes::copy_from_slice(body), now);
    let by_and_by = in_pieces(&source.verifier, headers, body, now, step);
    assert_eq!(at_once.as_ref().map(drop), by_and_by.as_ref().map(drop), "the doors disagree");
    by_and_by
}

/// Changes one bit of the body, of a header, or of the key.
fn flip(source: &Source, headers: &HeaderMap, body: &[u8], input: &Input, proof: &Verified<Bytes>) {
    match input.what % 3 {
        0 if !body.is_empty() => {
            let mut changed = body.to_vec();
            flip_bit(&mut changed, input);
            let verdict = both_doors(source, headers, &changed, input.step).map(drop);
            assert_eq!(
                source.judge(body, &changed, verdict),
                Ok(()),
                "{}: a changed body",
                source.scheme.name()
            );
        }
        1 if !headers.is_empty() => {
            let names: Vec<_> = headers.keys().cloned().collect();
            flip_header(
                source,
                headers,
                body,
                input,
                &names[usize::from(input.bit >> 3) % names.len()],
                proof,
            );
        }
        _ if !source.is_pair => {
            let mut key = input.key;
            flip_bit(&mut key, input);
            let Some(other) = Source::new(source.scheme.clone(), &key) else { return };
            let verdict = both_doors(&other, headers, body, input.step);
            assert!(
                matches!(verdict, Err(Refusal::SignatureMismatch | Refusal::MalformedHeader)),
                "another key: {verdict:?}"
            );
        }
        _ => {}
    }
}

fn flip_header(
    source: &Source,
    headers: &HeaderMap,
    body: &[u8],
    input: &Input,
    name: &HeaderName,
    proof: &Verified<Bytes>,
) {
    let before = headers[name].as_bytes();
    let mut after = before.to_vec();
    flip_bit(&mut after, input);
    let Ok(value) = HeaderValue::from_bytes(&after) else { return };
    let mut changed = headers.clone();
    changed.insert(name.clone(), value);
    let verdict = both_doors(source, &changed, body, input.step);
    let unsigned_id = !proof.event_id().as_ref().is_some_and(Metadata::is_signed)
        && source.scheme.event_id_location() == Some(&hookproof::Location::Header(name.clone()));
    if unsigned_id {
        let key = verdict.expect("an unsigned id is information").replay_key("source");
        assert_eq!(key, proof.replay_key("source"), "an unsigned id makes no other event");
    } else if !same_hex(&source.scheme, before, &after) {
        assert!(verdict.is_err(), "{name}: {:?} is accepted as well", String::from_utf8_lossy(&after));
    }
}

/// Hexadecimal digits may be of either case, so a flipped case bit of one leaves the signature as it was.
fn same_hex(scheme: &hookproof::Scheme, before: &[u8], after: &[u8]) -> bool {
    let is_hex = scheme.encoding() == hookproof::Encoding::Hex && scheme.name() != "gitlab-token";
    let digits = before.iter().rposition(|byte| !byte.is_ascii_hexdigit()).map_or(0, |at| at + 1);
    is_hex && before[..digits] == after[..digits] && before.eq_ignore_ascii_case(after)
}

fn flip_bit(bytes: &mut [u8], input: &Input) {
    let at = usize::from(input.at) % bytes.len();
    bytes[at] ^= 1 << (input.bit & 7);
}
