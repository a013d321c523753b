//! Names of charsets: those of Python's codecs and of the WHATWG encoding standard, with all their aliases.

use super::web::{WEB, WebCharset};
use super::{Charset, Shifts};

/// A charset, the name to show, and all its names without punctuation, in lower case.
type Named = (Charset, &'static str, &'static [&'static str]);

/// Charsets of SMPP, and UTF-8. Where Python and the WHATWG differ on a name, Python's meaning counts; `ucs2` is
/// big-endian, as everywhere in SMPP.
const OWN: [Named; 14] = [
    (Charset::GSM7, "gsm0338", &["gsm0338", "gsm", "gsm7"]),
    (Charset::Gsm7Packed(Shifts::NONE), "gsm0338_packed", &["gsm0338packed", "gsm7packed"]),
    (
        Charset::Ascii,
        "ascii",
        &[
            "ascii",
            "iso646us",
            "ansix341968",
            "646",
            "ansix341986",
            "cp367",
            "csascii",
            "ibm367",
            "iso646irv1991",
            "isoir6",
            "us",
            "usascii",
        ],
    ),
    (
        Charset::Latin1,
        "latin1",
        &[
            "latin1",
            "iso88591",
            "iso885911987",
            "8859",
            "cp819",
            "csisolatin1",
            "ibm819",
            "iso8859",
            "isoir100",
            "l1",
            "latin",
        ],
    ),
    (Charset::Octets, "binary", &["binary", "octets"]),
    (
        Charset::Utf8,
        "utf_8",
        &["utf8", "u8", "utf", "utf8ucs2", "utf8ucs4", "cp65001", "unicode20utf8", "unicode11utf8", "xunicode20utf8"],
    ),
    (
        Charset::ShiftJis,
        "shift_jis",
        &["shiftjis", "cp932", "windows31j", "csshiftjis", "sjis", "xmacjapanese", "932", "ms932", "mskanji", "xsjis"],
    ),
    (Charset::Iso2022Jp, "iso2022_jp", &["iso2022jp", "csiso2022jp"]),
    (Charset::EucJp, "euc_jp", &["eucjp", "ujis", "xeucjp", "cseucpkdfmtjapanese"]),
    (Charset::Cyrillic, "iso8859_5", &["iso88595", "csisolatincyrillic", "cyrillic", "iso885951988", "isoir144"]),
    (
        Charset::Hebrew,
        "iso8859_8",
        &[
            "iso88598",
            "csisolatinhebrew",
            "hebrew",
            "iso885981988",
            "isoir138",
            "visual",
            "csiso88598e",
            "iso88598e",
            "logical",
            "csiso88598i",
            "iso88598i",
        ],
    ),
    (
        Charset::EucKr,
        "euc_kr",
        &[
            "euckr",
            "ksc5601",
            "korean",
            "ksc56011987",
            "ksx1001",
            "xmackorean",
            "cseuckr",
            "isoir149",
            "csksc56011987",
            "ksc56011989",
        ],
    ),
    (
        Charset::Ucs2,
        "utf_16_be",
        &["utf16be", "ucs2", "iso10646ucs2", "csunicode", "unicode", "unicodebigunmarked", "unicodefffe"],
    ),
    (Charset::Ucs2Le, "utf_16_le", &["utf16le", "ucs2le", "unicodelittleunmarked", "utf16", "u16", "unicodefeff"]),
];

impl Charset {
    /// Returns the charset of this name. Case and punctuation do not matter: `ISO-8859-15` and `iso8859_15` are the same.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let squeezed = squeezed(name);
        let own = OWN.iter().find(|(_, _, names)| names.contains(&squeezed.as_str())).map(|(charset, ..)| *charset);
        own.or_else(|| WebCharset::all().find(|web| web.row().names.contains(&squeezed.as_str())).map(Self::Web))
    }

    /// Returns the name that Python has for the charset, or the usual one where Python has none.
    #[must_use]
    pub fn codec_name(self) -> &'static str {
        let plain = self.with_shifts(Shifts::NONE);
        let own = OWN.iter().find(|(charset, ..)| *charset == plain).map(|(_, name, _)| *name);
        match self {
            Self::Web(web) => web.row().name,
            _ => own.unwrap_or_default(),
        }
    }

    /// Returns all charsets that have a name, each once.
    pub fn all() -> impl Iterator<Item = Self> {
        OWN.iter().map(|(charset, ..)| *charset).chain(WebCharset::all().map(Self::Web))
    }

    /// Returns the names by which charsets are known, to suggest one for a name that is not.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let own = OWN.iter().flat_map(|(_, name, names)| std::iter::once(*name).chain(names.iter().copied()));
        own.chain(WEB.iter().flat_map(|row| std::iter::once(row.name).chain(row.names.iter().copied())))
    }
}

/// Returns the letters and digits of a name, in lower case.
fn squeezed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests;
