//! Lengths of time: seconds, as in vumi2, or a number and a unit.

use std::time::Duration;

use super::{Kind, Value, Wrong};
use crate::config::node::Node;

/// Units by their sign, in milliseconds; the longer sign before the one that it ends in.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// Ten years, in seconds: more than any wait.
const SECONDS_MAX: f64 = 10.0 * 365.0 * 86_400.0;

/// A time: a number of seconds, with or without a fraction, or a number and a unit.
pub(crate) fn time(min: Duration, max: Duration) -> Kind<Duration> {
    let read = move |text: &str| parse(text).filter(|time| (min..=max).contains(time)).ok_or_else(String::new);
    let allowed = format!("a time from {} to {}, such as 30, 500ms or 5m", show(min), show(max));
    let mut kind = Kind::of_text(allowed, read, |time| show(*time));
    kind.good = vec![show(min), show(max), max.as_secs().to_string()];
    kind.bad.extend([show(max + Duration::from_millis(1)), "-1".to_owned(), "soon".to_owned(), "5 years".to_owned()]);
    if !min.is_zero() {
        kind.bad.push(show(min - Duration::from_millis(1)));
    }
    kind
}

/// A time, or never: nothing, `0`, `never` or `off`.
pub(crate) fn never_or(kind: Kind<Duration>) -> Kind<Option<Duration>> {
    let (read, show) = (kind.read, kind.show);
    let is_never = |node: &Node| match &node.value {
        Value::Text(text) => {
            parse(text).is_some_and(|time| time.is_zero()) || matches!(text.as_str(), "" | "never" | "off")
        }
        value => *value == Value::Null,
    };
    let allowed = format!("{}, or 0 for never", kind.allowed);
    let wanted = format!("allowed is {allowed}");
    let mut bad = kind.bad;
    // Below the least that is allowed there is never.
    bad.retain(|text| !parse(text).is_some_and(|time| time.is_zero()));
    let mut good = kind.good;
    good.extend(["0", "0s", "never", "off", "''"].map(str::to_owned));
    Kind {
        allowed,
        read: Box::new(move |node| {
            if is_never(node) {
                return Ok(None);
            }
            read(node).map(Some).map_err(|wrong| Wrong { words: wanted.clone(), ..wrong })
        }),
        show: Box::new(move |time| time.as_ref().map_or_else(|| Node::text("0"), &show)),
        is_secret: false,
        is_yaml: false,
        parts: Vec::new(),
        good,
        bad,
    }
}

/// A time from 0 on, or `never`: nothing, `never` or `off`.
pub(crate) fn or_never(kind: Kind<Duration>) -> Kind<Option<Duration>> {
    let (read, show) = (kind.read, kind.show);
    let is_never = |node: &Node| match &node.value {
        Value::Text(text) => matches!(text.as_str(), "" | "never" | "off"),
        value => *value == Value::Null,
    };
    let allowed = format!("{}, or never", kind.allowed);
    let wanted = format!("allowed is {allowed}");
    let mut good = kind.good;
    good.extend(["never", "off", "''"].map(str::to_owned));
    Kind {
        allowed,
        read: Box::new(move |node| {
            if is_never(node) {
                return Ok(None);
            }
            read(node).map(Some).map_err(|wrong| Wrong { words: wanted.clone(), ..wrong })
        }),
        show: Box::new(move |time| time.as_ref().map_or_else(|| Node::text("never"), &show)),
        is_secret: false,
        is_yaml: false,
        parts: Vec::new(),
        good,
        bad: kind.bad,
    }
}

/// Reads a time; whole numbers come out as they went in.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(sign, unit)| Some((text.strip_suffix(sign)?.trim_end(), *unit)))
        .unwrap_or((text, 1_000));
    if !number.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let plain = number.replace('_', "");
    let time = match plain.parse::<u64>() {
        Ok(number) => Duration::from_millis(number.checked_mul(unit)?),
        Err(_) => Duration::try_from_secs_f64(plain.parse::<f64>().ok()? * (unit as f64 / 1_000.0)).ok()?,
    };
    (time.as_secs_f64() <= SECONDS_MAX).then_some(time)
}

/// In the largest unit that gives a whole number.
pub(crate) fn show(time: Duration) -> String {
    if !time.subsec_nanos().is_multiple_of(1_000_000) {
        return format!("{}ms", time.as_nanos() as f64 / 1e6);
    }
    let ms = time.as_millis();
    let fits = |unit: u64| ms > 0 && ms.is_multiple_of(u128::from(unit));
    match UNITS.iter().rev().find(|(_, unit)| fits(*unit)) {
        Some((sign, unit)) => format!("{}{sign}", ms / u128::from(*unit)),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! Guards what numbers and units mean.

    use super::*;

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        for (text, ms) in [
            ("30", 30_000),
            ("0.5", 500),
            (".5", 500),
            ("2.0", 2_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("5 m", 300_000),
            ("1h", 3_600_000),
            ("7d", 604_800_000),
            ("86_400", 86_400_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in
            ["", "s", "-1", "+1", "1y", "1 000", "inf", "nan", "1e400", "4000d", "99999999999999999999d", "1mss"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_the_largest_unit_that_is_whole() {
        for text in ["500ms", "1500ms", "30s", "90s", "5m", "1h", "7d", "0s", "0.5ms"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(nanos in 0u64..10_000_000_000_000) {
            let time = Duration::from_nanos(nanos);
            let back = parse(&show(time)).unwrap();
            proptest::prop_assert!(back.abs_diff(time) <= Duration::from_nanos(2), "{back:?} {time:?}");
        }
    }
}
