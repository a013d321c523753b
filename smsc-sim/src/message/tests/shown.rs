//! Messages as they are shown, and which are asked for.

use smpp_transport::pdu::{CommandId, DataCoding, TlvTag};

use super::*;
use crate::message::{Filter, Message, Outcome};
use crate::words::State;

fn shown(given: &Given, number: u64) -> Message {
    given.record(number).view(Seed(1))
}

fn numbers(given: &Given, filter: &Filter) -> Vec<u64> {
    given.mailbox.select(filter).into_iter().map(|message| message.number).collect()
}

#[test]
fn a_message_is_shown_whole() {
    let mut given = Given::new();
    given.now.wall += Duration::from_millis(5);
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &[0, 7]);
    tlvs.push(TlvTag(0x1400), b"x");
    let sm =
        Sm { schedule_delivery_time: text("000000000010000R"), validity_period: text("000001000000000R"), ..sm(1) };
    given.submit(&sm, &tlvs, Life { error: 4, ..given.slow(5, MessageState::REJECTED) });
    given.wait(SECOND * 20);
    given.mailbox.sent(given.now, 1, 0, 9);
    given.mailbox.ended(given.now, 1, 0, Outcome::Refused, Some(CommandStatus::ESME_RX_P_APPN));
    let json = serde_json::to_value(shown(&given, 1)).expect("JSON");
    let receipt = serde_json::json!({
            "state": "REJECTED", "intermediate": false, "outcome": "refused", "session": 9,
            "status": "ESME_RX_P_APPN", "attempts": 1, "at": "2026-01-01T00:00:20.005Z",
            "text": "id:1 sub:001 dlvrd:000 submit date:2601010000 done date:2601010000 stat:REJECTD err:004 text:hello",
            "tlvs": [
                {"tag": 0x001E, "name": "receipted_message_id", "hex": "3100"},
                {"tag": 0x0427, "name": "message_state", "hex": "08"},
                {"tag": 0x0423, "name": "network_error_code", "hex": "030004"},
                {"tag": 0x0204, "name": "user_message_reference", "hex": "0007"},
            ],
            "part": null,
    });
    let expected = serde_json::json!({
        "id": "1", "number": 1, "account": "esme", "session": 3, "operation": "submit_sm",
        "from": {"ton": 1, "npi": 1, "address": "27820000001"}, "to": {"ton": 2, "npi": 8, "address": "0820000002"},
        "service_type": "", "esm_class": 0, "protocol_id": 0, "priority": 0, "registered_delivery": 1, "data_coding": 0,
        "text": "hello", "hex": "68656c6c6f", "udh": null,
        "tlvs": [
            {"tag": 0x0204, "name": "user_message_reference", "hex": "0007"},
            {"tag": 0x1400, "name": null, "hex": "78"},
        ],
        "part": null, "whole_text": null, "state": "REJECTED", "error": 4,
        "submitted_at": "2026-01-01T00:00:00.005Z", "scheduled_for": "2026-01-01T00:00:10.005Z",
        "expires_at": "2026-01-02T00:00:00.005Z", "done_at": "2026-01-01T00:00:15.005Z",
        "history": [
            {"state": "SCHEDULED", "at": "2026-01-01T00:00:00.005Z"},
            {"state": "ENROUTE", "at": "2026-01-01T00:00:10.005Z"},
            {"state": "REJECTED", "at": "2026-01-01T00:00:15.005Z"},
        ],
        "receipts": [receipt],
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<Message>(json).expect("read back"), shown(&given, 1));
}

#[test]
fn octets_have_no_text() {
    let mut given = Given::new();
    let binary = Sm { data_coding: DataCoding::OCTETS_8BIT, ..sm(0) };
    given.submit(&binary, &Tlvs::new(), given.life(MessageState::DELIVERED));
    assert_eq!((shown(&given, 1).text, &*shown(&given, 1).hex), (None, "68656c6c6f"));
}

#[test]
fn a_payload_is_the_text() {
    let mut given = Given::new();
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::MESSAGE_PAYLOAD, b"from a payload");
    let data_sm = DataSm { destination_addr: text("1"), ..DataSm::default() };
    given.submit_data_sm(&data_sm, &tlvs, given.life(MessageState::DELIVERED));
    let message = shown(&given, 1);
    assert_eq!((message.text.as_deref(), &*message.operation), (Some("from a payload"), "data_sm"));
    assert_eq!(message.tlvs[0].name.as_deref(), Some("message_payload"));
}

#[test]
fn the_part_that_completes_a_long_message_has_its_whole_text() {
    let mut given = Given::new();
    let life = given.life(MessageState::DELIVERED);
    for sm in [part(7, 3, 3, "!"), part(7, 3, 1, "hello "), part(8, 2, 1, "other"), part(7, 3, 2, "world")] {
        given.submit(&sm, &Tlvs::new(), life.clone());
    }
    let whole: Vec<_> = (1..=4).map(|number| shown(&given, number).whole_text).collect();
    assert_eq!(whole, [None, None, None, Some("hello world!".to_owned())]);
    let last = shown(&given, 4);
    assert_eq!((last.text.as_deref(), last.udh.as_deref()), (Some("world"), Some("050003070302")));
    let place = last.part.map(|part| (part.reference, part.total, part.number));
    assert_eq!((place, &*last.hex), (Some((7, 3, 2)), "776f726c64"));
}

#[test]
fn parts_by_sar_parameters_are_joined_too_and_those_of_two_accounts_are_not() {
    let mut given = Given::new();
    let sar = |number| {
        let mut tlvs = Tlvs::new();
        tlvs.push(TlvTag::SAR_MSG_REF_NUM, &[1, 0]);
        tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, &[2]);
        tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, &[number]);
        tlvs
    };
    let life = given.life(MessageState::DELIVERED);
    given.submit(&sm(0), &sar(1), life.clone());
    given.account = Arc::from("other");
    given.submit(&sm(0), &sar(2), life.clone());
    given.account = Arc::from("esme");
    given.submit(&sm(0), &sar(2), life);
    assert_eq!(shown(&given, 2).whole_text, None);
    assert_eq!(shown(&given, 3).whole_text.as_deref(), Some("hellohello"));
}

#[test]
fn messages_are_found_by_all_that_is_said() {
    let mut given = Given::new();
    let life = given.life(MessageState::DELIVERED);
    given.submit(&sm(0), &Tlvs::new(), life.clone());
    given.submit(
        &Sm { destination_addr: text("082000000"), ..sm(0) },
        &Tlvs::new(),
        given.slow(9, MessageState::DELIVERED),
    );
    given.submit(&part(1, 2, 1, "good m"), &Tlvs::new(), life.clone());
    given.submit(&part(1, 2, 2, "orning"), &Tlvs::new(), life.clone());
    given.account = Arc::from("other");
    given.submit_data_sm(&DataSm { destination_addr: text("1"), ..DataSm::default() }, &Tlvs::new(), life);
    let term = |text: &str| Some(text.parse().expect("a term"));
    let all = Filter::default();
    for (filter, expected) in [
        (all.clone(), vec![1, 2, 3, 4, 5]),
        (Filter { newest_first: true, limit: Some(2), ..all.clone() }, vec![5, 4]),
        (Filter { after: Some(3), ..all.clone() }, vec![4, 5]),
        (Filter { after: Some(u64::MAX), ..all.clone() }, vec![]),
        (Filter { to: term("082000000"), ..all.clone() }, vec![2]),
        (Filter { to: term("/^0820/"), ..all.clone() }, vec![1, 2, 3, 4]),
        (Filter { from: term("2782"), ..all.clone() }, vec![]),
        (Filter { from: term("/^2782/"), limit: Some(1), ..all.clone() }, vec![1]),
        (Filter { text: term("ell"), ..all.clone() }, vec![1, 2]),
        (Filter { text: term("good morning"), ..all.clone() }, vec![4]),
        (Filter { text: term("/^o.*g$/"), ..all.clone() }, vec![4]),
        (Filter { system_id: Some("other".to_owned()), ..all.clone() }, vec![5]),
        (Filter { state: Some(State(MessageState::ENROUTE)), ..all.clone() }, vec![2]),
        (Filter { operation: Some(CommandId::DATA_SM), ..all.clone() }, vec![5]),
    ] {
        assert_eq!(numbers(&given, &filter), expected, "{filter:?}");
    }
    assert!("/[/".parse::<crate::message::Term>().is_err_and(|words| words.contains("no regular expression")));
}
