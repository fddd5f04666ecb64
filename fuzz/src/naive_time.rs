//! Reading times for the naive verifier, in milliseconds since 1970.

/// `s`, `ms` or `date`; `None` if the text is anything else.
pub fn millis(unit: &str, text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    let number = |digits: usize| {
        let number: u64 = text.parse().ok()?;
        (number > 0 && number.to_string() == text && text.len() <= digits).then_some(number)
    };
    match unit {
        "s" => number(12).map(|seconds| seconds * 1000),
        "ms" => number(15),
        _ => date(text),
    }
}

/// RFC 3339 as the rules have it. A date before 1970 is none.
fn date(text: &str) -> Option<u64> {
    let (moment, offset) = match text.strip_suffix('Z') {
        Some(moment) => (moment, 0),
        None => {
            let (moment, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = offset.strip_prefix(['+', '-'])?.split_once(':')?;
            (moment, sign * (digits(hours, 2, 0..=23)? * 3600 + digits(minutes, 2, 0..=59)? * 60))
        }
    };
    let (moment, fraction) =
        moment.split_once('.').map_or((moment, None), |(moment, rest)| (moment, Some(rest)));
    let (day, time) = moment.split_once('T')?;
    let [year, month, day] = day.split('-').collect::<Vec<_>>().try_into().ok()?;
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>().try_into().ok()?;
    let year = digits(year, 4, 1970..=9999)?;
    let date = jiff::civil::Date::new(
        year.try_into().ok()?,
        digits(month, 2, 1..=12)?.try_into().ok()?,
        digits(day, 2, 1..=31)?.try_into().ok()?,
    );
    let days = (date.ok()? - jiff::civil::date(1970, 1, 1)).get_days();
    let in_day =
        digits(hour, 2, 0..=23)? * 3600 + digits(minute, 2, 0..=59)? * 60 + digits(second, 2, 0..=60)?;
    let thousandths = match fraction {
        None => 0,
        Some(text) if text.len() <= 9 => {
            digits(text, text.len(), 0..=999_999_999)?;
            format!("{text}00")[..3].parse().ok()?
        }
        Some(_) => return None,
    };
    let seconds = i64::from(days) * 86_400 + in_day - offset;
    Some(u64::try_from(seconds).ok()? * 1000 + thousandths)
}

/// A number of just so many digits, within these bounds.
fn digits(text: &str, count: usize, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let all = !text.is_empty() && text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| all && bounds.contains(number))
}
