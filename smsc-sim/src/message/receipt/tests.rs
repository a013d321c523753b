//! Guards the contents of receipts, in every form a policy can ask for.

mod any;
mod field;
mod shapes;

use std::sync::Arc;

use smpp_transport::pdu::{CommandId, DataCoding, EsmClass, MessageState, Pdu, TlvTag};
use smpp_transport::text::{DateForm, NetworkError, Receipt as Words};

use super::super::tests::{Given, sm};
use super::*;
use crate::policy::{Dates, IdForm, Sent};
use crate::words::State;

/// The first receipt of a message under this policy.
fn receipt(policy: ReceiptPolicy, outcome: MessageState, error: u8) -> Receipt {
    let mut given = Given::new();
    let mut life = given.life(outcome);
    (life.receipt, life.error) = (Arc::new(policy), error);
    given.submit(&sm(1), &reference(), life);
    given.dues().remove(0).receipt
}

/// user_message_reference 7.
fn reference() -> Tlvs {
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &[0, 7]);
    tlvs
}

fn plain(policy: ReceiptPolicy) -> (Body, Tlvs) {
    receipt(policy, MessageState::DELIVERED, 0).pdu(true)
}

fn deliver_sm(body: Body) -> Sm {
    let Body::DeliverSm(sm) = body else { panic!("{body:?}") };
    sm
}

fn ascii(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("ASCII")
}

#[test]
fn it_says_the_same_in_text_and_parameters() {
    let (body, tlvs) = plain(ReceiptPolicy::default());
    let sm = deliver_sm(body);
    assert_eq!(
        ascii(sm.short_message.as_bytes()),
        "id:1 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:hello"
    );
    assert_eq!((sm.esm_class, sm.data_coding), (EsmClass::RECEIPT, DataCoding::DEFAULT));
    assert_eq!((sm.registered_delivery.0, sm.schedule_delivery_time.is_empty()), (0, true));
    let words = Words::from_tlvs(&tlvs).expect("parameters");
    assert_eq!((words.id.as_deref(), words.state), (Some("1"), Some(MessageState::DELIVERED)));
    assert_eq!((words.user_message_reference, words.network_error), (Some(7), None));
}

#[test]
fn it_goes_from_the_destination_to_the_source() {
    let receipt = deliver_sm(plain(ReceiptPolicy::default()).0);
    let message = sm(1);
    assert_eq!(receipt.source_addr, message.destination_addr);
    assert_eq!(receipt.destination_addr, message.source_addr);
    assert_eq!((receipt.source_addr_ton, receipt.dest_addr_ton), (message.dest_addr_ton, message.source_addr_ton));
    assert_eq!((receipt.source_addr_npi, receipt.dest_addr_npi), (message.dest_addr_npi, message.source_addr_npi));
}

#[test]
fn an_old_peer_gets_text_alone() {
    for carrier in [Carrier::DeliverSm, Carrier::Payload, Carrier::DataSm] {
        let form = Some(ReceiptForm::Tlvs);
        let policy = ReceiptPolicy { form, carrier: Some(carrier), ..ReceiptPolicy::default() };
        let (body, tlvs) = receipt(policy, MessageState::DELIVERED, 0).pdu(false);
        assert!(tlvs.is_empty());
        assert!(ascii(deliver_sm(body).short_message.as_bytes()).starts_with("id:1 sub:001"));
    }
}

#[test]
fn it_is_text_or_parameters_alone_where_that_is_wanted() {
    let form = |form| ReceiptPolicy { form: Some(form), ..ReceiptPolicy::default() };
    let (body, tlvs) = plain(form(ReceiptForm::Text));
    assert!(tlvs.is_empty() && !deliver_sm(body).short_message.as_bytes().is_empty());
    let (body, tlvs) = plain(form(ReceiptForm::Tlvs));
    assert!(Words::from_tlvs(&tlvs).is_some());
    assert_eq!(deliver_sm(body).short_message.as_bytes(), b"");
}

#[test]
fn a_message_that_ended_badly_says_why() {
    let (body, tlvs) = receipt(ReceiptPolicy::default(), MessageState::UNDELIVERABLE, 9).pdu(true);
    let text = ascii(deliver_sm(body).short_message.as_bytes());
    assert!(text.contains("dlvrd:000") && text.contains("stat:UNDELIV err:009"), "{text}");
    let error = NetworkError { network: 3, code: 9 };
    assert_eq!(Words::from_tlvs(&tlvs).and_then(|words| words.network_error), Some(error));
}

#[test]
fn it_may_lie_about_the_state() {
    let policy = ReceiptPolicy { state: Some(State(MessageState::EXPIRED)), ..ReceiptPolicy::default() };
    let (body, tlvs) = plain(policy);
    assert!(ascii(deliver_sm(body).short_message.as_bytes()).contains("stat:EXPIRED"));
    assert_eq!(tlvs.get_u8(TlvTag::MESSAGE_STATE), Some(MessageState::EXPIRED.0));
}

#[test]
fn it_may_write_the_id_otherwise_than_the_response() {
    let policy = ReceiptPolicy { message_id: Some(IdForm::HexadecimalPadded), ..ReceiptPolicy::default() };
    let (body, tlvs) = plain(policy);
    assert!(ascii(deliver_sm(body).short_message.as_bytes()).starts_with("id:00000001 "));
    assert_eq!(tlvs.get(TlvTag::RECEIPTED_MESSAGE_ID).as_deref(), Some(&b"00000001\0"[..]));
}

#[test]
fn it_writes_dates_as_it_is_told() {
    for (dates, form, date) in [
        (Dates::Minutes, DateForm::Minutes, "submit date:2601010000 "),
        (Dates::Seconds, DateForm::Seconds, "submit date:260101000000 "),
        (Dates::LongYear, DateForm::LongYear, "submit date:20260101000000 "),
    ] {
        let policy = ReceiptPolicy { dates: Some(dates), ..ReceiptPolicy::default() };
        let text = ascii(deliver_sm(plain(policy).0).short_message.as_bytes());
        assert!(text.contains(date), "{form:?}: {text}");
    }
}

#[test]
fn it_is_written_in_the_data_coding_that_it_says() {
    let coded = |coding: u8| {
        let policy = ReceiptPolicy { data_coding: Some(ReceiptCoding::Number(coding)), ..ReceiptPolicy::default() };
        let mut given = Given::new();
        let mut life = given.life(MessageState::DELIVERED);
        life.receipt = Arc::new(policy);
        let short_message = ShortMessage::new(&b"\xE9t\xE9"[..]).expect("short");
        given.submit(&Sm { data_coding: DataCoding::LATIN1, short_message, ..sm(1) }, &Tlvs::new(), life);
        let sm = deliver_sm(given.dues().remove(0).receipt.pdu(true).0);
        assert_eq!(sm.data_coding, DataCoding(coding));
        sm.short_message.as_bytes().to_vec()
    };
    assert!(coded(0).ends_with(b" text:?t?") && coded(1).ends_with(b" text:?t?"));
    assert!(coded(3).ends_with(b" text:\xE9t\xE9"));
    assert!(coded(8).starts_with(b"\0i\0d\0:") && coded(8).ends_with(b"\0:\0\xE9\0t\0\xE9"));
}

#[test]
fn it_travels_in_a_payload_where_that_is_wanted_or_the_text_is_too_long() {
    let long = ReceiptPolicy {
        data_coding: Some(ReceiptCoding::Number(8)),
        dates: Some(Dates::LongYear),
        message_id: Some(IdForm::Uuid),
        ..ReceiptPolicy::default()
    };
    let carrier = |carrier| ReceiptPolicy { carrier: Some(carrier), ..ReceiptPolicy::default() };
    for policy in [carrier(Carrier::Payload), long.clone()] {
        let (body, tlvs) = plain(policy);
        assert_eq!(deliver_sm(body).short_message.as_bytes(), b"");
        assert!(tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_some_and(|text| !text.is_empty()));
    }
    let sm = deliver_sm(receipt(long, MessageState::DELIVERED, 0).pdu(false).0);
    assert_eq!(sm.data_coding, DataCoding::DEFAULT, "an old peer has no other room for it");
    assert!(ascii(sm.short_message.as_bytes()).ends_with("text:hello"));

    let (body, tlvs) = plain(carrier(Carrier::DataSm));
    let Body::DataSm(data_sm) = body else { panic!("{body:?}") };
    assert_eq!((data_sm.esm_class, data_sm.source_addr.text()), (EsmClass::RECEIPT, sm_to()));
    assert!(tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_some() && tlvs.get(TlvTag::MESSAGE_STATE).is_some());
}

fn sm_to() -> String {
    sm(1).destination_addr.text()
}

#[test]
fn an_address_that_only_data_sm_can_say_is_answered_in_data_sm() {
    let mut given = Given::new();
    let long = "9".repeat(40);
    let data_sm = DataSm {
        destination_addr: long.parse().expect("40"),
        registered_delivery: sm(1).registered_delivery,
        ..DataSm::default()
    };
    let life = given.life(MessageState::DELIVERED);
    given.submit_data_sm(&data_sm, &Tlvs::new(), life);
    let receipt = given.dues().remove(0).receipt;
    let Body::DataSm(answer) = receipt.pdu(true).0 else { panic!("not data_sm") };
    assert_eq!(answer.source_addr.text(), long);
    assert_eq!(deliver_sm(receipt.pdu(false).0).source_addr.text(), "9".repeat(20));
}

#[test]
fn a_notification_is_marked_and_tells_the_truth() {
    let mut given = Given::new();
    let mut life = given.life(MessageState::DELIVERED);
    let lie = Some(State(MessageState::REJECTED));
    life.receipt = Arc::new(ReceiptPolicy { state: lie, times: Some(2), ..ReceiptPolicy::default() });
    given.submit(&sm(0x11), &Tlvs::new(), life);
    let dues = given.dues();
    let kinds: Vec<_> = dues.iter().map(|due| (due.receipt.intermediate, due.receipt.state)).collect();
    let last = (false, MessageState::REJECTED);
    assert_eq!(kinds, [(true, MessageState::ENROUTE), last, last]);
    let sm = deliver_sm(dues[0].receipt.pdu(true).0);
    assert_eq!(sm.esm_class, EsmClass::INTERMEDIATE);
    assert!(ascii(sm.short_message.as_bytes()).contains("dlvrd:000") && sm.short_message.as_bytes().len() < 160);
}

#[test]
fn it_is_stored_and_outlives_its_message() {
    let policy = ReceiptPolicy { sent: Some(Sent::Always), dates: Some(Dates::Seconds), ..ReceiptPolicy::default() };
    let receipt = receipt(policy, MessageState::DELIVERED, 0);
    let stored = serde_json::to_string(&receipt).expect("JSON");
    assert_eq!(serde_json::from_str::<Receipt>(&stored).expect("read back"), receipt);
}

#[test]
fn every_form_is_a_pdu_that_can_be_read_back() {
    for carrier in [Carrier::DeliverSm, Carrier::Payload, Carrier::DataSm] {
        for form in [ReceiptForm::Both, ReceiptForm::Text, ReceiptForm::Tlvs] {
            for (coding, knows_tlvs) in [(0, true), (8, true), (3, false), (8, false)] {
                let policy = ReceiptPolicy {
                    carrier: Some(carrier),
                    form: Some(form),
                    data_coding: Some(ReceiptCoding::Number(coding)),
                    ..ReceiptPolicy::default()
                };
                let (body, tlvs) = receipt(policy, MessageState::EXPIRED, 5).pdu(knows_tlvs);
                assert!(tlvs.check_lengths().is_ok());
                let in_data_sm = carrier == Carrier::DataSm && knows_tlvs;
                let id = if in_data_sm { CommandId::DATA_SM } else { CommandId::DELIVER_SM };
                let listed = tlvs.iter().all(|(tag, _)| tag.is_listed_for(id));
                assert!(listed && body.command_id() == id, "{carrier:?} {form:?}");
                let pdu = Pdu { tlvs, ..Pdu::new(smpp_transport::pdu::CommandStatus::ESME_ROK, 1, body) };
                let read = Pdu::decode(&pdu.to_octets(), smpp_transport::pdu::Leniency::STRICT);
                assert_eq!(read.as_ref(), Ok(&pdu));
            }
        }
    }
}

#[test]
fn the_dates_are_those_of_the_message() {
    let mut given = Given::new();
    let mut life = given.life(MessageState::DELIVERED);
    life.enroute = Duration::from_secs(90);
    life.receipt_delay = Duration::from_secs(600);
    given.submit(&sm(1), &Tlvs::new(), life);
    given.wait(Duration::from_secs(690));
    let text = ascii(deliver_sm(given.dues().remove(0).receipt.pdu(true).0).short_message.as_bytes());
    assert!(text.contains("submit date:2601010000 done date:2601010001"), "{text}");
}
