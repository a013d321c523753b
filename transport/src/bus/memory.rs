//! A bus in the process: for tests, and for simulations in which the bus is not what is tested. It forgets all when its
//! process ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{Bus, Ends, Health, Publication, Route, Settlement, handles};

/// What is on the bus, seen from the application's side. Clones share it, and it outlives the bus's handles: a transport
/// that starts again finds what the last one has left.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    /// Wakes the tasks of all transports: a message that one gives back may be for another. A `Notify` wakes them in the order
    /// in which they wait; a `watch` would leave the order to chance.
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    /// To be handed out, in the order in which they came, each with whether it was before.
    waiting: BTreeMap<u64, (Bytes, bool)>,
    /// Messages ever put here: the last one's place.
    places: u64,
    published: Vec<(Route, Bytes)>,
    /// Messages ever handed out: the last one's tag.
    tag: u64,
    is_away: bool,
}

impl Memory {
    /// A bus on which nothing is.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message on the bus, to be sent.
    pub fn put(&self, body: impl Into<Bytes>) {
        self.put_as(body.into(), false);
    }

    /// Puts a message on the bus as one that may have been handed out before.
    pub fn put_again(&self, body: impl Into<Bytes>) {
        self.put_as(body.into(), true);
    }

    fn put_as(&self, body: Bytes, redelivered: bool) {
        let mut inner = self.inner();
        inner.places += 1;
        let place = inner.places;
        inner.waiting.insert(place, (body, redelivered));
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Takes the bus away, or brings it back: meanwhile nothing is handed out or stored, and what is to be stored waits.
    pub fn set_away(&self, is_away: bool) {
        self.inner().is_away = is_away;
        self.changed.notify_waiters();
    }

    /// What has been published so far, in order; each is given once.
    #[must_use]
    pub fn take_published(&self) -> Vec<(Route, Bytes)> {
        std::mem::take(&mut self.inner().published)
    }

    /// How many messages wait to be handed out.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner().waiting.len()
    }

    /// A bus for one transport, with its task. What it has handed out when its handles are dropped comes again, in its order.
    #[must_use]
    pub fn connect(&self, prefetch: usize) -> Bus {
        let (bus, ends) = handles(prefetch);
        ends.health.send_replace(Health { is_up: true, state: "open", ..Health::default() });
        let memory = self.clone();
        tokio::spawn(Task { memory, ends, prefetch: prefetch.max(1), out: BTreeMap::new() }.run());
        bus
    }
}

struct Task {
    memory: Memory,
    ends: Ends,
    prefetch: usize,
    /// Handed out and not settled, by tag, with their places.
    out: BTreeMap<u64, (u64, Bytes)>,
}

impl Task {
    async fn run(mut self) {
        let (mut stopped, mut silent) = (false, false);
        let changed = Arc::clone(&self.memory.changed);
        loop {
            // Made before the bus is looked at, so that no change in between is missed.
            let changed = changed.notified();
            // To a handle that is gone the same would be handed out for ever: it gives back what it gets.
            let is_open = !stopped && !self.ends.deliveries.is_closed();
            if silent && !is_open {
                break;
            }
            let is_away = self.memory.inner().is_away;
            let is_wanted = is_open && !is_away && !self.ends.demand.is_paused();
            while is_wanted && self.out.len() < self.prefetch && self.hand_out() {}
            tokio::select! {
                // What is given back at a stop or a pause is not handed out here again.
                biased;
                () = self.ends.stop.notified(), if !stopped => {
                    stopped = true;
                    // The handle says "none" once nobody can send any more.
                    self.ends.deliveries = tokio::sync::mpsc::channel(1).0;
                }
                () = self.ends.demand.changed() => {}
                Some((tag, settlement)) = self.ends.settlements.recv() => self.settle(tag, settlement),
                publication = self.ends.publications.recv(), if !silent && !is_away => match publication {
                    Some(publication) => self.publish(publication),
                    None => silent = true,
                },
                () = self.ends.deliveries.closed(), if is_open => {}
                () = changed => {}
            }
        }
        // The last word on what was out may be on its way.
        while let Ok((tag, settlement)) = self.ends.settlements.try_recv() {
            self.settle(tag, settlement);
        }
        let mut inner = self.memory.inner();
        for (place, body) in std::mem::take(&mut self.out).into_values() {
            inner.waiting.insert(place, (body, true));
        }
        drop(inner);
        self.memory.changed.notify_waiters();
    }

    fn hand_out(&mut self) -> bool {
        let mut inner = self.memory.inner();
        let Some((place, (body, redelivered))) = inner.waiting.pop_first() else { return false };
        inner.tag += 1;
        let tag = inner.tag;
        drop(inner);
        self.ends.hand_out(body.clone(), redelivered, tag);
        self.out.insert(tag, (place, body));
        true
    }

    fn settle(&mut self, tag: u64, settlement: Settlement) {
        let Some((place, body)) = self.out.remove(&tag) else { return };
        let mut inner = self.memory.inner();
        match settlement {
            Settlement::Ack => {}
            Settlement::GiveBack => {
                inner.waiting.insert(place, (body, true));
                self.memory.changed.notify_waiters();
            }
            Settlement::DeadLetter(_) => inner.published.push((Route::Failed, body)),
        }
    }

    fn publish(&mut self, Publication { route, body, done }: Publication) {
        // Whoever has stopped waiting while the bus was away asks again.
        if !done.is_closed() {
            self.memory.inner().published.push((route, body));
            let _ = done.send(Ok(()));
        }
    }
}
