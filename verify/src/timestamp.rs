//! Time as strangers write it, and the window it must lie in.
//!
//! A timestamp is an attacker's number until the signature holds, so it is parsed strictly (`parse::<i64>()` takes
//! `+1`, `-0` and leading zeros), kept unsigned, and compared with `abs_diff`: there is nothing to overflow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::refusal::Refusal;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch; beyond the year 584,000,000 it saturates.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }
}

impl From<SystemTime> for UnixTime {
    /// A clock that is set before 1970 counts as 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(millis(since))
    }
}

/// How a timestamp is written. One per scheme: a receiver that guesses can be made to guess wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampFormat {
    /// Unix seconds, in decimal: `1700000000`.
    Seconds,
    /// Unix milliseconds, in decimal: `1700000000000`.
    Millis,
    /// RFC 3339 with an offset: `2023-11-14T22:13:20Z`, `2023-11-14T23:13:20.5+01:00`.
    Rfc3339,
    /// Either Unix seconds or RFC 3339. Only for a field of a signed JSON body, where the two cannot be confused.
    SecondsOrRfc3339,
}

impl TimestampFormat {
    /// Reads `text`, or `None` if it is anything but one canonical number or date.
    #[must_use]
    #[inline]
    pub fn parse(self, text: &[u8]) -> Option<UnixTime> {
        match self {
            Self::Seconds => decimal(text, 12).map(UnixTime::from_secs),
            Self::Millis => decimal(text, 15).map(UnixTime::from_millis),
            Self::Rfc3339 => rfc3339(text),
            Self::SecondsOrRfc3339 => {
                if text.contains(&b'-') {
                    rfc3339(text)
                } else {
                    decimal(text, 12).map(UnixTime::from_secs)
                }
            }
        }
    }

    /// Writes `time` as a provider would.
    pub(crate) fn print(self, time: UnixTime) -> String {
        match self {
            Self::Seconds | Self::SecondsOrRfc3339 => time.as_secs().to_string(),
            Self::Millis => time.as_millis().to_string(),
            Self::Rfc3339 => print_rfc3339(time),
        }
    }

    /// The clock at the resolution in which this format counts: an edge is inclusive to its whole second.
    #[inline]
    fn at_resolution(self, time: UnixTime) -> UnixTime {
        match self {
            Self::Seconds | Self::SecondsOrRfc3339 => UnixTime::from_secs(time.as_secs()),
            Self::Millis | Self::Rfc3339 => time,
        }
    }
}

/// How far a timestamp may lie from the receiver's clock. Both edges are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How old a delivery may be.
    pub past: Duration,
    /// How far the sender's clock may be ahead.
    pub future: Duration,
}

impl Window {
    /// The least that a side may be: clocks differ by at least this much.
    pub const MIN: Duration = Duration::from_secs(1);
    /// The most that a side may be: 31 days.
    pub const MAX: Duration = Duration::from_secs(31 * 24 * 3600);

    /// The same on both sides.
    #[must_use]
    pub const fn symmetric(tolerance: Duration) -> Self {
        Self { past: tolerance, future: tolerance }
    }

    /// Whether `time` lies in the window around `now`.
    #[inline]
    pub(crate) fn check(self, time: UnixTime, now: UnixTime, format: TimestampFormat) -> Result<(), Refusal> {
        let now = format.at_resolution(now);
        let (allowed, refusal) = match time < now {
            true => (self.past, Refusal::TimestampTooOld),
            false => (self.future, Refusal::TimestampTooNew),
        };
        if time.0.abs_diff(now.0) > millis(allowed) { Err(refusal) } else { Ok(()) }
    }
}

/// Whole milliseconds of a span, at most as many as 64 bits hold. The library's are of 128 bits, which every delivery would
/// pay for.
#[inline]
pub(crate) fn millis(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1000).saturating_add(span.subsec_millis().into())
}

/// `[1-9][0-9]*` of at most `max_digits` digits: no sign, no leading zero, no white space, ASCII only.
#[inline]
fn decimal(text: &[u8], max_digits: usize) -> Option<u64> {
    if text.len() > max_digits || *text.first()? == b'0' {
        return None;
    }
    // What is no digit shows at the end, and until then the sums only wrap.
    let (eights, rest) = text.as_chunks::<8>();
    let (number, digits) = eights.iter().fold((0, true), |(number, digits), eight| {
        let (eight, are_digits) = eight_digits(*eight);
        (number * 100_000_000 + eight, digits & are_digits)
    });
    let (number, digits) = rest.iter().fold((number, digits), |(number, digits), byte| {
        let digit = byte.wrapping_sub(b'0');
        (number.wrapping_mul(10).wrapping_add(u64::from(digit)), digits & (digit < 10))
    });
    digits.then_some(number)
}

/// Eight digits at once, in the lanes of one number; and whether they are digits.
#[inline]
fn eight_digits(text: [u8; 8]) -> (u64, bool) {
    const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
    let digits = u64::from_le_bytes(text) ^ u64::from_ne_bytes([b'0'; 8]);
    // Adding 118 to more than nine sets the high bit; below 128 nothing is carried into the next lane.
    let more_than_nine = ((digits & !HIGH_BITS) + u64::from_ne_bytes([118; 8])) | digits;
    let are_digits = more_than_nine & HIGH_BITS == 0;
    // Neighbours become pairs, pairs become fours, and fours become the number: what comes first is worth more.
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    ((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff, are_digits)
}

/// RFC 3339, section 5.6, with capital `T` and `Z`, an offset, and at most nine digits of a second.
fn rfc3339(text: &[u8]) -> Option<UnixTime> {
    let (date_time, offset_seconds) = split_offset(text)?;
    let (head, fraction) = match date_time.split_at_checked(19)? {
        (head, []) => (head, 0),
        (head, [b'.', digits @ ..]) => (head, fraction_millis(digits)?),
        _ => return None,
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = head else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    // A leap second (`:60`) is the first moment of the next minute: an event in it is late by nothing.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let utc = i64::try_from(seconds).ok()?.checked_sub(offset_seconds)?;
    Some(UnixTime(u64::try_from(utc).ok()? * 1000 + fraction))
}

/// Splits `Z` or `+HH:MM` off; the offset is in seconds east of Greenwich.
fn split_offset(text: &[u8]) -> Option<(&[u8], i64)> {
    if let [rest @ .., b'Z'] = text {
        return Some((rest, 0));
    }
    let [rest @ .., sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = text else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i64::try_from(hours * 3600 + minutes * 60).ok()?;
    Some((rest, if *sign == b'-' { -seconds } else { seconds }))
}

fn fraction_millis(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut millis = [b'0'; 3];
    for (to, from) in millis.iter_mut().zip(digits) {
        *to = *from;
    }
    number(digits)?;
    number(&millis)
}

fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let before = year - 1;
    let to_year = |y: u64| y * 365 + y / 4 - y / 100 + y / 400;
    let in_year: u64 = (1..month).map(|m| days_in_month(year, m)).sum();
    to_year(before) - to_year(1969) + in_year + day - 1
}

fn print_rfc3339(time: UnixTime) -> String {
    let (mut days, in_day) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_in_month(year, month) {
        days -= days_in_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
    let millis = match time.as_millis() % 1000 {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}{millis}Z", days + 1)
}

#[cfg(test)]
mod tests;
