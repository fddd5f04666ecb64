use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_700_000_000;

#[test]
fn seconds_have_one_text() {
    assert_eq!(TimestampFormat::Seconds.parse(b"1700000000"), Some(UnixTime::from_secs(NOW)));
    let longest = TimestampFormat::Seconds.parse(b"999999999999");
    assert_eq!(longest, Some(UnixTime::from_secs(999_999_999_999)));
    let longest = TimestampFormat::Millis.parse(b"999999999999999");
    assert_eq!(longest, Some(UnixTime::from_millis(999_999_999_999_999)));
    assert_eq!(TimestampFormat::Millis.parse(b"1000000000000000"), None);
    for text in [
        "1000000000000",
        "170000000/",
        "170000000:",
        "",
        "0",
        "+1700000000",
        "-1700000000",
        "-0",
        "01700000000",
        " 1700000000",
        "1700000000 ",
        "1700000000\n",
        "0x65",
        "1.7e9",
        "1700000000.0",
        "NaN",
        "inf",
        "１７",
        "1700000000000",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "99999999999999999999",
        "2023-11-14T22:13:20Z",
    ] {
        assert_eq!(TimestampFormat::Seconds.parse(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn every_byte_in_every_place_of_a_number_is_looked_at() {
    for digits in ["1", "1700000", "17000000", "1700000000", "170000000000", "170000000000123"] {
        for (place, byte) in (0..digits.len()).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte)))
        {
            let mut text = digits.as_bytes().to_vec();
            text[place] = byte;
            let number = str::from_utf8(&text).ok().filter(|_| byte.is_ascii_digit() && text[0] != b'0');
            let expected = number.map(|text| UnixTime::from_millis(text.parse().unwrap()));
            assert_eq!(TimestampFormat::Millis.parse(&text), expected, "{}", text.escape_ascii());
        }
    }
}

#[test]
fn the_window_is_two_sided_and_inclusive() {
    let window = Window::symmetric(Duration::from_secs(300));
    let check = |secs: u64| {
        window.check(UnixTime::from_secs(secs), UnixTime::from_secs(NOW), TimestampFormat::Seconds)
    };
    assert_eq!(check(NOW - 300), Ok(()));
    assert_eq!(check(NOW - 301), Err(Refusal::TimestampTooOld));
    assert_eq!(check(NOW + 300), Ok(()));
    assert_eq!(check(NOW + 301), Err(Refusal::TimestampTooNew));
    assert_eq!(check(0), Err(Refusal::TimestampTooOld));
    assert_eq!(check(u64::MAX), Err(Refusal::TimestampTooNew));
}

#[test]
fn a_window_has_fractions_and_may_be_endless() {
    let check = |window: Duration, early: u64| {
        let (time, now) = (UnixTime::from_secs(NOW), UnixTime::from_millis(NOW * 1000 + early));
        Window::symmetric(window).check(time, now, TimestampFormat::Millis)
    };
    let window = Duration::new(1, 500_999_999);
    assert_eq!(check(window, 1500), Ok(()), "a part of a millisecond counts for nothing");
    assert_eq!(check(window, 1501), Err(Refusal::TimestampTooOld));
    // Its milliseconds, cut to 64 bits, would be 384.
    let endless = Duration::from_secs(18_446_744_073_709_552);
    assert_eq!(check(endless, 1500), Ok(()), "no window is too long to be compared with");
}

#[test]
fn seconds_are_compared_in_whole_seconds() {
    let window = Window::symmetric(Duration::from_secs(300));
    let now = UnixTime::from_millis((NOW + 300) * 1000 + 999);
    assert_eq!(window.check(UnixTime::from_secs(NOW), now, TimestampFormat::Seconds), Ok(()));
    assert_eq!(
        window.check(UnixTime::from_secs(NOW), now, TimestampFormat::Millis),
        Err(Refusal::TimestampTooOld)
    );
}

#[test]
fn dates_are_strict() {
    for (text, secs) in [
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14T17:43:20-04:30", NOW),
        ("2024-02-29T00:00:00Z", 1_709_164_800),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
        ("1970-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(
            TimestampFormat::Rfc3339.parse(text.as_bytes()),
            Some(UnixTime::from_secs(secs)),
            "{text}"
        );
    }
    let millis = |text: &str| TimestampFormat::Rfc3339.parse(text.as_bytes()).map(UnixTime::as_millis);
    assert_eq!(millis("2023-11-14T22:13:20.5Z"), Some(NOW * 1000 + 500));
    assert_eq!(millis("2023-11-14T22:13:20.123456789Z"), Some(NOW * 1000 + 123));
    for text in [
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-11-14t22:13:20Z",
        "2023-11-14T22:13:20z",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-32T00:00:00Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:61Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.1234567890Z",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20+0100",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "+2023-11-14T22:13:20Z",
        "",
    ] {
        assert_eq!(TimestampFormat::Rfc3339.parse(text.as_bytes()), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn dates_agree_with_a_calendar_library(secs in 0u64..253_402_300_799, offset in -1439i32..=1439) {
        let stamp = jiff::Timestamp::from_second(i64::try_from(secs).unwrap()).unwrap();
        let tz = jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(offset * 60).unwrap());
        let text = stamp.to_zoned(tz).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        prop_assume!(text.len() == 25 && !text.starts_with("1969"));
        prop_assert_eq!(TimestampFormat::Rfc3339.parse(text.as_bytes()), Some(UnixTime::from_secs(secs)));
        let printed = TimestampFormat::Rfc3339.print(UnixTime::from_secs(secs));
        prop_assert_eq!(printed, stamp.to_string());
    }
}
