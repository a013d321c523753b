//! What one end wrote and what the other read, put together: frames of one direction of a connection arrive in their order
//! or not at all.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::history::{End, History, Way, What};

/// A frame on its way. Its times are places among the facts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passage {
    pub(super) line: u32,
    /// Who wrote it.
    pub(super) from: End,
    pub(super) octets: Bytes,
    /// When it was written; none of what was read in another form than anything was written in.
    pub(super) written: Option<usize>,
    /// When it was read; none of what was lost.
    pub(super) read: Option<usize>,
}

/// All frames of a run, in the order in which they are first seen.
pub(super) fn passages(history: &History) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut under_way: BTreeMap<(u32, End), VecDeque<usize>> = BTreeMap::new();
    for (order, fact) in history.facts.iter().enumerate() {
        let What::Passed { line, end, way, frame } = &fact.what else { continue };
        let from = if *way == Way::Written { *end } else { other(*end) };
        let queue = under_way.entry((*line, from)).or_default();
        let first = queue.front().copied().filter(|it| is_same(&passages[*it].octets, frame));
        if *way == Way::Read
            && let Some(first) = first
        {
            queue.pop_front();
            passages[first].read = Some(order);
            continue;
        }
        let is_written = *way == Way::Written;
        if is_written {
            queue.push_back(passages.len());
        }
        let (written, read) = (is_written.then_some(order), (!is_written).then_some(order));
        passages.push(Passage { line: *line, from, octets: frame.clone(), written, read });
    }
    passages
}

/// What cannot be cut into frames may come in a piece that is shorter or longer than it was written in.
fn is_same(written: &Bytes, read: &Bytes) -> bool {
    written.starts_with(read) || read.starts_with(written)
}

pub(super) const fn other(end: End) -> End {
    match end {
        End::Esme => End::Smsc,
        End::Smsc => End::Esme,
    }
}
