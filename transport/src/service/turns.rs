//! One report of a message at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as TurnLock, OwnedMutexGuard};

type Locks = BTreeMap<Box<str>, Arc<TurnLock<()>>>;

/// Messages of which a report is being published. Others of the same message wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Turns {
    locks: Mutex<Locks>,
}

/// Right to publish a report of one message, until it is dropped.
pub(super) struct Turn<'a> {
    // Fields are dropped in their order: the lock is free before its place goes.
    _guard: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

/// Place of a message in the table, which goes with the last one that waits for it.
struct Place<'a> {
    turns: &'a Turns,
    message: Box<str>,
    lock: Arc<TurnLock<()>>,
}

impl Turns {
    /// Waits for the turn of a message.
    pub(super) async fn turn(&self, message: &str) -> Turn<'_> {
        let lock = Arc::clone(self.locks().entry(message.into()).or_default());
        let place = Place { turns: self, message: message.into(), lock: Arc::clone(&lock) };
        Turn { _guard: lock.lock_owned().await, _place: place }
    }

    fn locks(&self) -> MutexGuard<'_, Locks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut locks = self.turns.locks();
        // The table's own and this one: nobody else waits, and nobody can begin to while the table is locked.
        if Arc::strong_count(&self.lock) == 2 {
            locks.remove(&self.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn turns_of_a_message_are_in_order_and_leave_nothing_behind() {
        let turns = Turns::default();
        let first = turns.turn("a").now_or_never().expect("free");
        assert!(turns.turn("b").now_or_never().is_some(), "another message");
        let mut second = Box::pin(turns.turn("a"));
        let mut cancelled = Box::pin(turns.turn("a"));
        let mut third = Box::pin(turns.turn("a"));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(cancelled.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(cancelled);
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "the second is first");
        drop(second.as_mut().now_or_never().expect("its turn"));
        drop(third.as_mut().now_or_never().expect("its turn"));
        // A future that has ended keeps nothing.
        assert!(turns.locks().is_empty());
        let last = turns.turn("a").now_or_never().expect("free");
        let mut cancelled = Box::pin(turns.turn("a"));
        assert!(cancelled.as_mut().now_or_never().is_none());
        drop(last);
        drop(cancelled);
        assert!(turns.locks().is_empty());
    }
}
