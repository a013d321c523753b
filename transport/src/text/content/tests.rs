//! Guards what is taken for a header and for a part: the UDHI bit, malformed headers, SAR, both together.

use super::*;
use crate::pdu::DataCoding;
use crate::text::charset::DefaultAlphabet;
use crate::text::split::{Multipart, split};

const UDHI: EsmClass = EsmClass(0x40);

fn read(esm_class: EsmClass, data_coding: u8, tlvs: &Tlvs, octets: &[u8]) -> Content {
    let charset = Charset::of(DataCoding(data_coding), DefaultAlphabet::Gsm7);
    Content::read(esm_class, tlvs, charset, &Bytes::copy_from_slice(octets))
}

fn sar_tlvs(reference: u16, total: u8, number: u8) -> Tlvs {
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
    tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, &[total]);
    tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, &[number]);
    tlvs
}

#[test]
fn a_part_of_another_encoder_is_read() {
    let content = read(UDHI, 0, &Tlvs::new(), b"\x05\x00\x03\x11\x02\x01first");
    let part = PartReference { kind: ReferenceKind::Udh8, reference: 0x11, total: 2, number: 1 };
    assert_eq!((content.part, content.decode().text.as_str()), (Some(part), "first"));

    let content = read(EsmClass(0xC0), 0, &Tlvs::new(), b"\x05\x00\x03\x01\x02\x01both");
    assert_eq!(content.decode().text, "both");

    let content = read(EsmClass(0), 0, &sar_tlvs(9, 2, 2), b"second");
    let part = PartReference { kind: ReferenceKind::Sar, reference: 9, total: 2, number: 2 };
    assert_eq!((content.part, content.decode().text.as_str()), (Some(part), "second"));
}

#[test]
fn ports_of_another_encoder_are_read() {
    let content = read(UDHI, 4, &Tlvs::new(), b"\x06\x05\x04\x3e\x80\x3e\x81\x01\x02");
    assert_eq!(content.udh.ports().unwrap().destination, 0x3E80);
    assert_eq!((content.part, content.octets.as_ref()), (None, &[1, 2][..]));
}

#[test]
fn a_text_that_looks_like_a_header_is_text() {
    let content = read(EsmClass(0), 0, &Tlvs::new(), b"\x05\x00\x03\x11\x02\x01");
    assert_eq!((content.part, content.decode().text.as_str()), (None, "é@¥_$£"));
}

#[test]
fn a_malformed_header_is_told_and_no_octet_is_lost() {
    let content = read(UDHI, 0, &Tlvs::new(), b"Hello");
    assert_eq!(content.fault, Some(UdhError::HeaderOverrun { udhl: b'H', available: 4 }));
    assert_eq!(content.decode().text, "Hello");
    assert!(read(UDHI, 0, &Tlvs::new(), b"").fault.is_some());
}

#[test]
fn sar_counts_only_when_complete_and_sensible() {
    for (total, number) in [(0, 0), (2, 0), (2, 3), (0, 1)] {
        assert_eq!(read(EsmClass(0), 0, &sar_tlvs(1, total, number), b"x").part, None, "{number} of {total}");
    }
    let mut two = Tlvs::new();
    two.push(TlvTag::SAR_MSG_REF_NUM, &[0, 1]);
    two.push(TlvTag::SAR_TOTAL_SEGMENTS, &[2]);
    assert_eq!(read(EsmClass(0), 0, &two, b"x").part, None);
}

#[test]
fn of_header_and_sar_the_header_counts() {
    let content = read(UDHI, 0, &sar_tlvs(9, 3, 2), b"\x05\x00\x03\x11\x02\x01x");
    assert_eq!(content.part.unwrap().kind, ReferenceKind::Udh8);
    let content = read(UDHI, 0, &sar_tlvs(9, 3, 2), b"\x03\x24\x01\x01x");
    assert_eq!(content.part.unwrap().kind, ReferenceKind::Sar, "a header that says nothing about parts");
}

#[test]
fn the_header_names_the_national_tables() {
    let content = read(UDHI, 0, &Tlvs::new(), b"\x06\x24\x01\x01\x25\x01\x01\x0C\x1B\x65");
    assert_eq!(content.decode().text, "ğ€");
    assert_eq!(read(UDHI, 8, &Tlvs::new(), b"\x03\x25\x01\x01\0A").charset, Charset::Ucs2);
}

#[test]
fn packed_text_after_a_header_is_unpacked_from_the_septet_boundary() {
    let packed = Charset::Gsm7Packed(Shifts::NONE);
    let text = "The quick brown fox € ".repeat(12);
    for multipart in [Multipart::Udh8 { reference: 1 }, Multipart::Udh16 { reference: 1 }] {
        let parts = split(&text, packed, multipart).unwrap();
        let read = parts.iter().map(|part| Content::read(UDHI, &part.tlvs, packed, &part.short_message));
        assert_eq!(read.map(|content| content.decode().text).collect::<String>(), text);
    }
}
