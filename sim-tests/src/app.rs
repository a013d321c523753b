//! An application with one ESME: keeps a session up, submits what the plan says when it says so, takes what is delivered.
//! The same on both tiers; only the way it connects differs.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt;
use smpp_transport::driver::{
    Backoff, Client, ClientConfig, Connect, Delivery, DriverConfig, Incoming, RequestError, Supervisor,
};
use smpp_transport::env::{ChaCha8Rng, Seed};
use smpp_transport::pdu::{
    Body, COctets, CancelSm, CommandStatus, DataSm, MessageId, Pdu, QuerySm, RegisteredDelivery, ShortMessage, Sm,
    TlvTag, Tlvs,
};
use smpp_transport::session::{BindKind, Role, SessionConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::history::{Outcome, Recorder, What};
use crate::plan::{CONNECT_TIMEOUT_MS, Kind, LINGER_MS, Message, Plan, Timers, UNBIND_MS};

/// What the applications of a run still wait for: messages without an outcome, of each client.
#[derive(Clone, Default)]
pub struct Waiting(Arc<Mutex<BTreeSet<(usize, usize)>>>);

impl Waiting {
    /// Waits for all messages of the plan.
    #[must_use]
    pub fn for_all_of(plan: &Plan) -> Waiting {
        let waiting = Waiting::default();
        for owner in plan.owners() {
            let count =
                plan.transport(owner).map_or_else(|| plan.clients[owner].messages.len(), |it| it.messages.len());
            waiting.wanted().extend((0..count).map(|message| (owner, message)));
        }
        waiting
    }

    /// This message has its outcome.
    pub fn is_over_for(&self, message: (usize, usize)) {
        self.wanted().remove(&message);
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeSet<(usize, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is waited for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wanted().is_empty()
    }

    /// What is waited for, in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.wanted().iter().map(|(client, message)| format!("message {message} of {client}")).collect()
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

/// A message, and what became of it.
type Job = (usize, Result<Pdu, RequestError>);

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
        let mut answers = Seed(self.plan.seed).stream("answers", self.client as u64);
        loop {
            let (client, incoming) = tokio::select! {
                biased;
                () = told(&mut stop) => return,
                session = sessions.session() => session,
            };
            self.serve(client, incoming, &mut left, &mut answers).await;
        }
    }

    async fn serve(
        &mut self,
        client: Client,
        mut incoming: Incoming,
        left: &mut VecDeque<(usize, Message)>,
        answers: &mut ChaCha8Rng,
    ) {
        self.recorder.note(What::Bound { client: self.client });
        let mut jobs: JoinSet<Job> = JoinSet::new();
        let (mut open, mut unbinding) = (true, false);
        loop {
            let due = left.front().map_or(self.start, |(_, message)| self.start + Duration::from_millis(message.at_ms));
            tokio::select! {
                biased;
                Some(job) = jobs.join_next(), if !jobs.is_empty() => {
                    open &= self.ended(&client, job.expect("a job does not panic"), left);
                }
                delivery = incoming.next() => match delivery {
                    Some(delivery) => self.delivered(delivery, answers),
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
            self.ended(&client, job.expect("a job does not panic"), left);
        }
        self.recorder.note(What::Ended { client: self.client });
    }

    fn submit(&self, client: &Client, left: &mut VecDeque<(usize, Message)>, jobs: &mut JoinSet<Job>) {
        let Some((number, message)) = left.pop_front() else { return };
        self.recorder.note(What::Submitting { client: self.client, message: number });
        let (body, tlvs) = submission(self.client, number, message);
        let client = client.clone();
        jobs.spawn(async move { (number, client.request(body, tlvs).await) });
    }

    /// False when the message was not sent because the session takes no more: it goes out with the next one.
    fn ended(&self, client: &Client, (number, result): Job, left: &mut VecDeque<(usize, Message)>) -> bool {
        let message = self.plan.clients[self.client].messages[number];
        let outcome = match result {
            Ok(pdu) => Outcome::Accepted(message_id(&pdu)),
            Err(RequestError::Refused(pdu)) => Outcome::Refused(pdu.status.0),
            Err(RequestError::Unreadable(_)) => Outcome::Accepted(String::new()),
            Err(RequestError::Expired) => Outcome::Expired,
            Err(RequestError::Lost(_)) => Outcome::Lost,
            Err(RequestError::NotSent(_)) => {
                left.push_front((number, message));
                return false;
            }
        };
        if let Outcome::Accepted(id) = &outcome
            && let Ok(id) = id.parse()
        {
            self.ask(client, number, message, &id);
        }
        self.waiting.is_over_for((self.client, number));
        self.recorder.note(What::Outcome { client: self.client, message: number, outcome });
        true
    }

    /// Asks what the plan asks of an accepted message, if the session is still there then.
    fn ask(&self, client: &Client, number: usize, message: Message, message_id: &COctets<65>) {
        let source_addr = address(&source(self.client));
        let query = QuerySm { message_id: message_id.clone(), source_addr: source_addr.clone(), ..QuerySm::default() };
        let destination_addr = address(&destination(self.client, number));
        let message_id = message_id.clone();
        let cancel = CancelSm { message_id, source_addr, destination_addr, ..CancelSm::default() };
        let asked = [(message.query_after_ms, Body::QuerySm(query)), (message.cancel_after_ms, Body::CancelSm(cancel))];
        for (after, body) in asked {
            let Some(after) = after else { continue };
            let client = client.clone();
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    () = client.ended() => {}
                    () = sleep(Duration::from_millis(after)) => drop(client.request(body, Tlvs::new()).await),
                }
            });
        }
    }

    /// Takes a delivery, or refuses it, after a while. What chance says is drawn in the order in which they come.
    fn delivered(&self, delivery: Delivery, answers: &mut ChaCha8Rng) {
        let part = &self.plan.clients[self.client];
        let (for_now, for_good) =
            (answers.random::<f64>() < part.refuse_for_now, answers.random::<f64>() < part.refuse_for_good);
        let status = match (for_now, for_good) {
            (true, _) => CommandStatus::ESME_RX_T_APPN,
            (_, true) => CommandStatus::ESME_RX_P_APPN,
            _ => CommandStatus::ESME_ROK,
        };
        let delay = Duration::from_millis(part.answer_delay_ms);
        let app = self.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            let from = from(&delivery.pdu);
            app.recorder.note(What::Delivered { client: app.client, from, status: status.0 });
            delivery.refuse(status);
        });
    }
}

fn message_id(answer: &Pdu) -> String {
    match &answer.body {
        Body::SubmitSmResp(Some(MessageId { message_id })) | Body::DataSmResp(Some(MessageId { message_id })) => {
            message_id.text()
        }
        _ => String::new(),
    }
}

fn from(delivery: &Pdu) -> String {
    match &delivery.body {
        Body::DeliverSm(sm) => sm.source_addr.text(),
        Body::DataSm(sm) => sm.source_addr.text(),
        _ => String::new(),
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
    numbers(destination, "27")
}

/// An owner in two digits, and a number of its.
fn numbers(address: &str, prefix: &str) -> Option<(usize, usize)> {
    let digits = address.strip_prefix(prefix)?;
    Some((digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?))
}

/// The address that a client's messages are from.
#[must_use]
pub fn source(client: usize) -> String {
    format!("10{client:02}")
}

/// A destination that several messages of an owner's have: no message's own.
#[must_use]
pub fn shared_destination(owner: usize, number: u16) -> String {
    format!("27{owner:02}9{number:04}")
}

/// The address that a message with such a destination is from: it says which message it is.
#[must_use]
pub fn own_source(owner: usize, message: usize) -> String {
    format!("{}{message:05}", source(owner))
}

/// Whose message it is that goes between these addresses.
#[must_use]
pub fn message_between(source: &str, destination: &str) -> Option<(usize, usize)> {
    numbers(source, "10").or_else(|| message_of(destination))
}

fn submission(client: usize, number: usize, message: Message) -> (Body, Tlvs) {
    let text: Vec<u8> = (0..message.octets).map(|at| b'a' + u8::try_from(at % 26).unwrap_or(0)).collect();
    let (source_addr, registered_delivery) =
        (address(&source(client)), RegisteredDelivery(message.registered_delivery));
    let destination_addr = destination(client, number);
    let mut tlvs = Tlvs::new();
    if message.data_sm {
        let destination_addr = destination_addr.parse().expect("it has 9 digits");
        let source_addr = source_addr.text().parse().expect("it has 4 digits");
        if message.validity_s > 0 {
            tlvs.push(TlvTag::QOS_TIME_TO_LIVE, &u32::try_from(message.validity_s).unwrap_or(u32::MAX).to_be_bytes());
        }
        tlvs.push(TlvTag::MESSAGE_PAYLOAD, &text);
        return (
            Body::DataSm(DataSm { source_addr, destination_addr, registered_delivery, ..DataSm::default() }),
            tlvs,
        );
    }
    let short_message = ShortMessage::new(text.clone()).unwrap_or_else(|_| {
        tlvs.push(TlvTag::MESSAGE_PAYLOAD, &text);
        ShortMessage::default()
    });
    let sm = Sm {
        source_addr,
        destination_addr: address(&destination_addr),
        registered_delivery,
        schedule_delivery_time: seconds(message.schedule_s),
        validity_period: seconds(message.validity_s),
        short_message,
        ..Sm::default()
    };
    (Body::SubmitSm(sm), tlvs)
}

/// A relative time (§7.1.1.2); 0 is none.
fn seconds(seconds: u64) -> COctets<17> {
    let text = if seconds == 0 {
        String::new()
    } else {
        format!("0000{:02}{:02}{:02}{:02}000R", seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
    };
    text.parse().expect("it has 16 digits")
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

/// Of all accounts.
pub const PASSWORD: &str = "password";

/// The name of an account.
#[must_use]
pub fn system_id(account: usize) -> String {
    format!("smppclient{}", account + 1)
}

fn client_config(plan: &Plan, client: usize) -> ClientConfig {
    let part = &plan.clients[client];
    let kind = match part.kind {
        Kind::Transmitter => BindKind::Transmitter,
        Kind::Receiver => BindKind::Receiver,
        Kind::Transceiver => BindKind::Transceiver,
    };
    let (id, password) = (system_id(part.account).parse(), PASSWORD.parse());
    let mut config = ClientConfig::new(kind, id.expect("it fits"), password.expect("it fits"));
    config.bind.address_range = part.address_range.parse().expect("a plan's ranges are short");
    config.session = SessionConfig {
        window: part.window,
        sequence_start: part.sequence_start,
        ..session_config(Role::Esme, &plan.timers)
    };
    config.driver = driver_config();
    config.connect_timeout = Duration::from_millis(CONNECT_TIMEOUT_MS);
    config
}

/// The waits before each try to connect.
#[must_use]
pub fn backoff(timers: &Timers) -> Backoff {
    Backoff {
        min: Duration::from_millis(50),
        max: Duration::from_millis(timers.backoff_max_ms),
        stable_after: Duration::from_secs(1),
        ..Backoff::default()
    }
}
