//! The one file in which the embedded bus and the embedded store keep what they must not forget; the simulator has one, too.
//! What is in its rows they know; here is known when it is safe.
//!
//! ```text
//!  bus   ──┐ changes                  ┌─ one transaction, one sync, for all that waits
//!          ├─────────► Journal ──► Writer ──► file
//!  store ──┘                          └─ then each is told
//! ```
//!
//! The file is written by synchronous calls, and a sync takes milliseconds. So there is one [`Writer`], which in production
//! has a thread of its own ([`Writer::on_a_thread`]), and in a simulation is a task like others ([`Writer::run`]).
//! Reading does not wait for it.
//!
//! A disk that fails, as one that is full, is tried again every [`RETRY_INTERVAL`]; meanwhile what is asked for fails, and
//! what must be written in the end is kept to be written first.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, TableDefinition};

#[cfg(feature = "test-util")]
mod forgetful;
mod journal;
mod writer;

#[cfg(feature = "test-util")]
pub use forgetful::Forgetful;
pub use journal::{Journal, Room, Snapshot};
pub use writer::Writer;

/// The name of the transport's file in its folder.
pub const FILE_NAME: &str = "transport.redb";
/// How long after a failure the disk is tried again.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// What of the file is held in memory, at most, in octets.
const CACHE_OCTETS_MAX: usize = 64 << 20;

/// The mark that says that a file is a database is written last when it is made; it has so many octets.
const MARK_OCTETS: usize = 9;

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Disk(Kind);

#[derive(Clone, Debug)]
enum Kind {
    File {
        folder: PathBuf,
        name: &'static str,
    },
    #[cfg(feature = "test-util")]
    Forgetful(Forgetful),
}

/// Rows of one kind, by key, in the order of their keys' octets.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rows(&'static str);

/// What is to be different: this row has this value from now on, or is gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Of which kind the row is.
    pub rows: Rows,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; none if it is gone.
    pub value: Option<Vec<u8>>,
}

/// What becomes of changes that cannot be written now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// Who asked is told, and they are forgotten.
    Asked,
    /// Who asked is told, and they are written as soon as that is possible: they have happened already.
    Kept,
}

/// Why the file cannot be used. What was asked for may have been done, if it was a change.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DiskError {
    /// Somebody has it.
    #[error("{0} is open already, in another process or in this one")]
    InUse(Arc<str>),
    /// It has been changed by something else, or its disk has lost something. Nothing in it is used.
    #[error("{0} is damaged ({1}): put back a copy of it, or move it away to begin with nothing")]
    Damaged(Arc<str>, Arc<str>),
    /// It cannot be read or written now: the disk is full, or there are no rights to it.
    #[error("{0} cannot be used: {1}")]
    Failed(Arc<str>, Arc<str>),
    /// Its writer has ended.
    #[error("{0} has been closed")]
    Closed(Arc<str>),
}

impl Disk {
    /// The transport's file in a folder of the machine's, which is made if it is not there.
    #[must_use]
    pub fn folder(folder: impl Into<PathBuf>) -> Disk {
        Disk::file(folder, FILE_NAME)
    }

    /// A file of another name in such a folder.
    #[must_use]
    pub fn file(folder: impl Into<PathBuf>, name: &'static str) -> Disk {
        Disk(Kind::File { folder: folder.into(), name })
    }

    /// Memory that forgets what is not synced.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn forgetful(forgetful: &Forgetful) -> Disk {
        Disk(Kind::Forgetful(forgetful.clone()))
    }

    /// Opens the file, or makes it. Nothing is written until the writer runs.
    ///
    /// After a crash the whole file is read first, which takes seconds for each gigaoctet.
    ///
    /// # Errors
    /// When it cannot be read or written, is damaged, or is open already.
    pub fn open(&self) -> Result<(Journal, Writer), DiskError> {
        Ok(journal::pair(self.clone(), self.database()?))
    }

    /// The file's name, as errors say it.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        match &self.0 {
            Kind::File { folder, name } => folder.join(name).display().to_string().into(),
            #[cfg(feature = "test-util")]
            Kind::Forgetful(_) => FILE_NAME.into(),
        }
    }

    fn database(&self) -> Result<Database, DiskError> {
        match self.existing_or_new() {
            // A power cut while it was made: nothing can have been in it.
            Err(DiskError::Damaged(..)) if self.is_unmade() => {
                self.remove()?;
                self.existing_or_new()
            }
            result => result,
        }
    }

    fn existing_or_new(&self) -> Result<Database, DiskError> {
        self.guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_OCTETS_MAX);
            let file = self.name();
            builder.set_repair_callback(move |session| {
                tracing::info!(%file, progress = session.progress(), "the file was not closed, and is checked");
            });
            match &self.0 {
                Kind::File { folder, name } => {
                    Ok(builder.create_with_backend(FileBackend::new(file_in(folder, name)?)?)?)
                }
                #[cfg(feature = "test-util")]
                Kind::Forgetful(forgetful) => Ok(builder.create_with_backend(forgetful.plug())?),
            }
        })
    }

    /// Whether the file has octets, and those that are written last when it is made are not written.
    fn is_unmade(&self) -> bool {
        let mut mark = [1; MARK_OCTETS];
        let read = match &self.0 {
            Kind::File { folder, name } => {
                std::fs::File::open(folder.join(name)).and_then(|mut file| file.read_exact(&mut mark))
            }
            #[cfg(feature = "test-util")]
            Kind::Forgetful(forgetful) => forgetful.read_first(&mut mark),
        };
        read.is_ok() && mark == [0; MARK_OCTETS]
    }

    fn remove(&self) -> Result<(), DiskError> {
        let removed = match &self.0 {
            Kind::File { folder, name } => std::fs::remove_file(folder.join(name)),
            #[cfg(feature = "test-util")]
            Kind::Forgetful(forgetful) => forgetful.remove(),
        };
        removed.map_err(|error| self.error(&error.into()))
    }

    /// Calls the database, which panics at some kinds of damage.
    fn guarded<T>(&self, call: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, DiskError> {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
            Ok(result) => result.map_err(|error| self.error(&error)),
            Err(_) => Err(DiskError::Damaged(self.name(), "it is not what was written".into())),
        }
    }

    fn error(&self, error: &redb::Error) -> DiskError {
        match error {
            redb::Error::DatabaseAlreadyOpen => DiskError::InUse(self.name()),
            redb::Error::Corrupted(reason) => DiskError::Damaged(self.name(), reason.as_str().into()),
            redb::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                DiskError::Damaged(self.name(), error.to_string().into())
            }
            redb::Error::Io(error) => DiskError::Failed(self.name(), error.to_string().into()),
            error => DiskError::Failed(self.name(), error.to_string().into()),
        }
    }
}

/// What is in it is of people: nobody else may read it.
fn file_in(folder: &Path, name: &str) -> Result<std::fs::File, DatabaseError> {
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(folder.join(name))?;
    // A file is only there after a power cut if its folder says so.
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(file)
}

impl Rows {
    /// Rows of this name; no two kinds may have the same.
    #[must_use]
    pub const fn named(name: &'static str) -> Rows {
        Rows(name)
    }

    /// Their name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    const fn table(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(self.0)
    }

    /// This row has this value from now on.
    #[must_use]
    pub fn put(self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Change {
        Change { rows: self, key: key.into(), value: Some(value.into()) }
    }

    /// This row is gone.
    #[must_use]
    pub fn remove(self, key: impl Into<Vec<u8>>) -> Change {
        Change { rows: self, key: key.into(), value: None }
    }
}

impl DiskError {
    /// Something in the file is not as its reader has written it.
    #[must_use]
    pub fn damaged(file: Arc<str>, words: impl fmt::Display) -> DiskError {
        DiskError::Damaged(file, words.to_string().into())
    }
}
