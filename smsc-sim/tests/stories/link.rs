//! The session itself: enquire_link, generic_nack and unbind both ways; and what can be done to it from outside: silence,
//! pace, malformed PDUs, disconnection.

use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Empty, Pdu};
use smpp_transport::session::BindKind;
use smsc_sim::rules::{Malformed, Step, parse};
use tokio::time::Instant;

use crate::world::{Smsc, seconds, sm, submit, wait};

const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

#[tokio::test(start_paused = true)]
async fn enquire_link_is_answered_at_once_bound_or_not_also_when_the_window_is_full() {
    let rules = parse("[then: { delay: 5s }]").unwrap();
    let smsc = Smsc::start(|config| {
        config.session.inbound_window = 1;
        config.rules = rules;
    });
    assert!(smsc.open().is_served().await);
    for kind in KINDS {
        assert!(smsc.bound(kind).await.is_served().await, "{kind:?}");
    }
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    esme.send(submit(0)).await;
    assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_RTHROTTLED);
    for _ in 0..3 {
        assert!(esme.is_served().await);
    }
    assert_eq!(start.elapsed().as_secs(), 0);
    assert_eq!(esme.must_hear().await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn a_rule_keeps_enquire_link_from_being_answered() {
    let smsc = Smsc::with_rules("[{ when: { operation: enquire_link }, then: { answer: never } }]");
    let mut esme = smsc.transceiver().await;
    esme.send(Body::EnquireLink(Empty {})).await;
    assert!(esme.hears_nothing_for(seconds(600)).await);
    assert_eq!(esme.submit(sm(0)).await, "1", "everything else is");
}

#[tokio::test(start_paused = true)]
async fn a_rule_answers_enquire_link_with_another_command() {
    let smsc = Smsc::with_rules("[{ when: { operation: enquire_link }, then: { answer: wrong_type } }]");
    let mut esme = smsc.transceiver().await;
    let number = esme.send(Body::EnquireLink(Empty {})).await;
    let answer = esme.must_hear().await;
    assert_eq!(answer.sequence, number);
    assert_ne!(answer.command_id(), CommandId::ENQUIRE_LINK_RESP);
}

#[tokio::test(start_paused = true)]
async fn enquire_link_is_sent_on_order_and_an_esme_that_does_not_answer_is_hung_up_on() {
    let smsc = Smsc::start(|config| config.session.response_timeout = seconds(9));
    let mut esme = smsc.transceiver().await;
    smsc.act("enquire_link");
    let asked = esme.must_hear().await;
    assert_eq!(asked.command_id(), CommandId::ENQUIRE_LINK);
    esme.write(&Pdu::new(CommandStatus::ESME_ROK, asked.sequence, Body::EnquireLinkResp(Empty {})).to_octets()).await;
    assert!(esme.hears_nothing_for(seconds(60)).await);
    smsc.act("enquire_link");
    esme.must_hear().await;
    assert!(esme.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn generic_nack_is_sent_for_what_is_no_command_and_on_order() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    esme.write(&from_hex("00000010000000ff0000000000000005").unwrap()).await;
    let nack = esme.must_hear().await;
    assert_eq!((nack.command_id(), nack.status), (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDID));
    smsc.act("generic_nack: ESME_RINVCMDLEN");
    let nack = esme.must_hear().await;
    assert_eq!((nack.command_id(), nack.status), (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDLEN));
    assert_eq!(nack.sequence, 0);
}

#[tokio::test(start_paused = true)]
async fn generic_nack_from_an_esme_refuses_the_delivery_it_answers_and_else_nothing() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let nack = |sequence| Pdu::new(CommandStatus::ESME_RINVCMDID, sequence, Body::GenericNack(Empty {})).to_octets();
    let ids = smsc.deliver("{ from: 2701, to: 1001, text: hello }");
    let sequence = esme.must_hear().await.sequence;
    esme.write(&nack(sequence)).await;
    let known = smsc.control().wait_for_deliveries(&ids, seconds(1)).await;
    assert_eq!(known[0].status.as_deref(), Some("ESME_RINVCMDID"));
    for stray in [0, 4_711, sequence] {
        esme.write(&nack(stray)).await;
    }
    assert!(esme.is_served().await);
    assert!(esme.hears_nothing_for(seconds(600)).await, "it is not offered again");
}

#[tokio::test(start_paused = true)]
async fn unbind_from_the_simulator_ends_with_its_answer_and_may_cross_that_of_the_esme() {
    let smsc = Smsc::start(|_| {});
    for crosses in [false, true] {
        let mut esme = smsc.transceiver().await;
        smsc.act("unbind");
        let unbind = esme.must_hear().await;
        if crosses {
            assert_eq!(esme.ask(Body::Unbind(Empty {})).await.status, CommandStatus::ESME_ROK);
        }
        assert_eq!(unbind.command_id(), CommandId::UNBIND);
        if !crosses {
            assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_RTHROTTLED, "it takes no more");
        }
        esme.write(&Pdu::new(CommandStatus::ESME_ROK, unbind.sequence, Body::UnbindResp(Empty {})).to_octets()).await;
        while esme.next().await.is_some() {}
        esme.vanish().await;
        assert_eq!(smsc.control().stats().connections, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_session_reads_and_writes_nothing_and_then_all_of_it() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    smsc.act("silence: 30s");
    wait(seconds(1)).await;
    esme.send(submit(1)).await;
    smsc.deliver("{ from: 2701, to: 1001, text: hello }");
    assert!(esme.hears_nothing_for(seconds(28)).await);
    assert!(smsc.control().sessions()[0].faulty);
    for _ in 0..3 {
        esme.must_hear().await;
    }
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(!smsc.control().sessions()[0].faulty);
    smsc.act("silence: forever");
    wait(seconds(1)).await;
    esme.send(Body::EnquireLink(Empty {})).await;
    assert!(esme.hears_nothing_for(seconds(86_400)).await);
    smsc.act("enquire_link");
    let mut back = [esme.must_hear().await.command_id(), esme.must_hear().await.command_id()];
    back.sort_unstable();
    assert_eq!(back, [CommandId::ENQUIRE_LINK, CommandId::ENQUIRE_LINK_RESP], "it is told to speak again");
}

#[tokio::test(start_paused = true)]
async fn a_slow_session_reads_and_writes_in_pieces() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    smsc.act("pace: { octets: 1, pause: 10ms }");
    wait(seconds(1)).await;
    let start = Instant::now();
    esme.send(Body::EnquireLink(Empty {})).await;
    let first = esme.octets(1).await;
    let read = start.elapsed();
    let rest = esme.octets(15).await;
    assert_eq!((first[0], rest[2..7].to_vec()), (0, vec![16, 0x80, 0, 0, 0x15][..5].to_vec()));
    assert!((150..=200).contains(&read.as_millis()), "sixteen octets are read: {read:?}");
    let written = start.elapsed() - read;
    assert!((150..=200).contains(&written.as_millis()), "and sixteen written: {written:?}");
    assert!(smsc.control().sessions()[0].faulty);
    smsc.act("pace: { octets: 65536 }");
    let start = Instant::now();
    assert!(esme.is_served().await);
    assert!(start.elapsed().as_millis() < 150, "at full speed again");
    assert!(!smsc.control().sessions()[0].faulty);
}

#[tokio::test(start_paused = true)]
async fn each_malformed_pdu_is_written_octet_by_octet_as_it_is() {
    for malformed in Malformed::ALL {
        let smsc = Smsc::start(|_| {});
        let mut esme = smsc.transceiver().await;
        let session = smsc.control().sessions()[0].id;
        smsc.control().act(session, Step::Malformed(malformed)).unwrap();
        let octets = esme.some_octets(seconds(1)).await.unwrap();
        assert!(octets.len() >= 16, "{malformed:?}");
        let length = u32::from_be_bytes(octets[..4].try_into().unwrap()) as usize;
        let is_length = matches!(
            malformed,
            Malformed::LengthZero | Malformed::LengthShort | Malformed::LengthHuge | Malformed::LengthOneMore
        );
        assert_eq!(length != octets.len(), is_length, "{malformed:?}");
        assert!(esme.is_served().await, "{malformed:?}: the simulator goes on as if nothing were wrong");
    }
}

#[tokio::test(start_paused = true)]
async fn raw_octets_are_written_as_they_are_between_pdus() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    smsc.act("raw: '00 01 02 ff'");
    assert_eq!(esme.octets(4).await, [0, 1, 2, 0xff]);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_disconnected_on_order_and_what_it_had_goes_to_the_next() {
    for cut in ["close", "reset"] {
        let smsc = Smsc::start(|_| {});
        let mut transmitter = smsc.bound(BindKind::Transmitter).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(transmitter.submit(sm(1)).await);
        }
        let mut esme = smsc.bound(BindKind::Receiver).await;
        esme.receipt().await;
        smsc.act(&format!("disconnect: {cut}"));
        while esme.next().await.is_some() {}
        esme.vanish().await;
        let mut next = smsc.bound(BindKind::Receiver).await;
        let mut received = Vec::new();
        for _ in 0..5 {
            received.push(next.receipt_id().await);
        }
        assert_eq!(received, ids, "{cut}: in their order");
    }
}

#[tokio::test(start_paused = true)]
async fn receipts_that_were_outstanding_come_before_those_that_waited_when_the_session_ends() {
    for cut in ["close", "reset"] {
        let smsc = Smsc::start(|config| config.session.window = 2);
        let mut transmitter = smsc.bound(BindKind::Transmitter).await;
        for _ in 0..5 {
            transmitter.submit(sm(1)).await;
        }
        let mut esme = smsc.bound(BindKind::Receiver).await;
        esme.receipt().await;
        smsc.act(&format!("disconnect: {cut}"));
        while esme.next().await.is_some() {}
        esme.vanish().await;
        let mut next = smsc.bound(BindKind::Receiver).await;
        for wanted in ["1", "2", "3", "4", "5"] {
            assert_eq!(next.receipt_id().await, wanted, "{cut}");
        }
        wait(seconds(1)).await;
        assert_eq!(smsc.control().stats().deliveries_waiting, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_act_on_nobody_is_refused_in_words() {
    let smsc = Smsc::start(|_| {});
    let refused = smsc.control().act(9, Step::Unbind).unwrap_err();
    assert_eq!(refused.to_string(), "there is no session 9");
}
