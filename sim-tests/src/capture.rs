//! A history as a capture that Wireshark opens: what each end has written, at the simulated time at which it wrote it,
//! counted from [`EPOCH`]. What the network did to it afterwards is not in it: nothing is late, lost or out of order.
//!
//! Only whole frames are facts, so that octets of a frame that was cut short are left out. A connection begins with its
//! handshake at the moment in which it stands at the ESME. Each end closes as it is recorded: with a FIN when it was closed or
//! dropped or had read the other's end, with a RST when its reading failed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smpp_transport::capture::{self, Capture, Close};

use crate::history::{End, Fact, History, How, Way, What};
use crate::world::EPOCH;

/// The capture, as the octets of a file.
///
/// # Errors
/// When no head can be written, which memory always takes.
pub fn capture(history: &History) -> io::Result<Vec<u8>> {
    let sink = Sink::default();
    let mut capture = Capture::new(Box::new(sink.clone()))?;
    let (owners, last) = (owners(history), last_written(history));
    let mut closing: BTreeMap<(u32, End), Close> = BTreeMap::new();
    for (order, Fact { at, what }) in history.facts.iter().enumerate() {
        let at = EPOCH + *at;
        match what {
            What::Connected { line, .. } => open(&mut capture, *line, &owners, at),
            What::Passed { line, end, way: Way::Written, frame } => {
                open(&mut capture, *line, &owners, at);
                capture.data(u64::from(*line), way(*end), frame, at);
                if last.get(&(*line, *end)) == Some(&order)
                    && let Some(how) = closing.remove(&(*line, *end))
                {
                    capture.close_half(u64::from(*line), how, at);
                }
            }
            What::Hung { line, end, how } => {
                let how = close(*end, *how);
                // One that has read the other's end may have something to say still.
                if last.get(&(*line, *end)).is_some_and(|last| *last > order) {
                    closing.insert((*line, *end), how);
                } else {
                    capture.close_half(u64::from(*line), how, at);
                }
            }
            _ => {}
        }
    }
    drop(capture);
    Ok(std::mem::take(&mut *sink.octets()))
}

/// Opens a connection that is not open: the SMSC's end may write before the ESME's knows that it stands.
fn open(capture: &mut Capture, line: u32, owners: &BTreeMap<u32, (Owner, Smsc)>, at: Duration) {
    if !capture.is_open(u64::from(line)) {
        let esme = owners.get(&line).map(|(owner, _)| owner.address(line));
        capture.open(u64::from(line), esme, owners.get(&line).map(|owner| owner.1.into()), at);
    }
}

/// The address of an SMSC.
type Smsc = ([u8; 4], u16);

/// Whose a connection is.
enum Owner {
    Client(usize),
    Process(usize),
}

impl Owner {
    /// Each has a host of its own.
    fn address(&self, line: u32) -> SocketAddr {
        let host = |number: usize| u8::try_from(number + 1).unwrap_or(u8::MAX);
        let ip = match *self {
            Owner::Client(client) => [10, 0, 1, host(client)],
            Owner::Process(process) => [10, 0, 2, host(process)],
        };
        (ip, 49_152 + (line % 16_384) as u16).into()
    }
}

/// Whose each connection is, and to where.
fn owners(history: &History) -> BTreeMap<u32, (Owner, Smsc)> {
    let owner = |fact: &Fact| match fact.what {
        What::Connected { line, client, process, smsc } => {
            let smsc = ([10, 0, 0, u8::try_from(smsc + 1).unwrap_or(u8::MAX)], 2775);
            Some((line, (process.map_or(Owner::Client(client), Owner::Process), smsc)))
        }
        _ => None,
    };
    history.facts.iter().filter_map(owner).collect()
}

/// The place of the last frame that each end wrote.
fn last_written(history: &History) -> BTreeMap<(u32, End), usize> {
    let written = history.facts.iter().enumerate().filter_map(|(order, fact)| match fact.what {
        What::Passed { line, end, way: Way::Written, .. } => Some(((line, end), order)),
        _ => None,
    });
    written.collect()
}

const fn way(end: End) -> capture::Way {
    match end {
        End::Esme => capture::Way::FromEsme,
        End::Smsc => capture::Way::ToEsme,
    }
}

const fn close(end: End, how: How) -> Close {
    match how {
        How::Failed => Close::Reset(way(end)),
        How::Eof | How::Shut | How::Dropped => Close::Ended(way(end)),
    }
}

/// Memory that a capture is written to.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn octets(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.octets().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
