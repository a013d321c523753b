//! Encodings and dates of a receipt's text.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::pdu::DataCoding;
use smpp_transport::pdu::time::Civil;
use smpp_transport::text::{Charset, DefaultAlphabet};

/// Encoding of a receipt's text, whatever its data_coding says. A character that it lacks is written as a question mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// ASCII.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, big-endian.
    Ucs2,
    /// UTF-16, little-endian.
    Ucs2Le,
    /// GSM 7-bit, one septet an octet.
    Gsm7,
    /// GSM 7-bit, packed.
    Gsm7Packed,
    /// UTF-8.
    Utf8,
}

/// Names, as a template has them.
pub(super) const ENCODINGS: [(&str, Encoding); 7] = [
    ("ascii", Encoding::Ascii),
    ("latin1", Encoding::Latin1),
    ("ucs2", Encoding::Ucs2),
    ("ucs2_le", Encoding::Ucs2Le),
    ("gsm7", Encoding::Gsm7),
    ("gsm7_packed", Encoding::Gsm7Packed),
    ("utf8", Encoding::Utf8),
];

impl Encoding {
    /// Encoding that a receipt with this data_coding has unless a policy says another: ASCII where it is neither Latin-1 nor
    /// UCS-2, as receipts are read as ASCII, whatever the default alphabet is.
    pub(crate) const fn of(coding: DataCoding) -> Encoding {
        match coding {
            DataCoding::UCS2 => Encoding::Ucs2,
            DataCoding::LATIN1 => Encoding::Latin1,
            _ => Encoding::Ascii,
        }
    }

    /// Returns the octets of a text.
    pub(crate) fn write(self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Ascii if text.is_ascii() => text.as_bytes().to_vec(),
            Encoding::Ascii => one_octet_each(text, 0x7F),
            Encoding::Latin1 => one_octet_each(text, 0xFF),
            Encoding::Ucs2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Ucs2Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Gsm7 => septets(DefaultAlphabet::Gsm7.charset(), text),
            Encoding::Gsm7Packed => septets(DefaultAlphabet::Gsm7Packed.charset(), text),
        }
    }
}

fn one_octet_each(text: &str, max: u8) -> Vec<u8> {
    let one = |character: char| u8::try_from(character).ok().filter(|&octet| octet <= max).unwrap_or(b'?');
    text.chars().map(one).collect()
}

fn septets(charset: Charset, text: &str) -> Vec<u8> {
    let has = |character: char| charset.encode(character.encode_utf8(&mut [0; 4])).is_ok();
    let known: String = text.chars().map(|character| if has(character) { character } else { '?' }).collect();
    charset.encode(&known).unwrap_or_default()
}

/// Form of the dates in a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// `YYMMDDhhmm`.
    #[default]
    Minutes,
    /// `YYMMDDhhmmss`.
    Seconds,
    /// `YYYYMMDDhhmmss`.
    LongYear,
    /// `YYYYMMDDhhmm`.
    LongYearMinutes,
    /// `YYMMDDhhmmsstnnp`, the absolute time of SMPP (§7.1.1): `260101000000000+`.
    Absolute,
    /// `YYYY-MM-DD hh:mm:ss`.
    Blank,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    Iso,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// `0000000000`: the time is unknown.
    Zeros,
    /// Twelve zeros.
    LongZeros,
    /// Nothing.
    Empty,
}

/// Names, as a template has them.
pub(super) const DATES: [(&str, Dates); 12] = [
    ("minutes", Dates::Minutes),
    ("seconds", Dates::Seconds),
    ("long_year", Dates::LongYear),
    ("long_year_minutes", Dates::LongYearMinutes),
    ("absolute", Dates::Absolute),
    ("blank", Dates::Blank),
    ("iso", Dates::Iso),
    ("unix", Dates::Unix),
    ("unix_millis", Dates::UnixMillis),
    ("zeros", Dates::Zeros),
    ("long_zeros", Dates::LongZeros),
    ("empty", Dates::Empty),
];

impl Dates {
    /// Returns a time since 1970 in this form, in UTC.
    pub(crate) fn write(self, unix: Duration) -> String {
        let civil = Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX));
        let (year, month, day) = (civil.year(), civil.month(), civil.day());
        let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
        match self {
            // `YYMMDDhhmmss`.
            Dates::Seconds => civil.to_string(),
            Dates::Minutes => civil.to_string()[..10].to_owned(),
            Dates::LongYear => format!("{year:04}{}", &civil.to_string()[2..]),
            Dates::LongYearMinutes => format!("{year:04}{}", &civil.to_string()[2..10]),
            Dates::Absolute => format!("{civil}{}00+", unix.subsec_millis() / 100),
            Dates::Blank => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            Dates::Iso => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
            Dates::Unix => unix.as_secs().to_string(),
            Dates::UnixMillis => unix.as_millis().to_string(),
            Dates::Zeros => "0".repeat(10),
            Dates::LongZeros => "0".repeat(12),
            Dates::Empty => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Guards the octets of each encoding and each form of dates.

    use super::*;

    #[test]
    fn each_encoding_writes_its_octets() {
        for (encoding, octets) in [
            (Encoding::Ascii, &b"a?@?"[..]),
            (Encoding::Latin1, b"a\xE9@?"),
            (Encoding::Ucs2, b"\0a\0\xE9\0@\x04\x22"),
            (Encoding::Ucs2Le, b"a\0\xE9\0@\0\x22\x04"),
            (Encoding::Gsm7, b"a\x05\0?"),
            (Encoding::Gsm7Packed, &[0xE1, 0x02, 0xE0, 0x07]),
            (Encoding::Utf8, b"a\xC3\xA9@\xD0\xA2"),
        ] {
            assert_eq!(encoding.write("aé@Т"), octets, "{encoding:?}");
            let name = ENCODINGS.iter().find(|(_, named)| *named == encoding).map(|(name, _)| *name);
            let written = serde_json::to_value(encoding).expect("written");
            assert_eq!(written.as_str(), name, "one name in templates and fields");
        }
    }

    #[test]
    fn each_form_of_dates_writes_the_same_moment() {
        // 2026-11-28 13:14:15.678 UTC.
        let time = Duration::from_millis(1_795_871_655_678);
        for (dates, text) in [
            (Dates::Minutes, "2611281314"),
            (Dates::Seconds, "261128131415"),
            (Dates::LongYear, "20261128131415"),
            (Dates::LongYearMinutes, "202611281314"),
            (Dates::Absolute, "261128131415600+"),
            (Dates::Blank, "2026-11-28 13:14:15"),
            (Dates::Iso, "2026-11-28T13:14:15Z"),
            (Dates::Unix, "1795871655"),
            (Dates::UnixMillis, "1795871655678"),
            (Dates::Zeros, "0000000000"),
            (Dates::LongZeros, "000000000000"),
            (Dates::Empty, ""),
        ] {
            assert_eq!(dates.write(time), text);
            let name = DATES.iter().find(|(_, named)| *named == dates).map(|(name, _)| *name);
            assert_eq!(serde_json::to_value(dates).expect("written").as_str(), name, "one name for both");
        }
    }
}
