//! Defects of otherwise good PDUs: what is done to the octets of a frame before they leave.

use crate::policy::TlvFault;
use crate::rules::Hex;

/// Octets of a parameter's tag and length.
const TLV_HEADER_OCTETS: usize = 4;
/// A parameter that is there to be broken, where there is no other.
pub(super) const VENDOR_TLV: [u8; 5] = [0x14, 0x00, 0x00, 0x01, b'1'];
/// Octets that a parameter claims beyond its end.
const OVERRUN_OCTETS: u16 = 60;

/// A defect of the end of a frame.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Defect {
    /// Fault of the optional parameters.
    pub(crate) fault: Option<TlvFault>,
    /// Octets behind all else.
    pub(crate) tail: Vec<u8>,
}

impl Defect {
    /// `None` if nothing is wrong.
    pub(crate) fn of(fault: Option<TlvFault>, tail: Option<&Hex>) -> Option<Defect> {
        let tail = tail.map(|tail| tail.0.clone()).unwrap_or_default();
        (fault.is_some() || !tail.is_empty()).then_some(Defect { fault, tail })
    }

    /// Changes a frame whose last octets are these many of optional parameters.
    pub(crate) fn apply(&self, frame: &mut Vec<u8>, tlv_octets: usize) {
        self.break_tlvs(frame, tlv_octets);
        frame.extend_from_slice(&self.tail);
        set_length(frame);
    }

    pub(super) fn break_tlvs(&self, frame: &mut Vec<u8>, tlv_octets: usize) {
        if let Some(fault) = self.fault {
            let start = frame.len().saturating_sub(tlv_octets);
            break_tlvs(frame, start, fault);
        }
    }
}

/// Breaks the parameters that begin here.
fn break_tlvs(frame: &mut Vec<u8>, start: usize, fault: TlvFault) {
    if frame.len() == start {
        frame.extend_from_slice(&VENDOR_TLV);
    }
    let last = last_tlv(frame, start);
    let claimed = length_at(frame, last);
    match fault {
        TlvFault::Overrun => set_length_at(frame, last, claimed.saturating_add(OVERRUN_OCTETS)),
        TlvFault::Short if claimed == 0 => frame.push(0),
        TlvFault::Short => set_length_at(frame, last, claimed - 1),
        TlvFault::Cut => frame.truncate(last + TLV_HEADER_OCTETS - 1),
        TlvFault::Duplicate => frame.extend_from_within(last..),
        TlvFault::DuplicateAll => frame.extend_from_within(start..),
    }
}

/// Place of the last of the parameters that begin here.
fn last_tlv(frame: &[u8], start: usize) -> usize {
    let (mut last, mut next) = (start, start);
    while next + TLV_HEADER_OCTETS <= frame.len() {
        last = next;
        next += TLV_HEADER_OCTETS + usize::from(length_at(frame, next));
    }
    last
}

fn length_at(frame: &[u8], tlv: usize) -> u16 {
    let octets = frame.get(tlv + 2..).and_then(|rest| rest.first_chunk());
    octets.map_or(0, |octets| u16::from_be_bytes(*octets))
}

fn set_length_at(frame: &mut [u8], tlv: usize, length: u16) {
    if let Some(octets) = frame.get_mut(tlv + 2..).and_then(|rest| rest.first_chunk_mut()) {
        *octets = length.to_be_bytes();
    }
}

/// Makes command_length that of the frame.
pub(super) fn set_length(frame: &mut [u8]) {
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    if let Some(octets) = frame.first_chunk_mut() {
        *octets = length.to_be_bytes();
    }
}
