//! Guards the PDUs of mobile-originated messages: what the receiving end reads is what was written, in every coding and
//! every way of parting, and what cannot be sent is refused in words.

use proptest::prelude::*;
use smpp_transport::pdu::{Leniency, Pdu};
use smpp_transport::text::DefaultAlphabet;

use super::*;
use crate::mo::Tlv;
use crate::rules::Hex;

const LONG: &str = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\
                    0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz";

fn mo(text: &str) -> Mo {
    Mo { from: "27820001111".to_owned(), to: "8888".to_owned(), text: Some(text.to_owned()), ..Mo::default() }
}

fn octets(hex: Vec<u8>) -> Mo {
    Mo { text: None, hex: Some(Hex(hex)), ..mo("") }
}

/// The PDUs of a message as they come out of the codec.
fn sent(mo: &Mo) -> Vec<Pdu> {
    let pdus = mo.pdus(0x1234).expect("it can be sent").into_iter().map(|(body, tlvs)| {
        let pdu = Pdu { status: Default::default(), sequence: 1, body, tlvs };
        assert_eq!(pdu.tlvs.check_lengths(), Ok(()));
        Pdu::decode(&pdu.to_octets(), Leniency::STRICT).expect("it is well-formed")
    });
    pdus.collect()
}

/// What a deliver_sm says, and what is in it.
fn sm(pdu: &Pdu) -> &Sm {
    let Body::DeliverSm(sm) = &pdu.body else { panic!("{pdu} is a deliver_sm") };
    sm
}

fn user_data(pdu: &Pdu) -> (bool, DataCoding, Bytes) {
    let payload = pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD);
    match &pdu.body {
        Body::DeliverSm(sm) => {
            let (data, is_empty) = (sm.short_message.to_bytes(), sm.short_message.as_bytes().is_empty());
            assert!(is_empty || payload.is_none(), "never two texts");
            (sm.esm_class.has_udh(), sm.data_coding, payload.unwrap_or(data))
        }
        Body::DataSm(sm) => (sm.esm_class.has_udh(), sm.data_coding, payload.expect("data_sm has nothing else")),
        _ => panic!("{pdu} carries a message"),
    }
}

/// The parts as a receiver reads them: which of how many, and the octets of the text.
fn content(pdu: &Pdu) -> (Option<(u16, u8, u8)>, Bytes) {
    let (has_header, _, data) = user_data(pdu);
    let (header, text) = if has_header { Udh::read(&data).expect("a header") } else { (Udh::new(), data) };
    let sar = pdu.tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM).map(|reference| {
        let number = |tag| pdu.tlvs.get_u8(tag).expect("all three of them");
        (reference, number(TlvTag::SAR_SEGMENT_SEQNUM), number(TlvTag::SAR_TOTAL_SEGMENTS))
    });
    (header.concatenation().map(|part| (part.reference, part.number, part.total)).or(sar), text)
}

#[test]
fn a_short_text_is_one_deliver_sm() {
    let [pdu] = sent(&mo("hello")).try_into().expect("one");
    let sm = sm(&pdu);
    assert_eq!((sm.source_addr.text(), sm.destination_addr.text()), ("27820001111".to_owned(), "8888".to_owned()));
    assert_eq!(sm.short_message.as_bytes(), b"hello");
    assert_eq!((sm.data_coding, sm.esm_class, sm.service_type.is_empty()), (DataCoding(0), EsmClass(0), true));
    assert!(pdu.tlvs.is_empty());
}

#[test]
fn what_is_said_by_number_is_said() {
    let mo = Mo {
        from_ton: Some(2),
        from_npi: Some(8),
        to_ton: Some(3),
        to_npi: Some(9),
        data_coding: Some(0xF1),
        esm_class: 0x80,
        service_type: Some("WAP".to_owned()),
        protocol_id: 0x41,
        priority: 3,
        registered_delivery: 0x08,
        tlvs: vec![Tlv { tag: 0x1400, hex: Hex(vec![1, 2]) }, Tlv { tag: 0x1400, hex: Hex(vec![]) }],
        ..mo("hello")
    };
    let [pdu] = sent(&mo).try_into().expect("one");
    let sm = sm(&pdu);
    assert_eq!((sm.source_addr_ton.0, sm.source_addr_npi.0, sm.dest_addr_ton.0, sm.dest_addr_npi.0), (2, 8, 3, 9));
    assert_eq!((sm.data_coding.0, sm.esm_class.0, sm.protocol_id, sm.priority_flag), (0xF1, 0x80, 0x41, 3));
    assert_eq!((sm.service_type.text().as_str(), sm.registered_delivery.0), ("WAP", 0x08));
    let tlvs: Vec<_> = pdu.tlvs.iter().map(|(tag, value)| (tag.0, value.to_vec())).collect();
    assert_eq!(tlvs, [(0x1400, vec![1, 2]), (0x1400, vec![])]);
}

#[test]
fn numbers_are_international_and_names_alphanumeric() {
    for (address, ton, npi) in [
        ("27820001111", Ton::INTERNATIONAL, Npi::ISDN),
        ("+27820001111", Ton::INTERNATIONAL, Npi::ISDN),
        ("BANK24", Ton::ALPHANUMERIC, Npi::UNKNOWN),
        ("*120#", Ton::UNKNOWN, Npi::UNKNOWN),
        ("", Ton::UNKNOWN, Npi::UNKNOWN),
    ] {
        let mo = Mo { from: address.to_owned(), to: address.to_owned(), ..mo("hello") };
        let pdus = sent(&mo);
        let sm = sm(&pdus[0]);
        assert_eq!((sm.source_addr_ton, sm.source_addr_npi), (ton, npi), "{address}");
        assert_eq!((sm.dest_addr_ton, sm.dest_addr_npi), (ton, npi), "{address}");
    }
}

/// Every coding, with a text of its own, its data_coding and the octets of the text.
const CODINGS: [(Coding, &str, u8, &[u8]); 11] = [
    (Coding::Gsm7, "h€", 0, &[0x68, 0x1B, 0x65]),
    (Coding::Gsm7Packed, "hellohello", 0, &[0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]),
    (Coding::Ascii, "h@", 1, &[0x68, 0x40]),
    (Coding::Latin1, "é", 3, &[0xE9]),
    (Coding::Jis, "あ", 5, &[0x82, 0xA0]),
    (Coding::Cyrillic, "ж", 6, &[0xD6]),
    (Coding::Hebrew, "א", 7, &[0xE0]),
    (Coding::Ucs2, "ж😀", 8, &[0x04, 0x36, 0xD8, 0x3D, 0xDE, 0x00]),
    (Coding::Ucs2LittleEndian, "ж😀", 8, &[0x36, 0x04, 0x3D, 0xD8, 0x00, 0xDE]),
    (Coding::Korean, "가", 14, &[0xB0, 0xA1]),
    (Coding::Utf8, "ж", 0, &[0xD0, 0xB6]),
];

#[test]
fn every_coding_is_written() {
    for (coding, text, data_coding, octets) in CODINGS {
        for mo in [mo(text), Mo { data_sm: true, ..mo(text) }, Mo { multipart: Multipart::Payload, ..mo(text) }] {
            let pdus = sent(&Mo { coding: Some(coding), ..mo });
            assert_eq!(user_data(&pdus[0]), (false, DataCoding(data_coding), Bytes::from_static(octets)), "{coding:?}");
        }
    }
    assert_eq!(user_data(&sent(&mo("ж"))[0]).1, DataCoding::UCS2, "the smallest that has it");
    assert_eq!(user_data(&sent(&octets(vec![1]))[0]).1, DataCoding::OCTETS_8BIT);
}

#[test]
fn long_texts_are_parted_as_asked() {
    for (multipart, reference, parts) in [
        (Multipart::Udh8, Some(0x34), vec![153, 63]),
        (Multipart::Udh16, Some(0x1234), vec![152, 64]),
        (Multipart::Sar, Some(0x1234), vec![153, 63]),
        (Multipart::Payload, None, vec![216]),
        (Multipart::None, None, vec![216]),
    ] {
        for data_sm in [false, true] {
            let pdus = sent(&Mo { multipart, data_sm, ..mo(LONG) });
            let read: Vec<_> = pdus.iter().map(content).collect();
            let total = u8::try_from(parts.len()).expect("few");
            for (place, (part, text)) in read.iter().enumerate() {
                let number = u8::try_from(place + 1).expect("few");
                assert_eq!(*part, reference.map(|reference| (reference, number, total)), "{multipart:?}");
                assert_eq!(text.len(), parts[place], "{multipart:?}");
            }
            assert_eq!(read.iter().flat_map(|(_, text)| text.to_vec()).collect::<Vec<_>>(), LONG.as_bytes());
            let is_payload = data_sm || multipart == Multipart::Payload;
            assert!(pdus.iter().all(|pdu| pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_some() == is_payload));
        }
    }
    assert_eq!(content(&sent(&Mo { reference: Some(7), ..mo(LONG) })[0]).0, Some((7, 1, 2)), "its own reference");
}

#[test]
fn long_octets_are_parted_as_asked() {
    let whole: Vec<u8> = (0..=255).chain(0..44).collect();
    for (multipart, parts) in [
        (Multipart::Udh8, vec![134, 134, 32]),
        (Multipart::Udh16, vec![133, 133, 34]),
        (Multipart::Sar, vec![134, 134, 32]),
        (Multipart::Payload, vec![300]),
    ] {
        let pdus = sent(&Mo { multipart, ..octets(whole.clone()) });
        let read: Vec<_> = pdus.iter().map(content).collect();
        assert_eq!(read.iter().map(|(_, octets)| octets.len()).collect::<Vec<_>>(), parts, "{multipart:?}");
        assert_eq!(read.iter().flat_map(|(_, octets)| octets.to_vec()).collect::<Vec<_>>(), whole);
        let expected = |place: usize| (parts.len() > 1).then(|| (place as u8 + 1, parts.len() as u8));
        let numbers = read.iter().map(|(part, _)| part.map(|(_, number, total)| (number, total)));
        assert!(numbers.enumerate().all(|(place, numbers)| numbers == expected(place)));
    }
    assert_eq!(sent(&octets(vec![0; 140])).len(), 1);
    assert_eq!(sent(&octets(vec![0; 141])).len(), 2);
}

#[test]
fn parts_come_in_the_order_asked() {
    let long = LONG.repeat(2);
    let numbers = |parts: Vec<u8>| -> Vec<_> {
        let pdus = sent(&Mo { parts, ..mo(&long) });
        pdus.iter().map(|pdu| content(pdu).0.expect("a part").1).collect()
    };
    assert_eq!(numbers(vec![]), [1, 2, 3]);
    assert_eq!(numbers(vec![3, 1]), [3, 1], "one is missing");
    assert_eq!(numbers(vec![1, 1, 2]), [1, 1, 2], "one is doubled");
    assert_eq!(sent(&Mo { parts: vec![1, 1], ..mo("hello") }).len(), 2);
}

#[test]
fn a_header_by_hand_is_sent_as_it_is() {
    // Part 5 of 3: no sender means that.
    let header = vec![0x05, 0x00, 0x03, 0x07, 0x03, 0x05];
    let udh = Some(Hex(header.clone()));
    let pdus = sent(&Mo { udh: udh.clone(), ..mo("hello") });
    assert_eq!(user_data(&pdus[0]), (true, DataCoding(0), [&header, b"hello".as_slice()].concat().into()));
    let packed = Mo { udh: udh.clone(), coding: Some(Coding::Gsm7Packed), ..mo("A") };
    assert_eq!(user_data(&sent(&packed)[0]).2, [&header, &[0x82_u8][..]].concat(), "septets start on their boundary");
    let swapped = Mo { udh: udh.clone(), coding: Some(Coding::Ucs2LittleEndian), ..mo("A") };
    assert_eq!(user_data(&sent(&swapped)[0]).2, [&header, b"A\0".as_slice()].concat(), "the header is not swapped");
    let pdus = sent(&Mo { udh, multipart: Multipart::Payload, ..octets(vec![9; 300]) });
    assert_eq!((pdus.len(), user_data(&pdus[0]).0, user_data(&pdus[0]).2.len()), (1, true, 306));
    let overrun = Mo { udh: Some(Hex(vec![0xFF])), coding: Some(Coding::Ucs2LittleEndian), ..mo("A") };
    assert_eq!(user_data(&sent(&overrun)[0]).2, [0xFF, 0x00, b'A'].as_slice(), "however wrong it is");
}

#[test]
fn ussd_is_said_in_parameters() {
    let ussd = Ussd { service_op: 18, session: Some(9), sequence: 3, ends: true, user_message_reference: Some(0x0102) };
    let pdus = sent(&Mo { ussd: Some(ussd), ..mo("1") });
    let tlvs: Vec<_> = pdus[0].tlvs.iter().map(|(tag, value)| (tag, value.to_vec())).collect();
    let expected = [
        (TlvTag::USSD_SERVICE_OP, vec![18]),
        (TlvTag::ITS_SESSION_INFO, vec![9, 0b111]),
        (TlvTag::USER_MESSAGE_REFERENCE, vec![1, 2]),
    ];
    assert_eq!(tlvs, expected);
    assert_eq!(sm(&pdus[0]).service_type, "USSD");
    let plain = Ussd { service_op: 1, ..Ussd::default() };
    assert_eq!(sent(&Mo { ussd: Some(plain), ..mo("*120#") })[0].tlvs.iter().count(), 1);
}

#[test]
fn data_sm_has_longer_addresses() {
    let long = "2".repeat(64);
    let pdus = sent(&Mo { from: long.clone(), to: long.clone(), data_sm: true, text: None, ..mo("") });
    let Body::DataSm(sm) = &pdus[0].body else { panic!("a data_sm") };
    assert_eq!((sm.source_addr.text(), sm.destination_addr.text()), (long.clone(), long));
    assert_eq!(pdus[0].tlvs.get(TlvTag::MESSAGE_PAYLOAD), Some(Bytes::new()), "an empty message");
}

#[test]
fn what_cannot_be_sent_is_refused_in_words() {
    let hand = |octets: &[u8]| Some(Hex(octets.to_vec()));
    let ussd = |ussd| Mo { ussd: Some(ussd), ..mo("1") };
    for (mo, words) in [
        (
            Mo { to: "1234567890123456789012345".to_owned(), ..mo("") },
            "to is \"123456789012345678901234…\" (25 characters): at most 20 are allowed",
        ),
        (Mo { from: "ж".to_owned(), ..mo("") }, "from is \"ж\": the character 'ж' at 0 is not in Latin-1"),
        (
            Mo { from: "1".repeat(65), data_sm: true, ..mo("") },
            "from is \"111111111111111111111111…\" (65 characters): at most 64 are allowed",
        ),
        (
            Mo { service_type: Some("INTERNET".to_owned()), ..mo("") },
            "service_type is \"INTERNET\" (8 characters): at most 5 are allowed",
        ),
        (
            Mo { coding: Some(Coding::Latin1), ..mo("aж") },
            "text has what cannot be written: character 'ж' (U+0436) at index 1 is not in Latin-1",
        ),
        (
            Mo { udh: hand(&[0]), coding: Some(Coding::Ascii), ..mo("ж") },
            "text has what cannot be written: character 'ж' (U+0436) at index 0 is not in ASCII",
        ),
        (
            Mo { multipart: Multipart::None, ..mo(&LONG.repeat(2)) },
            "text has 432 octets: at most 254 are allowed in short_message",
        ),
        (
            Mo { udh: hand(&[1, 2]), ..octets(vec![0; 253]) },
            "hex has 255 octets with its header: at most 254 are allowed in short_message",
        ),
        (
            Mo { multipart: Multipart::Payload, ..octets(vec![0; 65_536]) },
            "hex has 65536 octets: at most 65535 are allowed in message_payload",
        ),
        (mo(&LONG.repeat(200)), "text is too long: text needs 283 parts; allowed are 255"),
        (octets(vec![0; 34_171]), "hex has 34171 octets: 34170 are allowed in 255 parts"),
        (Mo { hex: hand(&[0]), ..mo("text") }, "hex is given beside text: one of them is allowed"),
        (
            Mo { coding: Some(Coding::Ucs2), ..octets(vec![0]) },
            "coding is given without text: octets have data_coding alone",
        ),
        (Mo { parts: vec![1, 3], ..mo(LONG) }, "parts is [1, 3]: 1 to 2 are allowed"),
        (Mo { parts: vec![0], ..mo("short") }, "parts is [0]: 1 is allowed"),
        (Mo { count: 0, ..mo("") }, "count is 0: 1 to 100000 is allowed"),
        (Mo { count: 100_001, ..mo("") }, "count is 100001: 1 to 100000 is allowed"),
        (Mo { rate: -1.0, ..mo("") }, "rate is -1: 0, or 0.001 to 1000000, is allowed"),
        (Mo { rate: f64::NAN, ..mo("") }, "rate is NaN: 0, or 0.001 to 1000000, is allowed"),
        (
            ussd(Ussd { session: Some(1), sequence: 128, ..Ussd::default() }),
            "ussd.sequence is 128: 0 to 127 is allowed",
        ),
        (
            ussd(Ussd { ends: true, ..Ussd::default() }),
            "ussd.ends is said in its_session_info: ussd.session is wanted, too",
        ),
        (
            Mo { tlvs: vec![Tlv { tag: 1, hex: Hex(vec![0; 65_536]) }], ..mo("") },
            "tlvs[0].hex has 65536 octets: at most 65535 are allowed",
        ),
    ] {
        assert_eq!(mo.pdus(1).expect_err(words).to_string(), words);
    }
}

#[test]
fn every_field_can_be_written_and_left_out() {
    let empty: Mo = serde_saphyr::from_str("{}").expect("nothing need be said");
    assert_eq!(empty, Mo::default());
    assert_eq!(empty.count, 1);
    let all = Mo {
        account: Some("one".to_owned()),
        session: Some(7),
        reference: Some(7),
        udh: Some(Hex(vec![0])),
        ussd: Some(Ussd { service_op: 1, user_message_reference: Some(2), ..Ussd::default() }),
        tlvs: vec![Tlv { tag: 5121, hex: Hex(vec![1]) }],
        parts: vec![1, 1],
        rate: 2.5,
        ..mo("hello")
    };
    let json = serde_json::to_string(&all).expect("it can be written");
    assert_eq!(serde_json::from_str::<Mo>(&json).expect(&json), all);
    let yaml = serde_saphyr::to_string(&all).expect("it can be written");
    assert_eq!(serde_saphyr::from_str::<Mo>(&yaml).expect(&yaml), all);
    for (coding, ..) in CODINGS {
        let word = serde_json::to_value(coding).expect("a word");
        assert_eq!(serde_json::from_value::<Coding>(word).expect("the same"), coding);
    }
    let numbers: Mo = serde_saphyr::from_str("{ from: 0027820001111, to: 8888, text: 1.50 }").expect("without quotes");
    assert_eq!(
        (numbers.from.as_str(), numbers.to.as_str(), numbers.text.as_deref()),
        ("0027820001111", "8888", Some("1.50"))
    );
    let error = serde_json::from_str::<Mo>(r#"{"txt": "hello"}"#).expect_err("no such field").to_string();
    assert!(error.contains("unknown field `txt`"), "{error}");
}

proptest! {
    /// Joined as the product joins parts, any text comes back.
    #[test]
    fn any_text_comes_back(text in "\\PC{0,400}", multipart in 0..4_usize, little_endian: bool, data_sm: bool) {
        let multipart = [Multipart::Udh8, Multipart::Udh16, Multipart::Sar, Multipart::Payload][multipart];
        let coding = little_endian.then_some(Coding::Ucs2LittleEndian);
        let mo = Mo { multipart, coding, data_sm, ..mo(&text) };
        let mut joined = Vec::new();
        let mut data_coding = DataCoding::default();
        for pdu in sent(&mo) {
            data_coding = user_data(&pdu).1;
            joined.extend_from_slice(&content(&pdu).1);
        }
        if little_endian {
            joined.chunks_exact_mut(2).for_each(|unit| unit.swap(0, 1));
        }
        let read = Charset::of(data_coding, DefaultAlphabet::Gsm7).decode(&joined);
        prop_assert_eq!(read.text, text);
    }
}
