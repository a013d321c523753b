//! Charsets of the WHATWG encoding standard that SMPP has no `data_coding` for, by way of `encoding_rs`.

use encoding_rs::Encoding;

use super::Decoded;

/// A charset such as cp1252, ISO-8859-15, KOI8-R or GB 18030: see [`Charset::from_name`](super::Charset::from_name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct WebCharset(u8);

/// One charset.
pub(super) struct Row {
    /// Name to show: Python's where there is one.
    pub(super) name: &'static str,
    encoding: &'static Encoding,
    /// Whether 0x80 to 0x9F are control characters, as ISO 8859 has them. The WHATWG reads code pages of Windows instead.
    has_controls: bool,
    /// All names, without punctuation, in lower case.
    pub(super) names: &'static [&'static str],
}

const fn row(name: &'static str, encoding: &'static Encoding, names: &'static [&'static str]) -> Row {
    Row { name, encoding, has_controls: false, names }
}

/// Stores keep the index of a charset: add rows at the end only.
pub(super) static WEB: [Row; 32] = [
    row("cp1250", &encoding_rs::WINDOWS_1250_INIT, &["cp1250", "1250", "windows1250", "xcp1250"]),
    row("cp1251", &encoding_rs::WINDOWS_1251_INIT, &["cp1251", "1251", "windows1251", "xcp1251"]),
    row("cp1252", &encoding_rs::WINDOWS_1252_INIT, &["cp1252", "1252", "windows1252", "xcp1252"]),
    row("cp1253", &encoding_rs::WINDOWS_1253_INIT, &["cp1253", "1253", "windows1253", "xcp1253"]),
    row("cp1254", &encoding_rs::WINDOWS_1254_INIT, &["cp1254", "1254", "windows1254", "xcp1254"]),
    row("cp1255", &encoding_rs::WINDOWS_1255_INIT, &["cp1255", "1255", "windows1255", "xcp1255"]),
    row("cp1256", &encoding_rs::WINDOWS_1256_INIT, &["cp1256", "1256", "windows1256", "xcp1256"]),
    row("cp1257", &encoding_rs::WINDOWS_1257_INIT, &["cp1257", "1257", "windows1257", "xcp1257"]),
    row("cp1258", &encoding_rs::WINDOWS_1258_INIT, &["cp1258", "1258", "windows1258", "xcp1258"]),
    row(
        "iso8859_2",
        &encoding_rs::ISO_8859_2_INIT,
        &["iso88592", "csisolatin2", "iso885921987", "isoir101", "l2", "latin2"],
    ),
    row(
        "iso8859_3",
        &encoding_rs::ISO_8859_3_INIT,
        &["iso88593", "csisolatin3", "iso885931988", "isoir109", "l3", "latin3"],
    ),
    row(
        "iso8859_4",
        &encoding_rs::ISO_8859_4_INIT,
        &["iso88594", "csisolatin4", "iso885941988", "isoir110", "l4", "latin4"],
    ),
    row(
        "iso8859_6",
        &encoding_rs::ISO_8859_6_INIT,
        &[
            "iso88596",
            "arabic",
            "asmo708",
            "csisolatinarabic",
            "ecma114",
            "iso885961987",
            "isoir127",
            "csiso88596e",
            "csiso88596i",
            "iso88596e",
            "iso88596i",
        ],
    ),
    row(
        "iso8859_7",
        &encoding_rs::ISO_8859_7_INIT,
        &[
            "iso88597",
            "csisolatingreek",
            "ecma118",
            "elot928",
            "greek",
            "greek8",
            "iso885971987",
            "isoir126",
            "suneugreek",
        ],
    ),
    Row {
        has_controls: true,
        ..row(
            "iso8859_9",
            &encoding_rs::WINDOWS_1254_INIT,
            &["iso88599", "csisolatin5", "iso885991989", "isoir148", "l5", "latin5"],
        )
    },
    row(
        "iso8859_10",
        &encoding_rs::ISO_8859_10_INIT,
        &["iso885910", "csisolatin6", "iso8859101992", "isoir157", "l6", "latin6"],
    ),
    Row {
        has_controls: true,
        ..row(
            "iso8859_11",
            &encoding_rs::WINDOWS_874_INIT,
            &["iso885911", "thai", "iso8859112001", "tis620", "tis6200", "tis62025290", "tis62025291", "isoir166"],
        )
    },
    row("iso8859_13", &encoding_rs::ISO_8859_13_INIT, &["iso885913", "l7", "latin7"]),
    row(
        "iso8859_14",
        &encoding_rs::ISO_8859_14_INIT,
        &["iso885914", "iso8859141998", "isoceltic", "isoir199", "l8", "latin8"],
    ),
    row("iso8859_15", &encoding_rs::ISO_8859_15_INIT, &["iso885915", "l9", "latin9", "csisolatin9"]),
    row("iso8859_16", &encoding_rs::ISO_8859_16_INIT, &["iso885916", "iso8859162001", "isoir226", "l10", "latin10"]),
    row("koi8_r", &encoding_rs::KOI8_R_INIT, &["koi8r", "cskoi8r", "koi", "koi8"]),
    row("koi8_u", &encoding_rs::KOI8_U_INIT, &["koi8u", "koi8ru"]),
    row("cp866", &encoding_rs::IBM866_INIT, &["cp866", "866", "csibm866", "ibm866"]),
    row("cp874", &encoding_rs::WINDOWS_874_INIT, &["cp874", "dos874", "windows874"]),
    row("mac_roman", &encoding_rs::MACINTOSH_INIT, &["macroman", "macintosh", "mac", "csmacintosh", "xmacroman"]),
    row("mac_cyrillic", &encoding_rs::X_MAC_CYRILLIC_INIT, &["maccyrillic", "xmaccyrillic", "xmacukrainian"]),
    row(
        "gbk",
        &encoding_rs::GBK_INIT,
        &[
            "gbk",
            "936",
            "cp936",
            "ms936",
            "gb2312",
            "chinese",
            "csiso58gb231280",
            "euccn",
            "eucgb2312cn",
            "gb23121980",
            "gb231280",
            "isoir58",
            "xmacsimpchinese",
            "xgbk",
            "csgb2312",
        ],
    ),
    row("gb18030", &encoding_rs::GB18030_INIT, &["gb18030", "gb180302000"]),
    row(
        "big5",
        &encoding_rs::BIG5_INIT,
        &[
            "big5",
            "big5tw",
            "csbig5",
            "xmactradchinese",
            "big5hkscs",
            "hkscs",
            "cp950",
            "950",
            "ms950",
            "cnbig5",
            "xxbig5",
        ],
    ),
    row("cp949", &encoding_rs::EUC_KR_INIT, &["cp949", "949", "ms949", "uhc", "windows949"]),
    row("x_user_defined", &encoding_rs::X_USER_DEFINED_INIT, &["xuserdefined"]),
];

impl WebCharset {
    pub(super) fn all() -> impl Iterator<Item = WebCharset> {
        (0..).zip(&WEB).map(|(index, _)| WebCharset(index))
    }

    /// Returns the row of the charset. The index is always one of the table's.
    pub(super) fn row(self) -> &'static Row {
        &WEB[usize::from(self.0)]
    }

    /// Index of the charset, under which stores keep it.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Returns the octets of one character, or `None` if the charset lacks it.
    pub(in crate::text) fn encode(self, character: char) -> Option<Vec<u8>> {
        let row = self.row();
        if row.has_controls && ('\u{80}'..='\u{9F}').contains(&character) {
            return u8::try_from(character).ok().map(|octet| vec![octet]);
        }
        if character.is_ascii() {
            return u8::try_from(character).ok().map(|octet| vec![octet]);
        }
        let text = character.encode_utf8(&mut [0; 4]).to_owned();
        let (octets, _, is_unmappable) = row.encoding.encode(&text);
        // The WHATWG writes some characters as others: what is not read back as itself is not in the charset.
        let is_same = !is_unmappable && self.decode(&octets).text == text;
        is_same.then(|| octets.into_owned())
    }

    /// Reads any octets.
    pub(in crate::text) fn decode(self, octets: &[u8]) -> Decoded {
        let row = self.row();
        if row.has_controls {
            return octets.iter().flat_map(|&octet| one(row.encoding, octet)).collect();
        }
        read(row.encoding, octets)
    }
}

/// Reads an octet of a charset of single octets, in which 0x80 to 0x9F are control characters.
fn one(encoding: &'static Encoding, octet: u8) -> Vec<Option<char>> {
    if (0x80..=0x9F).contains(&octet) {
        return vec![Some(char::from(octet))];
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(std::slice::from_ref(&octet));
    text.map_or_else(|| vec![None], |text| text.chars().map(Some).collect())
}

/// Reads octets, and counts what could not be read: U+FFFD may be a character of the charset, too.
fn read(encoding: &'static Encoding, octets: &[u8]) -> Decoded {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (mut decoded, mut rest) = (Decoded::default(), octets);
    loop {
        let mut text =
            String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(0));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        decoded.text.push_str(&text);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            encoding_rs::DecoderResult::InputEmpty => return decoded,
            encoding_rs::DecoderResult::Malformed(..) => decoded.push(None),
            encoding_rs::DecoderResult::OutputFull => {}
        }
    }
}

impl TryFrom<u8> for WebCharset {
    type Error = String;

    fn try_from(index: u8) -> Result<WebCharset, String> {
        WEB.get(usize::from(index)).map(|_| WebCharset(index)).ok_or_else(|| format!("there is no charset {index}"))
    }
}

impl From<WebCharset> for u8 {
    fn from(charset: WebCharset) -> u8 {
        charset.0
    }
}
