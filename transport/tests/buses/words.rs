//! A broker's words about publications, in orders that a real broker's load decides and that nobody can ask it for: which
//! it stored, one by one or up to one; and what came back, which it says at once and confirms later.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use smpp_transport::bus::amqp::{AmqpAddress, AmqpConfig, connect};
use smpp_transport::bus::{Bus, PublishError, Route};
use smpp_transport::env::Seed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::rabbit::up;
use super::{PATIENCE, all_at_once, publish};

/// AMQP 0-9-1, 2.3.5: the types of frames, and what each ends with.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const FRAME_END: u8 = 0xCE;

/// Class and method.
const PUBLISH: (u16, u16) = (60, 40);
const CONSUME: (u16, u16) = (60, 20);

/// Speaks the broker's side of the protocol, and confirms what it is told to confirm.
struct Broker {
    line: TcpStream,
    /// What it says next.
    words: Vec<u8>,
}

impl Broker {
    /// Waits until a client is ready to publish.
    async fn accept(listener: &TcpListener) -> Broker {
        let (mut line, _) = listener.accept().await.unwrap();
        let mut protocol = [0; 8];
        line.read_exact(&mut protocol).await.unwrap();
        assert_eq!(&protocol, b"AMQP\0\0\x09\x01");
        let mut broker = Broker { line, words: Vec::new() };
        broker.method(0, (10, 10), b"\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US");
        broker.say().await;
        loop {
            let (kind, channel, payload) = broker.frame().await;
            let asked = method_of(&payload);
            assert_eq!(kind, METHOD, "{asked:?}");
            match asked {
                // No limits but the least size of frames, and no heartbeats.
                (10, 11) => broker.method(channel, (10, 30), b"\0\x01\0\0\x10\0\0\0"),
                (10, 31) => {}
                (10, 40) => broker.method(channel, (10, 41), b"\0"),
                (20, 10) => broker.method(channel, (20, 11), b"\0\0\0\0"),
                (50, 10) => broker.method(channel, (50, 11), b"\x01q\0\0\0\0\0\0\0\0"),
                CONSUME => broker.method(channel, (60, 21), b"\x01c"),
                // Exchanges, bindings, the prefetch and confirms: they are there.
                (class, method) => broker.method(channel, (class, method + 1), b""),
            }
            broker.say().await;
            if asked == CONSUME {
                return broker;
            }
        }
    }

    /// Waits for so many publications: their bodies, in order.
    async fn publications(&mut self, count: usize) -> Vec<String> {
        let mut bodies = Vec::with_capacity(count);
        for _ in 0..count {
            let (_, _, method) = self.frame().await;
            assert_eq!(method_of(&method), PUBLISH);
            assert_eq!(self.frame().await.0, HEADER);
            let (kind, _, body) = self.frame().await;
            assert_eq!(kind, BODY);
            bodies.push(String::from_utf8(body).unwrap());
        }
        bodies
    }

    /// Has stored this one; or all up to it.
    fn stored(&mut self, tag: u64, is_up_to: bool) {
        let mut arguments = tag.to_be_bytes().to_vec();
        arguments.push(is_up_to.into());
        self.method(1, (60, 80), &arguments);
    }

    /// Gives back an event.
    fn returned(&mut self, body: &str) {
        self.method(1, (60, 50), b"\x01\x38\x08NO_ROUTE\x04vumi\x0asmpp.event");
        let mut header = b"\0\x3C\0\0".to_vec();
        header.extend((body.len() as u64).to_be_bytes());
        header.extend(b"\0\0");
        self.write(HEADER, 1, &header);
        self.write(BODY, 1, body.as_bytes());
    }

    fn method(&mut self, channel: u16, (class, method): (u16, u16), arguments: &[u8]) {
        let payload = [&class.to_be_bytes()[..], &method.to_be_bytes(), arguments].concat();
        self.write(METHOD, channel, &payload);
    }

    fn write(&mut self, kind: u8, channel: u16, payload: &[u8]) {
        self.words.push(kind);
        self.words.extend(channel.to_be_bytes());
        self.words.extend((payload.len() as u32).to_be_bytes());
        self.words.extend(payload);
        self.words.push(FRAME_END);
    }

    /// Says all at once.
    async fn say(&mut self) {
        self.line.write_all(&std::mem::take(&mut self.words)).await.unwrap();
    }

    async fn frame(&mut self) -> (u8, u16, Vec<u8>) {
        let kind = self.line.read_u8().await.unwrap();
        let channel = self.line.read_u16().await.unwrap();
        let mut payload = vec![0; self.line.read_u32().await.unwrap() as usize];
        self.line.read_exact(&mut payload).await.unwrap();
        assert_eq!(self.line.read_u8().await.unwrap(), FRAME_END);
        (kind, channel, payload)
    }
}

fn method_of(payload: &[u8]) -> (u16, u16) {
    (u16::from_be_bytes([payload[0], payload[1]]), u16::from_be_bytes([payload[2], payload[3]]))
}

/// A client, and the broker that it is connected to.
async fn line() -> (Bus, Broker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = AmqpAddress::from_parts("127.0.0.1", listener.local_addr().unwrap().port(), "guest", "guest", "/");
    let mut bus = connect(AmqpConfig::new(address, "smpp", Seed(1)));
    let broker = timeout(PATIENCE, Broker::accept(&listener)).await.expect("it connects");
    up(&mut bus).await;
    (bus, broker)
}

fn is_refused(result: &Result<(), PublishError>) -> bool {
    match result {
        Ok(()) => false,
        Err(PublishError::Refused(reason)) if reason.contains("NO_ROUTE") => true,
        Err(error) => panic!("{error}"),
    }
}

/// What came back is said at once, its confirmation when others' are: a word about an earlier one may come in between, and
/// the client takes what came back for that one's.
#[tokio::test]
async fn what_came_back_is_refused_although_another_is_confirmed_before_it() {
    let (bus, mut broker) = line().await;
    let three = ["first", "second", "third"];
    let mut publishing: Vec<_> =
        three.iter().map(|body| Box::pin(publish(&bus.publisher, Route::Event, *body))).collect();
    // The first poll hands them over, in order.
    for waiting in &mut publishing {
        assert!(waiting.now_or_never().is_none());
    }
    timeout(PATIENCE, broker.publications(3)).await.expect("they come");
    broker.returned("third");
    broker.stored(1, true);
    broker.stored(3, false);
    broker.say().await;
    assert_eq!(publishing.remove(0).await, Ok(()), "the first");
    broker.stored(2, false);
    broker.say().await;
    assert_eq!(publishing.remove(0).await, Ok(()), "the second");
    assert!(is_refused(&publishing.remove(0).await), "the third");
}

/// A word may be about several, and come while the one before it is still being told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_back_is_refused_however_fast_the_words_come() {
    const COUNT: usize = 4_000;
    /// How many a word is about.
    const STEP: usize = 8;
    let (bus, mut broker) = line().await;
    for round in 0..30 {
        let said = async {
            let bodies = broker.publications(COUNT).await;
            let mut returned = HashSet::new();
            for (step, bodies) in bodies.chunks(STEP).enumerate() {
                let body = &bodies[round % STEP];
                returned.insert(body.clone());
                broker.returned(body);
                broker.stored((round * COUNT + (step + 1) * STEP) as u64, true);
            }
            broker.say().await;
            returned
        };
        let many = (0..COUNT).map(|number| publish(&bus.publisher, Route::Event, number.to_string()));
        let (results, returned) = tokio::join!(all_at_once(many), said);
        for (number, result) in results.iter().enumerate() {
            assert_eq!(is_refused(result), returned.contains(&number.to_string()), "{number} in round {round}");
        }
    }
}
