//! The store in a file. It answers from memory, as the one that is gone with the process does, and says `Ok` once what has
//! changed is synced; when it is opened it knows again what it knew. Nobody else may use the file, so its sequence numbers
//! are all there are.
//!
//! While the disk fails it says that it is away. What it was asked to do then is done in memory and written as soon as that
//! is possible; what it would have given is given to whoever asks next.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::memory::Table;
use super::{Away, Early, Expired, LeaseError, Matched, PartOf, StoreLimits};
use crate::disk::{DiskError, Journal, Manner, RETRY_INTERVAL};
use crate::session::SEQUENCE_MAX;
use crate::text::{Incomplete, Outcome, PartKey, Segment};

/// A store in a file. Clones share it.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    table: Table,
    /// What has expired and was not given to anybody, though it was asked for.
    owed: Expired,
    /// When it may be asked for again.
    owed_from: Option<Duration>,
}

impl Embedded {
    /// The store in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn open(journal: Journal, limits: StoreLimits) -> Result<Embedded, DiskError> {
        let mut table = Table::new(limits);
        journal.read(|snapshot| table.restore(snapshot))?;
        let state = Mutex::new(State { table, owed: Expired::default(), owed_from: None });
        Ok(Embedded(Arc::new(Inner { journal, state })))
    }

    pub(super) async fn remember(&self, now: Duration, id: &str, part: &PartOf) -> Result<Vec<Early>, Away> {
        self.ask(|state| state.table.remember(now, id, part), |_, _| {}).await
    }

    pub(super) async fn accepted(&self, now: Duration, message: &str) -> Result<Vec<u8>, Away> {
        Ok(self.0.state().table.accepted(now, message))
    }

    pub(super) async fn receipt(&self, now: Duration, receipt: &Early) -> Result<Matched, Away> {
        self.ask(|state| state.table.receipt(now, receipt), |_, _| {}).await
    }

    pub(super) async fn receipt_again(&self, now: Duration, early: &Early) -> Result<Matched, Away> {
        self.ask(|state| state.table.receipt_again(now, early), |_, _| {}).await
    }

    pub(super) async fn told(&self, _now: Duration, early: &Early) -> Result<(), Away> {
        self.ask(|state| state.table.told(early), |_, ()| {}).await
    }

    pub(super) async fn join(
        &self,
        now: Duration,
        key: &PartKey,
        segment: &Segment,
    ) -> Result<(Outcome, Option<Incomplete>), Away> {
        let add = |state: &mut State| {
            let added = state.table.joiner.add(now, key, segment);
            (added.outcome, added.superseded)
        };
        // A message that is whole stays until it is published; what was given up is told later.
        let owe = move |state: &mut State, (_, superseded): (_, Option<Incomplete>)| {
            state.owe(now, Expired { incomplete: superseded.into_iter().collect(), early: Vec::new() });
        };
        self.ask(add, owe).await
    }

    pub(super) async fn published(&self, _now: Duration, key: &PartKey) -> Result<(), Away> {
        self.ask(|state| state.table.joiner.published(key), |_, ()| {}).await
    }

    pub(super) async fn expire(&self, now: Duration) -> Result<Expired, Away> {
        self.ask(|state| state.expire(now), move |state, expired| state.owe(now, expired)).await
    }

    pub(super) fn next_expiry(&self) -> Option<Duration> {
        let state = self.0.state();
        [state.owed_from, state.table.next_expiry()].into_iter().flatten().min()
    }

    pub(super) async fn next_reference(&self) -> Result<u16, Away> {
        self.ask(|state| state.table.next_reference(), |_, _| {}).await
    }

    pub(super) async fn take_numbers(&self, _now: Duration) -> Result<RangeInclusive<u32>, Away> {
        Ok(1..=SEQUENCE_MAX)
    }

    pub(super) async fn keep_numbers(&self, _now: Duration, _numbers: &RangeInclusive<u32>) -> Result<(), LeaseError> {
        Ok(())
    }

    pub(super) async fn give_back_numbers(&self, _numbers: &RangeInclusive<u32>) -> Result<(), Away> {
        Ok(())
    }

    /// Makes a call and gives what it gave once what it has changed is synced, and all that was changed before. What nobody
    /// gets, since the disk failed or nobody waits any more, is given to `undo`.
    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut State) -> T,
        undo: impl FnOnce(&mut State, T) + Send + 'static,
    ) -> Result<T, Away> {
        let room = self.0.journal.room().await.map_err(away)?;
        let (done, answered) = oneshot::channel();
        {
            let mut state = self.0.state();
            let given = call(&mut state);
            let changes = state.table.take_changes();
            let inner = Arc::clone(&self.0);
            // Still locked: they are written in the order in which they happened.
            room.write(changes, Manner::Kept, move |result| {
                let unheard = match result {
                    Ok(()) => done.send(Ok(given)).err().and_then(Result::ok),
                    Err(error) => {
                        let _ = done.send(Err(away(error)));
                        Some(given)
                    }
                };
                if let Some(given) = unheard {
                    let mut state = inner.state();
                    undo(&mut state, given);
                    if let Some(room) = inner.journal.room_now() {
                        room.write(state.table.take_changes(), Manner::Kept, |_| {});
                    }
                }
            });
        }
        answered.await.unwrap_or_else(|_| Err(away(self.0.journal.closed())))
    }
}

impl Inner {
    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn expire(&mut self, now: Duration) -> Expired {
        let mut expired = std::mem::take(&mut self.owed);
        self.owed_from = None;
        let Expired { incomplete, early } = self.table.expire(now);
        expired.incomplete.extend(incomplete);
        expired.early.extend(early);
        expired
    }

    fn owe(&mut self, now: Duration, Expired { incomplete, early }: Expired) {
        if !incomplete.is_empty() || !early.is_empty() {
            self.owed.incomplete.extend(incomplete);
            self.owed.early.extend(early);
            self.owed_from = Some(now.saturating_add(RETRY_INTERVAL));
        }
    }
}

fn away(error: DiskError) -> Away {
    Away(error.to_string())
}
