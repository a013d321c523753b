//! Plain characters for typographic ones: quotes, dashes, blanks and the like, which alone would make a text twice as long.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Plain text for each typographic character. Letters of any script and pictures are not in it.
const PLAIN: [(&str, &str); 20] = [
    ("\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\u{2035}\u{2b9}\u{2bb}\u{2bc}\u{2bd}\u{2c8}\u{b4}\u{60}\u{ff07}", "'"),
    ("\u{201c}\u{201d}\u{201e}\u{201f}\u{2033}\u{2036}\u{2ba}\u{2ee}\u{ab}\u{bb}\u{ff02}", "\""),
    ("\u{2039}", "<"),
    ("\u{203a}", ">"),
    ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{2043}\u{fe58}\u{fe63}\u{ff0d}", "-"),
    ("\u{2026}\u{22ef}", "..."),
    (
        "\u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}\t",
        " ",
    ),
    ("\u{200b}\u{200c}\u{2060}\u{feff}\u{ad}\u{200e}\u{200f}", ""),
    ("\u{2022}\u{2023}\u{b7}\u{2219}\u{25cf}\u{25cb}\u{25e6}", "*"),
    ("\u{2044}\u{2215}", "/"),
    ("\u{2028}\u{2029}\u{85}\u{b}", "\n"),
    ("\u{2122}", "TM"),
    ("\u{a9}", "(c)"),
    ("\u{ae}", "(R)"),
    ("\u{2190}", "<-"),
    ("\u{2192}", "->"),
    ("\u{d7}", "x"),
    ("\u{bd}", "1/2"),
    ("\u{bc}", "1/4"),
    ("\u{be}", "3/4"),
];

/// Returns the text with plain characters in the places of typographic ones for which `is_lacking` is `true`.
pub(super) fn plain(text: &str, is_lacking: impl Fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match PLAIN.iter().find(|(typographic, _)| typographic.contains(character)) {
            Some((_, other)) if is_lacking(character) => plain.push_str(other),
            _ => plain.push(character),
        }
    }
    plain
}

/// Returns the text in composed form (NFC): `e` and a combining accent become `é`, which alphabets of SMS have.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    //! Guards that every typographic character has a place in the GSM alphabet, and that letters stay.

    use super::*;
    use crate::text::Charset;

    #[test]
    fn plain_characters_are_in_the_gsm_alphabet() {
        let mut count = 0;
        for (typographic, other) in PLAIN {
            assert!(Charset::GSM7.encode(other).is_ok(), "{other:?}");
            count += typographic.chars().count();
        }
        assert!(count > 80, "{count}");
    }

    #[test]
    fn each_typographic_character_is_listed_once() {
        let all: Vec<char> = PLAIN.iter().flat_map(|(typographic, _)| typographic.chars()).collect();
        for (at, character) in all.iter().enumerate() {
            assert!(!all[..at].contains(character), "{character:?}");
            assert!(
                !character.is_alphabetic() || "\u{2b9}\u{2ba}\u{2bb}\u{2bc}\u{2bd}\u{2c8}\u{2ee}".contains(*character),
                "{character:?}"
            );
        }
    }

    #[test]
    fn only_lacking_characters_are_replaced() {
        assert_eq!(plain("\u{201c}a\u{201d} – жé😀", |_| true), "\"a\" - жé😀");
        assert_eq!(plain("\u{201c}a", |_| false), "\u{201c}a");
    }

    #[test]
    fn text_is_composed_whatever_its_form() {
        for (given, expected) in [
            ("U\u{308}ber man\u{303}ana", "Über mañana"),
            ("e\u{301}t\u{e9}", "été"),
            ("A\u{30a}\u{212b}", "ÅÅ"),
            ("\u{2126}", "Ω"),
            ("c\u{327}", "ç"),
            ("o\u{308}\u{304}", "ȫ"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(composed(given), expected);
        }
    }
}
