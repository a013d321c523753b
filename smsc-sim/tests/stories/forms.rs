//! What receipts look like, told what to look like: ids, text and parameters, carriers, dates, codings, delays.

use smpp_transport::pdu::{Body, CommandId, DataCoding, MessageState, Pdu, TlvTag};
use tokio::time::Instant;

use crate::world::{Smsc, parameter, seconds, sm, words};

/// The id in the response, and the receipt, under this policy.
async fn receipt(policy: &str) -> (String, Pdu) {
    let smsc = Smsc::with_policy(policy);
    let mut esme = smsc.transceiver().await;
    for _ in 0..9 {
        esme.submit(sm(0)).await;
    }
    let id = esme.submit(sm(1)).await;
    (id, esme.take().await)
}

fn text(pdu: &Pdu) -> String {
    match &pdu.body {
        Body::DeliverSm(sm) => words(sm),
        _ => panic!("{pdu}"),
    }
}

#[tokio::test(start_paused = true)]
async fn ids_are_written_in_the_response_and_in_the_receipt_as_told() {
    for (form, in_receipt, id, told) in [
        ("decimal", "decimal", "10", "10"),
        ("decimal", "hexadecimal", "10", "a"),
        ("hexadecimal", "decimal", "a", "10"),
        ("decimal_padded", "hexadecimal_padded", "0000000010", "0000000a"),
        ("hexadecimal_upper", "hexadecimal", "0000000A", "a"),
    ] {
        let policy = format!("{{ message_id: {form}, receipt: {{ message_id: {in_receipt} }} }}");
        let (answered, pdu) = receipt(&policy).await;
        assert_eq!(answered, id, "{policy}");
        assert!(text(&pdu).starts_with(&format!("id:{told} ")), "{policy}: {}", text(&pdu));
        assert_eq!(parameter(&pdu, TlvTag::RECEIPTED_MESSAGE_ID).unwrap(), told.as_bytes(), "{policy}");
    }
    let (uuid, pdu) = receipt("{ message_id: uuid }").await;
    assert_eq!((uuid.len(), uuid.matches('-').count()), (36, 4));
    assert!(text(&pdu).starts_with(&format!("id:{uuid} ")));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_text_or_parameters_or_both() {
    for (form, has_text, has_parameters) in [("both", true, true), ("text", true, false), ("tlvs", false, true)] {
        let (id, pdu) = receipt(&format!("{{ receipt: {{ form: {form} }} }}")).await;
        assert_eq!(text(&pdu).starts_with(&format!("id:{id} ")), has_text, "{form}");
        assert_eq!(text(&pdu).is_empty(), !has_text, "{form}");
        assert_eq!(pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE).is_some(), has_parameters, "{form}");
        assert_eq!(pdu.tlvs.is_empty(), !has_parameters, "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_carried_as_told() {
    let (_, pdu) = receipt("{ receipt: { carrier: payload } }").await;
    assert_eq!(text(&pdu), "");
    assert!(parameter(&pdu, TlvTag::MESSAGE_PAYLOAD).unwrap().starts_with(b"id:10 sub:001 "));
    let (_, pdu) = receipt("{ receipt: { carrier: data_sm } }").await;
    assert_eq!(pdu.command_id(), CommandId::DATA_SM);
    assert!(parameter(&pdu, TlvTag::MESSAGE_PAYLOAD).unwrap().starts_with(b"id:10 sub:001 "));
}

#[tokio::test(start_paused = true)]
async fn dates_and_coding_of_a_receipt_are_as_told() {
    for (dates, date) in [("minutes", "2601010000"), ("seconds", "260101000000"), ("long_year", "20260101000000")] {
        let (_, pdu) = receipt(&format!("{{ receipt: {{ dates: {dates} }} }}")).await;
        assert!(text(&pdu).contains(&format!(" submit date:{date} done date:{date} ")), "{}", text(&pdu));
    }
    // In two octets a character it is longer than a short_message without its text.
    let (_, pdu) = receipt("{ receipt: { data_coding: 8 } }").await;
    let Body::DeliverSm(sm) = &pdu.body else { panic!("{pdu}") };
    assert_eq!(sm.data_coding, DataCoding::UCS2);
    let octets = parameter(&pdu, TlvTag::MESSAGE_PAYLOAD).unwrap_or_else(|| sm.short_message.to_bytes().to_vec());
    assert!(octets.starts_with(b"\0i\0d\0:\x001\x000\0 "), "{octets:?}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_comes_late_or_twice_or_never_or_unasked_as_told() {
    for (policy, asked, times, after) in [
        ("{ receipt: { delay: 30s } }", 1, 1, 30),
        ("{ enroute: 20s, receipt: { delay: 10s } }", 1, 1, 30),
        ("{ receipt: { times: 3 } }", 1, 3, 0),
        ("{ receipt: { sent: never } }", 1, 0, 0),
        ("{ receipt: { sent: always } }", 0, 1, 0),
    ] {
        let smsc = Smsc::with_policy(policy);
        let mut esme = smsc.transceiver().await;
        let start = Instant::now();
        esme.submit(sm(asked)).await;
        for _ in 0..times {
            assert_eq!(esme.receipt_id().await, "1", "{policy}");
            assert_eq!(start.elapsed().as_secs(), after, "{policy}");
        }
        assert!(esme.hears_nothing_for(seconds(3_600)).await, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_says_another_state_than_the_true_one_if_told_to() {
    let (_, pdu) = receipt("{ outcome: UNDELIVERABLE, receipt: { state: DELIVERED } }").await;
    assert!(text(&pdu).contains("stat:DELIVRD"), "{}", text(&pdu));
    assert_eq!(pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE), Some(MessageState::DELIVERED.0));
}

#[tokio::test(start_paused = true)]
async fn an_intermediate_notification_comes_before_the_receipt_where_it_is_asked_for() {
    for (asked, notified, told) in [(0x00, false, false), (0x01, false, true), (0x10, true, false), (0x11, true, true)]
    {
        let smsc = Smsc::with_policy("{ enroute: 10s }");
        let mut esme = smsc.transceiver().await;
        let id = esme.submit(sm(asked)).await;
        if notified {
            assert_eq!(esme.notification().await, format!("{id} ENROUTE"), "{asked:#x}");
        }
        if told {
            assert!(esme.told().await.contains("stat:DELIVRD"), "{asked:#x}");
        }
        assert!(esme.hears_nothing_for(seconds(60)).await, "{asked:#x}");
    }
}
