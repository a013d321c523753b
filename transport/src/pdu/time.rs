//! Time as SMPP writes it: `YYMMDDhhmmsstnnp` and its short form (SMPP 3.4 §7.1.1).
//!
//! Octets become a [`SmppTime`] and back, and a [`SmppTime`] becomes seconds since 1970 once somebody says what "now" and
//! "local" are. No clock is read here. A field that holds a lone NUL has no time: callers say `Option<SmppTime>`.

use std::fmt;

use thiserror::Error;

mod civil;
pub use civil::Civil;

/// Seconds in a quarter of an hour, the unit of offsets from UTC.
const QUARTER_HOUR_SECONDS: i64 = 15 * 60;

/// A time in one of the forms of SMPP 3.4 §7.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmppTime {
    /// A moment with its offset from UTC: 16 characters ending in `+` or `-` (§7.1.1.1).
    Absolute(Absolute),
    /// A moment in the SMSC's local time, whatever that is: 12 characters, as responses may use.
    Local(Civil),
    /// A period from the SMSC's now: 16 characters ending in `R` (§7.1.1.2).
    Relative(Period),
}

/// A moment with its offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Absolute {
    /// The local date and time. Only years 1938–2037 can be written.
    pub civil: Civil,
    /// Tenths of a second, 0–9.
    pub tenths: u8,
    /// How far the local time is ahead of UTC.
    pub offset: Offset,
}

/// How far a local time is ahead of UTC, in quarter hours: -48 to 48, that is 12 hours either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(i8);

/// A period of calendar units, each 0–99. Its length depends on when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Period {
    pub years: u8,
    pub months: u8,
    pub days: u8,
    pub hours: u8,
    pub minutes: u8,
    pub seconds: u8,
}

/// Octets that are no time, or a time that SMPP cannot write.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TimeError {
    /// Neither of the two forms.
    #[error("time has {octets} characters; allowed are 12 and 16")]
    Length {
        /// How many there are, without a NUL.
        octets: usize,
    },
    /// Something else where a digit must be.
    #[error("time has 0x{octet:02X} at character {index} where a digit must be")]
    NotADigit {
        /// The octet found.
        octet: u8,
        /// Where, counted from 0.
        index: usize,
    },
    /// The last character says neither which side of UTC nor that the time is relative.
    #[error("time ends in 0x{octet:02X}; allowed are '+', '-' and 'R'")]
    Kind {
        /// The octet found.
        octet: u8,
    },
    /// A number outside its range.
    #[error("{part} of time is {value}; allowed are {min} to {max}")]
    OutOfRange {
        /// Which number.
        part: &'static str,
        /// What it is.
        value: i64,
        /// The least it may be.
        min: i64,
        /// The most it may be.
        max: i64,
    },
}

impl SmppTime {
    /// Reads the characters of a time field, without the NUL.
    ///
    /// Years 00–37 are 2000–2037 and 38–99 are 1938–1999. In a relative time each number may be 0–99, as the standard
    /// gives no ranges, but tenths and offset must be 0 as it asks.
    ///
    /// # Errors
    ///
    /// [`TimeError`] names the part that is wrong.
    pub fn parse(octets: &[u8]) -> Result<Self, TimeError> {
        match octets.len() {
            12 => Ok(Self::Local(civil(numbers(octets)?)?)),
            16 => Self::parse_long(octets),
            octets => Err(TimeError::Length { octets }),
        }
    }

    fn parse_long(octets: &[u8]) -> Result<Self, TimeError> {
        let numbers6 = numbers(octets)?;
        let tenths = digit(octets, 12)?;
        let quarters = number(octets, 13)?;
        match octets[15] {
            b'R' => {
                check("tenths", tenths.into(), 0, 0)?;
                check("offset", quarters.into(), 0, 0)?;
                Ok(Self::Relative(Period::from(numbers6)))
            }
            sign @ (b'+' | b'-') => {
                check("offset", quarters.into(), 0, Offset::MAX.into())?;
                let quarters = i8::try_from(quarters).unwrap_or(Offset::MAX);
                let offset = Offset(if sign == b'-' { -quarters } else { quarters });
                Ok(Self::Absolute(Absolute { civil: civil(numbers6)?, tenths, offset }))
            }
            octet => Err(TimeError::Kind { octet }),
        }
    }

    /// The moment `unix_seconds` (since 1970-01-01T00:00:00Z) as an absolute time at `offset`.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] when the local year is not 1938–2037, the years that two digits can say.
    pub fn from_unix(unix_seconds: i64, offset: Offset) -> Result<Self, TimeError> {
        let civil = Civil::from_unix(unix_seconds.saturating_add(offset.seconds()));
        check("year", civil.year.into(), PIVOT_YEARS.0.into(), PIVOT_YEARS.1.into())?;
        Ok(Self::Absolute(Absolute { civil, tenths: 0, offset }))
    }

    /// The moment meant, in seconds since 1970-01-01T00:00:00Z; tenths are dropped.
    ///
    /// `now` (the same unit) is where a relative time starts; `local` is the offset of a time that does not name its own.
    #[must_use]
    pub fn unix_seconds(&self, now: i64, local: Offset) -> i64 {
        match self {
            Self::Absolute(absolute) => absolute.civil.to_unix() - absolute.offset.seconds(),
            Self::Local(civil) => civil.to_unix() - local.seconds(),
            Self::Relative(period) => period.after(now),
        }
    }
}

impl fmt::Display for SmppTime {
    /// The 12 or 16 characters of the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(Absolute { civil, tenths, offset }) => {
                let sign = if offset.0 < 0 { '-' } else { '+' };
                write!(f, "{civil}{tenths}{:02}{sign}", offset.0.unsigned_abs())
            }
            Self::Local(civil) => write!(f, "{civil}"),
            Self::Relative(Period { years, months, days, hours, minutes, seconds }) => {
                write!(f, "{years:02}{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R")
            }
        }
    }
}

impl Offset {
    /// UTC itself.
    pub const UTC: Self = Self(0);
    const MAX: i8 = 48;

    /// An offset of `quarters` quarter hours, -48 to 48; positive is ahead of (east of) UTC.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] beyond 12 hours either way.
    pub fn from_quarter_hours(quarters: i8) -> Result<Self, TimeError> {
        check("offset", quarters.into(), (-Self::MAX).into(), Self::MAX.into()).map(|()| Self(quarters))
    }

    /// The offset in quarter hours, -48 to 48.
    #[must_use]
    pub const fn quarter_hours(self) -> i8 {
        self.0
    }

    /// The offset in seconds, -43 200 to 43 200.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * QUARTER_HOUR_SECONDS
    }
}

impl Period {
    /// The longest period that has no unit above days: 99 days and a second less than one more, in seconds.
    pub const DAYS_SECONDS_MAX: u64 = 100 * 86_400 - 1;

    /// A period of `seconds` in days and smaller units, which have a fixed length. (Some SMSCs take no more than 31 days.)
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] above [`Self::DAYS_SECONDS_MAX`].
    pub fn from_seconds(seconds: u64) -> Result<Self, TimeError> {
        let value = i64::try_from(seconds).unwrap_or(i64::MAX);
        check("period in seconds", value, 0, Self::DAYS_SECONDS_MAX.cast_signed())?;
        let part = |unit: u64, modulus: u64| u8::try_from(seconds / unit % modulus).unwrap_or(u8::MAX);
        Ok(Self {
            years: 0,
            months: 0,
            days: part(86_400, 100),
            hours: part(3_600, 24),
            minutes: part(60, 60),
            seconds: part(1, 60),
        })
    }

    /// The moment this long after `unix_seconds`, by the calendar of UTC.
    ///
    /// Years and months come first and keep the day of the month, or take the last day of a shorter month; days and
    /// smaller units, of fixed length, are added to that.
    #[must_use]
    pub fn after(&self, unix_seconds: i64) -> i64 {
        let months = i32::from(self.years) * 12 + i32::from(self.months);
        let rest = i64::from(self.days) * 86_400
            + i64::from(self.hours) * 3_600
            + i64::from(self.minutes) * 60
            + i64::from(self.seconds);
        let start =
            if months == 0 { unix_seconds } else { Civil::from_unix(unix_seconds).plus_months(months).to_unix() };
        start.saturating_add(rest)
    }
}

impl From<[u8; 6]> for Period {
    fn from([years, months, days, hours, minutes, seconds]: [u8; 6]) -> Self {
        Self { years, months, days, hours, minutes, seconds }
    }
}

/// First and last year that two digits can say.
const PIVOT_YEARS: (i32, i32) = (1938, 2037);

/// The year of two digits: 00–37 are 2000–2037 and 38–99 are 1938–1999 (§7.1.1.1).
const fn year(two_digits: u8) -> i32 {
    if two_digits < 38 { 2000 + two_digits as i32 } else { 1900 + two_digits as i32 }
}

fn civil([two_digits, month, day, hour, minute, second]: [u8; 6]) -> Result<Civil, TimeError> {
    Civil::new(year(two_digits), month, day, hour, minute, second)
}

/// The six numbers of two digits at the start of `octets`, which has at least 12.
fn numbers(octets: &[u8]) -> Result<[u8; 6], TimeError> {
    let mut numbers = [0; 6];
    for (at, value) in numbers.iter_mut().enumerate() {
        *value = number(octets, 2 * at)?;
    }
    Ok(numbers)
}

fn number(octets: &[u8], index: usize) -> Result<u8, TimeError> {
    Ok(digit(octets, index)? * 10 + digit(octets, index + 1)?)
}

fn digit(octets: &[u8], index: usize) -> Result<u8, TimeError> {
    match octets[index] {
        digit @ b'0'..=b'9' => Ok(digit - b'0'),
        octet => Err(TimeError::NotADigit { octet, index }),
    }
}

fn check(part: &'static str, value: i64, min: i64, max: i64) -> Result<(), TimeError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(TimeError::OutOfRange { part, value, min, max }) }
}

#[cfg(test)]
mod tests;
