//! Guards: timers fire in time whatever the peer does, and never because *we* were late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::session::{Outcome, Why};
use tokio::time::{Instant, advance};

/// A peer that always has something to say: each read brings `octets`, and takes a millisecond. It never runs dry before
/// `left` reads, and it knows nothing of the runtime's turns.
struct Flood {
    octets: Bytes,
    left: usize,
    read: Arc<AtomicUsize>,
}

impl AsyncRead for Flood {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left > 0 {
            self.left -= 1;
            let _ = std::pin::pin!(advance(Duration::from_millis(1))).poll(cx);
            let octets = self.octets.len().min(out.remaining());
            out.put_slice(&self.octets[..octets]);
            self.read.fetch_add(octets, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn flooded(session: SessionConfig) -> (Driver<Flood, u32>, Arc<AtomicUsize>) {
    // Whole PDUs in each read: 64 enquire_links of 16 octets.
    let read = Arc::new(AtomicUsize::new(0));
    let octets = octets(&(0..64).map(enquire_link).collect::<Vec<_>>());
    let stream = Flood { octets, left: 200_000, read: Arc::clone(&read) };
    (Driver::new(stream, Role::Esme, session, DriverConfig::default()), read)
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_reads_does_not_hold_up_a_timer() {
    let session = SessionConfig { session_init_timeout: seconds(5), ..esme_config() };
    let (mut driver, _) = flooded(session);
    let since = Instant::now();
    assert!(matches!(soon(driver.next()).await, Some(Event::Closed(Why::SessionInit))));
    // One read of the flood takes a millisecond, and throwing away a mebioctet of it takes a second.
    assert!(since.elapsed() < seconds(7), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_reads_leaves_their_turn_to_others() {
    let (mut driver, _) = flooded(esme_config());
    let turn = timeout(seconds(1), driver.next()).await;
    assert!(turn.is_err(), "enquire_links are no events: {turn:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_after_the_end_is_not_read_for_ever() {
    let (mut driver, read) = flooded(esme_config());
    driver.close();
    let before = read.load(Ordering::Relaxed);
    assert!(matches!(soon(driver.next()).await, Some(Event::Closed(Why::Dropped))));
    let thrown_away = read.load(Ordering::Relaxed) - before;
    assert!(thrown_away <= crate::driver::line::LINGER_OCTETS_MAX + 4096, "{thrown_away}");
}

/// More than several reads bring at first, so that the answer is not in the first of them.
fn much() -> Vec<Pdu> {
    (100..140).map(|n| Pdu::new(OK, n, Body::DeliverSm(sm(254)))).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_in_the_socket_in_time_is_no_expiry_though_we_come_late() {
    let session = SessionConfig { response_timeout: seconds(5), ..esme_config() };
    let (mut driver, mut peer) = bound(64 * 1024, session, DriverConfig::default()).await;
    let sequence = driver.request(submit(), Tlvs::new(), 42).expect("bound");
    let _ = timeout(seconds(1), driver.next()).await;
    peer.send(&much()).await;
    peer.send(&[submit_resp(sequence)]).await;
    advance(seconds(30)).await;
    loop {
        match soon(driver.next()).await {
            Some(Event::Request(ticket, _)) => driver.refuse(ticket, OK),
            Some(Event::Ended { token: 42, outcome, .. }) => {
                break assert_eq!(outcome, Outcome::Answered(submit_resp(sequence)));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_peer_is_not_dropped_because_we_were_held_up() {
    let session =
        SessionConfig { response_timeout: seconds(5), enquire_link_interval: Some(seconds(10)), ..esme_config() };
    let (mut driver, mut peer) = bound(256 * 1024, session, DriverConfig::default()).await;
    tokio::select! {
        biased;
        event = driver.next() => panic!("{event:?}"),
        asked = peer.receive_some() => assert!(matches!(asked.body, Body::EnquireLink(_))),
    }
    // One frame, larger than the first read, so that nothing has been heard after it.
    let mut large = deliver(1);
    large.tlvs.push(crate::pdu::TlvTag::MESSAGE_PAYLOAD, &[b'y'; 60_000]);
    peer.send(&[large, Pdu::new(OK, 2, Body::EnquireLinkResp(Empty {}))]).await;
    advance(seconds(60)).await;
    let Some(Event::Request(ticket, _)) = soon(driver.next()).await else { panic!("the message was expected") };
    driver.refuse(ticket, OK);
    assert!(timeout(seconds(1), driver.next()).await.is_err(), "the session goes on");
}

#[tokio::test(start_paused = true)]
async fn a_dead_line_is_found_within_interval_and_response_timeout() {
    let (mut driver, peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    driver.request(submit(), Tlvs::new(), 1).expect("bound");
    let since = Instant::now();
    let mut ended = false;
    loop {
        match soon(driver.next()).await {
            Some(Event::Ended { token: 1, outcome: Outcome::Expired, .. }) => ended = true,
            Some(Event::Closed(why)) => break assert_eq!(why, Why::EnquireLink),
            other => panic!("{other:?}"),
        }
    }
    assert!(ended, "the request ends too");
    assert!(since.elapsed() <= seconds(55 + 60 + 2), "{:?}", since.elapsed());
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn an_idle_line_with_a_peer_that_answers_lives_for_a_day() {
    let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    let smsc = async move {
        let mut asked = 0;
        while let Some(pdu) = peer.receive().await {
            assert!(matches!(pdu.body, Body::EnquireLink(_)), "{pdu}");
            peer.send(&[Pdu::new(OK, pdu.sequence, Body::EnquireLinkResp(Empty {}))]).await;
            asked += 1;
            if asked == 24 * 60 {
                return peer;
            }
        }
        panic!("hung up after {asked} questions");
    };
    tokio::select! {
        biased;
        event = driver.next() => panic!("{event:?}"),
        _ = smsc => {}
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_timeout_is_told_and_the_session_goes_on() {
    let session = SessionConfig { response_timeout: seconds(5), ..esme_config() };
    let (mut driver, mut peer) = bound(4096, session, DriverConfig::default()).await;
    let late = driver.request(submit(), Tlvs::new(), 1).expect("bound");
    assert!(matches!(soon(driver.next()).await, Some(Event::Ended { token: 1, outcome: Outcome::Expired, .. })));
    let next = driver.request(submit(), Tlvs::new(), 2).expect("the window has room again");
    peer.send(&[submit_resp(late), submit_resp(late + 100), submit_resp(next)]).await;
    let Some(Event::Notice(pdu)) = soon(driver.next()).await else { panic!("the late one is told") };
    assert_eq!(pdu, submit_resp(late));
    let Some(Event::Ended { token: 2, outcome: Outcome::Answered(pdu), .. }) = soon(driver.next()).await else {
        panic!("the second one is answered")
    };
    assert_eq!(pdu, submit_resp(next));
    assert_eq!(driver.counters().unexpected_responses, 2, "that of no request at all is counted and no more");
}

#[tokio::test(start_paused = true)]
async fn a_timer_is_armed_again_after_it_has_fired() {
    let session = SessionConfig { response_timeout: seconds(5), window: 1, ..esme_config() };
    let (mut driver, _peer) = bound(4096, session, DriverConfig::default()).await;
    for token in 1..=5 {
        let since = Instant::now();
        driver.request(submit(), Tlvs::new(), token).expect("the window has room again");
        assert!(matches!(soon(driver.next()).await, Some(Event::Ended { outcome: Outcome::Expired, .. })));
        assert!(since.elapsed() >= seconds(5) && since.elapsed() < seconds(5) + Duration::from_millis(5));
        tokio::time::sleep(seconds(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bind_that_is_never_answered_ends() {
    let (ours, theirs) = duplex(4096);
    let since = Instant::now();
    let refused = soon(Client::over(ours, client_config())).await.expect_err("nobody answers");
    assert!(matches!(refused, crate::driver::ClientError::Ended(Why::SessionInit)), "{refused}");
    assert!(since.elapsed() <= seconds(30 + 2), "{:?}", since.elapsed());
    drop(theirs);
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_at_its_limit() {
    struct Never;
    impl crate::driver::Connect for Never {
        type Stream = DuplexStream;
        async fn connect(&mut self) -> io::Result<DuplexStream> {
            std::future::pending().await
        }
    }
    let since = Instant::now();
    let error = crate::driver::connect_within(&mut Never, seconds(10)).await.expect_err("it hangs");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(since.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn waits_without_an_end_do_not_overflow_the_clock() {
    let never = Duration::MAX;
    let session = SessionConfig {
        session_init_timeout: never,
        enquire_link_interval: Some(never - seconds(1)),
        response_timeout: never,
        inactivity_timeout: Some(never - seconds(1)),
        unbind_timeout: never,
        ..esme_config()
    };
    let (mut driver, mut peer) =
        bound(4096, session, DriverConfig { linger_timeout: never, ..Default::default() }).await;
    driver.request(submit(), Tlvs::new(), 1).expect("there is room");
    tokio::select! {
        biased;
        event = driver.next() => panic!("{event:?}"),
        () = tokio::time::sleep(seconds(1_000_000)) => {}
    }
    assert!(matches!(peer.receive_some().await.body, Body::SubmitSm(_)));
    drop(peer);
    assert!(matches!(soon(driver.next()).await, Some(Event::Ended { outcome: Outcome::Lost(Why::PeerClosed), .. })));
}
