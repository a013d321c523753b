//! The words of SMPP and of Python as people write them in a configuration: addresses, data codings, charsets, statuses,
//! languages, levels, places to listen at.

use std::fmt;
use std::path::PathBuf;

use super::kind::{Kind, at_most, list, named, names};
use super::node::{Node, Value};
use crate::inbound::TlvSelection;
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

/// Types of number by the names that vumi2 has for them.
const TONS: [(&str, Ton); 7] = [
    ("UNKNOWN", Ton::UNKNOWN),
    ("INTERNATIONAL", Ton::INTERNATIONAL),
    ("NATIONAL", Ton::NATIONAL),
    ("NETWORK_SPECIFIC", Ton::NETWORK_SPECIFIC),
    ("SUBSCRIBER_NUMBER", Ton::SUBSCRIBER),
    ("ALPHANUMERIC", Ton::ALPHANUMERIC),
    ("ABBREVIATED", Ton::ABBREVIATED),
];

/// Numbering plans by their names.
const NPIS: [(&str, Npi); 10] = [
    ("UNKNOWN", Npi::UNKNOWN),
    ("ISDN", Npi::ISDN),
    ("DATA", Npi::DATA),
    ("TELEX", Npi::TELEX),
    ("LAND_MOBILE", Npi::LAND_MOBILE),
    ("NATIONAL", Npi::NATIONAL),
    ("PRIVATE", Npi::PRIVATE),
    ("ERMES", Npi::ERMES),
    ("INTERNET", Npi::INTERNET),
    ("WAP_CLIENT_ID", Npi::WAP_CLIENT_ID),
];

/// A value of one octet by its name, or by its number, which may be one without a name.
fn octet<T: Copy + PartialEq + Send + Sync + 'static>(
    more: &str,
    names: &'static [(&'static str, T)],
    from: impl Fn(u8) -> T + Send + Sync + 'static,
    number: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Kind<T> {
    let list: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let read = move |text: &str| {
        let named = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
        let numbered = || super::kind::whole(text).and_then(|number| u8::try_from(number).ok()).map(&from);
        named.or_else(numbered).ok_or_else(String::new)
    };
    let show = move |value: &T| {
        let named = names.iter().find(|(_, other)| other == value);
        named.map_or_else(|| number(value), |(name, _)| (*name).to_owned())
    };
    let mut kind = Kind::of_text(format!("{}{more} or a number from 0 to 255", list.join(", ")), read, show);
    kind.good =
        names.iter().map(|(name, _)| format!("'{name}'")).chain(["0", "1", "99", "0xFF"].map(str::to_owned)).collect();
    kind.bad.extend(["no-such-word", "256", "-1", "''"].map(str::to_owned));
    kind
}

/// A type of number that is always the same.
pub(crate) fn fixed_ton() -> Kind<Ton> {
    octet("", &TONS, Ton, |ton| ton.0.to_string())
}

/// A numbering plan that is always the same.
pub(crate) fn fixed_npi() -> Kind<Npi> {
    octet("", &NPIS, Npi, |npi| npi.0.to_string())
}

/// `AUTO`, or what another kind allows.
fn or_auto<T: 'static, U: 'static>(
    fixed: Kind<T>,
    auto: impl Fn() -> U + Send + Sync + 'static,
    of: impl Fn(T) -> U + Send + Sync + 'static,
    back: impl Fn(&U) -> Option<T> + Send + Sync + 'static,
) -> Kind<U> {
    let (read, show) = (fixed.read, fixed.show);
    let allowed = fixed.allowed.replacen(" or a number", ", AUTO or a number", 1);
    let wanted = format!("allowed is {allowed}");
    let mut good = fixed.good;
    good.push("AUTO".to_owned());
    Kind {
        allowed,
        read: Box::new(move |node| match &node.value {
            super::node::Value::Text(text) if text.eq_ignore_ascii_case("auto") => Ok(auto()),
            _ => read(node).map(&of).map_err(|wrong| super::kind::Wrong { words: wanted.clone(), ..wrong }),
        }),
        show: Box::new(move |value| back(value).map_or_else(|| super::node::Node::text("AUTO"), |fixed| show(&fixed))),
        is_secret: false,
        is_yaml: false,
        parts: Vec::new(),
        good,
        bad: fixed.bad,
    }
}

pub(crate) fn ton() -> Kind<TonRule> {
    let back = |rule: &TonRule| match rule {
        TonRule::Auto => None,
        TonRule::Fixed(ton) => Some(*ton),
    };
    or_auto(fixed_ton(), || TonRule::Auto, TonRule::Fixed, back)
}

pub(crate) fn npi() -> Kind<NpiRule> {
    let back = |rule: &NpiRule| match rule {
        NpiRule::Auto => None,
        NpiRule::Fixed(npi) => Some(*npi),
    };
    or_auto(fixed_npi(), || NpiRule::Auto, NpiRule::Fixed, back)
}

/// An address of this machine.
pub(crate) fn ip() -> Kind<std::net::IpAddr> {
    let read = |text: &str| unbracketed(text).parse().map_err(|_| String::new());
    Kind::of_text("an IP address", read, ToString::to_string)
        .examples(&["10.0.0.5", "'::1'", "'[::1]'"], &["localhost", "10.0.0.256", "10.0.0.5:0", "''"])
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

/// Returns the charset of this name. The error names the nearest.
fn read_charset(text: &str, allowed: &str) -> Result<Charset, String> {
    Charset::from_name(text).ok_or_else(|| {
        let plain = text.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
        let nearest = match super::near::nearest(&plain, Charset::all().map(Charset::codec_name)) {
            none if none.is_empty() => super::near::nearest(&plain, Charset::names()),
            nearest => nearest,
        };
        format!("allowed is {allowed}{nearest}")
    })
}

/// A charset by any name of Python's or of the WHATWG's.
pub(crate) fn charset() -> Kind<Charset> {
    let list = Charset::all().map(Charset::codec_name).collect::<Vec<_>>().join(", ");
    let allowed = format!("a charset: {list}, or another name that Python or the WHATWG has for one of these");
    let read = {
        let allowed = allowed.clone();
        move |text: &str| read_charset(text, &allowed)
    };
    Kind::of_text(allowed, read, |charset| charset.codec_name().to_owned()).examples(
        &["gsm0338", "latin-1", "UTF-16-BE", "utf8", "cp1252", "ISO-8859-15", "windows-1251"],
        &["utf_7", "cp125", "''"],
    )
}

/// The charsets of addresses.
pub(crate) fn address_charset() -> Kind<Charset> {
    names(&[
        ("latin1", Charset::Latin1),
        ("gsm0338", Charset::GSM7),
        ("ascii", Charset::Ascii),
        ("utf_8", Charset::Utf8),
    ])
}

/// The SMSC's default alphabet: any charset.
pub(crate) fn default_alphabet() -> Kind<DefaultAlphabet> {
    let into = |charset: Charset| match charset {
        Charset::Gsm7(_) => DefaultAlphabet::Gsm7,
        Charset::Gsm7Packed(_) => DefaultAlphabet::Gsm7Packed,
        Charset::Latin1 => DefaultAlphabet::Latin1,
        Charset::Ascii => DefaultAlphabet::Ascii,
        Charset::Utf8 => DefaultAlphabet::Utf8,
        other => DefaultAlphabet::Other(other),
    };
    charset().mapped(into, |alphabet| alphabet.charset())
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

/// The tag of an optional parameter, by number or by the name that the standard has for it.
pub(crate) fn tag() -> Kind<TlvTag> {
    let read = |text: &str| {
        let named = TlvTag::NAMED.iter().find(|tag| tag.name().is_some_and(|name| name.eq_ignore_ascii_case(text)));
        let numbered = || super::kind::whole(text).and_then(|number| u16::try_from(number).ok()).map(TlvTag);
        let found = named.copied().or_else(numbered).filter(|tag| tag.0 >= 0x0005);
        let names =
            || TlvTag::NAMED.iter().filter_map(|tag| tag.name()).map(str::to_ascii_lowercase).collect::<Vec<_>>();
        found.ok_or_else(|| {
            let lower = text.to_ascii_lowercase();
            let nearest = super::near::nearest(&lower, names().iter().map(String::as_str));
            format!("allowed is {TAG_ALLOWED}{nearest}")
        })
    };
    Kind::of_text(TAG_ALLOWED, read, |tag| tag.printed()).examples(
        &["5", "65535", "0x1401", "user_message_reference", "ITS_SESSION_INFO"],
        &["4", "65536", "-1", "''", "user_message_referense"],
    )
}

const TAG_ALLOWED: &str = "a whole number from 5 to 65535 or the name of a parameter, such as user_message_reference";

/// `all`, or a list of tags.
pub(crate) fn tlv_selection() -> Kind<TlvSelection> {
    let tags = at_most(100, list(tag()));
    let (read, show) = (tags.read, tags.show);
    let is_all = |node: &Node| matches!(&node.value, Value::Text(text) if text.eq_ignore_ascii_case("all"));
    let mut good = tags.good;
    good.push("all".to_owned());
    Kind {
        allowed: format!("all, or {}", tags.allowed),
        read: Box::new(
            move |node| {
                if is_all(node) { Ok(TlvSelection::All) } else { read(node).map(TlvSelection::Tags) }
            },
        ),
        show: Box::new(move |selection| match selection {
            TlvSelection::All => Node::text("all".to_owned()),
            TlvSelection::Tags(tags) => show(tags),
        }),
        good,
        is_secret: false,
        is_yaml: true,
        parts: Vec::new(),
        bad: tags.bad,
    }
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

/// An IPv6 address without the brackets that it has before a port.
fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

pub(crate) fn host() -> Kind<String> {
    let read = |text: &str| {
        let host = unbracketed(text);
        let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
        match is_host(host) && (is_v6 || host == text) {
            true if !host.contains(':') || is_v6 => Ok(host.to_owned()),
            true => Err("allowed is a host name or address without a port, which has an option of its own".to_owned()),
            false => Err(String::new()),
        }
    };
    Kind::of_text("a host name or address", read, Clone::clone).examples(
        &["smsc.example", "10.0.0.1", "'::1'", "'[::1]'", "'fe80::1'"],
        &["''", "a b", "http://x", "user@host", "'smsc.example:2775'", "'10.0.0.1:2775'", "'[::1]:2775'", "'[smsc]'"],
    )
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
