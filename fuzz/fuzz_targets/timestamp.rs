//! The strict parser and the window equal a reference in 128 bits; a date that is accepted is what a calendar says.
//!
//! The text is signed, so nothing but itself can refuse it: the body of a scheme that signs nothing else is made of
//! the signed bytes, and its signature is put on the request.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use hookproof::{Key, Outgoing, Part, Refusal, Scheme, Signer, TimestampFormat, UnixTime, Verifier, Window};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const BODY: &[u8] = b"{}";
const KEY: &str = "a key that the text cannot know";

/// Fixed fields first, the text last: `make_seeds.py` writes the same layout.
#[derive(Arbitrary, Debug)]
struct Input {
    format: u8,
    now_millis: u64,
    past_secs: u32,
    future_secs: u32,
    text: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let side = |secs: u32| Duration::from_secs(u64::from(secs) % Window::MAX.as_secs() + 1);
    let window = Window { past: side(input.past_secs), future: side(input.future_secs) };
    let now = UnixTime::from_millis(input.now_millis);
    let Ok(value) = HeaderValue::from_bytes(&input.text) else { return };
    let format = [TimestampFormat::Seconds, TimestampFormat::Millis, TimestampFormat::Rfc3339]
        [usize::from(input.format % 3)];
    let verdict = verify(format, window, value, &input.text, now);
    match format {
        TimestampFormat::Seconds => {
            assert_eq!(verdict, reference(&input.text, 12, 1000, input.now_millis / 1000 * 1000, window));
        }
        TimestampFormat::Millis => {
            assert_eq!(verdict, reference(&input.text, 15, 1, input.now_millis, window))
        }
        _ => calendar(&input.text, verdict, input.now_millis, window),
    }
});

fn scheme(parts: impl IntoIterator<Item = Part>) -> hookproof::SchemeBuilder {
    Scheme::builder("fuzzed").signature_header("x-signature").signed(parts)
}

fn verify(
    format: TimestampFormat,
    window: Window,
    value: HeaderValue,
    text: &[u8],
    now: UnixTime,
) -> Result<u64, Refusal> {
    let key = Key::new("key", KEY);
    let signer = Signer::new(&scheme([Part::Body]).build().expect("a scheme"), &key).expect("a key");
    let signed = [text, b".", BODY].concat();
    let mut headers: HeaderMap = signer.sign(&Outgoing::new(&signed)).expect("it can be signed");
    headers.insert("x-time", value);
    let timed = scheme([Part::Timestamp, Part::literal("."), Part::Body]).timestamp_header("x-time", format);
    let timed = timed.window(window).build().expect("a scheme");
    let verifier = Verifier::builder(timed).key(key).build().expect("a verifier");
    let proof = verifier.verify(&headers, BODY, now)?;
    Ok(proof.timestamp().expect("a signed time").as_millis())
}

/// `[1-9][0-9]*`, up to `digits`, times `unit`, in the window around `now`; all in 128 bits.
fn reference(text: &[u8], digits: usize, unit: i128, now: u64, window: Window) -> Result<u64, Refusal> {
    let canonical = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i128>().ok());
    let number = canonical.filter(|number| *number > 0 && number.to_string().as_bytes() == text);
    let number = number.filter(|_| text.len() <= digits).ok_or(Refusal::MalformedTimestamp)?;
    in_window(number * unit, now, window)
}

fn in_window(time: i128, now: u64, window: Window) -> Result<u64, Refusal> {
    let age = i128::from(now) - time;
    if age > i128::try_from(window.past.as_millis()).expect("a short time") {
        Err(Refusal::TimestampTooOld)
    } else if -age > i128::try_from(window.future.as_millis()).expect("a short time") {
        Err(Refusal::TimestampTooNew)
    } else {
        Ok(u64::try_from(time).expect("not before 1970"))
    }
}

/// Whatever is not malformed is the moment that `jiff` reads; it reads more than this library does.
fn calendar(text: &[u8], verdict: Result<u64, Refusal>, now: u64, window: Window) {
    if verdict == Err(Refusal::MalformedTimestamp) {
        return;
    }
    let text = std::str::from_utf8(text).expect("a date is ASCII");
    // jiff reads a leap second as the one before it, this library as the one after it.
    let leap = text.as_bytes().get(17..19) == Some(b"60");
    let text = if leap { format!("{}59{}", &text[..17], &text[19..]) } else { text.to_owned() };
    let time: jiff::Timestamp = text.parse().unwrap_or_else(|e| panic!("{text}: accepted, but {e}"));
    let millis = i128::from(time.as_millisecond()) + if leap { 1000 } else { 0 };
    assert_eq!(verdict, in_window(millis, now, window), "{text}");
}
