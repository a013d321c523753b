//! The durable bus in a file: what is to be sent stays until it is settled, and what has been published stays to be read for
//! as long as [`Config`] says. An application puts and reads, most likely over HTTP; the transport has the other side.
//!
//! ```text
//!  application                                                       transport
//!    put ──────────────► outbound: until acked ──────────────────────► Outbound.next
//!    page, follow ◄───── inbound, event, status, failed, by offset ◄── Publisher.publish
//! ```
//!
//! - What is put has a position, and is handed out in that order. What comes again keeps its place.
//! - What is published has an offset, which counts up for each route and never comes again with something else.
//!   There may be gaps: whatever the disk refused.
//! - An acknowledgement that was made before something was published is as safe as that.
//! - While the disk fails, what is asked for fails with the reason, and no message is handed out that was not before.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::sleep;

use super::{Bus, Route, handles};
use crate::disk::{DiskError, Journal, Manner, Room};
use crate::env::WallClock;

mod counters;
mod posted;
mod rows;
mod task;

use counters::Counters;
pub use posted::{Claim, Claimed, Posted};
pub use rows::Stored;
use rows::{NEXT_POSITION, OUTBOUND, key};

/// The most that one page holds, in messages.
pub const PAGE_MAX: usize = 1_000;
/// From this size on a page takes no further message, in octets.
pub const PAGE_OCTETS: usize = 8 << 20;

/// Bounds of the bus.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// How long what was published is kept. Whoever reads less often misses some. Default 7 days.
    pub retention: Duration,
    /// Most messages kept of each route; the oldest go first. Default 1,000,000.
    pub kept_max: u64,
    /// Most messages that wait to be sent, or are being sent; more are refused. Default 1,000,000.
    pub outbound_max: u64,
    /// Most octets that these may have together; more are refused. Default 1 GiB.
    pub outbound_octets_max: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            retention: Duration::from_secs(7 * 86_400),
            kept_max: 1_000_000,
            outbound_max: 1_000_000,
            outbound_octets_max: 1 << 30,
        }
    }
}

/// Why something is not put.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PutError {
    /// As many wait as may.
    #[error("{waiting} messages wait to be sent, and at most {max} may")]
    Full {
        /// How many do.
        waiting: u64,
        /// How many may: [`Config::outbound_max`].
        max: u64,
    },
    /// What waits has as many octets as it may.
    #[error("{waiting} octets wait to be sent, and data_octets_max allows {max}")]
    FullOctets {
        /// How many do.
        waiting: u64,
        /// How many may: [`Config::outbound_octets_max`].
        max: u64,
    },
    /// It may be there all the same, if the disk failed just then.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Some of what was published to a route.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// In the order of their offsets.
    pub stored: Vec<Stored>,
    /// To ask for the next page with.
    pub next: u64,
}

/// The bus, from the application's side. Clones share it.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

pub(super) struct Inner {
    config: Config,
    clock: Arc<dyn WallClock>,
    journal: Journal,
    counters: Mutex<Counters>,
    /// Something was put.
    put: Notify,
    /// The offset last stored, by route.
    arrived: [watch::Sender<u64>; Route::ALL.len()],
    /// Whoever has it hands out.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("journal", &self.journal).field("counters", &*self.counters()).finish()
    }
}

impl Embedded {
    /// The bus in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn open(journal: Journal, config: Config, clock: Arc<dyn WallClock>) -> Result<Embedded, DiskError> {
        let counters = journal.read(Counters::read)?;
        let arrived = Route::ALL.map(|route| watch::Sender::new(counters.span(route).next - 1));
        let (put, turn) = (Notify::new(), Arc::default());
        let counters = Mutex::new(counters);
        Ok(Embedded(Arc::new(Inner { config, clock, journal, counters, put, arrived, turn })))
    }

    /// Puts a message on the bus, to be sent; says its position once it is synced. If this is dropped it may be put or not.
    ///
    /// # Errors
    /// When too many wait, or the disk fails.
    pub async fn put(&self, body: impl Into<Bytes>) -> Result<u64, PutError> {
        Ok(self.put_all(&[body.into()]).await?.start)
    }

    /// Puts several messages on the bus, all or none; says their positions, which follow each other.
    ///
    /// # Errors
    /// When too many wait, or the disk fails.
    pub async fn put_all(&self, bodies: &[Bytes]) -> Result<Range<u64>, PutError> {
        let room = self.0.journal.room().await?;
        let (done, stored) = oneshot::channel();
        let positions = self.0.put(room, bodies, done)?;
        match stored.await {
            Ok(result) => Ok(result.map(|()| positions)?),
            Err(_) => Err(self.0.journal.closed().into()),
        }
    }

    /// How many messages wait to be sent, or are being sent.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.0.counters().waiting
    }

    /// What was published to this route with an offset above `after`, at most `limit` messages (and [`PAGE_MAX`]). Waits so
    /// long for something if there is nothing. An offset that has not been is one of another file: then all is given.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn page(&self, route: Route, after: u64, limit: usize, wait: Duration) -> Result<Page, DiskError> {
        let mut arrived = self.follow(route);
        let mut over = std::pin::pin!(sleep(wait));
        loop {
            arrived.borrow_and_update();
            let page = self.0.page(route, after, limit.clamp(1, PAGE_MAX))?;
            if !page.stored.is_empty() || wait.is_zero() {
                return Ok(page);
            }
            tokio::select! {
                biased;
                Ok(()) = arrived.changed() => {}
                () = &mut over => return Ok(page),
            }
        }
    }

    /// The offset last stored on a route; changes when there is more to read. 0 if there was never anything.
    #[must_use]
    pub fn follow(&self, route: Route) -> watch::Receiver<u64> {
        self.0.arrived[route.index()].subscribe()
    }

    /// A bus for one transport, with its task. What it has handed out when its handles are dropped comes again, in its order.
    /// Messages are handed out to one transport at a time: another waits until this one's handles are dropped.
    #[must_use]
    pub fn connect(&self, prefetch: usize) -> Bus {
        let (bus, ends) = handles(prefetch);
        tokio::spawn(task::Task::new(Arc::clone(&self.0), ends, prefetch.max(1)).run());
        bus
    }
}

impl Inner {
    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(
        self: &Arc<Self>,
        room: Room,
        bodies: &[Bytes],
        done: oneshot::Sender<Result<(), DiskError>>,
    ) -> Result<Range<u64>, PutError> {
        let count = bodies.len() as u64;
        let mut counters = self.counters();
        let (waiting, max) = (counters.waiting, self.config.outbound_max);
        if waiting + count > max {
            return Err(PutError::Full { waiting, max });
        }
        let octets: u64 = bodies.iter().map(|body| body.len() as u64).sum();
        let (waiting, max) = (counters.waiting_octets, self.config.outbound_octets_max);
        if waiting.saturating_add(octets) > max {
            return Err(PutError::FullOctets { waiting, max });
        }
        counters.waiting += count;
        counters.waiting_octets += octets;
        let positions = counters.position..counters.position + count;
        counters.position = positions.end;
        let mut changes: Vec<_> =
            positions.clone().zip(bodies).map(|(position, body)| OUTBOUND.put(key(position), body.as_ref())).collect();
        changes.push(NEXT_POSITION.is(positions.end));
        let inner = Arc::clone(self);
        // Still locked: they are written in the order of their positions.
        room.write(changes, Manner::Asked, move |result| {
            match result {
                Ok(()) => inner.put.notify_one(),
                Err(_) => inner.counters().settled(count, octets),
            }
            let _ = done.send(result);
        });
        Ok(positions)
    }

    fn page(&self, route: Route, after: u64, limit: usize) -> Result<Page, DiskError> {
        let newest = self.counters().span(route).next - 1;
        let after = if after > newest { 0 } else { after };
        let (mut stored, mut octets) = (Vec::new(), 0);
        let is_read = self.journal.read(|snapshot| {
            snapshot.each(rows::of(route), &key(after + 1), |offset, value| {
                let row = Stored::read(offset, value);
                let row = row.ok_or_else(|| redb::Error::Corrupted(format!("{} {offset:?}", route.name())))?;
                octets += row.body.len();
                stored.push(row);
                Ok(stored.len() < limit && octets < PAGE_OCTETS)
            })
        });
        is_read?;
        let next = stored.last().map_or(after, |last| last.offset);
        Ok(Page { stored, next })
    }
}
