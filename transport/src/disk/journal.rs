//! The end of the file that bus and store hold: changes go in, rows come out.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableError};
use tokio::sync::{mpsc, watch};

use super::{Change, Disk, DiskError, Manner, Rows, Writer};

/// Writes that wait for the writer, at most; also the most that one transaction takes.
pub(super) const WRITES_MAX: usize = 4_096;

type Table = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A handle to the file. Clones share it; the writer ends when all are gone.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    writes: mpsc::Sender<Write>,
    failure: watch::Receiver<Option<DiskError>>,
}

/// The file, as its writer and its readers have it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Disk,
    /// None while it cannot be opened.
    pub(super) database: RwLock<Option<Database>>,
}

/// Changes that belong together, on their way.
pub(super) struct Write {
    pub(super) changes: Vec<Change>,
    pub(super) manner: Manner,
    pub(super) done: Box<dyn FnOnce(Result<(), DiskError>) + Send>,
}

/// A place among the writes that wait.
#[derive(Debug)]
pub struct Room(mpsc::OwnedPermit<Write>);

/// The rows as they were at one moment: all that was synced then, and nothing else.
#[derive(Debug)]
pub struct Snapshot(ReadTransaction);

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("changes", &self.changes.len()).field("manner", &self.manner).finish()
    }
}

pub(super) fn pair(disk: Disk, database: Database) -> (Journal, Writer) {
    let shared = Arc::new(Shared { disk, database: RwLock::new(Some(database)) });
    let (writes, taken) = mpsc::channel(WRITES_MAX);
    let (failing, failure) = watch::channel(None);
    (Journal { shared: Arc::clone(&shared), writes, failure }, Writer::new(shared, taken, failing))
}

impl Journal {
    /// A place for a write; waits while too many wait.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn room(&self) -> Result<Room, DiskError> {
        let permit = self.writes.clone().reserve_owned().await;
        permit.map(Room).map_err(|_| self.closed())
    }

    /// Writes these changes together, and completes when they are synced.
    ///
    /// # Errors
    /// When they cannot be written now.
    pub async fn write(&self, changes: Vec<Change>, manner: Manner) -> Result<(), DiskError> {
        let (done, written) = tokio::sync::oneshot::channel();
        let room = self.room().await?;
        room.write(changes, manner, move |result| {
            // Who asked may have stopped waiting.
            let _ = done.send(result);
        });
        written.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Reads what is synced. It takes no longer than the reading, and holds up no writer.
    ///
    /// # Errors
    /// When the file cannot be read now, is damaged, or `read` says so.
    pub fn read<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T, redb::Error>) -> Result<T, DiskError> {
        let database = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(self.failure.borrow().clone().unwrap_or_else(|| self.closed()));
        };
        self.shared.disk.guarded(|| read(&Snapshot(database.begin_read()?)))
    }

    /// Why the disk fails now, if it does, and whenever that changes.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<DiskError>> {
        self.failure.clone()
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        self.shared.disk.name()
    }

    /// What is said when the writer has ended.
    #[must_use]
    pub fn closed(&self) -> DiskError {
        DiskError::Closed(self.name())
    }
}

impl Room {
    /// Writes these changes together, after all that was written before. `done` is called when they are synced or cannot be,
    /// by the writer: it must not wait. It is dropped if the writer ends first.
    pub fn write(
        self,
        changes: Vec<Change>,
        manner: Manner,
        done: impl FnOnce(Result<(), DiskError>) + Send + 'static,
    ) {
        self.0.send(Write { changes, manner, done: Box::new(done) });
    }
}

impl Snapshot {
    /// The value of a row.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, rows: Rows, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
        let Some(table) = self.table(rows)? else { return Ok(None) };
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    /// Gives rows to `each`, from this key on and in order, until it says false.
    ///
    /// # Errors
    /// When the file cannot be read, or `each` says so.
    pub fn each(
        &self,
        rows: Rows,
        from: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, redb::Error>,
    ) -> Result<(), redb::Error> {
        let Some(table) = self.table(rows)? else { return Ok(()) };
        for row in table.range(from..)? {
            let (key, value) = row?;
            if !each(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }

    /// The last key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last(&self, rows: Rows) -> Result<Option<Vec<u8>>, redb::Error> {
        let Some(table) = self.table(rows)? else { return Ok(None) };
        Ok(table.last()?.map(|(key, _)| key.value().to_vec()))
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self, rows: Rows) -> Result<u64, redb::Error> {
        let Some(table) = self.table(rows)? else { return Ok(0) };
        Ok(table.len()?)
    }

    /// None if nothing of this kind was ever written.
    fn table(&self, rows: Rows) -> Result<Option<Table>, redb::Error> {
        match self.0.open_table(rows.table()) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
