//! Where the bus, the store and the sessions meet, and nowhere else: what is done in which order.
//!
//! ```text
//!  OUT  bus ─► draft ─► queue ─► session ─► answer ─► remember the id ─► publish the event ─► acknowledge to the bus
//!  IN   session ─► read ─► receipt: note it  ─► publish the event ──┬─► answer the SMSC
//!                       ─► part: keep it, join ─► publish the text ─┤
//!                       ─► text ──────────────────► publish it ─────┘
//! ```
//!
//! What is acknowledged is safe: a message is acknowledged to the bus after its event has been stored, and the SMSC is
//! answered with status 0 after the bus, or the store of parts, has what it sent. A process that dies in between does some of
//! it again.
//!
//! All waiting is in one loop over a fixed order; the futures of one message are the steps above. One link is one session that
//! comes back: see [`Link`].

mod age;
mod fallback;
mod inward;
mod late;
mod link;
mod metrics;
mod middleware;
mod outward;
mod redact;
mod refusals;
mod repeats;
mod run;
mod sharing;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::sync::Notify;

pub use fallback::Fallback;
use late::Unanswered;
pub use link::{Link, LinkHealth, OnAuthFailure};
pub use metrics::Metrics;
pub use middleware::{Does, Middleware};
use outward::Outgoing;
use refusals::Refusals;
use repeats::Repeats;
pub use run::{EXPIRY_INTERVAL, Service};
use turns::Turns;

use crate::bus::message::Stamp;
use crate::bus::{PublishError, Publisher, Route};
use crate::env::{Seed, WallClock};
use crate::inbound::{IdsSeen, InboundOptions};
use crate::outbound::{QueueConfig, SubmitOptions};
use crate::pdu::CommandStatus;
use crate::store::Store;
pub use crate::store::StoreHealth;

/// What a transport does.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Its name: on the bus, and in what it publishes.
    pub transport_name: String,
    /// How messages become submit_sm.
    pub submit: SubmitOptions,
    /// How they wait.
    pub queue: QueueConfig,
    /// Messages that are taken from the bus and not done, at most; at least 1. Default 20.
    pub messages_max: usize,
    /// Time without a bound transmitting link after which the messages that are not in flight are given back to the bus, for
    /// other processes to send. `None` keeps them, and takes messages before the first bind too. Default 5 s.
    pub unbound_grace: Option<Duration>,
    /// How what comes is read.
    pub inbound: InboundOptions,
    /// Policy for unmatched receipts, once they have been held for their id.
    pub unmatched: Unmatched,
    /// Number of times that an unmatched receipt is refused before it is taken. Default 0.
    pub unmatched_refuse_tries: u32,
    /// Status of those refusals. Default ESME_RINVMSGID.
    pub unmatched_refuse_status: CommandStatus,
    /// What becomes of long messages that never become whole.
    pub partial: Partial,
    /// How long what the SMSC has sent may wait for the bus and the store. Default 30 s.
    pub inbound_timeout: Duration,
    /// What the SMSC is told of what could not be stored, so that it keeps it. Default ESME_RX_T_APPN.
    pub busy_status: CommandStatus,
    /// What the SMSC is told of what can never be read: a receipt that says neither of which message nor what became of it.
    /// Default ESME_RX_P_APPN.
    pub undecodable_status: CommandStatus,
    /// Whether data_sm is taken like deliver_sm; else it is refused with ESME_RINVCMDID. Default true.
    pub takes_data_sm: bool,
    /// How long a message or receipt is remembered, so that the same one is not published twice. None does not. Steps of a
    /// USSD dialogue are never taken for repeated. Default none.
    pub dedupe_window: Option<Duration>,
    /// Whether acks and nacks are published. Default true.
    pub acks: bool,
    /// Whether delivery reports are published. Default true.
    pub delivery_reports: bool,
    /// Whether what the transport goes through is published. Default false.
    pub status_events: bool,
    /// What messages and events pass on their way, in this order.
    pub middlewares: Vec<Middleware>,
    /// How long a shutdown may take: what is outstanding is waited for. Default 20 s.
    pub shutdown_timeout: Duration,
}

impl Default for ServiceConfig {
    fn default() -> ServiceConfig {
        ServiceConfig {
            transport_name: "smpp".to_owned(),
            submit: SubmitOptions::default(),
            queue: QueueConfig::default(),
            messages_max: 20,
            unbound_grace: Some(Duration::from_secs(5)),
            inbound: InboundOptions::default(),
            unmatched: Unmatched::default(),
            unmatched_refuse_tries: 0,
            unmatched_refuse_status: CommandStatus::ESME_RINVMSGID,
            partial: Partial::default(),
            inbound_timeout: Duration::from_secs(30),
            busy_status: CommandStatus::ESME_RX_T_APPN,
            undecodable_status: CommandStatus::ESME_RX_P_APPN,
            takes_data_sm: true,
            dedupe_window: None,
            acks: true,
            delivery_reports: true,
            status_events: false,
            middlewares: Vec::new(),
            shutdown_timeout: Duration::from_secs(20),
        }
    }
}

/// What becomes of receipts whose id nobody knows, once they have been held for it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Unmatched {
    /// They are logged and counted.
    #[default]
    Log,
    /// They are published too, with the SMSC's id for that of the message.
    Event,
}

/// What becomes of long messages that never become whole.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Partial {
    /// Each stretch of parts that are there is published as a message.
    #[default]
    Parts,
    /// One message is published, with `[…]` for what is missing.
    Gaps,
    /// They are logged and counted.
    Drop,
}

/// What stands for missing parts.
const GAP: &str = "[…]";
/// The target of the span that names the link in what is logged of it, at level INFO.
pub const LINKS: &str = "smpp::link";
/// How long to wait before the bus or the store is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// A message whose ack or nack is not published yet.
struct UnderWay {
    /// As it was on the bus.
    body: bytes::Bytes,
    /// Told when it is published.
    told: Arc<Notify>,
    /// Ids that the SMSC gave its parts, by their numbers; empty for a part without one.
    ids: BTreeMap<u8, String>,
}

/// What all steps share.
struct Shared {
    config: ServiceConfig,
    store: Store,
    /// Where references and sequence numbers come from.
    sequencer: Store,
    publisher: Publisher,
    clock: Arc<dyn WallClock>,
    /// From which ids are drawn.
    ids: Mutex<ChaCha8Rng>,
    metrics: Arc<Metrics>,
    /// How the SMSC writes its ids.
    ids_seen: Mutex<IdsSeen>,
    /// Messages whose ack or nack is not published yet: reports of them wait for it.
    unsettled: Mutex<BTreeMap<Box<str>, UnderWay>>,
    /// Early receipts that are being told: the first form of their ids, and what they say.
    telling: Mutex<BTreeSet<(String, Box<str>)>>,
    /// Messages of which a report is being published.
    turns: Turns,
    /// Parts whose answer has not come in time.
    unanswered: Mutex<Unanswered>,
    /// What the SMSC has sent lately.
    repeats: Repeats,
    /// Unmatched receipts that were refused.
    refusals: Mutex<Refusals>,
    /// Whether a form of ids has been learned and not been applied to held receipts.
    has_learned: AtomicBool,
}

impl Shared {
    fn new(
        config: ServiceConfig,
        (store, sequencer): (Store, Store),
        publisher: Publisher,
        clock: Arc<dyn WallClock>,
        seed: Seed,
        metrics: Arc<Metrics>,
    ) -> Shared {
        Shared {
            config,
            store,
            sequencer,
            publisher,
            clock,
            ids: Mutex::new(seed.stream("ids", 0)),
            metrics,
            ids_seen: Mutex::default(),
            unsettled: Mutex::default(),
            telling: Mutex::default(),
            turns: Turns::default(),
            unanswered: Mutex::default(),
            repeats: Repeats::default(),
            refusals: Mutex::default(),
            has_learned: AtomicBool::new(false),
        }
    }

    fn now(&self) -> Duration {
        self.clock.unix()
    }

    fn ids_seen(&self) -> MutexGuard<'_, IdsSeen> {
        self.ids_seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeMap<Box<str>, UnderWay>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn telling(&self) -> MutexGuard<'_, BTreeSet<(String, Box<str>)>> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whatever is told of the message from now on is told after its ack or nack.
    fn is_under_way(&self, outgoing: &Outgoing) {
        let body = outgoing.deliveries.first().map(|delivery| delivery.body.clone()).unwrap_or_default();
        let under_way = || UnderWay { body, told: Arc::default(), ids: BTreeMap::new() };
        self.unsettled().entry(outgoing.message_id.clone()).or_insert_with(under_way);
    }

    fn is_settled(&self, message: &str) {
        if let Some(UnderWay { told, .. }) = self.unsettled().remove(message) {
            told.notify_waiters();
        }
    }

    /// Ids that the SMSC gave the parts of a message, in their order; `None` for a part without one. Empty if none is known.
    fn ids_given(&self, message: &str) -> Vec<Option<String>> {
        let unsettled = self.unsettled();
        let ids = unsettled.get(message).map(|it| it.ids.values());
        let ids = ids.into_iter().flatten();
        ids.map(|id| Some(id.clone()).filter(|id| !id.is_empty())).collect()
    }

    /// Waits until the message's ack or nack is told, if it is under way here.
    async fn until_settled(&self, message: &str) {
        let Some(told) = self.unsettled().get(message).map(|it| Arc::clone(&it.told)) else { return };
        let notified = told.notified();
        // It counts from when it was made: what was told in between is gone from the list.
        if self.unsettled().contains_key(message) {
            notified.await;
        }
    }

    fn stamp(&self) -> Stamp {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Stamp::draw(&mut *ids, self.now())
    }

    /// Publishes once, and measures how long the confirmation takes.
    async fn publish(&self, route: Route, body: bytes::Bytes) -> Result<(), PublishError> {
        let start = tokio::time::Instant::now();
        let published = self.publisher.publish(route, body).await;
        self.metrics.published(route.name(), start.elapsed(), published.is_ok());
        published
    }

    /// Publishes, however long that takes. False when the bus has been closed.
    async fn publish_in_the_end(&self, route: Route, body: bytes::Bytes) -> bool {
        loop {
            match self.publish(route, body.clone()).await {
                Ok(()) => return true,
                Err(PublishError::Closed) => return false,
                Err(error) => {
                    tracing::warn!(%error, route = route.name(), "publishing is tried again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Tells whoever listens what the transport goes through.
    async fn tell_status(&self, component: String, state: &'static str, words: String) {
        if !self.config.status_events {
            return;
        }
        let Stamp { id, at } = self.stamp();
        let status = match state {
            "bound" | "unthrottled" => "ok",
            "throttled" | "connecting" => "degraded",
            _ => "down",
        };
        let body = serde_json::json!({
            "status_id": id,
            "message_version": "20110921",
            "message_type": "status",
            "timestamp": crate::bus::message::timestamp(at),
            "transport_name": self.config.transport_name,
            "component": component,
            "status": status,
            "type": state,
            "message": words,
        });
        if let Err(error) = self.publish(Route::Status, body.to_string().into()).await {
            tracing::warn!(%error, "a status could not be published");
        }
    }
}
