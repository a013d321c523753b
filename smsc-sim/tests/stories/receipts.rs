//! Receipts: which are asked for, and what they say.

use std::time::Duration;

use smpp_transport::pdu::{
    Bind, CommandStatus, DataCoding, InterfaceVersion, MessageState, Npi, ShortMessage, Sm, TlvTag, Ton,
};
use smpp_transport::session::BindKind;

use crate::world::{Smsc, bind, sm, words};

#[tokio::test(start_paused = true)]
async fn a_receipt_comes_exactly_when_registered_delivery_asks_for_it() {
    for (outcome, wants) in [("DELIVERED", [false, true, false]), ("UNDELIVERABLE", [false, true, true])] {
        let smsc = Smsc::with_policy(&format!("{{ outcome: {outcome} }}"));
        let mut esme = smsc.bound(BindKind::Transceiver).await;
        // The SME acknowledgements in bits 3-2 are the other ESME's affair.
        for bits in (0_u8..32).filter(|bits| bits & 3 != 3) {
            let id = esme.submit(sm(bits)).await;
            if bits & 0x10 != 0 {
                assert_eq!(esme.notification().await, format!("{id} ENROUTE"), "registered_delivery {bits:#x}");
            }
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
    let smsc = Smsc::with_policy("{ outcome: UNDELIVERABLE }");
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
        esme.leave().await;
    }
}
