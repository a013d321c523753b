//! Guards the bus and the store in a file: what every bus and every store promises, what a power cut leaves, and what is
//! said when the disk is full, damaged or somebody else's.
#![cfg(feature = "embedded")]

mod bus;
mod disk;
mod power;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::bus::embedded::Config;
use smpp_transport::bus::{Delivery, Embedded, Outbound, Route};
use smpp_transport::disk::{Disk, DiskError, Forgetful, Journal};
use smpp_transport::env::WallClock;
use smpp_transport::store::embedded::Embedded as EmbeddedStore;
use smpp_transport::store::{Store, StoreLimits};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes, in time that passes only when nothing else can happen.
const LONG: Duration = Duration::from_secs(600);

/// A clock that is turned by hand, in seconds.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl WallClock for Hand {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_000_000 + self.0.load(Ordering::Relaxed))
    }
}

/// One process: the file, open, and what is in it.
struct Process {
    disk: Forgetful,
    clock: Hand,
    journal: Journal,
    bus: Embedded,
    store: Store,
    writer: JoinHandle<()>,
}

impl Process {
    fn start(disk: &Forgetful) -> Process {
        Process::with(disk, Config::default()).unwrap()
    }

    fn with(disk: &Forgetful, config: Config) -> Result<Process, DiskError> {
        let (journal, writer) = Disk::forgetful(disk).open()?;
        let clock = Hand::default();
        let bus = Embedded::open(journal.clone(), config, Arc::new(clock.clone()))?;
        let store = Store::Embedded(EmbeddedStore::open(journal.clone(), StoreLimits::default())?);
        let writer = tokio::spawn(writer.run());
        Ok(Process { disk: disk.clone(), clock, journal, bus, store, writer })
    }

    /// Dies, and is there again.
    async fn crash(self) -> Process {
        self.disk.crash();
        let disk = self.end_of_crash().await;
        Process::start(&disk)
    }

    async fn end_of_crash(self) -> Forgetful {
        self.writer.abort();
        let _ = self.writer.await;
        self.disk
    }

    /// Ends as one should, and is there again. All handles must be gone.
    async fn restart(self, config: Config) -> Process {
        let Process { disk, journal, bus, store, writer, .. } = self;
        drop((journal, bus, store));
        timeout(LONG, writer).await.expect("the writer ends with the last handle").unwrap();
        Process::with(&disk, config).unwrap()
    }

    /// Waits until all that was asked for before is on disk.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.journal.write(Vec::new(), smpp_transport::disk::Manner::Asked).await.unwrap();
    }

    async fn all(&self, route: Route) -> Vec<(u64, Bytes)> {
        let page = self.bus.page(route, 0, 1_000, Duration::ZERO).await.unwrap();
        page.stored.into_iter().map(|stored| (stored.offset, stored.body)).collect()
    }
}

fn body(number: u64) -> Bytes {
    format!("message {number}").into()
}

async fn next(outbound: &mut Outbound) -> Delivery {
    timeout(LONG, outbound.next()).await.expect("nothing comes").expect("the bus has ended")
}

/// Nothing more comes: all that can happen has happened, and an hour has passed.
async fn assert_idle(outbound: &mut Outbound) {
    let came = timeout(Duration::from_secs(3_600), outbound.next()).await;
    assert!(came.is_err(), "{came:?}");
}
