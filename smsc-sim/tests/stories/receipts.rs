//! Receipts: which are asked for, what they say, where they go, and how long they are kept.

use std::time::Duration;

use smpp_transport::pdu::{
    Bind, Body, CommandStatus, DataCoding, Empty, InterfaceVersion, MessageState, Npi, ShortMessage, Sm, TlvTag, Ton,
};
use smpp_transport::session::BindKind;
use smsc_sim::{Account, Behaviour, Delay};
use tokio::time::Instant;

use crate::world::{Esme, Smsc, bind, bind_as, sm, words};

const MINUTE: Duration = Duration::from_secs(60);

/// Unbinds and waits until the simulator has let go of the line.
async fn leave(mut esme: Esme) {
    esme.ask(Body::Unbind(Empty {})).await;
    assert!(esme.next().await.is_none());
    drop(esme);
    tokio::time::advance(Duration::from_millis(1)).await;
}

/// Hangs up without a word.
async fn vanish(esme: Esme) {
    drop(esme);
    tokio::time::advance(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_receipt_comes_exactly_when_registered_delivery_asks_for_it() {
    for (undelivered, wants) in [(0.0, [false, true, false, false]), (1.0, [false, true, true, false])] {
        let smsc = Smsc::start(|config| config.behaviour = Behaviour { undelivered, ..Behaviour::default() });
        let mut esme = smsc.bound(BindKind::Transceiver).await;
        // The SME acknowledgements in bits 3-2 and the intermediate notification in bit 4 are the other ESME's affair, or
        // nobody's.
        for bits in 0_u8..32 {
            let id = esme.submit(sm(bits)).await;
            if wants[usize::from(bits & 3)] {
                assert_eq!(esme.receipt_id().await, id, "registered_delivery {bits:#x}");
            }
            assert!(esme.hears_nothing_for(Duration::from_secs(1)).await, "registered_delivery {bits:#x}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_says_what_appendix_b_says() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let sent = Sm {
        source_addr_ton: Ton(5),
        source_addr_npi: Npi(0),
        dest_addr_ton: Ton(1),
        dest_addr_npi: Npi(1),
        short_message: ShortMessage::new("id:9 stat:EXPIRED and more").unwrap(),
        ..sm(1)
    };
    esme.submit(sent).await;
    let (pdu, receipt) = esme.receipt().await;
    assert_eq!(
        words(&receipt),
        "id:1 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:id:9 stat:EXPIRED an"
    );
    assert_eq!(receipt.esm_class.0, 0x04);
    assert_eq!((receipt.source_addr_ton, receipt.source_addr_npi), (Ton(1), Npi(1)));
    assert_eq!((receipt.dest_addr_ton, receipt.dest_addr_npi), (Ton(5), Npi(0)));
    assert_eq!(receipt.source_addr.text(), "27820001001");
    assert_eq!(receipt.destination_addr.text(), "1001");
    assert_eq!(pdu.tlvs.get(TlvTag::RECEIPTED_MESSAGE_ID).unwrap(), "1\0");
    assert_eq!(pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE), Some(MessageState::DELIVERED.0));
}

#[tokio::test(start_paused = true)]
async fn the_receipt_of_an_undelivered_message_says_so() {
    let smsc = Smsc::start(|config| config.behaviour.undelivered = 1.0);
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let (pdu, receipt) = esme.receipt().await;
    let words = words(&receipt);
    assert!(words.contains("dlvrd:000") && words.contains("stat:UNDELIV err:001"), "{words}");
    assert_eq!(pdu.tlvs.get_u8(TlvTag::MESSAGE_STATE), Some(MessageState::UNDELIVERABLE.0));
}

#[tokio::test(start_paused = true)]
async fn the_text_in_a_receipt_is_ascii_whatever_the_message_was() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    for (coding, octets, text) in [
        (DataCoding::UCS2, &b"\x04\x22\x00a"[..], "text:?a"),
        (DataCoding::LATIN1, b"caf\xe9", "text:caf?"),
        (DataCoding::OCTETS, b"\x00\x01\x02", "text:"),
        (DataCoding::DEFAULT, b"a\x00b", "text:a@b"),
    ] {
        let short_message = ShortMessage::new(octets.to_vec()).unwrap();
        esme.submit(Sm { data_coding: coding, short_message, ..sm(1) }).await;
        let (pdu, receipt) = esme.receipt().await;
        assert!(words(&receipt).ends_with(text), "{}", words(&receipt));
        esme.answer(&pdu, CommandStatus::ESME_ROK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_of_version_3_3_is_sent_no_optional_parameters() {
    let smsc = Smsc::start(|_| {});
    for (version, knows) in [(0x33, false), (0x00, false), (0x34, true), (0x50, true), (0x22, true)] {
        let bind = Bind { interface_version: InterfaceVersion(version), ..bind() };
        let mut esme = smsc.bound_as(bind, BindKind::Transceiver).await;
        let id = esme.submit(sm(1)).await;
        let (pdu, receipt) = esme.receipt().await;
        assert!(words(&receipt).starts_with(&format!("id:{id} ")));
        assert_eq!(!pdu.tlvs.is_empty(), knows, "version {version:#x}");
        esme.answer(&pdu, CommandStatus::ESME_ROK).await;
        leave(esme).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_receipt_goes_to_the_session_that_submitted_when_that_receives() {
    let smsc = Smsc::start(|_| {});
    let mut other = smsc.bound(BindKind::Transceiver).await;
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let mut third = smsc.bound(BindKind::Receiver).await;
    for _ in 0..3 {
        let id = esme.submit(sm(1)).await;
        assert_eq!(esme.receipt_id().await, id);
    }
    assert!(other.hears_nothing_for(MINUTE).await && third.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn the_receipt_of_a_transmitter_goes_to_a_receiver_of_its_account() {
    let smsc = Smsc::start(|_| {});
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let id = transmitter.submit(sm(1)).await;
    assert_eq!(receiver.receipt_id().await, id);
    assert!(transmitter.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn receipts_are_kept_in_order_until_a_session_of_the_account_can_receive() {
    let smsc = Smsc::start(|_| {});
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let mut ids = Vec::new();
    // More than are handed over at once, and than the window takes.
    for _ in 0..250 {
        ids.push(transmitter.submit(sm(1)).await);
    }
    let mut second = smsc.bound(BindKind::Transmitter).await;
    assert!(second.hears_nothing_for(MINUTE).await);
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let mut received = Vec::new();
    for _ in 0..250 {
        received.push(receiver.receipt_id().await);
    }
    assert_eq!(received, ids);
    assert!(receiver.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn when_too_many_receipts_wait_the_oldest_are_dropped() {
    let smsc = Smsc::start(|config| config.receipts_held_max = 2);
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..4 {
        transmitter.submit(sm(1)).await;
    }
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    assert_eq!([receiver.receipt_id().await, receiver.receipt_id().await], ["3", "4"]);
    assert!(receiver.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_never_goes_to_another_account() {
    let smsc = Smsc::start(|config| config.accounts = vec![Account::new("one", "1"), Account::new("two", "2")]);
    let mut stranger = smsc.bound_as(bind_as("two", "2"), BindKind::Transceiver).await;
    let mut transmitter = smsc.bound_as(bind_as("one", "1"), BindKind::Transmitter).await;
    let id = transmitter.submit(sm(1)).await;
    assert!(stranger.hears_nothing_for(MINUTE).await);
    let mut late = smsc.bound_as(bind_as("two", "2"), BindKind::Receiver).await;
    assert!(late.hears_nothing_for(MINUTE).await);
    let mut receiver = smsc.bound_as(bind_as("one", "1"), BindKind::Receiver).await;
    assert_eq!(receiver.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_put_off_is_offered_again_after_five_seconds_until_it_is_taken() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let start = Instant::now();
    let put_off = [CommandStatus::ESME_RX_T_APPN, CommandStatus::ESME_RMSGQFUL, CommandStatus::ESME_RTHROTTLED];
    let mut numbers = Vec::new();
    for (nth, status) in (0..).zip(put_off) {
        let (pdu, receipt) = esme.receipt().await;
        assert_eq!(start.elapsed().as_millis() / 10, nth * 500);
        assert!(words(&receipt).starts_with("id:1 "));
        numbers.push(pdu.sequence);
        esme.answer(&pdu, status).await;
    }
    assert_eq!(esme.receipt_id().await, "1");
    assert!(esme.hears_nothing_for(MINUTE).await);
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "each offer is a request of its own");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_refused_for_good_is_not_offered_again() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    for status in [CommandStatus::ESME_RX_P_APPN, CommandStatus::ESME_RX_R_APPN, CommandStatus::ESME_RINVDSTADR] {
        esme.submit(sm(1)).await;
        let (pdu, _) = esme.receipt().await;
        esme.answer(&pdu, status).await;
        assert!(esme.hears_nothing_for(MINUTE).await, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_not_answered_is_offered_again() {
    let smsc = Smsc::start(|config| config.session.response_timeout = Duration::from_secs(3));
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let (first, _) = esme.receipt().await;
    let start = Instant::now();
    let (second, _) = esme.receipt().await;
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_ne!(first.sequence, second.sequence);
    esme.answer(&second, CommandStatus::ESME_ROK).await;
    assert!(esme.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_survives_the_session_that_it_was_sent_on() {
    let smsc = Smsc::start(|_| {});
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    first.receipt().await;
    vanish(first).await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    second.receipt().await;
    // Its answer never comes: it unbinds instead.
    leave(second).await;
    let mut third = smsc.bound(BindKind::Transceiver).await;
    assert_eq!(third.receipt_id().await, id);
    assert!(third.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_not_due_yet_survives_the_session_that_submitted() {
    let smsc = Smsc::start(|config| config.behaviour.receipt_delay = Delay::fixed(30_000));
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    leave(first).await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    assert_eq!(second.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_was_put_off_survives_the_session_that_put_it_off() {
    let smsc = Smsc::start(|_| {});
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    let (pdu, _) = first.receipt().await;
    first.answer(&pdu, CommandStatus::ESME_RX_T_APPN).await;
    leave(first).await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    assert_eq!(second.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn when_one_receiver_goes_another_that_is_bound_gets_its_receipts() {
    let smsc = Smsc::start(|_| {});
    let mut other = smsc.bound(BindKind::Receiver).await;
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    first.receipt().await;
    vanish(first).await;
    assert_eq!(other.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn no_more_receipts_are_outstanding_than_the_window_holds() {
    let smsc = Smsc::start(|config| config.session.window = 3);
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..5 {
        transmitter.submit(sm(1)).await;
    }
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let (first, _) = receiver.receipt().await;
    receiver.receipt().await;
    receiver.receipt().await;
    assert!(receiver.hears_nothing_for(Duration::from_secs(1)).await);
    receiver.answer(&first, CommandStatus::ESME_ROK).await;
    receiver.receipt().await;
    assert!(receiver.hears_nothing_for(Duration::from_secs(1)).await);
}
