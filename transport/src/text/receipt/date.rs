//! Dates of receipts, in all the forms in which SMSCs write them.

use crate::pdu::time::{Civil, SmppTime};

/// A date as read: the time on some clock, and where that clock is, if the text says so.
struct Read {
    civil: Civil,
    /// Minutes ahead of UTC; `None` for the SMSC's local time.
    offset_minutes: Option<i32>,
}

/// Largest Unix time in seconds that is read: the end of the year 2099.
const UNIX_SECONDS_MAX: i64 = 4_102_444_799;
/// Smallest Unix time in seconds that is read: the year 2001, when it began to have ten digits.
const UNIX_SECONDS_MIN: i64 = 1_000_000_000;

/// The date on the clock on which it was written; of Unix time, in UTC. `None` if no known form matches.
pub(super) fn civil(text: &str) -> Option<Civil> {
    read(text).map(|read| read.civil)
}

/// The date in the form of ISO 8601, with its offset from UTC where the text says so. `None` if no known form matches.
///
/// Read are `YYMMDDhhmm`, the same with seconds, with a year of four digits, or with both; the absolute times of SMPP 3.4
/// §7.1.1; the forms of ISO 8601, with dots or slashes too; and Unix time in seconds or milliseconds where the digits are not
/// also a date.
#[must_use]
pub fn date_iso(text: &str) -> Option<String> {
    let Read { civil, offset_minutes } = read(text)?;
    let mut iso = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    );
    match offset_minutes {
        Some(0) => iso.push('Z'),
        Some(minutes) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.abs();
            iso.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        None => {}
    }
    Some(iso)
}

fn read(text: &str) -> Option<Read> {
    let text = text.trim();
    let local = |civil| Read { civil, offset_minutes: None };
    if text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Civil::parse_digits(text.as_bytes()).ok().map(local).or_else(|| unix(text));
    }
    absolute(text).or_else(|| punctuated(text))
}

/// Seconds, or milliseconds, since 1970.
fn unix(digits: &str) -> Option<Read> {
    let number: i64 = digits.parse().ok()?;
    let seconds = match digits.len() {
        10 => number,
        13 => number / 1_000,
        _ => return None,
    };
    let is_likely = (UNIX_SECONDS_MIN..=UNIX_SECONDS_MAX).contains(&seconds);
    is_likely.then(|| Read { civil: Civil::from_unix(seconds), offset_minutes: Some(0) })
}

/// `YYMMDDhhmmsstnnp`.
fn absolute(text: &str) -> Option<Read> {
    if text.len() != 16 || !text.ends_with(['+', '-']) {
        return None;
    }
    let SmppTime::Absolute(absolute) = SmppTime::parse(text.as_bytes()).ok()? else { return None };
    let offset_minutes = i32::try_from(absolute.offset.seconds() / 60).ok();
    Some(Read { civil: absolute.civil, offset_minutes })
}

/// Numbers with marks between them: `2026-01-31T12:00:59Z`, `26/01/31 12:00`, `2026.01.31 12:00:59.123 +0200`.
fn punctuated(text: &str) -> Option<Read> {
    let (text, offset_minutes) = split_offset(text);
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let year = numbers.next()?;
    let mut digits = String::from(year);
    let mut count = 0;
    for number in numbers.take(5) {
        if number.len() > 2 {
            return None;
        }
        digits.push_str(&format!("{number:0>2}"));
        count += 1;
    }
    let is_date = matches!(year.len(), 2 | 4) && matches!(count, 4 | 5);
    // A year of four digits and no seconds has as many digits as one of two digits and seconds.
    if year.len() == 4 && count == 4 {
        digits.push_str("00");
    }
    let marks = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | '.' | ':' | ' ' | 'T' | 't');
    let civil = Civil::parse_digits(digits.as_bytes()).ok().filter(|_| is_date && text.chars().all(marks))?;
    Some(Read { civil, offset_minutes })
}

/// Splits off `Z`, `+02:00`, `+0200` or `+02` at the end of a text that has a time of day.
fn split_offset(text: &str) -> (&str, Option<i32>) {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return (rest.trim_end(), Some(0));
    }
    let Some(colon) = text.find(':') else { return (text, None) };
    let Some(at) = text[colon..].find(['+', '-']).map(|at| colon + at) else { return (text, None) };
    let digits: String = text[at + 1..].chars().filter(|&c| c != ':').collect();
    let number = |range: std::ops::Range<usize>| digits.get(range).and_then(|two| two.parse::<i32>().ok());
    let minutes = match digits.len() {
        2 => number(0..2).map(|hours| hours * 60),
        4 => number(0..2).zip(number(2..4)).map(|(hours, minutes)| hours * 60 + minutes),
        _ => None,
    };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    match minutes.filter(|minutes| *minutes <= 14 * 60) {
        Some(minutes) => (text[..at].trim_end(), Some(sign * minutes)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    //! Guards the forms of dates.

    use super::*;

    #[test]
    fn every_form_is_read_and_what_is_not_a_date_is_not() {
        for (text, iso) in [
            ("2501311201", "2025-01-31T12:01:00"),
            ("250131120159", "2025-01-31T12:01:59"),
            ("202501311201", "2025-01-31T12:01:00"),
            ("20250131120159", "2025-01-31T12:01:59"),
            ("180711070003912+", "2018-07-11T07:00:03+03:00"),
            ("180711070003912-", "2018-07-11T07:00:03-03:00"),
            ("180711070003900+", "2018-07-11T07:00:03Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1795000000", "2026-11-18T11:06:40Z"),
            ("1795000000123", "2026-11-18T11:06:40Z"),
            ("2025-01-31T12:01:59", "2025-01-31T12:01:59"),
            ("2025-01-31T12:01:59Z", "2025-01-31T12:01:59Z"),
            ("2025-01-31T12:01:59+02:00", "2025-01-31T12:01:59+02:00"),
            ("2025-01-31 12:01:59 -0330", "2025-01-31T12:01:59-03:30"),
            ("2025-01-31 12:01", "2025-01-31T12:01:00"),
            ("25-01-31 12:01", "2025-01-31T12:01:00"),
            ("25/01/31 12:01:59", "2025-01-31T12:01:59"),
            ("2025.1.31 9:05:07", "2025-01-31T09:05:07"),
        ] {
            assert_eq!(date_iso(text).as_deref(), Some(iso), "{text}");
            assert!(civil(text).is_some());
        }
        for text in ["", "0000000000", "000000000000", "25013", "yesterday", "31/01/2025 12:01", "9999999999", "-", "é"]
        {
            assert_eq!(date_iso(text), None, "{text}");
        }
    }
}
