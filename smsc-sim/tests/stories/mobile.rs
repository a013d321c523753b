//! Mobile-originated messages of every kind, as the octets that an ESME reads.

use smpp_transport::pdu::{Body, CommandStatus, Sm, TlvTag};
use smpp_transport::session::BindKind;
use smsc_sim::{ControlError, Mo};
use tokio::time::Instant;

use crate::world::{Smsc, bind, seconds};

/// What an ESME reads when this is sent.
async fn read(yaml: &str, count: usize) -> Vec<(Sm, smpp_transport::pdu::Tlvs)> {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    smsc.deliver(yaml);
    let mut read = Vec::new();
    for _ in 0..count {
        let pdu = esme.take().await;
        let Body::DeliverSm(sm) = pdu.body else { panic!("{yaml}: {pdu}") };
        read.push((sm, pdu.tlvs));
    }
    assert!(esme.hears_nothing_for(seconds(60)).await, "{yaml}: no more than that");
    read
}

#[tokio::test(start_paused = true)]
async fn text_comes_in_each_coding() {
    for (coding, text, data_coding, octets) in [
        ("gsm7", "a@€", 0, &b"a\x00\x1be"[..]),
        ("gsm7_packed", "hello", 0, b"\xe8\x32\x9b\xfd\x06"),
        ("ascii", "a@", 1, b"a@"),
        ("latin1", "é", 3, b"\xe9"),
        ("jis", "あ", 5, b"\x82\xa0"),
        ("cyrillic", "Я", 6, b"\xcf"),
        ("hebrew", "א", 7, b"\xe0"),
        ("ucs2", "aЯ", 8, b"\x00a\x04\x2f"),
        ("ucs2_little_endian", "aЯ", 8, b"a\x00\x2f\x04"),
        ("korean", "가", 14, b"\xb0\xa1"),
        ("utf8", "é", 0, b"\xc3\xa9"),
    ] {
        let read = read(&format!("{{ from: 2701, to: 1001, text: '{text}', coding: {coding} }}"), 1).await;
        assert_eq!(read[0].0.data_coding.0, data_coding, "{coding}");
        assert_eq!(read[0].0.short_message.as_bytes(), octets, "{coding}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_text_comes_in_parts_with_a_header_or_parameters_or_whole() {
    let long = "0123456789".repeat(40);
    for (multipart, count) in [("udh8", 3), ("udh16", 3), ("sar", 3), ("payload", 1)] {
        let read =
            read(&format!("{{ from: 2701, to: 1001, text: '{long}', multipart: {multipart}, reference: 7 }}"), count)
                .await;
        let mut whole = Vec::new();
        for (number, (sm, tlvs)) in (1_u8..).zip(&read) {
            let octets = sm.short_message.as_bytes();
            let payload = tlvs.get(TlvTag::MESSAGE_PAYLOAD);
            let text = match multipart {
                "udh8" => octets.strip_prefix(&[5, 0, 3, 7, 3, number]),
                "udh16" => octets.strip_prefix(&[6, 8, 4, 0, 7, 3, number]),
                "sar" => Some(octets),
                _ => payload.as_deref(),
            };
            assert_eq!(sm.esm_class.has_udh(), multipart.starts_with("udh"), "{multipart}");
            let sar = [TlvTag::SAR_TOTAL_SEGMENTS, TlvTag::SAR_SEGMENT_SEQNUM].map(|tag| tlvs.get_u8(tag));
            assert_eq!(sar, if multipart == "sar" { [Some(3), Some(number)] } else { [None, None] });
            whole.extend_from_slice(text.unwrap_or_else(|| panic!("{multipart} {number}: {octets:x?}")));
        }
        assert_eq!(String::from_utf8(whole).unwrap(), long, "{multipart}");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_come_in_the_order_that_is_told_some_missing_some_twice() {
    let long = "0123456789".repeat(40);
    for (parts, numbers) in [("[3, 1, 2]", vec![3, 1, 2]), ("[1, 3]", vec![1, 3]), ("[1, 1, 2]", vec![1, 1, 2])] {
        let yaml = format!("{{ from: 2701, to: 1001, text: '{long}', parts: {parts} }}");
        let read = read(&yaml, numbers.len()).await;
        assert_eq!(read.iter().map(|(sm, _)| sm.short_message.as_bytes()[5]).collect::<Vec<_>>(), numbers);
    }
}

#[tokio::test(start_paused = true)]
async fn octets_headers_and_parameters_come_as_they_are() {
    let read = read(
        "{ from: BANK, to: 1001, hex: 00ff, udh: 0605040b8423f0, esm_class: 0, priority: 1, protocol_id: 127,
           tlvs: [{ tag: 5120, hex: abcd }] }",
        1,
    )
    .await;
    let (sm, tlvs) = &read[0];
    assert_eq!(sm.short_message.as_bytes(), b"\x06\x05\x04\x0b\x84\x23\xf0\x00\xff");
    assert!(sm.esm_class.has_udh());
    assert_eq!((sm.data_coding.0, sm.source_addr_ton.0, sm.protocol_id, sm.priority_flag), (4, 5, 127, 1));
    assert_eq!(tlvs.get(TlvTag(0x1400)).unwrap(), &[0xab, 0xcd][..]);
}

#[tokio::test(start_paused = true)]
async fn a_ussd_request_comes_with_its_service_and_dialogue() {
    let read =
        read("{ from: 2701, to: 1001, text: '*120#', ussd: { service_op: 1, session: 9, sequence: 2 } }", 1).await;
    let (sm, tlvs) = &read[0];
    assert_eq!(sm.service_type.text(), "USSD");
    assert_eq!(tlvs.get_u8(TlvTag::USSD_SERVICE_OP), Some(1));
    assert_eq!(tlvs.get(TlvTag::ITS_SESSION_INFO).unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_come_at_the_rate_that_is_told_and_what_each_says_is_the_same() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    smsc.deliver("{ from: 2701, to: 1001, text: tick, count: 5, rate: 2 }");
    for place in 0..5_u128 {
        esme.take().await;
        assert_eq!(start.elapsed().as_millis() / 50, place * 10);
    }
    assert!(esme.hears_nothing_for(seconds(60)).await);
    smsc.deliver("{ from: 2701, to: 1001, text: tick, count: 50 }");
    let start = Instant::now();
    for _ in 0..50 {
        esme.take().await;
    }
    assert!(start.elapsed().as_millis() < 50);
}

#[tokio::test(start_paused = true)]
async fn the_lowest_rate_is_a_long_time_and_no_end() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    smsc.deliver("{ from: 2701, to: 1001, text: tick, count: 2, rate: 0.001 }");
    esme.take().await;
    assert!(esme.hears_nothing_for(seconds(999)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_the_session_that_serves_its_destination() {
    let smsc = Smsc::start(|_| {});
    let with_range = |range: &str| smpp_transport::pdu::Bind { address_range: range.parse().unwrap(), ..bind() };
    let mut tens = smsc.bound_as(with_range("^10"), BindKind::Receiver).await;
    let mut twenties = smsc.bound_as(with_range("^20"), BindKind::Receiver).await;
    for _ in 0..2 {
        smsc.deliver("{ from: 2701, to: 1001, text: ten }");
        smsc.deliver("{ from: 2701, to: 2001, text: twenty }");
        tens.take().await;
        twenties.take().await;
    }
    // Whom nobody serves it waits for.
    let ids = smsc.deliver("{ from: 2701, to: 3001, text: thirty }");
    assert!(tens.hears_nothing_for(seconds(60)).await && twenties.hears_nothing_for(seconds(60)).await);
    assert_eq!(serde_json::to_value(smsc.control().delivery(ids[0]).unwrap().state).unwrap(), "waiting");
    let mut thirties = smsc.bound_as(with_range("^30"), BindKind::Transceiver).await;
    thirties.take().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_or_put_off_is_known_to_be() {
    let smsc = Smsc::start(|config| config.retry.attempts_max = 2);
    let mut esme = smsc.transceiver().await;
    for (statuses, state, attempts) in [
        (vec![CommandStatus::ESME_RX_R_APPN], "refused", 1),
        (vec![CommandStatus::ESME_RX_T_APPN, CommandStatus::ESME_ROK], "accepted", 2),
        (vec![CommandStatus::ESME_RX_T_APPN; 2], "given_up", 2),
    ] {
        let ids = smsc.deliver("{ from: 2701, to: 1001, text: hello }");
        for status in statuses {
            let pdu = esme.must_hear().await;
            let shown = smsc.control().delivery(ids[0]).unwrap().state;
            assert_eq!(serde_json::to_value(shown).unwrap(), "sent");
            esme.answer(&pdu, status).await;
        }
        let known = smsc.control().wait_for_deliveries(&ids, seconds(60)).await;
        assert_eq!((serde_json::to_value(known[0].state).unwrap(), known[0].attempts), (state.into(), attempts));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_with_its_field() {
    let smsc = Smsc::start(|config| config.accounts.push(smsc_sim::Account::new("two", "2")));
    let _transmitter = smsc.bound(BindKind::Transmitter).await;
    for (yaml, field) in [
        ("{ from: 2701, to: 1001, text: hello }", "account"),
        ("{ account: three, from: 2701, to: 1001, text: hello }", "account"),
        ("{ session: 9, from: 2701, to: 1001, text: hello }", "session"),
        ("{ session: 1, from: 2701, to: 1001, text: hello }", "session"),
        ("{ account: two, from: 2701, to: 1001, text: Я, coding: latin1 }", "text"),
        ("{ account: two, from: 2701, to: 1001, text: hello, count: 0 }", "count"),
    ] {
        let mo: Mo = serde_saphyr::from_str(yaml).unwrap();
        match smsc.control().deliver(&mo) {
            Err(ControlError::Field(error)) => assert_eq!(error.field, field, "{yaml}"),
            other => panic!("{yaml}: {other:?}"),
        }
    }
}
