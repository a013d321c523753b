//! Guards the policies that make responses, ids and receipts as SMSCs of the field have them: shapes of responses, parameters,
//! parts that share an id or a receipt, receipts in parts, further receipts, broken parameters. The examples are those of
//! RULES.md.

use std::collections::BTreeMap;

use smpp_transport::pdu::{
    Bind, Body, CommandStatus, DataSm, Destination, EsmClass, InterfaceVersion, Leniency, MessageState, Npi, Pdu,
    ShortMessage, Sm, SubmitMulti, TlvTag, Tlvs, Ton,
};
use smpp_transport::session::BindKind;
use tokio::time::Instant;

use crate::world::{Esme, Smsc, bind, id_of, parameter, query, seconds, sm, words};

/// A submit_sm with these parameters.
fn submit(sm: Sm, parameters: &[(u16, &[u8])]) -> Vec<u8> {
    let mut tlvs = Tlvs::new();
    parameters.iter().for_each(|(tag, value)| tlvs.push(TlvTag(*tag), value));
    let pdu = Pdu { tlvs, ..Pdu::new(CommandStatus::ESME_ROK, 77, Body::SubmitSm(sm)) };
    pdu.to_octets().to_vec()
}

/// Part of a long message with reference 9.
fn part(number: u8, total: u8, registered_delivery: u8) -> Sm {
    let octets = [&[5, 0, 3, 9, total, number], &b"text"[..]].concat();
    let short_message = ShortMessage::new(octets).expect("short");
    Sm { esm_class: EsmClass::UDHI, short_message, ..sm(registered_delivery) }
}

async fn ids_of_parts(esme: &mut Esme, order: &[u8], registered_delivery: u8) -> Vec<String> {
    let total = u8::try_from(order.len()).expect("few");
    let mut ids = Vec::new();
    for number in order {
        let answer = esme.ask(Body::SubmitSm(part(*number, total, registered_delivery))).await;
        ids.push(id_of(&answer));
    }
    ids
}

/// Body and parameters of the response to a message under this rule, octet by octet.
async fn response(then: &str) -> Vec<u8> {
    let smsc = Smsc::with_rules(&format!("- then: {then}"));
    let mut esme = smsc.transceiver().await;
    esme.write(&submit(sm(0), &[(0x1400, b"from the request")])).await;
    let mut frame = esme.frame().await;
    assert_eq!(frame[4..8], [0x80, 0, 0, 4]);
    assert_eq!(frame[12..16], [0, 0, 0, 77]);
    assert!(esme.is_served().await, "the next response is whole: {then}");
    frame.split_off(16)
}

#[tokio::test(start_paused = true)]
async fn a_response_has_the_shape_that_its_rule_says() {
    let long = [b"0".repeat(64), b"1".to_vec()].concat();
    for (shape, body) in [
        ("whole", b"1\0".to_vec()),
        ("no_nul", b"1".to_vec()),
        ("long_id", [&long[..], b"\0"].concat()),
        ("long_id_no_nul", long),
        ("stray_octet", b"1\0\0".to_vec()),
        ("stray_text", b"1\0\xCC\xCD\xFEbuffer\0".to_vec()),
        ("cut_tlv", b"1\0\x14\0\0".to_vec()),
        ("tlv_overrun", b"1\0\x14\0\0\x091".to_vec()),
        ("empty", Vec::new()),
    ] {
        assert_eq!(response(&format!("{{ policy: {{ response: {{ shape: {shape} }} }} }}")).await, body, "{shape}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_has_the_parameters_that_its_rule_says() {
    let tlvs = "[{ tag: 0x1403, hex: 3234 }, { tag: 0x1404, text: '{to}/{id}' }, { tag: 0x001E, id: '%04X' },
        { copy: 0x1400 }, { tag: 0x1405, copy: 0x1400 }, { copy: 0x1499 }]";
    let expected = [
        &b"1\0"[..],
        b"\x14\x03\0\x0224",
        b"\x14\x04\0\x0d27820001001/1",
        b"\0\x1e\0\x050001\0",
        b"\x14\0\0\x10from the request",
        b"\x14\x05\0\x10from the request",
    ]
    .concat();
    assert_eq!(response(&format!("{{ policy: {{ response: {{ tlvs: {tlvs} }} }} }}")).await, expected);
    for (fault, end) in [
        ("overrun", &b"\x14\x03\0\x3e24"[..]),
        ("short", b"\x14\x03\0\x0124"),
        ("cut", b"\x14\x03\0"),
        ("duplicate", b"\x14\x03\0\x0224\x14\x03\0\x0224"),
    ] {
        let then = format!(
            "{{ policy: {{ response: {{ tlvs: [{{ tag: 0x1403, hex: 3234 }}], tlv_fault: {fault}, tail: ff }} }} }}"
        );
        assert_eq!(response(&then).await, [b"1\0", end, b"\xff"].concat(), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_response_may_have_a_body_that_cannot_be_read() {
    let then =
        "{ status: ESME_RSUBMITFAIL, policy: { response: { shape: long_id_no_nul, tlvs: [{ copy: 0x1400 }] } } }";
    let expected = [&b"0".repeat(65)[..], b"\x14\0\0\x10from the request"].concat();
    assert_eq!(response(then).await, expected);
    let bare = response("{ status: ESME_RSUBMITFAIL }").await;
    assert_eq!(bare, b"");
}

#[tokio::test(start_paused = true)]
async fn a_shaped_response_may_come_twice_or_under_another_number() {
    let shape = "policy: { message_id: '%070d', response: { shape: no_nul } }";
    let smsc = Smsc::with_rules(&format!("- then: {{ answer: twice, {shape} }}"));
    let mut esme = smsc.transceiver().await;
    esme.write(&submit(sm(0), &[])).await;
    let (first, second) = (esme.frame().await, esme.frame().await);
    assert_eq!(first, second);
    assert_eq!(first.len(), 16 + 70);
    let smsc = Smsc::with_rules(&format!("- then: {{ answer: wrong_number, {shape} }}"));
    let mut esme = smsc.transceiver().await;
    esme.write(&submit(sm(0), &[])).await;
    let frame = esme.frame().await;
    assert_ne!(frame[12..16], [0, 0, 0, 77]);
    assert_eq!(frame.len(), 16 + 70);
}

#[tokio::test(start_paused = true)]
async fn only_the_response_is_shaped_and_not_what_leaves_with_it() {
    let smsc = Smsc::with_rules("- then: { delay: 1s, policy: { response: { shape: no_nul, tail: 0102 } } }");
    let mut esme = smsc.transceiver().await;
    esme.write(&submit(sm(0), &[])).await;
    esme.send(Body::Unbind(smpp_transport::pdu::Empty {})).await;
    let (response, unbind) = (esme.frame().await, esme.frame().await);
    assert_eq!(response[16..], *b"1\x01\x02");
    assert_eq!((unbind.len(), &unbind[4..8]), (16, &[0x80, 0, 0, 6][..]), "unbind_resp");
}

#[tokio::test(start_paused = true)]
async fn one_number_is_written_differently_in_response_text_and_parameter() {
    let smsc = Smsc::with_policy(
        "{ message_id: 'SM%04x', receipt: { message_id: decimal_padded, tlv_id: '%08X', text: 'id:{id} {id:%03d}' } }",
    );
    let mut esme = smsc.transceiver().await;
    let mut id = String::new();
    for _ in 0..27 {
        id = esme.submit(sm(0)).await;
    }
    assert_eq!(id, "SM001b");
    assert_eq!(esme.submit(sm(1)).await, "SM001c");
    let (pdu, receipt) = esme.receipt().await;
    assert_eq!(words(&receipt), "id:0000000028 028");
    assert_eq!(parameter(&pdu, TlvTag::RECEIPTED_MESSAGE_ID).as_deref(), Some(&b"0000001C"[..]));
    esme.answer(&pdu, CommandStatus::ESME_ROK).await;
    // Both the ESME and the API find a message by the id of the response.
    assert_eq!(esme.query("SM001c").await.message_state, MessageState::DELIVERED);
    assert_eq!(smsc.control().message("sm001C").map(|message| message.number), Some(28));
    assert_eq!(smsc.control().message("1c"), None);
    let shown = smsc.control().message("SM001c").expect("it is there").receipts.remove(0);
    assert_eq!(shown.text, "id:0000000028 028");
    assert_eq!(shown.tlvs[0].hex, "303030303030314300");
}

#[tokio::test(start_paused = true)]
async fn ids_of_patterns_are_not_given_twice_unless_there_is_no_other() {
    let smsc = Smsc::with_rules(
        "- { when: { to: '1$' }, then: { policy: { message_id: '1%d' } } }\n\
         - { when: { to: '2$' }, then: { policy: { message_id: 'SAME' } } }",
    );
    let mut esme = smsc.transceiver().await;
    let mut given = std::collections::BTreeSet::new();
    for to in ["271", "270"].into_iter().cycle().take(60) {
        let id = esme.submit_to(to, 0).await;
        assert!(given.insert(id.clone()), "{id}");
    }
    for _ in 0..2 {
        assert_eq!(esme.submit_to("272", 0).await, "SAME");
    }
    let answer = esme.ask(query("SAME")).await;
    assert_eq!(answer.status, CommandStatus::ESME_ROK, "the last of them");
}

#[tokio::test(start_paused = true)]
async fn parts_have_ids_as_their_policy_says() {
    for (ids, first, second) in [
        ("own", ["1", "2", "3"], ["4", "5", "6"]),
        ("shared", ["1", "1", "1"], ["4", "4", "4"]),
        ("first", ["1", "", ""], ["", "5", ""]),
        ("last", ["", "", "3"], ["4", "", ""]),
    ] {
        let smsc = Smsc::with_policy(&format!("{{ part_ids: {ids} }}"));
        let mut esme = smsc.transceiver().await;
        assert_eq!(ids_of_parts(&mut esme, &[1, 2, 3], 0).await, first, "{ids}");
        assert_eq!(ids_of_parts(&mut esme, &[3, 1, 2], 0).await, second, "{ids}: out of order");
        let own = esme.submit(sm(0)).await;
        assert_eq!(own, "7", "{ids}: a message of its own has an id of its own");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_that_share_an_id_are_found_by_it() {
    let smsc = Smsc::with_policy("{ part_ids: shared, enroute: 10s }");
    let mut esme = smsc.transceiver().await;
    ids_of_parts(&mut esme, &[1, 2, 3], 1).await;
    assert_eq!(esme.query("1").await.message_state, MessageState::ENROUTE);
    for _ in 0..3 {
        assert_eq!(esme.receipt_id().await, "1", "each has a receipt with the same id");
    }
    assert!(esme.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn parts_have_receipts_as_their_policy_says() {
    for (parts, order, ids) in [
        ("each", [1, 2, 3], vec!["1", "2", "3"]),
        ("first", [2, 1, 3], vec!["2"]),
        ("last", [3, 1, 2], vec!["1"]),
        ("one", [2, 3, 1], vec!["1"]),
    ] {
        let smsc = Smsc::with_policy(&format!("{{ enroute: 5s, receipt: {{ parts: {parts} }} }}"));
        let mut esme = smsc.transceiver().await;
        ids_of_parts(&mut esme, &order, 1).await;
        for id in ids {
            assert_eq!(esme.receipt_id().await, id, "{parts}");
        }
        assert!(esme.hears_nothing_for(seconds(60)).await, "{parts}");
        esme.submit(sm(1)).await;
        assert_eq!(esme.receipt_id().await, "4", "{parts}: a message of its own has its receipt");
    }
}

#[tokio::test(start_paused = true)]
async fn the_one_receipt_comes_when_all_parts_have_come_and_ended_and_tells_of_a_failure() {
    let smsc = Smsc::with_rules(
        "- { when: { part: 2 }, then: { policy: { outcome: UNDELIVERABLE, enroute: 20s, receipt: { parts: one } } } }\n\
         - { then: { policy: { part_ids: first, receipt: { parts: one } } } }",
    );
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    for number in [1, 3] {
        esme.ask(Body::SubmitSm(part(number, 3, 1))).await;
    }
    assert!(esme.hears_nothing_for(seconds(60)).await, "a part is missing");
    esme.ask(Body::SubmitSm(part(2, 3, 1))).await;
    let text = esme.told().await;
    assert_eq!(start.elapsed().as_secs(), 80);
    assert!(text.starts_with("id:1 ") && text.contains("stat:UNDELIV"), "{text}");
    assert!(esme.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_may_come_in_parts() {
    for (by, udhi) in [("udh8", true), ("udh16", true), ("sar", false)] {
        let smsc =
            Smsc::with_policy(&format!("{{ receipt: {{ split: {{ octets: 40, by: {by}, reference: 519 }} }} }}"));
        let mut esme = smsc.transceiver().await;
        esme.submit(sm(1)).await;
        let mut whole = Vec::new();
        for number in 1..=3 {
            let (pdu, sm) = esme.receipt().await;
            assert_eq!(sm.esm_class.has_udh(), udhi, "{by}");
            let octets = sm.short_message.as_bytes();
            let (header, text) = octets.split_at(if udhi { 1 + usize::from(octets[0]) } else { 0 });
            let expected: &[u8] = match by {
                "udh8" => &[5, 0, 3, 7, 3, number],
                "udh16" => &[6, 8, 4, 2, 7, 3, number],
                _ => &[],
            };
            assert_eq!(header, expected);
            if by == "sar" {
                assert_eq!(pdu.tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM), Some(519));
                assert_eq!(pdu.tlvs.get_u8(TlvTag::SAR_TOTAL_SEGMENTS), Some(3));
                assert_eq!(pdu.tlvs.get_u8(TlvTag::SAR_SEGMENT_SEQNUM), Some(number));
            }
            whole.extend_from_slice(text);
            esme.answer(&pdu, CommandStatus::ESME_ROK).await;
        }
        assert!(whole.starts_with(b"id:1 sub:001 ") && whole.ends_with(b" text:Hello"), "{by}");
        assert!(esme.hears_nothing_for(seconds(60)).await);
        let shown = smsc.control().message("1").expect("it is there").receipts;
        let parts: Vec<_> = shown.iter().map(|receipt| receipt.part).collect();
        assert_eq!(parts, [Some([1, 3]), Some([2, 3]), Some([3, 3])]);
    }
}

/// Parts are records of their own, after those of receipts that are to follow.
#[tokio::test(start_paused = true)]
async fn the_parts_of_each_receipt_have_one_reference() {
    for further in ["times: 2", "then: [{ state: ENROUTE, delay: 1s }]"] {
        let smsc = Smsc::with_policy(&format!("{{ receipt: {{ split: {{ octets: 60 }}, {further} }} }}"));
        let mut esme = smsc.transceiver().await;
        esme.submit(sm(1)).await;
        let mut numbers: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for _ in 0..4 {
            let (pdu, sm) = esme.receipt().await;
            let octets = sm.short_message.as_bytes();
            assert_eq!(octets[..3], [5, 0, 3]);
            numbers.entry(octets[3]).or_default().push(octets[5]);
            esme.answer(&pdu, CommandStatus::ESME_ROK).await;
        }
        numbers.values_mut().for_each(|numbers| numbers.sort_unstable());
        assert_eq!(numbers.into_values().collect::<Vec<_>>(), [[1, 2], [1, 2]], "{further}");
    }
}

#[tokio::test(start_paused = true)]
async fn further_receipts_come_one_after_the_other() {
    let smsc = Smsc::with_policy(
        "{ receipt: { state: ACCEPTED, delay: 2s, text: '{stat} {err}', then: [
            { state: DELIVERED, delay: 3s, receipt: { tlv_state: 100 } },
            { state: ENROUTE, intermediate: true },
            { state: UNDELIVERABLE, delay: 1m, receipt: { form: text, err: '034' } } ] } }",
    );
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    esme.submit(sm(1)).await;
    for (text, state, esm_class, after) in [
        ("ACCEPTD 000", Some(6), 0x04, 2),
        ("DELIVRD 000", Some(100), 0x04, 5),
        ("ENROUTE 000", Some(1), 0x20, 5),
        ("UNDELIV 034", None, 0x04, 65),
    ] {
        let pdu = esme.take().await;
        let Body::DeliverSm(sm) = &pdu.body else { panic!("{pdu}") };
        assert_eq!((words(sm).as_str(), pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE)), (text, state));
        assert_eq!((sm.esm_class.0, start.elapsed().as_secs()), (esm_class, after), "{text}");
    }
    assert!(esme.hears_nothing_for(seconds(600)).await);
    let shown = smsc.control().message("1").expect("it is there").receipts;
    let texts: Vec<_> = shown.iter().map(|receipt| receipt.text.as_str()).collect();
    assert_eq!(texts, ["ACCEPTD 000", "DELIVRD 000", "ENROUTE 000", "UNDELIV 034"]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_may_end_in_a_broken_parameter_and_is_answered_like_others() {
    let policy = "{ receipt: { text: short, without: [receipted_message_id], tail: 001e00413330303500 } }";
    let smsc = Smsc::with_policy(policy);
    let mut esme = smsc.transceiver().await;
    esme.submit(sm(1)).await;
    let frame = esme.frame().await;
    assert!(frame.ends_with(b"\x04\x27\0\x01\x02\0\x1e\0\x413005\0"), "{frame:?}");
    assert!(Pdu::decode(&frame.clone().into(), Leniency::STRICT).is_err());
    let answer = [&[0, 0, 0, 17, 0x80, 0, 0, 5, 0, 0, 0, 0][..], &frame[12..16], &[0]].concat();
    esme.write(&answer).await;
    assert!(esme.is_served().await);
    let shown = smsc.control().message("1").expect("it is there").receipts.remove(0);
    assert_eq!(shown.status.as_deref(), Some("ESME_ROK"));
    // A peer that knows no parameters sees none of it.
    let bind = Bind { interface_version: InterfaceVersion(0x33), ..bind() };
    let mut old = smsc.bound_as(bind, BindKind::Transceiver).await;
    old.submit(sm(1)).await;
    assert!(old.told().await.starts_with("id:2 "));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_encoded_otherwise_than_its_data_coding_says() {
    let smsc = Smsc::with_policy("{ receipt: { data_coding: message, text: 'id:{id} text:{text:ucs2}' } }");
    let mut esme = smsc.transceiver().await;
    let short_message = ShortMessage::new(&b"\x04\x22\0a"[..]).expect("short");
    esme.submit(Sm { data_coding: smpp_transport::pdu::DataCoding::UCS2, short_message, ..sm(1) }).await;
    let (_, receipt) = esme.receipt().await;
    assert_eq!(receipt.data_coding.0, 8);
    assert_eq!(receipt.short_message.as_bytes(), b"id:1 text:\x04\x22\0a");
}

#[tokio::test(start_paused = true)]
async fn responses_to_data_sm_and_submit_multi_are_shaped_too() {
    let smsc = Smsc::with_policy("{ message_id: 'M%03d', response: { shape: no_nul, tlvs: [{ copy: 0x1400 }] } }");
    let mut esme = smsc.transceiver().await;
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag(0x1400), b"x");
    let data = DataSm { destination_addr: "27820001001".parse().expect("short"), ..DataSm::default() };
    let good = Destination::Address { ton: Ton(1), npi: Npi(1), address: "27820001001".parse().expect("short") };
    let bad = Destination::Address { ton: Ton(1), npi: Npi(1), address: "letters".parse().expect("short") };
    let multi = SubmitMulti {
        dest_address: smpp_transport::pdu::Destinations::new(vec![good, bad]).expect("two"),
        ..SubmitMulti::default()
    };
    for (body, response) in [
        (Body::DataSm(data), &b"M001\x14\0\0\x01x"[..]),
        (Body::SubmitMulti(multi), b"M002\x01\x01\x01letters\0\0\0\0\x0b\x14\0\0\x01x"),
    ] {
        let pdu = Pdu { tlvs: tlvs.clone(), ..Pdu::new(CommandStatus::ESME_ROK, 9, body) };
        esme.write(&pdu.to_octets()).await;
        let frame = esme.frame().await;
        assert_eq!(frame[16..].escape_ascii().to_string(), response.escape_ascii().to_string());
    }
}
