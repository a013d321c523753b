//! Values of conditions as people write them: an octet or some of its bits, an amount, an optional parameter, a stretch of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::json::{from_hex, hex};
use smpp_transport::pdu::{TlvTag, Tlvs};

use crate::time::{Time, as_text};

/// One-octet field of a PDU: an exact value such as `0x40` or `64`, or some of its bits as value and mask, `0x40/0x40`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Octet {
    /// Value of the bits that count.
    pub value: u8,
    /// Bits that count.
    pub mask: u8,
}

impl Octet {
    /// Exactly this value.
    #[must_use]
    pub const fn exactly(value: u8) -> Octet {
        Octet { value, mask: u8::MAX }
    }

    /// Returns `true` if the bits that count have this value.
    #[must_use]
    pub const fn matches(self, octet: u8) -> bool {
        octet & self.mask == self.value
    }
}

/// An octet of a PDU meets a condition if its bits do.
impl PartialEq<u8> for Octet {
    fn eq(&self, octet: &u8) -> bool {
        self.matches(*octet)
    }
}

impl FromStr for Octet {
    type Err = String;

    fn from_str(text: &str) -> Result<Octet, String> {
        let wrong = || {
            format!(
                "invalid octet {text:?}: expected 0 to 255, hexadecimal such as 0x40, or value and mask such as 0x40/0xC0"
            )
        };
        let (value, mask) = text.split_once('/').map_or((text, None), |(value, mask)| (value, Some(mask)));
        let value = number(value).ok_or_else(wrong)?;
        let mask = mask.map_or(Some(u64::from(u8::MAX)), number).ok_or_else(wrong)?;
        let (Ok(value), Ok(mask)) = (u8::try_from(value), u8::try_from(mask)) else { return Err(wrong()) };
        if value & !mask != 0 {
            return Err(format!("invalid octet {text:?}: the value has bits that the mask leaves out"));
        }
        Ok(Octet { value, mask })
    }
}

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u8::MAX => write!(f, "{:#04x}", self.value),
            mask => write!(f, "{:#04x}/{mask:#04x}", self.value),
        }
    }
}

/// Decimal digits, or hexadecimal ones after `0x`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

/// Range of numbers, both ends included: `3`, `1..160`, `161..`, `..10`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amount {
    /// Least.
    pub from: u64,
    /// Greatest; `u64::MAX` is no limit.
    pub to: u64,
}

impl Amount {
    /// From this number on.
    #[must_use]
    pub const fn at_least(from: u64) -> Amount {
        Amount { from, to: u64::MAX }
    }

    /// Returns `true` if the number is within the range.
    #[must_use]
    pub const fn admits(self, number: usize) -> bool {
        self.from <= number as u64 && number as u64 <= self.to
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Amount, String> {
        let wrong = || {
            format!("invalid amount {text:?}: expected a number such as 3, or a range such as 1..160, 161.. or ..10")
        };
        let Some((from, to)) = text.split_once("..") else {
            let exactly = number(text).ok_or_else(wrong)?;
            return Ok(Amount { from: exactly, to: exactly });
        };
        let end = |text: &str, open: u64| if text.trim().is_empty() { Some(open) } else { number(text) };
        let amount = Amount { from: end(from, 0).ok_or_else(wrong)?, to: end(to, u64::MAX).ok_or_else(wrong)? };
        if from.trim().is_empty() && to.trim().is_empty() {
            return Err(wrong());
        }
        if amount.from > amount.to {
            return Err(format!("invalid amount {text:?}: the smaller number comes first"));
        }
        Ok(amount)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, to) if from == to => write!(f, "{from}"),
            (from, u64::MAX) => write!(f, "{from}.."),
            (from, to) => write!(f, "{from}..{to}"),
        }
    }
}

/// Tag of an optional parameter, by its name in the standard or as a number: `message_payload`, `0x1401`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TlvName(pub u16);

impl FromStr for TlvName {
    type Err = String;

    fn from_str(text: &str) -> Result<TlvName, String> {
        let named = TlvTag::NAMED.iter().find(|tag| tag.name().is_some_and(|name| name.eq_ignore_ascii_case(text)));
        let tag = named.map(|tag| tag.0).or_else(|| number(text).and_then(|number| u16::try_from(number).ok()));
        tag.map(TlvName).ok_or_else(|| {
            format!("invalid tag {text:?}: expected a name such as message_payload or a number such as 0x1401")
        })
    }
}

impl fmt::Display for TlvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&TlvTag(self.0).printed())
    }
}

/// Condition on one optional parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TlvIs {
    /// The request has it, with any value.
    Present,
    /// The request does not have it.
    Absent,
    /// The value is these octets: `0x0A0B`.
    Octets(Vec<u8>),
    /// The value is this text in UTF-8, with or without a NUL after it.
    Text(String),
}

impl TlvIs {
    /// Returns `true` if what a request has under this tag meets the condition.
    #[must_use]
    pub fn is_met(&self, tlvs: &Tlvs, tag: TlvName) -> bool {
        let value = tlvs.get(TlvTag(tag.0));
        match (self, value) {
            (TlvIs::Present, value) => value.is_some(),
            (TlvIs::Absent, value) => value.is_none(),
            (_, None) => false,
            (TlvIs::Octets(octets), Some(value)) => value == octets[..],
            (TlvIs::Text(text), Some(value)) => value.strip_suffix(b"\0").unwrap_or(&value) == text.as_bytes(),
        }
    }
}

impl FromStr for TlvIs {
    type Err = String;

    fn from_str(text: &str) -> Result<TlvIs, String> {
        match text {
            "present" => Ok(TlvIs::Present),
            "absent" => Ok(TlvIs::Absent),
            text => match text.strip_prefix("0x") {
                Some(digits) => from_hex(digits)
                    .map(TlvIs::Octets)
                    .map_err(|words| format!("invalid value {text:?}: expected hexadecimal digits after 0x ({words})")),
                None => Ok(TlvIs::Text(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for TlvIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlvIs::Present => f.write_str("present"),
            TlvIs::Absent => f.write_str("absent"),
            TlvIs::Octets(octets) => write!(f, "0x{}", hex(octets)),
            TlvIs::Text(text) => f.write_str(text),
        }
    }
}

/// Stretch of time, from inclusive, to exclusive: `10s..20s`, `10m..`, `..5s`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Between {
    /// From, inclusive.
    pub from: Time,
    /// To, exclusive. Ten years or more is no limit.
    pub to: Time,
}

/// End of a stretch of time that has none.
const NEVER: Time = Time(Duration::from_secs(3_650 * 86_400));

impl Between {
    /// From this time on.
    #[must_use]
    pub const fn from(from: Time) -> Between {
        Between { from, to: NEVER }
    }

    pub(super) fn admits(&self, time: Duration) -> bool {
        self.from.0 <= time && (time < self.to.0 || self.to >= NEVER)
    }
}

impl FromStr for Between {
    type Err = String;

    fn from_str(text: &str) -> Result<Between, String> {
        let wrong = || format!("invalid stretch of time {text:?}: expected one such as 10s..20s, 10s.. or ..20s");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        if from.trim().is_empty() && to.trim().is_empty() {
            return Err(wrong());
        }
        let end = |text: &str, open: Time| if text.trim().is_empty() { Ok(open) } else { text.parse() };
        let between = Between { from: end(from, Time::default())?, to: end(to, NEVER)? };
        if between.from < between.to {
            Ok(between)
        } else {
            Err(format!("{text:?} is empty: the earlier time comes first"))
        }
    }
}

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from == Time::default(), self.to < NEVER) {
            (true, true) => write!(f, "..{}", self.to),
            (false, true) => write!(f, "{}..{}", self.from, self.to),
            (true, false) => f.write_str("0s.."),
            (false, false) => write!(f, "{}..", self.from),
        }
    }
}

as_text!(Between, TlvName, TlvIs);

/// Text that is written as text, and may be read from a number too.
macro_rules! text_or_number {($($name:ty: $expected:literal),*) => {$(
    impl Serialize for $name {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for $name {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
            struct TextOrNumber;
            impl de::Visitor<'_> for TextOrNumber {
                type Value = $name;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str($expected)
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                    text.parse().map_err(E::custom)
                }
                fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                    self.visit_str(&number.to_string())
                }
                fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                    self.visit_str(&number.to_string())
                }
            }
            from.deserialize_any(TextOrNumber)
        }
    }
)*}}

text_or_number!(
    Octet: "an octet such as 64, 0x40 or 0x40/0xC0",
    Amount: "a number such as 3, or a range such as 1..160, 161.. or ..10"
);

#[cfg(test)]
mod tests {
    //! Guards what each kind of value is written as, which octets, amounts and parameters meet it, and that a wrong one is
    //! refused with what is expected.

    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    /// The value that YAML gives, written and read again in YAML and JSON.
    fn read<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> T {
        let value: T = serde_saphyr::from_str(text).expect(text);
        let yaml = serde_saphyr::to_string(&value).expect("it can be written");
        assert_eq!(serde_saphyr::from_str::<T>(&yaml).expect(&yaml), value);
        let json = serde_json::to_string(&value).expect("it can be written");
        assert_eq!(serde_json::from_str::<T>(&json).expect(&json), value);
        value
    }

    #[test]
    fn octets_are_numbers_in_both_bases_or_bits() {
        for text in ["64", "0x40", "'0x40'", "'64'", "0x40/0xFF"] {
            assert_eq!(read::<Octet>(text), Octet::exactly(64), "{text}");
        }
        let bits: Octet = read("0x40/0xC0");
        assert_eq!([0x40, 0x7F, 0xC0, 0x00].map(|octet| bits.matches(octet)), [true, true, false, false]);
        for text in ["256", "-1", "0x100", "x", "''", "0x40/", "0x40/256", "1/2/3", "'+1'", "0x+1", "1.5"] {
            let error = serde_saphyr::from_str::<Octet>(text).expect_err(text).to_string();
            assert!(error.contains("octet"), "{text}: {error}");
        }
        let error = "0x41/0x40".parse::<Octet>().expect_err("a bit that does not count");
        assert_eq!(error, "invalid octet \"0x41/0x40\": the value has bits that the mask leaves out");
    }

    #[test]
    fn amounts_include_both_ends() {
        for (text, admitted, others) in [
            ("3", vec![3], vec![0, 2, 4]),
            ("0", vec![0], vec![1]),
            ("1..160", vec![1, 160], vec![0, 161]),
            ("161..", vec![161, usize::MAX], vec![160]),
            ("..10", vec![0, 10], vec![11]),
        ] {
            let amount: Amount = read(text);
            assert!(admitted.into_iter().all(|number| amount.admits(number)), "{text}");
            assert!(!others.into_iter().any(|number| amount.admits(number)), "{text}");
        }
        for text in ["..", "many", "-1", "1..x", "1...3", "''", "1.5"] {
            let error = serde_saphyr::from_str::<Amount>(text).expect_err(text).to_string();
            assert!(error.contains("a range such as 1..160, 161.. or ..10"), "{text}: {error}");
        }
        assert_eq!(
            "5..1".parse::<Amount>().expect_err("backwards"),
            "invalid amount \"5..1\": the smaller number comes first"
        );
    }

    #[test]
    fn stretches_of_time_may_be_open() {
        let seconds = Duration::from_secs;
        let of = |text| read::<Between>(text);
        assert!(of("10s..20s").admits(seconds(10)) && !of("10s..20s").admits(seconds(20)));
        assert!(of("10s..").admits(seconds(u64::MAX)) && !of("10s..").admits(seconds(9)));
        assert!(of("..10s").admits(seconds(0)) && !of("..10s").admits(seconds(10)));
        for text in ["10s..20s", "10s..", "..20s", "0s.."] {
            assert_eq!(of(text).to_string(), text, "written as the schema has it");
        }
        assert_eq!(of("0s..20s").to_string(), "..20s");
        for text in ["..", "10s", "10..20s", "s..", "x..10s"] {
            assert!(text.parse::<Between>().is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_named_or_numbered() {
        assert_eq!(read::<TlvName>("0x1401"), TlvName(0x1401));
        assert_eq!(read::<TlvName>("message_payload"), TlvName(TlvTag::MESSAGE_PAYLOAD.0));
        assert_eq!(read::<TlvName>("'5121'"), TlvName(0x1401));
        for text in ["0x10000", "payload", "-1", "''"] {
            let error = text.trim_matches('\'').parse::<TlvName>().expect_err(text);
            assert!(error.starts_with("invalid tag") && error.ends_with("a number such as 0x1401"), "{error}");
        }
    }

    #[test]
    fn parameters_are_there_or_not_or_have_a_value() {
        let tag = TlvName(0x1401);
        let with =
            |octets: &[u8]| [(TlvTag(0x1401), bytes::Bytes::copy_from_slice(octets))].into_iter().collect::<Tlvs>();
        for (text, met, others) in [
            ("present", vec![with(b""), with(b"x")], vec![Tlvs::new()]),
            ("absent", vec![Tlvs::new()], vec![with(b"")]),
            ("0x0A0B", vec![with(&[10, 11])], vec![with(&[10]), with(&[10, 11, 0]), Tlvs::new()]),
            ("0x", vec![with(b"")], vec![with(&[0]), Tlvs::new()]),
            ("PL7", vec![with(b"PL7"), with(b"PL7\0")], vec![with(b"PL"), with(b"PL7\0\0"), Tlvs::new()]),
            ("5", vec![with(b"5")], vec![with(&[5])]),
        ] {
            let is: TlvIs = read(text);
            assert!(met.iter().all(|tlvs| is.is_met(tlvs, tag)), "{text}");
            assert!(!others.iter().any(|tlvs| is.is_met(tlvs, tag)), "{text}");
        }
        let error = "0x0G".parse::<TlvIs>().expect_err("no digit");
        assert!(error.starts_with("invalid value \"0x0G\": expected hexadecimal digits after 0x"), "{error}");
    }
}
