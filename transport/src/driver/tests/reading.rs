//! Guards: a PDU is read alike however its octets arrive, and what cannot be read costs no more than it must.

use super::*;
use crate::pdu::CommandId;
use crate::session::{Outcome, Why};

/// Runs a driver over a script: what happened, in words, and what was written. Every request is answered.
async fn story(reads: Vec<Read>) -> (Vec<String>, Vec<u8>) {
    let mut driver: Driver<Script, u32> =
        Driver::new(Script::new(reads), Role::Esme, esme_config(), DriverConfig::default());
    driver.request(bind(), Tlvs::new(), 7).expect("a new session may bind");
    let mut happened = Vec::new();
    while let Some(event) = driver.next().await {
        happened.push(format!("{event:?}"));
        if let Event::Request(ticket, _) = event {
            driver.refuse(ticket, OK);
        }
    }
    assert_eq!(happened.last().map(String::as_str), Some("Closed(PeerClosed)"));
    (happened, driver.stream.written)
}

fn conversation() -> Bytes {
    // A PDU of 0x..FF octets: no octet of the length is an end of file.
    let odd = Pdu::new(OK, 3, Body::DeliverSm(sm(255 - deliver(3).octets() + 20)));
    assert_eq!(odd.octets(), 0xFF);
    octets(&[bind_resp(1, OK), deliver(2), odd, enquire_link(4), deliver(5)])
}

#[tokio::test(start_paused = true)]
async fn pdus_are_read_alike_wherever_they_are_cut() {
    let whole = conversation();
    let expected = story(vec![Read::Octets(whole.clone())]).await;
    assert_eq!(expected.0.len(), 6, "bind ended, bound, three messages, closed: {:?}", expected.0);
    for cut in 1..whole.len() {
        let (head, tail) = (whole.slice(..cut), whole.slice(cut..));
        let reads = vec![Read::Octets(head), Read::Later, Read::Octets(tail)];
        assert_eq!(story(reads).await, expected, "cut at {cut}");
    }
    let octet_by_octet = whole.chunks(1).map(|octet| Read::Octets(Bytes::copy_from_slice(octet)));
    assert_eq!(story(octet_by_octet.collect()).await, expected);
}

#[tokio::test(start_paused = true)]
async fn ten_pdus_in_one_segment_are_all_answered_in_one_write() {
    let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    peer.send(&(1..=10).map(deliver).collect::<Vec<_>>()).await;
    for sequence in 1..=10 {
        let Some(Event::Request(ticket, _)) = driver.next().await else { panic!("a message was expected") };
        assert_eq!(ticket.sequence(), sequence);
        driver.refuse(ticket, OK);
    }
    assert_eq!(driver.output, octets(&(1..=10).map(|n| deliver_resp(n, OK)).collect::<Vec<_>>()));
}

#[tokio::test(start_paused = true)]
async fn a_message_glued_to_the_bind_response_is_delivered() {
    let (ours, theirs) = duplex(4096);
    let mut peer = Peer::new(theirs);
    let smsc = async {
        let request = peer.receive_some().await;
        peer.send(&[bind_resp(request.sequence, OK), deliver(9)]).await;
    };
    let (client, ()) = tokio::join!(Client::over(ours, client_config()), smsc);
    let (_client, mut incoming) = client.expect("bound");
    incoming.next().await.expect("the message").accept();
    assert_eq!(peer.receive_some().await, deliver_resp(9, OK));
}

#[tokio::test(start_paused = true)]
async fn a_message_before_the_bind_response_is_put_off() {
    let (ours, theirs) = duplex(4096);
    let mut peer = Peer::new(theirs);
    let smsc = async {
        let request = peer.receive_some().await;
        peer.send(&[deliver(9), bind_resp(request.sequence, OK)]).await;
        peer.receive_some().await
    };
    let (client, answer) = tokio::join!(Client::over(ours, client_config()), smsc);
    assert!(client.is_ok());
    assert_eq!(answer, deliver_resp(9, BUSY));
}

#[tokio::test(start_paused = true)]
async fn a_bad_length_is_nacked_and_ends_the_session_but_what_came_before_is_answered() {
    for length in [0u32, 4, 15, 70_001, 0x7FFF_FFFF, 0xFFFF_FFFF] {
        let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
        let mut sent = octets(&[deliver(5)]).to_vec();
        sent.extend([length.to_be_bytes(), 4u32.to_be_bytes(), [0; 4], 6u32.to_be_bytes()].concat());
        sent.extend(octets(&[deliver(7)]));
        peer.send_octets(&sent).await;
        let ours = async {
            let Some(Event::Request(ticket, _)) = driver.next().await else { panic!("a message was expected") };
            driver.refuse(ticket, OK);
            assert!(matches!(driver.next().await, Some(Event::Closed(Why::Malformed))), "length {length}");
            assert!(driver.next().await.is_none());
        };
        let theirs = async {
            assert_eq!(peer.receive_some().await, deliver_resp(5, OK));
            let nack = peer.receive_some().await;
            assert_eq!(nack.command_id(), CommandId::GENERIC_NACK);
            assert_eq!(nack.status, CommandStatus::ESME_RINVCMDLEN);
            assert!(peer.receive().await.is_none(), "nothing follows");
            drop(peer);
        };
        tokio::join!(ours, theirs);
    }
}

#[tokio::test(start_paused = true)]
async fn one_malformed_pdu_between_two_good_ones_costs_only_itself() {
    let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    let mut malformed = octets(&[deliver(6)]).to_vec();
    let sm_length = malformed.len() - 21;
    malformed[sm_length] = 200;
    let sent = [octets(&[deliver(5)]).to_vec(), malformed, octets(&[deliver(7)]).to_vec()].concat();
    peer.send_octets(&sent).await;
    let ours = async {
        for sequence in [5, 7] {
            let Some(Event::Request(ticket, _)) = driver.next().await else { panic!("a message was expected") };
            assert_eq!(ticket.sequence(), sequence);
            driver.refuse(ticket, OK);
        }
        let _ = driver.next().await;
    };
    let theirs = async {
        assert_eq!(peer.receive_some().await, deliver_resp(5, OK));
        assert_eq!(peer.receive_some().await, deliver_resp(6, CommandStatus::ESME_RINVMSGLEN));
        assert_eq!(peer.receive_some().await, deliver_resp(7, OK));
        drop(peer);
    };
    tokio::join!(ours, theirs);
}

#[tokio::test(start_paused = true)]
async fn an_end_in_mid_frame_ends_the_session_and_what_is_outstanding_is_unknown() {
    let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    driver.request(submit(), Tlvs::new(), 42).expect("bound");
    assert!(timeout(seconds(1), driver.next()).await.is_err(), "it leaves, and nothing comes yet");
    let answer = octets(&[submit_resp(2)]);
    peer.send_octets(&answer[..answer.len() - 1]).await;
    drop(peer);
    let lost = timeout(seconds(1), driver.next()).await.expect("the end is seen at once");
    assert!(matches!(lost, Some(Event::Ended { token: 42, outcome: Outcome::Lost(Why::PeerClosed), .. })), "{lost:?}");
    assert!(matches!(driver.next().await, Some(Event::Closed(Why::PeerClosed))));
    assert!(driver.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn large_frames_are_read_whole_and_so_is_what_follows_them() {
    let mut large = deliver(1);
    large.tlvs.push(crate::pdu::TlvTag::MESSAGE_PAYLOAD, &[b'y'; 65_535]);
    let all = octets(&[bind_resp(1, OK), large.clone(), deliver(2), large, deliver(3)]);
    let expected = story(vec![Read::Octets(all.clone())]).await;
    assert_eq!(expected.0.len(), 7);
    let pieces = all.chunks(1000).map(|piece| Read::Octets(Bytes::copy_from_slice(piece)));
    assert_eq!(story(pieces.collect()).await, expected);
}
