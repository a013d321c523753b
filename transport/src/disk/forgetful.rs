//! A disk in memory that forgets what was not synced when its power goes, for simulations and tests.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt as _;
use redb::{BackendError, StorageBackend};

use crate::env::{ChaCha8Rng, Seed};

/// A disk writes these many octets at once, or not at all.
const SECTOR_OCTETS: usize = 512;

/// A disk with one file. Clones are the same disk; it outlives whoever has it open.
#[derive(Clone, Default)]
pub struct Forgetful(Arc<Mutex<Platter>>);

#[derive(Default)]
struct Platter {
    /// What is there after a power cut.
    synced: Vec<u8>,
    /// What is there now.
    seen: Vec<u8>,
    /// What makes the one into the other, in order.
    unsynced: Vec<Doing>,
    /// How often the power was cut: a file opened before is not this one.
    cuts: u64,
    is_open: bool,
    is_full: bool,
    is_off: bool,
    is_lying: bool,
    /// Calls until the power goes by itself.
    calls_left: Option<u64>,
    calls: u64,
    syncs: u64,
}

enum Doing {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl fmt::Debug for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let platter = self.platter();
        f.debug_struct("Forgetful").field("octets", &platter.seen.len()).field("syncs", &platter.syncs).finish()
    }
}

impl Forgetful {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Forgetful {
        Forgetful::default()
    }

    /// Cuts the power: what was not synced is forgotten. Whoever has the file open can do nothing with it any more, so this
    /// is to be called before he is dropped. It can be opened again at once.
    pub fn crash(&self) {
        self.platter().restart(|_, _| {});
    }

    /// Ends whoever has the file open, as a kill does: all that was written is there, synced or not.
    pub fn kill(&self) {
        self.platter().unplug();
    }

    /// Cuts the power as disks do that write in their own order: of each write that was not synced, the stream of this seed
    /// decides whether it is there, is not, or is there in part, by sectors of 512 octets. One time in four all is there.
    pub fn crash_torn(&self, seed: Seed) {
        let mut platter = self.platter();
        let mut rng = seed.stream("torn", platter.cuts);
        let is_whole = rng.random_ratio(1, 4);
        platter.restart(|image, doing| if is_whole { doing.whole(image) } else { doing.torn(image, &mut rng) });
    }

    /// Cuts the power after so many more calls of any kind: all fail from then until one of the two above is called.
    pub fn cut_after(&self, calls: u64) {
        self.platter().calls_left = Some(calls);
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.platter().is_off
    }

    /// Whether there is no room from now on: then every write fails.
    pub fn fill(&self, is_full: bool) {
        self.platter().is_full = is_full;
    }

    /// From now on it says that it has synced, and has not: whoever trusts it must be seen to lose something.
    pub fn lie(&self) {
        self.platter().is_lying = true;
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.platter().calls
    }

    /// How many syncs there were.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.platter().syncs
    }

    /// Turns over all bits of an octet, as a disk that is worn. Nothing is there beyond the end.
    pub fn damage(&self, at: usize) {
        let mut platter = self.platter();
        let Platter { synced, seen, .. } = &mut *platter;
        [synced, seen].into_iter().filter_map(|octets| octets.get_mut(at)).for_each(|octet| *octet = !*octet);
    }

    /// How long the file is, in octets.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.platter().seen.len()
    }

    pub(super) fn read_first(&self, octets: &mut [u8]) -> Result<()> {
        self.plug().read(0, octets)
    }

    pub(super) fn remove(&self) -> Result<()> {
        self.plug().set_len(0)
    }

    pub(super) fn plug(&self) -> Plugged {
        Plugged { disk: self.clone(), cuts: self.platter().cuts, has_lock: AtomicBool::new(false) }
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platter {
    fn restart(&mut self, mut survives: impl FnMut(&mut Vec<u8>, &Doing)) {
        let mut image = std::mem::take(&mut self.synced);
        self.unsynced.drain(..).for_each(|doing| survives(&mut image, &doing));
        self.seen.clone_from(&image);
        self.synced = image;
        self.unplug();
    }

    fn unplug(&mut self) {
        self.cuts += 1;
        (self.is_open, self.is_off, self.calls_left) = (false, false, None);
    }

    fn does(&mut self, doing: Doing) -> Result<()> {
        if self.is_full {
            return Err(Error::new(ErrorKind::StorageFull, "no space left on device"));
        }
        doing.whole(&mut self.seen);
        self.unsynced.push(doing);
        Ok(())
    }
}

impl Doing {
    fn whole(&self, image: &mut Vec<u8>) {
        match self {
            Doing::Write(at, octets) => put(image, *at, octets),
            Doing::SetLen(length) => image.resize(*length, 0),
        }
    }

    fn torn(&self, image: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
        match (rng.random_range(0..3), self) {
            (0, _) => {}
            (1, Doing::Write(at, octets)) => {
                for (sector, octets) in octets.chunks(SECTOR_OCTETS).enumerate() {
                    if rng.random() {
                        put(image, at + sector * SECTOR_OCTETS, octets);
                    }
                }
            }
            _ => self.whole(image),
        }
    }
}

fn put(image: &mut Vec<u8>, at: usize, octets: &[u8]) {
    let end = at + octets.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[at..end].copy_from_slice(octets);
}

/// The file, open since a power cut.
#[derive(Debug)]
pub(super) struct Plugged {
    disk: Forgetful,
    cuts: u64,
    has_lock: AtomicBool,
}

impl Plugged {
    fn call(&self) -> Result<MutexGuard<'_, Platter>> {
        let mut platter = self.disk.platter();
        platter.calls += 1;
        match &mut platter.calls_left {
            Some(0) => platter.is_off = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if platter.is_off || platter.cuts != self.cuts {
            return Err(Error::other("the power is off"));
        }
        Ok(platter)
    }
}

fn place(offset: u64) -> Result<usize> {
    usize::try_from(offset).map_err(Error::other)
}

impl StorageBackend for Plugged {
    fn len(&self) -> Result<u64> {
        Ok(self.call()?.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let at = place(offset)?;
        let platter = self.call()?;
        let octets = platter.seen.get(at..at + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(octets);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let length = place(len)?;
        self.call()?.does(Doing::SetLen(length))
    }

    fn sync_data(&self) -> Result<()> {
        let mut platter = self.call()?;
        platter.syncs += 1;
        if !platter.is_lying {
            let Platter { synced, unsynced, .. } = &mut *platter;
            unsynced.drain(..).for_each(|doing| doing.whole(synced));
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let at = place(offset)?;
        self.call()?.does(Doing::Write(at, data.to_vec()))
    }

    fn close(&self) -> Result<()> {
        let mut platter = self.disk.platter();
        if self.has_lock.swap(false, Ordering::Relaxed) && platter.cuts == self.cuts {
            platter.is_open = false;
        }
        Ok(())
    }

    /// The whole file, or nothing: more is asked for only where processes share it.
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        if (start, end) != (Bound::Unbounded, Bound::Unbounded) {
            return Err(BackendError::Unsupported);
        }
        let was_open = std::mem::replace(&mut self.disk.platter().is_open, true);
        self.has_lock.store(!was_open, Ordering::Relaxed);
        Ok(!was_open)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.close().map_err(BackendError::Io)
    }
}
