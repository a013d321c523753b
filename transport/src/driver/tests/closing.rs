//! Guards: the end of a session is orderly: what is written arrives, what is outstanding is told, and nothing waits for ever.

use super::*;
use crate::driver::Accept;
use crate::session::{Outcome, Why};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Over a real socket: only there a close with octets unread resets the line.
#[tokio::test]
async fn the_last_answer_reaches_a_peer_whose_octets_were_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let smsc = async {
        let (stream, _) = listener.accept().await.expect("a peer");
        let mut driver: Driver<TcpStream> =
            Driver::new(stream, Role::Smsc, SessionConfig::new(Role::Smsc), DriverConfig::default());
        assert!(matches!(soon(driver.next()).await, Some(Event::Closed(Why::Malformed))));
    };
    let esme = async {
        let mut stream = TcpStream::connect(address).await.expect("a listener");
        // The length is bad, and much follows that nobody will read.
        stream.write_all(&[0; 300_000]).await.expect("it fits the socket's buffers, or is read");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an end, not a reset");
        assert_eq!(answer.len(), 16, "one generic_nack");
    };
    let both = async { tokio::join!(smsc, esme) };
    timeout(seconds(20), both).await.expect("real time, but much of it");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_hang_up_is_waited_for_no_longer_than_the_linger_timeout() {
    let (mut driver, mut peer) = bound(4096, esme_config(), DriverConfig::default()).await;
    let since = Instant::now();
    driver.close();
    assert!(matches!(soon(driver.next()).await, Some(Event::Closed(Why::Dropped))));
    assert_eq!(since.elapsed().as_secs(), 2);
    assert!(peer.receive().await.is_none(), "our side is closed");
    assert!(soon(driver.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn two_sides_that_hang_up_with_much_to_write_do_not_wait_for_each_other() {
    let (left, right) = duplex(64);
    let config = DriverConfig { linger_timeout: seconds(60), ..DriverConfig::default() };
    let mut sides = [Role::Esme, Role::Smsc].into_iter().zip([left, right]).map(|(role, stream)| {
        let mut driver: Line = Driver::new(stream, role, SessionConfig::new(role), config.clone());
        driver.inject(&[0; 5_000]);
        driver.close();
        driver
    });
    let (mut esme, mut smsc) = (sides.next().expect("two"), sides.next().expect("two"));
    let since = Instant::now();
    tokio::join!(esme.next(), smsc.next());
    assert!(since.elapsed() < seconds(1), "{:?}", since.elapsed());
    assert!(esme.output.is_empty() && smsc.output.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_written_leaves_before_we_hang_up() {
    let (mut driver, mut peer) = bound(64, esme_config(), DriverConfig::default()).await;
    for token in 0..5 {
        driver.request(submit(), Tlvs::new(), token).expect("bound");
    }
    driver.close();
    let smsc = async {
        let mut received = 0;
        while peer.receive().await.is_some() {
            received += 1;
        }
        drop(peer);
        received
    };
    let esme = async {
        for expected in 0..5 {
            let event = soon(driver.next()).await;
            assert!(
                matches!(event, Some(Event::Ended { token, outcome: Outcome::Lost(Why::Dropped), .. }) if token == expected)
            );
        }
        assert!(matches!(soon(driver.next()).await, Some(Event::Closed(Why::Dropped))));
    };
    assert_eq!(tokio::join!(smsc, esme).0, 5);
}

#[tokio::test(start_paused = true)]
async fn answers_that_came_before_a_write_failed_are_answers() {
    let mut script = Script::new([
        Read::Octets(octets(&[bind_resp(1, OK)])),
        Read::Later,
        Read::Octets(octets(&[submit_resp(2)])),
        Read::Silence,
    ]);
    script.write_fails = false;
    let mut driver: Driver<Script, u32> = Driver::new(script, Role::Esme, esme_config(), DriverConfig::default());
    driver.request(bind(), Tlvs::new(), 0).expect("a new session may bind");
    while !matches!(soon(driver.next()).await, Some(Event::Bound(_))) {}
    for token in 1..=2 {
        driver.request(submit(), Tlvs::new(), token).expect("bound");
    }
    driver.stream.reads.pop_front();
    driver.stream.write_fails = true;
    let first = soon(driver.next()).await;
    assert!(matches!(first, Some(Event::Ended { token: 1, outcome: Outcome::Answered(_), .. })), "{first:?}");
    let second = soon(driver.next()).await;
    assert!(matches!(second, Some(Event::Ended { token: 2, outcome: Outcome::Lost(Why::Broken), .. })), "{second:?}");
    assert!(matches!(timeout(seconds(3), driver.next()).await, Ok(Some(Event::Closed(Why::Broken)))));
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_is_not_finished_at_once_is_gone_on_with() {
    let mut script = Script::new([Read::Silence]);
    script.flushes_pending = 3;
    let mut driver: Driver<Script, u32> = Driver::new(script, Role::Esme, esme_config(), DriverConfig::default());
    driver.request(bind(), Tlvs::new(), 0).expect("a new session may bind");
    assert!(timeout(seconds(1), driver.next()).await.is_err(), "nobody answers");
    assert!(driver.stream.flushed, "a TLS stream keeps octets until it is flushed");
}

#[tokio::test(start_paused = true)]
async fn every_request_is_told_when_the_peer_hangs_up() {
    let (client, _incoming, mut peer) = client(client_config()).await;
    let submits: Vec<_> = (0..30)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.submit(sm(20)).await })
        })
        .collect();
    for _ in 0..10 {
        peer.receive_some().await;
    }
    drop(peer);
    client.ended().await;
    let (mut lost, mut not_sent) = (0, 0);
    for submit in submits {
        match submit.await.expect("no panic") {
            Err(crate::driver::RequestError::Lost(Why::PeerClosed | Why::Broken)) => lost += 1,
            Err(crate::driver::RequestError::NotSent(_)) => not_sent += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((lost, not_sent), (10, 20), "a window of ten was sent, the rest was not");
}

/// An owner that drops its driver: with a reset before, or without.
async fn what_the_peer_reads_when_the_driver_is_dropped(reset: bool) -> std::io::Result<usize> {
    let mut listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (peer, accepted) = tokio::join!(TcpStream::connect(address), Accept::accept(&mut listener));
    let (mut peer, (stream, _)) = (peer.expect("a listener"), accepted.expect("a peer"));
    let mut driver: Driver<TcpStream> =
        Driver::new(stream, Role::Smsc, SessionConfig::new(Role::Smsc), DriverConfig::default());
    if reset {
        TcpListener::reset(driver.stream_mut());
    }
    drop(driver);
    timeout(seconds(20), peer.read(&mut [0; 16])).await.expect("real time, but much of it")
}

#[tokio::test]
async fn a_driver_dropped_after_a_reset_resets_the_connection() {
    let read = what_the_peer_reads_when_the_driver_is_dropped(true).await;
    assert_eq!(read.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
    let read = what_the_peer_reads_when_the_driver_is_dropped(false).await;
    assert_eq!(read.expect("an end in order"), 0);
}
