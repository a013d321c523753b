//! Charsets, texts and ways to split them, for the property tests of this layer.

use proptest::prelude::*;

use super::charset::Charset;
use super::gsm7::{Language, Shifts};
use super::split::Multipart;

/// All charsets that carry text, with a few national tables.
pub(super) fn charsets() -> impl Strategy<Value = Charset> {
    let shifts = prop_oneof![
        Just(Shifts::NONE),
        (0_u8..14, 0_u8..14)
            .prop_map(|(locking, single)| Shifts { locking: Language(locking), single: Language(single) })
    ];
    prop_oneof![
        shifts.clone().prop_map(Charset::Gsm7),
        shifts.prop_map(Charset::Gsm7Packed),
        prop::sample::select(vec![
            Charset::Ascii,
            Charset::Latin1,
            Charset::Octets,
            Charset::Utf8,
            Charset::ShiftJis,
            Charset::Iso2022Jp,
            Charset::EucJp,
            Charset::Cyrillic,
            Charset::Hebrew,
            Charset::EucKr,
            Charset::Ucs2,
            Charset::Ucs2Le,
        ]),
        prop::sample::select(Charset::all().filter(|charset| matches!(charset, Charset::Web(_))).collect::<Vec<_>>()),
    ]
}

/// A charset and a text that it carries: characters of all its ranges, visible ones of several characters, and none that
/// the wire cannot tell apart (a mark of octet order at the start, a carriage return at the end).
pub(super) fn carried(characters_max: usize) -> impl Strategy<Value = (Charset, String)> {
    let pieces = prop_oneof![
        4 => "[a-zA-Z0-9 .@]{1,8}",
        3 => prop::char::range('\0', '\u{FFF}').prop_map(String::from),
        2 => prop::sample::select(vec!["€", "[", "😀", "👨‍👩‍👧", "e\u{301}", "क्षि", "こんにちは", "漢字", "안녕", "ж", "ש", "ş", "\r\n"])
            .prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
    ];
    (charsets(), prop::collection::vec(pieces, 0..characters_max / 3)).prop_map(|(charset, pieces)| {
        let fits = |character: &char| charset.encode(character.encode_utf8(&mut [0; 4])).is_ok();
        let text: String = pieces.concat().chars().filter(fits).collect();
        (charset, text.trim_start_matches('\u{FEFF}').trim_end_matches('\r').to_owned())
    })
}

/// Every way to send a long text.
pub(super) fn multiparts() -> impl Strategy<Value = Multipart> {
    prop_oneof![
        any::<u8>().prop_map(|reference| Multipart::Udh8 { reference }),
        any::<u16>().prop_map(|reference| Multipart::Udh16 { reference }),
        any::<u16>().prop_map(|reference| Multipart::Sar { reference }),
        Just(Multipart::Payload),
        Just(Multipart::ShortMessage),
    ]
}
