//! Where outbound messages come from, and where inbound messages and events go. What is in them is known in
//! [`message`] and nowhere else; what becomes of them is the owner's to say.
//!
//! A bus is a task of its own behind two handles, [`Outbound`] and [`Publisher`], so that whoever uses one need not know
//! which it is: AMQP, the embedded queue, or memory.
//!
//! ```text
//!                    ┌─ Outbound.next() ──► Delivery ── ack | give_back | dead_letter ─┐
//!  bus's own task ◄──┤                                                                 ├──► bus's own task
//!                    └─ Publisher.publish(route, body) ──► stored, or why not ─────────┘
//! ```
//!
//! What every bus promises, and one suite of tests asks of all of them:
//! - A message is handed out until it is settled: one whose [`Delivery`] is dropped, or whose process dies, comes again,
//!   with [`Delivery::redelivered`] set.
//! - [`Publisher::publish`] says `Ok` only when the bus has stored the message (a publisher confirm, a synced file).
//! - What was handed out on a line that is lost since says so ([`Delivery::is_void`]): it comes again, to this process or another.
//! - As many deliveries are out at once as the prefetch allows, and no more.
//! - A paused [`Outbound`] gets no deliveries: the bus keeps them for other processes until it is resumed.
//! - While the bus is away nothing is lost and nothing fails for good: [`Outbound::next`] waits, and `publish` waits as long
//!   as its caller does, or says that it is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

#[cfg(feature = "amqp")]
pub mod amqp;
mod demand;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod memory;
pub mod message;

pub use demand::Demand;
#[cfg(feature = "embedded")]
pub use embedded::Embedded;
pub use message::{DeliveryStatus, Event, EventType, Message, MessageError, SessionEvent};

/// Where something is published: the end of its routing key or queue, after the transport's name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Route {
    /// Messages from phones: `{transport_name}.inbound`.
    Inbound,
    /// What became of outbound messages: `{transport_name}.event`.
    Event,
    /// What the transport itself goes through: `{transport_name}.status`.
    Status,
    /// What was no message: `{transport_name}.failed`.
    Failed,
}

impl Route {
    /// All there are.
    pub const ALL: [Route; 4] = [Route::Inbound, Route::Event, Route::Status, Route::Failed];

    /// Which of [`Route::ALL`] it is.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// `inbound`, `event`, `status` or `failed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Route::Inbound => "inbound",
            Route::Event => "event",
            Route::Status => "status",
            Route::Failed => "failed",
        }
    }
}

/// A bus that runs. Its task ends when all handles are dropped.
#[derive(Debug)]
pub struct Bus {
    /// What is to be sent.
    pub outbound: Outbound,
    /// What has come, and what has become of what was sent.
    pub publisher: Publisher,
    /// How it is: now, and whenever that changes.
    pub health: watch::Receiver<Health>,
}

/// How a bus is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// Whether messages can be taken and stored now.
    pub is_up: bool,
    /// The state in a word, as `/health` shows it: `open`, `connecting`, `closed`, `blocked`.
    pub state: &'static str,
    /// Why it is not up; empty if it is.
    pub reason: Arc<str>,
    /// What the broker says of itself, as JSON; `null` if it says nothing.
    pub server_properties: serde_json::Value,
}

/// The end of a bus that gives what is to be sent, in order.
#[derive(Debug)]
pub struct Outbound {
    deliveries: mpsc::Receiver<Delivery>,
    demand: Demand,
    stop: Arc<tokio::sync::Notify>,
    lines_lost: Arc<AtomicU64>,
}

impl Outbound {
    /// The next message; waits while there is none, and while the bus is away. None when the bus has been stopped and what it
    /// had handed out before has been taken, or when its task has ended.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// Asks the bus for no more deliveries until [`resume`](Outbound::resume). Deliveries that were handed out before still
    /// arrive: give them back, and another process can have them.
    pub fn pause(&self) {
        self.demand.set_paused(true);
    }

    /// Asks the bus for deliveries again.
    pub fn resume(&self) {
        self.demand.set_paused(false);
    }

    /// Asks the bus to hand out no more. What it has handed out already still comes.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// How often the line has been lost on which the bus hands out: when it changes, there are deliveries that are void.
    #[must_use]
    pub fn lines_lost(&self) -> u64 {
        self.lines_lost.load(Ordering::Acquire)
    }
}

/// A message that is to be sent. Dropped unsettled it is given back.
#[derive(Debug)]
pub struct Delivery {
    /// What was on the bus, whatever it is.
    pub body: Bytes,
    /// Whether it may have been handed out before, to this process or another.
    pub redelivered: bool,
    line: Line,
    settle: Option<Settle>,
}

/// On which of a bus's lines something was handed out, one after the other: how many had been lost then, and how many now.
#[derive(Debug)]
struct Line {
    number: u64,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Settle {
    tag: u64,
    /// Not bounded by itself: as many are under way as there are deliveries, and those are bounded by the prefetch.
    settlements: mpsc::UnboundedSender<(u64, Settlement)>,
}

/// What becomes of a delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// It is done with: the bus forgets it.
    Ack,
    /// It is not done with, and comes again.
    GiveBack,
    /// It can never be done: the bus keeps it apart, on [`Route::Failed`], with the reason in words, and forgets it here.
    DeadLetter(String),
}

impl Delivery {
    /// Whether the line to the bus on which this came is lost: the bus hands it out again, to whoever asks, whatever is said
    /// of this one.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.line.lost.load(Ordering::Acquire) > self.line.number
    }

    /// It is done with.
    pub fn ack(self) {
        self.settle(Settlement::Ack);
    }

    /// It is not done with: it comes again, to whoever asks next.
    pub fn give_back(self) {
        self.settle(Settlement::GiveBack);
    }

    /// It can never be done.
    pub fn dead_letter(self, reason: impl Into<String>) {
        self.settle(Settlement::DeadLetter(reason.into()));
    }

    fn settle(mut self, settlement: Settlement) {
        if let Some(Settle { tag, settlements }) = self.settle.take() {
            // A bus that has ended gives back what it had handed out.
            let _ = settlements.send((tag, settlement));
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(Settle { tag, settlements }) = self.settle.take() {
            let _ = settlements.send((tag, Settlement::GiveBack));
        }
    }
}

/// The end of a bus that stores. Clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    publications: mpsc::Sender<Publication>,
}

/// Something to be stored, as the bus's task takes it.
#[derive(Debug)]
pub struct Publication {
    /// Where.
    pub route: Route,
    /// What: JSON.
    pub body: Bytes,
    /// Told when it is stored, or that it cannot be now. Whoever asked may have stopped waiting.
    pub done: oneshot::Sender<Result<(), PublishError>>,
}

/// Why something is not stored. It may be, if the bus was asked before it went away: then it may be there twice later.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublishError {
    /// The bus has been asked, and has not said that it has it.
    #[error("the bus went away before it had stored the message: {0}")]
    Unconfirmed(Arc<str>),
    /// The bus says no.
    #[error("the bus refused the message: {0}")]
    Refused(Arc<str>),
    /// The bus's task has ended.
    #[error("the bus has been closed")]
    Closed,
}

impl Publisher {
    /// Completes when the bus has stored it. Publications of one publisher to one route are stored in the order in which
    /// these calls were first polled, unless more than 1,000 wait for the bus's task. While the bus is away this waits: callers
    /// set the limit.
    ///
    /// # Errors
    /// When the bus says no, or goes away before it has said yes.
    pub async fn publish(&self, route: Route, body: Bytes) -> Result<(), PublishError> {
        let (done, stored) = oneshot::channel();
        let sent = self.publications.send(Publication { route, body, done }).await;
        sent.map_err(|_| PublishError::Closed)?;
        stored.await.unwrap_or(Err(PublishError::Closed))
    }
}

/// What a bus's task holds of the handles.
#[derive(Debug)]
pub struct Ends {
    /// Where deliveries go. Its capacity is the prefetch, but what is out is counted by what is not settled.
    pub deliveries: mpsc::Sender<Delivery>,
    settle: mpsc::UnboundedSender<(u64, Settlement)>,
    lines_lost: Arc<AtomicU64>,
    /// What became of deliveries.
    pub settlements: mpsc::UnboundedReceiver<(u64, Settlement)>,
    /// What is to be stored.
    pub publications: mpsc::Receiver<Publication>,
    /// Whether deliveries are wanted at the moment.
    pub demand: Demand,
    /// Told when no more are to be handed out.
    pub stop: Arc<tokio::sync::Notify>,
    /// How the bus is.
    pub health: watch::Sender<Health>,
}

impl Ends {
    /// Hands this out; `tag` comes back with what becomes of it.
    pub fn hand_out(&self, body: Bytes, redelivered: bool, tag: u64) {
        let lost = Arc::clone(&self.lines_lost);
        let line = Line { number: lost.load(Ordering::Acquire), lost };
        let settle = Some(Settle { tag, settlements: self.settle.clone() });
        // As many fit as may be out. A handle that is gone gives the delivery back by dropping it.
        let _ = self.deliveries.try_send(Delivery { body, redelivered, line, settle });
    }

    /// The line to the bus is lost: what was handed out on it is void.
    pub fn line_lost(&self) {
        self.lines_lost.fetch_add(1, Ordering::AcqRel);
    }
}

/// Publications that wait for the bus's task, at most.
const PUBLICATIONS_MAX: usize = 1_000;

/// The handles of a bus and what its task holds of them. `prefetch` is how many deliveries may be out at once, at least 1.
#[must_use]
pub fn handles(prefetch: usize) -> (Bus, Ends) {
    let (deliveries, taken) = mpsc::channel(prefetch.max(1));
    let (settle, settlements) = mpsc::unbounded_channel();
    let (publish, publications) = mpsc::channel(PUBLICATIONS_MAX);
    let (health, health_seen) = watch::channel(Health::default());
    let stop = Arc::<tokio::sync::Notify>::default();
    let demand = Demand::default();
    let lines_lost = Arc::<AtomicU64>::default();
    let bus = Bus {
        outbound: Outbound {
            deliveries: taken,
            demand: demand.clone(),
            stop: Arc::clone(&stop),
            lines_lost: Arc::clone(&lines_lost),
        },
        publisher: Publisher { publications: publish },
        health: health_seen,
    };
    (bus, Ends { deliveries, settle, lines_lost, settlements, publications, demand, stop, health })
}
