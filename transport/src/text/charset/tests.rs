//! Guards the meaning of each `data_coding`: messages that other encoders wrote, the coding groups, and round trips.

use proptest::prelude::*;

use super::*;
use crate::text::meter::Meter;
use crate::text::strategies::{carried, charsets};

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn decode(data_coding: u8, hex: &str) -> Decoded {
    Charset::of(DataCoding(data_coding), DefaultAlphabet::Gsm7).decode(&octets(hex))
}

fn clean(text: &str) -> Decoded {
    Decoded { text: text.into(), replaced: 0 }
}

#[test]
fn messages_of_other_encoders_are_read() {
    for (data_coding, hex, text) in [
        (0, "48656c6c6f20776f726c64", "Hello world"),
        (0, "00021b65115b7f0a", "@$€_Äà\n"),
        (8, "041f04400438043204350442", "Привет"),
        (8, "4f60597d0020d83dde00", "你好 😀"),
        (8, "04140430", "Да"),
        (3, "dc6eef63f664e9", "Ünïcödé"),
        (6, "bfe0d8d2d5e2", "Привет"),
        (7, "f9ece5ed", "שלום"),
        (5, "1b244224332473244b2441244f1b2842", "こんにちは"),
        (10, "1b244224332473244b2441244f1b2842", "こんにちは"),
        (5, "82b182f182c982bf82cd", "こんにちは"),
        (13, "a4b3a4f3a4cba4c1a4cf", "こんにちは"),
        (14, "bec8b3e7", "안녕"),
        (241, "666c6173683f", "flash?"),
        (1, "48692124", "Hi!$"),
    ] {
        assert_eq!(decode(data_coding, hex), clean(text), "data_coding {data_coding}");
    }
}

#[test]
fn messages_of_other_encoders_are_written_the_same() {
    for (charset, hex, text) in [
        (Charset::GSM7, "00021b65115b7f0a", "@$€_Äà\n"),
        (Charset::Ucs2, "4f60597d0020d83dde00", "你好 😀"),
        (Charset::Latin1, "dc6eef63f664e9", "Ünïcödé"),
        (Charset::Cyrillic, "bfe0d8d2d5e2", "Привет"),
        (Charset::Hebrew, "f9ece5ed", "שלום"),
        (Charset::Iso2022Jp, "1b244224332473244b2441244f1b2842", "こんにちは"),
        (Charset::ShiftJis, "82b182f182c982bf82cd", "こんにちは"),
        (Charset::EucJp, "a4b3a4f3a4cba4c1a4cf", "こんにちは"),
        (Charset::EucKr, "bec8b3e7", "안녕"),
    ] {
        assert_eq!(charset.encode(text).unwrap(), octets(hex), "{}", charset.name());
    }
}

#[test]
fn binary_messages_keep_every_octet() {
    let all: Vec<u8> = (0..=255).collect();
    for data_coding in [2, 4, 9, 0x14, 0x17, 0xF4, 0xF5, 0xFF, 0x20, 0x3F] {
        let charset = Charset::of(DataCoding(data_coding), DefaultAlphabet::Gsm7);
        assert!(charset.is_binary(), "{data_coding:#04x}");
        assert_eq!(charset.encode(&charset.decode(&all).text).unwrap(), all);
    }
}

#[test]
fn every_data_coding_has_a_charset_and_groups_have_the_right_one() {
    let of = |data_coding| Charset::of(DataCoding(data_coding), DefaultAlphabet::Latin1);
    for data_coding in [0x00, 0x0B, 0x0C, 0x0F, 0x1C, 0x80, 0xBF] {
        assert_eq!(of(data_coding), Charset::Latin1, "{data_coding:#04x}: the default alphabet");
    }
    for data_coding in [0x10, 0x13, 0x50, 0xC0, 0xC8, 0xD0, 0xDF, 0xF0, 0xF1, 0xF8, 0xFB] {
        assert_eq!(of(data_coding), Charset::GSM7, "{data_coding:#04x}: GSM 7-bit outright");
    }
    for data_coding in [0x08, 0x18, 0x1B, 0x48, 0xE0, 0xEF] {
        assert_eq!(of(data_coding), Charset::Ucs2, "{data_coding:#04x}");
    }
    let packed = DefaultAlphabet::Gsm7Packed;
    assert_eq!(Charset::of(DataCoding(0xF0), packed), Charset::Gsm7Packed(Shifts::NONE));
    assert_eq!(Charset::of(DataCoding(0), DefaultAlphabet::Utf8), Charset::Utf8);
    assert_eq!(Charset::of(DataCoding(0), DefaultAlphabet::Ascii), Charset::Ascii);
}

#[test]
fn ucs2_that_is_broken_is_read_as_far_as_it_goes() {
    assert_eq!(decode(8, "004100"), Decoded { text: "A\u{FFFD}".into(), replaced: 1 }, "odd length");
    assert_eq!(decode(8, "d83d0041"), Decoded { text: "\u{FFFD}A".into(), replaced: 1 }, "lone high surrogate");
    assert_eq!(decode(8, "de00d83d"), Decoded { text: "\u{FFFD}\u{FFFD}".into(), replaced: 2 });
    assert_eq!(decode(8, "fffd"), clean("\u{FFFD}"), "sent as such");
}

#[test]
fn a_mark_of_octet_order_is_obeyed_and_is_no_text() {
    assert_eq!(decode(8, "feff0041"), clean("A"));
    assert_eq!(decode(8, "fffe41003dd800de"), clean("A😀"));
    assert_eq!(decode(8, "0041feff"), clean("A\u{FEFF}"), "only at the start");
    assert!(Charset::Ucs2.encode("\u{FFFE}A").is_err());
}

#[test]
fn what_ascii_and_utf8_cannot_read_is_counted() {
    assert_eq!(Charset::Ascii.decode(b"caf\xE9"), Decoded { text: "caf\u{FFFD}".into(), replaced: 1 });
    assert_eq!(Charset::Utf8.decode(b"a\xE2\x82b\xFF"), Decoded { text: "a\u{FFFD}b\u{FFFD}".into(), replaced: 2 });
    assert_eq!(Charset::Utf8.decode("\u{FFFD}".as_bytes()), clean("\u{FFFD}"));
    assert_eq!(Charset::ShiftJis.decode(b"a\x82").replaced, 1);
}

#[test]
fn a_character_that_is_lacking_is_named_with_its_place() {
    let error = Charset::GSM7.encode("naïve `x`").unwrap_err();
    assert_eq!((error.character, error.index), ('ï', 2));
    assert_eq!(error.to_string(), "character 'ï' (U+00EF) at index 2 is not in GSM 7-bit");
    assert!(Charset::Latin1.encode("€").is_err());
    assert!(Charset::Cyrillic.encode("é").is_err());
    assert!(Charset::Hebrew.encode("Ж").is_err());
}

#[test]
fn characters_that_the_web_would_write_as_others_are_refused() {
    for charset in [Charset::ShiftJis, Charset::EucJp] {
        assert!(charset.encode("¥").is_err(), "{}: a backslash", charset.name());
        assert!(charset.encode("−").is_err(), "{}: a full-width minus", charset.name());
    }
    assert!(Charset::Iso2022Jp.encode("ｱ").is_err(), "full-width");
    assert_eq!(Charset::Iso2022Jp.encode("¥a").unwrap(), b"\x1B(J\\\x1B(Ba");
    assert!(Charset::EucKr.encode("뷁").is_err(), "not in KS X 1001");
    assert_eq!(Charset::EucKr.decode(b"\x94\xEE").text, "뷁");
}

#[test]
fn an_escape_cannot_change_the_character_set() {
    for charset in [Charset::ShiftJis, Charset::Iso2022Jp] {
        assert!(charset.encode("\u{1B}$B").is_err(), "{}", charset.name());
    }
}

#[test]
fn joined_texts_of_iso_2022_jp_are_one_text() {
    let twice = octets("1b244224331b28421b244224731b2842");
    assert_eq!(Charset::Iso2022Jp.decode(&twice), clean("こん"));
    assert_eq!(Charset::ShiftJis.decode(&twice), clean("こん"));
}

proptest! {
    #[test]
    fn a_text_is_read_as_it_was_written((charset, text) in carried(200)) {
        prop_assert_eq!(charset.decode(&charset.encode(&text).unwrap()), clean(&text));
    }

    #[test]
    fn any_octets_are_a_text(charset in charsets(), octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let decoded = charset.decode(&octets);
        let marks = decoded.text.matches(char::REPLACEMENT_CHARACTER).count();
        prop_assert!(decoded.replaced <= marks);
    }

    #[test]
    fn any_text_is_written_or_refused_at_the_first_character_that_is_lacking(charset in charsets(), text in "\\PC{0,40}") {
        if let Err(error) = charset.encode(&text) {
            let before: String = text.chars().take(error.index).collect();
            prop_assert_eq!(text.chars().nth(error.index), Some(error.character));
            prop_assert!(charset.encode(&before).is_ok());
        }
    }

    #[test]
    fn the_length_told_is_the_length_written((charset, text) in carried(120), header in 0_usize..20) {
        let mut meter = Meter::new(charset, header);
        let told = text.chars().fold(0, |_, character| meter.push(character));
        prop_assert_eq!(told, charset.encode_after(header, &text).unwrap().len());
    }
}

#[test]
fn jis_is_written_as_vumi2_writes_it_and_read_as_either() {
    let charset = Charset::of(DataCoding::JIS, DefaultAlphabet::Gsm7);
    assert_eq!(charset.encode("こん").unwrap(), octets("1b2442243324731b2842"));
    assert_eq!(charset.decode(&octets("1b2442243324731b2842")), clean("こん"));
    assert_eq!(charset.decode(&Charset::ShiftJis.encode("aこんｱ").unwrap()), clean("aこんｱ"));
    assert_eq!(charset.decode(b"plain"), clean("plain"));
    assert_eq!(Charset::ShiftJis.decode(&octets("1b2442243324731b2842")), clean("こん"), "the other way too");
}
