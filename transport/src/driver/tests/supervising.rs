//! Guards: a session that comes back: after every kind of failure, later each time, never too late, and until it is told to
//! stop.

use super::*;
use crate::driver::{Backoff, Connect, InTurn, Supervisor};
use crate::env::Seed;
use crate::session::Why;
use std::sync::{Arc, Mutex};
use tokio::time::{Instant, sleep};

/// What the SMSC does with one connection.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// Nobody listens.
    Unreachable,
    /// The bind is answered with this.
    Bind(CommandStatus),
    /// The line goes at once.
    HangsUp,
}

/// Connects to SMSCs that do what the script says, and notes when.
struct Scripted {
    turns: VecDeque<Turn>,
    at: Arc<Mutex<Vec<Instant>>>,
}

impl Connect for Scripted {
    type Stream = DuplexStream;
    async fn connect(&mut self) -> io::Result<DuplexStream> {
        self.at.lock().expect("no panic").push(Instant::now());
        let turn = self.turns.pop_front().unwrap_or(Turn::Unreachable);
        let (ours, theirs) = duplex(4096);
        match turn {
            Turn::Unreachable => return Err(io::ErrorKind::ConnectionRefused.into()),
            Turn::HangsUp => drop(theirs),
            Turn::Bind(status) => drop(tokio::spawn(async move {
                let mut peer = Peer::new(theirs);
                let request = peer.receive_some().await;
                peer.send(&[bind_resp(request.sequence, status)]).await;
                while let Some(pdu) = peer.receive().await {
                    match pdu.body {
                        Body::Unbind(_) => peer.send(&[Pdu::new(OK, pdu.sequence, Body::UnbindResp(Empty {}))]).await,
                        Body::EnquireLink(_) => {
                            peer.send(&[Pdu::new(OK, pdu.sequence, Body::EnquireLinkResp(Empty {}))]).await;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            })),
        }
        Ok(ours)
    }
}

fn steady() -> Backoff {
    Backoff { jitter: 0.0, ..Backoff::default() }
}

/// The waits between the tries, in seconds, and what the failures were. A session is held for so long.
async fn tries(turns: &[Turn], backoff: Backoff, seed: u64, count: usize, hold: Duration) -> (Vec<f64>, Vec<String>) {
    let at = Arc::new(Mutex::new(Vec::new()));
    let connect = Scripted { turns: turns.iter().copied().collect(), at: Arc::clone(&at) };
    let mut supervisor = Supervisor::new(connect, client_config(), backoff, Seed(seed).stream("backoff", 0));
    let (mut ends, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..count {
        match supervisor.attempt().await {
            Ok((client, _incoming)) => {
                sleep(hold).await;
                client.unbind().await;
            }
            Err(error) => failures.push(format!("{error:?}")),
        }
        ends.push(Instant::now());
    }
    let at = at.lock().expect("no panic");
    let waits = ends.iter().zip(at.iter().skip(1)).map(|(end, next)| (*next - *end).as_secs_f64());
    (waits.map(|wait| (wait * 1000.0).round() / 1000.0).collect(), failures)
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_their_limit() {
    let (waits, failures) = tries(&[], steady(), 1, 10, seconds(0)).await;
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
    assert!(failures.iter().all(|failure| failure.contains("ConnectionRefused")));
}

#[tokio::test(start_paused = true)]
async fn jitter_stays_within_its_share_and_comes_from_the_seed() {
    let backoff = Backoff { jitter: 0.3, ..Backoff::default() };
    let (first, _) = tries(&[], backoff.clone(), 1, 30, seconds(0)).await;
    for (failures, wait) in first.iter().enumerate() {
        let longest = f64::from(1 << failures.min(6)).min(60.0);
        assert!((longest * 0.7 - 0.002..=longest + 0.002).contains(wait), "{wait} after {failures} failures");
    }
    assert!(first.iter().skip(6).any(|wait| *wait < 59.0), "there is some");
    assert_eq!(first, tries(&[], backoff.clone(), 1, 30, seconds(0)).await.0);
    assert_ne!(first, tries(&[], backoff, 2, 30, seconds(0)).await.0);
}

#[tokio::test(start_paused = true)]
async fn a_stable_session_makes_the_next_wait_the_first_one_again() {
    use Turn::{Bind, Unreachable};
    let turns = [Unreachable, Unreachable, Unreachable, Bind(OK), Unreachable];
    let (stable, _) = tries(&turns, steady(), 1, 6, seconds(31)).await;
    assert_eq!(stable, [1.0, 2.0, 4.0, 1.0, 2.0]);
    let (unstable, _) = tries(&turns, steady(), 1, 6, seconds(29)).await;
    assert_eq!(unstable, [1.0, 2.0, 4.0, 8.0, 16.0], "a session that does not last is a failure too");
}

/// As while the store that gives its sequence numbers is away.
#[tokio::test(start_paused = true)]
async fn time_between_a_session_and_the_next_try_is_no_time_of_the_session() {
    let at = Arc::new(Mutex::new(Vec::new()));
    let connect = Scripted { turns: [Turn::HangsUp, Turn::Bind(OK)].into(), at: Arc::clone(&at) };
    let mut supervisor = Supervisor::new(connect, client_config(), steady(), Seed(1).stream("backoff", 0));
    assert!(supervisor.attempt().await.is_err());
    let (client, _incoming) = supervisor.attempt().await.expect("it is bound");
    client.unbind().await;
    supervisor.session_ended();
    sleep(seconds(31)).await;
    let from = Instant::now();
    assert!(supervisor.attempt().await.is_err());
    let connected = *at.lock().expect("no panic").last().expect("a try");
    assert_eq!((connected - from).as_secs_f64().round(), 2.0, "the second wait, not the first");
}

#[tokio::test(start_paused = true)]
async fn refused_binds_and_lines_that_break_are_tried_again() {
    use Turn::{Bind, HangsUp};
    let turns = [
        Bind(CommandStatus::ESME_RALYBND),
        Bind(CommandStatus::ESME_RINVPASWD),
        HangsUp,
        Bind(CommandStatus::ESME_RBINDFAIL),
        Bind(OK),
    ];
    let (waits, failures) = tries(&turns, steady(), 1, 5, seconds(1)).await;
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0]);
    assert_eq!(failures.len(), 4);
    assert!(failures[2].contains(&format!("{:?}", Why::PeerClosed)) || failures[2].contains("Broken"), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_a_task_of_its_own_and_stops_when_dropped() {
    let at = Arc::new(Mutex::new(Vec::new()));
    let connect = Scripted { turns: VecDeque::new(), at: Arc::clone(&at) };
    let mut supervisor = Supervisor::new(connect, client_config(), steady(), Seed(1).stream("backoff", 0));
    let task = tokio::spawn(async move {
        loop {
            supervisor.session().await.0.ended().await;
        }
    });
    sleep(seconds(10)).await;
    task.abort();
    let tried = at.lock().expect("no panic").len();
    sleep(seconds(100)).await;
    assert_eq!((tried, at.lock().expect("no panic").len()), (4, 4), "at 0, 1, 3 and 7 s");
}

#[test]
fn extreme_settings_give_waits_all_the_same() {
    let mut rng = Seed(1).stream("backoff", 0);
    let none = Backoff { min: Duration::ZERO, factor: f64::MAX, ..Backoff::default() };
    assert_eq!(none.delay(u32::MAX, &mut rng), Duration::ZERO);
    let long = Backoff { min: seconds(1), max: Duration::MAX, factor: 1e300, jitter: 0.0, ..Backoff::default() };
    assert!(long.delay(u32::MAX, &mut rng) > seconds(1_000_000));
    let shrinking = Backoff { factor: 0.1, jitter: -1.0, ..Backoff::default() };
    assert_eq!(shrinking.delay(5, &mut rng), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn several_places_are_tried_in_turn_and_after_the_last_the_first_again() {
    let place = |turns: &[Turn]| {
        let at = Arc::new(Mutex::new(Vec::new()));
        (Scripted { turns: turns.iter().copied().collect(), at: Arc::clone(&at) }, at)
    };
    let ((first, at_first), (second, at_second)) =
        (place(&[Turn::Unreachable, Turn::Bind(OK)]), place(&[Turn::HangsUp]));
    let mut supervisor =
        Supervisor::new(InTurn::new([first, second]), client_config(), steady(), Seed(1).stream("backoff", 0));
    supervisor.session().await.0.unbind().await;
    let counts = [at_first, at_second].map(|at| at.lock().expect("no panic").len());
    assert_eq!(counts, [2, 1]);
    let mut none = InTurn::<Scripted>::new([]);
    assert_eq!(none.connect().await.err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
}
