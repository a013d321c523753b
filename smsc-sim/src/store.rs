//! Messages and the receipts that are due, kept over restarts: one file of the embedded database, behind the mailbox by at
//! most [`WRITE_INTERVAL`]. What a crash can lose is what was accepted within that time; a stop loses nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::hub::Hub;
use crate::message::{Change, Record};

/// Messages by number, as JSON: a later version may know more fields than an earlier one has written.
const MESSAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("messages");
const FILE_NAME: &str = "messages.redb";
/// How often changes are written.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);

/// The file that messages are kept in.
#[derive(Debug)]
pub(crate) struct Store {
    database: Arc<Database>,
}

impl Store {
    /// Opens the file in this directory, or makes both, and gives the mailbox what is in it.
    ///
    /// # Errors
    /// In words, when it cannot be opened or read, or another simulator has it.
    pub(crate) fn open(directory: &Path, hub: &Hub) -> Result<Store, String> {
        fs::create_dir_all(directory).map_err(|error| error.to_string())?;
        let database = Database::create(directory.join(FILE_NAME)).map_err(|error| format!("{FILE_NAME}: {error}"))?;
        let records = read(&database).map_err(|error| format!("{FILE_NAME}: {error}"))?;
        if !records.is_empty() {
            tracing::info!(messages = records.len(), "messages are taken up again");
        }
        hub.restore(records);
        Ok(Store { database: Arc::new(database) })
    }

    /// Writes what changes until all has ended, and then the rest.
    pub(crate) async fn keep(self, hub: Arc<Hub>) {
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
                let database = Arc::clone(&self.database);
                let Ok((result, changes)) = write_aside(database, unwritten).await else { return };
                unwritten = if result.is_ok() { Vec::new() } else { changes };
                // Said when it begins and when it is over: a full disk would fill the log as well.
                match result {
                    Err(error) if !failed => tracing::error!(%error, "messages cannot be kept; they are tried again"),
                    Ok(()) if failed => tracing::info!("messages are kept again"),
                    _ => {}
                }
                failed = !unwritten.is_empty();
            }
            if is_last {
                return;
            }
        }
    }
}

type Written = (Result<(), Box<dyn std::error::Error + Send + Sync>>, Vec<Change>);

/// Gives the changes back, so that those that could not be written can be tried again.
#[expect(clippy::disallowed_methods, reason = "files are real: no simulation has a store")]
fn write_aside(database: Arc<Database>, changes: Vec<Change>) -> JoinHandle<Written> {
    spawn_blocking(move || (write(&database, &changes), changes))
}

fn read(database: &Database) -> Result<Vec<Record>, Box<dyn std::error::Error>> {
    let writing = database.begin_write()?;
    // Made if it is not there, so that it can be read.
    writing.open_table(MESSAGES)?;
    writing.commit()?;
    let reading = database.begin_read()?;
    let table = reading.open_table(MESSAGES)?;
    let mut records = Vec::new();
    for row in table.iter()? {
        let (number, json) = row?;
        let record = serde_json::from_slice(json.value());
        records.push(record.map_err(|error| format!("message {} cannot be read: {error}", number.value()))?);
    }
    Ok(records)
}

fn write(database: &Database, changes: &[Change]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let writing = database.begin_write()?;
    {
        let mut table = writing.open_table(MESSAGES)?;
        for change in changes {
            match change {
                Change::Cleared => table.retain(|_, _| false)?,
                Change::Kept(record) => {
                    table.insert(record.number, serde_json::to_vec(record)?.as_slice())?;
                }
                Change::Forgotten(number) => {
                    table.remove(number)?;
                }
            }
        }
    }
    writing.commit()?;
    Ok(())
}
