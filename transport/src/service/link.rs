//! One link: a session that comes back. It brings what the SMSC sends, and says how it is.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::fallback::Fallback;
use crate::driver::{Backoff, Client, ClientConfig, ClientError, Connect, Delivery, Incoming, SessionEnd, Supervisor};
use crate::env::WallClock;
use crate::pdu::CommandStatus;
use crate::session::BindKind;
use crate::store::{LeaseError, Store};

/// How one link is kept.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is called in logs, health and metrics.
    pub name: String,
    /// How it binds, and how its session behaves.
    pub client: ClientConfig,
    /// How long to wait before each try.
    pub backoff: Backoff,
    /// What to do when the SMSC says that the account or its password is wrong.
    pub on_auth_failure: OnAuthFailure,
    /// How long to wait, beside the backoff, when the SMSC says that the account is bound already. Default 5 s.
    pub already_bound_delay: Duration,
    /// Whether nothing is wrong while it is not bound, as when the SMSC dials once it has something to say. Default false.
    pub is_optional: bool,
    /// What it does when the SMSC knows no transceiver; see [`with_fallback`](Link::with_fallback).
    pub fallback: Fallback,
}

impl Link {
    /// A link with the defaults for everything else.
    #[must_use]
    pub fn new(name: impl Into<String>, client: ClientConfig) -> Link {
        Link {
            name: name.into(),
            client,
            backoff: Backoff::default(),
            on_auth_failure: OnAuthFailure::default(),
            already_bound_delay: Duration::from_secs(5),
            is_optional: false,
            fallback: Fallback::None,
        }
    }
}

/// What to do when the SMSC says that the account or its password is wrong.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnAuthFailure {
    /// Try again after the longest wait: SMSCs say so by mistake too.
    #[default]
    Slow,
    /// Try again as after any failure.
    Same,
    /// Do not try again. Health says so.
    Stop,
}

/// How a link is.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct LinkHealth {
    /// Its name in the configuration.
    pub name: String,
    /// In a word: `unused`, `connecting`, `bound`, `stopped`.
    pub state: &'static str,
    /// Whether messages can pass.
    pub bound: bool,
    /// Whether nothing is wrong while it is not bound.
    #[serde(skip)]
    pub is_optional: bool,
    /// Since when it is in this state: time since 1970-01-01 00:00 UTC; JSON has seconds.
    #[serde(serialize_with = "seconds")]
    pub since: Duration,
    /// Submits that wait for the SMSC's answer.
    pub outstanding: usize,
    /// Cause of the last lost session or failed try, in words. `None` if there was none.
    pub last_error: Option<String>,
    /// Reason of the last lost session or failed try: a word that metrics use, too. `None` if there was none.
    pub last_reason: Option<&'static str>,
    /// Peer of the session, or of the last try.
    pub peer: Option<String>,
    /// Number of lost sessions and failed tries, by reason.
    pub ends: BTreeMap<&'static str, u64>,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// What a link does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LinkState {
    /// It is there in case it is needed.
    Unused,
    /// It connects and binds, or waits before the next try.
    Connecting,
    /// It is bound.
    Bound,
    /// It does not try any more.
    Stopped,
}

impl LinkState {
    pub(super) const fn name(self) -> &'static str {
        match self {
            LinkState::Unused => "unused",
            LinkState::Connecting => "connecting",
            LinkState::Bound => "bound",
            LinkState::Stopped => "stopped",
        }
    }
}

/// What the loop knows of a link.
pub(super) struct State {
    pub(super) client: Option<Client>,
    pub(super) transmits: bool,
    pub(super) window: usize,
    pub(super) outstanding: usize,
    pub(super) health: LinkHealth,
    /// Which session it is, counted from 1.
    pub(super) session: u64,
}

impl State {
    pub(super) fn new(link: &Link, now: Duration) -> State {
        let is_waiting = matches!(link.fallback, Fallback::Receiver(_));
        let state = if is_waiting { LinkState::Unused } else { LinkState::Connecting }.name();
        let (name, is_optional) = (link.name.clone(), link.is_optional);
        let health = LinkHealth { name, state, since: now, is_optional, ..LinkHealth::default() };
        State {
            client: None,
            transmits: link.client.kind != BindKind::Receiver,
            window: link.client.session.window.max(1),
            outstanding: 0,
            health,
            session: 0,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.transmits && self.client.is_some() && self.outstanding < self.window
    }
}

/// What a link tells.
pub(super) enum Told {
    /// It was not needed, and is now.
    Needed,
    /// The link is bound, to this peer.
    Bound(Client, Option<String>),
    Incoming(Box<Delivery>),
    /// The link is not bound, or not any more.
    Down(LinkFault),
    /// The link will not be bound any more.
    Stopped(LinkFault),
}

/// Cause of a link that is not bound.
#[derive(Clone, Debug)]
pub(super) struct LinkFault {
    /// Reason for metrics.
    pub(super) reason: &'static str,
    /// Cause in words.
    pub(super) words: String,
    /// Peer of the session, or of the try.
    pub(super) peer: Option<String>,
}

/// The task of one link.
pub(super) struct Task<C> {
    pub(super) number: usize,
    pub(super) link: Link,
    pub(super) connect: C,
    pub(super) told: mpsc::Sender<(usize, Told)>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn WallClock>,
    pub(super) rng: ChaCha8Rng,
    /// Becomes true when the link is to end.
    pub(super) stop: watch::Receiver<bool>,
}

/// Tells the loop what happens on this link.
struct Teller {
    number: usize,
    told: mpsc::Sender<(usize, Told)>,
}

impl Teller {
    /// False when nobody listens any more.
    async fn tell(&self, what: Told) -> bool {
        self.told.send((self.number, what)).await.is_ok()
    }
}

impl<C: Connect> Task<C> {
    /// Keeps the link until it is told to stop, or gives up.
    pub(super) async fn run(self) {
        let Task { number, mut link, connect, told, store, clock, rng, mut stop } = self;
        let mut sessions = Supervisor::new(connect, link.client.clone(), link.backoff.clone(), rng);
        let teller = Teller { number, told };
        if matches!(link.fallback, Fallback::Receiver(_)) {
            tokio::select! {
                biased;
                () = until_true(&mut stop) => return,
                () = link.until_needed() => {}
            }
            if !teller.tell(Told::Needed).await {
                return;
            }
        }
        loop {
            let numbers = match store.take_numbers(clock.unix()).await {
                Ok(numbers) => numbers,
                Err(away) => {
                    let words = format!("no sequence numbers: {away}");
                    tracing::warn!(%away, "no lease of sequence numbers");
                    if !teller.tell(Told::Down(LinkFault { reason: "store_error", words, peer: None })).await
                        || waits(&mut stop, super::AGAIN).await
                    {
                        return;
                    }
                    continue;
                }
            };
            sessions.use_numbers(numbers.clone());
            let attempt = tokio::select! {
                biased;
                () = until_true(&mut stop) => None,
                attempt = sessions.attempt() => Some(attempt),
            };
            let wait = match attempt {
                None => Some(Duration::ZERO),
                Some(Ok((client, mut incoming))) => {
                    let peer = sessions.peer();
                    tracing::info!(link = link.name, peer = peer.as_deref(), "session bound");
                    let lease = Lease { store: &store, clock: &*clock, numbers: &numbers };
                    if !teller.tell(Told::Bound(client.clone(), peer.clone())).await {
                        return;
                    }
                    serve(client, &mut incoming, &lease, &mut stop, &teller).await;
                    sessions.session_ended();
                    let fault = LinkFault::of_session(&link.name, incoming.end(), peer);
                    teller.tell(Told::Down(fault)).await.then_some(Duration::ZERO)
                }
                Some(Err(error)) => {
                    if let Some(kind) = link.falls_back(&error) {
                        sessions.use_kind(kind);
                    }
                    let wait = link.wait_after(&error);
                    let fault = LinkFault::of_try(&link.name, &error, sessions.peer());
                    let what = if wait.is_none() { Told::Stopped(fault) } else { Told::Down(fault) };
                    teller.tell(what).await.then_some(()).and(wait)
                }
            };
            let _ = store.give_back_numbers(&numbers).await;
            match wait {
                Some(wait) if !waits(&mut stop, wait).await => {}
                _ => return,
            }
        }
    }
}

impl LinkFault {
    /// Logs the end of a session.
    fn of_session(link: &str, end: Option<&SessionEnd>, peer: Option<String>) -> LinkFault {
        // The task of a session is cancelled only with the whole runtime.
        let reason = end.map_or("hung_up", SessionEnd::name);
        let words = end.map_or_else(|| "session ended".to_owned(), ToString::to_string);
        let outstanding = end.map_or(0, |end| end.outstanding);
        if end.is_none_or(SessionEnd::is_orderly) {
            tracing::info!(link, peer = peer.as_deref(), reason, outstanding, detail = words, "session closed");
        } else {
            tracing::warn!(link, peer = peer.as_deref(), reason, outstanding, detail = words, "session closed");
        }
        LinkFault { reason, words, peer }
    }

    /// Logs a try that led to no bound session.
    fn of_try(link: &str, error: &ClientError, peer: Option<String>) -> LinkFault {
        let (words, shown) = (error.to_string(), peer.as_deref());
        let reason = match error {
            ClientError::Connect(error) => {
                tracing::warn!(link, peer = shown, %error, "not bound: no connection");
                "connect_failed"
            }
            // Nothing will change by itself: somebody must look at the account.
            ClientError::Refused(status) if is_about_account(*status) => {
                tracing::error!(link, peer = shown, %status, "not bound: the SMSC refuses the account");
                "bind_refused"
            }
            ClientError::Refused(status) => {
                tracing::warn!(link, peer = shown, %status, "not bound: the SMSC refuses the bind");
                "bind_refused"
            }
            ClientError::Ended(why) => {
                tracing::warn!(link, peer = shown, reason = why.name(), "not bound: {error}");
                why.name()
            }
        };
        LinkFault { reason, words, peer }
    }
}

/// Returns `true` for a refusal of the account, its password or its type.
const fn is_about_account(status: CommandStatus) -> bool {
    matches!(status, CommandStatus::ESME_RINVPASWD | CommandStatus::ESME_RINVSYSID | CommandStatus::ESME_RINVSYSTYP)
}

impl Link {
    /// How long to wait beside the backoff; none is for ever.
    fn wait_after(&self, error: &ClientError) -> Option<Duration> {
        let ClientError::Refused(status) = error else { return Some(Duration::ZERO) };
        match *status {
            CommandStatus::ESME_RALYBND | CommandStatus::ESME_RBINDFAIL => Some(self.already_bound_delay),
            status if is_about_account(status) => match self.on_auth_failure {
                OnAuthFailure::Slow => Some(self.backoff.max),
                OnAuthFailure::Same => Some(Duration::ZERO),
                OnAuthFailure::Stop => None,
            },
            _ => Some(Duration::ZERO),
        }
    }
}

struct Lease<'a> {
    store: &'a Store,
    clock: &'a dyn WallClock,
    numbers: &'a RangeInclusive<u32>,
}

/// Hands on what comes until the session has ended. When nobody listens any more, the SMSC is put off.
async fn serve(
    client: Client,
    incoming: &mut Incoming,
    lease: &Lease<'_>,
    stop: &mut watch::Receiver<bool>,
    teller: &Teller,
) {
    let mut renewal = Instant::now() + Store::LEASE_RENEWAL;
    let lost = Notify::new();
    let unbound = async {
        tokio::select! {
            biased;
            () = until_true(stop) => {}
            () = lost.notified() => {}
        }
        // Answers have been waited for, or the numbers are not its own any more.
        client.unbind_at_once().await;
    };
    tokio::pin!(unbound);
    let mut renewed = Instant::now();
    let mut is_unbinding = false;
    loop {
        tokio::select! {
            biased;
            delivery = incoming.next() => match delivery {
                Some(delivery) => drop(teller.tell(Told::Incoming(Box::new(delivery))).await),
                None => return,
            },
            () = &mut unbound, if !is_unbinding => is_unbinding = true,
            () = sleep_until(renewal) => {
                renewal += Store::LEASE_RENEWAL;
                match lease.store.keep_numbers(lease.clock.unix(), lease.numbers).await {
                    Ok(()) => renewed = Instant::now(),
                    Err(LeaseError::Away(away)) if renewed.elapsed() < Store::LEASE => {
                        tracing::warn!(%away, "the lease of sequence numbers could not be renewed");
                    }
                    // A number that two sessions use at once is answered to the wrong one.
                    Err(error) => {
                        tracing::error!(%error, "the session ends, and another begins with numbers of its own");
                        lost.notify_one();
                    }
                }
            }
        }
    }
}

/// Whether it was told to stop while it waited.
async fn waits(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = until_true(stop) => true,
        () = sleep(time) => false,
    }
}

/// Completes when it becomes true; never, when nobody can say so any more.
async fn until_true(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
