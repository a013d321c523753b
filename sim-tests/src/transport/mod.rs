//! A transport in a run: what outlives its processes, one process of it, and the application at the other end of its bus.
//! The same on both tiers; only the way it connects differs.

mod application;
mod options;
mod process;
mod tap;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Deserialize;
use smpp_transport::bus::memory::Memory;
use smpp_transport::bus::{Embedded, Route};
use smpp_transport::disk::Forgetful;
use smpp_transport::env::WallClock;
use smpp_transport::service::LinkHealth;
use smpp_transport::store::{self, Store};
use tokio::sync::{Notify, watch};

pub use application::{Application, SmscSlot, receives, running};
pub use process::{Process, Wanted};

use crate::app::Waiting;
use crate::history::{Recorder, What};
use crate::plan::{BusFaults, Keeps, Plan};
use crate::world::EPOCH;

/// What outlives the processes of a transport: the broker, the server of its store, or its disk. Clones are the same.
#[derive(Clone)]
pub struct Ground {
    /// Which owner of messages it is.
    pub owner: usize,
    recorder: Recorder,
    waiting: Waiting,
    plan: Arc<Plan>,
    broker: Memory,
    server: store::Memory,
    disk: Forgetful,
    inner: Arc<Mutex<Inner>>,
    bus_turned: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    is_away: bool,
    /// How many messages the broker has handed to each process and not heard of.
    out: BTreeMap<usize, usize>,
    /// The embedded bus of the process that runs now.
    door: Option<Embedded>,
    /// Of each process that runs now.
    processes: Vec<Option<Looks>>,
    /// Handsets that have not sent what they send.
    silent_handsets: usize,
}

/// Where one can look into a process.
struct Looks {
    links: watch::Receiver<Vec<LinkHealth>>,
    store: Store,
}

impl Ground {
    /// Of this transport of the plan.
    #[must_use]
    pub fn new(plan: &Arc<Plan>, transport: usize, recorder: &Recorder, waiting: &Waiting) -> Ground {
        let part = &plan.transports[transport];
        let processes = (0..part.processes).map(|_| None).collect();
        let inner = Inner { processes, silent_handsets: part.handsets.len(), ..Inner::default() };
        Ground {
            owner: plan.owner(transport),
            recorder: recorder.clone(),
            waiting: waiting.clone(),
            plan: Arc::clone(plan),
            broker: Memory::new(),
            server: store::Memory::new(options::limits(part)),
            disk: Forgetful::new(),
            inner: Arc::new(Mutex::new(inner)),
            bus_turned: Arc::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the broker away, or brings it back.
    pub fn set_away(&self, is_away: bool) {
        self.inner().is_away = is_away;
        self.bus_turned.notify_waiters();
    }

    /// Fills the disk, or makes room.
    pub fn fill(&self, is_full: bool) {
        self.disk.fill(is_full);
    }

    /// The server of its store answers so from now on.
    pub fn answer(&self, answers: store::Answers) {
        self.server.answer(answers);
    }

    fn set_out(&self, process: usize, count: usize) {
        self.inner().out.insert(process, count);
    }

    fn is_away(&self) -> bool {
        self.inner().is_away
    }

    async fn bus_turned(&self) {
        self.bus_turned.notified().await;
    }

    fn faults(&self) -> BusFaults {
        self.transport().bus
    }

    fn is_peace(&self) -> bool {
        self.plan.peace().is_some_and(|peace| peace <= self.recorder.now())
    }

    fn transport(&self) -> &crate::plan::Transport {
        self.plan.transport(self.owner).expect("it is made for a transport")
    }

    /// The bus has stored something.
    fn published(&self, process: usize, route: Route, body: &Bytes) {
        if let Some(message) = (route == Route::Event).then(|| outcome_of(body)).flatten() {
            self.waiting.is_over_for(message);
        }
        self.recorder.note(What::Published { process, route, body: body.clone() });
    }

    /// A handset has sent what it sends.
    fn handset_has_sent(&self) {
        self.inner().silent_handsets -= 1;
    }

    /// What is not at rest, in words.
    #[must_use]
    pub fn restless(&self) -> Vec<String> {
        let inner = self.inner();
        let on_bus = self.broker.waiting() as u64 + inner.door.as_ref().map_or(0, Embedded::waiting);
        let mut words = Vec::new();
        for (process, count) in inner.out.iter().filter(|(_, count)| **count > 0) {
            words.push(format!("{count} messages in hand of process {process}"));
        }
        if on_bus > 0 {
            words.push(format!("{on_bus} messages on the bus of transport {}", self.owner));
        }
        if inner.silent_handsets > 0 {
            words.push(format!("{} handsets of transport {} that have not sent", inner.silent_handsets, self.owner));
        }
        for (number, process) in inner.processes.iter().enumerate() {
            let who = format!("process {number} of transport {}", self.owner);
            let Some(Looks { links, .. }) = process else {
                words.push(format!("{who} does not run"));
                continue;
            };
            if links.borrow().iter().any(|link| !link.bound) {
                words.push(format!("{who} is not bound"));
            }
            let outstanding: usize = links.borrow().iter().map(|link| link.outstanding).sum();
            if outstanding > 0 {
                words.push(format!("{outstanding} submits of {who} that wait for an answer"));
            }
        }
        words
    }

    /// What its processes still hold back, in words.
    #[must_use]
    pub fn holds(&self) -> Option<String> {
        let inner = self.inner();
        let due = inner.processes.iter().flatten().filter_map(|process| process.store.next_expiry()).min()?;
        let due = due.saturating_sub(EPOCH).as_secs_f64();
        Some(format!("parts or receipts that transport {} holds until {due:.3} s", self.owner))
    }

    /// Notes what an application finds in the end: all that is on the bus.
    async fn note_bus(&self, clock: Arc<dyn WallClock>) {
        let published = match self.transport().keeps {
            Keeps::File => process::read_disk(self, clock).await,
            Keeps::Nothing | Keeps::Shared => Ok(self.broker.take_published()),
        };
        match published {
            Ok(published) => self.recorder.note(What::OnBus { owner: self.owner, published }),
            Err(error) => self.recorder.note(What::Restless { what: format!("the disk cannot be read: {error}") }),
        }
    }
}

/// Whether a process still is: what it began does nothing any more when it is not.
#[derive(Clone, Default)]
pub struct Life(Arc<Death>);

#[derive(Default)]
struct Death {
    has_come: std::sync::atomic::AtomicBool,
    told: Notify,
}

impl Life {
    fn end(&self) {
        self.0.has_come.store(true, std::sync::atomic::Ordering::Relaxed);
        self.0.told.notify_waiters();
    }

    /// Whether the process has been killed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.has_come.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Completes when it is killed.
    pub async fn over(&self) {
        let told = self.0.told.notified();
        if !self.is_over() {
            told.await;
        }
    }
}

/// The name of a message: whose, and which.
#[must_use]
pub fn name(owner: usize, message: usize) -> String {
    format!("{owner}-{message}")
}

/// Whose message, and which, is on the bus; of what is none too.
#[must_use]
pub fn message_in(body: &Bytes) -> Option<(usize, usize)> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(alias = "no_message")]
        message_id: String,
    }
    named(&serde_json::from_slice::<Named>(body).ok()?.message_id)
}

/// Whose message, and which, has this name.
#[must_use]
pub fn named(name: &str) -> Option<(usize, usize)> {
    let (owner, message) = name.split_once('-')?;
    Some((owner.parse().ok()?, message.parse().ok()?))
}

/// Which message's outcome an event is; none of a report, which comes after it.
#[must_use]
pub fn outcome_of(body: &Bytes) -> Option<(usize, usize)> {
    #[derive(Deserialize)]
    struct Event {
        user_message_id: String,
        event_type: String,
    }
    let event: Event = serde_json::from_slice(body).ok()?;
    named(&event.user_message_id).filter(|_| event.event_type != "delivery_report")
}

/// The address of a handset of this owner's.
#[must_use]
pub fn handset(owner: usize, number: usize) -> String {
    format!("49{owner:02}{number:05}")
}

/// What a handset writes.
#[must_use]
pub fn handset_text(plan: &Plan, owner: usize, number: usize) -> Option<String> {
    let text = plan.transport(owner)?.handsets.get(number)?.text;
    Some(text.script.write(&format!("{owner}<{number} "), text.characters))
}

/// What an application puts on the bus.
#[must_use]
pub fn content(plan: &Plan, owner: usize, message: usize) -> Option<String> {
    let text = plan.transport(owner)?.messages.get(message)?;
    Some(text.script.write(&format!("{owner}>{message} "), text.characters))
}
