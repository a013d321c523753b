//! One process of a transport: started, killed, stopped and started again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use smpp_transport::bus::{Bus, Embedded, Route, embedded};
use smpp_transport::disk::{Disk, DiskError, Journal};
use smpp_transport::driver::Connect;
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::service::{Link, Service};
use smpp_transport::store::{self, Store};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Ground, Life, Looks, options, tap};
use crate::history::What;
use crate::plan::{Keeps, Plan};

/// What is to become of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// It is to run.
    Up,
    /// It is to stop as it should, and stay down.
    Stopped,
    /// It is killed.
    Killed,
    /// Its machine loses power.
    Cut,
    /// It is to stop for good: the run ends.
    Over,
}

/// How long after its shutdown timeout a process may still unbind.
const STOP_GRACE: Duration = Duration::from_secs(15);
/// How long after a disk could not be opened it is tried again.
const OPEN_AGAIN: Duration = Duration::from_millis(200);

/// One process, through all its lives.
pub struct Process {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its number among all processes of the run.
    pub number: usize,
    /// Its number among those of its transport.
    pub instance: usize,
    /// What it shares with its other lives.
    pub ground: Ground,
    /// What is to become of it.
    pub wanted: watch::Receiver<Wanted>,
    /// Wall time.
    pub clock: Arc<dyn WallClock>,
    /// Which of its lives is the next: an own stream of chance each.
    pub lives: u64,
}

/// A life of a process.
struct Running {
    life: Life,
    stop: Option<oneshot::Sender<()>>,
    service: JoinHandle<()>,
    file: Option<(Journal, JoinHandle<()>)>,
}

impl Process {
    /// Runs until the run is over, or the process is killed: says which.
    pub async fn run<C>(mut self, connect: impl Fn(Life) -> C) -> Wanted
    where
        C: Connect + Send + 'static,
    {
        loop {
            match self.until(|wanted| matches!(wanted, Wanted::Up | Wanted::Over)).await {
                Wanted::Over => return Wanted::Over,
                _ => self.ground.recorder.note(What::Started { process: self.number, owner: self.ground.owner }),
            }
            let life = Life::default();
            let Some(mut running) = self.start(&life, &connect).await else { continue };
            let wanted = tokio::select! {
                biased;
                wanted = self.until(|wanted| wanted != Wanted::Up) => wanted,
                _ = &mut running.service => {
                    let what = format!("process {} has ended by itself", self.number);
                    return self.note_restless(what);
                }
            };
            self.ground.inner().processes[self.instance] = None;
            match wanted {
                Wanted::Killed | Wanted::Cut => self.die(running, wanted).await,
                _ => self.stop(running).await,
            }
        }
    }

    fn note_restless(&self, what: String) -> Wanted {
        self.ground.recorder.note(What::Restless { what });
        Wanted::Over
    }

    async fn until(&mut self, is_it: impl Fn(Wanted) -> bool) -> Wanted {
        self.wanted.wait_for(|wanted| is_it(*wanted)).await.map_or(Wanted::Over, |wanted| *wanted)
    }

    /// None when it is not to run any more before it could begin.
    async fn start<C>(&mut self, life: &Life, connect: &impl Fn(Life) -> C) -> Option<Running>
    where
        C: Connect + Send + 'static,
    {
        let seed = Seed(Seed(self.plan.seed).stream("process", (self.number as u64) << 32 | self.lives).random());
        self.lives += 1;
        let part = self.ground.transport().clone();
        let (bus, store, file) = loop {
            match self.open(part.messages_max) {
                Ok(opened) => break opened,
                // As whoever looks after the machine does.
                Err(error) => tracing::info!(%error, "the disk cannot be opened"),
            }
            let gone = timeout(OPEN_AGAIN, self.until(|wanted| wanted != Wanted::Up)).await;
            if gone.is_ok() {
                return None;
            }
        };
        let rng = seed.stream("bus", 0);
        let bus = tap::tap(bus, part.messages_max, self.ground.clone(), self.number, life.clone(), rng);
        let service = Service::new(options::service(&part), bus, store.clone(), Arc::clone(&self.clock), seed);
        self.ground.inner().processes[self.instance] = Some(Looks { links: service.health(), store });
        let links: Vec<(Link, C)> =
            options::links(&self.plan, &part).into_iter().map(|link| (link, connect(life.clone()))).collect();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = tokio::spawn(service.run(links, async { drop(stopped.await) }));
        Some(Running { life: life.clone(), stop: Some(stop), service, file })
    }

    #[expect(clippy::type_complexity, reason = "three things, used once")]
    fn open(&self, prefetch: usize) -> Result<(Bus, Store, Option<(Journal, JoinHandle<()>)>), DiskError> {
        let ground = &self.ground;
        let part = ground.transport();
        match part.keeps {
            Keeps::Nothing => {
                let store = Store::Memory(store::Memory::new(options::limits(part)));
                Ok((ground.broker.connect(prefetch), store, None))
            }
            Keeps::Shared => Ok((ground.broker.connect(prefetch), Store::Memory(ground.server.clone()), None)),
            Keeps::File => {
                let (journal, writer) = Disk::forgetful(&ground.disk).open()?;
                let writer = writer.with_sync_time(Duration::from_millis(part.sync_ms));
                let bus = Embedded::open(journal.clone(), embedded::Config::default(), Arc::clone(&self.clock))?;
                let store = Store::Embedded(store::Embedded::open(journal.clone(), options::limits(part))?);
                let writer = tokio::spawn(writer.run());
                ground.inner().door = Some(bus.clone());
                Ok((bus.connect(prefetch), store, Some((journal, writer))))
            }
        }
    }

    /// Nothing that it began does anything from here on.
    async fn die(&self, running: Running, how: Wanted) {
        running.life.end();
        let is_cut = how == Wanted::Cut;
        if running.file.is_some() {
            self.ground.inner().door = None;
            if is_cut {
                self.ground.disk.crash_torn(Seed(self.plan.seed));
            } else {
                self.ground.disk.kill();
            }
        }
        self.ground.recorder.note(What::Died { process: self.number, is_cut });
        running.service.abort();
        let _ = running.service.await;
        if let Some((_, writer)) = running.file {
            writer.abort();
            let _ = writer.await;
        }
    }

    /// Stops as it should, unless it is killed meanwhile.
    async fn stop(&mut self, mut running: Running) {
        let start = Instant::now();
        running.stop = None;
        let longest = Duration::from_millis(self.ground.transport().options.shutdown_timeout_ms) + STOP_GRACE;
        let killed = tokio::select! {
            biased;
            wanted = self.until(|wanted| matches!(wanted, Wanted::Killed | Wanted::Cut)) => Some(wanted),
            ended = timeout(longest, &mut running.service) => {
                if ended.is_err() {
                    self.note_restless(format!("process {} does not stop", self.number));
                }
                None
            }
        };
        if let Some(how) = killed {
            return self.die(running, how).await;
        }
        let ended = async {
            if let Some((journal, writer)) = running.file {
                self.ground.inner().door = None;
                drop(journal);
                let _ = writer.await;
            }
        };
        if timeout(longest, ended).await.is_err() {
            self.note_restless(format!("process {} does not stop", self.number));
        }
        running.life.end();
        self.ground.recorder.note(What::Stopped { process: self.number, took: start.elapsed() });
    }
}

/// What is on the embedded bus, as its next process would find it.
pub(super) async fn read_disk(ground: &Ground, clock: Arc<dyn WallClock>) -> Result<Vec<(Route, Bytes)>, DiskError> {
    let (journal, _writer) = Disk::forgetful(&ground.disk).open()?;
    let bus = Embedded::open(journal, embedded::Config::default(), clock)?;
    let mut published = Vec::new();
    for route in [Route::Inbound, Route::Event, Route::Failed] {
        let mut after = 0;
        loop {
            let page = bus.page(route, after, embedded::PAGE_MAX, Duration::ZERO).await?;
            if page.stored.is_empty() {
                break;
            }
            after = page.next;
            published.extend(page.stored.into_iter().map(|stored| (route, stored.body)));
        }
    }
    Ok(published)
}
