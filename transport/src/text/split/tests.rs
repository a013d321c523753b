//! Guards the parts of long messages: capacities, cuts, headers, TLVs, refusals.

use proptest::prelude::*;

use super::*;
use crate::text::strategies::{carried, charsets, multiparts};

const UDH8: Multipart = Multipart::Udh8 { reference: 0xCC };
const UDH16: Multipart = Multipart::Udh16 { reference: 0x1234 };
const SAR: Multipart = Multipart::Sar { reference: 0x1234 };

fn shifted(locking: u8, single: u8) -> Charset {
    Charset::Gsm7(Shifts { locking: Language(locking), single: Language(single) })
}

fn lengths(text: &str, charset: Charset, multipart: Multipart) -> Vec<usize> {
    split(text, charset, multipart).unwrap().iter().map(|part| part.short_message.len()).collect()
}

#[test]
fn capacities_are_those_of_the_standard() {
    for (header, septets, octets, units) in [
        (0, 160, 140, 70),
        (6, 153, 134, 67),
        (7, 152, 133, 66),
        (4, 155, 136, 68),
        (9, 149, 131, 65),
        (12, 146, 128, 64),
        (10, 148, 130, 65),
    ] {
        assert_eq!(capacity(Charset::GSM7, header), septets, "header of {header}");
        assert_eq!(capacity(Charset::Gsm7Packed(Shifts::NONE), header), septets);
        assert_eq!(capacity(Charset::Octets, header), octets);
        assert_eq!(capacity(Charset::Ucs2, header), units);
    }
    assert_eq!(capacity(Charset::GSM7, 1000), 0);
}

#[test]
fn a_text_that_fits_is_one_part_without_a_header() {
    for multipart in [UDH8, UDH16, SAR, Multipart::ShortMessage, Multipart::Payload] {
        let parts = split(&"a".repeat(160), Charset::GSM7, multipart).unwrap();
        assert_eq!((parts.len(), parts[0].short_message.len(), parts[0].udhi), (1, 160, false));
        assert!(parts[0].tlvs.is_empty());
        assert_eq!(split("", Charset::Ucs2, multipart).unwrap().len(), 1);
    }
    assert_eq!(lengths(&"ж".repeat(70), Charset::Ucs2, UDH8), [140]);
    assert_eq!(lengths(&"a".repeat(160), Charset::Gsm7Packed(Shifts::NONE), UDH8), [140]);
}

#[test]
fn one_character_more_makes_two_parts() {
    assert_eq!(lengths(&"a".repeat(161), Charset::GSM7, UDH8), [6 + 153, 6 + 8]);
    assert_eq!(lengths(&"a".repeat(161), Charset::GSM7, UDH16), [7 + 152, 7 + 9]);
    assert_eq!(lengths(&"a".repeat(161), Charset::GSM7, SAR), [153, 8]);
    assert_eq!(lengths(&"ж".repeat(71), Charset::Ucs2, UDH8), [6 + 134, 6 + 8]);
    assert_eq!(lengths(&"ж".repeat(71), Charset::Ucs2, UDH16), [7 + 132, 7 + 10]);
    assert_eq!(lengths(&"a".repeat(141), Charset::Octets, UDH8), [140, 6 + 7]);
    assert_eq!(lengths(&"a".repeat(161), Charset::Gsm7Packed(Shifts::NONE), UDH8), [140, 6 + 8]);
}

#[test]
fn parts_have_headers_in_order_and_the_udhi_bit() {
    let parts = split(&"a".repeat(400), Charset::GSM7, UDH8).unwrap();
    let headers: Vec<_> = parts.iter().map(|part| &part.short_message[..6]).collect();
    assert_eq!(headers, [[5, 0, 3, 0xCC, 3, 1], [5, 0, 3, 0xCC, 3, 2], [5, 0, 3, 0xCC, 3, 3]]);
    assert!(parts.iter().all(|part| part.udhi && part.tlvs.is_empty() && part.total == 3));
    let parts = split(&"a".repeat(400), Charset::GSM7, UDH16).unwrap();
    assert_eq!(parts[1].short_message[..7], [6, 8, 4, 0x12, 0x34, 3, 2]);
}

#[test]
fn sar_parts_have_all_three_tlvs_and_no_header() {
    let parts = split(&"a".repeat(161), Charset::GSM7, SAR).unwrap();
    let tlvs = &parts[1].tlvs;
    assert_eq!(tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM), Some(0x1234));
    assert_eq!((tlvs.get_u8(TlvTag::SAR_TOTAL_SEGMENTS), tlvs.get_u8(TlvTag::SAR_SEGMENT_SEQNUM)), (Some(2), Some(2)));
    assert!(!parts[1].udhi);
}

#[test]
fn a_long_payload_is_one_tlv_and_an_empty_short_message() {
    let parts = split(&"a".repeat(65_535), Charset::GSM7, Multipart::Payload).unwrap();
    assert_eq!((parts.len(), parts[0].short_message.len()), (1, 0));
    assert_eq!(parts[0].tlvs.get(TlvTag::MESSAGE_PAYLOAD).unwrap().len(), 65_535);
    let error = split(&"a".repeat(65_536), Charset::GSM7, Multipart::Payload).unwrap_err();
    assert_eq!(error.to_string(), "text has 65536 octets in message_payload; allowed are 65535");
}

#[test]
fn a_short_message_holds_254_octets_and_no_more() {
    assert_eq!(lengths(&"a".repeat(254), Charset::GSM7, Multipart::ShortMessage), [254]);
    let error = split(&"a".repeat(255), Charset::GSM7, Multipart::ShortMessage).unwrap_err();
    assert_eq!(error, SplitError::TooLong { field: "short_message", octets: 255, max: 254 });
    assert!(split(&"€".repeat(134), Charset::GSM7, Multipart::ShortMessage).is_err(), "268 octets");
}

#[test]
fn an_escape_pair_is_not_cut() {
    let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
    let parts = split(&text, Charset::GSM7, UDH8).unwrap();
    assert_eq!(parts[0].short_message.len(), 6 + 152);
    assert_eq!(parts[1].short_message[6..9], [0x1B, 0x65, b'b']);
}

#[test]
fn a_surrogate_pair_is_not_cut() {
    let text = format!("{}😀{}", "ж".repeat(66), "ж".repeat(20));
    assert_eq!(lengths(&text, Charset::Ucs2, UDH8), [6 + 132, 6 + 44]);
    assert_eq!(lengths(&"😀".repeat(36), Charset::Ucs2, UDH8), [6 + 132, 6 + 12]);
}

#[test]
fn a_character_of_several_octets_is_not_cut() {
    assert_eq!(lengths(&format!("a{}", "漢".repeat(70)), Charset::ShiftJis, UDH8), [6 + 133, 6 + 8]);
    assert_eq!(lengths(&"안".repeat(71), Charset::EucKr, UDH16), [7 + 132, 7 + 10]);
    let parts = split(&"漢".repeat(100), Charset::Iso2022Jp, UDH8).unwrap();
    assert_eq!(parts[0].short_message.len(), 6 + 3 + 128 + 3);
    assert!(parts.iter().all(|part| part.short_message.ends_with(b"\x1B(B")), "each part ends in ASCII");
}

#[test]
fn a_visible_character_is_not_cut_when_there_is_a_better_place() {
    let family = "👨‍👩‍👧";
    let text = format!("{}{family}{}", "ж".repeat(62), "ж".repeat(20));
    assert_eq!(lengths(&text, Charset::Ucs2, UDH8)[0], 6 + 124, "before the family");
    let marks = format!("e{}", "\u{301}".repeat(200));
    assert_eq!(lengths(&marks, Charset::Ucs2, UDH8), [140, 140, 140], "nowhere to cut well");
}

#[test]
fn national_tables_are_named_in_every_part() {
    let one = split("ışık", shifted(0, 1), UDH8).unwrap();
    assert_eq!(one[0].short_message[..4], [3, 0x24, 1, 1]);
    assert!(one[0].udhi);
    let text = "ışık ".repeat(50);
    let parts = split(&text, shifted(1, 1), UDH8).unwrap();
    assert!(parts.len() == 2 && parts.iter().all(|part| part.short_message[6..12] == [0x24, 1, 1, 0x25, 1, 1]));
    assert_eq!(parts[0].short_message.len(), 12 + 146);
    for multipart in [SAR, Multipart::Payload, Multipart::ShortMessage] {
        assert_eq!(split(&text, shifted(1, 1), multipart), Err(SplitError::ShiftsNeedHeader));
    }
}

#[test]
fn more_parts_than_can_be_numbered_are_refused_with_their_count() {
    assert_eq!(split(&"a".repeat(255 * 153), Charset::GSM7, UDH8).unwrap().len(), 255);
    let error = split(&"a".repeat(255 * 153 + 1), Charset::GSM7, UDH8).unwrap_err();
    assert_eq!(error, SplitError::TooManyParts { parts: 256 });
    assert_eq!(error.to_string(), "text needs 256 parts; allowed are 255");
}

#[test]
fn counting_tells_units_and_parts() {
    let count = |text: &str, charset| count(text, charset, UDH8).unwrap();
    assert_eq!(count("", Charset::GSM7), Count { units: 0, parts: 1 });
    assert_eq!(count(&"€".repeat(80), Charset::GSM7), Count { units: 160, parts: 1 });
    assert_eq!(count(&"€".repeat(81), Charset::GSM7), Count { units: 162, parts: 2 });
    assert_eq!(count(&"😀".repeat(36), Charset::Ucs2), Count { units: 72, parts: 2 });
    assert_eq!(count(&"a".repeat(9), Charset::Gsm7Packed(Shifts::NONE)), Count { units: 9, parts: 1 });
}

#[test]
fn packed_parts_do_not_end_in_a_carriage_return_that_would_be_lost() {
    let packed = Charset::Gsm7Packed(Shifts::NONE);
    let text = format!("{}\r{}", "a".repeat(152), "b".repeat(30));
    let parts = split(&text, packed, UDH8).unwrap();
    assert!(parts.iter().all(|part| part.short_message.len() <= 140));
    let text = format!("{}\r", "a".repeat(159));
    assert_eq!(split(&text, packed, UDH8).unwrap().len(), 2, "its carriage return would have to be doubled");
}

proptest! {
    #[test]
    fn no_part_is_longer_than_a_short_message((charset, text) in carried(600), multipart in multiparts()) {
        let Ok(parts) = split(&text, charset, multipart) else { return Ok(()) };
        prop_assert_eq!(parts.len(), count(&text, charset, multipart).unwrap().parts);
        for part in &parts {
            let header = if part.udhi { 1 + usize::from(part.short_message[0]) } else { 0 };
            let room = if matches!(multipart, Multipart::Sar { .. }) && part.total > 1 { 6 } else { header };
            let max = if multipart == Multipart::ShortMessage { 254 } else { octets_max(charset, room) };
            prop_assert!(part.short_message.len() - header <= max, "{} octets", part.short_message.len());
        }
    }

    #[test]
    fn any_text_is_split_or_refused(text in "\\PC{0,300}", charset in charsets(), multipart in multiparts()) {
        let refused = charset.encode(&text).is_err();
        let unencodable = matches!(split(&text, charset, multipart), Err(SplitError::Unencodable(_)));
        prop_assert_eq!(refused, unencodable);
    }
}

#[test]
fn the_first_parts_are_a_message_of_their_own() {
    for (charset, character) in
        [(Charset::GSM7, 'x'), (Charset::GSM7, '€'), (Charset::Ucs2, '😀'), (Charset::ShiftJis, '漢')]
    {
        let text = String::from(character).repeat(700);
        for max in [1, 2, 4] {
            let kept = first_parts(&text, charset, UDH8, max).unwrap();
            let parts = split(kept, charset, UDH8).unwrap();
            assert_eq!(parts.len(), usize::from(max), "{} {character} {max}", charset.name());
            let longer: String = text.chars().take(kept.chars().count() + 1).collect();
            assert_eq!(
                split(&longer, charset, UDH8).unwrap().len(),
                usize::from(max) + 1,
                "as much as there is room for"
            );
        }
    }
    assert_eq!(first_parts("short", Charset::GSM7, UDH8, 1), Ok("short"));
    let endless = "x".repeat(100_000);
    assert_eq!(first_parts(&endless, Charset::GSM7, UDH8, 255).unwrap().len(), 255 * 153);
    assert!(matches!(first_parts(&endless, Charset::GSM7, Multipart::Payload, 3), Err(SplitError::TooLong { .. })));
}
