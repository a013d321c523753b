//! Messages and the receipts that are due, kept over restarts: one file of the embedded database, behind the mailbox by at
//! most [`WRITE_INTERVAL`]. What a crash can lose is what was accepted within that time; a stop loses nothing. The ids that
//! were given to what is lost are not given again.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use smpp_transport::disk::{self, Disk, DiskError, Journal, Manner, Rows};
use tokio::time::sleep;

use crate::hub::Hub;
use crate::message::{Change, Record};

/// Messages by number, as JSON: a later version may know more fields than an earlier one has written.
const MESSAGES: Rows = Rows::named("messages by number");
/// One row while somebody has the file open: found by whoever opens it, it tells of a crash, and the number below which numbers
/// may have been given by then.
const OPEN: Rows = Rows::named("open");
/// More numbers than a crash can lose.
const LOST_MAX: u64 = 100_000;
const FILE_NAME: &str = "messages.redb";
/// How often changes are written.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);

/// The file that messages are kept in.
#[derive(Debug)]
pub(crate) struct Store {
    file: Kept,
    /// Writes the file.
    writer: JoinHandle<()>,
}

/// The rows of the file.
#[derive(Clone, Debug)]
pub(crate) struct Kept(Journal);

impl Store {
    /// Opens the file in this directory, or makes both, and gives the mailbox what is in it.
    ///
    /// # Errors
    /// In words, when it cannot be opened or read, or another simulator has it.
    pub(crate) async fn open(directory: &Path, hub: &Hub) -> Result<Store, String> {
        let (journal, writer) = Disk::file(directory, FILE_NAME).open().map_err(|error| error.to_string())?;
        let file = Kept(journal);
        let records = file.read().map_err(|error| error.to_string())?;
        let writer = writer.on_a_thread().map_err(|error| format!("{FILE_NAME}: {error}"))?;
        if !records.is_empty() {
            tracing::info!(messages = records.len(), "messages are taken up again");
        }
        let given_below = file.given_below().map_err(|error| error.to_string())?;
        hub.restore(records);
        if let Some(number) = given_below {
            hub.skip_numbers_to(number.max(hub.next_number() + LOST_MAX));
        }
        // Before any is given: a crash may follow before anything else is written.
        if let Err(error) = file.mark(Some(hub.next_number() + LOST_MAX)).await {
            tracing::error!(%error, "that the file is open could not be noted");
        }
        Ok(Store { file, writer })
    }

    /// As if it was killed: nothing more is written.
    #[cfg(test)]
    pub(crate) async fn crash(self) {
        drop(self.file);
        close(self.writer).await;
    }

    /// Writes what changes until all has ended, and then the rest.
    pub(crate) async fn keep(self, hub: Arc<Hub>) {
        let Store { file, writer } = self;
        let mut failed = false;
        let mut unwritten = Vec::new();
        loop {
            let is_last = tokio::select! {
                biased;
                () = hub.until_ended() => true,
                () = sleep(WRITE_INTERVAL) => false,
            };
            unwritten.extend(hub.take_changes());
            if !unwritten.is_empty() {
                let result = file.write(&unwritten).await;
                // Said when it begins and when it is over: a full disk would fill the log as well.
                match &result {
                    Err(error) if !failed => tracing::error!(%error, "messages cannot be kept; they are tried again"),
                    Ok(()) if failed => tracing::info!("messages are kept again"),
                    _ => {}
                }
                failed = result.is_err();
                if !failed {
                    unwritten.clear();
                }
            }
            if is_last {
                break;
            }
        }
        if !failed && let Err(error) = file.mark(None).await {
            tracing::error!(%error, "that messages are kept to the last could not be noted");
        }
        drop(file);
        close(writer).await;
    }
}

/// Waits until the file is closed, so that whoever comes next can open it.
#[expect(clippy::disallowed_methods, reason = "files are real: no simulation has a store")]
async fn close(writer: JoinHandle<()>) {
    let closed = tokio::task::spawn_blocking(move || writer.join()).await;
    if !matches!(closed, Ok(Ok(()))) {
        tracing::error!("{FILE_NAME} was not closed in order");
    }
}

impl Kept {
    #[cfg(test)]
    pub(crate) fn new(journal: Journal) -> Kept {
        Kept(journal)
    }

    /// All messages.
    ///
    /// # Errors
    /// When the file cannot be read, or has in it what is no message.
    pub(crate) fn read(&self) -> Result<Vec<Record>, DiskError> {
        let (mut records, mut damage) = (Vec::new(), None);
        self.0.read(|rows| {
            rows.each(MESSAGES, &[], |_, json| {
                match serde_json::from_slice(json) {
                    Ok(record) => records.push(record),
                    Err(error) => damage = Some(error),
                }
                Ok(damage.is_none())
            })
        })?;
        match damage {
            None => Ok(records),
            Some(error) => {
                Err(DiskError::damaged(self.0.name(), format_args!("message {}: {error}", records.len() + 1)))
            }
        }
    }

    /// Writes changes together; they are synced when this completes.
    ///
    /// # Errors
    /// When they cannot be written now. Then none of them is; after a second the file is opened again.
    pub(crate) async fn write(&self, changes: &[Change]) -> Result<(), DiskError> {
        let cleared = changes.iter().rposition(|change| *change == Change::Cleared);
        let mut rows = if cleared.is_some() { self.all_gone()? } else { Vec::new() };
        for change in &changes[cleared.map_or(0, |at| at + 1)..] {
            match change {
                Change::Kept(record) => {
                    let json = serde_json::to_vec(record).map_err(|error| DiskError::damaged(self.0.name(), error))?;
                    rows.push(MESSAGES.put(record.number.to_be_bytes(), json));
                }
                Change::Forgotten(number) => rows.push(MESSAGES.remove(number.to_be_bytes())),
                // There is none behind the last.
                Change::Cleared => {}
            }
        }
        self.0.write(rows, Manner::Asked).await
    }

    /// If somebody has opened the file and not closed it, the number below which he may have given numbers.
    pub(crate) fn given_below(&self) -> Result<Option<u64>, DiskError> {
        let marked = self.0.read(|rows| rows.get(OPEN, &[]))?;
        Ok(marked.map(|octets| octets.as_slice().try_into().map_or(0, u64::from_be_bytes)))
    }

    /// Notes that the file is open and numbers below this may be given, or that it is closed.
    pub(crate) async fn mark(&self, given_below: Option<u64>) -> Result<(), DiskError> {
        let change = given_below.map_or(OPEN.remove([]), |number| OPEN.put([], number.to_be_bytes()));
        self.0.write(vec![change], Manner::Asked).await
    }

    fn all_gone(&self) -> Result<Vec<disk::Change>, DiskError> {
        let mut gone = Vec::new();
        self.0.read(|rows| {
            rows.each(MESSAGES, &[], |key, _| {
                gone.push(MESSAGES.remove(key));
                Ok(true)
            })
        })?;
        Ok(gone)
    }
}
