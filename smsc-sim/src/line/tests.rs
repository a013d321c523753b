//! Guards that a line changes no octet, keeps its pace to the millisecond, and tells its tap how it ended.

use std::sync::{Arc, Mutex};

use smpp_transport::capture::Capture;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

use crate::rules::{Direction, Pace, Silence, Stall};
use crate::time::Time;

use super::*;
use crate::traffic::{Memory, Traffic};

struct Epoch;

impl smpp_transport::env::WallClock for Epoch {
    fn unix(&self) -> Duration {
        Duration::from_secs(1)
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn pace(octets: usize, pause: u64) -> Pace {
    Pace { octets, pause: Time(ms(pause)), of: Direction::Both }
}

fn line(pace: Option<Pace>) -> (Line<DuplexStream>, DuplexStream, Arc<Traffic>) {
    let traffic = Arc::new(Traffic::new(Memory::default(), 70_000, Arc::new(Epoch)));
    let (ours, theirs) = duplex(64 * 1024);
    let mut line = Line::new(ours, Some(Tap::new(Arc::clone(&traffic), 1, None, None)));
    line.set_pace(Direction::Both, pace);
    (line, theirs, traffic)
}

/// An enquire_link.
const PDU: [u8; 16] = [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 1];

#[tokio::test(start_paused = true)]
async fn without_a_pace_everything_passes_at_once_and_the_tap_hears_of_it() {
    let (mut line, mut peer, traffic) = line(None);
    peer.write_all(&PDU.repeat(100)).await.unwrap();
    let mut read = [0; 1600];
    assert_eq!(line.read(&mut read).await.unwrap(), 1600);
    assert_eq!(read[..], PDU.repeat(100));
    assert_eq!(line.write(&PDU).await.unwrap(), 16);
    let counts = traffic.counts();
    assert_eq!((counts.from_esme.pdus, counts.to_esme.pdus), (100, 1));
}

#[tokio::test(start_paused = true)]
async fn reads_take_a_few_octets_each_and_pause_between() {
    let (mut line, mut peer, traffic) = line(Some(pace(5, 100)));
    peer.write_all(&PDU).await.unwrap();
    let (since, mut read, mut sizes) = (Instant::now(), Vec::new(), Vec::new());
    while read.len() < 16 {
        sizes.push((line.read_buf(&mut read).await.unwrap(), since.elapsed().as_millis()));
    }
    // tokio's timers are exact to a millisecond, and never early.
    let times: Vec<_> = sizes.iter().map(|(octets, at)| (*octets, at / 10 * 10)).collect();
    assert_eq!(times, [(5, 0), (5, 100), (5, 200), (1, 300)]);
    assert_eq!(read, PDU);
    assert_eq!(traffic.counts().from_esme.pdus, 1);
}

#[tokio::test(start_paused = true)]
async fn writes_take_a_few_octets_each_and_do_not_wait_for_reads() {
    let (mut line, mut peer, traffic) = line(Some(pace(8, 50)));
    peer.write_all(b"x").await.unwrap();
    let since = Instant::now();
    assert_eq!(line.read(&mut [0; 9]).await.unwrap(), 1);
    timeout(ms(1_000), line.write_all(&PDU)).await.expect("it is woken").unwrap();
    assert_eq!(since.elapsed().as_millis() / 10, 5, "one pause between two writes, none for the read");
    let mut read = [0; 16];
    peer.read_exact(&mut read).await.unwrap();
    assert_eq!(read, PDU);
    assert_eq!(traffic.counts().to_esme.pdus, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_nothing_only_cuts_and_no_octets_count_as_one() {
    let (mut line, mut peer, _) = line(Some(pace(0, 0)));
    peer.write_all(&PDU).await.unwrap();
    let since = Instant::now();
    for octet in PDU {
        let mut read = [0; 16];
        assert_eq!(line.read(&mut read).await.unwrap(), 1);
        assert_eq!(read[0], octet);
    }
    assert!(since.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_new_pace_ends_the_pause_under_way() {
    let (mut line, mut peer, _) = line(Some(pace(1, 3_600_000)));
    peer.write_all(&PDU).await.unwrap();
    let since = Instant::now();
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 1);
    assert!(timeout(ms(1), line.read(&mut [0; 16])).await.is_err(), "an hour");
    line.set_pace(Direction::Both, Some(pace(7, 20)));
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 7);
    assert!(since.elapsed() < ms(10));
    line.set_pace(Direction::Both, None);
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 8);
    assert!(since.elapsed() < ms(10));
}

#[tokio::test(start_paused = true)]
async fn a_stall_holds_one_direction_up_and_not_the_other() {
    let (mut line, mut peer, _) = line(None);
    let since = Instant::now();
    let time = |ms| Some(Silence::For(Time::ms(ms)));
    line.stall(Stall { reads: time(500), writes: None });
    assert!(line.is_slow());
    peer.write_all(&PDU).await.unwrap();
    assert_eq!(line.write(&PDU).await.unwrap(), 16, "writes pass");
    assert!(since.elapsed().is_zero());
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 16);
    assert_eq!(since.elapsed().as_millis() / 10, 50);
    assert!(!line.is_slow());
    line.stall(Stall { reads: None, writes: Some(Silence::Forever) });
    peer.write_all(&PDU).await.unwrap();
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 16, "reads pass");
    assert!(timeout(Duration::from_secs(86_400), line.write(&PDU)).await.is_err());
    line.stall(Stall { reads: None, writes: time(0) });
    assert_eq!(line.write(&PDU).await.unwrap(), 16);
    line.stall(Stall { reads: Some(Silence::Forever), writes: Some(Silence::Forever) });
    line.set_pace(Direction::Writes, None);
    assert_eq!(line.write(&PDU).await.unwrap(), 16, "a pace ends a stall of its direction");
    peer.write_all(&PDU).await.unwrap();
    assert!(timeout(ms(1_000), line.read(&mut [0; 16])).await.is_err(), "and of no other");
}

#[tokio::test(start_paused = true)]
async fn each_direction_may_have_a_pace_of_its_own() {
    let (mut line, mut peer, _) = line(None);
    line.set_pace(Direction::Reads, Some(pace(4, 0)));
    line.set_pace(Direction::Writes, Some(pace(9, 0)));
    peer.write_all(&PDU).await.unwrap();
    assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 4);
    assert_eq!(line.write(&PDU).await.unwrap(), 9);
}

/// Where a capture is written to, to be looked at.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The TCP flags and the source port of the packets that end a line that `end` ends.
async fn how_it_ends<F: AsyncFnOnce(&mut Line<DuplexStream>, DuplexStream)>(end: F) -> Vec<(u8, u16)> {
    let (mut line, peer, traffic) = line(None);
    let sink = Sink::default();
    traffic.set_capture(Some(Capture::new(Box::new(sink.clone())).unwrap()));
    line.write_all(&PDU).await.unwrap();
    // The head of the file, and no more before a flush.
    assert_eq!(sink.0.lock().unwrap().len(), 24);
    traffic.flush();
    assert!(sink.0.lock().unwrap().ends_with(&PDU));
    end(&mut line, peer).await;
    drop(line);
    let written = sink.0.lock().unwrap().clone();
    let mut rest = &written[24..];
    let mut packets = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let octets = usize::from(header[8]) + usize::from(header[9]) * 256;
        let (ip, after) = after.split_at(octets);
        packets.push((ip[33] & 0b101, u16::from_be_bytes([ip[20], ip[21]])));
        rest = after;
    }
    packets.retain(|(flags, _)| *flags != 0);
    packets
}

#[tokio::test(start_paused = true)]
async fn the_stream_can_be_had_for_its_settings() {
    let (mut line, peer, _) = line(None);
    line.stream_mut().shutdown().await.unwrap();
    assert_eq!({ peer }.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_tap_hears_who_closed_first() {
    const FIN: u8 = 1;
    const RST: u8 = 4;
    let peer_first = how_it_ends(async |line, peer| {
        drop(peer);
        assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 0);
        line.shutdown().await.unwrap();
    });
    assert_eq!(peer_first.await, [(FIN, 40_000), (FIN, 2775)]);
    let ours_first = how_it_ends(async |line, peer| {
        line.shutdown().await.unwrap();
        drop(peer);
        assert_eq!(line.read(&mut [0; 16]).await.unwrap(), 0);
    });
    assert_eq!(ours_first.await, [(FIN, 2775), (FIN, 40_000)]);
    let reset = how_it_ends(async |line, _peer| line.reset_follows());
    assert_eq!(reset.await, [(RST, 2775)]);
}
