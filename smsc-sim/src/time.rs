//! Times as people write them: `200ms`, `1.5s`, `2m`; and waits that are drawn: `100ms..2s`, `normal 200ms 50ms`,
//! `80% 10ms, 15% 100ms, 5% 1s` (in quotes where a YAML list or map is written on one line).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{Rng, RngExt};

/// A length of time, read from and written as text: a number and `ms`, `s`, `m`, `h` or `d`, or `0`; at most ten years.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(pub Duration);

/// Units by their sign, in milliseconds; the longer sign before the one that it ends in.
const UNITS: [(&str, f64); 5] = [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];
/// Ten years, in milliseconds.
const TIME_MAX_MS: f64 = 10.0 * 365.0 * 86_400_000.0;

impl Time {
    /// This many milliseconds.
    #[must_use]
    pub const fn ms(ms: u64) -> Time {
        Time(Duration::from_millis(ms))
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Time, String> {
        let text = text.trim();
        if text == "0" {
            return Ok(Time::default());
        }
        let wrong = || format!("{text:?} is no time: a number and ms, s, m, h or d, such as 200ms");
        let (number, unit) =
            UNITS.iter().find_map(|(sign, ms)| Some((text.strip_suffix(sign)?, ms))).ok_or_else(wrong)?;
        let number = number.trim_end();
        let ms: f64 = number.parse::<f64>().map_err(|_| wrong())? * unit;
        if !(0.0..=TIME_MAX_MS).contains(&ms) {
            return Err(format!("{text:?} is out of range: 0 to 3650d"));
        }
        // Whole milliseconds come out as they went in; a float would lose some.
        Ok(match number.parse::<u64>() {
            Ok(number) => Time::ms(number * *unit as u64),
            Err(_) => Time(Duration::from_secs_f64(ms / 1_000.0)),
        })
    }
}

impl fmt::Display for Time {
    /// In the largest unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        if !self.0.subsec_nanos().is_multiple_of(1_000_000) {
            return write!(f, "{}ms", self.0.as_nanos() as f64 / 1e6);
        }
        for (sign, unit) in UNITS.iter().rev() {
            if ms > 0 && ms.is_multiple_of(*unit as u128) {
                return write!(f, "{}{sign}", ms / (*unit as u128));
            }
        }
        f.write_str("0")
    }
}

/// How long something takes, drawn anew each time.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Always this long: `200ms`.
    Fixed(Time),
    /// Evenly between two: `100ms..2s`.
    Between(Time, Time),
    /// Around a mean, with this standard deviation, never below 0: `normal 200ms 50ms`.
    Normal(Time, Time),
    /// Most are short and some are long, with this mean: `exponential 200ms`. None is longer than 20 times the mean.
    Exponential(Time),
    /// One of several, each with a share in percent: `80% 10ms, 15% 100ms, 5% 1s..2s`.
    Mix(Vec<(f64, Delay)>),
}

impl Default for Delay {
    fn default() -> Delay {
        Delay::NONE
    }
}

impl Delay {
    /// No time at all.
    pub const NONE: Delay = Delay::Fixed(Time(Duration::ZERO));

    /// Always this many milliseconds.
    #[must_use]
    pub const fn ms(ms: u64) -> Delay {
        Delay::Fixed(Time::ms(ms))
    }

    /// One draw.
    #[must_use]
    pub fn draw(&self, rng: &mut impl Rng) -> Duration {
        match self {
            Delay::Fixed(time) => time.0,
            Delay::Between(from, to) => from.0 + to.0.saturating_sub(from.0).mul_f64(rng.random()),
            Delay::Normal(mean, deviation) => {
                let seconds = mean.0.as_secs_f64() + standard_normal(rng) * deviation.0.as_secs_f64();
                Duration::from_secs_f64(seconds.max(0.0))
            }
            Delay::Exponential(mean) => {
                let share: f64 = rng.random();
                let seconds = mean.0.as_secs_f64() * (-(1.0 - share).ln()).min(20.0);
                // Logarithms differ in their last bit from machine to machine, simulated times may not.
                Duration::from_micros((seconds * 1e6).round() as u64)
            }
            Delay::Mix(parts) => {
                let mut share = rng.random::<f64>() * parts.iter().map(|(weight, _)| weight).sum::<f64>();
                let drawn = parts.iter().find(|(weight, _)| {
                    share -= weight;
                    share < 0.0
                });
                drawn.or(parts.last()).map_or(Duration::ZERO, |(_, delay)| delay.draw(rng))
            }
        }
    }

    /// The longest draw possible; of a normal one, six deviations above its mean.
    #[must_use]
    pub fn max(&self) -> Duration {
        match self {
            Delay::Fixed(time) => time.0,
            Delay::Between(from, to) => from.0.max(to.0),
            Delay::Normal(mean, deviation) => mean.0 + deviation.0 * 6,
            Delay::Exponential(mean) => mean.0 * 20,
            Delay::Mix(parts) => parts.iter().map(|(_, delay)| delay.max()).max().unwrap_or_default(),
        }
    }

    /// Whether it never takes any time.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.max().is_zero()
    }
}

/// The sum of twelve even draws: near enough to the bell, and never more than six from its middle.
fn standard_normal(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Delay, String> {
        let text = text.trim();
        if text.contains('%') {
            return text.split(',').map(share).collect::<Result<_, _>>().map(Delay::Mix);
        }
        let words: Vec<_> = text.split_whitespace().collect();
        match (words.as_slice(), text.split_once("..")) {
            (["normal", mean, deviation], _) => Ok(Delay::Normal(mean.parse()?, deviation.parse()?)),
            (["exponential", mean], _) => Ok(Delay::Exponential(mean.parse()?)),
            (_, Some((from, to))) => {
                let (from, to) = (from.parse::<Time>()?, to.parse::<Time>()?);
                if from > to {
                    return Err(format!("{text:?} goes backwards: the shorter time comes first"));
                }
                Ok(Delay::Between(from, to))
            }
            _ => Ok(Delay::Fixed(text.parse()?)),
        }
    }
}

fn share(text: &str) -> Result<(f64, Delay), String> {
    let (percent, delay) =
        text.split_once('%').ok_or_else(|| format!("{text:?} has no share: a number, % and a time are wanted"))?;
    let percent: f64 = percent.trim().parse().map_err(|_| format!("{percent:?} is no number of percent"))?;
    if !(percent > 0.0 && percent <= 100.0) {
        return Err(format!("{percent}% is out of range: above 0 and up to 100"));
    }
    Ok((percent, delay.parse()?))
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delay::Fixed(time) => time.fmt(f),
            Delay::Between(from, to) => write!(f, "{from}..{to}"),
            Delay::Normal(mean, deviation) => write!(f, "normal {mean} {deviation}"),
            Delay::Exponential(mean) => write!(f, "exponential {mean}"),
            Delay::Mix(parts) => {
                let parts: Vec<_> = parts.iter().map(|(percent, delay)| format!("{percent}% {delay}")).collect();
                f.write_str(&parts.join(", "))
            }
        }
    }
}

/// Text in both directions.
macro_rules! as_text {($($name:ty),*) => {$(
    impl serde::Serialize for $name {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_str(self)
        }
    }

    impl<'de> serde::Deserialize<'de> for $name {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
            let text: std::borrow::Cow<'_, str> = serde::Deserialize::deserialize(from)?;
            text.parse().map_err(serde::de::Error::custom)
        }
    }
)*}}
pub(crate) use as_text;

as_text!(Time, Delay);

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_transport::env::Seed;

    #[test]
    fn what_is_written_is_read_back() {
        let texts = [
            "0",
            "200ms",
            "1500ms",
            "2m",
            "100ms..2s",
            "normal 200ms 50ms",
            "exponential 1s",
            "80% 10ms, 15% 100ms, 5% 1s..2s",
        ];
        for text in texts {
            let delay: Delay = text.parse().expect(text);
            assert_eq!(delay.to_string(), text);
        }
        assert_eq!("1.5s".parse(), Ok(Delay::ms(1500)));
    }

    #[test]
    fn what_is_no_time_is_refused_in_words() {
        for (text, words) in [
            ("5", "\"5\" is no time: a number and ms, s, m, h or d, such as 200ms"),
            ("2s..1s", "\"2s..1s\" goes backwards: the shorter time comes first"),
            ("-1s", "\"-1s\" is out of range: 0 to 3650d"),
            ("120% 1s", "120% is out of range: above 0 and up to 100"),
            ("50% 1s, 2s", "\" 2s\" has no share: a number, % and a time are wanted"),
        ] {
            assert_eq!(text.parse::<Delay>(), Err(words.to_owned()));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_time_is_read_back(nanos in 0..3_600_000_000_000_u64, millis in 0..315_360_000_000_u64) {
            for time in [Time(Duration::from_nanos(nanos)), Time::ms(millis)] {
                proptest::prop_assert_eq!(time.to_string().parse(), Ok(time));
            }
        }
    }

    #[test]
    fn draws_stay_within_their_limits() {
        let mut rng = Seed(1).stream("delays", 0);
        for text in ["100ms..2s", "normal 200ms 50ms", "exponential 1s", "80% 10ms, 15% 100ms, 5% 1s"] {
            let delay: Delay = text.parse().expect(text);
            let draws: Vec<_> = (0..10_000).map(|_| delay.draw(&mut rng)).collect();
            assert!(draws.iter().all(|draw| *draw <= delay.max()), "{text}");
            assert!(draws.iter().any(|draw| *draw > delay.max() / 20), "{text}");
        }
    }
}
