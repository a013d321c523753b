//! The smallest charset that carries a text.

use super::charset::{Charset, DefaultAlphabet};
use super::gsm7::{Language, Shifts};
use crate::pdu::DataCoding;

/// What may be used towards an SMSC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repertoire {
    /// What `data_coding` 0 means to it.
    pub default: DefaultAlphabet,
    /// National languages that may be used with GSM 7-bit. Their tables are named in a user data header, and handsets that
    /// do not know them show wrong letters. Default: none.
    pub languages: Vec<Language>,
    /// Whether Latin-1 (`data_coding` 3) may be used. Many handsets lack it. Default: no.
    pub latin1: bool,
}

/// A charset and the `data_coding` that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value for the PDU.
    pub data_coding: DataCoding,
    /// How to write the text.
    pub charset: Charset,
}

/// Chooses, in this order: the SMSC's default alphabet; it with national tables, those that take the fewest septets, header
/// included; Latin-1, if allowed; UCS-2. UCS-2 carries any text that does not start with the noncharacter U+FFFE.
#[must_use]
pub fn choose(text: &str, repertoire: &Repertoire) -> Choice {
    let carries = |charset: Charset| charset.encode(text).is_ok();
    let default = repertoire.default.charset();
    if carries(default) {
        return Choice { data_coding: DataCoding::DEFAULT, charset: default };
    }
    if let Some(shifts) = national(text, default, &repertoire.languages) {
        return Choice { data_coding: DataCoding::DEFAULT, charset: default.with_shifts(shifts) };
    }
    if repertoire.latin1 && carries(Charset::Latin1) {
        return Choice { data_coding: DataCoding::LATIN1, charset: Charset::Latin1 };
    }
    Choice { data_coding: DataCoding::UCS2, charset: Charset::Ucs2 }
}

/// Octets of a header element that names a table.
const SHIFT_ELEMENT_OCTETS: usize = 3;

/// The tables that carry the text in the fewest septets; of equals, the first.
fn national(text: &str, default: Charset, languages: &[Language]) -> Option<Shifts> {
    if !matches!(default, Charset::Gsm7(_) | Charset::Gsm7Packed(_)) {
        return None;
    }
    let costs = languages.iter().flat_map(|&language| tables(language)).filter_map(|shifts| {
        let septets = Charset::Gsm7(shifts).encode(text).ok()?.len();
        Some((septets + header_septets(shifts), shifts))
    });
    costs.min_by_key(|(cost, _)| *cost).map(|(_, shifts)| shifts)
}

/// Single shift alone, locking shift alone, both.
fn tables(language: Language) -> impl Iterator<Item = Shifts> {
    let single = Shifts { single: language, ..Shifts::NONE };
    let locking = Shifts { locking: language, ..Shifts::NONE };
    let both = Shifts { locking: language, single: language };
    [Some(single), language.has_locking().then_some(locking), language.has_locking().then_some(both)]
        .into_iter()
        .flatten()
}

fn header_septets(shifts: Shifts) -> usize {
    let elements =
        [shifts.locking, shifts.single].into_iter().filter(|&language| language != Language::DEFAULT).count();
    (1 + elements * SHIFT_ELEMENT_OCTETS) * 8 / 7
}

#[cfg(test)]
mod tests {
    //! Guards the order of the charsets.

    use super::*;

    fn chosen(text: &str, languages: &[Language], latin1: bool) -> (u8, Charset) {
        let repertoire = Repertoire { default: DefaultAlphabet::Gsm7, languages: languages.to_vec(), latin1 };
        let Choice { data_coding, charset } = choose(text, &repertoire);
        (data_coding.0, charset)
    }

    #[test]
    fn plain_text_takes_the_default_alphabet() {
        assert_eq!(chosen("Grüße €5", &[Language::TURKISH], true), (0, Charset::GSM7));
        assert_eq!(chosen("", &[], false), (0, Charset::GSM7));
        let utf8 = Repertoire { default: DefaultAlphabet::Utf8, ..Repertoire::default() };
        assert_eq!(choose("😀", &utf8).charset, Charset::Utf8);
    }

    #[test]
    fn a_national_table_comes_before_latin1_and_ucs2() {
        let locking = Shifts { locking: Language::TURKISH, ..Shifts::NONE };
        assert_eq!(chosen("ışık", &[Language::TURKISH], true), (0, Charset::Gsm7(locking)));
        let single = Shifts { single: Language::TURKISH, ..Shifts::NONE };
        assert_eq!(chosen("èı", &[Language::TURKISH], true), (0, Charset::Gsm7(single)), "the other has no è");
        let portuguese = Shifts { locking: Language::PORTUGUESE, ..Shifts::NONE };
        let many = "ã".repeat(20);
        assert_eq!(chosen(&many, &[Language::TURKISH, Language::PORTUGUESE], true), (0, Charset::Gsm7(portuguese)));
    }

    #[test]
    fn latin1_is_used_only_where_allowed() {
        assert_eq!(chosen("ça", &[], true), (3, Charset::Latin1));
        assert_eq!(chosen("ça", &[], false), (8, Charset::Ucs2));
        assert_eq!(chosen("ж", &[Language::HINDI], true), (8, Charset::Ucs2));
    }

    #[test]
    fn an_escape_or_a_backtick_is_no_reason_to_lose_a_character() {
        assert_eq!(chosen("`", &[], false), (8, Charset::Ucs2));
        assert_eq!(chosen("`", &[Language::PORTUGUESE], false).0, 0, "Portuguese has a backtick");
    }
}
