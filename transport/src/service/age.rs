//! Age of a message, from its timestamp and the wall clock.

use std::time::Duration;

use crate::pdu::time::Civil;

/// Returns the time since a message was made, by its `timestamp`; zero if that lies ahead or cannot be read.
pub(super) fn age(timestamp: &str, now: Duration) -> Duration {
    made_at(timestamp).map_or(Duration::ZERO, |made| now.saturating_sub(made))
}

/// Reads `2026-11-22 17:58:56.265016`, in UTC; a `T` in the middle, a `Z` at the end, and any or no fraction are taken too.
fn made_at(timestamp: &str) -> Option<Duration> {
    let timestamp = timestamp.trim().trim_end_matches(['Z', 'z']);
    let (date, time) = timestamp.split_once([' ', 'T', 't'])?;
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
    if date.next().is_some() || time.next().is_some() {
        return None;
    }
    let civil =
        Civil::new(number(year)?, number(month)?, number(day)?, number(hour)?, number(minute)?, number(second)?);
    let seconds = u64::try_from(civil.ok()?.to_unix()).ok()?;
    Some(Duration::from_secs(seconds) + Duration::from_micros(micros(fraction)?))
}

fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

fn micros(fraction: &str) -> Option<u64> {
    let _: u128 = number(fraction)?;
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    number(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_from_the_timestamp_in_the_forms_that_applications_write() {
        let now = Duration::from_micros(1_795_370_336_265_016);
        for (timestamp, millis) in [
            ("2026-11-22 17:58:56.265016", 0),
            ("2026-11-22 17:58:55.265016", 1_000),
            ("2026-11-22 17:58:56", 265),
            ("2026-11-22T17:58:50Z", 6_265),
            ("2026-11-22T17:58:50.5Z", 5_765),
            ("2026-11-22 17:58:50.265016999", 6_000),
            ("2026-11-21 17:58:56.265016", 86_400_000),
            // Ahead, or not a time.
            ("2026-11-22 17:58:57", 0),
            ("2027-11-22 17:58:56", 0),
            ("", 0),
            ("yesterday", 0),
            ("2026-11-22", 0),
            ("2026-13-22 17:58:56", 0),
            ("2026-11-22 25:58:56", 0),
            ("2026-11-22 17:58:50+02:00", 0),
            ("2026-11-22 17:58:50.", 0),
            ("2026-11-22-1 17:58:50", 0),
            ("2026-11-22 17:58:50:1", 0),
        ] {
            assert_eq!(age(timestamp, now).as_millis(), millis, "{timestamp}");
        }
    }
}
