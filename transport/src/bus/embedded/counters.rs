//! Which numbers the bus gives next, and what it has of each route.

use std::time::Duration;

use super::super::Route;
use super::rows::{NEXT_POSITION, Number, OUTBOUND, REACHED, Stored, key, number, of};
use crate::disk::{Change, Rows, Snapshot};

/// The numbers of a bus.
#[derive(Clone, Debug)]
pub(super) struct Counters {
    /// The position that comes next, from 1.
    pub(super) position: u64,
    /// Up to this position messages may have been handed out, as the file says.
    pub(super) reached: u64,
    /// Messages that are to be sent or are being sent.
    pub(super) waiting: u64,
    /// How many octets they have together.
    pub(super) waiting_octets: u64,
    spans: [Span; Route::ALL.len()],
}

/// Which offsets of a route there are. Some in between may have been refused by the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) first: u64,
    /// From 1.
    pub(super) next: u64,
}

impl Counters {
    pub(super) fn read(snapshot: &Snapshot) -> Result<Counters, redb::Error> {
        let mut spans = [Span { first: 1, next: 1 }; Route::ALL.len()];
        for (span, route) in spans.iter_mut().zip(Route::ALL) {
            span.next = next(snapshot, of(route), Number::next_offset(route))?;
            span.first = first(snapshot, of(route))?.unwrap_or(span.next);
        }
        let mut waiting_octets = 0;
        snapshot.each(OUTBOUND, &[], |_, body| {
            waiting_octets += body.len() as u64;
            Ok(true)
        })?;
        Ok(Counters {
            position: next(snapshot, OUTBOUND, NEXT_POSITION)?,
            reached: REACHED.read(snapshot)?,
            waiting: snapshot.count(OUTBOUND)?,
            waiting_octets,
            spans,
        })
    }

    /// So many messages of so many octets wait no more.
    pub(super) fn settled(&mut self, count: u64, octets: u64) {
        self.waiting = self.waiting.saturating_sub(count);
        self.waiting_octets = self.waiting_octets.saturating_sub(octets);
    }

    pub(super) fn span(&self, route: Route) -> Span {
        self.spans[route.index()]
    }

    /// Forgets what is below this offset.
    pub(super) fn begin_at(&mut self, route: Route, first: u64) {
        self.spans[route.index()].first = first;
    }

    /// The changes that give these rows the next offsets of the route, and the last of them.
    pub(super) fn append(
        &mut self,
        route: Route,
        at: Duration,
        reason: Option<String>,
        body: bytes::Bytes,
    ) -> (u64, [Change; 2]) {
        let span = &mut self.spans[route.index()];
        let offset = span.next;
        span.next += 1;
        (offset, [Stored { offset, at, reason, body }.put(route), Number::next_offset(route).is(span.next)])
    }

    /// The changes that leave at most so many of a route: not more than so many removals at once.
    pub(super) fn prune(&mut self, route: Route, kept_max: u64, removed_max: usize) -> Vec<Change> {
        let span = &mut self.spans[route.index()];
        let first = span.next.saturating_sub(kept_max.max(1)).clamp(span.first, span.first + removed_max as u64);
        let removed = (span.first..first).map(|offset| of(route).remove(key(offset))).collect();
        span.first = first;
        removed
    }
}

fn next(snapshot: &Snapshot, rows: Rows, counter: Number) -> Result<u64, redb::Error> {
    let last = snapshot.last(rows)?.and_then(|key| number(&key)).unwrap_or_default();
    Ok(counter.read(snapshot)?.max(last + 1))
}

fn first(snapshot: &Snapshot, rows: Rows) -> Result<Option<u64>, redb::Error> {
    let mut first = None;
    snapshot.each(rows, &[], |key, _| {
        first = number(key);
        Ok(false)
    })?;
    Ok(first)
}
