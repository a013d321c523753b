//! How long a text would be, without writing it.

use super::charset::Charset;
use super::gsm7::{CR, Septets};
use super::{multibyte, septets};

/// How many octets a text takes, told character by character. All characters must be in the charset.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    charset: Charset,
    fill: usize,
    /// Octets, or septets if packed, without what ends the text.
    units: usize,
    tail: Tail,
}

/// What of the last character matters for the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    Any,
    CarriageReturn,
    /// The escape sequence that is in force.
    Designated([u8; 3]),
}

impl Meter {
    /// For a text after a header of so many octets.
    pub(super) const fn new(charset: Charset, header_octets: usize) -> Self {
        Self { charset, fill: septets::fill_bits(header_octets), units: 0, tail: Tail::Any }
    }

    /// Adds a character and returns how many octets the text would take if it ended here.
    pub(super) fn push(&mut self, character: char) -> usize {
        match self.charset {
            Charset::Gsm7(shifts) => {
                self.units += shifts.septets(character).map_or(0, Septets::count);
            }
            Charset::Gsm7Packed(shifts) => {
                self.units += shifts.septets(character).map_or(0, Septets::count);
                self.tail = if character == char::from(CR) { Tail::CarriageReturn } else { Tail::Any };
                return septets::packed_octets(self.units, self.tail == Tail::CarriageReturn, self.fill);
            }
            Charset::Ascii | Charset::Latin1 | Charset::Octets | Charset::Cyrillic | Charset::Hebrew => self.units += 1,
            Charset::Utf8 => self.units += character.len_utf8(),
            Charset::Ucs2 | Charset::Ucs2Le => self.units += 2 * character.len_utf16(),
            Charset::ShiftJis | Charset::EucJp | Charset::EucKr => {
                self.units += multibyte::encode(self.charset, character).map_or(0, |octets| octets.len());
            }
            Charset::Web(web) => self.units += web.encode(character).map_or(0, |octets| octets.len()),
            Charset::Iso2022Jp => return self.push_designated(character),
        }
        self.units
    }

    /// ISO-2022-JP: a change of character set costs its escape sequence, and the text must end in ASCII.
    fn push_designated(&mut self, character: char) -> usize {
        let octets = multibyte::encode(self.charset, character).unwrap_or_default();
        let Some((escape, inner)) = multibyte::undress(&octets) else {
            let back = if self.tail == Tail::Any { 0 } else { multibyte::ESCAPE_OCTETS };
            self.tail = Tail::Any;
            self.units += back + octets.len();
            return self.units;
        };
        let change = if self.tail == Tail::Designated(escape) { 0 } else { multibyte::ESCAPE_OCTETS };
        self.tail = Tail::Designated(escape);
        self.units += change + inner.len();
        self.units + multibyte::ESCAPE_OCTETS
    }
}
