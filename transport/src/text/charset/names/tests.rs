//! Guards the names of charsets and what they mean, against Python's codecs and the labels of the WHATWG encoding standard.

use super::*;
use crate::text::{Multipart, split};

#[derive(serde::Deserialize)]
struct Codec {
    codec: String,
    aliases: Vec<String>,
    text: String,
    hex: String,
}

fn codecs() -> Vec<Codec> {
    let lines = include_str!("../../../../../fixtures/charsets/charsets.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a codec")).collect()
}

#[test]
fn every_codec_of_python_is_read_and_written_as_python_does() {
    let mut names = 0;
    for Codec { codec, aliases, text, hex } in codecs() {
        for alias in aliases {
            let charset = Charset::from_name(&alias).unwrap_or_else(|| panic!("{alias} of {codec}"));
            let octets = crate::pdu::json::from_hex(&hex).expect("hexadecimal");
            let decoded = charset.decode(&octets);
            assert_eq!((decoded.text.as_str(), decoded.replaced), (text.as_str(), 0), "{alias}");
            assert_eq!(charset.encode(&text).as_deref(), Ok(&octets[..]), "{alias}");
            names += 1;
        }
    }
    assert!(names > 250, "{names}");
}

/// Labels that SMPP and Python mean otherwise than browsers: Latin-1 and ASCII are what they say, and `ucs-2` is big-endian.
const OTHERWISE: [&str; 5] = ["Latin-1", "ASCII", "UCS-2", "iso8859_9", "iso8859_11"];

#[test]
fn every_label_of_the_whatwg_is_a_charset_that_reads_and_writes_the_same_characters() {
    let mut labels = 0;
    for label in include_str!("../../../../../fixtures/charsets/whatwg-labels.txt").lines() {
        let charset = Charset::from_name(label).unwrap_or_else(|| panic!("{label}"));
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label");
        for text in [
            "plain text 123",
            "é",
            "ż",
            "Привет",
            "שלום",
            "مرحبا",
            "Γειά",
            "สวัสดี",
            "你好",
            "こんにちは",
            "안녕",
            "İ",
            "€",
        ] {
            let (octets, written_as, is_unmappable) = encoding.encode(text);
            let is_same = written_as == encoding && encoding.decode_without_bom_handling(&octets).0 == text;
            if is_unmappable || !is_same || OTHERWISE.contains(&charset.name()) {
                continue;
            }
            assert_eq!(charset.encode(text).as_deref(), Ok(&octets[..]), "{label}: {text}");
            assert_eq!(charset.decode(&octets).text, text, "{label}");
        }
        labels += 1;
    }
    assert_eq!(labels, 222);
}

#[test]
fn every_charset_is_known_by_its_own_name_and_split_between_characters() {
    for charset in Charset::all() {
        assert_eq!(Charset::from_name(charset.codec_name()), Some(charset));
        let fits = |character: &char| charset.encode(&character.to_string()).is_ok();
        let letters: String = "aé€жש你こ안ع😀ż".chars().filter(fits).collect();
        let text = letters.repeat(120);
        let parts = split(&text, charset, Multipart::Sar { reference: 1 }).expect("it fits");
        assert!(parts.len() > 1 || charset.is_binary() || letters.len() < 2, "{}", charset.name());
        let decoded: String = parts.iter().map(|part| charset.decode(part.short_message.as_ref()).text).collect();
        assert_eq!(decoded, text, "{}", charset.name());
    }
}

#[test]
fn no_name_stands_for_two_charsets() {
    let mut names: Vec<&str> = OWN.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
    names.extend(WEB.iter().flat_map(|row| row.names.iter().copied()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| *name == squeezed(name)), "names are compared without punctuation");
}

#[test]
fn names_that_are_not_charsets_are_refused() {
    for name in ["", "klingon", "utf_7", "utf_32", "hz-gb-2312", "iso-2022-kr", "replacement", "cp437", "_", "8859-17"]
    {
        assert_eq!(Charset::from_name(name), None, "{name}");
    }
}

#[test]
fn control_characters_of_iso_8859_are_not_letters_of_windows() {
    for (iso, windows) in [("iso8859_9", "cp1254"), ("iso8859_11", "cp874")] {
        let [iso, windows] = [iso, windows].map(|name| Charset::from_name(name).expect("a charset"));
        assert_eq!((iso.decode(&[0x80]).text.as_str(), windows.decode(&[0x80]).text.as_str()), ("\u{80}", "€"));
        assert!(iso.encode("€").is_err() && windows.encode("€").is_ok());
        assert_eq!(iso.encode("\u{80}").as_deref(), Ok(&[0x80][..]));
    }
}

#[test]
fn octets_that_cannot_be_read_are_counted() {
    for (name, octets, text) in [
        ("cp1253", &b"a\xffb"[..], "a\u{fffd}b"),
        ("gbk", b"a\xff", "a\u{fffd}"),
        ("big5", b"\xa4", "\u{fffd}"),
        ("utf_16_le", b"h\0i", "h\u{fffd}"),
        ("iso8859_11", b"\xff", "\u{fffd}"),
    ] {
        let decoded = Charset::from_name(name).expect("a charset").decode(octets);
        assert_eq!((decoded.text.as_str(), decoded.replaced), (text, 1), "{name}");
    }
}

#[test]
fn a_charset_is_stored_and_read_again() {
    for charset in Charset::all() {
        let stored = serde_json::to_string(&charset).expect("it can be written");
        assert_eq!(serde_json::from_str::<Charset>(&stored).ok(), Some(charset), "{stored}");
    }
    assert!(serde_json::from_str::<Charset>(r#"{"Web":200}"#).is_err());
}
