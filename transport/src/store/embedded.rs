//! The store in a file. It answers from memory, as the one that is gone with the process does, and says `Ok` once what has
//! changed is synced; when it is opened it knows again what it knew. Nobody else may use the file, so its sequence numbers
//! are all there are.
//!
//! While the disk fails it says that it is away. What it was asked to do then is done in memory and written as soon as that
//! is possible; what it would have given is held until somebody has told of it.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::memory::Table;
use super::{Away, Early, Expired, LeaseError, Matched, PartOf, StoreLimits};
use crate::bus::DeliveryStatus;
use crate::disk::{DiskError, Journal, Manner};
use crate::session::SEQUENCE_MAX;
use crate::text::{Outcome, PartKey, Segment};

/// A store in a file. Clones share it.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    table: Mutex<Table>,
}

impl Embedded {
    /// The store in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn open(journal: Journal, limits: StoreLimits) -> Result<Embedded, DiskError> {
        let mut table = Table::new(limits);
        journal.read(|snapshot| table.restore(snapshot))?;
        Ok(Embedded(Arc::new(Inner { journal, table: Mutex::new(table) })))
    }

    pub(super) async fn remember(&self, now: Duration, id: &str, part: &PartOf) -> Result<Vec<Early>, Away> {
        self.ask(|table| table.remember(now, id, part)).await
    }

    pub(super) async fn accepted(&self, now: Duration, message: &str) -> Result<Vec<u8>, Away> {
        Ok(self.0.table().accepted(now, message))
    }

    pub(super) async fn receipt(&self, now: Duration, receipt: &Early) -> Result<Matched, Away> {
        self.ask(|table| table.receipt(now, receipt)).await
    }

    pub(super) async fn receipt_again(&self, now: Duration, early: &Early) -> Result<Matched, Away> {
        self.ask(|table| table.receipt_again(now, early)).await
    }

    pub(super) async fn told(&self, _now: Duration, early: &Early) -> Result<(), Away> {
        self.ask(|table| table.told(early)).await
    }

    pub(super) async fn told_aggregate(
        &self,
        _now: Duration,
        message: &str,
        status: DeliveryStatus,
    ) -> Result<(), Away> {
        self.ask(|table| table.told_aggregate(message, status)).await
    }

    pub(super) async fn held(&self, _now: Duration) -> Result<Vec<Early>, Away> {
        Ok(self.0.table().held())
    }

    pub(super) async fn hold_as(&self, now: Duration, early: &Early, other: &Early) -> Result<bool, Away> {
        self.ask(|table| table.hold_as(now, early, other)).await
    }

    pub(super) async fn join(&self, now: Duration, key: &PartKey, segment: &Segment) -> Result<Outcome, Away> {
        self.ask(|table| table.join(now, key, segment)).await
    }

    pub(super) async fn published(&self, _now: Duration, key: &PartKey) -> Result<(), Away> {
        self.ask(|table| table.published(key)).await
    }

    pub(super) async fn expire(&self, now: Duration) -> Result<Expired, Away> {
        self.ask(|table| table.expire(now)).await
    }

    pub(super) async fn told_incomplete(&self, _now: Duration, number: u64) -> Result<(), Away> {
        self.ask(|table| table.told_incomplete(number)).await
    }

    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.0.table().next_expiry()
    }

    pub(super) fn unfinished(&self) -> usize {
        self.0.table().unfinished()
    }

    pub(super) async fn next_reference(&self) -> Result<u16, Away> {
        self.ask(|table| table.next_reference()).await
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

    /// Makes a call and gives what it gave once what it has changed is synced, and all that was changed before.
    async fn ask<T: Send + 'static>(&self, call: impl FnOnce(&mut Table) -> T) -> Result<T, Away> {
        let room = self.0.journal.room().await.map_err(away)?;
        let (done, answered) = oneshot::channel();
        {
            let mut table = self.0.table();
            let given = call(&mut table);
            // Still locked: they are written in the order in which they happened.
            room.write(table.take_changes(), Manner::Kept, move |result| {
                let _ = done.send(result.map(|()| given).map_err(away));
            });
        }
        answered.await.unwrap_or_else(|_| Err(away(self.0.journal.closed())))
    }
}

impl Inner {
    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn away(error: DiskError) -> Away {
    Away(error.to_string())
}
