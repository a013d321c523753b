//! The parts of one message while they are collected, and the memory of them after.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::Segment;
use crate::text::charset::Charset;
use crate::text::content::PartKey;

/// The parts of one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    pub(super) parts: BTreeMap<u8, Held>,
    pub(super) deadline: Duration,
    pub(super) published: bool,
}

/// One part, and what remains of it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) charset: Charset,
    /// `None` once published, until the part comes again.
    pub(super) octets: Option<Bytes>,
    pub(super) length: usize,
    pub(super) fingerprint: u64,
}

impl Set {
    pub(super) fn is_complete(&self, key: &PartKey) -> bool {
        self.parts.len() == usize::from(key.total)
    }

    /// Whether the part of the same number is another one.
    pub(super) fn contradicts(&self, segment: &Segment) -> bool {
        self.parts.get(&segment.number).is_some_and(|held| !held.is(segment))
    }

    pub(super) fn octets(&self) -> usize {
        self.parts.values().filter_map(|held| held.octets.as_ref()).map(Bytes::len).sum()
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> {
        self.parts
            .iter()
            .filter_map(|(&number, held)| Some(Segment { number, charset: held.charset, octets: held.octets.clone()? }))
    }
}

impl Held {
    /// A copy: the segment's octets may be a slice of a whole read buffer.
    pub(super) fn new(segment: &Segment) -> Self {
        Self {
            charset: segment.charset,
            octets: Some(Bytes::copy_from_slice(&segment.octets)),
            length: segment.octets.len(),
            fingerprint: fingerprint(&segment.octets),
        }
    }

    fn is(&self, segment: &Segment) -> bool {
        self.charset == segment.charset
            && self.length == segment.octets.len()
            && self.fingerprint == fingerprint(&segment.octets)
    }
}

/// FNV-1a, 64 bits. It tells a copy from another part, after the key did and the length; nobody gains by forging it but to
/// have his own text taken for a copy.
fn fingerprint(octets: &[u8]) -> u64 {
    octets.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01B3))
}
