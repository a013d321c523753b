//! What passes on all connections: counted, remembered for a while, told to those who follow, and captured. Octets only:
//! what they mean is found out when somebody asks ([`json`]).

mod frames;
mod json;
mod tap;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smpp_transport::capture::{Capture, Close, Way};
use smpp_transport::env::WallClock;
use smpp_transport::pdu::CommandId;
use tokio::sync::broadcast;

use frames::{Frames, Store};
pub(crate) use json::json;
pub(crate) use tap::Tap;

/// How much is remembered; what is older goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Memory {
    /// PDUs. Default 10,000; 0 remembers none.
    pub(crate) pdus_max: usize,
    /// Octets of all of them. Default 16 MiB; 0 remembers none.
    pub(crate) pdu_octets_max: usize,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { pdus_max: 10_000, pdu_octets_max: 16 * 1024 * 1024 }
    }
}

/// A PDU that has passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PduRecord {
    /// Counts all that are recorded from 1, whichever session they are of.
    pub number: u64,
    /// When its last octet passed, since 1970.
    pub at: Duration,
    /// The ordinal of the connection.
    pub session: u64,
    /// Who sent it.
    pub way: Way,
    /// No PDU, but octets as they came: before them was a length that cannot be, and nobody knows where PDUs begin.
    pub malformed: bool,
    /// It, as it passed.
    pub octets: Bytes,
}

impl PduRecord {
    /// Its command_id; none of octets that are no PDU.
    #[must_use]
    pub fn command(&self) -> Option<CommandId> {
        let id = self.octets.get(4..8).filter(|_| !self.malformed)?.first_chunk()?;
        Some(CommandId(u32::from_be_bytes(*id)))
    }
}

/// What has passed one way since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Passed {
    pub(crate) octets: u64,
    /// Whole ones.
    pub(crate) pdus: u64,
    /// By the name of the command, for those that have passed; `unknown` for those of no name.
    pub(crate) commands: BTreeMap<String, u64>,
}

/// What has passed since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Counts {
    pub(crate) from_esme: Passed,
    pub(crate) to_esme: Passed,
}

/// What passes, shared by all connections.
pub(crate) struct Traffic {
    clock: Arc<dyn WallClock>,
    memory: Memory,
    frame_octets_max: usize,
    /// Made for the first who follows: its room is taken at once.
    live: OnceLock<broadcast::Sender<PduRecord>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    recorded: u64,
    records: VecDeque<PduRecord>,
    octets: usize,
    store: Store,
    from_esme: Tally,
    to_esme: Tally,
    capture: Option<Capture>,
}

/// The commands of the standard in the order of [`CommandId::NAMED`], and one place for all others.
#[derive(Default)]
struct Tally {
    octets: u64,
    commands: [u64; CommandId::NAMED.len() + 1],
}

/// A connection as the capture knows it.
#[derive(Clone, Copy, Debug)]
struct Ends {
    session: u64,
    esme: Option<SocketAddr>,
    smsc: Option<SocketAddr>,
}

/// Records that one who follows may be late by; then it misses some.
const LIVE_RECORDS_MAX: usize = 4096;

impl Traffic {
    pub(crate) fn new(memory: Memory, frame_octets_max: usize, clock: Arc<dyn WallClock>) -> Traffic {
        Traffic { clock, memory, frame_octets_max, live: OnceLock::new(), inner: Mutex::default() }
    }

    /// What is remembered with a number above `after`, of one session or of all: the oldest first, at most `limit`.
    pub(crate) fn records(&self, after: u64, session: Option<u64>, limit: usize) -> Vec<PduRecord> {
        let inner = self.inner();
        // Numbers go up in the ring, but not by one: with nothing to remember some are only told.
        let first = inner.records.partition_point(|record| record.number <= after);
        let wanted = |record: &&PduRecord| session.is_none_or(|session| record.session == session);
        inner.records.range(first..).filter(wanted).take(limit).cloned().collect()
    }

    /// The number of the last one; 0 before the first.
    pub(crate) fn recorded(&self) -> u64 {
        self.inner().recorded
    }

    /// Every record from now on. Who is too late misses some, and is told how many.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<PduRecord> {
        self.live.get_or_init(|| broadcast::channel(LIVE_RECORDS_MAX).0).subscribe()
    }

    /// Forgets what is remembered. Numbers and counts go on.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        (inner.records, inner.octets) = (VecDeque::new(), 0);
    }

    pub(crate) fn counts(&self) -> Counts {
        let inner = self.inner();
        Counts { from_esme: inner.from_esme.passed(), to_esme: inner.to_esme.passed() }
    }

    /// Captures from now on, or no more. Connections that are open already are captured from the next octets on, as if
    /// opened then, which may be within a PDU.
    pub(crate) fn set_capture(&self, capture: Option<Capture>) {
        // The old one is dropped, and so written out, after the lock.
        let _old = std::mem::replace(&mut self.inner().capture, capture);
    }

    /// Writes out what of the capture is still in memory; to be called now and then.
    pub(crate) fn flush(&self) {
        if let Some(capture) = &mut self.inner().capture {
            capture.flush();
        }
    }

    fn opened(&self, ends: Ends) {
        self.inner().captured(self.clock.unix(), ends, |_, _| {});
    }

    fn passed(&self, ends: Ends, way: Way, frames: &mut Frames, chunk: &[u8]) {
        let at = self.clock.unix();
        let remembers = self.memory.pdus_max > 0 && self.memory.pdu_octets_max > 0;
        let mut inner = self.inner();
        // Asked under the lock, so that nobody who follows and then looks misses what passes in between.
        let follow = self.live.get().filter(|live| live.receiver_count() > 0);
        inner.captured(at, ends, |capture, session| capture.data(session, way, chunk, at));
        inner.tally(way).octets += chunk.len() as u64;
        let mut store = std::mem::take(&mut inner.store);
        let keeps = (remembers || follow.is_some()).then_some(&mut store);
        frames.pass(chunk, self.frame_octets_max, keeps, |found| {
            if let Some(command) = found.command {
                inner.tally(way).count(command);
            }
            let Some(octets) = found.octets else { return };
            inner.recorded += 1;
            let (number, session, malformed) = (inner.recorded, ends.session, found.command.is_none());
            let record = PduRecord { number, at, session, way, malformed, octets };
            if let Some(live) = follow {
                // Nobody may be left to take it.
                let _ = live.send(record.clone());
            }
            if remembers {
                inner.remember(record, self.memory);
            }
        });
        inner.store = store;
    }

    fn closed(&self, ends: Ends, how: Close) {
        let at = self.clock.unix();
        if let Some(capture) = &mut self.inner().capture
            && capture.is_open(ends.session)
        {
            capture.close(ends.session, how, at);
            capture.flush();
        }
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Does something to the capture, if there is one, with this connection open in it.
    fn captured(&mut self, at: Duration, ends: Ends, act: impl FnOnce(&mut Capture, u64)) {
        let Some(capture) = &mut self.capture else { return };
        if !capture.is_open(ends.session) {
            capture.open(ends.session, ends.esme, ends.smsc, at);
        }
        act(capture, ends.session);
    }

    fn tally(&mut self, way: Way) -> &mut Tally {
        match way {
            Way::FromEsme => &mut self.from_esme,
            Way::ToEsme => &mut self.to_esme,
        }
    }

    fn remember(&mut self, record: PduRecord, memory: Memory) {
        self.octets += record.octets.len();
        self.records.push_back(record);
        while self.records.len() > memory.pdus_max || self.octets > memory.pdu_octets_max {
            let Some(oldest) = self.records.pop_front() else { return };
            self.octets -= oldest.octets.len();
        }
    }
}

impl Tally {
    fn count(&mut self, command: CommandId) {
        let place = CommandId::NAMED.iter().position(|named| *named == command);
        self.commands[place.unwrap_or(CommandId::NAMED.len())] += 1;
    }

    fn passed(&self) -> Passed {
        let names = CommandId::NAMED.iter().map(|id| id.printed()).chain(["unknown".to_owned()]);
        let commands: BTreeMap<_, _> = names.zip(self.commands).filter(|(_, count)| *count > 0).collect();
        Passed { octets: self.octets, pdus: self.commands.iter().sum(), commands }
    }
}

#[cfg(test)]
mod tests;
