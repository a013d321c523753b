//! One direction of a connection, cut into PDUs by `command_length`. Each octet is copied once, and only when it is to be
//! kept; of a PDU that is only counted no more than the beginning of its header is looked at.

use bytes::{Bytes, BytesMut};
use smpp_transport::pdu::{CommandId, HEADER_OCTETS};

/// Octets of `command_length` and `command_id`.
const HEAD: usize = 8;

/// The PDU that has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; HEAD],
    /// Octets of it that have passed.
    seen: usize,
    /// Those octets, if it is to be kept.
    kept: Option<Vec<u8>>,
    /// A length was not possible: nothing that follows can be cut.
    lost: bool,
}

/// A PDU, or octets that cannot be cut into any.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// None when it is no PDU.
    pub(super) command: Option<CommandId>,
    /// None when they are not kept.
    pub(super) octets: Option<Bytes>,
}

/// Where octets are kept: one behind the other in blocks, which go when none of theirs is wanted any more. An allocation
/// for each PDU, or each chunk, would be what costs most of all.
#[derive(Debug, Default)]
pub(super) struct Store(BytesMut);

impl Store {
    pub(super) fn keep(&mut self, octets: &[u8]) -> Bytes {
        if self.0.capacity() < octets.len() {
            self.0 = BytesMut::with_capacity(octets.len().max(BLOCK_OCTETS));
        }
        self.0.extend_from_slice(octets);
        self.0.split().freeze()
    }
}

/// Octets that are asked of the allocator at once. As little as one PDU may keep them.
const BLOCK_OCTETS: usize = 64 * 1024;

impl Frames {
    /// The next octets: tells what they complete. Without a store none are kept.
    pub(super) fn pass(
        &mut self,
        chunk: &[u8],
        octets_max: usize,
        mut store: Option<&mut Store>,
        mut found: impl FnMut(Found),
    ) {
        let mut at = self.go_on(chunk, octets_max, &mut found);
        if at == chunk.len() {
            return;
        }
        let keeps = store.is_some();
        let mut kept = |from: usize, to: usize| store.as_mut().map(|store| store.keep(&chunk[from..to]));
        while !self.lost
            && let Some(head) = chunk[at..].first_chunk()
        {
            let octets = length(head);
            if !is_possible(octets, octets_max) {
                self.lost = true;
            } else if octets <= chunk.len() - at {
                found(Found { command: Some(command(head)), octets: kept(at, at + octets) });
                at += octets;
            } else {
                break;
            }
        }
        if self.lost {
            found(Found { command: None, octets: kept(at, chunk.len()) });
        } else {
            self.begin(&chunk[at..], keeps);
        }
    }

    /// Takes what belongs to the PDU that has begun; gives how many octets that are.
    fn go_on(&mut self, chunk: &[u8], octets_max: usize, found: &mut impl FnMut(Found)) -> usize {
        if self.seen == 0 {
            return 0;
        }
        let mut taken = 0;
        if self.seen < HEAD {
            taken = self.take(chunk, HEAD);
            if self.seen < HEAD {
                return taken;
            }
        }
        let octets = length(&self.head);
        if !is_possible(octets, octets_max) {
            self.lost = true;
            self.take(&chunk[taken..], usize::MAX);
            self.end(None, found);
            return chunk.len();
        }
        taken += self.take(&chunk[taken..], octets);
        if self.seen == octets {
            self.end(Some(command(&self.head)), found);
        }
        taken
    }

    fn begin(&mut self, rest: &[u8], keep: bool) {
        if !rest.is_empty() {
            self.kept = keep.then(Vec::new);
            self.take(rest, usize::MAX);
        }
    }

    /// Takes octets until `wanted` of the PDU have been seen; gives how many.
    fn take(&mut self, octets: &[u8], wanted: usize) -> usize {
        let taken = octets.len().min(wanted.saturating_sub(self.seen));
        let head = self.head.get_mut(self.seen..).unwrap_or_default();
        head.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&octets[..taken]);
        }
        self.seen += taken;
        taken
    }

    fn end(&mut self, command: Option<CommandId>, found: &mut impl FnMut(Found)) {
        self.seen = 0;
        // Without what the buffer has to spare: it stays in memory.
        let octets = self.kept.take().map(|kept| Bytes::from(kept.into_boxed_slice()));
        found(Found { command, octets });
    }
}

fn is_possible(octets: usize, octets_max: usize) -> bool {
    (HEADER_OCTETS..=octets_max).contains(&octets)
}

fn length(head: &[u8; HEAD]) -> usize {
    let [a, b, c, d, ..] = *head;
    usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX)
}

fn command(head: &[u8; HEAD]) -> CommandId {
    let [.., a, b, c, d] = *head;
    CommandId(u32::from_be_bytes([a, b, c, d]))
}
