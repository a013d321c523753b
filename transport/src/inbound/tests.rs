//! Guards what PDUs are read as.

use regex::Regex;

use super::*;
use crate::bus::{DeliveryStatus, SessionEvent};
use crate::pdu::{CommandStatus, DataSm, ShortMessage, Sm};
use crate::text::ReferenceKind;

fn deliver(esm_class: u8, data_coding: u8, octets: &[u8]) -> Pdu {
    let sm = Sm {
        source_addr: "27831112222".parse().unwrap(),
        destination_addr: "1001".parse().unwrap(),
        esm_class: EsmClass(esm_class),
        data_coding: DataCoding(data_coding),
        short_message: ShortMessage::new(octets.to_vec()).unwrap(),
        ..Sm::default()
    };
    Pdu::new(CommandStatus::ESME_ROK, 1, Body::DeliverSm(sm))
}

fn with(mut pdu: Pdu, tlvs: &[(TlvTag, &[u8])]) -> Pdu {
    tlvs.iter().for_each(|(tag, value)| pdu.tlvs.push(*tag, value));
    pdu
}

fn text_of(pdu: &Pdu) -> (String, Envelope) {
    match read(pdu, &InboundOptions::default()) {
        Read::Text { text, envelope } => (text, envelope),
        other => panic!("{other:?}"),
    }
}

fn receipt_of(pdu: &Pdu) -> ReadReceipt {
    match read(pdu, &InboundOptions::default()) {
        Read::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

const RECEIPT: &[u8] =
    b"id:0000ABCD sub:001 dlvrd:001 submit date:2611221758 done date:2611221759 stat:DELIVRD err:000 text:hi";

#[test]
fn a_message_has_its_addresses_and_its_text() {
    let (text, envelope) = text_of(&deliver(0, 0, b"hello \x00"));
    assert_eq!((text.as_str(), envelope.from.as_str(), envelope.to.as_str()), ("hello @", "27831112222", "1001"));
    assert!(envelope.ussd.is_none());
    let (text, _) =
        text_of(&deliver(0, 8, "Привет 😀".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>().as_slice()));
    assert_eq!(text, "Привет 😀");
    let (text, _) = text_of(&with(deliver(0, 0, b""), &[(TlvTag::MESSAGE_PAYLOAD, b"in the payload")]));
    assert_eq!(text, "in the payload");
}

#[test]
fn data_sm_is_read_as_deliver_sm_is() {
    let data = DataSm { source_addr: "2783".parse().unwrap(), esm_class: EsmClass(4), ..DataSm::default() };
    let pdu = Pdu::new(CommandStatus::ESME_ROK, 1, Body::DataSm(data));
    assert_eq!(receipt_of(&with(pdu, &[(TlvTag::MESSAGE_PAYLOAD, RECEIPT)])).id, "0000ABCD");
}

#[test]
fn octets_that_are_no_text_are_passed_on_as_they_are() {
    for (data_coding, octets, hex) in [(4, &b"\x00\xff"[..], "00ff"), (2, b"\x80", "80"), (0xF5, b"\x01", "01")] {
        let (text, envelope) = text_of(&deliver(0, data_coding, octets));
        let latin1: String = octets.iter().map(|octet| char::from(*octet)).collect();
        assert_eq!((text, &envelope.smpp["content_hex"]), (latin1, &json!(hex)));
        assert_eq!(envelope.smpp["data_coding"], json!(data_coding));
    }
    let (text, envelope) = text_of(&deliver(0, 8, b"\0h\0i\0"));
    assert_eq!(
        (text.chars().last(), &envelope.smpp["content_hex"]),
        (Some('\u{fffd}'), &json!("0068006900")),
        "odd UCS-2"
    );
    let (text, envelope) = text_of(&deliver(0, 0xF0, b"flash"));
    assert_eq!((text.as_str(), envelope.smpp.get("content_hex")), ("flash", None));
}

#[test]
fn an_override_says_what_a_data_coding_means() {
    let options = InboundOptions {
        data_coding_overrides: BTreeMap::from([(0, Charset::Latin1), (4, Charset::Utf8)]),
        ..InboundOptions::default()
    };
    for (data_coding, octets) in [(0, &b"caf\xe9"[..]), (4, "café".as_bytes())] {
        let Read::Text { text, .. } = read(&deliver(0, data_coding, octets), &options) else { panic!() };
        assert_eq!(text, "café");
    }
}

#[test]
fn a_part_is_known_by_its_header_if_that_is_marked_or_by_its_parameters() {
    let Read::Part { key, segment, envelope } =
        read(&deliver(0x40, 0, b"\x05\0\x03\x07\x03\x02part"), &InboundOptions::default())
    else {
        panic!()
    };
    assert_eq!((key.kind, key.reference, key.total, segment.number), (ReferenceKind::Udh8, 7, 3, 2));
    assert_eq!((&segment.octets[..], envelope.from.as_str()), (&b"part"[..], "27831112222"));
    let (text, _) = text_of(&deliver(0, 0, b"\x05\0\x03\x07\x03\x02part"));
    assert!(text.ends_with("part") && text.chars().count() == 10, "not marked: {text:?}");
    let sar: [(TlvTag, &[u8]); 4] = [
        (TlvTag::SAR_MSG_REF_NUM, &[1, 2]),
        (TlvTag::SAR_TOTAL_SEGMENTS, &[2]),
        (TlvTag::SAR_SEGMENT_SEQNUM, &[1]),
        (TlvTag::MESSAGE_PAYLOAD, b"first"),
    ];
    let Read::Part { key, segment, .. } = read(&with(deliver(0, 0, b""), &sar), &InboundOptions::default()) else {
        panic!()
    };
    assert_eq!((key.kind, key.reference, &segment.octets[..]), (ReferenceKind::Sar, 0x0102, &b"first"[..]));
}

#[test]
fn a_receipt_is_known_by_its_parameters_or_its_class_and_never_by_its_text() {
    let tlvs: [(TlvTag, &[u8]); 2] = [(TlvTag::RECEIPTED_MESSAGE_ID, b"43981\0"), (TlvTag::MESSAGE_STATE, &[5])];
    let by_tlvs = receipt_of(&with(deliver(0, 0, b"whatever"), &tlvs));
    assert_eq!((by_tlvs.id.as_str(), &*by_tlvs.report.smpp_status), ("43981", "UNDELIVERABLE"));
    assert_eq!((by_tlvs.report.status, by_tlvs.report.is_final), (DeliveryStatus::Failed, true));
    let by_class = receipt_of(&deliver(0x04, 0, RECEIPT));
    assert_eq!((by_class.id.as_str(), &*by_class.report.smpp_status), ("0000ABCD", "DELIVRD"));
    assert!(matches!(read(&deliver(0, 0, RECEIPT), &InboundOptions::default()), Read::Text { .. }), "forged");
    let body = InboundOptions { detect: Detect { body: true, ..Detect::default() }, ..InboundOptions::default() };
    assert!(matches!(read(&deliver(0, 0, RECEIPT), &body), Read::Receipt(_)), "asked for");
    assert!(
        matches!(read(&deliver(0, 0, b"id:7 is a good bus"), &body), Read::Text { .. }),
        "an id alone is no receipt"
    );
}

#[test]
fn a_receipt_in_parts_is_joined_unless_the_parameters_of_a_part_tell_the_end() {
    let parts = |class: u8, state: u8| {
        let texts = [&b"\x05\0\x03\x07\x02\x01id:43981 stat:DEL"[..], b"\x05\0\x03\x07\x02\x02IVRD err:000"];
        texts.map(|octets| {
            let tlvs: [(TlvTag, &[u8]); 2] =
                [(TlvTag::RECEIPTED_MESSAGE_ID, b"43981\0"), (TlvTag::MESSAGE_STATE, &[state])];
            with(deliver(class, 0, octets), &tlvs)
        })
    };
    let options = InboundOptions::default();
    for (class, state) in [(0x44, 7), (0x44, 1), (0x44, 200), (0x40, 7)] {
        let parts = parts(class, state);
        let segments = parts.iter().map(|pdu| match read(pdu, &options) {
            Read::ReceiptPart { segment, .. } => segment,
            other => panic!("esm_class {class:#x}, state {state}: {other:?}"),
        });
        let joined = join(segments);
        let Read::Receipt(receipt) = read_joined(&parts[1], &joined, &options) else { panic!() };
        assert_eq!((receipt.id.as_str(), receipt.report.status), ("43981", DeliveryStatus::Delivered));
        assert_eq!(&*receipt.report.smpp_status, "DELIVRD", "the text says more than the parameter");
    }
    for part in parts(0x44, 5) {
        assert_eq!(receipt_of(&part).report.status, DeliveryStatus::Failed);
    }
}

#[test]
fn a_receipt_that_cannot_be_read_is_no_message() {
    for octets in [&b""[..], b"thank you", b"stat:DELIVRD"] {
        assert!(
            matches!(read(&deliver(0x04, 0, octets), &InboundOptions::default()), Read::Unreadable(_)),
            "{octets:?}"
        );
    }
}

#[test]
fn states_are_told_as_vumi2_told_them_and_those_it_did_not_know_as_what_they_are() {
    for (stat, status) in [
        ("DELIVRD", DeliveryStatus::Delivered),
        ("delivrd", DeliveryStatus::Delivered),
        ("UNDELIV", DeliveryStatus::Failed),
        ("EXPIRED", DeliveryStatus::Failed),
        ("REJECTD", DeliveryStatus::Failed),
        ("ACCEPTD", DeliveryStatus::Pending),
        ("ENROUTE", DeliveryStatus::Pending),
        ("ODD", DeliveryStatus::Pending),
        ("FAILED", DeliveryStatus::Failed),
    ] {
        let receipt = receipt_of(&deliver(0x04, 0, format!("id:1 stat:{stat} err:000").as_bytes()));
        assert_eq!((receipt.report.status, &*receipt.report.smpp_status), (status, stat));
    }
    let intermediate = receipt_of(&deliver(0x20, 0, b"id:1 stat:EXPIRED"));
    assert!(!intermediate.report.is_final);
}

#[test]
fn a_pattern_reads_the_texts_of_an_smsc_of_its_own_kind() {
    let pattern = Pattern::new(Regex::new(r"MSG (?P<id>\d+) IS (?P<stat>\w+)").unwrap()).unwrap();
    let mut options = InboundOptions { pattern: Some(pattern), ..InboundOptions::default() };
    options.status_mapping.0.insert("THERE".to_owned(), DeliveryStatus::Delivered);
    let Read::Receipt(receipt) = read(&deliver(0x04, 0, b"MSG 77 IS THERE"), &options) else { panic!() };
    assert_eq!((receipt.id.as_str(), receipt.report.status), ("77", DeliveryStatus::Delivered));
    assert!(
        matches!(read(&deliver(0x04, 0, b"A MSG 77 IS THERE"), &options), Read::Unreadable(_)),
        "not at the beginning"
    );
    let words = Pattern::new(Regex::new("(?P<id>.)").unwrap()).unwrap_err();
    assert_eq!(words, "has no group named stat: (?P<stat>…)");
}

#[test]
fn a_dialogue_and_chosen_parameters_are_passed_on() {
    let dialect = ussd::Dialect { session: ussd::SessionKey::Addresses, ..ussd::Dialect::default() };
    let options =
        InboundOptions { ussd: dialect, tlvs: TlvSelection::Tags(vec![TlvTag(0x1401)]), ..InboundOptions::default() };
    let pdu = with(
        deliver(0, 0, b"*120#"),
        &[(TlvTag::USSD_SERVICE_OP, &[1]), (TlvTag(0x1401), b"ab"), (TlvTag(0x1402), b"c")],
    );
    let Read::Text { text, envelope } = read(&pdu, &options) else { panic!() };
    let stamp = Stamp { id: "i".into(), at: std::time::Duration::ZERO };
    let message = envelope.message(stamp, "smpp", text);
    assert_eq!((message.transport_type.as_str(), message.session_event), ("ussd", Some(SessionEvent::New)));
    let metadata = Value::Object(message.transport_metadata);
    assert_eq!(metadata["session_info"], json!({"ussd_service_op": "01"}));
    assert_eq!(metadata["smpp"]["tlvs"], json!([{"tag": "0x1401", "value_hex": "6162"}]));
}

#[test]
fn fields_of_the_pdu_reach_the_application() {
    let mut pdu = deliver(0x08, 0xF1, b"hi");
    let Body::DeliverSm(sm) = &mut pdu.body else { panic!() };
    sm.service_type = "WAP".parse().unwrap();
    (sm.source_addr_ton, sm.source_addr_npi) = (Ton(1), Npi(2));
    (sm.dest_addr_ton, sm.dest_addr_npi) = (Ton(3), Npi(4));
    let expected = json!({
        "command": "deliver_sm", "service_type": "WAP", "esm_class": 8, "data_coding": 0xF1,
        "source_addr_ton": 1, "source_addr_npi": 2, "dest_addr_ton": 3, "dest_addr_npi": 4,
    });
    assert_eq!(Value::Object(text_of(&pdu).1.smpp), expected);
    let data = DataSm { data_coding: DataCoding(8), esm_class: EsmClass(0), ..DataSm::default() };
    let pdu = with(Pdu::new(CommandStatus::ESME_ROK, 1, Body::DataSm(data)), &[(TlvTag::MESSAGE_PAYLOAD, b"\0h")]);
    let smpp = Value::Object(text_of(&pdu).1.smpp);
    assert_eq!(
        (&smpp["command"], &smpp["data_coding"], smpp.get("service_type")),
        (&json!("data_sm"), &json!(8), None)
    );
}

#[test]
fn parameters_are_selected_by_tag_or_all_but_the_text() {
    let tlvs: [(TlvTag, &[u8]); 4] = [
        (TlvTag::SOURCE_PORT, &[0, 7]),
        (TlvTag::MESSAGE_PAYLOAD, b"hi"),
        (TlvTag(0x1401), b""),
        (TlvTag::SOURCE_PORT, &[0, 8]),
    ];
    let pdu = with(deliver(0, 0, b""), &tlvs);
    let port = |last: &str| json!({"tag": "0x020a", "name": "source_port", "value_hex": format!("00{last}")});
    let own = json!({"tag": "0x1401", "value_hex": ""});
    for (selection, expected) in [
        (TlvSelection::default(), Vec::new()),
        (TlvSelection::All, vec![port("07"), own.clone(), port("08")]),
        (TlvSelection::Tags(vec![TlvTag::SOURCE_PORT]), vec![port("07"), port("08")]),
        (TlvSelection::Tags(vec![TlvTag(0x1401), TlvTag(0x1402)]), vec![own]),
        (
            TlvSelection::Tags(vec![TlvTag::MESSAGE_PAYLOAD]),
            vec![json!({"tag": "0x0424", "name": "message_payload", "value_hex": "6869"})],
        ),
    ] {
        let options = InboundOptions { tlvs: selection.clone(), ..InboundOptions::default() };
        let Read::Text { envelope, .. } = read(&pdu, &options) else { panic!() };
        let passed = envelope.smpp.get("tlvs").and_then(Value::as_array).cloned().unwrap_or_default();
        assert_eq!(passed, expected, "{selection:?}");
    }
}
