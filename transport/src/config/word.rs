//! The words of SMPP and of Python as people write them in a configuration: addresses, data codings, charsets, statuses,
//! languages, levels, places to listen at.

use std::fmt;
use std::path::PathBuf;

use super::kind::{Kind, named, names};
use crate::outbound::DATA_CODINGS;
use crate::pdu::{CommandStatus, DataCoding, InterfaceVersion, Npi, TlvTag, Ton};
use crate::text::{Charset, DefaultAlphabet, Language};

/// A type of number: a fixed one, or what the address looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TonRule {
    /// Letters are ALPHANUMERIC, up to 8 digits are NETWORK_SPECIFIC (a short code), more digits are INTERNATIONAL.
    Auto,
    /// Always this.
    Fixed(Ton),
}

/// A numbering plan: a fixed one, or what the address looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NpiRule {
    /// ISDN for INTERNATIONAL numbers, else UNKNOWN.
    Auto,
    /// Always this.
    Fixed(Npi),
}

/// How texts are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// As [`choose`](crate::text::choose) finds: the smallest charset that carries the text.
    Auto,
    /// Always this `data_coding`; what it cannot carry is for `submit.unencodable` to decide.
    Fixed(DataCoding),
}

/// Where to listen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// A host name or address, and a port.
    Tcp(String),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => f.write_str(address),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What to log: this and what is worse.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// What must be looked into.
    Error,
    /// What may have to be.
    Warn,
    /// What happens seldom and matters: binds, reconnections.
    Info,
    /// Each message, by its id.
    Debug,
    /// Each PDU.
    Trace,
}

impl Level {
    /// As `tracing` calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

pub(crate) fn ton() -> Kind<TonRule> {
    names(&[
        ("UNKNOWN", TonRule::Fixed(Ton::UNKNOWN)),
        ("INTERNATIONAL", TonRule::Fixed(Ton::INTERNATIONAL)),
        ("NATIONAL", TonRule::Fixed(Ton::NATIONAL)),
        ("NETWORK_SPECIFIC", TonRule::Fixed(Ton::NETWORK_SPECIFIC)),
        ("SUBSCRIBER_NUMBER", TonRule::Fixed(Ton::SUBSCRIBER)),
        ("ALPHANUMERIC", TonRule::Fixed(Ton::ALPHANUMERIC)),
        ("ABBREVIATED", TonRule::Fixed(Ton::ABBREVIATED)),
        ("AUTO", TonRule::Auto),
    ])
}

pub(crate) fn npi() -> Kind<NpiRule> {
    names(&[
        ("UNKNOWN", NpiRule::Fixed(Npi::UNKNOWN)),
        ("ISDN", NpiRule::Fixed(Npi::ISDN)),
        ("DATA", NpiRule::Fixed(Npi::DATA)),
        ("TELEX", NpiRule::Fixed(Npi::TELEX)),
        ("LAND_MOBILE", NpiRule::Fixed(Npi::LAND_MOBILE)),
        ("NATIONAL", NpiRule::Fixed(Npi::NATIONAL)),
        ("PRIVATE", NpiRule::Fixed(Npi::PRIVATE)),
        ("ERMES", NpiRule::Fixed(Npi::ERMES)),
        ("INTERNET", NpiRule::Fixed(Npi::INTERNET)),
        ("WAP_CLIENT_ID", NpiRule::Fixed(Npi::WAP_CLIENT_ID)),
        ("AUTO", NpiRule::Auto),
    ])
}

pub(crate) fn coding() -> Kind<Coding> {
    names(&[
        ("auto", Coding::Auto),
        ("SMSC_DEFAULT_ALPHABET", Coding::Fixed(DataCoding::DEFAULT)),
        ("IA5_ASCII", Coding::Fixed(DataCoding::IA5)),
        ("LATIN_1", Coding::Fixed(DataCoding::LATIN1)),
        ("JIS", Coding::Fixed(DataCoding::JIS)),
        ("CYRILLIC", Coding::Fixed(DataCoding::CYRILLIC)),
        ("ISO_8859_8", Coding::Fixed(DataCoding::HEBREW)),
        ("UCS2", Coding::Fixed(DataCoding::UCS2)),
        ("ISO_2022_JP", Coding::Fixed(DataCoding::ISO_2022_JP)),
        ("EXTENDED_KANJI_JIS", Coding::Fixed(DataCoding::EXTENDED_KANJI)),
        ("KS_C_5601", Coding::Fixed(DataCoding::KS_C_5601)),
        ("OCTET_UNSPECIFIED", Coding::Fixed(DataCoding::OCTETS)),
        ("OCTET_UNSPECIFIED_COMMON", Coding::Fixed(DataCoding::OCTETS_8BIT)),
    ])
}

/// A `data_coding` by vumi2's name or by its number.
pub(crate) fn any_coding() -> Kind<DataCodingKey> {
    let list = DATA_CODINGS.map(|(name, _)| name).join(", ");
    let read = |text: &str| {
        let named = DATA_CODINGS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, coding)| coding.0);
        let numbered = || super::kind::whole(text).and_then(|number| u8::try_from(number).ok());
        named.or_else(numbered).map(DataCodingKey).ok_or_else(String::new)
    };
    let show = |key: &DataCodingKey| {
        let named = DATA_CODINGS.iter().find(|(_, coding)| coding.0 == key.0);
        named.map_or_else(|| format!("0x{:02X}", key.0), |(name, _)| (*name).to_owned())
    };
    Kind::of_text(format!("a number from 0 to 255 or one of {list}"), read, show)
        .examples(&["OCTET_UNSPECIFIED", "0", "255", "0xF1"], &["256", "-1", "LATIN_9"])
}

/// The octet of a `data_coding`, as the key of a map.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DataCodingKey(pub u8);

/// The charsets by Python's names for them, the first being the one that is written.
const CHARSETS: [(Charset, &[&str]); 13] = [
    (Charset::GSM7, &["gsm0338", "gsm", "gsm7", "gsm03_38"]),
    (Charset::Gsm7Packed(crate::text::Shifts::NONE), &["gsm0338_packed", "gsm7_packed"]),
    (Charset::Ascii, &["ascii", "us_ascii", "646"]),
    (Charset::Latin1, &["latin1", "latin_1", "iso_8859_1", "iso8859_1", "l1", "8859"]),
    (Charset::Octets, &["binary", "octets"]),
    (Charset::Utf8, &["utf_8", "utf8", "u8"]),
    (Charset::ShiftJis, &["shift_jis", "shiftjis", "sjis"]),
    (Charset::Iso2022Jp, &["iso2022_jp", "iso_2022_jp"]),
    (Charset::EucJp, &["euc_jp", "eucjp", "ujis"]),
    (Charset::Cyrillic, &["iso8859_5", "iso_8859_5", "cyrillic"]),
    (Charset::Hebrew, &["iso8859_8", "iso_8859_8", "hebrew"]),
    (Charset::EucKr, &["euc_kr", "euckr", "ks_c_5601", "cp949"]),
    (Charset::Ucs2, &["utf_16_be", "utf_16be", "ucs2", "ucs_2"]),
];

pub(crate) fn charset() -> Kind<Charset> {
    let list = CHARSETS.map(|(_, names)| names[0]).join(", ");
    let read = |text: &str| {
        let plain = text.to_ascii_lowercase().replace(['-', ' '], "_");
        let found = CHARSETS.iter().find(|(_, names)| names.contains(&plain.as_str()));
        found.map(|(charset, _)| *charset).ok_or_else(String::new)
    };
    let show = |charset: &Charset| {
        let found = CHARSETS.iter().find(|(other, _)| other == charset);
        found.map_or_else(String::new, |(_, names)| names[0].to_owned())
    };
    Kind::of_text(format!("a charset: {list}, or another name that Python has for one of these"), read, show)
        .examples(&["gsm0338", "latin-1", "UTF-16-BE", "utf8"], &["utf_7", "cp1252", "''"])
}

pub(crate) fn default_alphabet() -> Kind<DefaultAlphabet> {
    names(&[
        ("gsm0338", DefaultAlphabet::Gsm7),
        ("gsm0338_packed", DefaultAlphabet::Gsm7Packed),
        ("latin1", DefaultAlphabet::Latin1),
        ("ascii", DefaultAlphabet::Ascii),
        ("utf_8", DefaultAlphabet::Utf8),
    ])
}

pub(crate) fn language() -> Kind<Language> {
    names(&[
        ("tr", Language::TURKISH),
        ("es", Language::SPANISH),
        ("pt", Language::PORTUGUESE),
        ("bn", Language::BENGALI),
        ("gu", Language::GUJARATI),
        ("hi", Language::HINDI),
        ("kn", Language::KANNADA),
        ("ml", Language::MALAYALAM),
        ("or", Language::ORIYA),
        ("pa", Language::PUNJABI),
        ("ta", Language::TAMIL),
        ("te", Language::TELUGU),
        ("ur", Language::URDU),
    ])
}

/// 34 is what vumi2 has for 3.4; all that people write for a version mean that version.
pub(crate) fn interface_version() -> Kind<InterfaceVersion> {
    named(
        "; 34, 0x34 and 52 mean 3.4 too, 33, 0x33 and 51 mean 3.3, 50, 0x50 and 80 mean 5.0",
        &[
            ("3.4", InterfaceVersion::V3_4),
            ("34", InterfaceVersion::V3_4),
            ("0x34", InterfaceVersion::V3_4),
            ("52", InterfaceVersion::V3_4),
            ("3.3", InterfaceVersion::V3_3),
            ("33", InterfaceVersion::V3_3),
            ("0x33", InterfaceVersion::V3_3),
            ("51", InterfaceVersion::V3_3),
            ("5.0", InterfaceVersion::V5_0),
            ("5", InterfaceVersion::V5_0),
            ("50", InterfaceVersion::V5_0),
            ("0x50", InterfaceVersion::V5_0),
            ("80", InterfaceVersion::V5_0),
        ],
    )
}

pub(crate) fn status() -> Kind<CommandStatus> {
    let read = |text: &str| {
        let named = CommandStatus::NAMED.iter().find(|status| {
            let name = status.name().unwrap_or_default();
            text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(name.trim_start_matches("ESME_"))
        });
        let numbered = || super::kind::whole(text).and_then(|number| u32::try_from(number).ok()).map(CommandStatus);
        named.copied().or_else(numbered).ok_or_else(String::new)
    };
    let show = |status: &CommandStatus| status.name().map_or_else(|| format!("0x{:X}", status.0), str::to_owned);
    Kind::of_text("a status by name, such as ESME_RTHROTTLED, or number, such as 0x58", read, show).examples(
        &["ESME_RTHROTTLED", "rmsgqful", "0x58", "88", "0", "0xFFFFFFFF"],
        &["ESME_RNOTHING", "-1", "0x100000000", "''"],
    )
}

pub(crate) fn tag() -> Kind<TlvTag> {
    super::kind::number(0x0005..=0xFFFF_u16).mapped(TlvTag, |tag| tag.0)
}

pub(crate) fn level() -> Kind<Level> {
    names(&[
        ("ERROR", Level::Error),
        ("CRITICAL", Level::Error),
        ("FATAL", Level::Error),
        ("WARNING", Level::Warn),
        ("WARN", Level::Warn),
        ("INFO", Level::Info),
        ("DEBUG", Level::Debug),
        ("TRACE", Level::Trace),
        ("NOTSET", Level::Trace),
    ])
}

/// A host and a port, with brackets around an IPv6 address.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host) && !host.contains(':'),
    };
    is_host && port.parse::<u16>().is_ok() && port.bytes().all(|octet| octet.is_ascii_digit())
}

fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic() && !b"/@[]".contains(&octet))
}

pub(crate) fn host() -> Kind<String> {
    let read = |text: &str| if is_host(text) { Ok(text.to_owned()) } else { Err(String::new()) };
    Kind::of_text("a host name or address", read, Clone::clone)
        .examples(&["smsc.example", "10.0.0.1", "'::1'"], &["''", "a b", "http://x", "user@host"])
}

pub(crate) fn address() -> Kind<String> {
    let read = |text: &str| if is_address(text) { Ok(text.to_owned()) } else { Err(String::new()) };
    Kind::of_text("host:port", read, Clone::clone).examples(
        &["localhost:2775", "10.0.0.1:0", "'[::1]:65535'"],
        &["localhost", "'localhost:'", "localhost:65536", "'::1:2775'", "''"],
    )
}

pub(crate) fn listen() -> Kind<Listen> {
    let read = |text: &str| match text.strip_prefix("unix:") {
        Some("") => Err(String::new()),
        Some(path) => Ok(Listen::Unix(PathBuf::from(path))),
        None if is_address(text) => Ok(Listen::Tcp(text.to_owned())),
        None => Err(String::new()),
    };
    Kind::of_text("host:port or unix:PATH", read, ToString::to_string)
        .examples(&["127.0.0.1:8080", "unix:/run/smpp.sock"], &["'unix:'", "8080", "localhost"])
}
