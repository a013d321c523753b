//! Forms of message ids: the common ones by name, all others by pattern.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::escape::{Escaped, Scanner};
use crate::time::as_text;

/// Form of a message id: a name such as `hexadecimal_padded`, or a pattern such as `0118Z-%05d`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum IdForm {
    /// `4711`.
    #[default]
    Decimal,
    /// `0000004711`: ten digits, as in the standard's example.
    DecimalPadded,
    /// `1267`.
    Hexadecimal,
    /// `00001267`: eight digits.
    HexadecimalPadded,
    /// `0000126A`: eight digits, capital letters.
    HexadecimalUpper,
    /// 36 characters, made from seed and number.
    Uuid,
    /// Anything else.
    Pattern(IdPattern),
}

/// Names of the forms that have one.
const NAMED: [(&str, IdForm); 6] = [
    ("decimal", IdForm::Decimal),
    ("decimal_padded", IdForm::DecimalPadded),
    ("hexadecimal", IdForm::Hexadecimal),
    ("hexadecimal_padded", IdForm::HexadecimalPadded),
    ("hexadecimal_upper", IdForm::HexadecimalUpper),
    ("uuid", IdForm::Uuid),
];

/// Pattern of a message id. `%d`, `%x` and `%X` stand for the message's number, with a width that is filled with zeros
/// (`%016d`) or blanks (`%10d`, `%-10d`); `{uuid}`, `{uuid_upper}` and `{uuid_hex}` stand for a UUID made from it.
#[derive(Clone, Debug)]
pub struct IdPattern(Arc<Pattern>);

/// A million messages may have one: shared, and one pointer each.
#[derive(Debug)]
struct Pattern {
    text: Box<str>,
    pieces: Box<[Piece]>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    /// Characters up to U+00FF: one octet each.
    Literal(String),
    Number(Number),
    Uuid(Uuid),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Number {
    radix: Radix,
    width: usize,
    fill: Fill,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Radix {
    Decimal,
    Lower,
    Upper,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fill {
    Zeros,
    BlanksBefore,
    BlanksAfter,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Uuid {
    Lower,
    Upper,
    /// 32 digits without dashes.
    Digits,
}

/// Most octets of an id, as it is written.
const OCTETS_MAX: usize = 250;

impl IdForm {
    /// Returns `true` if all messages have the same id.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, IdForm::Pattern(pattern) if pattern.is_constant())
    }

    /// Returns `true` if an id of this form has the number in hexadecimal: it can read like an older decimal one.
    #[must_use]
    pub fn is_hexadecimal(&self) -> bool {
        match self {
            IdForm::Hexadecimal | IdForm::HexadecimalPadded | IdForm::HexadecimalUpper => true,
            IdForm::Pattern(pattern) => pattern.numbers().any(|number| number.radix != Radix::Decimal),
            IdForm::Decimal | IdForm::DecimalPadded | IdForm::Uuid => false,
        }
    }

    /// Returns `true` if an id of this form has the number in decimal.
    #[must_use]
    pub fn is_decimal(&self) -> bool {
        match self {
            IdForm::Decimal | IdForm::DecimalPadded => true,
            IdForm::Pattern(pattern) => pattern.numbers().any(|number| number.radix == Radix::Decimal),
            _ => false,
        }
    }
}

impl IdPattern {
    /// Returns the id of this number. `uuid` makes the UUID of the number, with dashes, in lower case.
    pub(crate) fn write(&self, number: u64, uuid: impl Fn() -> String) -> String {
        let mut id = String::new();
        for piece in self.0.pieces.iter() {
            match piece {
                Piece::Literal(text) => id.push_str(text),
                Piece::Number(form) => id.push_str(&form.write(number)),
                Piece::Uuid(Uuid::Lower) => id.push_str(&uuid()),
                Piece::Uuid(Uuid::Upper) => id.push_str(&uuid().to_ascii_uppercase()),
                Piece::Uuid(Uuid::Digits) => id.push_str(&uuid().replace('-', "")),
            }
        }
        id
    }

    fn is_constant(&self) -> bool {
        self.0.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }

    fn numbers(&self) -> impl Iterator<Item = &Number> {
        self.0.pieces.iter().filter_map(|piece| match piece {
            Piece::Number(number) => Some(number),
            Piece::Literal(_) | Piece::Uuid(_) => None,
        })
    }

    /// Most octets that an id of this pattern has.
    fn octets_max(&self) -> usize {
        let of = |piece: &Piece| match piece {
            Piece::Literal(text) => text.chars().count(),
            Piece::Number(number) => number.width.max(20),
            Piece::Uuid(_) => 36,
        };
        self.0.pieces.iter().map(of).sum()
    }
}

impl Number {
    fn write(self, number: u64) -> String {
        let width = self.width;
        match (self.radix, self.fill) {
            (Radix::Decimal, Fill::Zeros) => format!("{number:0width$}"),
            (Radix::Decimal, Fill::BlanksBefore) => format!("{number:>width$}"),
            (Radix::Decimal, Fill::BlanksAfter) => format!("{number:<width$}"),
            (Radix::Lower, Fill::Zeros) => format!("{number:0width$x}"),
            (Radix::Lower, Fill::BlanksBefore) => format!("{number:>width$x}"),
            (Radix::Lower, Fill::BlanksAfter) => format!("{number:<width$x}"),
            (Radix::Upper, Fill::Zeros) => format!("{number:0width$X}"),
            (Radix::Upper, Fill::BlanksBefore) => format!("{number:>width$X}"),
            (Radix::Upper, Fill::BlanksAfter) => format!("{number:<width$X}"),
        }
    }
}

impl FromStr for IdForm {
    type Err = String;

    fn from_str(text: &str) -> Result<IdForm, String> {
        if let Some((_, form)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(form.clone());
        }
        let like_a_name = |octet: u8| octet.is_ascii_lowercase() || octet == b'_';
        if !text.is_empty() && text.bytes().all(like_a_name) {
            let names: Vec<_> = NAMED.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "invalid value {text:?} for a form of ids: expected one of {}, or a pattern such as %08X",
                names.join(", ")
            ));
        }
        let pattern: IdPattern = text.parse()?;
        // The same form has one name: patterns that mean a named form are that form.
        Ok(match &*pattern.0.pieces {
            [Piece::Number(Number { radix, width, fill: Fill::Zeros })] => match (radix, width) {
                (Radix::Decimal, 0) => IdForm::Decimal,
                (Radix::Decimal, 10) => IdForm::DecimalPadded,
                (Radix::Lower, 0) => IdForm::Hexadecimal,
                (Radix::Lower, 8) => IdForm::HexadecimalPadded,
                (Radix::Upper, 8) => IdForm::HexadecimalUpper,
                _ => IdForm::Pattern(pattern),
            },
            [Piece::Uuid(Uuid::Lower)] => IdForm::Uuid,
            _ => IdForm::Pattern(pattern),
        })
    }
}

impl fmt::Display for IdForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdForm::Pattern(pattern) => f.write_str(&pattern.0.text),
            named => {
                let name = NAMED.iter().find(|(_, form)| form == named).map_or("decimal", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

impl PartialEq for IdPattern {
    fn eq(&self, other: &IdPattern) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for IdPattern {}

impl FromStr for IdPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<IdPattern, String> {
        let wrong = |words: String| format!("invalid id pattern {text:?}: {words}");
        let mut pieces: Vec<Piece> = Vec::new();
        let mut scanner = Scanner::new(text);
        while let Some(next) = scanner.next().map_err(wrong)? {
            let literal = match next {
                Escaped::Character('%') if scanner.take('%') => '%',
                Escaped::Character('%') => {
                    pieces.push(Piece::Number(number(&mut scanner).map_err(wrong)?));
                    continue;
                }
                Escaped::Character('{') if !scanner.take('{') => {
                    pieces.push(Piece::Uuid(uuid(&mut scanner).map_err(wrong)?));
                    continue;
                }
                Escaped::Character('}') if !scanner.take('}') => return Err(wrong("} without {".to_owned())),
                Escaped::Character(character) if u32::from(character) > 0xFF => {
                    return Err(wrong(format!("{character:?} does not fit in one octet")));
                }
                Escaped::Character(character) => character,
                Escaped::Octet(octet) => char::from(octet),
            };
            match pieces.last_mut() {
                Some(Piece::Literal(text)) => text.push(literal),
                _ => pieces.push(Piece::Literal(literal.to_string())),
            }
        }
        let pattern = IdPattern(Arc::new(Pattern { text: text.into(), pieces: pieces.into() }));
        if pattern.octets_max() > OCTETS_MAX {
            return Err(wrong(format!(
                "ids of up to {} octets: at most {OCTETS_MAX} are allowed",
                pattern.octets_max()
            )));
        }
        Ok(pattern)
    }
}

/// Reads the number that follows a `%`.
fn number(scanner: &mut Scanner<'_>) -> Result<Number, String> {
    let fill = if scanner.take('-') {
        Fill::BlanksAfter
    } else if scanner.take('0') {
        Fill::Zeros
    } else {
        Fill::BlanksBefore
    };
    let digits = scanner.digits();
    let width = if digits.is_empty() { Ok(0) } else { digits.parse::<usize>() };
    let width = width.ok().filter(|width| *width <= OCTETS_MAX);
    let width = width.ok_or_else(|| format!("width {digits}: at most {OCTETS_MAX} is allowed"))?;
    let radix = match scanner.next()? {
        Some(Escaped::Character('d')) => Radix::Decimal,
        Some(Escaped::Character('x')) => Radix::Lower,
        Some(Escaped::Character('X')) => Radix::Upper,
        _ => return Err("% is followed by a width and d, x or X, or by another %".to_owned()),
    };
    // Without a width there is nothing to fill.
    let fill = if width == 0 { Fill::Zeros } else { fill };
    Ok(Number { radix, width, fill })
}

/// Reads the UUID that follows a `{`.
fn uuid(scanner: &mut Scanner<'_>) -> Result<Uuid, String> {
    match scanner.until('}') {
        Some("uuid") => Ok(Uuid::Lower),
        Some("uuid_upper") => Ok(Uuid::Upper),
        Some("uuid_hex") => Ok(Uuid::Digits),
        Some(other) => Err(format!("unknown {{{other}}}: expected one of {{uuid}}, {{uuid_upper}}, {{uuid_hex}}")),
        None => Err("{ without }".to_owned()),
    }
}

as_text!(IdForm);

#[cfg(test)]
mod tests {
    //! Guards the forms of ids: the old names, and each piece of a pattern.

    use super::*;

    fn write(form: &str, number: u64) -> String {
        match form.parse::<IdForm>().expect(form) {
            IdForm::Pattern(pattern) => pattern.write(number, || "0a29f3d1-11ee-4e56-8242-ac1200020000".to_owned()),
            named => panic!("{named} has a name"),
        }
    }

    #[test]
    fn a_pattern_says_how_the_number_is_written() {
        for (pattern, id) in [
            ("%016d", "0000000000004714"),
            ("%X", "126A"),
            ("%04x", "126a"),
            ("0118Z-%05d", "0118Z-04714"),
            ("SM%032x", "SM0000000000000000000000000000126a"),
            ("%10d", "      4714"),
            ("%-10d", "4714      "),
            ("%-10x|", "126a      |"),
            (" %d", " 4714"),
            ("%d ", "4714 "),
            ("%d\\0\\xCC\\xcd", "4714\0\u{CC}\u{CD}"),
            ("100%%-%d", "100%-4714"),
            ("{{%d}}", "{4714}"),
            ("{uuid_upper}", "0A29F3D1-11EE-4E56-8242-AC1200020000"),
            ("{uuid_hex}", "0a29f3d111ee4e568242ac1200020000"),
            ("id-{uuid}", "id-0a29f3d1-11ee-4e56-8242-ac1200020000"),
            ("%d/%x", "4714/126a"),
            ("\\x6fther", "other"),
            ("OTHER-77", "OTHER-77"),
            ("", ""),
        ] {
            assert_eq!(write(pattern, 4714), id, "{pattern}");
        }
    }

    #[test]
    fn names_and_the_patterns_that_mean_the_same_are_one_form() {
        for (name, pattern) in [
            ("decimal", "%d"),
            ("decimal_padded", "%010d"),
            ("hexadecimal", "%x"),
            ("hexadecimal_padded", "%08x"),
            ("hexadecimal_upper", "%08X"),
            ("uuid", "{uuid}"),
        ] {
            let form: IdForm = name.parse().expect(name);
            assert_eq!(pattern.parse(), Ok(form.clone()), "{pattern}");
            assert_eq!(form.to_string(), name);
        }
        let form: IdForm = "%016X".parse().expect("a pattern");
        assert_eq!(form.to_string(), "%016X");
        assert!(form.is_hexadecimal() && !form.is_decimal() && !form.is_constant());
        assert!("OTHER-77".parse::<IdForm>().is_ok_and(|form| form.is_constant()));
    }

    #[test]
    fn a_wrong_pattern_is_refused_with_its_reason() {
        for (text, words) in [
            ("hex", "invalid value \"hex\" for a form of ids: expected one of decimal, decimal_padded"),
            ("%s", "% is followed by a width and d, x or X"),
            ("%", "% is followed by"),
            ("%-d%0", "% is followed by"),
            ("%0999d", "width 999: at most 250 is allowed"),
            ("%0200d%0200d", "ids of up to 400 octets: at most 250 are allowed"),
            ("{guid}", "unknown {guid}: expected one of {uuid}, {uuid_upper}, {uuid_hex}"),
            ("{uuid", "{ without }"),
            ("%d}", "} without {"),
            ("€%d", "'€' does not fit in one octet"),
            ("\\q%d", "unknown escape \\q"),
            ("\\x4", "\\x is followed by two hexadecimal digits"),
        ] {
            let error = text.parse::<IdForm>().expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
