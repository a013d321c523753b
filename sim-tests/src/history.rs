//! What happened, as facts in order: PDUs that passed, sessions that came and went, what became of each message. Data
//! only; what is right and wrong is the oracles' affair.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use smpp_transport::bus::Route;
use smpp_transport::pdu::{FRAME_OCTETS_MAX, HEADER_OCTETS, Leniency, MessageState, Pdu, json, next_frame};
use smsc_sim::DeliveryState;

/// One fact, and when.
#[derive(Clone, Debug, Hash, PartialEq)]
pub struct Fact {
    /// Simulated time.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What can be a fact.
#[derive(Clone, Debug, Hash, PartialEq)]
pub enum What {
    /// A client's connection stands. Connections are numbered in this order; the SMSC's end of one bears the same number.
    Connected {
        /// Which.
        line: u32,
        /// Whose.
        client: usize,
        /// Of which process of a transport; none of a client that is nothing but sessions.
        process: Option<usize>,
        /// To which SMSC.
        smsc: usize,
    },
    /// A whole frame has passed between a driver and its stream.
    Passed {
        /// On which connection.
        line: u32,
        /// At which end.
        end: End,
        /// Read or written.
        way: Way,
        /// The octets.
        frame: Bytes,
    },
    /// A driver has dropped its stream, or seen it end.
    Hung {
        /// Which connection.
        line: u32,
        /// At which end.
        end: End,
        /// What happened.
        how: How,
    },
    /// A client has a bound session.
    Bound {
        /// Whose.
        client: usize,
    },
    /// A client's session has ended.
    Ended {
        /// Whose.
        client: usize,
    },
    /// A client has been handed a message to submit, and waits for its end.
    Submitting {
        /// Whose.
        client: usize,
        /// Which, in the order of the plan.
        message: usize,
    },
    /// What became of a message.
    Outcome {
        /// Whose.
        client: usize,
        /// Which.
        message: usize,
        /// How it ended.
        outcome: Outcome,
    },
    /// A client has been handed what the SMSC delivered, and answers it.
    Delivered {
        /// Whose.
        client: usize,
        /// Its source address: of a receipt the destination of its message.
        from: String,
        /// What it answers.
        status: u32,
    },
    /// What the simulator itself says of messages and deliveries.
    Account {
        /// Which one.
        smsc: usize,
        /// Whether it is killed now.
        killed: bool,
        /// Every message that it has accepted.
        messages: Vec<Kept>,
        /// What became of mobile-originated messages, in their order.
        deliveries: Vec<DeliveryState>,
    },
    /// A process of a transport begins.
    Started {
        /// Which, among all of the run.
        process: usize,
        /// Whose.
        owner: usize,
    },
    /// It is killed: nothing that it had begun goes on.
    Died {
        /// Which.
        process: usize,
        /// Whether its machine lost power too.
        is_cut: bool,
    },
    /// It has stopped as it was told to.
    Stopped {
        /// Which.
        process: usize,
        /// How long that took.
        took: Duration,
    },
    /// An application has put a message on the bus, or tries to: then it may be there.
    Put {
        /// Whose.
        owner: usize,
        /// Which.
        message: usize,
        /// Whether the bus has said that it has it.
        is_stored: bool,
    },
    /// A handset has sent a message, and the SMSC has it.
    Sent {
        /// Which SMSC.
        smsc: usize,
        /// To whom.
        owner: usize,
        /// Which.
        handset: usize,
    },
    /// The bus has handed a message to a process.
    Taken {
        /// To which.
        process: usize,
        /// Which message, if it can be told.
        message: Option<(usize, usize)>,
        /// Whether the bus says that it may have been handed out before.
        redelivered: bool,
    },
    /// A process has acknowledged a message, or given it back.
    Settled {
        /// Which process.
        process: usize,
        /// Which message.
        message: Option<(usize, usize)>,
        /// Whether the bus may forget it.
        acked: bool,
    },
    /// The bus has stored what a process publishes.
    Published {
        /// Which process.
        process: usize,
        /// Where.
        route: Route,
        /// What.
        body: Bytes,
    },
    /// All that is found on the bus in the end.
    OnBus {
        /// Whose bus.
        owner: usize,
        /// What was published there.
        published: Vec<(Route, Bytes)>,
    },
    /// A fault begins or ends.
    Fault {
        /// Which of the plan's.
        fault: usize,
        /// Whether it ends.
        ends: bool,
    },
    /// From now on an SMSC does what it should.
    Peace {
        /// Which one.
        smsc: usize,
    },
    /// The run is at its end, and this is not at rest.
    Restless {
        /// What, in words.
        what: String,
    },
}

/// A message in the simulator's own words. Times are simulated, to the millisecond.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Kept {
    /// As the response gave it.
    pub id: String,
    /// system_id of the account that submitted it.
    pub account: String,
    /// Destination.
    pub to: String,
    /// registered_delivery.
    pub registered_delivery: u8,
    /// What has become of it.
    pub state: MessageState,
    /// Its states so far, with when they came.
    pub states: Vec<(MessageState, Duration)>,
    /// Its receipts so far, and those to come of states that it has reached.
    pub receipts: Vec<KeptReceipt>,
}

/// A receipt in the simulator's own words.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct KeptReceipt {
    /// The state that the message had.
    pub state: MessageState,
    /// Whether it is an intermediate notification.
    pub intermediate: bool,
    /// How far it has come.
    pub outcome: smsc_sim::Outcome,
    /// How often it was sent.
    pub attempts: u32,
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(missing_docs, reason = "the standard's words")]
pub enum End {
    Esme,
    Smsc,
}

/// A direction, as an end sees it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(missing_docs, reason = "they say it")]
pub enum Way {
    Read,
    Written,
}

/// How an end of a connection ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum How {
    /// The other end's octets have ended.
    Eof,
    /// Reading failed.
    Failed,
    /// Our side was closed.
    Shut,
    /// The stream was dropped.
    Dropped,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum Outcome {
    /// Accepted with this id.
    Accepted(String),
    /// Refused with this status.
    Refused(u32),
    /// Not answered in time.
    Expired,
    /// The session ended first.
    Lost,
}

/// The facts of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In order.
    pub facts: Vec<Fact>,
}

/// Where the parts of a world write their facts. Lines are named by what the network calls them until both ends are known.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Mutex<Recording>>,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
}

#[derive(Default)]
struct Recording {
    history: History,
    lines: BTreeMap<u64, u32>,
}

impl Recorder {
    /// A recorder whose facts bear the times of this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Fn() -> Duration + Send + Sync>) -> Recorder {
        Recorder { inner: Arc::default(), clock }
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Writes down a fact.
    pub fn note(&self, what: What) {
        let at = self.now();
        self.with(|recording| recording.history.facts.push(Fact { at, what }));
    }

    /// The number of the connection that the network calls so: numbers go up as connections are first seen.
    #[must_use]
    pub fn line(&self, network_name: u64) -> u32 {
        self.with(|recording| {
            let next = u32::try_from(recording.lines.len()).unwrap_or(u32::MAX);
            *recording.lines.entry(network_name).or_insert(next)
        })
    }

    /// The facts so far.
    #[must_use]
    pub fn take(&self) -> History {
        self.with(|recording| std::mem::take(&mut recording.history))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Recording) -> R) -> R {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl History {
    /// A number that differs when any fact differs, in time, order or octets.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Digest(START);
        self.facts.hash(&mut digest);
        digest.finish()
    }
}

/// The FNV-1a of these octets.
pub(crate) fn fnv(octets: &[u8]) -> u64 {
    octets.iter().fold(START, |digest, &octet| (digest ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3))
}

const START: u64 = 0xCBF2_9CE4_8422_2325;

/// Words, multiplied together one after the other: the same on any machine, and quick, since every run is digested.
struct Digest(u64);

impl Hasher for Digest {
    fn write(&mut self, octets: &[u8]) {
        let (words, rest) = octets.as_chunks();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    /// Both halves of the product count, so that each bit of a word reaches every bit of the digest.
    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Fact {
    /// The fact as one line for a person.
    #[must_use]
    pub fn line(&self) -> String {
        let ms = self.at.as_secs_f64() * 1e3;
        format!("{ms:>11.3} ms  {}", self.what.words())
    }

    /// The fact as one JSON object, with its time to the nanosecond: two facts that differ are never written alike.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let at_ns = u64::try_from(self.at.as_nanos()).unwrap_or(u64::MAX);
        match &self.what {
            What::Passed { line, end, way, frame } => serde_json::json!({
                "at_ns": at_ns, "line": line, "end": end, "way": way, "pdu": shown(frame), "hex": json::hex(frame),
            }),
            other => serde_json::json!({ "at_ns": at_ns, "fact": other.words() }),
        }
    }
}

impl What {
    fn words(&self) -> String {
        match self {
            What::Passed { line, end, way, frame } => {
                let arrow = if *way == Way::Written { '>' } else { '<' };
                format!("line {line} {end:?} {arrow} {}", shown(frame))
            }
            What::Hung { line, end, how } => format!("line {line} {end:?} {how:?}"),
            other => format!("{other:?}"),
        }
    }
}

fn shown(frame: &Bytes) -> String {
    match Pdu::decode(frame, Leniency::TOLERANT) {
        Ok(pdu) => pdu.in_full().to_string(),
        Err(error) => error.to_string(),
    }
}

/// Cuts octets that pass by into frames. What cannot be cut is kept as one piece: the end that reads it must hang up.
#[derive(Default)]
pub struct Frames {
    octets: BytesMut,
    lost: bool,
}

impl Frames {
    /// Adds octets, and gives every frame that is whole now.
    pub fn pass(&mut self, octets: &[u8]) -> Vec<Bytes> {
        if !self.lost && self.octets.is_empty() && is_one_frame(octets) {
            return vec![Bytes::copy_from_slice(octets)];
        }
        let mut frames = Vec::new();
        if self.lost {
            return frames;
        }
        self.octets.extend_from_slice(octets);
        loop {
            match next_frame(&mut self.octets, FRAME_OCTETS_MAX) {
                Ok(Some(frame)) => frames.push(Bytes::copy_from_slice(&frame)),
                Ok(None) => return frames,
                Err(_) => {
                    self.lost = true;
                    frames.push(self.octets.split().freeze());
                    return frames;
                }
            }
        }
    }
}

/// Most writes and reads are of one.
fn is_one_frame(octets: &[u8]) -> bool {
    let length = octets.first_chunk().map(|length| u32::from_be_bytes(*length) as usize);
    length == Some(octets.len()) && (HEADER_OCTETS..=FRAME_OCTETS_MAX).contains(&octets.len())
}
