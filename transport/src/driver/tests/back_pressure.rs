//! Guards: every queue has its bound, no side can make the other stop, and an idle session is small.

use super::*;
use crate::driver::line::READ_OCTETS_MIN;
use crate::session::{Outcome, Why};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_cannot_make_the_driver_grow_and_is_dropped_in_time() {
    let limit = 4 * 1024;
    let config = DriverConfig { output_octets_max: limit, ..DriverConfig::default() };
    let (mut driver, mut peer) = bound(1024, esme_config(), config).await;
    let since = Instant::now();
    let flood = tokio::spawn(async move {
        let burst =
            octets(&(1..=50).map(|n| if n % 2 == 0 { deliver(n) } else { enquire_link(n) }).collect::<Vec<_>>());
        while peer.stream.write_all(&burst).await.is_ok() {}
        peer
    });
    loop {
        let event = soon(driver.next()).await;
        let bound = 2 * limit + READ_OCTETS_MIN;
        assert!(driver.output.len() <= bound, "{} octets wait to be written", driver.output.len());
        assert!(driver.output.capacity() <= 4 * bound, "{} octets held", driver.output.capacity());
        match event {
            Some(Event::Request(ticket, _)) => driver.refuse(ticket, OK),
            Some(Event::Closed(why)) => break assert_eq!(why, Why::EnquireLink),
            other => panic!("{other:?}"),
        }
    }
    assert!(since.elapsed() <= seconds(55 + 60 + 2), "{:?}", since.elapsed());
    drop(driver);
    flood.await.expect("the flood ends");
}

/// Binds or is bound to, sends `total` requests as fast as it may, answers the peer's, and hangs up when all are answered
/// and as many were asked.
async fn exchange(mut driver: Line, request: Body, total: u32) {
    let (mut sent, mut ended, mut served) = (0, 0, 0);
    while ended < total || served < total {
        while sent < total && driver.state().bound().is_some() && driver.has_room() {
            driver.request(request.clone(), Tlvs::new(), sent).expect("there is room");
            sent += 1;
        }
        match soon(driver.next()).await {
            Some(Event::Bound(_)) => {}
            Some(Event::Ended { token: u32::MAX, .. }) => {}
            Some(Event::Ended { outcome: Outcome::Answered(_), .. }) => ended += 1,
            Some(Event::Request(ticket, pdu)) if pdu.command_id().is_bind() => driver.refuse(ticket, OK),
            Some(Event::Request(ticket, _)) => {
                served += 1;
                driver.refuse(ticket, OK);
            }
            other => panic!("{other:?} after {sent} sent, {ended} ended, {served} served"),
        }
    }
    driver.close();
    while soon(driver.next()).await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn two_sides_that_both_write_much_do_not_stop_each_other() {
    for pipe in [1, 64, 256, 5_000] {
        let (left, right) = duplex(pipe);
        let config = DriverConfig { output_octets_max: 16 * 1024, ..DriverConfig::default() };
        let session = |role| SessionConfig { window: 400, ..SessionConfig::new(role) };
        let mut esme: Line = Driver::new(left, Role::Esme, session(Role::Esme), config.clone());
        let smsc: Line = Driver::new(right, Role::Smsc, session(Role::Smsc), config);
        esme.request(bind(), Tlvs::new(), u32::MAX).expect("a new session may bind");
        let since = Instant::now();
        let submits = exchange(esme, Body::SubmitSm(sm(200)), 1_000);
        let delivers = exchange(smsc, Body::DeliverSm(sm(200)), 1_000);
        tokio::join!(submits, delivers);
        assert!(since.elapsed() < seconds(3), "a pipe of {pipe}: {:?}", since.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_stops_neither_enquire_link_nor_answers_and_what_it_cannot_take_is_refused() {
    let (_client, mut incoming, mut peer) = client(ClientConfig { incoming_max: 2, ..client_config() }).await;
    peer.send(&[deliver(1), deliver(2), deliver(3), deliver(4), enquire_link(5)]).await;
    // The session answers enquire_link itself, at once; the refusals come back through the client's task.
    let mut answers = [peer.receive_some().await, peer.receive_some().await, peer.receive_some().await];
    answers.sort_by_key(|pdu| pdu.sequence);
    assert_eq!(answers[..2], [deliver_resp(3, BUSY), deliver_resp(4, BUSY)]);
    assert_eq!(answers[2], Pdu::new(OK, 5, Body::EnquireLinkResp(Empty {})));
    incoming.next().await.expect("queued").accept();
    assert_eq!(peer.receive_some().await, deliver_resp(1, OK));
}

#[tokio::test(start_paused = true)]
async fn nobody_who_takes_deliveries_means_that_they_are_refused() {
    let (_client, incoming, mut peer) = client(client_config()).await;
    drop(incoming);
    peer.send(&[deliver(1)]).await;
    assert_eq!(peer.receive_some().await, deliver_resp(1, BUSY));
}

#[tokio::test(start_paused = true)]
async fn what_the_inbound_window_cannot_take_is_refused() {
    let session = SessionConfig { inbound_window: 3, ..esme_config() };
    let (mut driver, mut peer) = bound(4096, session, DriverConfig::default()).await;
    peer.send(&(1..=5).map(deliver).collect::<Vec<_>>()).await;
    let mut tickets = Vec::new();
    for _ in 0..3 {
        let Some(Event::Request(ticket, _)) = soon(driver.next()).await else { panic!("a message was expected") };
        tickets.push(ticket);
    }
    let theirs = async {
        assert_eq!(peer.receive_some().await, deliver_resp(4, BUSY));
        assert_eq!(peer.receive_some().await, deliver_resp(5, BUSY));
        drop(peer);
    };
    tokio::join!(theirs, driver.next());
}

#[tokio::test(start_paused = true)]
async fn a_full_window_does_not_hold_back_answers() {
    let mut config = client_config();
    config.session.window = 1;
    let (client, mut incoming, mut peer) = client(config).await;
    let submits: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.submit(sm(20)).await })
        })
        .collect();
    let first = peer.receive_some().await;
    peer.send(&[deliver(1)]).await;
    incoming.next().await.expect("delivered").accept();
    assert_eq!(peer.receive_some().await, deliver_resp(1, OK), "while a submit is outstanding and four wait");
    peer.send(&[submit_resp(first.sequence)]).await;
    for _ in 1..5 {
        let next = peer.receive_some().await;
        peer.send(&[submit_resp(next.sequence)]).await;
    }
    for submit in submits {
        submit.await.expect("no panic").expect("accepted");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_submits_fill_the_window_and_no_more() {
    let mut config = client_config();
    config.session.window = 7;
    let (client, _incoming, mut peer) = client(config).await;
    let submits: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.submit(sm(20)).await })
        })
        .collect();
    let mut outstanding = std::collections::VecDeque::new();
    for _ in 0..50 {
        while let Ok(pdu) = tokio::time::timeout(seconds(1), peer.receive_some()).await {
            outstanding.push_back(pdu.sequence);
        }
        let left = 50 - submits.iter().filter(|submit| submit.is_finished()).count();
        assert_eq!(outstanding.len(), left.min(7));
        peer.send(&[submit_resp(outstanding.pop_front().expect("the window is full"))]).await;
    }
    for submit in submits {
        submit.await.expect("no panic").expect("accepted");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_room_again_whenever_nothing_is_outstanding() {
    // A request larger than all that may wait to be written must not stop the requests behind it for ever.
    let mut config = client_config();
    config.driver.output_octets_max = 10;
    let (client, mut incoming, mut peer) = client(config).await;
    peer.send(&[deliver(1), deliver(2)]).await;
    incoming.next().await.expect("delivered").accept();
    incoming.next().await.expect("delivered").accept();
    let smsc = async {
        assert_eq!(peer.receive_some().await, deliver_resp(1, OK));
        assert_eq!(peer.receive_some().await, deliver_resp(2, OK));
        for _ in 0..3 {
            let request = peer.receive_some().await;
            peer.send(&[submit_resp(request.sequence)]).await;
        }
    };
    let since = Instant::now();
    let (first, second, third, ()) =
        tokio::join!(client.submit(sm(200)), client.submit(sm(200)), client.submit(sm(200)), smsc);
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert!(since.elapsed() < seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_session_without_traffic_is_small_even_after_a_burst() {
    let (mut driver, mut peer) = bound(1024 * 1024, esme_config(), DriverConfig::default()).await;
    assert!(driver.input.capacity() <= 2 * READ_OCTETS_MIN, "{} octets to read into", driver.input.capacity());
    let burst = octets(&(1..=900).map(|n| Pdu::new(OK, n, Body::DeliverSm(sm(200)))).collect::<Vec<_>>());
    peer.send_octets(&burst).await;
    let mut largest = 0;
    for _ in 1..=900 {
        let Some(Event::Request(ticket, _)) = soon(driver.next()).await else { panic!("a message was expected") };
        driver.refuse(ticket, OK);
        largest = largest.max(driver.read_octets);
    }
    assert!(largest > 4 * READ_OCTETS_MIN, "the burst is read in large pieces");
    let minute = async {
        loop {
            match peer.receive_some().await {
                pdu if pdu.command_id() == crate::pdu::CommandId::ENQUIRE_LINK => break,
                pdu => assert_eq!(pdu.status, OK),
            }
        }
    };
    tokio::select! {
        biased;
        event = driver.next() => panic!("{event:?}"),
        () = minute => {}
    }
    let _ = tokio::time::timeout(seconds(1), driver.next()).await;
    assert!(driver.input.capacity() <= 2 * READ_OCTETS_MIN, "{} octets to read into", driver.input.capacity());
    assert!(driver.output.capacity() <= 1024, "{} octets to write from", driver.output.capacity());
}
