//! An application with one ESME: keeps a session up, submits what the plan says when it says so, takes what is delivered.
//! The same on both tiers; only the way it connects differs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smpp_transport::driver::{
    Backoff, Client, ClientConfig, Connect, Delivery, DriverConfig, Incoming, RequestError, Submitted, Supervisor,
};
use smpp_transport::env::Seed;
use smpp_transport::pdu::{COctets, RegisteredDelivery, ShortMessage, Sm, TlvTag, Tlvs};
use smpp_transport::session::{BindKind, Role, SessionConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::history::{Outcome, Recorder, What};
use crate::plan::{CONNECT_TIMEOUT_MS, Kind, LINGER_MS, Message, Plan, Timers, UNBIND_MS};

/// What the applications of a run still wait for.
#[derive(Clone, Default)]
pub struct Waiting(Arc<Mutex<Wanted>>);

#[derive(Default)]
struct Wanted {
    /// Messages without an outcome, of each client.
    messages: BTreeSet<(usize, usize)>,
    /// Ids of accepted messages whose receipts have not come.
    receipts: BTreeSet<String>,
    /// Ids whose receipts have come.
    received: BTreeSet<String>,
    /// When the SMSC has last forgotten everything.
    forgotten: Option<Duration>,
}

impl Waiting {
    /// Waits for all messages of the plan.
    #[must_use]
    pub fn for_all_of(plan: &Plan) -> Waiting {
        let waiting = Waiting::default();
        for (client, part) in plan.clients.iter().enumerate() {
            waiting.wanted().messages.extend((0..part.messages.len()).map(|message| (client, message)));
        }
        waiting
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is waited for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let wanted = self.wanted();
        wanted.messages.is_empty() && wanted.receipts.is_empty()
    }

    /// What is waited for, in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let wanted = self.wanted();
        let messages = wanted.messages.iter().map(|(client, message)| format!("client {client} message {message}"));
        messages.chain(wanted.receipts.iter().map(|id| format!("receipt of {id}"))).collect()
    }

    /// The SMSC has forgotten what it had accepted: its receipts will not come. The answers to what was submitted before may
    /// still be on their way.
    pub fn smsc_forgot(&self, now: Duration) {
        let mut wanted = self.wanted();
        wanted.receipts.clear();
        wanted.received.clear();
        wanted.forgotten = Some(now);
    }

    fn ended(&self, client: usize, message: usize, receipt_of: Option<&str>, submitted: Duration) {
        let mut wanted = self.wanted();
        wanted.messages.remove(&(client, message));
        let remembered = wanted.forgotten.is_none_or(|at| at < submitted);
        if let Some(id) = receipt_of
            && remembered
            && !wanted.received.contains(id)
        {
            wanted.receipts.insert(id.to_owned());
        }
    }

    fn received(&self, id: &str) {
        let mut wanted = self.wanted();
        wanted.receipts.remove(id);
        wanted.received.insert(id.to_owned());
    }
}

/// One application.
#[derive(Clone)]
pub struct App {
    /// Which client of the plan.
    pub client: usize,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Where facts go.
    pub recorder: Recorder,
    /// What is waited for.
    pub waiting: Waiting,
    /// Becomes true when the run ends.
    pub stop: watch::Receiver<bool>,
    /// When the run began, by this host's clock.
    pub start: Instant,
}

/// A message, when it was handed over, and what became of it.
type Job = (usize, Duration, Result<Submitted, RequestError>);

impl App {
    /// Runs until told to stop.
    pub async fn run<C: Connect>(mut self, connect: C) {
        let part = &self.plan.clients[self.client];
        let mut left: VecDeque<(usize, Message)> = part.messages.iter().copied().enumerate().collect();
        let config = client_config(&self.plan, self.client);
        let rng = Seed(self.plan.seed).stream("backoff", self.client as u64);
        let backoff = backoff(&self.plan.timers);
        let mut sessions = Supervisor::new(connect, config, backoff, rng);
        let mut stop = self.stop.clone();
        loop {
            let (client, incoming) = tokio::select! {
                biased;
                () = told(&mut stop) => return,
                session = sessions.session() => session,
            };
            self.serve(client, incoming, &mut left).await;
        }
    }

    async fn serve(&mut self, client: Client, mut incoming: Incoming, left: &mut VecDeque<(usize, Message)>) {
        self.recorder.note(What::Bound { client: self.client });
        let mut jobs: JoinSet<Job> = JoinSet::new();
        let (mut open, mut unbinding) = (true, false);
        loop {
            let due = left.front().map_or(self.start, |(_, message)| self.start + Duration::from_millis(message.at_ms));
            tokio::select! {
                biased;
                Some(job) = jobs.join_next(), if !jobs.is_empty() => {
                    open &= self.ended(job.expect("a job does not panic"), left);
                }
                delivery = incoming.next() => match delivery {
                    Some(delivery) => self.delivered(delivery),
                    None => break,
                },
                () = told(&mut self.stop), if !unbinding => {
                    unbinding = true;
                    let client = client.clone();
                    tokio::spawn(async move { client.unbind().await });
                }
                () = sleep_until(due), if !left.is_empty() && open && !unbinding => self.submit(&client, left, &mut jobs),
            }
        }
        while let Some(job) = jobs.join_next().await {
            self.ended(job.expect("a job does not panic"), left);
        }
        self.recorder.note(What::Ended { client: self.client });
    }

    fn submit(&self, client: &Client, left: &mut VecDeque<(usize, Message)>, jobs: &mut JoinSet<Job>) {
        let Some((number, message)) = left.pop_front() else { return };
        self.recorder.note(What::Submitting { client: self.client, message: number });
        let (sm, tlvs) = submit_sm(self.client, number, message);
        let client = client.clone();
        let now = self.recorder.now();
        jobs.spawn(async move { (number, now, client.submit_with(sm, tlvs).await) });
    }

    /// False when the message was not sent because the session takes no more: it goes out with the next one.
    fn ended(&self, (number, submitted, result): Job, left: &mut VecDeque<(usize, Message)>) -> bool {
        let message = self.plan.clients[self.client].messages[number];
        let outcome = match result {
            Ok(submitted) => Outcome::Accepted(submitted.message_id.text()),
            Err(RequestError::Refused(pdu)) => Outcome::Refused(pdu.status.0),
            Err(RequestError::Expired) => Outcome::Expired,
            Err(RequestError::Lost(_)) => Outcome::Lost,
            Err(RequestError::NotSent(_)) => {
                left.push_front((number, message));
                return false;
            }
        };
        let id = if let Outcome::Accepted(id) = &outcome { Some(id.clone()) } else { None };
        self.waiting.ended(self.client, number, id.as_deref().filter(|_| message.receipt), submitted);
        self.recorder.note(What::Outcome { client: self.client, message: number, outcome });
        true
    }

    fn delivered(&self, delivery: Delivery) {
        let id = delivery.pdu.tlvs.get(TlvTag::RECEIPTED_MESSAGE_ID).unwrap_or_default();
        let message_id = String::from_utf8_lossy(id.strip_suffix(b"\0").unwrap_or(&id)).into_owned();
        let delay = Duration::from_millis(self.plan.clients[self.client].answer_delay_ms);
        let app = self.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            app.waiting.received(&message_id);
            app.recorder.note(What::Delivered { client: app.client, message_id });
            delivery.accept();
        });
    }
}

/// How long a client may take to end once it is told to.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Completes when the run ends.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The destination says whose message it is, so that the oracles can follow it.
#[must_use]
pub fn destination(client: usize, message: usize) -> String {
    format!("27{client:02}{message:05}")
}

/// Whose message this destination says it is.
#[must_use]
pub fn message_of(destination: &str) -> Option<(usize, usize)> {
    let digits = destination.strip_prefix("27")?;
    Some((digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?))
}

fn submit_sm(client: usize, number: usize, message: Message) -> (Sm, Tlvs) {
    let text: Vec<u8> = (0..message.octets).map(|at| b'a' + u8::try_from(at % 26).unwrap_or(0)).collect();
    let mut tlvs = Tlvs::new();
    let short_message = ShortMessage::new(text.clone()).unwrap_or_else(|_| {
        tlvs.push(TlvTag::MESSAGE_PAYLOAD, &text);
        ShortMessage::default()
    });
    let sm = Sm {
        source_addr: address("1001"),
        destination_addr: address(&destination(client, number)),
        registered_delivery: if message.receipt { RegisteredDelivery::FINAL } else { RegisteredDelivery::NONE },
        short_message,
        ..Sm::default()
    };
    (sm, tlvs)
}

fn address(digits: &str) -> COctets<21> {
    digits.parse().expect("it has at most 11 digits")
}

/// The session of either side, with the plan's waits.
#[must_use]
pub fn session_config(role: Role, timers: &Timers) -> SessionConfig {
    SessionConfig {
        session_init_timeout: Duration::from_millis(timers.session_init_timeout_ms),
        enquire_link_interval: Some(Duration::from_millis(timers.enquire_link_interval_ms)),
        response_timeout: Duration::from_millis(timers.response_timeout_ms),
        unbind_timeout: Duration::from_millis(UNBIND_MS),
        ..SessionConfig::new(role)
    }
}

/// Reading and writing of either side.
#[must_use]
pub fn driver_config() -> DriverConfig {
    DriverConfig { linger_timeout: Duration::from_millis(LINGER_MS), ..DriverConfig::default() }
}

fn client_config(plan: &Plan, client: usize) -> ClientConfig {
    let part = &plan.clients[client];
    let kind = match part.kind {
        Kind::Transmitter => BindKind::Transmitter,
        Kind::Receiver => BindKind::Receiver,
        Kind::Transceiver => BindKind::Transceiver,
    };
    let (id, password) = ("smppclient1".parse(), "password".parse());
    let mut config = ClientConfig::new(kind, id.expect("it fits"), password.expect("it fits"));
    config.session = SessionConfig {
        window: part.window,
        sequence_start: part.sequence_start,
        ..session_config(Role::Esme, &plan.timers)
    };
    config.driver = driver_config();
    config.connect_timeout = Duration::from_millis(CONNECT_TIMEOUT_MS);
    config
}

fn backoff(timers: &Timers) -> Backoff {
    Backoff {
        min: Duration::from_millis(50),
        max: Duration::from_millis(timers.backoff_max_ms),
        stable_after: Duration::from_secs(1),
        ..Backoff::default()
    }
}
