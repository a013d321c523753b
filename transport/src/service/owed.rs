//! Long messages that have been given up and of which nobody has heard yet. The SMSC does not send their parts again, so that
//! what cannot be told now is told later.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::text::Incomplete;

/// How many may be owed, before the SMSC is asked to keep what it sends of others.
const OWED_MAX: usize = 1_000;

/// Those that nobody is telling of at the moment.
#[derive(Debug, Default)]
pub(super) struct Owed(Mutex<VecDeque<Incomplete>>);

/// One of them, while it is told. Dropped before it is told, it is owed again.
pub(super) struct Debt<'a> {
    owed: &'a Owed,
    set: Incomplete,
    is_told: bool,
}

impl Owed {
    /// This is to be told by whoever asks for the next.
    pub(super) fn add(&self, set: Incomplete) {
        self.inner().push_back(set);
    }

    /// This is to be told now.
    pub(super) fn owe(&self, set: Incomplete) -> Debt<'_> {
        Debt { owed: self, set, is_told: false }
    }

    /// The one that has been owed longest.
    pub(super) fn next(&self) -> Option<Debt<'_>> {
        let set = self.inner().pop_front()?;
        Some(self.owe(set))
    }

    pub(super) fn is_full(&self) -> bool {
        self.inner().len() >= OWED_MAX
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, VecDeque<Incomplete>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debt<'_> {
    /// It has been told.
    pub(super) fn told(mut self) {
        self.is_told = true;
    }
}

impl Deref for Debt<'_> {
    type Target = Incomplete;

    fn deref(&self) -> &Incomplete {
        &self.set
    }
}

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        if !self.is_told {
            self.owed.add(self.set.clone());
        }
    }
}
