//! Numbers and switches.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::Kind;

/// A whole number, in decimal or, with `0x`, in hexadecimal.
pub(crate) fn number<T>(range: RangeInclusive<T>) -> Kind<T>
where
    T: Copy + Display + PartialOrd + TryFrom<u64> + TryInto<u64> + Send + Sync + 'static,
{
    let (min, max) = (*range.start(), *range.end());
    let read = move |text: &str| {
        let number = whole(text).and_then(|number| T::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(String::new)
    };
    let mut kind = Kind::of_text(format!("a whole number from {min} to {max}"), read, ToString::to_string);
    kind.good = vec![min.to_string(), max.to_string()];
    kind.bad.extend(["-1", "1.5", "many", "''"].map(str::to_owned));
    if let Ok(min) = min.try_into()
        && min > 0
    {
        kind.bad.push((min - 1).to_string());
    }
    kind.bad.push(max.try_into().map_or(u128::MAX, |max| u128::from(max) + 1).to_string());
    kind
}

/// A whole number as people and YAML write them: `70_000` too.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let is_number = digits.starts_with(|first: char| first.is_digit(radix));
    is_number.then(|| u64::from_str_radix(&digits.replace('_', ""), radix).ok()).flatten()
}

/// A number with or without a fraction.
pub(crate) fn float(range: RangeInclusive<f64>) -> Kind<f64> {
    let (min, max) = (*range.start(), *range.end());
    let read = move |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        number.filter(|number| range.contains(number)).ok_or_else(String::new)
    };
    let mut kind = Kind::of_text(format!("a number from {min} to {max}"), read, ToString::to_string);
    kind.good = vec![min.to_string(), max.to_string()];
    kind.bad.extend([(min - 0.01).to_string(), (max + 0.01).to_string(), "nan".to_owned(), "''".to_owned()]);
    kind
}

/// On or off.
pub(crate) fn flag() -> Kind<bool> {
    let read = |text: &str| match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(String::new()),
    };
    Kind::of_text("true or false", read, ToString::to_string)
        .examples(&["true", "false", "yes", "no", "on", "off", "1", "0", "True"], &["2", "maybe", "''"])
}
