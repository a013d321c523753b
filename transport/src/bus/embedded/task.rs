//! The bus's task: hands out what was put, and takes what has become of it and what is published to the file.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::super::{Ends, Health, Publication, PublishError, Route, Settlement};
use super::Inner;
use super::rows::{OUTBOUND, REACHED, Stored, key, number, of};
use crate::disk::{Change, DiskError, Manner};

/// Publications that are written together, at most.
const PUBLICATIONS_MAX: usize = 1_000;
/// Messages that are read at once, at most.
const READ_MAX: usize = 1_000;
/// Octets of messages after which no more is read at once.
const READ_OCTETS: usize = 8 << 20;
/// How often is looked for what has been kept long enough.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// What is removed at once, at most, of each route.
const PRUNE_MAX: usize = 1_000;

pub(super) struct Task {
    inner: Arc<Inner>,
    ends: Ends,
    prefetch: usize,
    /// Held while messages may be handed out here.
    turn: Option<OwnedMutexGuard<()>>,
    stopped: bool,
    /// Read, and not handed out yet, in order.
    ready: VecDeque<(u64, Bytes)>,
    /// The position read last.
    read: u64,
    /// Whether there may be more to read.
    has_more: bool,
    /// Why nothing can be read, though the disk can be written.
    unreadable: Option<DiskError>,
    /// Handed out and not settled, by position.
    out: BTreeMap<u64, Bytes>,
    /// Given back: before all that is ready.
    returned: BTreeMap<u64, Bytes>,
    /// Up to this position messages may have been handed out by another.
    reached_before: u64,
    /// The position handed out last.
    handed_out: u64,
    /// Comes when [`REACHED`] is as was asked.
    marking: Option<(u64, oneshot::Receiver<Result<(), DiskError>>)>,
    /// Settled, and not written: position, body, and of dead letters the reason.
    settled: Vec<(u64, Bytes, Option<String>)>,
    publications: Vec<Publication>,
    /// What else is to be written.
    changes: Vec<Change>,
}

impl Task {
    pub(super) fn new(inner: Arc<Inner>, ends: Ends, prefetch: usize) -> Task {
        Task {
            inner,
            ends,
            prefetch,
            turn: None,
            stopped: false,
            ready: VecDeque::new(),
            read: 0,
            has_more: true,
            unreadable: None,
            out: BTreeMap::new(),
            returned: BTreeMap::new(),
            reached_before: 0,
            handed_out: 0,
            marking: None,
            settled: Vec::new(),
            publications: Vec::new(),
            changes: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) {
        // That the file has been closed is known to whoever has closed it.
        let _ = self.serve().await;
        let closed = Health { state: "closed", reason: "the bus has ended".into(), ..Health::default() };
        self.ends.health.send_replace(closed);
    }

    async fn serve(&mut self) -> Result<(), DiskError> {
        let inner = Arc::clone(&self.inner);
        let mut turn = pin!(Arc::clone(&inner.turn).lock_owned());
        let mut failure = inner.journal.failure();
        let mut prune = interval(PRUNE_INTERVAL);
        prune.set_missed_tick_behavior(MissedTickBehavior::Delay);
        failure.mark_changed();
        loop {
            // All that is known first, so that of several that are given back the first comes first.
            self.settle_all();
            self.hand_out();
            self.store().await?;
            tokio::select! {
                // What comes often is last, so that it keeps nothing else from coming.
                biased;
                () = self.ends.stop.notified(), if !self.stopped => self.stop(),
                () = self.ends.demand.changed() => {}
                changed = failure.changed() => match changed {
                    Ok(()) => self.disk_changed(),
                    Err(_) => return Err(inner.journal.closed()),
                },
                guard = &mut turn, if self.turn.is_none() => self.begin(guard),
                _ = prune.tick() => self.prune(&mut prune),
                marked = marked(&mut self.marking) => self.marked(marked),
                () = inner.put.notified(), if self.turn.is_some() && !self.stopped => self.has_more = true,
                Some((position, settlement)) = self.ends.settlements.recv() => self.settle(position, settlement),
                publication = self.ends.publications.recv() => match publication {
                    Some(publication) => self.publications.push(publication),
                    None => break,
                },
            }
        }
        self.end().await
    }

    /// Messages are handed out here from now on.
    fn begin(&mut self, turn: OwnedMutexGuard<()>) {
        self.turn = Some(turn);
        let reached = self.inner.counters().reached;
        (self.reached_before, self.handed_out) = (reached, 0);
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.ready.clear();
        // The handle says "none" once nobody can send any more.
        self.ends.deliveries = tokio::sync::mpsc::channel(1).0;
    }

    /// The last word on what was out may be on its way. What is then still out comes again, and what was never out is new.
    async fn end(&mut self) -> Result<(), DiskError> {
        self.settle_all();
        if self.turn.is_some() {
            let reached = self.handed_out.max(self.reached_before);
            self.inner.counters().reached = reached;
            self.changes.push(REACHED.is(reached));
        }
        self.store().await
    }

    fn disk_changed(&mut self) {
        self.tell();
        // What could not be read is read, and what was owed is there to be read by others.
        self.has_more = true;
        self.inner.arrived.iter().for_each(|arrived| arrived.send_modify(|_| {}));
    }

    fn tell(&mut self) {
        let failure = self.inner.journal.failure().borrow().clone().or_else(|| self.unreadable.clone());
        let state = if failure.is_some() { "blocked" } else { "open" };
        let reason = failure.as_ref().map(|error| error.to_string().into()).unwrap_or_default();
        self.ends.health.send_replace(Health { is_up: failure.is_none(), state, reason, ..Health::default() });
    }

    /// Whether messages may be handed out here.
    fn is_serving(&self) -> bool {
        self.turn.is_some() && !self.stopped && !self.ends.demand.is_paused()
    }

    fn hand_out(&mut self) {
        while self.is_serving() && self.out.len() < self.prefetch {
            if let Some((position, body)) = self.returned.pop_first() {
                self.deliver(position, body, true);
                continue;
            }
            if self.ready.is_empty() && self.has_more {
                self.read();
            }
            // That it may have been handed out must be known before it is.
            let reached = self.inner.counters().reached;
            let Some((position, body)) = self.ready.pop_front_if(|(position, _)| *position <= reached) else { break };
            self.deliver(position, body, position <= self.reached_before);
        }
    }

    fn deliver(&mut self, position: u64, body: Bytes, redelivered: bool) {
        self.ends.hand_out(body.clone(), redelivered, position);
        self.out.insert(position, body);
        self.handed_out = self.handed_out.max(position);
    }

    fn read(&mut self) {
        let max = (self.prefetch - self.out.len()).min(READ_MAX);
        let mut octets = 0;
        let read = self.inner.journal.read(|snapshot| {
            let mut rows = Vec::new();
            snapshot.each(OUTBOUND, &key(self.read + 1), |position, body| {
                let position = number(position).ok_or_else(|| redb::Error::Corrupted("a position".to_owned()))?;
                octets += body.len();
                rows.push((position, Bytes::copy_from_slice(body)));
                Ok(rows.len() < max && octets < READ_OCTETS)
            })?;
            Ok(rows)
        });
        match read {
            Ok(rows) => {
                if self.unreadable.take().is_some() {
                    self.tell();
                }
                self.has_more = rows.len() == max || octets >= READ_OCTETS;
                self.read = rows.last().map_or(self.read, |(position, _)| *position);
                self.ready.extend(rows);
            }
            // It is tried again when the disk is well, and when anything else happens.
            Err(error) => {
                self.unreadable = Some(error);
                self.tell();
            }
        }
    }

    /// Up to which position it must be known that messages may have been handed out; none if that is known, or nothing can
    /// be. Of what waits only as much as is handed out next; where nothing waits, as much as may come before the next time.
    fn to_mark(&self) -> Option<u64> {
        let free = self.prefetch - self.out.len();
        let is_able = self.is_serving() && self.marking.is_none() && free > 0;
        if !is_able || !self.ends.health.borrow().is_up || (self.ready.is_empty() && self.has_more) {
            return None;
        }
        let counters = self.inner.counters();
        let newest = counters.position - 1;
        let (needed, wanted) = match (self.ready.front(), self.ready.back()) {
            (Some((first, _)), Some((last, _))) => (*first, *last),
            _ => (newest + free.div_ceil(2) as u64, newest + free as u64),
        };
        (counters.reached < needed).then_some(wanted)
    }

    fn marked(&mut self, (position, result): (u64, Result<(), DiskError>)) {
        if result.is_ok() {
            self.inner.counters().reached = position;
        }
    }

    fn settle_all(&mut self) {
        while let Ok((position, settlement)) = self.ends.settlements.try_recv() {
            self.settle(position, settlement);
        }
    }

    fn settle(&mut self, position: u64, settlement: Settlement) {
        let Some(body) = self.out.remove(&position) else { return };
        match settlement {
            Settlement::Ack => self.settled.push((position, body, None)),
            Settlement::GiveBack => drop(self.returned.insert(position, body)),
            Settlement::DeadLetter(reason) => self.settled.push((position, body, Some(reason))),
        }
    }

    fn prune(&mut self, timer: &mut Interval) {
        let Some(oldest) = self.inner.clock.unix().checked_sub(self.inner.config.retention) else { return };
        for route in Route::ALL {
            let mut first = self.inner.counters().span(route).first;
            let before = self.changes.len();
            let read = self.inner.journal.read(|snapshot| {
                snapshot.each(of(route), &key(first), |offset, value| {
                    let Some(row) = Stored::read(offset, value).filter(|row| row.at < oldest) else { return Ok(false) };
                    first = row.offset + 1;
                    self.changes.push(of(route).remove(offset));
                    Ok(self.changes.len() - before < PRUNE_MAX)
                })
            });
            // A disk that fails is told elsewhere, and what is old waits.
            if read.is_ok() {
                self.inner.counters().begin_at(route, first);
            }
            if self.changes.len() - before == PRUNE_MAX {
                timer.reset_immediately();
            }
        }
    }

    /// Has written what is to be written; does not wait until it is.
    async fn store(&mut self) -> Result<(), DiskError> {
        while self.publications.len() < PUBLICATIONS_MAX
            && let Ok(publication) = self.ends.publications.try_recv()
        {
            self.publications.push(publication);
        }
        // After that, so that what was settled before something was published is written before it.
        self.settle_all();
        if let Some(position) = self.to_mark() {
            let (done, marked) = oneshot::channel();
            let room = self.inner.journal.room().await?;
            self.marking = Some((position, marked));
            room.write(vec![REACHED.is(position)], Manner::Kept, move |result| drop(done.send(result)));
        }
        if !self.settled.is_empty() || !self.changes.is_empty() {
            self.store_settled().await?;
        }
        if !self.publications.is_empty() {
            self.store_publications().await?;
        }
        // What had to make room for them.
        if !self.changes.is_empty() {
            self.store_settled().await?;
        }
        Ok(())
    }

    async fn store_settled(&mut self) -> Result<(), DiskError> {
        let room = self.inner.journal.room().await?;
        let inner = Arc::clone(&self.inner);
        let at = inner.clock.unix();
        let mut changes = std::mem::take(&mut self.changes);
        let mut counters = inner.counters();
        let mut last = None;
        for (position, body, dead) in self.settled.drain(..) {
            counters.settled(1, body.len() as u64);
            changes.push(OUTBOUND.remove(key(position)));
            if let Some(reason) = dead {
                let (offset, rows) = counters.append(Route::Failed, at, Some(reason), body);
                changes.extend(rows);
                last = Some(offset);
            }
        }
        changes.extend(counters.prune(Route::Failed, inner.config.kept_max, PRUNE_MAX));
        let told = Arc::clone(&inner);
        // Still locked: they are written in the order of their offsets.
        room.write(changes, Manner::Kept, move |result| {
            if let (Ok(()), Some(offset)) = (result, last) {
                told.has_arrived(Route::Failed, offset);
            }
        });
        Ok(())
    }

    async fn store_publications(&mut self) -> Result<(), DiskError> {
        let room = self.inner.journal.room().await?;
        let inner = Arc::clone(&self.inner);
        let at = inner.clock.unix();
        let (mut changes, mut told) = (Vec::new(), Vec::new());
        let mut counters = inner.counters();
        for Publication { route, body, done } in self.publications.drain(..) {
            let (offset, rows) = counters.append(route, at, None, body);
            changes.extend(rows);
            self.changes.extend(counters.prune(route, inner.config.kept_max, PRUNE_MAX));
            told.push((route, offset, done));
        }
        let inner = Arc::clone(&self.inner);
        room.write(changes, Manner::Asked, move |result| {
            let result = result.map_err(|error| PublishError::Unconfirmed(error.to_string().into()));
            for (route, offset, done) in told {
                if result.is_ok() {
                    inner.has_arrived(route, offset);
                }
                // Whoever asked may have stopped waiting.
                let _ = done.send(result.clone());
            }
        });
        Ok(())
    }
}

impl Inner {
    fn has_arrived(&self, route: Route, offset: u64) {
        self.arrived[route.index()].send_if_modified(|last| {
            let is_later = offset > *last;
            *last = offset.max(*last);
            is_later
        });
    }
}

/// Completes when what was asked to be marked is, or cannot be.
async fn marked(marking: &mut Option<(u64, oneshot::Receiver<Result<(), DiskError>>)>) -> (u64, Result<(), DiskError>) {
    let Some((position, done)) = marking else { return std::future::pending().await };
    let (position, result) = (*position, done.await);
    *marking = None;
    // A writer that has ended has told so elsewhere.
    (position, result.unwrap_or_else(|_| Err(DiskError::Closed("".into()))))
}
