//! Log of the PDUs that pass, and the ring of the last ones, which is logged when the session breaks.
//!
//! Targets alone decide who sees addresses and texts: they are only in lines of [`PDUS_IN_FULL`]. Nothing here asks whether
//! a target is enabled, since layers of a subscriber may differ in that.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::{PDU_RING, PDUS, PDUS_IN_FULL};
use crate::pdu::{DecodeError, Leniency, Pdu};
use crate::session::Why;

/// The last PDUs of a session, as octets of their own: those that were read would keep more than themselves in memory.
pub(super) struct Ring {
    passed: VecDeque<(Duration, char, Passed)>,
    pdus_max: usize,
}

enum Passed {
    Pdu(Bytes),
    /// Error of a PDU that could not be read.
    Unread(String),
}

impl Ring {
    /// Returns a ring for this many PDUs, or `None` for none.
    pub(super) fn of(pdus_max: usize) -> Option<Box<Ring>> {
        (pdus_max > 0).then(|| Box::new(Ring { passed: VecDeque::new(), pdus_max }))
    }

    fn push(&mut self, now: Duration, way: char, passed: Passed) {
        if self.passed.len() >= self.pdus_max {
            self.passed.pop_front();
        }
        self.passed.push_back((now, way, passed));
    }

    /// Logs the ring, unless the session ended in good order, and empties it.
    pub(super) fn log(&mut self, now: Duration, why: Why) {
        if matches!(why, Why::Unbound | Why::PeerUnbound | Why::Dropped) {
            return self.passed.clear();
        }
        tracing::info!(pdus = self.passed.len(), reason = why.name(), "the session broke; what passed last:");
        for (at, way, passed) in self.passed.drain(..) {
            let ago = now.saturating_sub(at).as_secs_f64();
            match passed {
                Passed::Unread(words) => log_brief(ago, way, &words),
                Passed::Pdu(octets) => match Pdu::decode(&octets, Leniency::TOLERANT) {
                    Ok(pdu) => {
                        log_brief(ago, way, &pdu);
                        tracing::trace!(target: PDUS_IN_FULL, "{ago:.3} s ago {way} {}", pdu.in_full());
                    }
                    Err(error) => log_brief(ago, way, &error),
                },
            }
        }
    }
}

fn log_brief(ago: f64, way: char, pdu: &dyn std::fmt::Display) {
    tracing::info!(target: PDU_RING, "{ago:.3} s ago {way} {pdu}");
}

/// Logs a PDU that passes. While nobody listens this costs two looks at a flag.
#[inline(always)]
pub(super) fn passes(ring: &mut Option<Box<Ring>>, now: Duration, way: char, pdu: &Pdu) {
    tracing::trace!(target: PDUS, "{way} {pdu}");
    tracing::trace!(target: PDUS_IN_FULL, "{way} {}", pdu.in_full());
    if let Some(ring) = ring {
        ring.push(now, way, Passed::Pdu(pdu.to_octets()));
    }
}

/// Logs a PDU that could not be read.
#[cold]
pub(super) fn is_unread(ring: &mut Option<Box<Ring>>, now: Duration, error: &DecodeError) {
    tracing::debug!(target: PDUS, sequence = error.sequence, "< {error}");
    if let Some(ring) = ring {
        ring.push(now, '<', Passed::Unread(error.to_string()));
    }
}
