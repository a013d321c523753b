//! ESMEs that mean no good: octets that drip, lengths that cannot be, floods, silence, numbers that repeat. They get the
//! right answer or a close, memory stays within its bounds, and nobody else notices.

use std::time::Duration;

use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Empty, MessageId, Pdu};
use smpp_transport::session::BindKind;
use smsc_sim::{Account, Filter};
use tokio::time::Instant;

use crate::world::{Esme, Smsc, bind, bind_as, request, seconds, sm, submit, wait};

fn enquire_link(sequence: u32) -> Vec<u8> {
    Pdu::new(CommandStatus::ESME_ROK, sequence, Body::EnquireLink(Empty {})).to_octets().to_vec()
}

/// Somebody who is served all the while.
async fn bystander(smsc: &Smsc) -> Esme {
    smsc.bound(BindKind::Transceiver).await
}

#[tokio::test(start_paused = true)]
async fn octets_that_drip_are_put_together_and_hold_nobody_up() {
    let smsc = Smsc::start(|_| {});
    let mut bystander = bystander(&smsc).await;
    let mut esme = smsc.transceiver().await;
    for octet in Pdu::new(CommandStatus::ESME_ROK, 9, submit(0)).to_octets() {
        esme.write(&[octet]).await;
        wait(seconds(1)).await;
        assert!(bystander.is_served().await);
    }
    let answer = esme.must_hear().await;
    assert_eq!((answer.command_id(), answer.sequence), (CommandId::SUBMIT_SM_RESP, 9));
}

#[tokio::test(start_paused = true)]
async fn a_pdu_that_is_never_finished_keeps_no_connection_that_is_not_bound() {
    let smsc = Smsc::start(|config| config.session.session_init_timeout = seconds(7));
    let mut esme = smsc.open();
    let start = Instant::now();
    for octet in &Pdu::new(CommandStatus::ESME_ROK, 1, request(BindKind::Receiver, bind())).to_octets()[..20] {
        esme.write(&[*octet]).await;
        wait(Duration::from_millis(100)).await;
    }
    assert!(esme.next().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn lengths_that_cannot_be_are_answered_with_generic_nack_and_a_close() {
    let smsc = Smsc::start(|_| {});
    let mut bystander = bystander(&smsc).await;
    for length in [0_u32, 1, 4, 15, 70_001, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x1000_0010] {
        for mut esme in [smsc.open(), smsc.transceiver().await] {
            let mut octets = enquire_link(5);
            octets[..4].copy_from_slice(&length.to_be_bytes());
            esme.write(&octets).await;
            let nack = esme.must_hear().await;
            assert_eq!(
                (nack.command_id(), nack.status),
                (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDLEN),
                "{length:#x}"
            );
            assert!(esme.next().await.is_none(), "{length:#x}");
        }
        assert!(bystander.is_served().await);
    }
}

/// Some read a length of 0x…FF as the end of the line.
#[tokio::test(start_paused = true)]
async fn a_length_that_ends_in_ff_is_a_length() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let mut pdu = Pdu::new(CommandStatus::ESME_ROK, 2, submit(0));
    let rest = 0xFF - pdu.to_octets().len() - 4;
    pdu.tlvs.push(smpp_transport::pdu::TlvTag(0x1400), &vec![7; rest]);
    let octets = pdu.to_octets();
    assert_eq!(octets[..4], [0, 0, 0, 0xFF]);
    esme.write(&octets).await;
    assert_eq!(esme.must_hear().await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn any_sequence_number_is_given_back_zero_high_repeated_and_falling() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    for sequence in [0, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 5, 5, 4, 1] {
        esme.write(&Pdu::new(CommandStatus::ESME_ROK, sequence, submit(0)).to_octets()).await;
        let answer = esme.must_hear().await;
        assert_eq!((answer.sequence, answer.status), (sequence, CommandStatus::ESME_ROK), "{sequence:#x}");
    }
    assert_eq!(smsc.control().stats().messages_total, 8);
}

#[tokio::test(start_paused = true)]
async fn a_request_with_the_number_of_a_delivery_is_another_matter() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let ids = smsc.deliver("{ from: 2701, to: 1001, text: hello }");
    let delivery = esme.must_hear().await;
    esme.write(&enquire_link(delivery.sequence)).await;
    let answer = esme.must_hear().await;
    assert_eq!((answer.command_id(), answer.sequence), (CommandId::ENQUIRE_LINK_RESP, delivery.sequence));
    esme.answer(&delivery, CommandStatus::ESME_ROK).await;
    let known = smsc.control().wait_for_deliveries(&ids, seconds(1)).await;
    assert_eq!(known[0].status.as_deref(), Some("ESME_ROK"));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_doubled_late_of_another_kind_or_to_nothing_are_left_alone() {
    let smsc = Smsc::start(|config| config.session.response_timeout = seconds(3));
    let mut esme = smsc.transceiver().await;
    esme.submit(sm(1)).await;
    let (late, _) = esme.receipt().await;
    wait(seconds(4)).await;
    let (again, _) = esme.receipt().await;
    assert_ne!(late.sequence, again.sequence);
    esme.answer(&late, CommandStatus::ESME_RX_P_APPN).await;
    let other = Body::DataSmResp(Some(MessageId::default()));
    esme.write(&Pdu::new(CommandStatus::ESME_ROK, again.sequence, other).to_octets()).await;
    esme.answer(&again, CommandStatus::ESME_ROK).await;
    esme.answer(&again, CommandStatus::ESME_RX_T_APPN).await;
    assert!(esme.hears_nothing_for(seconds(600)).await);
    let receipt = smsc.control().messages(&Filter::default())[0].receipts[0].clone();
    assert_eq!((receipt.status.as_deref(), receipt.attempts), (Some("ESME_ROK"), 2));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_connections_and_binds_is_bounded_and_over_when_they_go() {
    let smsc = Smsc::start(|config| {
        config.limits.connections_max = 50;
        config.accounts = vec![Account { binds_max: 10, ..Account::new("one", "1") }];
    });
    let mut lines: Vec<_> = (0..200).map(|_| smsc.open()).collect();
    wait(seconds(1)).await;
    assert_eq!(smsc.control().stats().connections, 50);
    let mut bound = 0;
    for line in lines.iter_mut().take(50) {
        for kind in [BindKind::Receiver; 3] {
            bound += usize::from(line.ask(request(kind, bind_as("one", "1"))).await.status == CommandStatus::ESME_ROK);
        }
    }
    assert_eq!((bound, smsc.control().stats().sessions), (10, 10));
    drop(lines);
    wait(seconds(1)).await;
    assert_eq!((smsc.control().stats().connections, smsc.control().stats().sessions), (0, 0));
    smsc.bound_as(bind_as("one", "1"), BindKind::Receiver).await;
}

#[tokio::test(start_paused = true)]
async fn an_esme_that_submits_and_never_reads_holds_no_more_than_the_bounds() {
    let smsc = Smsc::start(|config| {
        config.limits.messages_max = 100;
        config.limits.deliveries_max = 20;
    });
    let mut bystander = bystander(&smsc).await;
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let mut silent = smsc.bound(BindKind::Receiver).await;
    smsc.act("silence: forever");
    for _ in 0..500 {
        transmitter.submit(sm(1)).await;
    }
    let stats = smsc.control().stats();
    assert!(stats.messages <= 100 && stats.deliveries_waiting <= 20, "{stats:?}");
    assert!(stats.deliveries_dropped > 0, "{stats:?}");
    // Some went to the bystander in its turn.
    for _ in 0..10 {
        bystander.take().await;
    }
    assert!(silent.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn many_requests_in_one_write_are_all_answered_in_their_order() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let all: Vec<u8> = (1..=2_000).flat_map(enquire_link).collect();
    esme.write(&all).await;
    for number in 1..=2_000 {
        assert_eq!(esme.must_hear().await.sequence, number);
    }
}

#[tokio::test(start_paused = true)]
async fn noise_is_hung_up_on_and_a_close_within_a_pdu_ends_the_session() {
    let smsc = Smsc::start(|_| {});
    let mut bystander = bystander(&smsc).await;
    for noise in ["474554202f20485454502f312e310d0a0d0a", "1603010200010001fc0303", "ffffffffffffffffffffffffffffffff"]
    {
        let mut esme = smsc.open();
        esme.write(&from_hex(noise).unwrap()).await;
        if noise.len() >= 32 {
            while esme.next().await.is_some() {}
        }
        esme.vanish().await;
    }
    let mut esme = smsc.transceiver().await;
    esme.write(&enquire_link(1)[..10]).await;
    esme.vanish().await;
    assert_eq!(smsc.control().stats().connections, 1);
    assert!(bystander.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_unbound_after_the_inactivity_timeout_though_it_says_that_it_is_alive() {
    let smsc = Smsc::start(|config| config.session.inactivity_timeout = Some(seconds(30)));
    let mut esme = smsc.transceiver().await;
    wait(seconds(20)).await;
    assert!(esme.is_served().await);
    let start = Instant::now();
    assert_eq!(esme.must_hear().await.command_id(), CommandId::UNBIND);
    assert_eq!(start.elapsed().as_secs(), 10);
}
