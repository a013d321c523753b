//! What `data_coding` means for text: octets to characters and back.
//!
//! Decoding is total: any octets give a text and a count of what could not be read. Encoding never drops or replaces a
//! character: it refuses and names it. Long messages are decoded after their parts are joined, see `join`.

mod names;
mod web;

use thiserror::Error;

use super::gsm7::Shifts;
use super::{multibyte, septets};
use crate::pdu::DataCoding;

pub use web::WebCharset;

/// A way of writing text as octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Charset {
    /// GSM 7-bit, one septet an octet, as SMSCs expect it in `short_message` (3GPP 23.038 §6.2.1).
    Gsm7(Shifts),
    /// GSM 7-bit, septets packed into octets (3GPP 23.038 §6.1.2.1). What follows a user data header starts on a septet
    /// boundary. A text that ends in CR may come back with a second CR, see 23.038 §6.1.2.3.1.
    Gsm7Packed(Shifts),
    /// ASCII, "IA5".
    Ascii,
    /// ISO-8859-1 with all 256 codes.
    Latin1,
    /// No text but octets. Shown as, and written from, the characters U+0000 to U+00FF, so that none is lost.
    Octets,
    /// UTF-8. No `data_coding` stands for it, but some SMSCs have it as their default alphabet.
    Utf8,
    /// Shift JIS, with ISO-2022-JP read where its escape sequences are found: both are sent as JIS X 0208.
    ShiftJis,
    /// ISO-2022-JP. Every encoded text begins and ends in ASCII. Shift JIS is read where octets above 127 are found and no
    /// escape sequence: ISO-2022-JP has none of the former.
    Iso2022Jp,
    /// EUC-JP. JIS X 0212 is read; only JIS X 0208 and half-width katakana are written.
    EucJp,
    /// ISO-8859-5.
    Cyrillic,
    /// ISO-8859-8, characters in the order of reading.
    Hebrew,
    /// KS X 1001 as EUC-KR. The extensions of code page 949 are read and not written.
    EucKr,
    /// UTF-16, big-endian, with surrogate pairs ("UCS2").
    Ucs2,
    /// UTF-16, little-endian. No `data_coding` stands for it; some SMSCs write it in place of the other.
    Ucs2Le,
    /// A charset that only an option can name.
    Web(WebCharset),
}

/// What `data_coding` 0, "SMSC default alphabet", means to an SMSC. The standard leaves it to agreement (SMPP 3.4 §5.2.19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet: most SMSCs.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed.
    Gsm7Packed,
    /// ISO-8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// UTF-8.
    Utf8,
    /// Another charset.
    Other(Charset),
}

/// Text read from octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The text, with U+FFFD for what could not be read.
    pub text: String,
    /// How many U+FFFD were put in for what could not be read.
    pub replaced: usize,
}

/// A character that the chosen charset lacks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("character {character:?} (U+{:04X}) at index {index} is not in {charset}", u32::from(*.character))]
pub struct Unencodable {
    /// The first such character.
    pub character: char,
    /// Which character of the text it is, counted in characters from 0.
    pub index: usize,
    /// Name of the charset.
    pub charset: &'static str,
}

impl Charset {
    /// The default alphabet in its unpacked form.
    pub const GSM7: Self = Self::Gsm7(Shifts::NONE);

    /// The charset of a `data_coding` (SMPP 3.4 §5.2.19, and 3GPP 23.038 §4 for what SMPP reserves).
    ///
    /// Where the two standards collide, on 0x01 to 0x0E, SMPP counts. Reserved values are the SMSC's default alphabet:
    /// "any reserved codings shall be assumed to be the GSM 7 bit default alphabet by a receiving entity". Compressed text
    /// (0x20–0x3F, 0x60–0x7F) cannot be read and is octets.
    #[must_use]
    pub const fn of(data_coding: DataCoding, default: DefaultAlphabet) -> Self {
        match data_coding.0 {
            0x01 => Self::Ascii,
            // 0x09, pictograms, has no agreed encoding.
            0x02 | 0x04 | 0x09 => Self::Octets,
            0x03 => Self::Latin1,
            // As vumi2, whose codec for it is Python's iso2022_jp. Who sends Shift JIS is read all the same.
            0x05 => Self::Iso2022Jp,
            0x06 => Self::Cyrillic,
            0x07 => Self::Hebrew,
            0x08 => Self::Ucs2,
            0x0A => Self::Iso2022Jp,
            0x0D => Self::EucJp,
            0x0E => Self::EucKr,
            // General group: bits 3-2 are the alphabet. With bit 6, the message is deleted once read.
            coding @ (0x10..=0x1F | 0x40..=0x5F) => match coding >> 2 & 3 {
                0 => default.gsm7(),
                1 => Self::Octets,
                2 => Self::Ucs2,
                _ => default.charset(),
            },
            0x20..=0x3F | 0x60..=0x7F => Self::Octets,
            // Message waiting: discard, store, store in UCS2.
            0xC0..=0xDF => default.gsm7(),
            0xE0..=0xEF => Self::Ucs2,
            // Message class: bit 2 is the alphabet.
            coding @ 0xF0..=0xFF => {
                if coding & 0x04 == 0 {
                    default.gsm7()
                } else {
                    Self::Octets
                }
            }
            0x00 | 0x0B | 0x0C | 0x0F | 0x80..=0xBF => default.charset(),
        }
    }

    /// The charset with these national tables if it is GSM 7-bit, else unchanged.
    #[must_use]
    pub const fn with_shifts(self, shifts: Shifts) -> Self {
        match self {
            Self::Gsm7(_) => Self::Gsm7(shifts),
            Self::Gsm7Packed(_) => Self::Gsm7Packed(shifts),
            other => other,
        }
    }

    /// The national tables in use; none unless the charset is GSM 7-bit.
    #[must_use]
    pub const fn shifts(self) -> Shifts {
        match self {
            Self::Gsm7(shifts) | Self::Gsm7Packed(shifts) => shifts,
            _ => Shifts::NONE,
        }
    }

    /// Whether the content is octets and not text.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Octets)
    }

    /// Writes a text that stands alone.
    ///
    /// # Errors
    ///
    /// [`Unencodable`] names the first character that the charset lacks.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        self.encode_after(0, text)
    }

    /// Writes a text that follows a user data header of so many octets (UDHL included), which is not written.
    ///
    /// # Errors
    ///
    /// [`Unencodable`] names the first character that the charset lacks.
    pub fn encode_after(self, header_octets: usize, text: &str) -> Result<Vec<u8>, Unencodable> {
        let mut out = Vec::with_capacity(text.len());
        for (index, character) in text.chars().enumerate() {
            let lacking = Unencodable { character, index, charset: self.name() };
            self.write(character, &mut out).ok_or(lacking)?;
        }
        Ok(match self {
            Self::Gsm7Packed(_) => septets::pack(&out, septets::fill_bits(header_octets)),
            Self::Iso2022Jp => multibyte::join_escapes(&out),
            _ => out,
        })
    }

    /// Reads a text that stands alone.
    #[must_use]
    pub fn decode(self, octets: &[u8]) -> Decoded {
        match self {
            Self::Gsm7(shifts) => shifts.decode(octets),
            Self::Gsm7Packed(shifts) => shifts.decode(&septets::unpack(octets, 0)),
            Self::Ascii => octets.iter().map(|octet| octet.is_ascii().then_some(char::from(*octet))).collect(),
            Self::Latin1 | Self::Octets => octets.iter().map(|octet| Some(char::from(*octet))).collect(),
            Self::Utf8 => utf8(octets),
            Self::Ucs2 => utf16(octets, false),
            Self::Ucs2Le => utf16(octets, true),
            Self::Web(web) => web.decode(octets),
            Self::ShiftJis | Self::Iso2022Jp | Self::EucJp | Self::Cyrillic | Self::Hebrew | Self::EucKr => {
                multibyte::decode(self, octets)
            }
        }
    }

    /// Name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gsm7(_) => "GSM 7-bit",
            Self::Gsm7Packed(_) => "GSM 7-bit packed",
            Self::Ascii => "ASCII",
            Self::Latin1 => "Latin-1",
            Self::Octets => "8-bit octets",
            Self::Utf8 => "UTF-8",
            Self::ShiftJis => "Shift JIS",
            Self::Iso2022Jp => "ISO-2022-JP",
            Self::EucJp => "EUC-JP",
            Self::Cyrillic => "ISO-8859-5",
            Self::Hebrew => "ISO-8859-8",
            Self::EucKr => "EUC-KR",
            Self::Ucs2 => "UCS-2",
            Self::Ucs2Le => "UTF-16LE",
            Self::Web(web) => web.row().name,
        }
    }

    /// Adds the octets (septets, if GSM 7-bit) of one character; `None` if the charset lacks it.
    fn write(self, character: char, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Gsm7(shifts) | Self::Gsm7Packed(shifts) => shifts.septets(character)?.write(out),
            Self::Ascii => out.push(u8::try_from(character).ok().filter(u8::is_ascii)?),
            Self::Latin1 | Self::Octets => out.push(u8::try_from(character).ok()?),
            Self::Utf8 => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            // No character: at the start of a text it means that octets are swapped.
            Self::Ucs2 | Self::Ucs2Le if character == '\u{FFFE}' => return None,
            Self::Ucs2 => out.extend(character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes())),
            Self::Ucs2Le => out.extend(character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_le_bytes())),
            Self::Web(web) => out.extend_from_slice(&web.encode(character)?),
            Self::ShiftJis | Self::Iso2022Jp | Self::EucJp | Self::Cyrillic | Self::Hebrew | Self::EucKr => {
                out.extend_from_slice(&multibyte::encode(self, character)?);
            }
        }
        Some(())
    }
}

impl DefaultAlphabet {
    /// The charset of `data_coding` 0.
    #[must_use]
    pub const fn charset(self) -> Charset {
        match self {
            Self::Gsm7 => Charset::Gsm7(Shifts::NONE),
            Self::Gsm7Packed => Charset::Gsm7Packed(Shifts::NONE),
            Self::Latin1 => Charset::Latin1,
            Self::Ascii => Charset::Ascii,
            Self::Utf8 => Charset::Utf8,
            Self::Other(charset) => charset,
        }
    }

    /// The charset of a `data_coding` that says GSM 7-bit outright: packed where the default alphabet is.
    const fn gsm7(self) -> Charset {
        match self {
            Self::Gsm7Packed => Charset::Gsm7Packed(Shifts::NONE),
            _ => Charset::Gsm7(Shifts::NONE),
        }
    }
}

impl Decoded {
    /// Adds a character, or U+FFFD for one that could not be read.
    #[inline]
    pub(super) fn push(&mut self, character: Option<char>) {
        let Some(character) = character else {
            self.replaced += 1;
            self.text.push(char::REPLACEMENT_CHARACTER);
            return;
        };
        self.text.push(character);
    }

    /// Adds a text that follows.
    pub(super) fn append(&mut self, next: &Self) {
        self.text.push_str(&next.text);
        self.replaced += next.replaced;
    }
}

impl FromIterator<Option<char>> for Decoded {
    fn from_iter<I: IntoIterator<Item = Option<char>>>(characters: I) -> Self {
        let mut decoded = Self::default();
        characters.into_iter().for_each(|character| decoded.push(character));
        decoded
    }
}

fn utf8(octets: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    for chunk in octets.utf8_chunks() {
        decoded.text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            decoded.push(None);
        }
    }
    decoded
}

/// Reads UTF-16. A mark of octet order at the start is obeyed and is not text. Each lone surrogate, and an octet left over
/// at the end, is U+FFFD.
fn utf16(octets: &[u8], is_little_endian: bool) -> Decoded {
    let (octets, swapped) = match octets {
        [0xFE, 0xFF, rest @ ..] => (rest, false),
        [0xFF, 0xFE, rest @ ..] => (rest, true),
        octets => (octets, is_little_endian),
    };
    let (pairs, left_over) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|&pair| if swapped { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
    let mut decoded: Decoded = char::decode_utf16(units).map(Result::ok).collect();
    if !left_over.is_empty() {
        decoded.push(None);
    }
    decoded
}

#[cfg(test)]
mod tests;
