//! One of what the SMSC sends twice is taken: the other waits for what becomes of the first.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::inbound::Repeated;

/// What has been taken lately, and what is being taken now.
#[derive(Debug)]
pub(super) struct Repeats {
    start: Instant,
    inner: Mutex<Inner>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    taken: Repeated,
    under_way: BTreeSet<Bytes>,
}

impl Default for Repeats {
    fn default() -> Repeats {
        Repeats { start: Instant::now(), inner: Mutex::default(), ended: Notify::new() }
    }
}

/// The right to take one message. Dropped unused, the next one has it.
pub(super) struct Turn<'a> {
    repeats: &'a Repeats,
    key: Bytes,
}

impl Repeats {
    /// None when the same has been taken within the window; waits while it is being taken.
    pub(super) async fn turn(&self, window: Duration, key: Bytes) -> Option<Turn<'_>> {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            {
                let mut inner = self.inner();
                if inner.taken.contains(self.start.elapsed(), window, &key) {
                    return None;
                }
                if inner.under_way.insert(key.clone()) {
                    return Some(Turn { repeats: self, key });
                }
            }
            ended.await;
        }
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// It has been taken.
    pub(super) fn taken(self) {
        self.repeats.inner().taken.note(self.repeats.start.elapsed(), self.key.clone());
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.repeats.inner().under_way.remove(&self.key);
        self.repeats.ended.notify_waiters();
    }
}
