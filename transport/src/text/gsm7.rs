//! Text in the GSM 7-bit alphabets (3GPP 23.038 §6.2.1), one septet in each octet.
//!
//! The tables are in `national`; packing septets into fewer octets is in `septets`.

use super::charset::Decoded;
use super::national::{self, Alphabet};

/// Introduces a code of the extension table.
const ESCAPE: u8 = 0x1B;

/// Carriage return: the character that fills seven spare bits of packed text.
pub(super) const CR: u8 = 0x0D;

/// A national language by its number in the user data header (23.038 §6.2.1.2.4). Unknown numbers mean the default tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Language(pub u8);

#[expect(missing_docs, reason = "the names say it all")]
impl Language {
    /// No national language: the default alphabet and its extension.
    pub const DEFAULT: Self = Self(0);
    pub const TURKISH: Self = Self(1);
    /// Has a single shift table only.
    pub const SPANISH: Self = Self(2);
    pub const PORTUGUESE: Self = Self(3);
    pub const BENGALI: Self = Self(4);
    pub const GUJARATI: Self = Self(5);
    pub const HINDI: Self = Self(6);
    pub const KANNADA: Self = Self(7);
    pub const MALAYALAM: Self = Self(8);
    pub const ORIYA: Self = Self(9);
    pub const PUNJABI: Self = Self(10);
    pub const TAMIL: Self = Self(11);
    pub const TELUGU: Self = Self(12);
    pub const URDU: Self = Self(13);

    /// Whether the language has a locking shift table.
    #[must_use]
    pub fn has_locking(self) -> bool {
        national::locking(self.0).is_some()
    }
}

/// Which tables a text uses instead of the default ones. Each one named costs an element of the user data header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Shifts {
    /// Replaces the default alphabet (header element 0x25).
    pub locking: Language,
    /// Replaces the extension table behind the escape (header element 0x24).
    pub single: Language,
}

/// A character as septets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Septets {
    One(u8),
    /// A code behind the escape.
    Escaped(u8),
}

impl Septets {
    pub(super) const fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Escaped(_) => 2,
        }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::One(code) => out.push(code),
            Self::Escaped(code) => out.extend([ESCAPE, code]),
        }
    }
}

impl Shifts {
    /// The default alphabet with its own extension.
    pub const NONE: Self = Self { locking: Language::DEFAULT, single: Language::DEFAULT };

    fn alphabet(self) -> &'static Alphabet {
        national::locking(self.locking.0).unwrap_or(&national::DEFAULT)
    }

    /// The septets of a character, `None` if these tables lack it.
    pub(super) fn septets(self, character: char) -> Option<Septets> {
        // 0 marks codes that are not assigned, and no table has U+0000.
        let point = u16::try_from(u32::from(character)).ok().filter(|&point| point != 0)?;
        code_of(self.alphabet(), point).map(Septets::One).or_else(|| {
            let mut pairs = national::single(self.single.0).into_iter().flatten();
            pairs.find(|pair| pair.1 == point).map(|pair| Septets::Escaped(pair.0))
        })
    }

    /// Reads septets, one an octet. Every input is text:
    ///
    /// - the escape and a code that the extension lacks is the character of that code in the alphabet, as 23.038 asks of a
    ///   receiver that does not know a table;
    /// - the escape twice, "reserved for a further table", is a space;
    /// - an escape at the very end is nothing;
    /// - an octet above 0x7F, and a code that is not assigned, is U+FFFD.
    pub(super) fn decode(self, octets: &[u8]) -> Decoded {
        let mut decoded = Decoded { text: String::with_capacity(octets.len()), replaced: 0 };
        let mut octets = octets.iter().copied();
        while let Some(octet) = octets.next() {
            let character = if octet == ESCAPE {
                let Some(code) = octets.next() else { break };
                self.escaped(code)
            } else {
                self.plain(octet)
            };
            decoded.push(character);
        }
        decoded
    }

    fn escaped(self, code: u8) -> Option<char> {
        if code == ESCAPE {
            return Some(' ');
        }
        let mut pairs = national::single(self.single.0).into_iter().flatten();
        match pairs.find(|pair| pair.0 == code) {
            Some(pair) => char_of(pair.1),
            None => self.plain(code),
        }
    }

    fn plain(self, code: u8) -> Option<char> {
        self.alphabet().get(usize::from(code)).copied().and_then(char_of)
    }
}

/// The character of a table's code point, `None` for the mark of an unassigned code.
fn char_of(point: u16) -> Option<char> {
    char::from_u32(point.into()).filter(|&character| character != '\0')
}

/// The code of a character: most Latin letters and digits are their own code in every alphabet, so that is tried first.
fn code_of(alphabet: &Alphabet, point: u16) -> Option<u8> {
    let own = alphabet.get(usize::from(point)).filter(|&&found| found == point).map(|_| usize::from(point));
    let code = own.or_else(|| alphabet.iter().position(|&found| found == point))?;
    u8::try_from(code).ok()
}

#[cfg(test)]
mod tests;
