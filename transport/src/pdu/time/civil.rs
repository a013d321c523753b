//! Dates of the Gregorian calendar as seconds and back. No zones: an offset is the caller's to add.

use std::fmt;

use super::{TimeError, check};

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

impl Civil {
    /// A date and a time of day: month 1–12, day 1 to the month's last, hour 0–23, minute and second 0–59, year 1–9999.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] names the first part that is not in its range.
    pub fn new(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Result<Self, TimeError> {
        check("year", year.into(), 1, 9_999)?;
        check("month", month.into(), 1, 12)?;
        check("day", day.into(), 1, days_in_month(year, month).into())?;
        check("hour", hour.into(), 0, 23)?;
        check("minute", minute.into(), 0, 59)?;
        check("second", second.into(), 0, 59)?;
        Ok(Self { year, month, day, hour, minute, second })
    }

    /// Reads a date as receipts write it: `YYMMDDhhmm`, `YYMMDDhhmmss`, `YYYYMMDDhhmm` or `YYYYMMDDhhmmss`.
    ///
    /// Twelve digits are read with a two-digit year if that makes a date, else with a four-digit one.
    ///
    /// # Errors
    ///
    /// [`TimeError`] names what is wrong; for 12 digits, what is wrong with the first reading.
    pub fn parse_digits(octets: &[u8]) -> Result<Self, TimeError> {
        let two = |at| super::number(octets, at);
        let short = |seconds| Self::new(super::year(two(0)?), two(2)?, two(4)?, two(6)?, two(8)?, seconds);
        let long = |seconds| {
            let year = i32::from(two(0)?) * 100 + i32::from(two(2)?);
            Self::new(year, two(4)?, two(6)?, two(8)?, two(10)?, seconds)
        };
        match octets.len() {
            10 => short(0),
            12 => short(two(10)?).or_else(|error| long(0).map_err(|_| error)),
            14 => long(two(12)?),
            octets => Err(TimeError::Length { octets }),
        }
    }

    /// Seconds from 1970-01-01T00:00:00 to this, as if both were in UTC.
    #[must_use]
    pub fn to_unix(&self) -> i64 {
        let time = i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second);
        days_from_civil(self.year.into(), self.month.into(), self.day.into()) * 86_400 + time
    }

    /// The date and time `unix_seconds` after 1970-01-01T00:00:00, in years 1–9999; what lies beyond becomes the nearest
    /// second of those.
    #[must_use]
    pub fn from_unix(unix_seconds: i64) -> Self {
        let unix_seconds = unix_seconds.clamp(FIRST_SECOND, LAST_SECOND);
        let (year, month, day) = civil_from_days(unix_seconds.div_euclid(86_400));
        let time = unix_seconds.rem_euclid(86_400);
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: small(month),
            day: small(day),
            hour: small(time / 3_600),
            minute: small(time / 60 % 60),
            second: small(time % 60),
        }
    }

    /// The same day so many months later, or the last day of that month if it is shorter.
    pub(super) fn plus_months(self, months: i32) -> Self {
        let since_january = i32::from(self.month) - 1 + months;
        let year = self.year + since_january.div_euclid(12);
        let month = small(i64::from(since_january.rem_euclid(12) + 1));
        Self { year, month, day: self.day.min(days_in_month(year, month)), ..self }
    }

    /// Year, 1–9999.
    #[must_use]
    pub const fn year(&self) -> i32 {
        self.year
    }

    /// Month, 1–12.
    #[must_use]
    pub const fn month(&self) -> u8 {
        self.month
    }

    /// Day of the month, 1–31.
    #[must_use]
    pub const fn day(&self) -> u8 {
        self.day
    }

    /// Hour, 0–23.
    #[must_use]
    pub const fn hour(&self) -> u8 {
        self.hour
    }

    /// Minute, 0–59.
    #[must_use]
    pub const fn minute(&self) -> u8 {
        self.minute
    }

    /// Second, 0–59.
    #[must_use]
    pub const fn second(&self) -> u8 {
        self.second
    }
}

impl fmt::Display for Civil {
    /// `YYMMDDhhmmss`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand: every receipt has two of them.
        let Self { year, month, day, hour, minute, second } = *self;
        let mut digits = [b'0'; 12];
        let numbers = [small(year.rem_euclid(100).into()), month, day, hour, minute, second];
        for (place, number) in digits.chunks_exact_mut(2).zip(numbers) {
            place[0] += number / 10;
            place[1] += number % 10;
        }
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

/// 0001-01-01T00:00:00.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59.
const LAST_SECOND: i64 = 253_402_300_799;

/// A number that its caller keeps below 256.
fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01. Years are counted from March, so that the leap day is the last of its year, and in eras of 400
/// years (146 097 days), after which the calendar repeats. 719 468 days lie between 0000-03-01 and 1970-01-01.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month > 2 { year } else { year - 1 };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day, so many days from 1970-01-01. The inverse of [`days_from_civil`].
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
