//! What is told of each PDU that passes, and what is remembered of them to be told when the session breaks.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::{PDUS, PDUS_IN_FULL};
use crate::pdu::{DecodeError, Leniency, Pdu};
use crate::session::Why;

/// The last PDUs of a session, as octets of their own: those that were read would keep more than themselves in memory.
pub(super) struct Ring {
    passed: VecDeque<(Duration, char, Passed)>,
    pdus_max: usize,
}

enum Passed {
    Pdu(Bytes),
    /// What could not be read, in words.
    Unread(String),
}

impl Ring {
    /// None when nothing is to be remembered.
    pub(super) fn of(pdus_max: usize) -> Option<Box<Ring>> {
        (pdus_max > 0).then(|| Box::new(Ring { passed: VecDeque::new(), pdus_max }))
    }

    fn push(&mut self, now: Duration, way: char, passed: Passed) {
        if self.passed.len() >= self.pdus_max {
            self.passed.pop_front();
        }
        self.passed.push_back((now, way, passed));
    }

    /// Logs what is remembered, if the session did not end as sessions should, and forgets it.
    pub(super) fn tell(&mut self, now: Duration, why: Why) {
        if matches!(why, Why::Unbound | Why::PeerUnbound | Why::Dropped) {
            return self.passed.clear();
        }
        let is_full = tracing::enabled!(target: PDUS_IN_FULL, tracing::Level::TRACE);
        tracing::info!(pdus = self.passed.len(), ?why, "the session broke; what passed last:");
        for (at, way, passed) in self.passed.drain(..) {
            let ago = now.saturating_sub(at).as_secs_f64();
            match passed {
                Passed::Unread(words) => tracing::info!("{ago:.3} s ago {way} {words}"),
                Passed::Pdu(octets) => match Pdu::decode(&octets, Leniency::TOLERANT) {
                    Ok(pdu) if is_full => tracing::info!("{ago:.3} s ago {way} {}", pdu.in_full()),
                    Ok(pdu) => tracing::info!("{ago:.3} s ago {way} {pdu}"),
                    Err(error) => tracing::info!("{ago:.3} s ago {way} {error}"),
                },
            }
        }
    }
}

/// A PDU passes. Without anybody who wants to know this costs two looks at a flag.
#[inline(always)]
pub(super) fn passes(ring: &mut Option<Box<Ring>>, now: Duration, way: char, pdu: &Pdu) {
    tracing::trace!(target: PDUS, "{way} {pdu}");
    tracing::trace!(target: PDUS_IN_FULL, "{way} {}", pdu.in_full());
    if let Some(ring) = ring {
        ring.push(now, way, Passed::Pdu(pdu.to_octets()));
    }
}

/// Something has come that cannot be read.
#[cold]
pub(super) fn is_unread(ring: &mut Option<Box<Ring>>, now: Duration, error: &DecodeError) {
    tracing::debug!(target: PDUS, sequence = error.sequence, "< {error}");
    if let Some(ring) = ring {
        ring.push(now, '<', Passed::Unread(error.to_string()));
    }
}
