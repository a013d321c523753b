//! Guards the GSM 7-bit alphabets: the whole default alphabet, escapes and their absence, national tables.

use super::*;

const TURKISH: Shifts = Shifts { locking: Language::TURKISH, single: Language::TURKISH };

fn encode(shifts: Shifts, text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for character in text.chars() {
        shifts.septets(character)?.write(&mut out);
    }
    Some(out)
}

fn decode(octets: &[u8]) -> (String, usize) {
    let Decoded { text, replaced } = Shifts::NONE.decode(octets);
    (text, replaced)
}

#[test]
fn the_default_alphabet_is_that_of_the_standard() {
    let alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    for (code, character) in (0_u8..128).zip(alphabet.chars()).filter(|(code, _)| *code != ESCAPE) {
        assert_eq!(Shifts::NONE.septets(character), Some(Septets::One(code)), "{character}");
        assert_eq!(decode(&[code]), (character.to_string(), 0));
    }
    assert_eq!(alphabet.chars().count(), 128);
}

#[test]
fn the_extension_is_behind_the_escape() {
    assert_eq!(encode(Shifts::NONE, "[€]\u{C}").unwrap(), [0x1B, 0x3C, 0x1B, 0x65, 0x1B, 0x3E, 0x1B, 0x0A]);
    assert_eq!(decode(b"\x1B\x14\x1B\x28\x1B\x29\x1B\x2F\x1B\x3D\x1B\x40").0, "^{}\\~|");
}

#[test]
fn characters_outside_the_alphabet_are_not_encoded() {
    for character in ['`', 'ç', 'È', 'À', 'ş', 'Ж', '😀', '\0', '\t', '\u{1B}', '\u{FFFD}', '’'] {
        assert_eq!(Shifts::NONE.septets(character), None, "{character:?}");
    }
}

#[test]
fn an_escape_before_an_unknown_code_is_the_base_character() {
    assert_eq!(decode(b"\x1B\x41"), ("A".into(), 0));
    assert_eq!(decode(b"\x1B\x0D"), ("\r".into(), 0));
    assert_eq!(decode(b"a\x1B\x7Fb"), ("aàb".into(), 0));
}

#[test]
fn an_escape_at_the_end_is_nothing_and_two_are_a_space() {
    assert_eq!(decode(b"a\x1B"), ("a".into(), 0));
    assert_eq!(decode(b"\x1B"), (String::new(), 0));
    assert_eq!(decode(b"a\x1B\x1Be"), ("a e".into(), 0));
}

#[test]
fn octets_above_127_are_replaced_and_counted() {
    assert_eq!(decode(b"caf\xE9\xFF"), ("caf\u{FFFD}\u{FFFD}".into(), 2));
    assert_eq!(decode(b"\x1B\xE9!"), ("\u{FFFD}!".into(), 1));
}

#[test]
fn a_national_alphabet_has_its_own_letters_and_lacks_others() {
    assert_eq!(encode(TURKISH, "ğış").unwrap(), [0x0C, 0x07, 0x1D]);
    assert_eq!(encode(TURKISH, "è"), None);
    let single = Shifts { single: Language::TURKISH, ..Shifts::NONE };
    assert_eq!(encode(single, "ğè[").unwrap(), [0x1B, 0x67, 0x04, 0x1B, 0x3C]);
    assert_eq!(single.decode(&[0x1B, 0x67, 0x67]).text, "ğg");
}

#[test]
fn a_code_that_the_single_shift_lacks_falls_back_to_the_locking_table() {
    assert_eq!(TURKISH.decode(&[0x1B, 0x07]).text, "ı");
    let hindi = Shifts { locking: Language::HINDI, single: Language::DEFAULT };
    assert_eq!(hindi.decode(&[0x1B, 0x65, 0x11]).text, "€\u{911}");
    let bengali = Shifts { locking: Language::BENGALI, single: Language::BENGALI };
    assert_eq!(bengali.decode(&[0x0C]), Decoded { text: "\u{FFFD}".into(), replaced: 1 }, "not assigned");
}

#[test]
fn unknown_languages_and_spanish_locking_are_the_default() {
    let unknown = Shifts { locking: Language(200), single: Language(14) };
    assert_eq!(unknown.decode(b"\0\x1B\x65").text, "@€");
    assert_eq!(Shifts { locking: Language::SPANISH, single: Language::SPANISH }.decode(b"\x09\x1B\x09").text, "Çç");
    assert!(!Language::SPANISH.has_locking() && Language::URDU.has_locking());
}

#[test]
fn every_character_of_every_language_is_read_as_it_was_written() {
    for language in (0..=13).map(Language) {
        for shifts in [
            Shifts { locking: language, single: Language::DEFAULT },
            Shifts { locking: Language::DEFAULT, single: language },
            Shifts { locking: language, single: language },
        ] {
            for character in ('\0'..='\u{FFFF}').filter(|&character| shifts.septets(character).is_some()) {
                let octets = encode(shifts, &character.to_string()).unwrap();
                assert_eq!(shifts.decode(&octets), Decoded { text: character.into(), replaced: 0 });
            }
        }
    }
}
