//! Guards the decisions about what real peers send although the standard does not allow it, or does not say.

use bytes::{Bytes, BytesMut};
use smpp_transport::pdu::fixtures::{frame, with_its_length};
use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{
    Answer, Body, COctets, CommandId, CommandStatus, DecodeError, DecodeErrorKind, Destinations, FRAME_OCTETS_MAX,
    FaultKind, InterfaceVersion, Leniency, MessageId, Pdu, ShortMessage, Sm, TlvTag, Tlvs, Unsuccessful, next_frame,
};

const STRICT: Leniency = Leniency::STRICT;
const TOLERANT: Leniency = Leniency::TOLERANT;
/// The mandatory fields of a submit_sm or deliver_sm up to sm_length: source 1, destination 2, all else empty or zero.
const UP_TO_SM_LENGTH: &str = "00 0101 3100 0101 3200 00 00 00 00 00 00 00 00 00";

/// A whole PDU: `header` is `command_id status sequence`, both are hexadecimal, the length is added.
fn octets(header: &str, body: &str) -> Bytes {
    with_its_length(&from_hex(&format!("00000000 {header} {body}")).unwrap()).into()
}

fn strict(header: &str, body: &str) -> Result<Pdu, DecodeError> {
    Pdu::decode(&frame(&octets(header, body)), STRICT)
}

fn tolerant(header: &str, body: &str) -> Result<Pdu, DecodeError> {
    Pdu::decode(&frame(&octets(header, body)), TOLERANT)
}

fn submit_sm(after_up_to_sm_length: &str) -> Result<Pdu, DecodeError> {
    strict("00000004 00000000 00000001", &format!("{UP_TO_SM_LENGTH} {after_up_to_sm_length}"))
}

fn sm(pdu: &Pdu) -> &Sm {
    match &pdu.body {
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => sm,
        other => panic!("{other:?}"),
    }
}

fn answer(result: Result<Pdu, DecodeError>) -> Answer {
    result.expect_err("the PDU is wrong").answer()
}

// Trap 1: error responses with and without a body.

const RESPONSES_WITH_A_BODY: [(&str, &str); 8] = [
    ("80000001", "534d534300"),
    ("80000002", "534d534300"),
    ("80000009", "534d534300"),
    ("80000003", "696400 00 02 00"),
    ("80000004", "696400"),
    ("80000005", "00"),
    ("80000021", "696400 00"),
    ("80000103", "696400"),
];

#[test]
fn error_response_may_end_after_its_header() {
    for (id, _) in RESPONSES_WITH_A_BODY {
        let pdu = strict(&format!("{id} 00000008 00000001"), "").unwrap();
        assert_eq!(pdu.status, CommandStatus::ESME_RSYSERR);
        assert_eq!(pdu.body, Body::empty(pdu.command_id()).unwrap());
        assert_eq!(pdu.octets(), 16);
    }
}

#[test]
fn error_response_may_also_carry_its_body() {
    for (id, body) in RESPONSES_WITH_A_BODY {
        let header = format!("{id} 00000008 00000001");
        let pdu = strict(&header, body).unwrap();
        assert_ne!(pdu.body, Body::empty(pdu.command_id()).unwrap());
        assert_eq!(pdu.to_octets(), octets(&header, body));
    }
}

#[test]
fn unreadable_body_of_an_error_response_is_dropped_when_tolerant() {
    let (header, body) = ("80000003 00000067 00000001", "6964");
    assert!(strict(header, body).is_err());
    assert_eq!(tolerant(header, body).unwrap().body, Body::QuerySmResp(None));
    assert!(tolerant("80000003 00000000 00000001", body).is_err(), "with status 0 the body is the point");
}

#[test]
fn refusals_are_a_header_only_but_for_the_lone_nul_of_deliver_sm_resp() {
    for id in CommandId::NAMED.iter().filter(|id| id.answer().is_some()) {
        let refusal = Pdu::new(CommandStatus::ESME_RSYSERR, 1, Body::refusal(*id).unwrap());
        assert_eq!(refusal.octets(), if *id == CommandId::DELIVER_SM { 17 } else { 16 }, "{}", id.printed());
        assert_eq!(Pdu::decode(&refusal.to_octets(), STRICT), Ok(refusal));
    }
    for unanswered in [CommandId::OUTBIND, CommandId::ALERT_NOTIFICATION, CommandId::SUBMIT_SM_RESP, CommandId(0x111)] {
        assert_eq!(Body::refusal(unanswered), None);
    }
}

#[test]
fn optional_parameters_are_never_written_in_the_place_of_a_body() {
    for (id, _) in RESPONSES_WITH_A_BODY {
        let id = CommandId(u32::from_str_radix(id, 16).unwrap());
        let mut pdu = Pdu::new(CommandStatus::ESME_RSYSERR, 1, Body::empty(id).unwrap());
        pdu.tlvs.push(TlvTag::ADDITIONAL_STATUS_INFO_TEXT, b"full");
        let octets = pdu.to_octets();
        assert_eq!(octets.len(), pdu.octets());
        let read = Pdu::decode(&octets, STRICT).unwrap();
        assert_eq!(read.tlvs, pdu.tlvs, "{}", id.printed());
    }
}

// Trap 2: submit_sm_resp with status 0 and no id.

#[test]
fn submit_sm_resp_with_status_0_may_have_no_body() {
    let pdu = strict("80000004 00000000 00000001", "").unwrap();
    assert_eq!(pdu.body, Body::SubmitSmResp(None));
}

#[test]
fn submit_sm_resp_with_status_0_may_have_an_empty_id() {
    let pdu = strict("80000004 00000000 00000001", "00").unwrap();
    assert_eq!(pdu.body, Body::SubmitSmResp(Some(MessageId::default())));
    assert_eq!(pdu.octets(), 17, "and is told from the one without a body");
}

// Trap 5: short_message and message_payload.

#[test]
fn message_may_be_in_short_message_in_message_payload_in_both_or_in_neither() {
    for (rest, short, payload) in [
        ("02 6869", &b"hi"[..], None),
        ("00 0424 0002 6869", b"", Some(&b"hi"[..])),
        ("02 6869 0424 0002 686f", b"hi", Some(b"ho")),
        ("00", b"", None),
        ("00 0424 0000", b"", Some(b"")),
    ] {
        let pdu = submit_sm(rest).unwrap();
        assert_eq!(sm(&pdu).short_message.as_bytes(), short, "{rest}");
        assert_eq!(pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).as_deref(), payload, "{rest}");
    }
}

// Trap 6: sm_length.

#[test]
fn sm_length_255_is_refused_but_read_when_tolerant() {
    let body = format!("{UP_TO_SM_LENGTH} ff {}", "41".repeat(255));
    let header = "00000004 00000000 00000001";
    assert_eq!(answer(strict(header, &body)), Answer::Respond(CommandStatus::ESME_RINVMSGLEN));
    let pdu = tolerant(header, &body).unwrap();
    assert_eq!(sm(&pdu).short_message.as_bytes().len(), 255);
    assert_eq!(pdu.to_octets(), octets(header, &body));
    assert!(ShortMessage::new(vec![0; 255]).is_err(), "it is never made here");
}

#[test]
fn sm_length_beyond_the_end_is_the_messages_fault_in_both_presets() {
    for rest in ["05 68656c6c", "ff", "01", "fe 00"] {
        let body = format!("{UP_TO_SM_LENGTH} {rest}");
        let header = "00000004 00000000 00000001";
        assert_eq!(answer(strict(header, &body)), Answer::Respond(CommandStatus::ESME_RINVMSGLEN), "{rest}");
        assert_eq!(answer(tolerant(header, &body)), Answer::Respond(CommandStatus::ESME_RINVMSGLEN), "{rest}");
    }
}

#[test]
fn pdu_that_ends_before_sm_length_is_the_lengths_fault() {
    assert_eq!(answer(submit_sm("")), Answer::Respond(CommandStatus::ESME_RINVCMDLEN));
}

#[test]
fn short_message_may_contain_nul() {
    assert_eq!(sm(&submit_sm("03 410042").unwrap()).short_message.as_bytes(), b"A\0B");
}

// Trap 7: command_length.

#[test]
fn command_length_below_a_header_closes_with_sequence_0() {
    for length in 0..16u32 {
        let mut input = BytesMut::from(&octets("00000015 00000000 00000007", "")[..]);
        input[..4].copy_from_slice(&length.to_be_bytes());
        let error = next_frame(&mut input, FRAME_OCTETS_MAX).unwrap_err();
        assert_eq!((error.answer(), error.sequence), (Answer::Close(CommandStatus::ESME_RINVCMDLEN), 0));
        assert_eq!(error.to_string(), format!("command_length is {length}, allowed are 16 to 70000"));
    }
}

#[test]
fn command_length_above_the_limit_closes_with_the_sequence_of_the_header_once_it_is_whole() {
    for length in [FRAME_OCTETS_MAX as u32 + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
        let mut whole = octets("00000004 00000000 00000007", "").to_vec();
        whole[..4].copy_from_slice(&length.to_be_bytes());
        let mut input = BytesMut::new();
        for &octet in &whole[..15] {
            input.extend_from_slice(&[octet]);
            assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(None));
        }
        input.extend_from_slice(&whole[15..]);
        let error = next_frame(&mut input, FRAME_OCTETS_MAX).unwrap_err();
        assert_eq!((error.answer(), error.sequence), (Answer::Close(CommandStatus::ESME_RINVCMDLEN), 7));
        assert!(input.capacity() < 1024, "nothing is allocated for what has not come");
    }
}

#[test]
fn command_length_at_the_limit_is_a_frame() {
    let mut input = BytesMut::from(&octets("00000015 00000000 00000007", "00000000")[..]);
    let length = input.len();
    assert!(next_frame(&mut input.clone(), length - 1).is_err());
    assert_eq!(next_frame(&mut input, length).unwrap().unwrap().len(), length);
}

#[test]
fn octets_after_a_header_only_request_are_the_lengths_fault_or_dropped() {
    for id in ["00000015", "00000006"] {
        for extra in ["00", "0000", "000000", "0001 0005 00"] {
            let header = format!("{id} 00000000 00000001");
            assert_eq!(answer(strict(&header, extra)), Answer::Respond(CommandStatus::ESME_RINVCMDLEN), "{extra}");
        }
        assert!(tolerant(&format!("{id} 00000000 00000001"), "00").is_ok());
        assert!(tolerant(&format!("{id} 00000000 00000001"), "0001 0005 00").is_err(), "a request's overrun");
    }
}

#[test]
fn octets_after_a_header_only_response_are_dropped_when_tolerant() {
    for id in ["80000000", "80000006", "80000007", "80000008", "80000015"] {
        let header = format!("{id} 00000000 00000001");
        for extra in ["00", "696400", "61626364656600"] {
            assert_eq!(answer(strict(&header, extra)), Answer::Ignore, "{id} {extra}");
            let pdu = tolerant(&header, extra).unwrap();
            assert_eq!(pdu.to_octets(), octets(&header, ""), "{id} {extra}");
        }
    }
}

#[test]
fn garbage_after_the_fields_is_read_as_optional_parameters() {
    let pdu = submit_sm("00 cafe 0001 00").unwrap();
    assert_eq!(pdu.tlvs.get(TlvTag(0xCAFE)).as_deref(), Some(&[0][..]));
}

// Trap 8: optional parameters.

#[test]
fn parameter_beyond_the_end_of_a_delivery_is_dropped_when_tolerant_and_never_its_text() {
    let header = "00000005 00000000 00000001";
    for (rest, tolerated) in [
        ("00 0204 0002 00", Some(vec![])),
        ("00 0427 0001 02 0204 0002 00", Some(vec![(TlvTag::MESSAGE_STATE, Bytes::from_static(&[2]))])),
        ("00 001e 0041 313200", Some(vec![(TlvTag::RECEIPTED_MESSAGE_ID, Bytes::from_static(b"12\0"))])),
        ("00 0424 ffff 61", None),
        ("00 0427 0001 02 0424 0003 6161", None),
    ] {
        let body = format!("{UP_TO_SM_LENGTH} {rest}");
        assert_eq!(answer(strict(header, &body)), Answer::Respond(CommandStatus::ESME_RINVOPTPARSTREAM), "{rest}");
        let read = tolerant(header, &body).ok().map(|pdu| pdu.tlvs.iter().collect::<Vec<_>>());
        assert_eq!(read, tolerated, "{rest}");
    }
}

#[test]
fn parameter_beyond_the_end_of_a_request_is_refused_in_both_presets() {
    for rest in ["00 0204 0002 00", "00 0424 ffff", "00 0204 0002 0001 0210 0001"] {
        let (header, body) = ("00000004 00000000 00000001", format!("{UP_TO_SM_LENGTH} {rest}"));
        assert_eq!(answer(strict(header, &body)), Answer::Respond(CommandStatus::ESME_RINVOPTPARSTREAM), "{rest}");
        assert_eq!(answer(tolerant(header, &body)), Answer::Respond(CommandStatus::ESME_RINVOPTPARSTREAM), "{rest}");
    }
}

#[test]
fn parameter_beyond_the_end_of_a_response_is_dropped_with_what_follows_when_tolerant() {
    let (header, body) = ("80000004 00000000 00000001", "696400 0205 0001 07 0204 0002 00");
    assert_eq!(answer(strict(header, body)), Answer::Ignore);
    let pdu = tolerant(header, body).unwrap();
    assert_eq!(pdu.body, Body::SubmitSmResp(Some(MessageId { message_id: "id".try_into().unwrap() })));
    assert_eq!(pdu.tlvs.iter().collect::<Vec<_>>(), [(TlvTag::USER_RESPONSE_CODE, Bytes::from_static(&[7]))]);
}

#[test]
fn one_to_three_octets_after_the_last_parameter_are_dropped_when_tolerant() {
    for stray in ["00", "0204", "020400"] {
        let (header, body) = ("00000004 00000000 00000001", format!("{UP_TO_SM_LENGTH} 00 0205 0001 07 {stray}"));
        let error = strict(header, &body).unwrap_err();
        let octets = stray.len() / 2;
        assert_eq!(
            error.kind,
            DecodeErrorKind::Field { field: "optional parameters", fault: FaultKind::Leftover { octets } }
        );
        assert_eq!(error.answer(), Answer::Respond(CommandStatus::ESME_RINVOPTPARSTREAM));
        let pdu = tolerant(header, &body).unwrap();
        assert_eq!(pdu.tlvs.iter().count(), 1);
        assert_eq!(pdu.tlvs.get_u8(TlvTag::USER_RESPONSE_CODE), Some(7));
    }
}

#[test]
fn twin_parameters_are_kept_in_their_order_and_the_first_is_looked_up() {
    let pdu = submit_sm("00 0204 0002 0001 0204 0002 0002 0381 0000 0204 0002 0003").unwrap();
    assert_eq!(pdu.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE), Some(1));
    let tags: Vec<u16> = pdu.tlvs.iter().map(|(tag, _)| tag.0).collect();
    assert_eq!(tags, [0x0204, 0x0204, 0x0381, 0x0204]);
}

#[test]
fn parameters_of_length_0_are_kept() {
    let pdu = submit_sm("00 130c 0000").unwrap();
    assert_eq!(pdu.tlvs.get(TlvTag::ALERT_ON_MESSAGE_DELIVERY), Some(Bytes::new()));
    assert_eq!(pdu.tlvs.get_u8(TlvTag::ALERT_ON_MESSAGE_DELIVERY), None, "no number is in it");
}

#[test]
fn numbers_in_too_many_octets_are_read_as_long_as_they_fit() {
    let pdu = submit_sm("00 0427 0004 00000002 020c 0001 07 0204 0004 00010000 0017 0005 0000000001").unwrap();
    assert_eq!(pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE), Some(2));
    assert_eq!(pdu.tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM), Some(7));
    assert_eq!(pdu.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE), None);
    assert_eq!(pdu.tlvs.get_u32(TlvTag::USER_MESSAGE_REFERENCE), Some(0x10000));
    assert_eq!(pdu.tlvs.get_u32(TlvTag::QOS_TIME_TO_LIVE), None);
    let error = pdu.tlvs.check_lengths().unwrap_err();
    assert_eq!((error.tag, error.length), (TlvTag::MESSAGE_STATE, 4));
    assert_eq!(error.to_string(), "optional parameter MESSAGE_STATE: 4 octets, 1 to 1 are allowed");
}

#[test]
fn unknown_parameters_survive() {
    let pdu = submit_sm("00 1400 0003 010203 ffff 0000").unwrap();
    assert_eq!(
        pdu.to_octets(),
        octets("00000004 00000000 00000001", &format!("{UP_TO_SM_LENGTH} 00 1400 0003 010203 ffff 0000"))
    );
}

#[test]
fn longest_message_payload_fits_into_a_frame() {
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::MESSAGE_PAYLOAD, &[0x41; 65_535]);
    let pdu = Pdu { tlvs, ..submit_sm(&format!("fe {}", "41".repeat(254))).unwrap() };
    let octets = pdu.to_octets();
    assert!(octets.len() < FRAME_OCTETS_MAX);
    assert_eq!(Pdu::decode(&frame(&octets), STRICT), Ok(pdu));
    assert!(Tlvs::new().try_push(TlvTag::MESSAGE_PAYLOAD, &[0; 65_536]).is_err());
}

// Trap 9: interface_version.

#[test]
fn interface_version_is_kept_and_0x22_means_3_4() {
    for (version, knows_tlvs) in [(0x00, false), (0x22, true), (0x33, false), (0x34, true), (0x50, true)] {
        let pdu = strict("00000009 00000000 00000001", &format!("00 00 00 {version:02x} 00 00 00")).unwrap();
        let Body::BindTransceiver(bind) = pdu.body else { panic!() };
        assert_eq!(bind.interface_version, InterfaceVersion(version));
        assert_eq!(bind.interface_version.knows_tlvs(), knows_tlvs, "{version:#x}");
    }
}

// Trap 10: C-Octet Strings.

#[test]
fn string_longer_than_its_field_has_the_status_of_the_field() {
    let long = |octets: usize| "41".repeat(octets) + "00";
    for (header, body, status) in [
        ("00000009", format!("{} 00 00 34 00 00 00", long(16)), CommandStatus::ESME_RINVSYSID),
        ("00000001", format!("00 {} 00 34 00 00 00", long(9)), CommandStatus::ESME_RINVPASWD),
        ("00000002", format!("00 00 {} 34 00 00 00", long(13)), CommandStatus::ESME_RINVSYSTYP),
        ("00000009", format!("00 00 00 34 00 00 {}", long(41)), CommandStatus::ESME_RBINDFAIL),
        ("00000004", format!("{} 000000 000000 000000 00 00 0000000000", long(6)), CommandStatus::ESME_RINVSERTYP),
        ("00000004", format!("00 0000{} 000000 000000 00 00 0000000000", long(21)), CommandStatus::ESME_RINVSRCADR),
        ("00000004", format!("00 000000 0000{} 000000 00 00 0000000000", long(21)), CommandStatus::ESME_RINVDSTADR),
        ("00000004", format!("00 000000 000000 000000 {} 00 0000000000", long(17)), CommandStatus::ESME_RINVSCHED),
        ("00000005", format!("00 000000 000000 000000 00 {} 0000000000", long(17)), CommandStatus::ESME_RINVEXPIRY),
        ("00000103", format!("00 0000{} 000000 000000", long(65)), CommandStatus::ESME_RINVSRCADR),
        ("00000103", format!("00 000000 0000{} 000000", long(65)), CommandStatus::ESME_RINVDSTADR),
        ("00000003", format!("{} 000000", long(65)), CommandStatus::ESME_RINVMSGID),
        ("00000021", format!("00 000000 01 02{} 000000 00 00 0000000000", long(21)), CommandStatus::ESME_RINVDLNAME),
        (
            "00000021",
            format!("00 000000 01 010101{} 000000 00 00 0000000000", long(21)),
            CommandStatus::ESME_RINVDSTADR,
        ),
    ] {
        let header = format!("{header} 00000000 00000001");
        assert_eq!(answer(strict(&header, &body)), Answer::Respond(status), "{header} {body}");
        let read = tolerant(&header, &body).unwrap_or_else(|e| panic!("{header} {body}: {e}"));
        assert_eq!(read.to_octets(), octets(&header, &body), "and it is kept");
    }
}

#[test]
fn password_of_20_characters_is_read_when_tolerant_and_never_made() {
    let password = "41".repeat(20);
    let pdu = tolerant("00000009 00000000 00000001", &format!("00 {password}00 00 34 00 00 00")).unwrap();
    let Body::BindTransceiver(bind) = pdu.body else { panic!() };
    assert_eq!(bind.password, "A".repeat(20).as_str());
    assert!(COctets::<9>::new("A".repeat(9)).is_err());
}

#[test]
fn string_that_ends_with_the_pdu_is_read_when_tolerant() {
    let (header, body) = ("80000004 00000000 00000001", "6964");
    assert!(strict(header, body).is_err());
    let Body::SubmitSmResp(Some(MessageId { message_id })) = tolerant(header, body).unwrap().body else { panic!() };
    assert_eq!(message_id, "id");
}

#[test]
fn string_without_any_nul_in_its_field_is_refused_in_both_presets() {
    let (header, body) = ("00000003 00000000 00000001", "41".repeat(80));
    assert_eq!(answer(strict(header, &body)), Answer::Respond(CommandStatus::ESME_RINVMSGID));
    assert_eq!(answer(tolerant(header, &body)), Answer::Respond(CommandStatus::ESME_RINVMSGID));
}

#[test]
fn strings_are_octets_not_characters() {
    let pdu = strict("80000004 00000000 00000001", "c3a9ff8000").unwrap();
    let Body::SubmitSmResp(Some(MessageId { message_id })) = &pdu.body else { panic!() };
    assert_eq!(message_id.as_bytes(), [0xC3, 0xA9, 0xFF, 0x80]);
    assert_eq!(message_id.text(), "\u{c3}\u{a9}\u{ff}\u{80}");
    assert_eq!(message_id.text().parse::<COctets<65>>().as_ref(), Ok(message_id), "Latin-1 loses nothing");
}

// Traps 11 and 14: sequence numbers.

#[test]
fn sequence_numbers_outside_of_the_standards_range_are_kept() {
    for sequence in ["00000000", "00000001", "7fffffff", "80000000", "ffffffff"] {
        for id in ["80000000", "00000015", "80000015"] {
            let header = format!("{id} 00000000 {sequence}");
            let pdu = strict(&header, "").unwrap();
            assert_eq!(pdu.sequence, u32::from_str_radix(sequence, 16).unwrap());
            assert_eq!(pdu.to_octets(), octets(&header, ""));
        }
    }
}

// Trap 22: throttling.

#[test]
fn throttled_response_may_carry_an_id() {
    for status in ["00000058", "00000014"] {
        let pdu = strict(&format!("80000004 {status} 00000001"), "303132").unwrap_err();
        assert_eq!((pdu.sequence, pdu.command_status.name().is_some()), (1, true), "and the error says which request");
        let pdu = strict(&format!("80000004 {status} 00000001"), "303100").unwrap();
        assert_eq!(pdu.body, Body::SubmitSmResp(Some(MessageId { message_id: "01".try_into().unwrap() })));
    }
}

// Traps 28 and 29: addresses and times are kept as they came.

#[test]
fn odd_addresses_and_times_are_kept() {
    let body = "00 ff7f 2b32 3720 38 00 0901 4120 76657279 206c6f6e67206e616d6521 00 000000 \
                303230363130323333343239303030 58 00 203900 00000000 00";
    let pdu = strict("00000004 00000000 00000001", body).unwrap();
    let sm = sm(&pdu);
    assert_eq!(sm.source_addr, "+27 8");
    assert_eq!((sm.source_addr_ton.0, sm.source_addr_npi.0), (0xFF, 0x7F));
    assert_eq!(sm.destination_addr, "A very long name!");
    assert_eq!(sm.schedule_delivery_time, "020610233429000X");
    assert_eq!(sm.validity_period, " 9");
    assert_eq!(pdu.to_octets(), octets("00000004 00000000 00000001", body));
}

#[test]
fn empty_source_and_lone_nul_times_are_empty_strings() {
    let pdu = strict("00000005 00000000 00000001", &"00".repeat(17)).unwrap();
    assert_eq!(pdu.body, Body::DeliverSm(Sm::default()));
}

// Trap 30: parameters where the standard does not list them.

#[test]
fn ussd_service_op_is_read_in_deliver_sm() {
    let pdu = strict("00000005 00000000 00000001", &format!("{UP_TO_SM_LENGTH} 00 0501 0001 02")).unwrap();
    assert_eq!(pdu.tlvs.get_u8(TlvTag::USSD_SERVICE_OP), Some(2));
}

#[test]
fn parameters_are_read_wherever_they_come() {
    let pdu = strict("00000015 00000000 00000001", "0204 0002 0001").unwrap();
    assert!(!TlvTag::USER_MESSAGE_REFERENCE.is_listed_for(pdu.command_id()));
    assert_eq!(pdu.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE), Some(1));
}

// Trap 35: pieces.

#[test]
fn length_split_2_plus_2_is_put_together() {
    let pdu = octets("00000015 00000000 00000001", "");
    let mut input = BytesMut::from(&pdu[..2]);
    assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(None));
    input.extend_from_slice(&pdu[2..4]);
    assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(None));
    input.extend_from_slice(&pdu[4..]);
    input.extend_from_slice(&pdu[..5]);
    assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(Some(pdu.clone())));
    assert_eq!(input, pdu[..5], "what follows waits");
}

// Trap 40: submit_multi_resp.

#[test]
fn submit_multi_resp_may_list_failures_with_status_0() {
    let pdu = strict("80000021 00000000 00000001", "696400 01 0101 3100 00000008").unwrap();
    let Body::SubmitMultiResp(Some(resp)) = &pdu.body else { panic!() };
    assert_eq!(resp.unsuccess_sme[0].error_status_code, CommandStatus::ESME_RSYSERR);
}

#[test]
fn no_unsuccess_larger_than_the_list_is_read_when_tolerant() {
    let (header, body) = ("80000021 00000000 00000001", "696400 03 0101 3100 00000008");
    assert_eq!(answer(strict(header, body)), Answer::Ignore);
    let pdu = tolerant(header, body).unwrap();
    let Body::SubmitMultiResp(Some(resp)) = &pdu.body else { panic!() };
    assert_eq!(resp.unsuccess_sme.len(), 1);
    assert!(tolerant(header, "696400 03 0101 3100 0000").is_err(), "an entry is whole or wrong");
}

#[test]
fn lists_have_as_many_entries_as_the_standard_allows() {
    assert!(Destinations::new(Vec::new()).is_err());
    assert!(Destinations::new(vec![Destinations::default()[0].clone(); 254]).is_ok());
    assert!(Destinations::new(vec![Destinations::default()[0].clone(); 255]).is_err());
    assert!(Unsuccessful::new(Vec::new()).is_ok());
    assert!(Unsuccessful::new(vec![Default::default(); 255]).is_ok());
    assert!(Unsuccessful::new(vec![Default::default(); 256]).is_err());
    for count in ["00", "ff"] {
        let body = format!("00 0000 00 {count} {} 000000 00 00 00 00 00 00 00", "02 4100".repeat(255));
        assert_eq!(
            answer(strict("00000021 00000000 00000001", &body)),
            Answer::Respond(CommandStatus::ESME_RINVNUMDESTS)
        );
    }
}

#[test]
fn dest_flag_is_1_or_2() {
    for flag in ["00", "03", "ff"] {
        let body = format!("00 0000 00 01 {flag} 4100 000000 00 00 00 00 00 00 00");
        assert_eq!(
            answer(strict("00000021 00000000 00000001", &body)),
            Answer::Respond(CommandStatus::ESME_RINVDESTFLAG)
        );
    }
}

// Commands that are not in the standard.

#[test]
fn unknown_command_is_a_value_not_an_error() {
    for id in ["0000000a", "00000111", "80000111", "ffffffff", "0000000c"] {
        let (header, body) = (format!("{id} 00000009 00000001"), "0102030405");
        let pdu = strict(&header, body).unwrap();
        assert_eq!(
            pdu.body,
            Body::Unknown(CommandId(u32::from_str_radix(id, 16).unwrap()), from_hex(body).unwrap().into())
        );
        assert_eq!(pdu.to_octets(), octets(&header, body));
    }
}

#[test]
fn octets_that_no_frame_can_be_are_an_error() {
    for octets in 0..16 {
        let error = Pdu::decode(&Bytes::from(vec![0; octets]), TOLERANT).unwrap_err();
        assert_eq!(error.answer(), Answer::Close(CommandStatus::ESME_RINVCMDLEN));
    }
}

/// What the peer is told: (command, field, fault) to answer.
#[test]
fn what_the_peer_is_told() {
    const CUT: FaultKind = FaultKind::CutShort;
    const LONG: FaultKind = FaultKind::TooLong { max: 9 };
    const LEFT: FaultKind = FaultKind::Leftover { octets: 3 };
    const OVERRUN: FaultKind = FaultKind::TlvOverrun { tag: 0x0424, length: 5, left: 0 };
    const RANGE: FaultKind = FaultKind::OutOfRange { value: 255, allowed: "less" };
    let respond = Answer::Respond;
    let table = [
        (CommandId::BIND_TRANSCEIVER, "system_id", LONG, respond(CommandStatus::ESME_RINVSYSID)),
        (CommandId::BIND_TRANSCEIVER, "system_id", CUT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::BIND_RECEIVER, "password", LONG, respond(CommandStatus::ESME_RINVPASWD)),
        (CommandId::BIND_TRANSMITTER, "system_type", LONG, respond(CommandStatus::ESME_RINVSYSTYP)),
        (CommandId::BIND_TRANSMITTER, "address_range", LONG, respond(CommandStatus::ESME_RBINDFAIL)),
        (CommandId::BIND_TRANSMITTER, "optional parameters", OVERRUN, respond(CommandStatus::ESME_RINVOPTPARSTREAM)),
        (CommandId::SUBMIT_SM, "service_type", LONG, respond(CommandStatus::ESME_RINVSERTYP)),
        (CommandId::SUBMIT_SM, "source_addr", LONG, respond(CommandStatus::ESME_RINVSRCADR)),
        (CommandId::SUBMIT_SM, "destination_addr", LONG, respond(CommandStatus::ESME_RINVDSTADR)),
        (CommandId::SUBMIT_SM, "destination_addr", CUT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::SUBMIT_SM, "esm_class", CUT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::SUBMIT_SM, "schedule_delivery_time", LONG, respond(CommandStatus::ESME_RINVSCHED)),
        (CommandId::SUBMIT_SM, "validity_period", LONG, respond(CommandStatus::ESME_RINVEXPIRY)),
        (CommandId::SUBMIT_SM, "sm_length", RANGE, respond(CommandStatus::ESME_RINVMSGLEN)),
        (CommandId::SUBMIT_SM, "sm_length", CUT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::DELIVER_SM, "short_message", CUT, respond(CommandStatus::ESME_RINVMSGLEN)),
        (CommandId::DELIVER_SM, "optional parameters", LEFT, respond(CommandStatus::ESME_RINVOPTPARSTREAM)),
        (CommandId::DATA_SM, "optional parameters", OVERRUN, respond(CommandStatus::ESME_RINVOPTPARSTREAM)),
        (CommandId::QUERY_SM, "message_id", LONG, respond(CommandStatus::ESME_RINVMSGID)),
        (CommandId::CANCEL_SM, "message_id", CUT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::REPLACE_SM, "validity_period", LONG, respond(CommandStatus::ESME_RINVEXPIRY)),
        (CommandId::SUBMIT_MULTI, "number_of_dests", RANGE, respond(CommandStatus::ESME_RINVNUMDESTS)),
        (CommandId::SUBMIT_MULTI, "dest_flag", RANGE, respond(CommandStatus::ESME_RINVDESTFLAG)),
        (CommandId::SUBMIT_MULTI, "dl_name", LONG, respond(CommandStatus::ESME_RINVDLNAME)),
        (CommandId::UNBIND, "optional parameters", LEFT, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::ENQUIRE_LINK, "optional parameters", OVERRUN, respond(CommandStatus::ESME_RINVCMDLEN)),
        (CommandId::OUTBIND, "system_id", LONG, Answer::Ignore),
        (CommandId::ALERT_NOTIFICATION, "source_addr", CUT, Answer::Ignore),
        (CommandId::GENERIC_NACK, "optional parameters", LEFT, Answer::Ignore),
        (CommandId::SUBMIT_SM_RESP, "message_id", LONG, Answer::Ignore),
        (CommandId::BIND_TRANSCEIVER_RESP, "optional parameters", OVERRUN, Answer::Ignore),
    ];
    for (command_id, field, fault, answer) in table {
        let error = DecodeError {
            command_id,
            command_status: CommandStatus::ESME_ROK,
            sequence: 1,
            offset: 16,
            kind: DecodeErrorKind::Field { field, fault },
        };
        assert_eq!(error.answer(), answer, "{error}");
    }
}
