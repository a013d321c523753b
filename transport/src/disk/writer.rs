//! The only one who writes the file: takes all that waits, writes it in one transaction, syncs once, and tells each.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use redb::{Database, ReadableDatabase as _};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::journal::{Shared, WRITES_MAX, Write};
use super::{Change, DiskError, Manner, RETRY_INTERVAL, Rows};

/// Writes the file. It must run for anything to be written, and closes the file when it ends or is dropped.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    writes: mpsc::Receiver<Write>,
    failing: watch::Sender<Option<DiskError>>,
    /// How long a sync takes beside what it takes.
    sync_time: Duration,
    /// What must be written and could not be yet.
    owed: BTreeMap<(Rows, Vec<u8>), Option<Vec<u8>>>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        writes: mpsc::Receiver<Write>,
        failing: watch::Sender<Option<DiskError>>,
    ) -> Writer {
        Writer { shared, writes, failing, sync_time: Duration::ZERO, owed: BTreeMap::new() }
    }

    /// As if each sync took so long, half of it before anything is there and half after: for a simulation, in which nothing
    /// takes time by itself.
    #[must_use]
    pub fn with_sync_time(mut self, sync_time: Duration) -> Writer {
        self.sync_time = sync_time;
        self
    }

    /// Writes until all handles to the file are gone, as a task among others: each sync holds up the thread that it runs on.
    pub async fn run(mut self) {
        let mut writes = Vec::new();
        loop {
            let failure = self.failing.borrow().clone();
            let goes_on = match failure {
                None => self.writes.recv_many(&mut writes, WRITES_MAX).await > 0,
                Some(error) => self.wait(&error).await,
            };
            if !goes_on {
                break;
            }
            self.commit(&mut writes).await;
        }
        if !self.owed.is_empty() {
            self.reopen();
        }
    }

    /// Refuses what is asked for until the disk has been tried again; false if nobody can ask any more.
    async fn wait(&mut self, error: &DiskError) -> bool {
        let mut retry = pin!(sleep(RETRY_INTERVAL));
        let mut writes = Vec::new();
        loop {
            tokio::select! {
                biased;
                // First, so that those who ask again and again do not keep it from being tried.
                () = &mut retry => break,
                taken = self.writes.recv_many(&mut writes, WRITES_MAX) => {
                    if taken == 0 {
                        return false;
                    }
                    self.refuse(&mut writes, error);
                }
            }
        }
        self.reopen();
        true
    }

    /// Writes on a thread of its own until all handles to the file are gone, or the process ends. Join it to know that the
    /// file is closed.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn on_a_thread(self) -> std::io::Result<std::thread::JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        // The one thread beside the runtime's: syncs of a real disk. In a simulation the writer is a task.
        std::thread::Builder::new().name("disk".to_owned()).spawn(move || runtime.block_on(self.run()))
    }

    async fn commit(&mut self, writes: &mut Vec<Write>) {
        if writes.is_empty() {
            return;
        }
        self.pause().await;
        let written = self.transact(writes);
        self.pause().await;
        match written {
            Ok(()) => {
                self.owed.clear();
                writes.drain(..).for_each(|write| (write.done)(Ok(())));
            }
            Err(error) => {
                tracing::error!(%error, "the disk fails; it is tried again every second");
                // After an error the database wants to be opened anew.
                self.close();
                self.failing.send_replace(Some(error.clone()));
                self.refuse(writes, &error);
            }
        }
    }

    async fn pause(&self) {
        if !self.sync_time.is_zero() {
            sleep(self.sync_time / 2).await;
        }
    }

    fn refuse(&mut self, writes: &mut Vec<Write>, error: &DiskError) {
        for Write { changes, manner, done } in writes.drain(..) {
            if manner == Manner::Kept {
                self.owed.extend(changes.into_iter().map(|Change { rows, key, value }| ((rows, key), value)));
            }
            done(Err(error.clone()));
        }
    }

    /// Tries whether the disk can be used again, by writing what is owed.
    fn reopen(&mut self) {
        let opened = self.shared.disk.database();
        let written = opened.and_then(|database| {
            *self.shared.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
            self.transact(&[])
        });
        match written {
            Ok(()) => {
                self.owed.clear();
                tracing::info!("the disk can be used again");
                self.failing.send_replace(None);
            }
            Err(error) => {
                self.close();
                self.failing.send_replace(Some(error));
            }
        }
    }

    fn transact(&self, writes: &[Write]) -> Result<(), DiskError> {
        // Of several changes of one row the last counts; in the order of their keys they are written fastest.
        let owed = self.owed.iter().map(|((rows, key), value)| ((*rows, key.as_slice()), value.as_deref()));
        let asked = writes.iter().flat_map(|write| &write.changes);
        let asked = asked.map(|change| ((change.rows, change.key.as_slice()), change.value.as_deref()));
        let changes: BTreeMap<_, _> = owed.chain(asked).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let database = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(DiskError::Closed(self.shared.disk.name()));
        };
        self.shared.disk.guarded(|| write(database, changes))
    }

    fn close(&self) {
        let database = self.shared.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // It writes when it is closed, and what it meets there has been said.
        let _ = self.shared.disk.guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn write(database: &Database, changes: BTreeMap<(Rows, &[u8]), Option<&[u8]>>) -> Result<(), redb::Error> {
    // While somebody reads what was there before, its pages become free in the next transaction, where that costs nothing,
    // and not in one more after this.
    let _before = database.begin_read()?;
    let writing = database.begin_write()?;
    let mut changes = changes.into_iter().peekable();
    while let Some(&((rows, _), _)) = changes.peek() {
        let mut table = writing.open_table(rows.table())?;
        while let Some(((_, key), value)) = changes.next_if(|((of, _), _)| *of == rows) {
            match value {
                Some(value) => drop(table.insert(key, value)?),
                None => drop(table.remove(key)?),
            }
        }
    }
    Ok(writing.commit()?)
}
